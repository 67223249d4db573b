"""Passages of the vehicles of one view: from crossings to stated facts."""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from traffic.facts import VehiclePassage
from traffic.passages.config import PassageConfig
from traffic.passages.crossing import CrossingDetector
from traffic.passages.following import Following
from traffic.passages.gates import Gates
from traffic.passages.measurement import Measurer
from traffic.passages.parts import always_inside, is_corner, lately_inside
from traffic.passages.vehicle import Crossing, Sample, Trajectory, Vehicle
from traffic.passages.view import GroundView
from traffic.types import FOUR_WHEELED, Box, ObjectClass

_SAME_IOU = 0.5  # two passages of boxes that overlap this much...
_TWIN_SHARE = 0.6  # of the smaller box: two boxes of one vehicle...
_TWIN_SIZES = 3.0  # ...when they differ by at most this in area...
_RIDER_SIZES = 1.5  # ...or by this, when one is called a car and the other a two-wheeler: a real car would be larger
_PROOF_S = 3.0  # a crossing waits so long for its vehicle to prove that it moves...
_NEAR_PROOF_S, _NEAR_HEIGHT = (
    8.0,
    0.4,
)  # ...a near one, of this share of the picture's height, longer: a bus that sets off fills it
_LATE_S = 0.5  # a predicted box is good for so long; after that the picture does not show the vehicle there
# Fronts of two cars in one lane never follow so closely: 4 m of car and a 2 m gap take 0.3 s at 72 km/h, longer when slower, and
# drivers keep more distance when faster. Two passages nearer than that are one vehicle boxed twice (as a car and as a truck).
_IMPOSSIBLE_S = 0.3
# So are two that pass this soon after each other and together cover no more than this many times the box of what usually passes
# here: the two halves of a car.
_HALVES_S, _HALVES_SIZE = 0.6, 1.3
_USUAL_OF, _USUAL_LEAST = 15, 4  # passages of a lane that tell what is usual
_PART_WITHIN_S = 5.0  # a long vehicle stands this long on the line
_SAME_WITHIN_S = 1.0  # ...this soon after each other are one vehicle with two tracks


@dataclass(frozen=True, slots=True, eq=False)
class _Stated:
    """A recent passage, to recognise a second one of the same vehicle."""

    crossing: Crossing
    vehicle: Vehicle


