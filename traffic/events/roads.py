"""The scene as events see it: lanes with places along and across them, groups of lanes, regions by their kinds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.geometry import contains
from traffic.passages.view import GroundView
from traffic.scene.model import Lane, LaneUse, Region, RegionKind, Scene

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_SAME_WAY_COS = 0.7
_STEEP = 0.35  # vertical share of a direction in the picture: up or down, not across
_STATIONS = 17


@dataclass(frozen=True, slots=True, eq=False)
class Road:
    """One lane on the ground.

    Attributes:
        lane: of the scene, or learned.
        path: (k, 2), its middle line on the ground. length: of the lane, in ground units. start: arc length where it begins.
        stations: (17,), places along the lane. left, right: (17,), distances of its edges from the middle there; positive.
        stop: place of the stop line along the lane; None: it has none.
        handed: 1 when the driver's right is the positive side of the ground's cross product, else -1.
    """

    lane: Lane
    path: Array
    start: float
    length: float
    stations: Array
    left: Array
    right: Array
    stop: float | None
    handed: float = 1.0

    def locate(self, points: Array) -> tuple[Array, Array, Array]:
        """Places along (n,) and across (n,) the lane, and its unit direction (n, 2) there, of ground points (n, 2).

        Across is -1 at the left edge and 1 at the right one, seen in the direction of travel in the picture.
        """
        starts, steps = self.path[:-1], np.diff(self.path, axis=0)
        lengths = np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-12)
        before = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
        share = ((points[:, None] - starts) * steps).sum(axis=2) / lengths**2
        low = np.where(np.arange(len(steps)) == 0, -np.inf, 0.0)
        high = np.where(np.arange(len(steps)) == len(steps) - 1, np.inf, 1.0)
        share = np.clip(share, low, high)
        off = points[:, None] - starts - share[..., None] * steps
        best = (off**2).sum(axis=2).argmin(axis=1)
        rows = np.arange(len(points))
        unit = steps[best] / lengths[best][:, None]
        along = before[best] + share[rows, best] * lengths[best] - self.start
        aside = self.handed * (unit[:, 0] * off[rows, best, 1] - unit[:, 1] * off[rows, best, 0])
        width = np.where(aside < 0, np.interp(along, self.stations, self.left), np.interp(along, self.stations, self.right))
        return along, aside / np.maximum(width, 1e-9), unit


class RoadMap:
    """All lanes and regions of one view; learned lanes when the scene draws none.

    Attributes:
        roads: None where a lane cannot be laid on the ground (beyond the horizon).
        groups: lane indices that lead the same way, driving lanes only.
        emergency: bool (l,), lanes that are hard shoulders.
        drawn: whether the lanes are the scene's.
    """

    def __init__(self, scene: Scene, lanes: Sequence[Lane], view: GroundView, *, drawn: bool) -> None:
        self.scene, self.lanes, self.view, self.drawn = scene, tuple(lanes), view, drawn
        self._lane_shapes = [np.asarray(lane.polygon, np.float64) for lane in lanes]
        self._region_shapes = [np.asarray(region.polygon, np.float64) for region in scene.regions]
        self.roads = [_straighten(lane, view) for lane in lanes]
        self.groups = self._group()
        self.emergency = np.array([lane.use is LaneUse.EMERGENCY for lane in lanes], bool)

    @property
    def highway(self) -> bool:
        """Whether the scene says that this is a highway."""
        return bool(self.scene.highway)

    @property
    def signalled(self) -> bool:
        """Whether traffic lights are known to be, or may be, ahead: a stop line is drawn, or nothing is."""
        return not self.drawn or any(lane.stop_line is not None for lane in self.lanes)

    def in_lanes(self, points: Array) -> Flags:
        """bool (l, n): which relative image points (n, 2) lie in which lane."""
        return _inside(self._lane_shapes, points)

    def in_regions(self, points: Array) -> Flags:
        """bool (r, n): which relative image points (n, 2) lie in which region."""
        return _inside(self._region_shapes, points)

    def regions(self, *kinds: RegionKind) -> list[tuple[int, Region]]:
        """Regions of some kinds, with their index."""
        return [(i, region) for i, region in enumerate(self.scene.regions) if region.kind in kinds]

    def group_of(self, lane: int) -> int:
        """Index of the group of a lane; -1 for none."""
        return next((i for i, group in enumerate(self.groups) if lane in group), -1)

    def _group(self) -> list[list[int]]:
        """Lanes whose directions agree belong together; opposite carriageways do not."""
        groups: list[list[int]] = []
        ways: list[Array] = []
        for index, road in enumerate(self.roads):
            if road is None or self.lanes[index].use is LaneUse.EMERGENCY:
                continue
            way = road.path[-1] - road.path[0]
            way = way / max(float(np.hypot(way[0], way[1])), 1e-12)
            for group, other in zip(groups, ways, strict=True):
                if self._same_way(way, other):
                    group.append(index)
                    break
            else:
                groups.append([index])
                ways.append(way)
        return groups

    def _same_way(self, way: Array, other: Array) -> bool:
        """Whether two unit directions are one; in the picture lanes of one direction fan out from where they vanish."""
        if float(way @ other) > _SAME_WAY_COS:
            return True
        steep = min(abs(float(way[1])), abs(float(other[1]))) >= _STEEP
        return not self.view.metric and steep and float(way[1]) * float(other[1]) > 0


def _inside(shapes: Sequence[Array], points: Array) -> Flags:
    if not shapes or not len(points):
        return np.zeros((len(shapes), len(points)), bool)
    return np.stack([contains(shape, points) for shape in shapes])


def _straighten(lane: Lane, view: GroundView) -> Road | None:
    path = view.to_ground(np.asarray(lane.direction, np.float64))
    outline = view.to_ground(np.asarray(lane.polygon, np.float64))
    line = view.to_ground(np.asarray(lane.snapshot_line, np.float64))
    if not (np.isfinite(path).all() and np.isfinite(outline).all() and np.isfinite(line).all()):
        return None
    bare = Road(lane, path, 0.0, 0.0, np.zeros(1), np.ones(1), np.ones(1), None, handed=_handedness(lane, view))
    ends = bare.locate(outline)[0]
    start, length = float(ends.min()), float(ends.max() - ends.min())
    if length <= 0:
        return None
    stations = np.linspace(0, length, _STATIONS)
    edges = [_edges(bare, outline, line[1] - line[0], start + at, metric=view.metric) for at in stations]
    known = [k for k, edge in enumerate(edges) if edge is not None]
    if not known:
        return None
    left = np.interp(np.arange(_STATIONS), known, [edges[k][0] for k in known])  # type: ignore[index]
    right = np.interp(np.arange(_STATIONS), known, [edges[k][1] for k in known])  # type: ignore[index]
    stop = None
    if lane.stop_line is not None:
        middle = view.to_ground(np.asarray(lane.stop_line, np.float64)).mean(axis=0)
        stop = float(bare.locate(middle[None])[0][0]) - start
    return Road(lane, path, start, length, stations, left, right, stop, handed=bare.handed)


def _handedness(lane: Lane, view: GroundView) -> float:
    """1 when the right of the direction of travel in the picture is the positive side of the ground's cross product."""
    start, end = np.asarray(lane.direction[0]), np.asarray(lane.direction[-1])
    middle, way = (start + end) / 2, (end - start) * np.array([view.aspect, 1.0])
    right = np.array([-way[1] / view.aspect, way[0]])
    right = right * 0.02 / max(float(np.hypot(right[0], right[1])), 1e-9)
    ground = view.to_ground(np.stack([start, end, middle, middle + right]))
    along, aside = ground[1] - ground[0], ground[3] - ground[2]
    return 1.0 if float(along[0] * aside[1] - along[1] * aside[0]) > 0 else -1.0


