"""When a receiver has been failing for so long that it is disabled. Pure."""

from dataclasses import dataclass, replace
from enum import Enum

from actors.delivery.ports import ReceiverState

_SUCCESS_KEPT_EVERY_S = 60.0


class Verdict(Enum):
    """What to do about a receiver."""

    NOTHING = "nothing"
    NOTICE = "notice"
    DISABLE = "disable"


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthPolicy:
    """The rules.

    Attributes:
        disable_after_s: disabled after failing so long without one success (5 days).
        notice_after_s: the operator is told before (4 days).
        least_failures: and only after so many failures.
        longest_gap_s: failures further apart than this are sporadic: the time starts anew. Must exceed the longest pause
            between two attempts.
    """

    disable_after_s: float = 5 * 86_400.0
    notice_after_s: float = 4 * 86_400.0
    least_failures: int = 10
    longest_gap_s: float = 86_400.0

    def after_failure(self, state: ReceiverState, at_s: float) -> tuple[ReceiverState, Verdict]:
        """The state after a failure at ``at_s`` (seconds since the epoch), and what to do."""
        goes_on = state.failing_since and 0 <= at_s - state.last_failure_at <= self.longest_gap_s
        if not goes_on:
            return replace(state, failing_since=at_s, failures=1, last_failure_at=at_s, notice_at=0.0), Verdict.NOTHING
        state = replace(state, failures=state.failures + 1, last_failure_at=at_s)
        failing_s = at_s - state.failing_since
        if state.failures < self.least_failures:
            return state, Verdict.NOTHING
        if failing_s >= self.disable_after_s:
            return state, Verdict.DISABLE
        if failing_s >= self.notice_after_s and not state.notice_at:
            return replace(state, notice_at=at_s), Verdict.NOTICE
        return state, Verdict.NOTHING

    def after_success(self, state: ReceiverState, at_s: float) -> ReceiverState:
        """The state after a success; the same object when there is nothing worth keeping."""
        if not state.failing_since and abs(at_s - state.last_success_at) < _SUCCESS_KEPT_EVERY_S:
            return state
        return replace(state, failing_since=0.0, failures=0, last_failure_at=0.0, notice_at=0.0, last_success_at=at_s)
