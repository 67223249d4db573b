"""The recent path of one object over the picture, and where it crossed a line."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.geometry import side_of
from traffic.scene import ImagePoint, Segment
from traffic.types import Box, ObjectClass, Track, TrackState

_BORDER = 0.004  # a box this near to the picture's edge (share of its size) is cut off there


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """One look at an object.

    Attributes:
        time_s: video time. contact: bottom centre of the box, relative. box: pixels.
        seen: matched in that frame (False: predicted). clipped: the box's bottom is cut off by the picture's edge.
    """

    time_s: float
    contact: ImagePoint
    box: Box
    seen: bool
    clipped: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Crossing:
    """Where a path met a line: the index of the sight after it, the moment, and the place along the line (0..1 inside)."""

    index: int
    time_s: float
    share: float


class Trajectory:
    """Bounded history of one track."""

    def __init__(self, track: Track, frame_size: tuple[int, int], limit: int) -> None:
        self.track = track
        self.sights: deque[Sight] = deque(maxlen=limit)
        self.counted: dict[int, float] = {}  # roadNum → time of the passage
        age_s = track.time_s - track.first_time_s
        if 0 < age_s < 2 and track.state is TrackState.CONFIRMED:
            # The tracker reports a track only once it is confirmed; where it was first seen follows from its velocity.
            back = _shifted(track.box, -track.velocity[0] * age_s, -track.velocity[1] * age_s)
            self.sights.append(_sight(track.first_time_s, back, frame_size, True))
        self.add(track, frame_size)

    def add(self, track: Track, frame_size: tuple[int, int]) -> None:
        """Append what the tracker says now."""
        self.track = track
        self.sights.append(_sight(track.time_s, track.box, frame_size, track.state is TrackState.CONFIRMED))

    @property
    def last(self) -> Sight:
        """The newest sight."""
        return self.sights[-1]

    @property
    def object_class(self) -> ObjectClass:
        """Voted along the track up to now."""
        return self.track.object_class

    def points(self) -> NDArray[np.float64]:
        """Contact points, float64 (n, 2), relative."""
        return np.array([sight.contact for sight in self.sights])

    def times(self) -> NDArray[np.float64]:
        """Video times, float64 (n,)."""
        return np.array([sight.time_s for sight in self.sights])

    def crossing(self, line: Segment, forwards: float, start: int = 1) -> Crossing | None:
        """The last time the path went over ``line`` in the direction of travel.

        Args:
            line: the line, extended to both sides.
            forwards: +1 when downstream is on the positive side of the line (see ``geometry.side_of``), -1 otherwise.
            start: index of the first sight that may be the one after the crossing.
        """
        start = max(start, 1)
        if len(self.sights) <= start:
            return None
        recent = [self.sights[i] for i in range(start - 1, len(self.sights))]
        points = np.array([sight.contact for sight in recent])
        sides = side_of(line[0], line[1], points) * forwards
        over = np.flatnonzero((sides[:-1] < 0) & (sides[1:] >= 0))
        if not len(over):
            return None
        i = int(over[-1])
        part = float(-sides[i] / (sides[i + 1] - sides[i]))
        at = points[i] + part * (points[i + 1] - points[i])
        step = np.subtract(line[1], line[0])
        share = float(np.dot(at - line[0], step) / max(float(np.dot(step, step)), 1e-15))
        time_s = recent[i].time_s + part * (recent[i + 1].time_s - recent[i].time_s)
        return Crossing(index=start + i, time_s=time_s, share=share)

    def image_direction(self, until: int, frame_size: tuple[int, int], window_s: float = 1.0) -> tuple[float, float]:
        """Displacement in pixels over the last ``window_s`` before sight ``until``; (0, 0) for a standing object."""
        end = self.sights[until]
        begin = next((sight for sight in self.sights if sight.time_s >= end.time_s - window_s), end)
        dx, dy = end.contact[0] - begin.contact[0], end.contact[1] - begin.contact[1]
        return dx * frame_size[0], dy * frame_size[1]


def _sight(time_s: float, box: Box, frame_size: tuple[int, int], seen: bool) -> Sight:
    width, height = frame_size
    contact = ((box[0] + box[2]) / 2 / width, box[3] / height)
    clipped = box[3] >= height * (1 - _BORDER) or box[0] <= width * _BORDER or box[2] >= width * (1 - _BORDER)
    return Sight(time_s=time_s, contact=contact, box=box, seen=seen, clipped=clipped)


def _shifted(box: Box, dx: float, dy: float) -> Box:
    return (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)
