"""The protocol's relative paths."""

import hashlib
import re
import zoneinfo
from datetime import datetime
from typing import Literal

from actors.errors import ArchiveError

_UNSAFE = re.compile(r"[^0-9A-Za-z_\-\u4e00-\u9fff]")
_LONGEST_NAME = 64


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


def checked_parts(path: str) -> list[str]:
    """The parts of an archive path. Raises ArchiveError for one that would leave the archive."""
    parts = path.split("/")
    if not path or any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise ArchiveError(f"not an archive path: {path[:200]!r}")
    return parts
