"""Every vehicle is counted exactly once, in its lane, when it crosses in the direction of travel."""

import math
from collections.abc import Iterable

import numpy as np
import pytest

from tests.traffic.passages.scripted import FRAME, START_S, lane, play, seconds, track
from traffic.facts import Heading, Turn
from traffic.passages import PassageAnalyzer, PassageConfig
from traffic.scene.model import Scene
from traffic.types import ObjectClass, Track, TrackState

TWO_LANES = Scene(lanes=(lane(1, 0.2, 0.5), lane(2, 0.5, 0.8, turn=Turn.LEFT)))


def drive(number: int, time_s: float, x: float = 350.0, begin: float = 300.0, speed: float = 200.0) -> Track:
    return track(number, time_s, x, begin + speed * time_s, velocity=(0.0, speed), first_s=-1.0 if time_s < 0 else 0.0)


def test_a_crossing_is_counted_once_with_its_time_between_the_frames() -> None:
    stated = play(PassageAnalyzer(TWO_LANES), lambda t: [drive(1, t)], seconds(3.0, fps=7))
    assert [p.road_num for p in stated] == [1]
    assert stated[0].time_s - START_S == pytest.approx(2.0, abs=1e-3)
    assert stated[0].frame_size == FRAME
    assert stated[0].running_time_s == pytest.approx(1.5, abs=1e-3)
    assert stated[0].heading is Heading.FRONT
    assert stated[0].road_name == "lane 1"
    assert not stated[0].late


def test_without_calibration_nothing_metric_is_stated_but_headways_are() -> None:
    def script(t: float) -> Iterable[Track]:
        return [drive(1, t), drive(2, t, begin=100.0)]

    first, second = play(PassageAnalyzer(TWO_LANES), script, seconds(4.0))
    assert first.speed_kmh is None
    assert second.spacing_m is None
    assert second.length_m is None
    assert first.time_headway_s is None
    assert second.time_headway_s == pytest.approx(1.0, abs=0.01)


def test_lanes_have_their_own_headways_and_turns() -> None:
    def script(t: float) -> Iterable[Track]:
        return [drive(1, t), drive(2, t, x=650.0, begin=100.0)]

    first, second = play(PassageAnalyzer(TWO_LANES), script, seconds(4.0))
    assert (first.road_num, second.road_num) == (1, 2)
    assert second.time_headway_s is None
    assert (first.turn, second.turn) == (Turn.STRAIGHT, Turn.LEFT)


def test_a_vehicle_standing_on_the_line_counts_once_however_its_box_jitters() -> None:
    random = np.random.default_rng(3)

    def script(t: float) -> Iterable[Track]:
        y = min(300 + 200 * t, 700) if t < 20 else 700 + 200 * (t - 20)
        return [track(1, t, 350, y + random.normal(0, 2.5))]

    assert len(play(PassageAnalyzer(TWO_LANES), script, seconds(21.0, fps=25))) == 1


def test_a_vehicle_first_seen_beyond_the_line_is_not_counted() -> None:
    assert not play(PassageAnalyzer(TWO_LANES), lambda t: [drive(1, t, begin=720.0, speed=60.0)], seconds(2.0))


def test_reversing_over_the_line_and_driving_against_the_lane_are_not_counted() -> None:
    assert not play(PassageAnalyzer(TWO_LANES), lambda t: [drive(1, t, begin=900.0, speed=-200.0)], seconds(3.0))

    def shunting(t: float) -> Iterable[Track]:
        return [track(1, t, 350, 700 + 150 * math.cos(t) * -1)]

    assert len(play(PassageAnalyzer(TWO_LANES), shunting, seconds(19.0))) == 1


def test_traffic_that_cuts_across_the_lane_is_not_counted() -> None:
    assert not play(PassageAnalyzer(TWO_LANES), lambda t: [track(1, t, 100 + 300 * t, 690 + 10 * t)], seconds(2.5))


def test_a_vehicle_that_changes_lane_on_the_line_counts_once() -> None:
    staggered = Scene(lanes=(lane(1, 0.2, 0.5, 0.66), lane(2, 0.5, 0.8, 0.72)))

    def script(t: float) -> Iterable[Track]:
        return [track(1, t, 400 + 60 * t, 300 + 200 * t)]

    stated = play(PassageAnalyzer(staggered), script, seconds(3.0))
    assert [p.road_num for p in stated] == [2] or [p.road_num for p in stated] == [1]


