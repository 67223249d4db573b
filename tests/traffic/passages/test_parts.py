"""A second box on part of a vehicle is no second vehicle; a car beside or before a lorry is one."""

from collections.abc import Iterable

import pytest

from tests.traffic.passages.scripted import START_S, lane, play, seconds, track
from traffic.passages import PassageAnalyzer
from traffic.scene.model import Scene
from traffic.types import ObjectClass, Track, TrackState

TWO_LANES = Scene(lanes=(lane(1, 0.2, 0.5), lane(2, 0.5, 0.8)))
LORRY_PX = (200.0, 260.0)


def lorry(t: float, number: int = 1) -> Track:
    return track(number, t, 350, 300 + 200 * t, object_class=ObjectClass.TRUCK, size=LORRY_PX, velocity=(0, 200))


def test_the_cab_of_a_lorry_is_not_counted_beside_it() -> None:
    def script(t: float) -> Iterable[Track]:
        cab = track(2, t, 380, 300 + 200 * t - 120, size=(90, 80), velocity=(0, 200))
        return [lorry(t), cab]

    stated = play(PassageAnalyzer(TWO_LANES), script, seconds(5.0))
    assert [(p.track_id, p.object_class) for p in stated] == [(1, ObjectClass.TRUCK)]


def test_the_cab_is_not_counted_when_the_lorry_has_two_tracks_in_turn() -> None:
    def script(t: float) -> Iterable[Track]:
        cab = track(3, t, 380, 300 + 200 * t + 2, size=(90, 80), velocity=(0, 200))
        return [lorry(t, 1 if t < 1.0 else 2), cab]

    assert len(play(PassageAnalyzer(TWO_LANES), script, seconds(5.0))) == 1


def test_a_car_on_its_own_wheels_before_a_lorry_in_the_next_lane_counts() -> None:
    def script(t: float) -> Iterable[Track]:
        car = track(2, t, 560, 300 + 200 * t + 30, size=(60, 50), velocity=(0, 200))
        wide = track(1, t, 450, 300 + 200 * t, object_class=ObjectClass.TRUCK, size=(300, 260), velocity=(0, 200))
        return [wide, car]

    stated = play(PassageAnalyzer(TWO_LANES), script, seconds(5.0))
    assert sorted(p.track_id for p in stated) == [1, 2]


def test_a_car_that_passes_behind_a_lorry_counts_when_it_has_come_out() -> None:
    def script(t: float) -> Iterable[Track]:
        y = 300 + 200 * t
        car = track(2, t, 560, 240 + 230 * t, size=(60, 50), velocity=(0, 230))
        wide = track(1, t, 450, y if t > 0.8 else -50, object_class=ObjectClass.TRUCK, size=(300, 260), velocity=(0, 200))
        return [wide, car]

    stated = play(PassageAnalyzer(TWO_LANES), script, seconds(5.0))
    assert 2 in [p.track_id for p in stated]


def test_a_rider_and_a_car_are_different_groups() -> None:
    def script(t: float) -> Iterable[Track]:
        rider = track(2, t, 380, 290 + 200 * t, object_class=ObjectClass.MOTORCYCLE, size=(40, 70), velocity=(0, 200))
        return [lorry(t), rider]

    assert len(play(PassageAnalyzer(TWO_LANES), script, seconds(5.0))) == 2


def test_a_second_box_of_a_motorcycle_that_is_lost_before_the_line_is_not_carried_over_it() -> None:
    size = (40.0, 80.0)

    def script(t: float) -> Iterable[Track]:
        y = 300 + 200 * t
        first = track(1, t, 350, y, object_class=ObjectClass.MOTORCYCLE, size=size, velocity=(0, 200))
        if t <= 1.5:
            return [first, track(2, t, 353, y - 8, object_class=ObjectClass.MOTORCYCLE, size=(36, 76), velocity=(0, 260))]
        state = TrackState.LOST if t < 2.0 else TrackState.DELETED
        gone = track(
            2, t, 353, 600, object_class=ObjectClass.MOTORCYCLE, size=size, velocity=(0, 260), state=state, unseen_s=t - 1.5
        )
        return [first, gone] if t <= 2.0 else [first]

    stated = play(PassageAnalyzer(TWO_LANES), script, seconds(5.0))
    assert len(stated) == 1


def test_what_has_not_reached_the_line_when_the_source_ends_has_not_passed_it() -> None:
    analyzer = PassageAnalyzer(TWO_LANES)
    stated = play(analyzer, lambda t: [track(1, t, 350, 300 + 200 * t, velocity=(0, 200))], seconds(1.9))
    assert [*stated, *analyzer.finish()] == []
    reached = PassageAnalyzer(TWO_LANES)
    stated = play(reached, lambda t: [track(1, t, 350, 300 + 200 * t, velocity=(0, 200))], seconds(2.1))
    assert [p.time_s - START_S for p in (*stated, *reached.finish())] == [pytest.approx(2.0, abs=0.01)]


def test_a_car_inside_a_large_false_box_that_stands_counts() -> None:
    def script(t: float) -> Iterable[Track]:
        standing = track(1, t, 450, 990, object_class=ObjectClass.TRUCK, size=(800, 900), moved=False)
        moving_once = track(3, t, 450, 980, object_class=ObjectClass.TRUCK, size=(780, 880))
        return [standing, moving_once, track(2, t, 350, 300 + 200 * t, velocity=(0, 200))]

    assert [p.track_id for p in play(PassageAnalyzer(TWO_LANES), script, seconds(4.0))] == [2]
