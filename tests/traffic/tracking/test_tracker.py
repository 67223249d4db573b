"""The tracker's contract: states, ids, times, and what it does with nonsense."""

import math

import numpy as np
import pytest

from tests.traffic.tracking.scripted import START_S, detections, follow, on_road, times
from traffic.tracking import PRESETS, Tracker
from traffic.types import Detections, ObjectClass, TrackState


@pytest.fixture(params=sorted(PRESETS))
def tracker(request: pytest.FixtureRequest) -> Tracker:
    return Tracker(PRESETS[request.param])


def test_a_track_is_confirmed_lost_and_deleted_exactly_once(tracker: Tracker) -> None:
    def script(time_s: float) -> list:  # type: ignore[type-arg]
        return [on_road("car", 60.0 - 10.0 * time_s)] if time_s < 2.0 else []

    followed = follow(tracker, script, times(12.0, 10.0))
    states = [tracks[0].state for tracks in followed.frames if tracks]
    assert len(followed.all_ids) == 1
    assert states[0] is TrackState.CONFIRMED
    assert TrackState.LOST in states
    assert states.count(TrackState.DELETED) == 1
    assert states[-1] is TrackState.DELETED
    order = [TrackState.CONFIRMED, TrackState.LOST, TrackState.DELETED]
    assert states == sorted(states, key=order.index)


def test_a_confirmed_track_tells_speed_hits_and_the_detection_it_was_given(tracker: Tracker) -> None:
    speed = 60.0
    boxes = [np.array([[100 + speed * t, 200, 180 + speed * t, 260]], np.float32) for t in times(3.0, 10.0)]
    for index, box in enumerate(boxes):
        tracks = tracker.update(
            START_S + index / 10,
            Detections(boxes=box, scores=np.array([0.9], np.float32), classes=np.array([ObjectClass.CAR], np.int64)),
        )
    (track,) = tracks
    assert track.velocity == pytest.approx((speed, 0.0), abs=3.0)
    assert track.hits == len(boxes)
    assert track.time_since_update_s == 0.0
    assert track.first_time_s == START_S
    assert track.detection == pytest.approx(tuple(boxes[-1][0]))
    assert track.box == pytest.approx(tuple(boxes[-1][0]), abs=3.0)
    assert track.moved
    assert track.object_class is ObjectClass.CAR
    assert track.class_share == pytest.approx(1.0)


def test_invalid_boxes_are_ignored(tracker: Tracker) -> None:
    nan, inf = math.nan, math.inf
    bad = [(nan, 0, 10, 10), (0, 0, inf, 10), (-inf, 0, inf, 10), (50, 50, 50, 90), (90, 90, 50, 50), (5, 5, 6, 6)]
    for index in range(5):
        assert not tracker.update(
            START_S + index / 10,
            Detections(
                boxes=np.array(bad, np.float32), scores=np.full(len(bad), 0.9, np.float32), classes=np.full(len(bad), 2, np.int64)
            ),
        )


def test_nothing_found_is_no_error_and_a_single_doubtful_detection_starts_nothing(tracker: Tracker) -> None:
    assert tracker.update(START_S, Detections.empty()) == ()
    for index in range(10):
        assert tracker.update(START_S + 1 + index / 10, detections([on_road("car", 50.0, score=0.3)])) == ()


def test_a_late_frame_says_nothing_and_an_old_one_starts_a_new_stream(tracker: Tracker) -> None:
    def see(time_s: float) -> tuple:  # type: ignore[type-arg]
        return tracker.update(START_S + time_s, detections([on_road("car", 50.0)]))

    for index in range(8):
        before = see(100 + index / 10)
    assert see(99.0) == ()
    (same,) = see(100.9)
    assert same.track_id == before[0].track_id
    ended = [track.track_id for track in see(10.0) if track.state is TrackState.DELETED]
    assert ended == [same.track_id]
    for index in range(1, 8):
        after = see(10.0 + index / 10)
    assert after[0].track_id > same.track_id


def test_ids_are_not_reused_after_a_reset(tracker: Tracker) -> None:
    first = follow(tracker, lambda time_s: [on_road("car", 50.0)], times(1.0, 10.0)).all_ids
    tracker.reset()
    second = follow(tracker, lambda time_s: [on_road("car", 50.0)], times(1.0, 10.0)).all_ids
    assert len(first) == len(second) == 1
    assert first < {max(second)} | first
    assert not first & second


def test_the_result_depends_on_the_frames_alone_not_on_the_order_of_detections(tracker: Tracker) -> None:
    random = np.random.default_rng(3)
    other = Tracker(tracker._config)
    for index in range(60):
        time_s = index / 10
        sights = [
            on_road(f"car {number}", 30.0 + (7.0 * number - 6.0 * time_s) % 80, 3.0 * (number % 5) - 6) for number in range(12)
        ]
        mixed = [sights[place] for place in random.permutation(len(sights))]
        ours = tracker.update(START_S + time_s, detections(sights))
        theirs = other.update(START_S + time_s, detections(mixed))
        boxes = sorted(track.box for track in ours if track.state is TrackState.CONFIRMED)
        other_boxes = sorted(track.box for track in theirs if track.state is TrackState.CONFIRMED)
        assert len(boxes) == len(other_boxes)
        assert np.allclose(boxes, other_boxes)


def test_state_is_bounded_when_false_positives_flicker_for_an_hour(tracker: Tracker) -> None:
    random = np.random.default_rng(5)
    for index in range(3600):
        boxes = np.zeros((20, 4), np.float32)
        boxes[:, :2] = random.uniform(0, 1200, (20, 2))
        boxes[:, 2:] = boxes[:, :2] + random.uniform(20, 80, (20, 2))
        found = Detections(boxes=boxes, scores=random.uniform(0.1, 0.9, 20).astype(np.float32), classes=random.integers(0, 6, 20))
        tracker.update(START_S + index, found)
    assert len(tracker._table) <= 400
    assert len(tracker._bank) == len(tracker._table)
    for index in range(400):
        tracker.update(START_S + 3600 + index, Detections.empty())
    assert len(tracker._table) == 0
