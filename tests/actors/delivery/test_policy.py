"""The pure rules: retry schedule, circuit breaker, health of a receiver, signatures, ticks, cutting of arrays."""

import base64
import json
import random
from dataclasses import replace

import pytest

from actors.delivery.bodies import base64_size, cut, fill_pictures
from actors.delivery.breaker import BreakerConfig, CircuitBreaker, Permit
from actors.delivery.health import HealthPolicy, Verdict
from actors.delivery.periods import Ticks, tick_offset_s
from actors.delivery.policy import DeliveryPolicy, next_tick
from actors.delivery.ports import DELIVERED, GIVEN_UP, RETRYING, WAITING, Attempt, InterfaceConfig, ReceiverState
from actors.delivery.sender import retry_after
from actors.delivery.signing import new_secret, sign, signature_header, verify

HOUR, DAY = 3600.0, 86_400.0
FAILED = Attempt(delivery_id="d", at=0.0, status=500, latency_ms=1.0, excerpt="")
RECEIVER = InterfaceConfig(
    interface_id=1, name="r", business_type=21, trigger_condition=2, upload_period_s=60, url="http://r/", upload_pictures=False,
    push_response=True, task_nums=None, headers={},
)  # fmt: skip


def test_the_schedule_is_the_named_one_and_ends_with_an_attempt_at_75_hours() -> None:
    policy, chance, at_s, waits = DeliveryPolicy(jitter=0.0), random.Random(1), 0.0, []
    while (decision := policy.decide(FAILED, len(waits) + 1, at_s, RECEIVER, chance)).state != GIVEN_UP:
        waits.append(decision.retry_after_s)
        at_s += decision.retry_after_s
    assert waits[:8] == [5, 30, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR]
    assert waits[8:-1] == [12 * HOUR] * 3
    assert at_s == 75 * HOUR


def test_jitter_spreads_retries_by_a_fifth_and_no_more() -> None:
    chance = random.Random(7)
    waits = [DeliveryPolicy().decide(FAILED, 3, 0.0, RECEIVER, chance).retry_after_s for _ in range(500)]
    assert 240 <= min(waits) < 255
    assert 345 < max(waits) <= 360


@pytest.mark.parametrize(
    ("status", "strict", "lenient"),
    [(200, True, True), (201, False, True), (204, False, True), (301, False, False), (302, False, False), (0, False, False)],
)
def test_success_is_exactly_200_or_any_2xx_by_option(status: int, strict: bool, lenient: bool) -> None:
    attempt, policy = replace(FAILED, status=status), DeliveryPolicy()
    for interface, expected in ((RECEIVER, strict), (replace(RECEIVER, accept_2xx=True), lenient)):
        decision = policy.decide(attempt, 1, 0.0, interface, random.Random(1))
        assert (decision.state == DELIVERED) is expected


def test_a_refused_body_leaves_its_lane_and_an_absent_receiver_keeps_it_for_a_moment() -> None:
    def state(status: int, number: int, **changes: object) -> str:
        attempt = replace(FAILED, status=status, **changes)
        return DeliveryPolicy(jitter=0.0).decide(attempt, number, 0.0, RECEIVER, random.Random(1)).state

    assert [state(status, 1) for status in (400, 401, 404, 422, 500, 302)] == [RETRYING] * 6
    assert [state(status, 1) for status in (0, 408, 429, 502, 503, 504)] == [WAITING] * 6
    assert [state(0, number) for number in (1, 2, 3)] == [WAITING, WAITING, RETRYING]
    assert state(503, 1, retry_after_s=3600.0) == RETRYING


def test_retry_after_is_honoured_as_seconds_and_as_a_date() -> None:
    assert retry_after("120", 0.0) == 120.0
    assert retry_after("Thu, 01 Jan 1970 00:02:00 GMT", 20.0) == 100.0
    assert retry_after("Thu, 01 Jan 1970 00:00:00 GMT", 20.0) == 0.0
    assert [retry_after(text, 0.0) for text in ("soon", "", None, "-5", "1e9")] == [None] * 5
    asked = replace(FAILED, status=503, retry_after_s=7200.0)
    decision = DeliveryPolicy().decide(asked, 1, 0.0, RECEIVER, random.Random(1))
    assert (decision.retry_after_s, decision.pause_s) == (7200.0, 300.0)
    late = DeliveryPolicy().decide(asked, 1, 74 * HOUR, RECEIVER, random.Random(1))
    assert late.state == GIVEN_UP


