"""Hands frames from the reading thread to the consumer."""

import threading
from collections import deque

from actors.decoding.frames import DecodedFrame


class FrameMailbox:
    """A bounded hand-over. A full one either waits (recordings: nothing is lost) or forgets the oldest frame (cameras).

    ``newest_only`` may be changed between connections, as the kind of a source is known only when it is open.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._frames: deque[DecodedFrame] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.newest_only = True
        self.dropped = 0

    def put(self, frame: DecodedFrame) -> bool:
        """Hand over ``frame``; False when the mailbox was closed meanwhile."""
        with self._changed:
            if self.newest_only:
                self.dropped += len(self._frames)
                self._frames.clear()
            else:
                self._changed.wait_for(lambda: len(self._frames) < self._capacity or self._closed)
            if self._closed:
                return False
            self._frames.append(frame)
            self._changed.notify_all()
            return True

    def take(self, timeout_s: float) -> DecodedFrame | None:
        """The oldest frame held, waiting up to ``timeout_s``; None when there is none (at once when closed)."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._frames) or self._closed, timeout_s)
            if not self._frames:
                return None
            frame = self._frames.popleft()
            self._changed.notify_all()
            return frame

    @property
    def waiting(self) -> int:
        """Frames held."""
        return len(self._frames)

    def close(self, *, forget: bool) -> None:
        """No more frames come. With ``forget`` those held are thrown away, else they can still be taken."""
        with self._changed:
            self._closed = True
            if forget:
                self._frames.clear()
            self._changed.notify_all()


class RateMeter:
    """Rate of a growing counter over the last few seconds, from at most ``_SAMPLES`` samples."""

    _SAMPLES = 25

    def __init__(self, window_s: float = 5.0) -> None:
        self._spacing_s = window_s / self._SAMPLES
        self._window_s = window_s
        self._samples: deque[tuple[float, int]] = deque(maxlen=self._SAMPLES + 1)

    def record(self, now_s: float, total: int) -> None:
        """The counter stood at ``total`` at ``now_s`` (monotonic). A counter that begins anew begins a new measurement."""
        if self._samples and total < self._samples[-1][1]:
            self._samples.clear()
        if not self._samples or now_s - self._samples[-1][0] >= self._spacing_s:
            self._samples.append((now_s, total))

    def rate(self, now_s: float) -> float:
        """Counts per second; falls towards 0 when nothing is recorded any more."""
        recent = [sample for sample in tuple(self._samples) if now_s - sample[0] <= self._window_s]
        if len(recent) < 2:
            return 0.0
        (first_s, first), (last_s, last) = recent[0], recent[-1]
        silence_s = max(0.0, now_s - last_s - 1.0)
        return (last - first) / (last_s - first_s + silence_s)
