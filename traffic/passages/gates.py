"""Lanes compiled for one view: snapshot and entry lines on the ground, lane lookup, which lines exclude each other."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.geometry import contains
from traffic.passages.view import GroundView
from traffic.scene.model import ImagePoint, Lane, Segment

Array = NDArray[np.float64]

_SAME_STATION_M = 25.0  # stop lines of neighbouring lanes are staggered by less; successive stations are further apart
_SAME_STATION_WIDTHS = 1.5  # without metres: in lane widths at the line
_SAME_STATION_COS = 0.5
_SIDE_VIEW_COS = 0.5  # within 60° of the line of sight we see the front or the rear of a vehicle, else its side


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line across a lane on the ground.

    Attributes:
        origin: float64 (2,), middle of the lane on the line.
        downstream: float64 (2,), unit normal of the line in the direction of travel.
        across: float64 (2,), unit vector along the line.
        half_width: half the lane's width along the line.
    """

    origin: Array
    downstream: Array
    across: Array
    half_width: float

    def signed(self, points: Array) -> Array:
        """Signed distance of points (..., 2) from the line, positive downstream."""
        distance: Array = (points - self.origin) @ self.downstream
        return distance

    def beside(self, points: Array) -> Array:
        """How far points (..., 2) are outside the lane along the line, in lane widths; negative inside (-0.5 in the middle)."""
        offset: Array = np.abs((points - self.origin) @ self.across) / (2 * self.half_width) - 0.5
        return offset


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """Where the vehicles of one lane are counted.

    Attributes:
        lane: the lane.
        line: its snapshot line.
        entry: start of the measuring section; None when it does not lie before the line.
        direction: float64 (2,), unit vector of travel at the line, on the ground.
        seen_end: which end of a vehicle meets the road where we see it: +0.5 front, -0.5 rear, 0 side (its middle);
            times the vehicle's length it is the way from its centre to the point whose crossing counts.
    """

    lane: Lane
    line: Line
    entry: Line | None
    direction: Array
    seen_end: float


class Gates:
    """All lanes of one view.

    Attributes:
        gates: in order of the lanes.
        exclusive: bool (g, g): a vehicle counted at one line is not counted at the other (same lane, or lanes side by side).
    """

    def __init__(self, lanes: Sequence[Lane], view: GroundView, *, once_only: bool = False) -> None:
        """``once_only``: a vehicle is counted once in all lanes together (learned lanes may follow each other)."""
        self.lanes = tuple(lanes)
        self.view = view
        self.gates = tuple(_compile(lane, view) for lane in lanes)
        self._polygons = tuple(np.asarray(lane.polygon, np.float64) for lane in lanes)
        count = len(self.gates)
        self.origins = np.array([gate.line.origin for gate in self.gates]).reshape(count, 2)
        self.normals = np.array([gate.line.downstream for gate in self.gates]).reshape(count, 2)
        self.seen_ends = np.array([gate.seen_end for gate in self.gates])
        self.directions = np.array([gate.direction for gate in self.gates]).reshape(count, 2)
        self.exclusive = np.ones((count, count), bool) if once_only else _exclusive(self.gates, view.metric)

    def __len__(self) -> int:
        return len(self.gates)

    def signed(self, centres: Array, ahead: Array) -> Array:
        """Signed distance (n, g) of vehicles' counting points from the snapshot lines, positive downstream.

        Args:
            centres: float64 (n, 2), on the ground. ahead: float64 (n, 2), from the rear to the front of each vehicle
                (heading times length; zero where unknown).
        """
        way: Array = (centres @ self.normals.T) - (self.origins * self.normals).sum(axis=1)
        result: Array = way + (ahead @ self.normals.T) * self.seen_ends
        return result

    def lane_at(self, points: Array) -> NDArray[np.int64]:
        """Index of the lane that contains each relative image point (n, 2); -1 for none. The first of overlapping lanes wins."""
        found = np.full(len(points), -1, np.int64)
        for index in range(len(self._polygons) - 1, -1, -1):
            found[contains(self._polygons[index], points)] = index
        return found


def _compile(lane: Lane, view: GroundView) -> Gate:
    path = view.to_ground(np.asarray(lane.direction, np.float64))
    line = _line(lane.snapshot_line, lane, path, view)
    direction = _tangent(path, line.origin)
    entry = _line(lane.entry_line, lane, path, view) if lane.entry_line else _upstream_edge(lane, path, line, view)
    if entry is not None and line.signed(entry.origin) >= 0:
        entry = None
    return Gate(lane=lane, line=line, entry=entry, direction=direction, seen_end=_seen_end(line.origin, direction, view))


