"""Weak evidence in one place becomes a standing vehicle; what is explained, moves or flickers does not."""

import numpy as np
import pytest

from traffic.parameters.faint import FaintWatch
from traffic.types import Box, Detections, ObjectClass, Track, TrackId, TrackState

ROOF: Box = (100.0, 100.0, 160.0, 140.0)


def found(*items: tuple[Box, float, ObjectClass]) -> Detections:
    boxes = np.array([box for box, _, _ in items], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score, _ in items], np.float32)
    return Detections(boxes=boxes, scores=scores, classes=np.array([int(kind) for _, _, kind in items], np.int64))


def track(box: Box) -> Track:
    return Track(
        track_id=TrackId(1), state=TrackState.CONFIRMED, box=box, velocity=(0.0, 0.0), object_class=ObjectClass.CAR,
        class_share=1.0, score=0.9, time_s=0.0, first_time_s=0.0, hits=9, time_since_update_s=0.0, moved=True, detection=box,
    )  # fmt: skip


@pytest.mark.parametrize("fps", [4, 12.5, 30])
def test_the_same_place_again_and_again_is_a_vehicle_at_any_rate(fps: float) -> None:
    watch = FaintWatch()
    last = [watch.update(n / fps, found((ROOF, 0.3, ObjectClass.CAR)), ()) for n in range(int(2 * fps))][-1]
    assert [(vehicle.number, vehicle.object_class) for vehicle in last] == [(-1, ObjectClass.CAR)]
    assert last[0].box == pytest.approx(ROOF)


def test_one_sight_or_a_rare_one_is_none() -> None:
    watch = FaintWatch()
    for n in range(40):
        seen = found((ROOF, 0.3, ObjectClass.CAR)) if n % 4 == 0 else Detections.empty()
        assert not [v for v in watch.update(n / 5, seen, ()) if n > 2]


def test_what_a_track_explains_is_none_nor_is_a_part_or_a_person() -> None:
    watch = FaintWatch()
    windscreen = ((110.0, 105.0, 150.0, 120.0), 0.35, ObjectClass.CAR)
    for n in range(20):
        items = found((ROOF, 0.3, ObjectClass.CAR), windscreen, ((300.0, 100.0, 320.0, 150.0), 0.35, ObjectClass.PERSON))
        assert watch.update(n / 5, items, [track((95.0, 98.0, 165.0, 150.0))]) == ()


def test_two_boxes_of_one_vehicle_are_one() -> None:
    watch = FaintWatch()
    items = found((ROOF, 0.3, ObjectClass.CAR), ((102.0, 102.0, 150.0, 138.0), 0.26, ObjectClass.TRUCK))
    assert len([watch.update(n / 5, items, ()) for n in range(10)][-1]) == 1


def test_what_moves_is_none() -> None:
    watch = FaintWatch()
    for n in range(30):
        box = (100.0 + 12 * n, 100.0, 160.0 + 12 * n, 140.0)
        stated = watch.update(n / 5, found((box, 0.3, ObjectClass.CAR)), ())
    assert len(stated) <= 1  # followed by its overlap at most: the queue asks for its speed
