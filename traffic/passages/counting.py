"""Passages of the vehicles of one view: from crossings to stated facts."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from traffic.facts import VehiclePassage
from traffic.passages.config import PassageConfig
from traffic.passages.crossing import CrossingDetector
from traffic.passages.doubles import Doubles
from traffic.passages.following import Following
from traffic.passages.gates import Gates
from traffic.passages.measurement import Measurer
from traffic.passages.parts import always_inside, is_corner, lately_inside
from traffic.passages.vehicle import Crossing, Sample, Trajectory, Vehicle
from traffic.passages.view import GroundView
from traffic.passages.waiting import WaitingParts
from traffic.types import Box, ObjectClass

_PROOF_S = 3.0  # a crossing waits so long for its vehicle to prove that it moves...
_NEAR_PROOF_S, _NEAR_HEIGHT = (
    8.0,
    0.4,
)  # ...a near one, of this share of the picture's height, longer: a bus that sets off fills it
_LATE_S = 0.5  # a predicted box is good for so long; after that the picture does not show the vehicle there
_PART_WITHIN_S = 5.0  # a long vehicle stands this long on the line


class PassageCounter:
    """Counts at the gates of one view. Holds what was stated lately, the parts that wait and the lanes' leaders."""

    def __init__(self, view: GroundView, gates: Gates, counted_classes: frozenset[ObjectClass], config: PassageConfig) -> None:
        self._view, self._gates, self._config = view, gates, config
        self._classes = counted_classes - {ObjectClass.PERSON}
        self._detector = CrossingDetector(gates, config)
        self._measurer = Measurer(view, gates, config)
        self._following = Following(view, gates, config)
        self._doubles = Doubles(gates)
        self._waiting = WaitingParts(gates)

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
        """State the pending passages that have settled (all with ``flush``) and parts that waited, in order of their crossings.

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
            hosts = self._hosts(vehicle, crossing, present)
            if doubtful or hosts:
                # Its track may go over to a vehicle that has the line still before it.
                vehicle.counted = tuple(gate for gate in vehicle.counted if gate != crossing.gate)
            if hosts and not doubtful:
                self._waiting.add(vehicle, crossing, hosts)
            elif not doubtful and not self._doubles.doubled(vehicle, crossing):
                passages += self._passage(vehicle, crossing, now_s, epoch)
        for vehicle, crossing in self._waiting.resolve(present, now_s, flush=flush):
            beside = self._gates.exclusive[crossing.gate]
            if not any(beside[gate] for gate in vehicle.counted) and not self._doubles.doubled(vehicle, crossing):
                vehicle.counted = (*vehicle.counted, crossing.gate)
                passages += self._passage(vehicle, crossing, now_s, epoch)
        return tuple(sorted(passages, key=lambda passage: passage.time_s))

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
        self._doubles.add(vehicle, crossing)
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

    def _hosts(self, vehicle: Vehicle, crossing: Crossing, present: Sequence[Vehicle]) -> list[Vehicle]:
        """What this may be a part of among the vehicles that pass, or just passed, the line: it was in that one's box all its
        life, or lately and in the same lane."""
        others = [*present, *self._doubles.since(crossing.time_s - _PART_WITHIN_S)]
        beside = self._gates.exclusive[crossing.gate]
        found = []
        for host in always_inside(vehicle, others):
            if host.lane < 0 or beside[host.lane] or any(beside[gate] for gate in host.counted):
                found.append(host)
        for host in lately_inside(vehicle, others):
            near = host.lane < 0 or beside[host.lane]
            same = host.lane == crossing.gate or crossing.gate in host.counted
            corner = is_corner(vehicle, host) and (near or any(beside[gate] for gate in host.counted))
            if same or corner or (crossing.coasted and near):  # coasted: it was not even seen to cross
                found.append(host)
        return found

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