def test_410_ends_the_delivery_and_the_interface() -> None:
    for interface in (RECEIVER, replace(RECEIVER, push_response=False)):
        decision = DeliveryPolicy().decide(replace(FAILED, status=410), 1, 0.0, interface, random.Random(1))
        assert (decision.state, decision.disable) == (GIVEN_UP, True)


def failing(breaker: CircuitBreaker, now_s: float, outcomes: str) -> None:
    for outcome in outcomes:
        permit = breaker.acquire(now_s)
        assert permit is not None
        breaker.ended(permit, outcome == "+", now_s)


def test_the_breaker_opens_at_70_percent_of_at_least_ten() -> None:
    breaker = CircuitBreaker()
    failing(breaker, 0.0, "---------")
    assert breaker.state(0.0) == "closed"
    failing(breaker, 0.0, "-")
    assert breaker.state(0.0) == "open"
    almost = CircuitBreaker()
    failing(almost, 0.0, "++++------")
    assert almost.state(0.0) == "closed"
    failing(almost, 0.0, "----")
    assert almost.state(0.0) == "open", "10 of 14 are 71 %"


def test_old_outcomes_do_not_count() -> None:
    breaker = CircuitBreaker(BreakerConfig(window_s=60.0))
    failing(breaker, 0.0, "---------")
    failing(breaker, 60.0, "-")
    assert breaker.state(60.0) == "closed"


def test_half_open_lets_one_probe_through_that_closes_or_opens_for_longer() -> None:
    breaker = CircuitBreaker(BreakerConfig(first_pause_s=5.0, longest_pause_s=60.0))
    failing(breaker, 0.0, "-" * 10)
    assert breaker.acquire(4.9) is None
    assert breaker.acquire(5.0) is Permit.PROBE
    assert breaker.acquire(5.0) is None, "one at a time"
    breaker.ended(Permit.PROBE, False, 6.0)
    assert (breaker.state(15.9), breaker.state(16.0)) == ("open", "half_open")
    for _ in range(10):
        now_s = breaker.wakes_at(0.0)
        assert breaker.acquire(now_s) is Permit.PROBE
        breaker.ended(Permit.PROBE, False, now_s)
    assert breaker.wakes_at(0.0) - now_s == 60.0
    now_s = breaker.wakes_at(0.0)
    assert breaker.acquire(now_s) is Permit.PROBE
    breaker.ended(Permit.PROBE, True, now_s)
    assert breaker.state(now_s) == "closed"
    failing(breaker, now_s, "-" * 9)
    assert breaker.state(now_s) == "closed", "the failures before are forgotten"


def test_a_cancelled_probe_makes_room_for_the_next() -> None:
    breaker = CircuitBreaker()
    failing(breaker, 0.0, "-" * 10)
    assert breaker.acquire(5.0) is Permit.PROBE
    breaker.cancelled(Permit.PROBE)
    assert breaker.acquire(5.0) is Permit.PROBE


def test_what_was_under_way_when_it_opened_neither_closes_it_nor_keeps_it_open() -> None:
    breaker = CircuitBreaker()
    late = [breaker.acquire(0.0) for _ in range(2)]
    failing(breaker, 0.0, "-" * 10)
    breaker.ended(late[0], False, 3.0)
    breaker.ended(late[1], True, 3.0)
    assert (breaker.state(4.9), breaker.state(5.0)) == ("open", "half_open")


def test_a_receiver_is_disabled_after_five_days_of_failure_with_a_notice_before() -> None:
    policy, state, seen = HealthPolicy(), ReceiverState(), {}
    at_s = 1000.0
    while at_s < 1000.0 + 6 * DAY:
        state, verdict = policy.after_failure(state, at_s)
        seen.setdefault(verdict, at_s - 1000.0)
        at_s += 6 * HOUR
    assert seen[Verdict.NOTICE] == 4 * DAY
    assert seen[Verdict.DISABLE] == 5 * DAY


def test_sporadic_failures_never_disable() -> None:
    policy, state = HealthPolicy(), ReceiverState()
    for day in range(60):
        for hour in range(23):  # failing all day long, one success each night
            state, verdict = policy.after_failure(state, day * DAY + hour * HOUR + 1)
            assert verdict is Verdict.NOTHING
        state = policy.after_success(state, day * DAY + 23.5 * HOUR)
    rare = ReceiverState()
    for week in range(60):  # a receiver that is hardly used, and fails each time
        rare, verdict = policy.after_failure(rare, week * 7 * DAY + 1)
        assert verdict is Verdict.NOTHING
    few = ReceiverState()
    for day in range(8):
        few, verdict = policy.after_failure(few, day * DAY + 1)
        assert verdict is Verdict.NOTHING