def test_successive_lines_far_apart_each_count() -> None:
    ahead, later = lane(1, 0.2, 0.5, 0.25), lane(2, 0.2, 0.5, 0.85)
    stated = play(PassageAnalyzer(Scene(lanes=(ahead, later))), lambda t: [drive(1, t, begin=150.0)], seconds(4.0))
    assert [p.road_num for p in stated] == [1, 2]


@pytest.mark.parametrize("kind", [ObjectClass.PERSON, ObjectClass.BICYCLE])
def test_only_counted_classes_count(kind: ObjectClass) -> None:
    def script(t: float) -> Iterable[Track]:
        return [track(1, t, 350, 300 + 200 * t, object_class=kind)]

    assert not play(PassageAnalyzer(TWO_LANES), script, seconds(3.0))


def test_persons_never_count_even_when_a_scene_asks_for_them() -> None:
    scene = Scene(lanes=TWO_LANES.lanes, counted_classes=frozenset({ObjectClass.PERSON, ObjectClass.BICYCLE}))

    def script(t: float) -> Iterable[Track]:
        kinds = (ObjectClass.PERSON, ObjectClass.BICYCLE)
        return [track(k, t, 350 + 300 * k, 300 + 200 * t, object_class=kinds[k]) for k in (0, 1)]

    assert [p.object_class for p in play(PassageAnalyzer(scene), script, seconds(3.0))] == [ObjectClass.BICYCLE]


def test_static_false_positives_on_the_line_do_not_count() -> None:
    random = np.random.default_rng(5)

    def script(t: float) -> Iterable[Track]:
        return [track(1, t, 350, 700 + random.normal(0, 8), moved=False)]

    assert not play(PassageAnalyzer(TWO_LANES), script, seconds(10.0))


def lost(number: int, time_s: float, since_s: float) -> Track:
    last = drive(number, since_s)
    state = TrackState.LOST if time_s - since_s <= 1.6 else TrackState.DELETED
    y = last.box[3] + 200 * (time_s - since_s)
    return track(number, time_s, 350, y, state=state, unseen_s=time_s - since_s, velocity=(0, 200))


def test_a_track_lost_before_the_line_and_found_again_beyond_counts_once_when_it_crossed() -> None:
    def script(t: float) -> Iterable[Track]:
        return [lost(1, t, 1.6)] if 1.6 < t < 2.4 else [drive(1, t)]

    stated = play(PassageAnalyzer(TWO_LANES), script, seconds(4.0))
    assert [p.time_s - START_S for p in stated] == [pytest.approx(2.0, abs=0.01)]


def test_a_new_track_born_beyond_the_line_where_a_lost_one_would_be_is_that_vehicle() -> None:
    def script(t: float) -> Iterable[Track]:
        if t <= 1.6:
            return [drive(1, t)]
        fresh = [track(2, t, 352, 300 + 200 * t, first_s=2.2, velocity=(0, 200))] if t >= 2.3 else []
        return [*fresh, *([lost(1, t, 1.6)] if t < 3.3 else [])]

    stated = play(PassageAnalyzer(TWO_LANES), script, seconds(4.0))
    assert [(p.track_id, p.time_s - START_S) for p in stated] == [(2, pytest.approx(2.0, abs=0.05))]


@pytest.mark.parametrize("switch_s", [1.7, 1.9, 2.0, 2.1, 2.3])
def test_a_track_that_breaks_near_the_line_counts_once(switch_s: float) -> None:
    def script(t: float) -> Iterable[Track]:
        if t <= switch_s:
            return [drive(1, t)]
        fresh = [track(2, t, 350, 300 + 200 * t, first_s=switch_s + 0.1, velocity=(0, 200))] if t > switch_s + 0.25 else []
        ghost = [lost(1, t, switch_s)] if t < switch_s + 1.75 else []
        return [*ghost, *fresh]

    assert len(play(PassageAnalyzer(TWO_LANES), script, seconds(5.0))) == 1


def test_two_tracks_on_one_vehicle_count_once() -> None:
    def script(t: float) -> Iterable[Track]:
        return [drive(1, t), track(2, t, 356, 296 + 200 * t, size=(84, 66))]

    assert len(play(PassageAnalyzer(TWO_LANES), script, seconds(3.0))) == 1


def test_two_vehicles_close_behind_each_other_count_twice() -> None:
    def script(t: float) -> Iterable[Track]:
        return [drive(1, t), drive(2, t, begin=225.0)]

    assert len(play(PassageAnalyzer(TWO_LANES), script, seconds(4.0))) == 2


