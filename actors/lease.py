"""The fence around a camera on a machine that was cut off from the rest of the cluster.

The supervisor asks every camera for its health every few seconds; each question renews the camera's lease. A camera that nobody
has asked for the length of the lease stops to analyse: another machine may have been given its task meanwhile. It goes on
when it is asked again.
"""

import time
from collections.abc import Callable


class Lease:
    """The right to analyse for ``duration_s`` seconds from the last question; 0: for ever."""

    def __init__(self, duration_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock``: seconds that never go back; it must go on while the machine is cut off."""
        self._duration_s, self._clock = duration_s, clock
        self._renewed_at = clock()

    def renew(self) -> None:
        """Whoever is in charge has asked."""
        self._renewed_at = self._clock()

    @property
    def over(self) -> bool:
        """Whether the holder must stand still."""
        return self._duration_s > 0 and self._clock() - self._renewed_at > self._duration_s

    @property
    def reason(self) -> str:
        """Why the holder stands still, in both languages; "" while it does not."""
        if not self.over:
            return ""
        length = f"{self._duration_s:g}"
        return f"超过 {length} 秒无人监管, 已暂停分析 (no supervisor has asked for {length} s; analysis paused)"
