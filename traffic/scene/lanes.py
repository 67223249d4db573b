"""Reads one lane of a scene document and holds its lines and its direction of travel against its polygon."""

import itertools
import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

import numpy as np

from traffic.facts import Turn
from traffic.geometry import Points, along_polyline, contains, segment_meets_polygon
from traffic.scene.model import Boundary, ImagePoint, Lane, LaneUse, Segment
from traffic.scene.reading import Reader
from traffic.scene.rule_reading import read_kinds

_E = TypeVar("_E", bound=StrEnum)
TURNS = {"other": Turn.OTHER, "left": Turn.LEFT, "straight": Turn.STRAIGHT, "right": Turn.RIGHT, "uTurn": Turn.U_TURN}
_OUTSIDE = 0.02  # how far the direction may leave the lane, in relative image units: hand-drawn ends overshoot a little
_SAMPLES = 24  # places per piece of the direction at which it is tested
_ON_EDGE = 1e-9  # share of the line's length within which its end is on the edge: rounding puts a corner on either side
_SHORT_OF_EDGE = 0.1  # share of the lane's width by which a line may miss the lane's edge
_ALONG = 0.2  # sine of the angle below which a line runs along the direction of travel instead of across it


def read_lane(reader: Reader, item: object, path: str) -> Lane | None:
    """The lane at ``path``; None when anything about it is wrong.

    The ends of its lines may be given in either order; in the lane the end to the left of the direction of travel is first.
    """
    data = reader.mapping(item, path)
    if data is None:
        return None
    before = len(reader.problems)
    road_num = reader.integer(data, "roadNum", path)
    name = reader.text(data, "roadName", path)
    turn = data.get("turn", "straight")
    if not isinstance(turn, str) or turn not in TURNS:
        names = ", ".join(TURNS)
        reader.fail(f"{path}.turn", f"须为 {names} 之一", f"must be one of {names}")
    polygon = reader.polygon(data.get("polygon"), f"{path}.polygon")
    direction = reader.points(data.get("direction"), f"{path}.direction", 2)
    snapshot = _line(reader, data, "snapshotLine", path, polygon, direction)
    entry = _line(reader, data, "entryLine", path, polygon, direction) if data.get("entryLine") is not None else None
    stop = _line(reader, data, "stopLine", path, polygon, direction) if data.get("stopLine") is not None else None
    limit = reader.number(data, "speedLimitKmh", path, 1, 300)
    least = reader.number(data, "minSpeedKmh", path, 1, 200)
    if limit is not None and least is not None and least >= limit:
        reader.fail(f"{path}.minSpeedKmh", "须小于 speedLimitKmh", "must be below speedLimitKmh")
    left = _choice(reader, data, "leftBoundary", path, Boundary, Boundary.DASHED)
    right = _choice(reader, data, "rightBoundary", path, Boundary, Boundary.DASHED)
    use = _choice(reader, data, "use", path, LaneUse, LaneUse.DRIVING)
    disabled = read_kinds(reader, data, path)
    if direction and polygon:
        _check_direction(reader, direction, polygon, f"{path}.direction")
    if direction and snapshot and entry:
        _check_order(reader, direction, snapshot, entry, path)
    if len(reader.problems) > before or not polygon or not direction or not snapshot or road_num is None:
        return None
    return Lane(
        road_num=road_num, road_name=name, polygon=polygon, direction=direction, turn=TURNS[str(turn)],
        snapshot_line=snapshot, entry_line=entry, stop_line=stop, speed_limit_kmh=limit, min_speed_kmh=least,
        left_boundary=left, right_boundary=right, use=use, disabled_events=disabled,
    )  # fmt: skip


def _choice(reader: Reader, data: Mapping[str, object], key: str, path: str, kinds: type[_E], default: _E) -> _E:
    """One of the texts of ``kinds``; the default when it is absent or unusable."""
    value = data.get(key)
    if value is None:
        return default
    known = {str(member): member for member in kinds}
    if not isinstance(value, str) or value not in known:
        names = ", ".join(known)
        reader.fail(f"{path}.{key}", f"须为 {names} 之一", f"must be one of {names}")
        return default
    return known[value]


def _line(
    reader: Reader,
    data: Mapping[str, object],
    key: str,
    path: str,
    polygon: Sequence[ImagePoint] | None,
    direction: Sequence[ImagePoint] | None,
) -> Segment | None:
    """A line across the lane, its left end (seen in the direction of travel) first."""
    place = f"{path}.{key}"
    line = reader.segment(data.get(key), place)
    if line is None:
        return None
    if polygon and not segment_meets_polygon(line[0], line[1], polygon):
        reader.fail(place, "位于车道之外; 须横穿车道多边形", "lies outside its lane; it must cut the lane's polygon")
        return None
    across = 1.0 if direction is None else _across(direction, line)
    if abs(across) <= _ALONG:
        reader.fail(place, "须横穿行驶方向, 不能与其平行", "must cut across the direction of travel, not run along it")
        return None
    if polygon and not _reaches_edges(line, polygon):
        reader.fail(
            place,
            "有端点落在车道内部; 须从车道一侧边缘画到另一侧",
            "ends inside its lane; it must cut the lane's polygon from edge to edge",
        )
        return None
    return line if across > 0 else (line[1], line[0])