@pytest.mark.parametrize(("since_s", "count"), [(1.9, 1), (0.9, 0)])
def test_a_track_that_ends_before_the_line_counts_only_just_before_it(since_s: float, count: int) -> None:
    def script(t: float) -> Iterable[Track]:
        if t <= since_s:
            return [drive(1, t)]
        return [lost(1, t, since_s)] if t < since_s + 1.75 else []

    analyzer = PassageAnalyzer(TWO_LANES)
    stated = play(analyzer, script, seconds(5.0))
    assert len(stated) == count
    assert all(p.late and p.time_s - START_S == pytest.approx(2.0, abs=0.02) for p in stated)
    assert not analyzer.finish()


def test_a_line_at_the_picture_s_border_counts_boxes_that_the_border_cuts() -> None:
    scene = Scene(lanes=(lane(1, 0.2, 0.5, 0.985),))

    def script(t: float) -> Iterable[Track]:
        y = 300 + 200 * t
        cut = track(1, t, 350, min(y, 1000.0), size=(80, 60 - max(y - 1000, 0)))
        return [cut] if y < 1050 else []

    assert len(play(PassageAnalyzer(scene), script, seconds(4.0))) == 1


def test_a_vehicle_confirmed_only_beyond_the_line_but_first_seen_before_it_counts() -> None:
    def script(t: float) -> Iterable[Track]:
        return [track(1, t, 350, 300 + 400 * t, first_s=0.6, velocity=(0, 400))] if t >= 1.2 else []

    assert len(play(PassageAnalyzer(TWO_LANES), script, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6])) == 1


def test_no_headway_across_an_observation_gap() -> None:
    def script(t: float) -> Iterable[Track]:
        return [drive(1, t)] if t < 5 else [drive(2, t, begin=300 - 200 * 9.0)]

    times = [*seconds(3.0), *[9 + t for t in seconds(3.0)]]
    stated = play(PassageAnalyzer(TWO_LANES), script, times)
    assert [p.time_headway_s for p in stated] == [None, None]
    patient = play(PassageAnalyzer(TWO_LANES, PassageConfig(gap_s=10.0)), script, times)
    assert patient[1].time_headway_s == pytest.approx(9.0, abs=0.01)


def test_lane_of_follows_the_vehicle_but_not_its_jitter() -> None:
    analyzer = PassageAnalyzer(TWO_LANES)
    seen = []
    for t in seconds(4.0):
        x = 480 if t < 1 else (515 if t < 1.15 else 480 if t < 2 else 620)
        analyzer.update(START_S + t, FRAME, (track(1, t, x, 300 + 50 * t),))
        seen.append(analyzer.lane_of(track(1, 0, 0, 0).track_id))
    assert set(seen[:20]) == {1}
    assert seen[-1] == 2
    assert analyzer.lane_of(track(77, 0, 0, 0).track_id) == 0


def test_a_change_of_resolution_in_mid_stream_does_not_lose_a_vehicle() -> None:
    analyzer = PassageAnalyzer(TWO_LANES)
    stated = []
    for t in seconds(3.0):
        size = (1000, 1000) if t < 1.5 else (500, 500)
        scale = size[0] / 1000
        moving = track(1, t, 350 * scale, (300 + 200 * t) * scale, size=(80 * scale, 60 * scale))
        stated += analyzer.update(START_S + t, size, (moving,))
    assert [p.road_num for p in stated] == [1]