def _edges(road: Road, outline: Array, across: Array, at: float, *, metric: bool) -> tuple[float, float] | None:
    """Distances of the outline from the middle line, to the left and right, at arc length ``at``.

    On the calibrated road they are measured at right angles; in the picture along the snapshot line, which was drawn
    across the road.
    """
    steps = np.diff(road.path, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    before = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    piece = int(np.clip(np.searchsorted(before, at, side="right") - 1, 0, len(steps) - 1))
    unit = steps[piece] / max(float(lengths[piece]), 1e-12)
    middle = road.path[piece] + unit * (at - before[piece])
    normal = np.array([-unit[1], unit[0]]) * road.handed
    way = normal if metric else across / max(float(np.hypot(across[0], across[1])), 1e-12)
    if float(way @ normal) < 0:
        way = -way
    sine = float(way @ normal)
    met = []
    for one, two in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        edge = two - one
        cross = float(way[0] * edge[1] - way[1] * edge[0])
        if abs(cross) < 1e-12:
            continue
        gap = one - middle
        share = float(gap[0] * way[1] - gap[1] * way[0]) / cross
        if 0 <= share <= 1:
            met.append(float(gap[0] * edge[1] - gap[1] * edge[0]) / cross * sine)
    low, high = [-x for x in met if x < 0], [x for x in met if x > 0]
    return (min(low), min(high)) if low and high else None
