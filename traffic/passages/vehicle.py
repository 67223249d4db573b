"""One vehicle as the passages see it: its trajectory and what has been counted of it."""

import copy
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from traffic.types import Box, Track, TrackId

Array = NDArray[np.float64]

_FAR_DIAGONALS = 1.5
_CAPACITY = 240  # samples kept: all of the last 120, the older ones thinned out again and again


@dataclass(frozen=True, slots=True)
class Sample:
    """One analysed frame of a vehicle.

    Attributes:
        time_s: video time.
        box: relative image coordinates.
        centre: middle of its footprint on the ground (without calibration: the contact point).
        ahead: from its rear to its front on the ground; (0, 0) where heading or size are unknown.
        measured: whether the box is a whole, matched one; extrapolated and cut boxes give no speed.
    """

    time_s: float
    box: Box
    centre: tuple[float, float]
    ahead: tuple[float, float]
    measured: bool


class Trajectory:
    """The samples of one vehicle in order of time, bounded."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []

    def __len__(self) -> int:
        return len(self.samples)

    def add(self, sample: Sample) -> None:
        """Append a later sample; when full, every second sample of the older half is dropped (never the first)."""
        self.samples.append(sample)
        if len(self.samples) > _CAPACITY:
            half = _CAPACITY // 2
            self.samples = self.samples[0:half:2] + self.samples[half:]

    def cut(self, time_s: float) -> list[Sample]:
        """Take the samples from ``time_s`` on away; returns them."""
        later = [sample for sample in self.samples if sample.time_s >= time_s]
        self.samples = [sample for sample in self.samples if sample.time_s < time_s]
        return later

    def copy(self) -> "Trajectory":
        """An independent copy."""
        other = Trajectory()
        other.samples = list(self.samples)
        return other

    def times(self) -> Array:
        """float64 (n,), seconds."""
        return np.array([sample.time_s for sample in self.samples])

    def boxes(self) -> Array:
        """float64 (n, 4), relative."""
        return np.array([sample.box for sample in self.samples]).reshape(-1, 4)

    def centres(self) -> Array:
        """float64 (n, 2), ground."""
        return np.array([sample.centre for sample in self.samples]).reshape(-1, 2)

    def aheads(self) -> Array:
        """float64 (n, 2), ground."""
        return np.array([sample.ahead for sample in self.samples]).reshape(-1, 2)

    def measured(self) -> NDArray[np.bool_]:
        """bool (n,)."""
        return np.array([sample.measured for sample in self.samples], bool)

    def recent(self, span_s: float, *, at_most: int = 40) -> list[Sample]:
        """Measured samples of the last ``span_s`` before the newest measured one."""
        found: list[Sample] = []
        for sample in reversed(self.samples):
            if sample.measured:
                if found and (found[0].time_s - sample.time_s > span_s or len(found) >= at_most):
                    break
                found.append(sample)
        return found[::-1]

    def velocity(self, span_s: float = 0.6) -> tuple[Array, Sample] | None:
        """Least-squares velocity (2,) on the ground over the last measured ``span_s`` and the newest measured sample;
        None with fewer than two."""
        recent = self.recent(span_s)
        if len(recent) < 2:
            return None
        times = np.array([sample.time_s for sample in recent])
        points = np.array([sample.centre for sample in recent])
        offsets = times - times.mean()
        spread = float(offsets @ offsets)
        if spread < 1e-9:
            return None
        velocity: Array = offsets @ points / spread
        return velocity, recent[-1]


@dataclass(frozen=True, slots=True)
class Crossing:
    """A snapshot line was crossed: which gate, and when (interpolated); ``coasted``: after the vehicle was last seen."""

    gate: int
    time_s: float
    coasted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Recovery:
    """A track was found again after a while: first video time after the gap, and the velocity (2,) on the ground before it."""

    time_s: float
    before: Array


@dataclass(slots=True)
class Host:
    """A larger box that another vehicle was seen in.

    Attributes:
        frames: how many. lately: share of the time, the last second weighing most, 0..1. corner: the same, in a corner of it.
        moved: whether it had moved by then.
    """

    frames: int = 0
    lately: float = 0.0
    corner: float = 0.0
    moved: bool = False


@dataclass(slots=True)
class Inside:
    """How much a vehicle was seen, and seen inside another's box.

    Attributes:
        seen, inside: frames of its life. hosts: inside whose box, by track id. last_s: video time of the newest frame.
    """

    seen: int = 0
    inside: int = 0
    hosts: dict[TrackId, Host] = field(default_factory=dict)
    last_s: float | None = None


@dataclass(slots=True, eq=False)
class Vehicle:
    """State of one vehicle.

    Attributes:
        track: newest report of its track.
        trajectory: its samples.
        armed: bool (g,): it has been clearly before this gate's line since it last was clearly beyond it.
        counted: gates at which it was counted.
        pending: a crossing not stated yet.
        last_matched_s: video time of its last matched detection.
        sure_s: video time of the last detection that was not doubtful.
        lane: index of the lane it is in, -1 for none; changes only after ``lane_since_s`` has been long enough ago.
        moved: it is no parked or false object: the track says so, or its contact point has come far (see ``has_come_far``).
        unproven: a crossing of a vehicle that has not moved enough yet to be believed.
        continued: a new track carries this vehicle on.
        recovery: of its track, the last one; None when it was never lost for long.
        successor: the vehicle under its new track, where it is ``continued``.
        part_of: what it may be a part of, while that is not known (see ``traffic.passages.waiting``).
        counted_as_part: gate at which what it was a part of was counted.
        parts: how often it was seen inside which other vehicle's box (see ``traffic.passages.parts``).
    """

    track: Track
    last_matched_s: float
    trajectory: Trajectory = field(default_factory=Trajectory)
    armed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    counted: tuple[int, ...] = ()
    pending: Crossing | None = None
    sure_s: float = -math.inf
    lane: int = -1
    lane_candidate: int = -1
    lane_since_s: float = 0.0
    moved: bool = False
    unproven: Crossing | None = None
    continued: bool = False
    recovery: Recovery | None = None
    successor: "Vehicle | None" = None
    part_of: "tuple[Vehicle, ...]" = ()
    counted_as_part: tuple[int, ...] = ()
    parts: Inside = field(default_factory=Inside)

    def has_come_far(self, aspect: float) -> bool:
        """Whether the contact point is 1.5 diagonals of the first box away from where it was first seen.

        A tall vehicle that comes straight at the camera grows more than it shifts, so the tracker may not call it moved for
        long; a parked one that is half hidden for a moment moves an edge of its box by less than its own size."""
        samples = self.trajectory.samples
        begin = next((sample.box for sample in samples if sample.measured), None)
        if begin is None:
            return False
        now = samples[-1].box
        way = math.hypot((now[0] + now[2] - begin[0] - begin[2]) / 2 * aspect, now[3] - begin[3])
        return way > _FAR_DIAGONALS * math.hypot((begin[2] - begin[0]) * aspect, begin[3] - begin[1])

    def continued_as(self, track: Track) -> "Vehicle":
        """The same vehicle under the id of a new track."""
        self.continued = True
        self.successor = Vehicle(
            track=track,
            last_matched_s=self.last_matched_s,
            trajectory=self.trajectory.copy(),
            armed=self.armed.copy(),
            counted=self.counted,
            pending=self.pending,
            sure_s=self.sure_s,
            lane=self.lane,
            lane_candidate=self.lane_candidate,
            lane_since_s=self.lane_since_s,
            moved=self.moved,
            unproven=self.unproven,
            parts=copy.deepcopy(self.parts),  # the old track may be found again and go on with its own
        )
        return self.successor
