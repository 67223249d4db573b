"""Pictures and clips on disk, under the protocol's relative paths."""

import contextlib
import os
import re
import time
import zoneinfo
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

from actors.errors import ArchiveError

_UNSAFE = re.compile(r"[^0-9A-Za-z_\-\u4e00-\u9fff]")


def safe_name(text: str) -> str:
    """``text`` as a part of a file name: anything but letters, digits, Chinese, ``_`` and ``-`` becomes ``-``."""
    return _UNSAFE.sub("-", text)[:64] or "-"


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
    """An archive in a folder. Files appear whole or not at all."""

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
        """Store ``data``. Raises ArchiveError (disk full, no permission)."""
        target = self.locate(path)
        partial = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(data)
            partial.replace(target)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise ArchiveError(f"cannot write {path}: {error.strerror or error}") from error

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

    def prune(self, max_age_s: float, max_bytes: int, now_s: float | None = None) -> int:
        """Delete what is older than ``max_age_s``, then the oldest until at most ``max_bytes`` are left; returns the number."""
        now_s = time.time() if now_s is None else now_s
        files = []
        for path in self.root.rglob("*"):
            with contextlib.suppress(OSError):  # a file that another process just moved or removed
                if path.is_file():
                    status = path.stat()
                    files.append((status.st_mtime, status.st_size, path))
        files.sort(key=lambda item: item[:2])
        total, removed = sum(size for _, size, _ in files), 0
        for modified, size, path in files:
            if now_s - modified <= max_age_s and total <= max_bytes:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            total, removed = total - size, removed + 1
        return removed


def open_archive(location: str) -> FolderArchive:
    """The archive at ``location`` (a folder). Raises ArchiveError for a URL scheme this version cannot use."""
    if "://" in location and not location.startswith("file://"):
        raise ArchiveError(f"archive {location!r}: only folders are supported")
    return FolderArchive(Path(location.removeprefix("file://")).expanduser())
