"""When a vehicle crosses a snapshot line: once, in the direction of travel, in one lane."""

import math

import numpy as np
from numpy.typing import NDArray

from traffic.passages.config import PassageConfig
from traffic.passages.gates import Gates
from traffic.passages.vehicle import Crossing, Sample, Vehicle

Array = NDArray[np.float64]


class CrossingDetector:
    """Watches the samples of vehicles against the lines of one view."""

    def __init__(self, gates: Gates, config: PassageConfig) -> None:
        self._gates, self._config = gates, config
        self._min_cos = math.cos(math.radians(config.max_angle_deg))

    def observe(self, vehicle: Vehicle, sample: Sample) -> Crossing | None:
        """Take the vehicle's newest sample (already in its trajectory); returns a crossing at most once per exclusive lanes.

        A line is crossed when the vehicle has been before it by the hysteresis and now is beyond it by the hysteresis. One
        first seen beyond a line was never before it and is not counted; reversing over the line only arms it again.
        """
        if not len(self._gates) or math.isnan(sample.centre[0]):
            return None
        if len(vehicle.armed) != len(self._gates):
            vehicle.armed = np.zeros(len(self._gates), bool)
        way = self._gates.signed(np.array([sample.centre]), np.array([sample.ahead]))[0]
        margin = self._margins(sample)
        crossed = vehicle.armed & (way >= margin)
        vehicle.armed |= way <= -margin
        if not crossed.any():
            return None
        vehicle.armed &= ~crossed
        return self._decide(vehicle, np.flatnonzero(crossed))

    def would_cross(self, vehicle: Vehicle) -> Crossing | None:
        """For a track that ended: the line its last motion carries it over, see ``coast_s``."""
        motion = vehicle.trajectory.velocity()
        if motion is None or not len(self._gates) or len(vehicle.armed) != len(self._gates):
            return None
        velocity, last = motion
        speed = float(np.hypot(velocity[0], velocity[1]))
        if speed < 1e-9:
            return None
        way = self._gates.signed(np.array([last.centre]), np.array([last.ahead]))[0]
        rate = self._gates.normals @ velocity
        with np.errstate(divide="ignore", invalid="ignore"):
            needed_s = np.where(rate > 0, -way / rate, np.inf)
        reach = self._config.coast_lengths * self._extent(last)
        near = (needed_s * speed <= reach) | (needed_s <= self._config.coast_s / 2)
        possible = vehicle.armed & (needed_s <= self._config.coast_s) & near & (way < self._margins(last))
        for index in np.argsort(needed_s):
            if possible[index]:
                point = np.array(last.centre) + velocity * needed_s[index]
                point = point + np.array(last.ahead) * self._gates.seen_ends[index]
                if self._fits(vehicle, int(index), point, velocity) is not None:
                    return Crossing(int(index), last.time_s + float(needed_s[index]), coasted=True)
        return None

    def is_behind(self, vehicle: Vehicle, sample: Sample) -> bool:
        """Whether ``sample`` is more than a vehicle's length before a line that the vehicle was counted at."""
        if not vehicle.counted or math.isnan(sample.centre[0]):
            return False
        way = self._gates.signed(np.array([sample.centre]), np.array([sample.ahead]))[0]
        return bool((way[list(vehicle.counted)] < -self._extent(sample)).any())

    def _decide(self, vehicle: Vehicle, candidates: NDArray[np.intp]) -> Crossing | None:
        """The best of the lines crossed since the last sample."""
        best: tuple[float, int, float] | None = None
        for index in candidates:
            found = self._passed(vehicle, int(index))
            if found is None:
                continue
            time_s, point, step = found
            beside = self._fits(vehicle, int(index), point, step)
            if beside is not None and (best is None or beside < best[0]):
                best = (beside, int(index), time_s)
        return None if best is None else Crossing(best[1], best[2])

    def _passed(self, vehicle: Vehicle, index: int) -> tuple[float, Array, Array] | None:
        """Time and place of the crossing between two samples, and the way made around it."""
        trajectory = vehicle.trajectory
        samples = trajectory.samples
        centres = np.array([s.centre for s in samples])
        aheads = np.array([s.ahead for s in samples])
        points = centres + aheads * self._gates.seen_ends[index]
        way = self._gates.gates[index].line.signed(points)
        before = np.flatnonzero(way < 0)
        if not len(before) or before[-1] == len(samples) - 1:
            return None
        low = int(before[-1])
        high = low + 1
        share = float(way[low] / (way[low] - way[high]))
        time_s = samples[low].time_s + share * (samples[high].time_s - samples[low].time_s)
        point = points[low] + share * (points[high] - points[low])
        first, last = max(low - 2, 0), min(high + 2, len(samples) - 1)
        return time_s, self._steadied(points, way, first, last, point), points[last] - points[first]

    def _steadied(self, points: Array, way: Array, first: int, last: int, point: Array) -> Array:
        """The place of the crossing from a straight line through the samples around it, so that one bad box does not
        decide the lane."""
        near_way, near = way[first : last + 1], points[first : last + 1]
        if len(near) < 4:
            return point
        offsets = near_way - near_way.mean()
        spread = float(offsets @ offsets)
        if spread <= 1e-12:
            return point
        slope = offsets @ near / spread
        steadied: Array = near.mean(axis=0) - slope * near_way.mean()
        return steadied

    def _fits(self, vehicle: Vehicle, index: int, point: Array, step: Array) -> float | None:
        """How far beside the lane (in lane widths, negative inside), or None when the crossing is not this lane's."""
        gate = self._gates.gates[index]
        if any(self._gates.exclusive[index, other] for other in vehicle.counted):
            return None
        beside = float(gate.line.beside(point))
        length = float(np.hypot(step[0], step[1]))
        if beside > self._config.lateral_share or length < 1e-9:
            return None
        return beside if float(step @ gate.direction) >= self._min_cos * length else None

    def _margins(self, sample: Sample) -> Array:
        """Hysteresis at each line (g,) in ground units."""
        view = self._gates.view
        height_px = (sample.box[3] - sample.box[1]) * view.frame_size[1]
        pixels = max(self._config.hysteresis_px, self._config.hysteresis_share * height_px)
        bottom = np.array([[(sample.box[0] + sample.box[2]) / 2, sample.box[3]]])
        slope = view.per_pixel(bottom)[0]
        margin: Array = pixels * np.hypot(*(self._gates.normals @ slope).T)
        return np.nan_to_num(margin, nan=0.0)

    def _extent(self, sample: Sample) -> float:
        """Length of the vehicle on the ground, or its box's longer side when there are no metres."""
        if self._gates.view.metric:
            return max(float(np.hypot(*sample.ahead)), 4.0)
        width, height = self._gates.view.frame_size
        x1, y1, x2, y2 = sample.box
        return max((x2 - x1) * width / height, y2 - y1)