def test_state_stays_bounded() -> None:
    analyzer = PassageAnalyzer(None)
    for index in range(3000):
        t = index / 10
        moving = track(1 + index // 10, t, 350, 100 + 80 * (index % 10))
        ended = [track(index // 10, t, 350, 900, state=TrackState.DELETED)] if index % 10 == 0 and index else []
        analyzer.update(START_S + t, FRAME, (moving, *ended))
    assert len(analyzer._vehicles) < 5
    assert len(analyzer._ended) <= 64


def test_a_tall_vehicle_straight_ahead_counts_though_its_track_is_not_called_moved() -> None:
    def script(t: float) -> Iterable[Track]:
        grown = 20 + 200 * t
        return [track(1, t, 350, 150 + 200 * t, size=(grown * 0.6, grown), moved=False)]

    assert len(play(PassageAnalyzer(TWO_LANES), script, seconds(3.5))) == 1


def test_a_crossing_waits_for_the_proof_that_the_vehicle_moves() -> None:
    def script(t: float) -> Iterable[Track]:
        return [track(1, t, 350, 690 + 60 * t, moved=t > 0.9)]

    stated = play(PassageAnalyzer(TWO_LANES), script, seconds(2.0))
    assert [p.time_s - START_S for p in stated] == [pytest.approx(10 / 60, abs=0.01)]


def test_a_parked_vehicle_half_hidden_for_a_moment_at_the_line_does_not_count() -> None:
    def script(t: float) -> Iterable[Track]:
        return [track(1, t, 350, 680 if 2 < t < 3 else 715, moved=False)]

    assert not play(PassageAnalyzer(TWO_LANES), script, seconds(10.0))


def test_a_lost_track_that_comes_back_on_the_next_vehicle_does_not_swallow_it() -> None:
    def script(t: float) -> Iterable[Track]:
        if t <= 3.0:
            return [drive(1, t)]
        if t < 4.2:
            return [lost(1, t, 3.0)]
        return [track(1, t, 352, 300 + 200 * (t - 3.2), velocity=(0, 200))]

    stated = play(PassageAnalyzer(TWO_LANES), script, seconds(7.0))
    assert [p.time_s - START_S for p in stated] == [pytest.approx(2.0, abs=0.01), pytest.approx(5.2, abs=0.01)]


def test_a_lost_track_that_comes_back_on_a_vehicle_going_the_other_way_is_a_new_vehicle() -> None:
    """An oncoming vehicle leaves the picture beside the place where others enter it."""
    both_ways = Scene(lanes=(lane(1, 0.2, 0.5), lane(2, 0.2, 0.5, down=False)))
    analyzer = PassageAnalyzer(both_ways)

    def script(t: float) -> Iterable[Track]:
        if t <= 2.9:
            return [drive(1, t)]
        if t < 3.9:
            return [lost(1, t, 2.9)]
        return [track(1, t, 360, 935 - 200 * (t - 3.9), velocity=(0, -200), size=(160.0, 120.0))]

    stated, renewed = [], {}
    for time_s in seconds(6.5):
        stated += analyzer.update(START_S + time_s, FRAME, tuple(script(time_s)))
        renewed |= analyzer.renewed
    assert [p.road_num for p in stated] == [1, 2]
    assert list(renewed.values()) == [pytest.approx(START_S + 3.9)]


@pytest.mark.parametrize(("way", "size"), [(20.0, (160.0, 120.0)), (200.0, (60.0, 45.0))])
def test_a_box_that_jitters_or_is_far_away_has_not_turned(way: float, size: tuple[float, float]) -> None:
    analyzer = PassageAnalyzer(Scene(lanes=(lane(1, 0.2, 0.5), lane(2, 0.2, 0.5, down=False))))
    for time_s in seconds(6.5):
        if time_s <= 2.9:
            seen = drive(1, time_s)
        elif time_s < 3.9:
            seen = lost(1, time_s, 2.9)
        else:
            seen = track(1, time_s, 360, 935 - way * (time_s - 3.9), velocity=(0, -way), size=size)
        analyzer.update(START_S + time_s, FRAME, (seen,))
        assert not analyzer.renewed


def test_a_track_that_comes_back_on_its_way_is_the_same_vehicle() -> None:
    analyzer = PassageAnalyzer(TWO_LANES)

    def script(t: float) -> Iterable[Track]:
        return [lost(1, t, 0.9)] if 0.9 < t < 1.9 else [drive(1, t)]

    for time_s in seconds(4.0):
        analyzer.update(START_S + time_s, FRAME, tuple(script(time_s)))
        assert not analyzer.renewed


def test_a_vehicle_that_enters_the_picture_does_not_go_on_with_one_that_was_counted_and_lost() -> None:
    def script(t: float) -> Iterable[Track]:
        if t <= 2.5:
            return [track(1, t, 350, 300 + 200 * t, velocity=(0, 200))]
        jumped = [track(1, t, 350, 800 - 300 * (t - 2.5), velocity=(0, -300))] if t <= 3.5 else []
        second = [track(2, t, 350, 230 + 200 * (t - 4.4), first_s=4.4, velocity=(0, 200))] if t >= 4.4 else []
        return [*jumped, *second]

    assert [p.track_id for p in play(PassageAnalyzer(TWO_LANES), script, seconds(8.0))] == [1, 2]


@pytest.mark.parametrize(("best", "count"), [(0.2, 0), (0.3, 1)])
def test_what_was_only_ever_doubtful_near_the_line_has_not_passed_it(best: float, count: int) -> None:
    def script(t: float) -> Iterable[Track]:
        score = 0.9 if t < 0.5 else best if t == 1.5 else 0.15
        return [track(1, t, 350, 300 + 200 * t, velocity=(0, 200), score=score)]

    assert len(play(PassageAnalyzer(TWO_LANES), script, seconds(4.0))) == count