def test_a_success_is_written_down_at_most_once_a_minute() -> None:
    policy = HealthPolicy()
    first = policy.after_success(ReceiverState(), 100.0)
    assert first.last_success_at == 100.0
    assert policy.after_success(first, 130.0) is first


def test_the_signature_is_the_one_of_the_standard() -> None:
    # The published test vector of the Standard Webhooks libraries (github.com/standard-webhooks/standard-webhooks).
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == expected


def test_two_secrets_sign_during_a_rotation_and_either_verifies() -> None:
    old, new = new_secret(), new_secret()
    active = ((new, float("inf")), (old, 1000.0))
    header = signature_header(active, "id", 1000, b"body")
    assert len(header.split(" ")) == 2
    assert verify(old, header, "id", 1000, b"body")
    assert verify(new, header, "id", 1000, b"body")
    assert not verify(new, header, "id", 1000, b"other")
    assert not verify(new_secret(), header, "id", 1000, b"body")
    after = signature_header(active, "id", 1001, b"body")
    assert verify(new, after, "id", 1001, b"body")
    assert not verify(old, after, "id", 1001, b"body")


def test_ticks_are_aligned_and_strictly_later() -> None:
    assert next_tick(100.0, 10) == 110.0
    assert next_tick(109.9, 10) == 110.0


def test_measured_periods_are_composed_when_their_last_second_has_come_in() -> None:
    assert [tick_offset_s(kind) for kind in (11, 21, 22, 41, 52)] == [0.0, 0.0, 3.0, 3.0, 0.0]
    now = [1000.5]
    ticks = Ticks(period_s=10, clock=lambda: now[0], offset_s=3.0)
    assert ticks.due_at == 1003.0, "the period that closed at 1000 is still to be sent"
    now[0] = 1003.2
    assert ticks.due()
    ticks.advance()
    assert ticks.due_at == 1013.0
    now[0] = 1001.0
    assert not ticks.due()
    assert ticks.due_at == 1003.0, "a clock that is set back delays by one period at most"


def test_a_clock_that_is_set_back_delays_a_tick_by_one_period_at_most() -> None:
    now = [100_000.0]
    ticks = Ticks(period_s=10, clock=lambda: now[0])
    first = ticks.name
    now[0] = 100_010.0
    assert ticks.due()
    ticks.advance()
    now[0] -= 3600
    assert not ticks.due()
    now[0] += 10
    assert ticks.due()
    now[0] = 100_000.0
    ticks.advance()
    assert ticks.due_at == 100_010.0
    assert ticks.name != first, "the same moment again is another period"


def test_an_array_is_cut_by_number_and_by_length() -> None:
    assert list(cut([], 3, 100)) == []
    assert list(cut([10] * 7, 3, 1000)) == [range(3), range(3, 6), range(6, 7)]
    assert list(cut([40, 40, 40], 10, 85)) == [range(2), range(2, 3)]
    assert list(cut([10, 500, 10], 10, 100)) == [range(1), range(1, 2), range(2, 3)]


def test_cut_arrays_hold_every_element_once_and_keep_the_limit() -> None:
    chance = random.Random(3)
    for _ in range(200):
        sizes = [chance.randrange(1, 60) for _ in range(chance.randrange(40))]
        parts = list(cut(sizes, 7, 100))
        assert [i for part in parts for i in part] == list(range(len(sizes)))
        assert all(len(part) <= 7 and 1 + sum(sizes[i] + 1 for i in part) <= 100 for part in parts)


def test_pictures_keep_the_place_of_their_field_and_a_bound() -> None:
    body, picture = b'{"a":1,"imgBase64":"","b":2}', b"p" * 300
    filled = fill_pictures(body, '{"imgBase64":"x"}', lambda _: picture, 1000)
    assert filled == b'{"a":1,"imgBase64":"' + base64.b64encode(picture) + b'","b":2}'
    assert json.loads(fill_pictures(body, '{"imgBase64":"x"}', lambda _: picture, 200)) == {"a": 1, "imgBase64": "", "b": 2}
    assert [base64_size(n) for n in (0, 1, 3, 4)] == [0, 4, 4, 8]