def _line(segment: Segment, lane: Lane, path: Array, view: GroundView) -> Line:
    ends = view.to_ground(np.asarray(_inside(segment, lane.polygon), np.float64))
    middle, across = (ends[0] + ends[1]) / 2, ends[1] - ends[0]
    return _line_through(middle, across, _tangent(path, middle))


def _line_through(middle: Array, across: Array, travel: Array) -> Line:
    width = max(float(np.hypot(across[0], across[1])), 1e-9)
    unit = across / width
    normal = np.array([-unit[1], unit[0]])
    if normal @ travel < 0:
        normal = -normal
    return Line(origin=middle, downstream=normal, across=unit, half_width=width / 2)


def _inside(segment: Segment, polygon: Sequence[ImagePoint]) -> Segment:
    """The part of a line that lies in the lane: people draw one line across all lanes. The longest such part."""
    (ax, ay), (bx, by) = segment
    shares = [0.0, 1.0]
    for (cx, cy), (dx, dy) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        cross = (bx - ax) * (dy - cy) - (by - ay) * (dx - cx)
        if abs(cross) > 1e-12:
            along = ((cx - ax) * (dy - cy) - (cy - ay) * (dx - cx)) / cross
            beside = ((cx - ax) * (by - ay) - (cy - ay) * (bx - ax)) / cross
            if 0 < along < 1 and 0 <= beside <= 1:
                shares.append(along)
    shares.sort()
    parts = [(low, high) for low, high in itertools.pairwise(shares) if high - low > 1e-6]
    middles = np.array([[ax + (bx - ax) * (low + high) / 2, ay + (by - ay) * (low + high) / 2] for low, high in parts])
    within = contains(np.asarray(polygon, np.float64), middles)
    inside = [part for part, good in zip(parts, within, strict=True) if good]
    low, high = max(inside, key=lambda part: part[1] - part[0], default=(0.0, 1.0))
    return (ax + (bx - ax) * low, ay + (by - ay) * low), (ax + (bx - ax) * high, ay + (by - ay) * high)


def _tangent(path: Array, at: Array) -> Array:
    """Unit direction of the polyline's piece nearest to ``at``."""
    starts, steps = path[:-1], np.diff(path, axis=0)
    squares = np.maximum((steps**2).sum(axis=1), 1e-18)
    share = np.clip(((at - starts) * steps).sum(axis=1) / squares, 0, 1)
    distance = ((starts + share[:, None] * steps - at) ** 2).sum(axis=1)
    best = int(np.nan_to_num(distance, nan=np.inf).argmin())
    tangent: Array = steps[best] / math.sqrt(float(squares[best]))
    return tangent


def _upstream_edge(lane: Lane, path: Array, line: Line, view: GroundView) -> Line | None:
    """A line parallel to the snapshot line where the lane's area begins on the side the vehicles come from."""
    outline = view.to_ground(np.asarray(lane.polygon, np.float64))
    outline = outline[np.isfinite(outline).all(axis=1)]
    if not len(outline):
        return None
    ways = line.signed(outline)
    far = outline[ways <= ways.min() + 0.1 * (ways.max() - ways.min())]
    middle = far.mean(axis=0)
    return _line_through(middle, line.across * 2 * line.half_width, _tangent(path, middle))


def _seen_end(at: Array, direction: Array, view: GroundView) -> float:
    if view.camera is None:
        return 0.0
    sight = view.camera.foot - at
    distance = float(np.hypot(sight[0], sight[1]))
    if distance < 0.3 * view.camera.height_m:
        return 0.0
    toward = float(direction @ sight) / distance
    return 0.5 if toward > _SIDE_VIEW_COS else -0.5 if toward < -_SIDE_VIEW_COS else 0.0


def _exclusive(gates: Sequence[Gate], metric: bool) -> NDArray[np.bool_]:
    count = len(gates)
    result = np.eye(count, dtype=bool)
    for i, first in enumerate(gates):
        for j, second in enumerate(gates):
            apart = abs(float((second.line.origin - first.line.origin) @ first.direction))
            near = _SAME_STATION_M if metric else _SAME_STATION_WIDTHS * 2 * max(first.line.half_width, second.line.half_width)
            if apart <= near and float(first.direction @ second.direction) > _SAME_STATION_COS:
                result[i, j] = result[j, i] = True
    return result
