"""A circuit breaker for one receiver. Pure: time is an argument (monotonic seconds)."""

from collections import deque
from dataclasses import dataclass
from enum import Enum


class Permit(Enum):
    """Leave to make one request."""

    NORMAL = "normal"
    PROBE = "probe"


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerConfig:
    """When it opens and how it closes.

    Attributes:
        failure_ratio, least: it opens when at least ``least`` requests of the last ``window_s`` have ended and this share of
            them failed.
        first_pause_s: how long it stays open before a probe; doubled after every failed probe up to ``longest_pause_s``.
        most: at most so many of the newest requests are judged.
    """

    failure_ratio: float = 0.7
    least: int = 10
    window_s: float = 120.0
    most: int = 200
    first_pause_s: float = 5.0
    longest_pause_s: float = 60.0


class CircuitBreaker:
    """Closed: requests go. Open: none goes. Half open: one probe at a time; its success closes, its failure opens again."""

    def __init__(self, config: BreakerConfig | None = None) -> None:
        self._config = config or BreakerConfig()
        self._ended: deque[tuple[float, bool]] = deque()
        self._failures = 0
        self._open_until: float | None = None
        self._pause_s = self._config.first_pause_s
        self._probing = False
        self._paused_until = float("-inf")

    def state(self, now_s: float) -> str:
        """closed, open or half_open."""
        if now_s < self._paused_until:
            return "open"
        if self._open_until is None:
            return "closed"
        return "open" if now_s < self._open_until else "half_open"

    @property
    def probing(self) -> bool:
        """Whether a probe is under way."""
        return self._probing

    def acquire(self, now_s: float) -> Permit | None:
        """Leave for one request, to be given back by ``ended`` or ``cancelled``; None: not now."""
        state = self.state(now_s)
        if state == "closed":
            return Permit.NORMAL
        if state == "open" or self._probing:
            return None
        self._probing = True
        return Permit.PROBE

    def ended(self, permit: Permit, success: bool, now_s: float) -> None:
        """A request ended."""
        if permit is Permit.PROBE:
            self._probing = False
            if success:
                self._close()
            else:
                self._pause_s = min(self._pause_s * 2, self._config.longest_pause_s)
                self._open_until = now_s + self._pause_s
        elif self._open_until is None:  # what was under way when it opened says nothing new
            self._ended.append((now_s, success))
            self._failures += not success
            if self._bad(now_s):
                self._open_until = now_s + self._pause_s

    def cancelled(self, permit: Permit) -> None:
        """A request ended without an outcome."""
        if permit is Permit.PROBE:
            self._probing = False

    def pause(self, until_s: float) -> None:
        """The receiver asked for silence until then."""
        self._paused_until = max(self._paused_until, until_s)

    def reset(self) -> None:
        """Forget everything: the receiver's address changed."""
        self._close()
        self._paused_until = float("-inf")

    def wakes_at(self, now_s: float) -> float:
        """When the next request may go; ``now_s`` or earlier: at once."""
        return max(self._paused_until, now_s if self._open_until is None else self._open_until)

    def _close(self) -> None:
        self._ended.clear()
        self._failures = 0
        self._open_until = None
        self._pause_s = self._config.first_pause_s

    def _bad(self, now_s: float) -> bool:
        while self._ended and (self._ended[0][0] <= now_s - self._config.window_s or len(self._ended) > self._config.most):
            _, success = self._ended.popleft()
            self._failures -= not success
        return len(self._ended) >= self._config.least and self._failures >= self._config.failure_ratio * len(self._ended)
