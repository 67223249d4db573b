"""Byte ranges of HTTP (RFC 9110, section 14)."""

import re
from dataclasses import dataclass
from typing import Literal

_SINGLE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes from ``begin`` (inclusive) to ``end`` (exclusive)."""

    begin: int
    end: int


def requested_range(header: str | None, size: int) -> ByteRange | Literal["unsatisfiable"] | None:
    """The part of a file of ``size`` bytes that a ``Range`` header asks for.

    Returns:
        None when the whole file is to be sent: no header, one that is not understood, or several ranges (a server may ignore
        those). "unsatisfiable" when the range holds no byte of the file: that is answered with 416.
    """
    match = _SINGLE.fullmatch(header or "")
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        begin, end = max(0, size - int(last)), size
    else:
        begin, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < begin:
            return None  # not a range at all
    return ByteRange(begin, end) if begin < end else "unsatisfiable"
