"""What a crossing measures: moment, speed, running time, heading, length."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.facts import Heading
from traffic.passages.config import PassageConfig
from traffic.passages.fit import Motion, fit_motion
from traffic.passages.gates import Gate, Gates, Line
from traffic.passages.heading import heading_of
from traffic.passages.size import SizeEstimate, estimate_size
from traffic.passages.vehicle import Crossing, Trajectory, Vehicle
from traffic.passages.view import GroundView

Array = NDArray[np.float64]

_MIN_TURN_SPEED = 0.5  # m/s: below, the direction of a fitted motion is noise and the lane's is taken
_MIN_WAY_PX = 6.0  # a way this long in the picture tells a direction
_ENTRY_EXTRAPOLATION = 0.2  # share of the section by which a running time may be completed at the measured speed


@dataclass(frozen=True, slots=True)
class Measurement:
    """What is known of a vehicle at its crossing.

    Attributes:
        time_s: the crossing, from the fitted motion where there is one.
        speed_kmh, running_time_s, length_m: see ``VehiclePassage``; None: not measured.
        likely_length_m: best guess of the length even when it is not good enough to be stated (metric views only).
        heading: see ``VehiclePassage``.
        motion: fitted motion of the counting point about the crossing; None without calibration or with too few samples.
    """

    time_s: float
    speed_kmh: float | None
    running_time_s: float | None
    length_m: float | None
    likely_length_m: float
    heading: Heading
    motion: Motion | None


class Measurer:
    """Measures crossings of one view."""

    def __init__(self, view: GroundView, gates: Gates, config: PassageConfig) -> None:
        self._view, self._gates, self._config = view, gates, config

    def measure(self, vehicle: Vehicle, crossing: Crossing) -> Measurement:
        """Everything measured at ``crossing`` from the vehicle's trajectory."""
        gate = self._gates.gates[crossing.gate]
        rows = self._section(vehicle.trajectory, gate, crossing.time_s)
        motion, size = None, None
        if self._view.metric and len(rows) >= 2:
            motion, size = self._fit(vehicle, rows, gate, crossing.time_s)
        time_s = self._moment(crossing, vehicle.trajectory, gate.line, motion)
        speed = self._speed(vehicle.trajectory, rows, motion, gate)
        return Measurement(
            time_s=time_s,
            speed_kmh=None if speed is None else speed * 3.6,
            running_time_s=self._running_time(vehicle.trajectory, gate, time_s, speed),
            length_m=size.length_m if size and size.length_std_m <= self._config.max_length_error_m else None,
            likely_length_m=size.length_m if size else 0.0,
            heading=self._heading(vehicle.trajectory, gate, crossing.time_s, motion),
            motion=motion,
        )

    def counting_points(self, boxes: Array, headings: Array, sizes: Array, seen_end: float) -> Array:
        """The points (n, 2) whose crossing counts, for boxes (n, 4) of vehicles of known ``sizes`` (n, 3)."""
        if self._view.camera is None:
            return self._view.contacts(boxes)
        return self._view.centres(boxes, headings, sizes) + headings * sizes[:, :1] * seen_end

    # -- parts --------------------------------------------------------------------------------------------------------

    def _section(self, trajectory: Trajectory, gate: Gate, time_s: float) -> NDArray[np.intp]:
        """Rows of the samples to fit: whole boxes of the last ``fit_window_s``, from the entry line on if that leaves enough."""
        if not len(trajectory):
            return np.zeros(0, np.intp)
        times = trajectory.times()
        usable = trajectory.measured() & (times >= time_s - self._config.fit_window_s)
        if gate.entry is not None:
            inside = usable & (gate.entry.signed(trajectory.centres()) >= 0)
            if inside.sum() >= 2 * self._config.min_fit_samples:
                usable = inside
        return np.flatnonzero(usable)

    def _fit(self, vehicle: Vehicle, rows: NDArray[np.intp], gate: Gate, time_s: float) -> tuple[Motion, SizeEstimate]:
        trajectory = vehicle.trajectory
        boxes, times = trajectory.boxes()[rows], trajectory.times()[rows]
        deviations = self._deviations(boxes, gate)
        rough = fit_motion(times, self._view.contacts(boxes), deviations, time_s, self._config.acceleration_std)
        headings = self._headings(rough, times, gate)
        size = estimate_size(self._view, boxes, headings, vehicle.track.object_class)
        points = self.counting_points(boxes, headings, np.tile(size.size, (len(rows), 1)), gate.seen_end)
        return fit_motion(times, points, deviations, time_s, self._config.acceleration_std), size

    def _deviations(self, boxes: Array, gate: Gate) -> Array:
        """Along-road metres per pixel of each sample: coarse, far points weigh less."""
        bottom = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]])
        slope = self._view.per_pixel(bottom)
        along = np.hypot(slope[:, :, 0] @ gate.direction, slope[:, :, 1] @ gate.direction)
        pixels = np.maximum(1.0, 0.012 * (boxes[:, 3] - boxes[:, 1]) * self._view.frame_size[1])
        result: Array = np.maximum(along * pixels, 1e-6)
        return result

    def _headings(self, motion: Motion, times: Array, gate: Gate) -> Array:
        velocity = motion.velocity + motion.acceleration * (times - motion.time_s)[:, None]
        speed = np.hypot(velocity[:, 0], velocity[:, 1])
        sure = (speed > _MIN_TURN_SPEED) & (velocity @ gate.direction > 0.5 * speed)
        result: Array = np.where(sure[:, None], velocity / np.maximum(speed, 1e-9)[:, None], gate.direction)
        return result

    def _moment(self, crossing: Crossing, trajectory: Trajectory, line: Line, motion: Motion | None) -> float:
        """The fitted moment, if it is near the one seen between two frames."""
        if motion is None:
            return crossing.time_s
        moment = motion.when(line.origin, line.downstream)
        times = trajectory.times()
        step_s = float(np.median(np.diff(times[-10:]))) if len(times) > 2 else 0.2
        if moment is None or abs(moment - crossing.time_s) > max(2 * step_s, 0.15):
            return crossing.time_s
        return moment

    def _speed(self, trajectory: Trajectory, rows: NDArray[np.intp], motion: Motion | None, gate: Gate) -> float | None:
        """Metres per second at the line, or None when it cannot be trusted."""
        config = self._config
        if motion is None or len(rows) < config.min_fit_samples:
            return None
        times = trajectory.times()[rows]
        way = float(np.hypot(*(motion.at(float(times[-1])) - motion.at(float(times[0])))))
        if times[-1] - times[0] < config.min_fit_s or way < config.min_fit_m:
            return None
        speed = motion.speed
        straight = float(motion.velocity @ gate.direction) >= 0.25 * speed
        if speed * 3.6 > config.max_speed_kmh or motion.speed_std * 3.6 > config.max_speed_error_kmh or not straight:
            return None
        return speed

    def _running_time(self, trajectory: Trajectory, gate: Gate, time_s: float, speed: float | None) -> float | None:
        """From the entry line to the snapshot line; None when the vehicle was first seen well inside the section."""
        if gate.entry is None or len(trajectory) < 2:
            return None
        points = trajectory.centres() + trajectory.aheads() * gate.seen_end
        way, times = gate.entry.signed(points), trajectory.times()
        earlier = np.flatnonzero((way[:-1] < 0) & (way[1:] >= 0) & (times[:-1] < time_s))
        if len(earlier):
            row = int(earlier[-1])
            share = way[row] / (way[row] - way[row + 1])
            return max(time_s - float(times[row] + share * (times[row + 1] - times[row])), 0.0)
        length = -float(gate.line.signed(gate.entry.origin))
        if 0 <= way[0] <= _ENTRY_EXTRAPOLATION * length and speed:
            return max(time_s - float(times[0]) + float(way[0]) / speed, 0.0)
        return None

    def _heading(self, trajectory: Trajectory, gate: Gate, time_s: float, motion: Motion | None) -> Heading:
        """Heading from the way made around the line; the picture's way is judged where the vehicle was."""
        middle = self._view.to_image(gate.line.origin)
        if motion is not None and motion.speed > _MIN_TURN_SPEED:
            return heading_of(motion.velocity, middle, self._view)
        way = self._way(trajectory, time_s, middle)
        if way is None or float(way @ gate.direction) <= 0:
            way = gate.direction
        return heading_of(way, middle, self._view)

    def _way(self, trajectory: Trajectory, time_s: float, middle: Array) -> Array | None:
        """The way made about ``time_s``. A vehicle that stands there trembles by its boxes' errors only: then the last way before
        that is long enough to tell a direction; None when it never came so far."""
        samples = [s for s in trajectory.samples if s.time_s <= time_s + 1.0]
        if not samples:
            return None
        least = _MIN_WAY_PX * float(np.abs(self._view.per_pixel(middle[None])[0]).sum())
        end = np.array(samples[-1].centre)
        for sample in reversed(samples):
            way: Array = end - np.array(sample.centre)
            early = sample.time_s <= time_s - 1.0 or sample is samples[0]
            if early and float(np.hypot(way[0], way[1])) >= least:  # nan fails as well
                return way
        return None
