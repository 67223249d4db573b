"""What follows from an attempt, as a pure decision. The worker carries it out."""

import random
from dataclasses import dataclass

from actors.delivery.ports import DELIVERED, GIVEN_UP, RETRYING, WAITING, Attempt, InterfaceConfig

# Seconds between the attempts, the shape of Standard Webhooks' recommended schedule; the last one repeats.
SCHEDULE_S = (5.0, 30.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 36_000.0, 43_200.0)
JITTER = 0.2
MAX_RETRY_AFTER_S = 86_400.0
SUCCESS_STATUS = 200  # the manual: "200 视为上传成功，其他均视为失败"
GONE = 410
# Answers that say nothing about this body: no answer, timeout, too early, too many, and a gateway without its server.
_NOT_THE_BODY = frozenset({0, 408, 425, 429, 502, 503, 504})
_PAUSING = frozenset({429, 503})


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What follows from an attempt.

    Attributes:
        state: of the delivery from now on (WAITING in its lane, RETRYING out of it, DELIVERED, GIVEN_UP).
        retry_after_s: when it is tried again, in seconds.
        disable: the receiver does not want anything any more.
        pause_s: nothing at all is sent to the receiver for so long.
    """

    state: str
    retry_after_s: float = 0.0
    disable: bool = False
    pause_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryPolicy:
    """The rules.

    Attributes:
        max_age_s: the last attempt is made at this age (75 h).
        schedule_s: waiting time after each failure; the last one repeats. jitter: share by which it is longer or shorter.
        lane_tries: so many failures that say nothing about the body keep a delivery at the head of its lane.
        lane_patience_s: a head that would wait longer than this leaves its lane.
        max_pause_s: a receiver's Retry-After silences it altogether for so long at most.
    """

    max_age_s: float = 75 * 3600.0
    schedule_s: tuple[float, ...] = SCHEDULE_S
    jitter: float = JITTER
    lane_tries: int = 2
    lane_patience_s: float = 60.0
    max_pause_s: float = 300.0

    def succeeded(self, attempt: Attempt, interface: InterfaceConfig) -> bool:
        """Whether the receiver took it: exactly HTTP 200, or any 2xx where the interface says so. A redirect is a failure."""
        return attempt.status == SUCCESS_STATUS or (interface.accept_2xx and 200 <= attempt.status < 300)

    def decide(
        self, attempt: Attempt, number: int, age_s: float, interface: InterfaceConfig, chance: random.Random, in_lane: bool = True
    ) -> Decision:
        """Judge attempt ``number`` (1 for the first) of a delivery that is ``age_s`` old.

        A body that the receiver answered and refused leaves its lane at once, so that it delays no other; a receiver that is
        away for a moment keeps the order.
        """
        if self.succeeded(attempt, interface):
            return Decision(state=DELIVERED)
        if attempt.status == GONE:
            return Decision(state=GIVEN_UP, disable=True)
        if not interface.push_response:
            return Decision(state=GIVEN_UP)
        asked_s = min(attempt.retry_after_s or 0.0, MAX_RETRY_AFTER_S)
        pause_s = min(asked_s, self.max_pause_s) if attempt.status in _PAUSING else 0.0
        wait_s = self.schedule_s[min(number, len(self.schedule_s)) - 1] * (1 + chance.uniform(-self.jitter, self.jitter))
        left_s = self.max_age_s - age_s
        if left_s <= 0 or asked_s > left_s:
            return Decision(state=GIVEN_UP, pause_s=pause_s)
        wait_s = max(min(wait_s, left_s), asked_s)  # the last attempt falls on the age limit itself
        stays = in_lane and attempt.status in _NOT_THE_BODY and number <= self.lane_tries and wait_s <= self.lane_patience_s
        return Decision(state=WAITING if stays else RETRYING, retry_after_s=wait_s, pause_s=pause_s)


def next_tick(now_s: float, period_s: int) -> float:
    """The next moment aligned to ``period_s`` (a multiple of it since the epoch) strictly after ``now_s``."""
    return (now_s // period_s + 1) * period_s
