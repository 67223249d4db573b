"""Who follows whom: time headway and spacing between successive vehicles of a lane."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.geometry import along_polyline
from traffic.passages.config import PassageConfig
from traffic.passages.fit import fit_motion
from traffic.passages.gates import Gates
from traffic.passages.measurement import Measurement
from traffic.passages.vehicle import Vehicle
from traffic.passages.view import GroundView

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Leader:
    """The last vehicle counted in a lane.

    Attributes:
        vehicle, measurement: of that vehicle.
        front_time_s: when its front crossed the line.
        epoch: number of the stretch of frames without an observation gap.
    """

    vehicle: Vehicle
    measurement: Measurement
    front_time_s: float
    epoch: int


class Following:
    """Headway and spacing in every lane of one view.

    What crosses the line is the end of a vehicle that we see: its front when it drives towards the camera, its rear when it
    drives away. Headway and spacing are defined front to front, so a rear is carried forward by the vehicle's length (at
    its speed, for times). Without calibration both are taken as seen: rear to rear is right for vehicles of equal length.
    """

    def __init__(self, view: GroundView, gates: Gates, config: PassageConfig) -> None:
        self._view, self._gates, self._config = view, gates, config
        self._leaders: dict[int, Leader] = {}

    def follow(
        self, gate_index: int, vehicle: Vehicle, measurement: Measurement, epoch: int
    ) -> tuple[float | None, float | None]:
        """Time headway (s) and spacing (m) of ``vehicle`` behind the last one of its lane; it becomes the leader."""
        front_time_s = measurement.time_s - self._rear_to_front(gate_index, measurement)
        leader = self._leaders.get(gate_index)
        if leader is not None and leader.measurement.time_s > measurement.time_s:
            return None, None  # stated out of order: the earlier vehicle stays the last one
        self._leaders[gate_index] = Leader(vehicle, measurement, front_time_s, epoch)
        if leader is None or leader.epoch != epoch:
            return None, None
        headway_s = front_time_s - leader.front_time_s
        if not 0 < headway_s <= self._config.max_time_headway_s:
            return None, None
        return headway_s, self._spacing(gate_index, leader, measurement)

    def _lead_m(self, gate_index: int, measurement: Measurement) -> float:
        """From the point that crosses to the front of the vehicle, metres."""
        return (0.5 - float(self._gates.seen_ends[gate_index])) * measurement.likely_length_m

    def _rear_to_front(self, gate_index: int, measurement: Measurement) -> float:
        if self._view.camera is None or measurement.motion is None or measurement.motion.speed < 1.0:
            return 0.0
        return self._lead_m(gate_index, measurement) / measurement.motion.speed

    def _spacing(self, gate_index: int, leader: Leader, measurement: Measurement) -> float | None:
        if measurement.motion is None or leader.measurement.motion is None:
            return None
        place = self._place(gate_index, leader, measurement.time_s)
        if place is None:
            return None
        path = self._view.to_ground(np.asarray(self._gates.lanes[gate_index].direction, np.float64))
        own = measurement.motion.at(measurement.time_s)
        ways = along_polyline(path, np.array([own, place]))
        seen = float(ways[1] - ways[0])
        if self._view.camera is not None:
            seen += self._lead_m(gate_index, leader.measurement) - self._lead_m(gate_index, measurement)
        return seen if seen > 0 else None

    def _place(self, gate_index: int, leader: Leader, time_s: float) -> Array | None:
        """The leader's counting point (2,) at ``time_s``: seen, or carried on from its last whole box."""
        gate = self._gates.gates[gate_index]
        samples = [s for s in leader.vehicle.trajectory.samples if s.measured and s.time_s <= time_s + 0.3]
        if not samples or time_s - samples[-1].time_s > self._config.spacing_extrapolation_s:
            return None
        near = [s for s in samples if s.time_s >= min(samples[-1].time_s, time_s) - self._config.fit_window_s]
        motion = leader.measurement.motion
        assert motion is not None
        if len(near) >= self._config.min_fit_samples:
            times = np.array([s.time_s for s in near])
            points = np.array([s.centre for s in near]) + np.array([s.ahead for s in near]) * gate.seen_end
            boxes = np.array([s.box for s in near])
            slope = self._view.per_pixel(np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]]))
            deviations = np.maximum(np.hypot(slope[:, :, 0] @ gate.direction, slope[:, :, 1] @ gate.direction), 1e-6)
            about = min(time_s, float(times[-1]))
            motion = fit_motion(times, points, deviations, about, self._config.acceleration_std)
        ahead_s = time_s - motion.time_s
        place: Array = motion.position + motion.velocity * ahead_s
        return place
