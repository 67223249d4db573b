"""From a stream of paths to lanes: where the snapshot line lies, which lanes there are, their outlines."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.facts import Turn
from traffic.geometry import self_crossing
from traffic.passages.learning_config import LearningConfig
from traffic.passages.paths import POINTS, Path
from traffic.scene.model import ImagePoint, Lane, Segment

Array = NDArray[np.float64]

_REACH_WIDTHS = 8.0  # a stream is at most this wide on each side of its spine, in box widths
_BANDWIDTH = 0.3  # of the density of lateral positions, box widths
_VALLEY = 0.75  # between two lanes the density falls below this share of the lower mode
_CENTRE_POINTS = 8
_STEEP = 0.5
_COMMON = 0.5  # share of its paths that must run through a section of a lane


@dataclass(frozen=True, slots=True, eq=False)
class Station:
    """A line across a stream and where the paths cross it.

    Attributes:
        origin, across, travel: float64 (2,): a point of the spine, the unit vector along the line (to the driver's right)
            and the line's unit normal in the direction of travel.
        rows: int64 (m,), which paths cross it with room before and after. offsets: float64 (m,), where, along ``across``.
        widths, heights: float64 (m,), boxes there. whole: bool (m,), not cut by the border.
    """

    origin: Array
    across: Array
    travel: Array
    rows: NDArray[np.int64]
    offsets: Array
    widths: Array
    heights: Array
    whole: NDArray[np.bool_]

    def point(self, offset: float) -> Array:
        """The point (2,) of the line at ``offset``."""
        point: Array = self.origin + self.across * offset
        return point


def lanes_of_stream(
    group: Sequence[Path], others: Sequence[Path], aspect: float, first_number: int, config: LearningConfig
) -> list[Lane]:
    """Lanes of one stream, numbered from ``first_number`` from the driver's left to the right; empty when no line across
    the stream is crossed clearly by any path."""
    spine = max(group, key=lambda path: (path.length, -path.start_s))
    stations = [_station(spine, index, group) for index in range(1, POINTS - 1)]
    best = _best_line(stations, group, others)
    if best is None:
        return []
    line = stations[best]
    width = float(np.median(line.widths))
    bounds = _lane_bounds(line.offsets / width, config) * width
    turn = _turn(group)
    lanes: list[Lane] = []
    for low, high in itertools.pairwise(bounds):
        members = line.rows[(line.offsets >= low) & (line.offsets < high)]
        lane = _lane(stations, best, members, (float(low), float(high)), aspect, first_number + len(lanes), turn)
        if lane is not None:
            lanes.append(lane)
    return lanes


def _station(spine: Path, index: int, group: Sequence[Path]) -> Station:
    origin, width = spine.points[index], float(spine.widths[index])
    travel = spine.tangents[max(index - 1, 0) : index + 2].mean(axis=0)
    travel = travel / max(float(np.hypot(travel[0], travel[1])), 1e-12)
    if abs(travel[1]) > _STEEP:  # the camera looks along the road: what lies abreast on it is level in the picture
        travel = np.array([0.0, math.copysign(1.0, travel[1])])
    across = np.array([-travel[1], travel[0]])
    rows, offsets, widths, heights, whole = [], [], [], [], []
    for row, path in enumerate(group):
        way = (path.points - origin) @ travel
        side = (path.points - origin) @ across
        room = 0.15 * path.heights
        for k in np.flatnonzero((way[:-1] < 0) & (way[1:] >= 0)):
            share = way[k] / (way[k] - way[k + 1])
            offset = side[k] + share * (side[k + 1] - side[k])
            if abs(offset) <= _REACH_WIDTHS * width and way.min() < -room[k] and way.max() > room[k]:
                rows.append(row)
                offsets.append(offset)
                widths.append(path.widths[k])
                heights.append(path.heights[k])
                whole.append(path.whole[k] and path.whole[k + 1])
                break
    return Station(
        origin=origin,
        across=across,
        travel=travel,
        rows=np.array(rows, np.int64),
        offsets=np.array(offsets),
        widths=np.array(widths),
        heights=np.array(heights),
        whole=np.array(whole, bool),
    )


def _best_line(stations: Sequence[Station], group: Sequence[Path], others: Sequence[Path]) -> int | None:
    """The station where most paths pass, vehicles are large and whole, and other streams do not run."""
    tallest = max((float(np.median(s.heights)) for s in stations if len(s.rows)), default=0.0)
    best, best_score = None, 0.0
    for index, station in enumerate(stations):
        if not len(station.rows):
            continue
        passed = len(station.rows) / max(len(station.rows) + _missing(station, group), 1)
        large = float(np.median(station.heights)) / tallest
        whole = float(station.whole.mean())
        score = passed**6 * large * whole**2 * (1 - 0.5 * _disturbance(station, others))
        if score > best_score + 1e-9:
            best, best_score = index, score
    return best


def _missing(station: Station, group: Sequence[Path]) -> int:
    """Paths that do not cross the station and will not: those still under way towards it say nothing against it."""
    crossing = set(station.rows.tolist())
    return sum(
        row not in crossing and (path.ended or float((path.points[-1] - station.origin) @ station.travel) > 0)
        for row, path in enumerate(group)
    )


def _disturbance(station: Station, others: Sequence[Path]) -> float:
    """Share of all paths over this part of the line, in this direction, that belong to other streams."""
    width = float(np.median(station.widths))
    low, high = station.offsets.min() - width, station.offsets.max() + width
    foreign = 0
    for path in others:
        way, side = (path.points - station.origin) @ station.travel, (path.points - station.origin) @ station.across
        over = (way[:-1] < 0) & (way[1:] >= 0) & (side[:-1] > low) & (side[:-1] < high)
        foreign += bool((over & (path.tangents[:-1] @ station.travel > 0.7)).any())
    return foreign / (foreign + len(station.rows))


def _lane_bounds(offsets: Array, config: LearningConfig) -> Array:
    """Bounds between lanes, in box widths: the valleys of the density of lateral positions, and an outer margin."""
    low, high = float(offsets.min()), float(offsets.max())
    grid = np.arange(low - 1.0, high + 1.0, 0.05)
    density = np.exp(-0.5 * ((grid[:, None] - offsets) / _BANDWIDTH) ** 2).sum(axis=1)
    inner = density[1:-1]
    peaks = [int(p) + 1 for p in np.flatnonzero((inner >= density[:-2]) & (inner > density[2:]))]
    chosen: list[int] = []
    for peak in sorted(peaks, key=lambda p: (-density[p], p)):
        if all(_apart(density, grid, peak, other, config.lane_pitch_boxes) for other in chosen):
            chosen.append(peak)
    chosen.sort()
    valleys = [float(grid[a + int(density[a : b + 1].argmin())]) for a, b in itertools.pairwise(chosen)]
    return np.array([low - 0.9, *valleys, high + 0.9])


def _apart(density: Array, grid: Array, first: int, second: int, pitch: float) -> bool:
    a, b = sorted((first, second))
    return bool(grid[b] - grid[a] >= pitch and density[a : b + 1].min() < _VALLEY * min(density[a], density[b]))


def _lane(
    stations: Sequence[Station],
    best: int,
    members: NDArray[np.int64],
    bounds: tuple[float, float],
    aspect: float,
    number: int,
    turn: Turn,
) -> Lane | None:
    """One lane around the paths ``members``: its middle follows their median, its width the size of the boxes."""
    line = stations[best]
    width = float(np.median(line.widths))
    middle = float(np.median(line.offsets[np.isin(line.rows, members)]))
    sections: list[tuple[int, Array, Array, Array]] = []
    for index, station in enumerate(stations):
        own = np.isin(station.rows, members)
        if index != best and own.sum() < _COMMON * len(members):
            continue
        centre = float(np.median(station.offsets[own])) if own.any() else middle
        scale = float(np.median(station.widths[own])) / width if own.any() else 1.0
        left, right = centre + (bounds[0] - middle) * scale, centre + (bounds[1] - middle) * scale
        sections.append((index, station.point(left), station.point(centre), station.point(right)))
    sections = _connected(sections, best)
    if len(sections) < 2:
        return None
    polygon = _outline(sections, best, aspect)
    middles = np.array([section[2] for section in sections])
    kept = np.unique(np.linspace(0, len(middles) - 1, min(_CENTRE_POINTS, len(middles))).round().astype(int))
    return Lane(
        road_num=number,
        road_name="",
        polygon=polygon,
        direction=tuple(_relative(middles[index], aspect) for index in kept),
        turn=turn,
        snapshot_line=_segment(line, bounds, aspect),
        entry_line=_entry(stations, best, sections, aspect),
    )


def _connected(sections: list[tuple[int, Array, Array, Array]], best: int) -> list[tuple[int, Array, Array, Array]]:
    """The sections around the line without a gap of more than one."""
    place = next(k for k, section in enumerate(sections) if section[0] == best)
    low = high = place
    while low > 0 and sections[low][0] - sections[low - 1][0] <= 2:
        low -= 1
    while high < len(sections) - 1 and sections[high + 1][0] - sections[high][0] <= 2:
        high += 1
    return sections[low : high + 1]


def _outline(sections: list[tuple[int, Array, Array, Array]], best: int, aspect: float) -> tuple[ImagePoint, ...]:
    """The lane's polygon; sections far from the line are left out until it does not cross itself."""
    reach = POINTS
    while True:
        near = [section for section in sections if abs(section[0] - best) <= reach]
        points = [_relative(s[1], aspect) for s in near] + [_relative(s[3], aspect) for s in reversed(near)]
        if reach <= 1 or self_crossing(points) is None:
            return tuple(points)
        reach -= 1


def _segment(station: Station, bounds: tuple[float, float], aspect: float) -> Segment:
    return _relative(station.point(bounds[0]), aspect), _relative(station.point(bounds[1]), aspect)


def _entry(
    stations: Sequence[Station], best: int, sections: list[tuple[int, Array, Array, Array]], aspect: float
) -> Segment | None:
    """The first section before the line that most of its paths cross as well."""
    enough = 0.7 * len(stations[best].rows)
    for index, left, _, right in sections:
        if index < best - 1 and len(stations[index].rows) >= enough:
            return _relative(left, aspect), _relative(right, aspect)
    return None


def _relative(point: Array, aspect: float) -> ImagePoint:
    return float(np.clip(point[0] / aspect, 0.0, 1.0)), float(np.clip(point[1], 0.0, 1.0))


def _turn(group: Sequence[Path]) -> Turn:
    """Turn from the change of direction in the picture; the picture shows the road from above, so right stays right."""
    changes = []
    for path in group:
        first, last = path.tangents[1:4].mean(axis=0), path.tangents[-4:-1].mean(axis=0)
        changes.append(np.degrees(np.arctan2(first[0] * last[1] - first[1] * last[0], first @ last)))
    change = float(np.median(changes))
    if abs(change) < 50:
        return Turn.STRAIGHT
    if abs(change) > 140:
        return Turn.U_TURN
    return Turn.RIGHT if change > 0 else Turn.LEFT
