"""Which files of a folder go: too old, then the oldest. Looks into a folder again only when its names have changed."""

import contextlib
import heapq
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PARTIAL = ".part"
_STALE_S = 3600.0
_SETTLED_S = 3.0  # a folder's time of change is coarse: two changes within it may look like one


@dataclass(slots=True)
class _Folder:
    """What is known of one folder.

    Attributes:
        changed_ns: its time of change when it was read. settled: a later change cannot have the same time.
        partial: it holds half-written files. oldest_s: of its files, infinite without any.
    """

    changed_ns: int = -1
    settled: bool = False
    partial: bool = False
    files: int = 0
    size_bytes: int = 0
    oldest_s: float = float("inf")
    inner: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, order=True)
class _File:
    modified_s: float
    size: int
    path: str


class FolderRetention:
    """Remembers of every folder how much it holds and how old that is; a look costs one ``stat`` a folder and a reading of those
    that have changed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[str, _Folder] = {}
        self.folders_read = 0

    def totals(self) -> tuple[int, int]:
        """(files, bytes) as of the last look."""
        folders = list(self._folders.values())
        return sum(folder.files for folder in folders), sum(folder.size_bytes for folder in folders)

    def prune(self, now_s: float, max_age_s: float, max_bytes: int, lacking_bytes: int) -> int:
        """Delete files older than ``max_age_s``, then the oldest until at most ``max_bytes`` are left and ``lacking_bytes`` have
        gone; returns how many went."""
        self._look(now_s)
        removed, freed = 0, 0
        for path, folder in list(self._folders.items()):
            if folder.partial or folder.oldest_s < now_s - max_age_s:
                for file in self._files(path):
                    stale = file.path.endswith(PARTIAL) and now_s - file.modified_s > _STALE_S
                    if (stale or file.modified_s < now_s - max_age_s) and _unlink(file):
                        removed, freed = removed + 1, freed + file.size
                self._read(path, now_s)
        excess = max(self.totals()[1] - max_bytes, lacking_bytes - freed)
        removed += self._free(excess, now_s)
        self._remove_empty()
        return removed

    def _free(self, excess: int, now_s: float) -> int:
        """Delete the oldest files, over all folders, until ``excess`` bytes are gone."""
        order = [(folder.oldest_s, path) for path, folder in self._folders.items() if folder.files]
        heapq.heapify(order)
        removed = 0
        while excess > 0 and order:
            _, path = heapq.heappop(order)
            until_s = order[0][0] if order else float("inf")
            for file in sorted(file for file in self._files(path) if not file.path.endswith(PARTIAL)):
                if excess <= 0 or file.modified_s > until_s:
                    break
                if _unlink(file):
                    removed, excess = removed + 1, excess - file.size
            before = self._folders[path]
            left = self._read(path, now_s)
            if left.files and (left.files < before.files or left.oldest_s > before.oldest_s):
                heapq.heappush(order, (left.oldest_s, path))
        return removed

    # -- looking ------------------------------------------------------------------------------------------------------

    def _look(self, now_s: float) -> None:
        seen: set[str] = set()
        todo = [str(self._root)]
        while todo:
            path = todo.pop()
            try:
                changed_ns = os.stat(path).st_mtime_ns
            except OSError:  # gone meanwhile
                continue
            known = self._folders.get(path)
            if known is None or not known.settled or known.partial or known.changed_ns != changed_ns:
                known = self._read(path, now_s)
            seen.add(path)
            todo += [os.path.join(path, name) for name in known.inner]
        for path in self._folders.keys() - seen:
            del self._folders[path]

    def _read(self, path: str, now_s: float) -> _Folder:
        self.folders_read += 1
        folder = _Folder()
        with contextlib.suppress(OSError):
            folder.changed_ns = os.stat(path).st_mtime_ns
            folder.settled = now_s - folder.changed_ns / 1e9 > _SETTLED_S
            for entry in _entries(path):
                if isinstance(entry, str):
                    folder.inner.append(entry)
                    continue
                folder.files += 1
                folder.size_bytes += entry.size
                folder.partial |= entry.path.endswith(PARTIAL)
                folder.oldest_s = min(folder.oldest_s, entry.modified_s)
        self._folders[path] = folder
        return folder

    @staticmethod
    def _files(path: str) -> list[_File]:
        return [entry for entry in _entries(path) if isinstance(entry, _File)]

    def _remove_empty(self) -> None:
        for path in sorted(self._folders, key=len, reverse=True):
            if path != str(self._root) and not self._folders[path].files:
                with contextlib.suppress(OSError):  # not empty
                    os.rmdir(path)
                    del self._folders[path]
                    if outer := self._folders.get(os.path.dirname(path)):
                        outer.settled = False


def _entries(path: str) -> Iterator["_File | str"]:
    """Files, and names of folders; what another process just moved or removed is left out."""
    with contextlib.suppress(OSError), os.scandir(path) as found:
        for entry in found:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    yield entry.name
                elif entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    yield _File(status.st_mtime, status.st_size, entry.path)


def _unlink(file: _File) -> bool:
    try:
        os.unlink(file.path)
    except OSError:
        return False
    return True
