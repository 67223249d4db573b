"""Noticing a camera that repeats one picture for ever."""

import zlib
from dataclasses import dataclass

import av
import numpy as np

# Every fourth row, whole: a sparse grid misses small movers and calls a quiet night scene frozen.
_ROW_STEP = 4


def picture_checksum(frame: av.VideoFrame) -> int:
    """CRC-32 of every fourth row of the first plane (luma); equal for pictures that are equal there."""
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height]
    row_bytes = min(plane.line_size, plane.width * max(1, frame.format.components[0].bits // 8))
    return zlib.crc32(np.ascontiguousarray(rows[::_ROW_STEP, :row_bytes]).tobytes())


@dataclass(slots=True)
class FreezeDetector:
    """Compares a checksum of the picture now and then. Pure: the checksum is an argument.

    A real sensor is never silent to the last bit, while a hung encoder repeats itself exactly.

    Attributes:
        frozen_after_s: identical for this long is frozen; 0 switches the detector off.
        check_interval_s: time between two comparisons.
    """

    frozen_after_s: float
    check_interval_s: float = 1.0
    _checksum: int | None = None
    _since_s: float = 0.0
    _next_check_s: float = 0.0
    _was_frozen: bool = False

    def wants(self, now_s: float) -> bool:
        """Whether a picture is to be checked at ``now_s`` (monotonic)."""
        return self.frozen_after_s > 0 and (self._was_frozen or now_s >= self._next_check_s)

    def check(self, checksum: int, now_s: float) -> bool:
        """Take the checksum of the picture at ``now_s``; whether the picture is frozen.

        After a reconnection the verdict stands until the picture differs.
        """
        self._next_check_s = now_s + self.check_interval_s
        if checksum != self._checksum:
            self._checksum, self._since_s, self._was_frozen = checksum, now_s, False
        elif now_s - self._since_s >= self.frozen_after_s:
            self._was_frozen = True
        return self._was_frozen
