"""An archive in a folder."""

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from actors.archive.paths import checked_parts
from actors.archive.retention import PARTIAL, FolderRetention
from actors.archive.usage import ArchiveUsage
from actors.errors import ArchiveError
from actors.ports import ArchiveFile

_NO_ROOM = "磁盘剩余空间不足 / the disk has less free space than is to be kept"


class FolderArchive:
    """An archive in a folder. Files appear whole or not at all, and outlive a power cut once ``write`` has returned.

    Whoever writes decides what a failure costs. Cameras go on without pictures: a passage is then pushed with empty paths and
    counted (a full disk must not stop the count).
    """

    def __init__(self, root: Path, min_free_bytes: int = 0) -> None:
        """``min_free_bytes``: nothing is written that would leave less than this free on the disk."""
        self.root, self._min_free_bytes = root, min_free_bytes
        self._retention = FolderRetention(root)

    def locate(self, path: str) -> Path:
        """The file of an archive path. Raises ArchiveError for a path that would leave the archive."""
        target = self.root.joinpath(*checked_parts(path))
        if not target.resolve().is_relative_to(self.root.resolve()):
            raise ArchiveError(f"not an archive path: {path[:200]!r}")
        return target

    def write(self, path: str, data: bytes) -> None:
        """Store ``data``. Raises ArchiveError (disk full, no permission); what was there before is then still there."""
        target = self.locate(path)
        try:
            self._mind_the_disk(len(data))
            try:
                _write_whole(target, data)
            except FileNotFoundError:  # ``prune`` took the folder away between our making it and our using it
                _write_whole(target, data)
        except OSError as error:
            raise ArchiveError(f"cannot write {path}: {error.strerror or error}") from error

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """The archive's own folder, so that ``adopt`` need not copy; names ending in ``.part`` are cleared away one day."""
        try:
            self._mind_the_disk(0)
            _make_folders(self.root)
        except OSError as error:
            raise ArchiveError(f"cannot write {self.root}: {error.strerror or error}") from error
        yield self.root

    def adopt(self, path: str, file: Path) -> None:
        """See Archive."""
        target = self.locate(path)
        try:
            _sync_file(file)
            _make_folders(target.parent)
            try:
                _move(file, target)
            except FileNotFoundError:
                _make_folders(target.parent)
                _move(file, target)
            _sync_folder(target.parent)
        except OSError as error:
            raise ArchiveError(f"cannot write {path}: {error.strerror or error}") from error

    def check(self) -> str:
        """ "" when the archive can be written, otherwise one line that says why not, for health pages."""
        try:
            self.write(f"check-{uuid.uuid4().hex}{PARTIAL}", b"")
        except ArchiveError as error:
            return f"图片存储不可写 / archive cannot be written: {error.__cause__ or error}"
        finally:
            for path in self.root.glob(f"check-*{PARTIAL}"):
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

    def open(self, path: str) -> ArchiveFile | None:
        """See Archive."""
        try:
            file = self.locate(path).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except OSError as error:
            raise ArchiveError(f"cannot read {path}: {error.strerror or error}") from error
        status = os.fstat(file.fileno())
        return ArchiveFile(file=file, size=status.st_size, tag=f"{status.st_mtime_ns:x}-{status.st_size:x}")

    def prune(self, max_age_s: float, max_bytes: int, now_s: float | None = None, min_free_bytes: int | None = None) -> int:
        """Delete what is older than ``max_age_s``, then the oldest until at most ``max_bytes`` are left and the disk has
        ``min_free_bytes`` free (None: those that writing keeps free); returns the number.

        What a killed process left half written goes after an hour, and folders go when they are empty.
        """
        keep_free = self._min_free_bytes if min_free_bytes is None else min_free_bytes
        now_s = time.time() if now_s is None else now_s
        lacking = max(0, keep_free - free) if keep_free and (free := self._free_bytes()) is not None else 0
        return self._retention.prune(now_s, max_age_s, max_bytes, lacking)

    def usage(self) -> ArchiveUsage:
        """As of the last ``prune``."""
        files, size_bytes = self._retention.totals()
        return ArchiveUsage(files=files, size_bytes=size_bytes, free_bytes=self._free_bytes())

    def _free_bytes(self) -> int | None:
        for folder in (self.root, *self.root.parents):  # the archive's own folder may be still to come
            with contextlib.suppress(OSError):
                return shutil.disk_usage(folder).free
        return None

    def _mind_the_disk(self, size: int) -> None:
        if self._min_free_bytes and (free := self._free_bytes()) is not None and free - size < self._min_free_bytes:
            raise OSError(f"{_NO_ROOM} ({free // 1024**2} MiB, {self._min_free_bytes // 1024**2} MiB)")


def _write_whole(target: Path, data: bytes) -> None:
    """Write beside the target, make it durable, then give it its name: a reader sees all of it or nothing."""
    _make_folders(target.parent)
    partial = target.with_name(f".{uuid.uuid4().hex}{PARTIAL}")
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


def _move(file: Path, target: Path) -> None:
    """Give a durable file its name; over the border of a file system it is copied beside its target first."""
    if _same_disk(file, target.parent):
        file.replace(target)
        return
    partial = target.with_name(f".{uuid.uuid4().hex}{PARTIAL}")
    try:
        shutil.copyfile(file, partial)
        _sync_file(partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _same_disk(file: Path, folder: Path) -> bool:
    return file.stat().st_dev == folder.stat().st_dev


def _make_folders(folder: Path) -> None:
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for made in reversed(missing):
        made.mkdir(exist_ok=True)
        _sync_folder(made.parent)


def _sync_file(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