def _across(direction: Sequence[ImagePoint], line: Segment) -> float:
    """Sine of the angle from the direction of travel to ``line``; positive when the line's first end is to the left."""
    (dx, dy), (sx, sy) = _travel(direction, line), (line[1][0] - line[0][0], line[1][1] - line[0][1])
    return (dx * sy - dy * sx) / max(math.hypot(dx, dy) * math.hypot(sx, sy), 1e-12)


def _travel(direction: Sequence[ImagePoint], line: Segment) -> tuple[float, float]:
    """Direction of travel where ``line`` is: that of the piece of the polyline nearest to the line's middle."""
    middle = np.asarray(line).mean(axis=0)
    pieces = list(itertools.pairwise(direction))

    def distance(piece: tuple[ImagePoint, ImagePoint]) -> float:
        return float(_distances(np.asarray(piece), middle[None], closed=False)[0])

    a, b = min(pieces, key=distance)
    return b[0] - a[0], b[1] - a[1]


def _reaches_edges(line: Segment, polygon: Sequence[ImagePoint]) -> bool:
    """Whether both ends lie outside the polygon, on its edge, or short of it by less than a tenth of the width there."""
    (ax, ay), (bx, by) = line
    dx, dy = bx - ax, by - ay
    met = []  # places along the line (0 at its first, 1 at its second end) where it, prolonged, meets the polygon
    for (cx, cy), (ex, ey) in itertools.pairwise([*polygon, polygon[0]]):
        fx, fy = ex - cx, ey - cy
        cross = dx * fy - dy * fx
        if abs(cross) < 1e-15:
            continue
        along = ((cx - ax) * dy - (cy - ay) * dx) / cross
        if 0 <= along <= 1:
            met.append(((cx - ax) * fy - (cy - ay) * fx) / cross)
    ends = contains(np.asarray(polygon, float), np.asarray(line, float))
    for place, inside in zip((0.0, 1.0), ends, strict=True):
        before, after = [t for t in met if t <= place], [t for t in met if t > place]
        on_edge = any(abs(t - place) <= _ON_EDGE for t in met)
        if on_edge or not inside or not before or not after:
            continue
        low, high = max(before), min(after)
        missing = place - low if place == 0 else high - place
        if missing > _SHORT_OF_EDGE * (high - low):
            return False
    return True


def _check_direction(reader: Reader, direction: Sequence[ImagePoint], polygon: Sequence[ImagePoint], path: str) -> None:
    if any(math.dist(a, b) < 1e-4 for a, b in itertools.pairwise(direction)):
        reader.fail(
            path,
            "相邻两点重合; 请从上游画到下游",
            "neighbouring points coincide; draw them from upstream to downstream",
        )
        return
    share = np.linspace(0, 1, _SAMPLES)[:, None]
    places = np.concatenate([np.asarray(a) * (1 - share) + np.asarray(b) * share for a, b in itertools.pairwise(direction)])
    outline = np.asarray(polygon, float)
    outside = places[~contains(outline, places)]
    if len(outside) and _distances(outline, outside, closed=True).max() > _OUTSIDE:
        reader.fail(path, "须位于车道多边形之内", "must lie inside the lane's polygon")


def _check_order(reader: Reader, direction: Sequence[ImagePoint], snapshot: Segment, entry: Segment, path: str) -> None:
    middles = np.stack([np.asarray(entry).mean(axis=0), np.asarray(snapshot).mean(axis=0)])
    places = along_polyline(np.asarray(direction), middles)
    if places[0] >= places[1]:
        reader.fail(
            f"{path}.entryLine",
            "须位于抓拍线 snapshotLine 的上游 (车辆先经过它)",
            "must lie upstream of the snapshotLine (vehicles meet it first)",
        )


def _distances(corners: Points, points: Points, *, closed: bool) -> Points:
    """Distance (n,) of ``points`` (n, 2) from a polyline or, when ``closed``, from a polygon's boundary."""
    starts, ends = (corners, np.roll(corners, -1, axis=0)) if closed else (corners[:-1], corners[1:])
    steps = ends - starts
    lengths = np.maximum((steps**2).sum(axis=1), 1e-30)
    share = np.clip(((points[:, None] - starts) * steps).sum(axis=2) / lengths, 0, 1)
    nearest = starts + share[..., None] * steps
    result: Points = np.sqrt(((points[:, None] - nearest) ** 2).sum(axis=2)).min(axis=1)
    return result
