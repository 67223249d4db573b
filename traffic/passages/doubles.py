"""A second passage of one vehicle under another track: what passed the lines of one view lately, to recognise it."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from traffic.passages.gates import Gates
from traffic.passages.vehicle import Crossing, Vehicle
from traffic.types import FOUR_WHEELED, Box

_SAME_WITHIN_S = 1.0  # two passages this soon after each other may be one vehicle with two tracks...
_SAME_IOU = 0.5  # ...when their boxes overlap this much
_TWIN_SHARE = 0.6  # of the smaller box: two boxes of one vehicle...
_TWIN_SIZES = 3.0  # ...when they differ by at most this in area...
_RIDER_SIZES = 1.5  # ...or by this, when one is called a car and the other a two-wheeler: a real car would be larger
# Fronts of two cars in one lane never follow so closely: 4 m of car and a 2 m gap take 0.3 s at 72 km/h, longer when slower, and
# drivers keep more distance when faster. Two passages nearer than that are one vehicle boxed twice (as a car and as a truck),
# unless their boxes lie apart: one of them drives beside the lane.
_IMPOSSIBLE_S, _APART = 0.3, 0.1
# So are two that pass this soon after each other and together cover no more than this many times the box of what usually passes
# here: the two halves of a car.
_HALVES_S, _HALVES_SIZE = 0.6, 1.3
_USUAL_OF, _USUAL_LEAST = 15, 4  # passages of a lane that tell what is usual


@dataclass(frozen=True, slots=True, eq=False)
class _Stated:
    crossing: Crossing
    vehicle: Vehicle


class Doubles:
    """The last passages stated, and what is usual at each line."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates
        self._recent: deque[_Stated] = deque(maxlen=64)
        self._usual: list[deque[float]] = [deque(maxlen=_USUAL_OF) for _ in range(len(gates))]

    def add(self, vehicle: Vehicle, crossing: Crossing) -> None:
        """Note a passage that is stated."""
        self._recent.append(_Stated(crossing, vehicle))
        if vehicle.track.object_class in FOUR_WHEELED:
            x1, y1, x2, y2 = min(vehicle.trajectory.samples, key=lambda sample: abs(sample.time_s - crossing.time_s)).box
            self._usual[crossing.gate].append((x2 - x1) * (y2 - y1))

    def since(self, time_s: float) -> list[Vehicle]:
        """Vehicles whose crossing was later than ``time_s``."""
        return [stated.vehicle for stated in self._recent if stated.crossing.time_s > time_s]

    def doubled(self, vehicle: Vehicle, crossing: Crossing) -> bool:
        """Whether this vehicle was stated a moment ago under another track: same lanes, same time, same place, same size."""
        for stated in self._recent:
            other = stated.vehicle
            apart_s = abs(stated.crossing.time_s - crossing.time_s)
            if other is vehicle or apart_s > _SAME_WITHIN_S or not self._gates.exclusive[stated.crossing.gate, crossing.gate]:
                continue
            alike = (other.track.object_class in FOUR_WHEELED) == (vehicle.track.object_class in FOUR_WHEELED)
            if stated.crossing.gate == crossing.gate and _four_wheeled(other, vehicle):
                if apart_s < _IMPOSSIBLE_S and not _lie_apart(other, vehicle, crossing.time_s):
                    return True
                if apart_s < _HALVES_S and self._halves(other, vehicle, crossing):
                    return True
            if alike and (_replaces(other, stated.crossing, vehicle, apart_s) or _replaces(vehicle, crossing, other, apart_s)):
                return True
            if _twins(other, stated.crossing, vehicle, apart_s) or _twins(vehicle, crossing, other, apart_s):
                return True
            if any(_overlap_at(other, vehicle, moment) >= _SAME_IOU for moment in (crossing.time_s, stated.crossing.time_s)):
                return True  # at either crossing: the track of the rider's back soon goes over to the motorcycle in front
        return False

    def _halves(self, first: Vehicle, second: Vehicle, crossing: Crossing) -> bool:
        """Whether two boxes together, at the ``crossing`` of the second, are no larger than one vehicle usually is there."""
        boxes, usual = _boxes_at(first, second, crossing.time_s), self._usual[crossing.gate]
        if boxes is None or len(usual) < _USUAL_LEAST:
            return False
        a, b = boxes
        around = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))
        return around <= _HALVES_SIZE * float(np.median(usual))


def _four_wheeled(first: Vehicle, second: Vehicle) -> bool:
    return first.track.object_class in FOUR_WHEELED and second.track.object_class in FOUR_WHEELED


def _lie_apart(first: Vehicle, second: Vehicle, time_s: float) -> bool:
    """Whether the frame nearest to ``time_s`` that shows both shows two boxes with next to nothing in common."""
    boxes = _boxes_at(first, second, time_s)
    if boxes is None:
        return False
    both, one, two = _areas(*boxes)
    return both < _APART * min(one, two)


def _replaces(coasted: Vehicle, crossing: Crossing, other: Vehicle, apart_s: float) -> bool:
    """Whether ``other``, first seen after ``coasted`` was last seen, passed the line when that one should have: it is the same
    vehicle, which came back too far from where it was expected to be stitched."""
    unseen_s = crossing.time_s - coasted.last_matched_s
    return crossing.coasted and other.track.first_time_s > coasted.last_matched_s and apart_s <= _near_s(unseen_s)


def _near_s(unseen_s: float) -> float:
    """How far apart in time the predicted and the true crossing of one vehicle may be."""
    return 0.5 + 0.5 * unseen_s


def _twins(coasted: Vehicle, crossing: Crossing, other: Vehicle, apart_s: float) -> bool:
    """Whether ``coasted`` was last seen as a second box of about the same size on ``other``, which went on to the line."""
    unseen_s = crossing.time_s - coasted.last_matched_s
    if not crossing.coasted or apart_s > _near_s(unseen_s):
        return False
    boxes = _boxes_at(coasted, other, coasted.last_matched_s)
    if boxes is None:
        return False
    both, first, second = _areas(*boxes)
    alike = (coasted.track.object_class in FOUR_WHEELED) == (other.track.object_class in FOUR_WHEELED)
    sizes = _TWIN_SIZES if alike else _RIDER_SIZES
    return both >= _TWIN_SHARE * min(first, second) and max(first, second) <= sizes * min(first, second)


def _overlap_at(first: Vehicle, second: Vehicle, time_s: float) -> float:
    """Intersection over union of two vehicles' boxes in the frame nearest to ``time_s`` that shows both; 0 without one."""
    boxes = _boxes_at(first, second, time_s)
    if boxes is None:
        return 0.0
    both, one, two = _areas(*boxes)
    return both / (one + two - both)


def _boxes_at(first: Vehicle, second: Vehicle, time_s: float) -> tuple[Box, Box] | None:
    """Both boxes in the frame nearest to ``time_s``, at most half a second away, that shows both."""
    boxes = {sample.time_s: sample.box for sample in first.trajectory.samples if abs(sample.time_s - time_s) <= 0.5}
    shared = [s for s in second.trajectory.samples if s.time_s in boxes]
    if not shared:
        return None
    nearest = min(shared, key=lambda sample: abs(sample.time_s - time_s))
    return boxes[nearest.time_s], nearest.box


def _areas(a: Box, b: Box) -> tuple[float, float, float]:
    """Area of the intersection and of each box."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0.0) * max(height, 0.0)
    return both, (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
