"""Pictures and clips on disk, under the protocol's relative paths."""

import contextlib
import hashlib
import os
import re
import shutil
import time
import uuid
import zoneinfo
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

from actors.errors import ArchiveError

_UNSAFE = re.compile(r"[^0-9A-Za-z_\-\u4e00-\u9fff]")
_LONGEST_NAME = 64
_PARTIAL = ".part"
_STALE_S = 3600.0


def safe_name(text: str) -> str:
    """``text`` as a part of a file name: anything but letters, digits, Chinese, ``_`` and ``-`` becomes ``-``.

    Two texts never share a name: one that had to be changed ends in eight digits of its SHA-256.
    """
    name = _UNSAFE.sub("-", text)
    if name == text and 0 < len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 9]}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _stamp(time_s: float, time_zone: str) -> datetime:
    return datetime.fromtimestamp(round(time_s, 3), zoneinfo.ZoneInfo(time_zone))


def picture_path(task_num: str, kind: str, size: Literal["large", "small"], time_s: float, time_zone: str) -> str:
    """``image/{yyyy_MM}/{dd}/{taskNum}/{kind}/{size}/{taskNum}_{kind}_{size}_{yyyyMMddHHmmssSSS}.jpg``."""
    at, task = _stamp(time_s, time_zone), safe_name(task_num)
    name = f"{task}_{kind}_{size}_{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}.jpg"
    return f"image/{at:%Y_%m}/{at:%d}/{task}/{kind}/{size}/{name}"


def clip_path(task_num: str, kind: str, time_s: float, time_zone: str) -> str:
    """``video/{yyyy_MM}/{dd}/{taskNum}/{kind}/{taskNum}_{kind}_{yyyyMMddHHmmssSSS}.mp4`` (on the wire with a leading slash)."""
    at, task = _stamp(time_s, time_zone), safe_name(task_num)
    return f"video/{at:%Y_%m}/{at:%d}/{task}/{kind}/{task}_{kind}_{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}.mp4"


class FolderArchive:
    """An archive in a folder. Files appear whole or not at all, and outlive a power cut once ``write`` has returned.

    Whoever writes decides what a failure costs. Cameras go on without pictures: a passage is then pushed with empty paths and
    counted (a full disk must not stop the count).
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def locate(self, path: str) -> Path:
        """The file of an archive path. Raises ArchiveError for a path that would leave the archive."""
        parts = path.split("/")
        if not path or any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
            raise ArchiveError(f"not an archive path: {path[:200]!r}")
        target = self.root.joinpath(*parts)
        if not target.resolve().is_relative_to(self.root.resolve()):
            raise ArchiveError(f"not an archive path: {path[:200]!r}")
        return target

    def write(self, path: str, data: bytes) -> None:
        """Store ``data``. Raises ArchiveError (disk full, no permission); what was there before is then still there."""
        target = self.locate(path)
        try:
            try:
                _write_whole(target, data)
            except FileNotFoundError:  # ``prune`` took the folder away between our making it and our using it
                _write_whole(target, data)
        except OSError as error:
            raise ArchiveError(f"cannot write {path}: {error.strerror or error}") from error

    def check(self) -> str:
        """ "" when the archive can be written, otherwise one line that says why not, for health pages."""
        try:
            self.write(f"check-{uuid.uuid4().hex}{_PARTIAL}", b"")
        except ArchiveError as error:
            return f"图片存储不可写 / archive cannot be written: {error.__cause__ or error}"
        finally:
            for path in self.root.glob(f"check-*{_PARTIAL}"):
                path.unlink(missing_ok=True)
        return ""

    def read(self, path: str) -> bytes | None:
        """The bytes under ``path``; None when there are none. Raises ArchiveError."""
        try:
            return self.locate(path).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except OSError as error:
            raise ArchiveError(f"cannot read {path}: {error.strerror or error}") from error

    def open(self, path: str) -> BinaryIO | None:
        """The file under ``path``, open for reading and seekable; None when there is none. Raises ArchiveError."""
        try:
            return self.locate(path).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except OSError as error:
            raise ArchiveError(f"cannot read {path}: {error.strerror or error}") from error

    def prune(self, max_age_s: float, max_bytes: int, now_s: float | None = None, *, min_free_bytes: int = 0) -> int:
        """Delete what is older than ``max_age_s``, then the oldest until at most ``max_bytes`` are left and the disk has
        ``min_free_bytes`` free (others may have filled it: then everything of ours goes); returns the number.

        What a killed process left half written goes after an hour, and folders go when they are empty.
        """
        now_s = time.time() if now_s is None else now_s
        files = []
        for path in self.root.rglob("*"):
            with contextlib.suppress(OSError):  # a file that another process just moved or removed
                if path.is_file():
                    status = path.stat()
                    stale = path.name.endswith(_PARTIAL) and now_s - status.st_mtime > _STALE_S
                    files.append((not stale, status.st_mtime, status.st_size, path))
        files.sort(key=lambda item: item[:3])
        total, removed = sum(size for _, _, size, _ in files), 0
        with contextlib.suppress(OSError):  # no such folder yet
            max_bytes = min(max_bytes, max(0, total + shutil.disk_usage(self.root).free - min_free_bytes))
        for whole, modified, size, path in files:
            if whole and now_s - modified <= max_age_s and total <= max_bytes:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                total, removed = total - size, removed + 1
        self._remove_empty_folders()
        return removed

    def _remove_empty_folders(self) -> None:
        for folder, _, _ in os.walk(self.root, topdown=False):
            if Path(folder) != self.root:
                with contextlib.suppress(OSError):  # not empty
                    os.rmdir(folder)


def _write_whole(target: Path, data: bytes) -> None:
    """Write beside the target, make it durable, then give it its name: a reader sees all of it or nothing."""
    _make_folders(target.parent)
    partial = target.with_name(f".{uuid.uuid4().hex}{_PARTIAL}")
    try:
        with partial.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        _sync_folder(target.parent)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def _make_folders(folder: Path) -> None:
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for made in reversed(missing):
        made.mkdir(exist_ok=True)
        _sync_folder(made.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_archive(location: str) -> FolderArchive:
    """The archive at ``location`` (a folder). Raises ArchiveError for a URL scheme this version cannot use."""
    if "://" in location and not location.startswith("file://"):
        raise ArchiveError(f"archive {location!r}: only folders are supported")
    return FolderArchive(Path(location.removeprefix("file://")).expanduser())
