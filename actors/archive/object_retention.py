"""Which objects of a store go: too old, then those of the oldest days. Lists a few days at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actors.archive.usage import ArchiveUsage

_DAYS_A_PASS = 8
_FRESH_S = 6 * 3600.0
_TOPS = ("image", "video")


@dataclass(slots=True)
class _Day:
    """What was found under one ``image/yyyy_MM/dd`` or ``video/yyyy_MM/dd``."""

    seen_at: float
    files: int
    size_bytes: int
    oldest_s: float


class ObjectRetention:
    """Remembers the days of an archive in a store."""

    def __init__(self, system: Any, root: str) -> None:
        self._system, self._root = system, root
        self._days: dict[str, _Day] = {}
        self._unseen: set[str] = set()
        self._named_at = float("-inf")

    def usage(self) -> ArchiveUsage:
        """Totals of the days that are known."""
        days = list(self._days.values())
        complete = not self._unseen and self._named_at > float("-inf")
        return ArchiveUsage(
            files=sum(day.files for day in days), size_bytes=sum(day.size_bytes for day in days), complete=complete
        )

    def prune(self, now_s: float, max_age_s: float, max_bytes: int) -> int:
        """Delete objects older than ``max_age_s``, then those of the days with the oldest until at most ``max_bytes`` are known
        to be left; returns how many went."""
        self._name_days(now_s)
        too_old = [key for key, day in self._days.items() if day.oldest_s < now_s - max_age_s]
        stale = sorted((day.seen_at, key) for key, day in self._days.items() if now_s - day.seen_at > _FRESH_S)
        newest = sorted(self._days.keys() | self._unseen, key=_date, reverse=True)[: len(_TOPS)]
        looked = dict.fromkeys([*newest, *too_old, *sorted(self._unseen, key=_date)[:_DAYS_A_PASS]])
        looked |= dict.fromkeys([key for _, key in stale][: max(0, _DAYS_A_PASS - len(looked))])
        removed = sum(self._visit(key, now_s, now_s - max_age_s) for key in looked)
        for key in sorted(self._days, key=lambda key: self._days[key].oldest_s):
            excess = sum(day.size_bytes for day in self._days.values()) - max_bytes
            if excess <= 0:
                break
            removed += self._visit(key, now_s, float("-inf"), excess)
        return removed

    def _name_days(self, now_s: float) -> None:
        """Which days there are, every few hours or while some are not known; today's are always among them."""
        if now_s - self._named_at < _FRESH_S and not self._unseen:
            return
        named = {day for top in _TOPS for month in self._folders(f"{self._root}/{top}") for day in self._folders(month)}
        self._days = {key: day for key, day in self._days.items() if key in named}
        self._unseen = named - self._days.keys()
        self._named_at = now_s

    def _folders(self, path: str) -> list[str]:
        try:
            return [str(item["name"]).rstrip("/") for item in self._system.ls(path, detail=True) if item["type"] == "directory"]
        except FileNotFoundError:
            return []

    def _visit(self, key: str, now_s: float, before_s: float, excess: int = 0) -> int:
        """List one day; delete what is from before ``before_s``, then the oldest until ``excess`` bytes are gone."""
        found = self._system.find(key, detail=True)
        objects = sorted((_modified_s(item), path, int(item["size"])) for path, item in found.items())
        gone, left_bytes, oldest_s = [], 0, float("inf")
        for modified_s, path, size in objects:
            if modified_s < before_s or excess > 0:
                gone.append(path)
                excess -= size
            else:
                left_bytes, oldest_s = left_bytes + size, min(oldest_s, modified_s)
        if gone:
            self._system.rm(gone)
        self._unseen.discard(key)
        self._days[key] = _Day(now_s, len(objects) - len(gone), left_bytes, oldest_s)
        if not self._days[key].files:
            del self._days[key]
        return len(gone)


def _date(key: str) -> tuple[str, str]:
    """Month and day of a key that ends in ``yyyy_MM/dd``."""
    month, day = key.rsplit("/", 2)[-2:]
    return month, day


def _modified_s(item: dict[str, Any]) -> float:
    stamp = item.get("LastModified") or item.get("created") or item.get("mtime") or item.get("updated")
    if isinstance(stamp, str):
        stamp = datetime.fromisoformat(stamp)
    return stamp.timestamp() if isinstance(stamp, datetime) else float(stamp or 0.0)