class PassageCounter:
    """Counts at the gates of one view. Holds no vehicles; only what was stated in the last second and the lanes' leaders."""

    def __init__(self, view: GroundView, gates: Gates, counted_classes: frozenset[ObjectClass], config: PassageConfig) -> None:
        self._view, self._gates, self._config = view, gates, config
        self._classes = counted_classes - {ObjectClass.PERSON}
        self._detector = CrossingDetector(gates, config)
        self._measurer = Measurer(view, gates, config)
        self._following = Following(view, gates, config)
        self._recent: deque[_Stated] = deque(maxlen=64)
        self._areas: list[deque[float]] = [deque(maxlen=_USUAL_OF) for _ in range(len(gates))]

    def observe(self, vehicle: Vehicle, sample: Sample) -> None:
        """Take the newest sample of a vehicle; a crossing becomes pending."""
        crossing = self._detector.observe(vehicle, sample)
        if crossing is not None:
            vehicle.unproven = crossing
        if vehicle.unproven is None:
            return
        near = sample.box[3] - sample.box[1] >= _NEAR_HEIGHT
        if sample.time_s - vehicle.unproven.time_s > (_NEAR_PROOF_S if near else _PROOF_S):
            vehicle.unproven = None
        elif vehicle.moved:
            self._hold(vehicle, vehicle.unproven)

    def ended(self, vehicle: Vehicle, until_s: float = math.inf) -> None:
        """The vehicle's track ended: count it if its motion carries it over a line at once, and before ``until_s``."""
        if vehicle.moved and vehicle.pending is None and not vehicle.continued:
            crossing = self._detector.would_cross(vehicle)
            if crossing is not None and crossing.time_s <= until_s:
                self._hold(vehicle, crossing)

    def is_behind(self, vehicle: Vehicle, sample: Sample) -> bool:
        """Whether ``sample`` lies clearly before a line that the vehicle was counted at: it is of another one."""
        return self._detector.is_behind(vehicle, sample)

    def replay(self, vehicle: Vehicle, *, has_ended: bool) -> None:
        """Find the crossing of a vehicle that was followed before the gates were known."""
        whole = vehicle.trajectory
        vehicle.trajectory, vehicle.armed = Trajectory(), np.zeros(len(self._gates), bool)
        for sample in whole.samples:
            vehicle.trajectory.add(sample)
            self.observe(vehicle, sample)
        if has_ended:
            self.ended(vehicle)

    def state(self, vehicles: Iterable[Vehicle], now_s: float, epoch: int, *, flush: bool = False) -> tuple[VehiclePassage, ...]:
        """State the pending passages that have settled (all with ``flush``), in order of their crossings.

        Args:
            vehicles: all vehicles that may have one pending. now_s: video time. epoch: number of the gap-free stretch.
        """
        present = list(vehicles)
        due = [(v, v.pending) for v in present if v.pending is not None]
        ready = [(v, c) for v, c in due if flush or self._settled(v, c, now_s)]
        ready.sort(key=lambda item: (item[1].time_s, item[0].track.track_id))
        passages = []
        for vehicle, crossing in ready:
            vehicle.pending = None
            doubtful = min(crossing.time_s, vehicle.last_matched_s) - vehicle.sure_s > self._config.sure_s
            if doubtful or self._part(vehicle, crossing, present):
                # Its track may go over to a vehicle that has the line still before it.
                vehicle.counted = tuple(gate for gate in vehicle.counted if gate != crossing.gate)
            elif not self._doubled(vehicle, crossing):
                passages += self._passage(vehicle, crossing, now_s, epoch)
        return tuple(passages)

    def _hold(self, vehicle: Vehicle, crossing: Crossing) -> None:
        vehicle.counted = (*vehicle.counted, crossing.gate)
        vehicle.pending, vehicle.unproven = crossing, None

    def _settled(self, vehicle: Vehicle, crossing: Crossing, now_s: float) -> bool:
        """Nothing more is to be learned from waiting: time is up, or the vehicle is no longer wholly seen."""
        if now_s - crossing.time_s >= self._config.settle_s - 1e-6 or vehicle.last_matched_s < now_s:
            return True
        return not vehicle.trajectory.samples[-1].measured

    def _passage(self, vehicle: Vehicle, crossing: Crossing, now_s: float, epoch: int) -> list[VehiclePassage]:
        track = vehicle.track
        if track.object_class not in self._classes:
            return []
        measured = self._measurer.measure(vehicle, crossing)
        headway_s, spacing_m = self._following.follow(crossing.gate, vehicle, measured, epoch)
        self._recent.append(_Stated(crossing, vehicle))
        if track.object_class in FOUR_WHEELED:
            x1, y1, x2, y2 = min(vehicle.trajectory.samples, key=lambda sample: abs(sample.time_s - crossing.time_s)).box
            self._areas[crossing.gate].append((x2 - x1) * (y2 - y1))
        lane = self._gates.lanes[crossing.gate]
        late = now_s - vehicle.last_matched_s > _LATE_S
        return [
            VehiclePassage(
                track_id=track.track_id,
                time_s=measured.time_s,
                road_num=lane.road_num,
                road_name=lane.road_name,
                turn=lane.turn,
                object_class=track.object_class,
                box=self._box_at(vehicle, crossing.time_s if late else None),
                frame_size=self._view.frame_size,
                speed_kmh=measured.speed_kmh,
                spacing_m=spacing_m,
                time_headway_s=headway_s,
                running_time_s=measured.running_time_s,
                heading=measured.heading,
                length_m=measured.length_m,
                late=late,
            )
        ]

    def _doubled(self, vehicle: Vehicle, crossing: Crossing) -> bool:
        """Whether this vehicle was stated a moment ago under another track: same lanes, same time, same place, same size."""
        for stated in self._recent:
            other = stated.vehicle
            apart_s = abs(stated.crossing.time_s - crossing.time_s)
            if other is vehicle or apart_s > _SAME_WITHIN_S or not self._gates.exclusive[stated.crossing.gate, crossing.gate]:
                continue
            alike = (other.track.object_class in FOUR_WHEELED) == (vehicle.track.object_class in FOUR_WHEELED)
            if stated.crossing.gate == crossing.gate and _four_wheeled(other, vehicle):
                if apart_s < _IMPOSSIBLE_S or (apart_s < _HALVES_S and self._halves(other, vehicle, crossing)):
                    return True
            if alike and (_replaces(other, stated.crossing, vehicle, apart_s) or _replaces(vehicle, crossing, other, apart_s)):
                return True
            if _twins(other, stated.crossing, vehicle, apart_s) or _twins(vehicle, crossing, other, apart_s):
                return True
            if _overlap_at(other, vehicle, crossing.time_s) >= _SAME_IOU:
                return True
        return False

    def _halves(self, first: Vehicle, second: Vehicle, crossing: Crossing) -> bool:
        """Whether two boxes together, at the ``crossing`` of the second, are no larger than one vehicle usually is at that line."""
        boxes, usual = _boxes_at(first, second, crossing.time_s), self._areas[crossing.gate]
        if boxes is None or len(usual) < _USUAL_LEAST:
            return False
        a, b = boxes
        around = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))
        return around <= _HALVES_SIZE * float(np.median(usual))

    def _part(self, vehicle: Vehicle, crossing: Crossing, present: Sequence[Vehicle]) -> bool:
        """Whether this is a part of a vehicle that passes, or just passed, the line: it was in that one's box all its life, or
        lately and in the same lane."""
        stated = [stated.vehicle for stated in self._recent if crossing.time_s - stated.crossing.time_s < _PART_WITHIN_S]
        others = [*present, *stated]
        beside = self._gates.exclusive[crossing.gate]
        for host in always_inside(vehicle, others):
            if host.lane < 0 or beside[host.lane] or any(beside[gate] for gate in host.counted):
                return True
        for host in lately_inside(vehicle, others):
            if host.lane == crossing.gate or crossing.gate in host.counted:
                return True
            if is_corner(vehicle, host) and (host.lane < 0 or beside[host.lane] or any(beside[gate] for gate in host.counted)):
                return True
            if crossing.coasted and (host.lane < 0 or beside[host.lane]):  # it was not even seen to cross
                return True
        return False

    def _box_at(self, vehicle: Vehicle, time_s: float | None) -> Box:
        """The part inside the frame of the vehicle's present box, or of the box seen nearest to ``time_s``."""
        width, height = self._view.frame_size
        box = vehicle.track.box
        if time_s is not None or min(box[2], width) - max(box[0], 0) < 2 or min(box[3], height) - max(box[1], 0) < 2:
            samples = [sample for sample in vehicle.trajectory.samples if sample.measured] or vehicle.trajectory.samples
            moment = samples[-1].time_s if time_s is None else time_s
            x1, y1, x2, y2 = min(samples, key=lambda sample: abs(sample.time_s - moment)).box
            box = (x1 * width, y1 * height, x2 * width, y2 * height)
        return (max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(width)), min(box[3], float(height)))


def _four_wheeled(first: Vehicle, second: Vehicle) -> bool:
    return first.track.object_class in FOUR_WHEELED and second.track.object_class in FOUR_WHEELED


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
