"""Where a queue is drawn: from the stop line to its rear, between the sides of its lane."""

import dataclasses

import numpy as np
import pytest

from benchmarks.passages import Conditions, RoadCamera, make_scene
from traffic.facts import Turn
from traffic.parameters.config import ParameterConfig
from traffic.parameters.placing import straighten
from traffic.parameters.queue_shape import QueueOutline, queue_outline
from traffic.parameters.queueing import Queue
from traffic.passages.view import GroundView
from traffic.scene.model import Lane, Scene

ROAD = Conditions(lanes=2, fps=10.0, height_m=9.0)
FLAT = Lane(  # runs up the picture, a square of 0.2 x 0.8 picture widths and heights
    road_num=3,
    road_name="",
    turn=Turn.STRAIGHT,
    polygon=((0.4, 0.9), (0.6, 0.9), (0.6, 0.1), (0.4, 0.1)),
    direction=((0.5, 0.1), (0.5, 0.9)),
    snapshot_line=((0.4, 0.7), (0.6, 0.7)),
    stop_line=((0.4, 0.8), (0.6, 0.8)),
)


def outlined(lane: Lane, view: GroundView, queue: Queue) -> QueueOutline | None:
    straight = straighten(lane, view, ParameterConfig().loop_length_m)
    assert straight is not None
    return queue_outline(lane, straight, view, queue)


def road() -> tuple[Scene, GroundView]:
    scene = make_scene(ROAD, RoadCamera(ROAD))
    lanes = tuple(dataclasses.replace(lane, stop_line=lane.snapshot_line) for lane in scene.lanes)
    return dataclasses.replace(scene, lanes=lanes), GroundView(scene.calibration, ROAD.frame_size)


def test_it_begins_at_the_stop_line_and_ends_at_the_rear_on_both_sides_of_the_lane() -> None:
    drawn = outlined(FLAT, GroundView(None, (1000, 1000)), Queue(number=4, length=0.3))
    assert drawn is not None
    assert (drawn.road_num, drawn.number, drawn.length_m) == (3, 4, None)
    points = np.array(drawn.outline)
    assert points[:, 1].max() == pytest.approx(0.8)
    assert points[:, 1].min() == pytest.approx(0.5)
    assert sorted({round(float(x), 6) for x in points[:, 0]}) == [0.4, 0.6]
    assert sorted(drawn.rear) == [pytest.approx((0.4, 0.5)), pytest.approx((0.6, 0.5))]


def test_with_a_calibration_its_length_on_the_road_is_the_queues() -> None:
    scene, view = road()
    for lane in scene.lanes:
        drawn = outlined(lane, view, Queue(number=3, length=24.0))
        assert drawn is not None
        assert drawn.length_m == 24.0
        ground = view.to_ground(np.array(drawn.outline))
        middle = len(ground) // 2
        stop, rear = (ground[0] + ground[-1]) / 2, (ground[middle - 1] + ground[middle]) / 2
        assert float(np.hypot(*(rear - stop))) == pytest.approx(24.0, abs=0.05)


def test_it_stays_in_the_lane_when_the_queue_is_longer() -> None:
    drawn = outlined(FLAT, GroundView(None, (1000, 1000)), Queue(number=20, length=5.0))
    assert drawn is not None
    assert min(y for _, y in drawn.outline) == pytest.approx(0.1, abs=1e-4)


def test_without_a_queue_or_a_stop_line_nothing_is_drawn() -> None:
    view = GroundView(None, (1000, 1000))
    assert outlined(FLAT, view, Queue()) is None
    assert outlined(dataclasses.replace(FLAT, stop_line=None), view, Queue(number=1, length=0.1)) is None
