"""What follows from an attempt, as a pure decision. The pusher carries it out."""

import random
from dataclasses import dataclass

from actors.delivery.ports import Attempt

# Seconds after the first failure, second failure…; the shape of Standard Webhooks' recommended schedule.
SCHEDULE_S = (5.0, 30.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 36_000.0, 43_200.0, 43_200.0)
_JITTER = 0.2
_MAX_RETRY_AFTER_S = 86_400.0
SUCCESS_STATUS = 200  # the manual: "200 视为上传成功，其他均视为失败"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """``state`` of the delivery from now on (waiting, delivered, given_up) and, when waiting, in how many seconds to retry."""

    state: str
    retry_after_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryPolicy:
    """The rules.

    Attributes:
        max_age_s: a delivery older than this is given up (75 h).
        schedule_s: waiting time after each failure; the last one repeats.
    """

    max_age_s: float = 75 * 3600.0
    schedule_s: tuple[float, ...] = SCHEDULE_S

    def decide(self, attempt: Attempt, number: int, age_s: float, push_response: bool, chance: random.Random) -> Decision:
        """Judge attempt ``number`` (1 for the first) of a delivery that is ``age_s`` old.

        Without ``push_response`` one answered or unanswered attempt is enough. Otherwise exactly HTTP 200 is success and
        everything else is tried again later, not before what the receiver's Retry-After asks for.
        """
        if attempt.status == SUCCESS_STATUS:
            return Decision(state="delivered")
        if not push_response:
            return Decision(state="given_up")
        wait_s = self.schedule_s[min(number, len(self.schedule_s)) - 1]
        wait_s *= 1 + chance.uniform(-_JITTER, _JITTER)
        if attempt.retry_after_s is not None:
            wait_s = max(wait_s, min(attempt.retry_after_s, _MAX_RETRY_AFTER_S))
        if age_s + wait_s > self.max_age_s:
            return Decision(state="given_up")
        return Decision(state="waiting", retry_after_s=wait_s)


def next_tick(now_s: float, period_s: int) -> float:
    """The next moment aligned to ``period_s`` (a multiple of it since the epoch) strictly after ``now_s``."""
    return (now_s // period_s + 1) * period_s
