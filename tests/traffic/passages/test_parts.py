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


def test_a_car_is_not_lost_in_a_box_that_was_around_it_long_ago_and_now_lies_inside_its_own() -> None:
    def script(t: float) -> Iterable[Track]:
        y = 300 + 200 * t
        size, below = ((160.0, 150.0), 10) if t < 0.6 else ((40.0, 40.0), -10)
        standing = track(3, t, 450, 990, object_class=ObjectClass.TRUCK, size=(800, 900), moved=False)
        return [standing, track(1, t, 350, y, velocity=(0, 200)), track(2, t, 350, y + below, size=size, velocity=(0, 200))]

    assert [p.track_id for p in play(PassageAnalyzer(TWO_LANES), script, seconds(4.0))] == [1]


def test_a_track_that_was_part_of_a_lorry_counts_with_the_vehicle_it_goes_over_to() -> None:
    def script(t: float) -> Iterable[Track]:
        if t < 2.6:
            return [lorry(t), track(2, t, 380, 290 + 200 * t, size=(90, 80), velocity=(0, 200))]
        return [lorry(t), track(2, t, 380, 300 + 200 * (t - 2.0), size=(80, 70), velocity=(0, 200))]

    assert [p.track_id for p in play(PassageAnalyzer(TWO_LANES), script, seconds(5.0))] == [1, 2]


def test_the_cab_of_a_lorry_whose_rear_is_still_in_the_next_lane_is_not_counted() -> None:
    scene = Scene(lanes=(lane(1, 0.2, 0.5, 0.4, down=False), lane(2, 0.5, 0.8, 0.4, down=False)))

    def script(t: float) -> Iterable[Track]:
        y = 900 - 100 * t
        rear = track(1, t, 560 - 15 * t, y, object_class=ObjectClass.TRUCK, size=(260, 300), velocity=(-15, -100))
        cab = track(2, t, 480 - 15 * t, y - 200, object_class=ObjectClass.TRUCK, size=(90, 95), velocity=(-15, -100))
        return [rear, cab] if t > 1.7 else [cab]

    assert [p.track_id for p in play(PassageAnalyzer(scene), script, seconds(8.0))] == [1]


def test_a_car_inside_a_box_that_turns_back_before_the_line_counts() -> None:
    def script(t: float) -> Iterable[Track]:
        y = 300 + 200 * t
        bottom, state = y - 2 if t < 2.05 else 698 - 100 * (t - 2.0), TrackState.DELETED if t > 2.95 else TrackState.CONFIRMED
        size = (220.0, 240.0)
        false = track(2, t, 350, bottom, object_class=ObjectClass.TRUCK, size=size, state=state, velocity=(0, -100))
        return [track(1, t, 350, y, velocity=(0, 200)), *([false] if t < 3.05 else [])]

    assert [p.track_id for p in play(PassageAnalyzer(TWO_LANES), script, seconds(5.0))] == [1]


@pytest.mark.parametrize(("size", "count"), [((44.0, 88.0), 1), ((150.0, 110.0), 2)])
def test_a_car_no_larger_than_the_motorcycle_it_lies_on_is_its_rider(size: tuple[float, float], count: int) -> None:
    def script(t: float) -> Iterable[Track]:
        y = 300 + 200 * t
        cycle = track(1, t, 350, y, object_class=ObjectClass.MOTORCYCLE, size=(46, 90), velocity=(0, 200))
        return [cycle, track(2, t, 352, y - (2 if count == 1 else 60), size=size, velocity=(0, 200))]

    stated = play(PassageAnalyzer(TWO_LANES), script, seconds(5.0))
    assert len(stated) == count
    assert ObjectClass.MOTORCYCLE in [p.object_class for p in stated]


def platoon(t: float, *, last: list[Track]) -> list[Track]:
    """Five cars of usual size, each two seconds after the other, then ``last``."""
    return [*(track(10 + n, t, 350, 700 + 200 * (t - 2.0 * n), size=(120, 90), velocity=(0, 200)) for n in range(5)), *last]


def test_the_two_halves_of_a_car_are_one() -> None:
    def script(t: float) -> Iterable[Track]:
        y = 700 + 130 * (t - 11.0)
        rear = track(1, t, 320, y - 50, size=(60, 50), velocity=(0, 130))
        return platoon(t, last=[rear, track(2, t, 380, y, size=(60, 75), velocity=(0, 130))])

    assert len(play(PassageAnalyzer(TWO_LANES), script, seconds(13.0))) == 5  # the first car began on the line


def test_two_cars_behind_each_other_are_no_halves() -> None:
    def script(t: float) -> Iterable[Track]:
        y = 700 + 200 * (t - 11.0)
        rear = track(1, t, 350, y - 110, size=(115, 85), velocity=(0, 200))
        return platoon(t, last=[rear, track(2, t, 350, y, size=(120, 90), velocity=(0, 200))])

    assert len(play(PassageAnalyzer(TWO_LANES), script, seconds(13.0))) == 6


def test_two_cars_side_by_side_count_though_one_of_them_cuts_the_lane() -> None:
    def script(t: float) -> Iterable[Track]:
        return [track(1, t, 280, 300 + 200 * t, velocity=(0, 200)), track(2, t, 440, 280 + 200 * t, velocity=(0, 200))]

    assert len(play(PassageAnalyzer(TWO_LANES), script, seconds(4.0))) == 2
