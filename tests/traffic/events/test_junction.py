"""Vehicles that stand in a junction box."""

import pytest

from tests.traffic.events.scripted import CAR, Player, Seen, lane, region, road
from traffic.facts import EventKind


@pytest.mark.parametrize(("out_ticks", "told"), [(0, 1), (2, 1), (12, 0)])
def test_a_place_that_jitters_does_not_end_the_wait(out_ticks: int, told: int) -> None:
    """Two cars come from 10 m on and stand, one in the box and one beyond it; every four seconds the latter is found aside for so
    many ticks."""

    def script(time_s: float) -> list[Seen]:
        gone = min(10 * time_s, 50.0)
        tick = round(time_s * 5)
        aside = 3.5 if time_s > 8 and tick % 20 < out_ticks else 0.0
        return [(1, CAR, 10.0, gone), (2, CAR, 10.0 + aside, gone + 7.5)]

    scene = road(lane(1, 20), regions=[region(1, "junction_box", 2, 40, 18, 56)])
    assert len(Player(scene).play(script, 30).raised(EventKind.JUNCTION_OVERFLOW)) == told
