"""When a camera counts as lost or disconnected and when to try again. Pure: time and chance are arguments."""

import random
from dataclasses import dataclass

from traffic.facts import TaskStatusCode


@dataclass(frozen=True, kw_only=True, slots=True)
class ReconnectConfig:
    """Settings of the reconnection. All durations are seconds.

    Attributes:
        first_delay_s: longest wait before the first new attempt.
        growth: factor from attempt to attempt; 1.5 comes back within a third of the outage, as a rule.
        max_delay_s: longest wait of all; also the wait after an error that trying again soon cannot mend.
        disconnected_after_s: a camera lost for this long is DISCONNECTED (while the attempts go on).
        stable_after_s: a connection that delivered pictures for this long resets the waiting times; one that breaks
            earlier does not, else a camera that dies after each first picture would be hammered.
    """

    first_delay_s: float = 1.0
    growth: float = 1.5
    max_delay_s: float = 60.0
    disconnected_after_s: float = 60.0
    stable_after_s: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.first_delay_s <= self.max_delay_s:
            raise ValueError("0 < first_delay_s <= max_delay_s is required")
        if not 1.0 <= self.growth <= 10.0:
            raise ValueError("growth must be within 1..10")
        if self.disconnected_after_s <= 0 or self.stable_after_s < 0:
            raise ValueError("disconnected_after_s must be greater than 0, stable_after_s at least 0")


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusChange:
    """The status a task has from now on, and why."""

    status: TaskStatusCode
    reason: str


class ReconnectPolicy:
    """The life of one camera as a state machine.

    NOT_STARTED → ANALYSING (first picture) ⇄ RECONNECTING (lost) → DISCONNECTED (lost for long) → ANALYSING;
    NOT_STARTED again when a recording ended. Every method returns the change to announce, None while the status stays
    the same; ``reason`` always holds the newest one.
    ``now_s`` is monotonic time and never decreases.
    """

    def __init__(self, config: ReconnectConfig, rng: random.Random) -> None:
        self._config = config
        self._rng = rng
        self._status = TaskStatusCode.NOT_STARTED
        self._reason = ""
        self._lost_since_s: float | None = None
        self._flowing_since_s: float | None = None
        self._attempts = 0

    @property
    def status(self) -> TaskStatusCode:
        """The status in force."""
        return self._status

    @property
    def reason(self) -> str:
        """Its reason, "" when all is well."""
        return self._reason

    @property
    def disconnected_at_s(self) -> float | None:
        """When ``tick`` will state DISCONNECTED; None when nothing is due."""
        if self._lost_since_s is None or self._status is TaskStatusCode.DISCONNECTED:
            return None
        return self._lost_since_s + self._config.disconnected_after_s

    def picture(self, now_s: float) -> StatusChange | None:
        """A picture came."""
        self._lost_since_s = None
        if self._flowing_since_s is None:
            self._flowing_since_s = now_s
        elif self._attempts and now_s - self._flowing_since_s >= self._config.stable_after_s:
            self._attempts = 0
        return self._enter(TaskStatusCode.ANALYSING, "")

    def lost(self, reason: str, now_s: float) -> StatusChange | None:
        """The stream was lost, or an attempt to open it failed, because of ``reason``."""
        self._flowing_since_s = None
        if self._lost_since_s is None:
            self._lost_since_s = now_s
        if self._overdue(now_s):
            return self._enter(TaskStatusCode.DISCONNECTED, reason)
        return self._enter(TaskStatusCode.RECONNECTING, reason)

    def tick(self, now_s: float) -> StatusChange | None:
        """Time passed."""
        if self._overdue(now_s) and self._status is not TaskStatusCode.DISCONNECTED:
            return self._enter(TaskStatusCode.DISCONNECTED, self._reason)
        return None

    def ended(self, reason: str) -> StatusChange | None:
        """A recording was analysed to its end, or the task was stopped."""
        self._lost_since_s = self._flowing_since_s = None
        return self._enter(TaskStatusCode.NOT_STARTED, reason)

    def next_delay_s(self, *, permanent: bool) -> float:
        """How long to wait before the next attempt: exponential, half of it by chance so that many cameras behind one
        broken switch do not come back in step; at least half of ``max_delay_s`` after a ``permanent`` error."""
        config = self._config
        limit_s = min(config.max_delay_s, config.first_delay_s * config.growth ** min(self._attempts, 60))
        self._attempts += 1
        if permanent:
            limit_s = config.max_delay_s
        return limit_s * (0.5 + 0.5 * self._rng.random())

    def _overdue(self, now_s: float) -> bool:
        return self._lost_since_s is not None and now_s - self._lost_since_s >= self._config.disconnected_after_s

    def _enter(self, status: TaskStatusCode, reason: str) -> StatusChange | None:
        self._reason = reason
        if status is self._status:
            return None
        self._status = status
        return StatusChange(status=status, reason=reason)
