"""Two who run into each other are told; what only looks like it in the boxes is not."""

from collections.abc import Callable, Iterable
from types import SimpleNamespace

import numpy as np
import pytest

from tests.traffic.events.scripted import CAR, Player, Script, Seen, region, road
from traffic.events.impacts import Shock, measure_turn
from traffic.facts import EventKind

CRASH_S = 3.0
Way = Callable[[float], tuple[float, float]]


def bounce(x_m: float, y_m: float, before: tuple[float, float], after: tuple[float, float], rest_s: float = 9.0) -> Way:
    """At ``x_m``, ``y_m`` at the crash; its velocity changes there, and it stands from ``rest_s`` on."""

    def at(time_s: float) -> tuple[float, float]:
        passed = min(time_s, rest_s) - CRASH_S
        vx, vy = before if passed < 0 else after
        return x_m + vx * passed, y_m + vy * passed

    return at


def both(one: Way, two: Way) -> Script:
    """Two cars."""

    def script(time_s: float) -> Iterable[Seen]:
        for number, way in enumerate((one, two), 1):
            yield (number, CAR, *way(time_s))

    return script


def kinds(script: Script, seconds: float = 8.0) -> list[EventKind]:
    """What is raised of a junction without lanes."""
    scene = road(regions=[region(1, "roadway", 0, 0, 40, 100)])
    player = Player(scene, fps=10.0).play(script, seconds)
    return [fact.kind for fact in player.facts if fact.kind is EventKind.ACCIDENT]


def test_two_who_throw_each_other_aside_have_collided_though_nobody_stands() -> None:
    hit, cut = bounce(20, 40, (0, 12), (4, 2)), bounce(18.6, 41, (8, 0), (-3, 4))
    assert kinds(both(hit, cut), 6.5)[:1] == [EventKind.ACCIDENT]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (bounce(20, 40, (0, 12), (0, 12)), bounce(18, 41, (8, 0), (8, 0))),  # one hides the other in passing
        (bounce(20, 40, (0, 12), (0, 1)), bounce(20, 45, (0, 6), (0, 0))),  # a queue
        (bounce(20, 40, (0, 12), (-2, 10)), bounce(18, 41, (8, 0), (8, 0))),  # one swerves, the other drives on
        (bounce(20, 40, (0, 10), (-6, 6)), bounce(17, 40, (0, 10), (6, 6))),  # boxes that become one pull together
    ],
)
def test_what_ordinary_traffic_does_is_no_collision(one: Way, two: Way) -> None:
    assert kinds(both(one, two)) == []


def turned(wide: float, tall: float, *, free: bool = True) -> float:
    """A box of 0.04 x 0.05 until a shock at 5 s, then of another shape."""
    times = np.arange(3.0, 8.0, 0.2)
    boxes = np.zeros((len(times), 4))
    boxes[:, 2:] = np.where(times[:, None] < 5.0, (0.04, 0.05), (wide, tall))
    movers = SimpleNamespace(times=times[None], boxes=boxes[None], free=np.full((1, len(times)), free))
    shock = Shock(5.0, 10.0, 9.0, 9.0, 0.5, (0.0, 1.0))
    return measure_turn(SimpleNamespace(rows=np.array([0]), movers=movers), 0, shock)  # type: ignore[arg-type]


def test_a_vehicle_that_stands_across_has_been_turned() -> None:
    assert turned(0.07, 0.045) == 1.0


def test_neither_perspective_nor_a_hidden_side_nor_a_hidden_foot_is_a_turn() -> None:
    assert turned(0.035, 0.041) == 0.0
    assert turned(0.02, 0.05) == 0.0
    assert turned(0.04, 0.02, free=False) == 0.0
