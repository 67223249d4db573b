"""Whether the one behind can still stop."""

from collections.abc import Iterable

import pytest

from tests.traffic.events.scripted import CAR, Player, Script, Seen, lane, road
from traffic.events.accident import AccidentDetector
from traffic.events.ramming import needed_m_s2
from traffic.facts import EventKind
from traffic.types import ObjectClass

LENGTH_M, X_M = 4.5, 20.0


def test_what_is_needed_is_the_speed_squared_over_twice_the_gap() -> None:
    assert needed_m_s2(10.0, 5.0, 0.0) == pytest.approx(10.0)


@pytest.mark.parametrize(("rate", "gap", "lag_s"), [(4.0, 6.0, 0.3), (7.0, 2.0, 0.4), (9.0, 1.0, 0.2)])
def test_who_brakes_already_has_slowed_since_his_speed_was_measured(rate: float, gap: float, lag_s: float) -> None:
    now = (2 * rate * gap) ** 0.5
    assert needed_m_s2(now + rate * lag_s, gap, lag_s) == pytest.approx(rate)


def test_without_a_gap_nothing_helps_unless_it_has_stopped() -> None:
    assert needed_m_s2(6.0, 0.0, 0.3) == pytest.approx(20.0)


def comes_up(speed: float, rate: float, halts_m: float, aside_m: float = 0.0) -> Script:
    """A car stands at 60 m; another one comes up from 10 m, brakes at ``rate`` and stands with its foot at ``halts_m``.

    ``aside_m``: instead it goes past, so far to the side, without braking.
    """

    def script(time_s: float) -> Iterable[Seen]:
        yield (1, CAR, X_M, 60.0)
        cruise_s = (halts_m - 10.0 - speed * speed / 2 / rate) / speed
        braking_s = min(max(time_s - cruise_s, 0.0), speed / rate)
        y = 10.0 + speed * min(time_s, cruise_s) + speed * braking_s - rate * braking_s**2 / 2
        y = 10.0 + speed * time_s if aside_m else y
        if y < 96:
            yield (2, CAR, X_M + aside_m, y)

    return script


def kinds(script: Script) -> set[EventKind]:
    """What is raised in a road of two lanes."""
    player = Player(road(lane(1, X_M), lane(2, X_M + 4)), fps=10.0).play(script, 14.0)
    return {fact.kind for fact in player.raised()}


def test_who_runs_into_one_that_stands_is_an_accident() -> None:
    assert EventKind.ACCIDENT in kinds(comes_up(15.0, 60.0, 60.0 - LENGTH_M))


@pytest.mark.parametrize("rate", [3.0, 6.0])
def test_who_stops_behind_one_that_stands_is_none(rate: float) -> None:
    assert EventKind.ACCIDENT not in kinds(comes_up(15.0, rate, 60.0 - LENGTH_M - 2.5))


def test_who_goes_past_in_the_next_lane_is_none() -> None:
    assert EventKind.ACCIDENT not in kinds(comes_up(15.0, 6.0, 50.0, aside_m=4.0))


@pytest.mark.parametrize(("aside_m", "certain"), [(0.3, True), (1.3, False)])
def test_a_motorcycle_that_passes_close_by_runs_into_nobody(aside_m: float, certain: bool) -> None:
    """1.3 m beside the middle of the car, which is 1.8 m wide: they do not touch."""

    def passing(time_s: float) -> Iterable[Seen]:
        yield (1, CAR, X_M, 20.0 + 10.0 * time_s)
        yield (2, ObjectClass.MOTORCYCLE, X_M + aside_m, 5.0 + 20.0 * time_s)

    player = Player(road(lane(1, X_M), lane(2, X_M + 4)), fps=10.0).play(passing, 1.3)
    (detector,) = (d for d in player.analyzer._detectors if isinstance(d, AccidentDetector))
    assert bool(detector._doomed) == certain
