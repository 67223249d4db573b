"""The scene document: JSON in camelCase ⇄ ``Scene``. Every fault is found and told with its place and what is allowed."""

import contextlib
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from importlib import resources

import numpy as np

from traffic.errors import GeometryError, SceneError, SceneProblem
from traffic.facts import Turn
from traffic.geometry import Homography, along_polyline, contains, segment_meets_polygon, self_crossing, signed_area
from traffic.scene.model import Calibration, CountLine, ImagePoint, Lane, Region, Scene, Segment
from traffic.types import ObjectClass

VERSION = 1
TURNS = {"other": Turn.OTHER, "left": Turn.LEFT, "straight": Turn.STRAIGHT, "right": Turn.RIGHT, "uTurn": Turn.U_TURN}
CLASSES = {member.name.lower(): member for member in ObjectClass}
LANE_KEYS = {"roadNum", "roadName", "turn", "polygon", "direction", "snapshotLine", "entryLine", "stopLine", "speedLimitKmh"}
REGION_KEYS = {"regionCode", "name", "kind", "polygon", "areaM2"}
LINE_KEYS = {"code", "name", "segment"}
SCENE_KEYS = {"version", "notes", "lanes", "regions", "countLines", "calibration", "outline", "countedClasses"}
_MAX_ITEMS, _MAX_POINTS, _MAX_TEXT, _INT32 = 64, 200, 200, 2**31 - 1
_MAX_DOCUMENT = 1_000_000
_MAX_RESIDUAL_M = 2.0
_LANE_WIDTH_M = (1.0, 30.0)  # plausible measured width of a lane, wide enough for tracks drawn generously


def parse_scene(document: Mapping[str, object] | str) -> Scene:
    """Read a scene document (a mapping or JSON text).

    Raises:
        SceneError: with every problem found.
    """
    reader = _Reader()
    scene = reader.scene(reader.load(document))
    if reader.problems or scene is None:
        raise SceneError(tuple(reader.problems))
    return scene


def scene_warnings(document: Mapping[str, object] | str) -> tuple[SceneProblem, ...]:
    """Things in a document that are allowed but probably not meant: unknown keys, overlapping lanes."""
    reader = _Reader()
    data = reader.load(document)
    warnings: list[SceneProblem] = []
    _unknown_keys(data, SCENE_KEYS, "$", warnings)
    for key, known in (("lanes", LANE_KEYS), ("regions", REGION_KEYS), ("countLines", LINE_KEYS)):
        items = data.get(key)
        for index, item in enumerate(items if isinstance(items, Sequence) and not isinstance(items, str) else ()):
            if isinstance(item, Mapping):
                _unknown_keys(item, known, f"{key}[{index}]", warnings)
    with contextlib.suppress(SceneError):  # errors are parse_scene's to report
        warnings += _overlaps(parse_scene(data))
    return tuple(warnings)


def scene_to_document(scene: Scene) -> dict[str, object]:
    """The document of a scene; ``parse_scene`` gives the same scene back (the calibration as its matrix)."""
    turns = {turn: name for name, turn in TURNS.items()}
    document: dict[str, object] = {
        "version": VERSION,
        "lanes": [_lane_document(lane, turns) for lane in scene.lanes],
        "regions": [
            {"regionCode": r.region_code, "name": r.name, "kind": r.kind, "polygon": _lists(r.polygon)}
            | ({} if r.area_m2 is None else {"areaM2": r.area_m2})
            for r in scene.regions
        ],
        "countLines": [{"code": c.code, "name": c.name, "segment": _lists(c.segment)} for c in scene.count_lines],
        "countedClasses": sorted(member.name.lower() for member in scene.counted_classes),
    }
    if scene.outline is not None:
        document["outline"] = _lists(scene.outline)
    if scene.calibration is not None:
        document["calibration"] = {"matrix": scene.calibration.image_to_road.tolist()}
    return document


def scene_json_schema() -> dict[str, object]:
    """The published JSON Schema (draft 2020-12) of scene documents: necessary, not sufficient, for ``parse_scene``."""
    text = resources.files("traffic.scene").joinpath("scene.schema.json").read_text(encoding="utf-8")
    schema: dict[str, object] = json.loads(text)
    return schema


def _lane_document(lane: Lane, turns: Mapping[Turn, str]) -> dict[str, object]:
    document: dict[str, object] = {
        "roadNum": lane.road_num,
        "roadName": lane.road_name,
        "turn": turns[lane.turn],
        "polygon": _lists(lane.polygon),
        "direction": _lists(lane.direction),
        "snapshotLine": _lists(lane.snapshot_line),
    }
    if lane.entry_line is not None:
        document["entryLine"] = _lists(lane.entry_line)
    if lane.stop_line is not None:
        document["stopLine"] = _lists(lane.stop_line)
    if lane.speed_limit_kmh is not None:
        document["speedLimitKmh"] = lane.speed_limit_kmh
    return document


def _lists(points: Sequence[ImagePoint]) -> list[list[float]]:
    return [[x, y] for x, y in points]


def _unknown_keys(data: Mapping[str, object], known: set[str], path: str, out: list[SceneProblem]) -> None:
    for key in data:
        if key not in known:
            out.append(SceneProblem(f"{path}.{key}", f"unknown, ignored; known are {', '.join(sorted(known))}"))


def _overlaps(scene: Scene) -> list[SceneProblem]:
    found = []
    for i, first in enumerate(scene.lanes):
        grid = np.asarray(first.polygon)
        centre = grid.mean(axis=0)
        inner = centre + (grid - centre) * 0.9
        for second in scene.lanes[i + 1 :]:
            if contains(np.asarray(second.polygon), np.vstack([inner, centre[None]])).any():
                message = f"overlaps lane {second.road_num}; where lanes overlap the first listed wins"
                found.append(SceneProblem(f"lanes[{i}].polygon", message))
    return found


class _Reader:
    """Walks a document, collecting problems; readers of parts return None where the part is unusable."""

    def __init__(self) -> None:
        self.problems: list[SceneProblem] = []

    def fail(self, path: str, message: str) -> None:
        self.problems.append(SceneProblem(path, message))

    def load(self, document: Mapping[str, object] | str) -> Mapping[str, object]:
        if isinstance(document, str):
            if len(document) > _MAX_DOCUMENT:
                raise SceneError((SceneProblem("$", f"longer than {_MAX_DOCUMENT} characters"),))
            try:
                document = json.loads(document)
            except (ValueError, RecursionError) as error:
                raise SceneError((SceneProblem("$", f"not valid JSON: {error}"),)) from None
        if not isinstance(document, Mapping):
            raise SceneError((SceneProblem("$", "must be a JSON object"),))
        return document

    def scene(self, data: Mapping[str, object]) -> Scene | None:
        version = data.get("version", VERSION)
        if version != VERSION or isinstance(version, bool):
            self.fail("version", f"must be {VERSION}")
        lanes = [self.lane(item, f"lanes[{i}]") for i, item in enumerate(self.items(data, "lanes"))]
        regions = [self.region(item, f"regions[{i}]") for i, item in enumerate(self.items(data, "regions"))]
        lines = [self.count_line(item, f"countLines[{i}]") for i, item in enumerate(self.items(data, "countLines"))]
        outline = self.polygon(data["outline"], "outline") if data.get("outline") is not None else None
        good_lanes = tuple(lane for lane in lanes if lane)
        calibration = self.calibration(data.get("calibration"), good_lanes)
        self.unique([lane.road_num for lane in good_lanes], "lanes", "roadNum")
        self.unique([r.region_code for r in regions if r], "regions", "regionCode")
        self.unique([c.code for c in lines if c], "countLines", "code")
        classes = self.classes(data.get("countedClasses"))
        if self.problems:
            return None
        scene = Scene(
            lanes=tuple(sorted(good_lanes, key=lambda lane: lane.road_num)),
            regions=tuple(r for r in regions if r),
            count_lines=tuple(c for c in lines if c),
            calibration=calibration,
            outline=outline,
        )
        if classes is None:
            return scene
        return Scene(
            lanes=scene.lanes, regions=scene.regions, count_lines=scene.count_lines, calibration=calibration,
            outline=outline, counted_classes=classes,
        )  # fmt: skip

    def items(self, data: Mapping[str, object], key: str) -> Sequence[object]:
        value = data.get(key)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            self.fail(key, "must be a list")
            return ()
        if len(value) > _MAX_ITEMS:
            self.fail(key, f"at most {_MAX_ITEMS} entries, found {len(value)}")
            return ()
        return value

    def unique(self, numbers: Sequence[int], path: str, key: str) -> None:
        for number in sorted({n for n in numbers if numbers.count(n) > 1}):
            self.fail(path, f"{key} {number} is used more than once; it must be unique")

    def lane(self, item: object, path: str) -> Lane | None:
        if not isinstance(item, Mapping):
            self.fail(path, "must be an object")
            return None
        before = len(self.problems)
        road_num = self.integer(item, "roadNum", path)
        name = self.text(item, "roadName", path)
        turn = item.get("turn", "straight")
        if not isinstance(turn, str) or turn not in TURNS:
            self.fail(f"{path}.turn", f"must be one of {', '.join(TURNS)}")
        polygon = self.polygon(item.get("polygon"), f"{path}.polygon")
        direction = self.points(item.get("direction"), f"{path}.direction", 2)
        snapshot = self.segment(item, "snapshotLine", path, polygon, required=True)
        entry = self.segment(item, "entryLine", path, polygon)
        stop = self.segment(item, "stopLine", path, polygon)
        limit = self.number(item, "speedLimitKmh", path, 1, 300)
        if direction and polygon:
            self.check_direction(direction, polygon, path)
        if direction and snapshot:
            self.check_lines(direction, snapshot, entry, path)
        if len(self.problems) > before or not polygon or not direction or not snapshot or road_num is None:
            return None
        return Lane(
            road_num=road_num, road_name=name, polygon=polygon, direction=direction, turn=TURNS[str(turn)],
            snapshot_line=snapshot, entry_line=entry, stop_line=stop, speed_limit_kmh=limit,
        )  # fmt: skip

    def check_direction(self, direction: Sequence[ImagePoint], polygon: Sequence[ImagePoint], path: str) -> None:
        if any(math.dist(a, b) < 1e-4 for a, b in itertools.pairwise(direction)):
            self.fail(f"{path}.direction", "neighbouring points coincide; draw them from upstream to downstream")
            return
        outline = np.asarray(polygon)
        centre = outline.mean(axis=0)
        loose = centre + (outline - centre) * 1.15
        if not contains(loose, np.asarray(direction)).all():
            self.fail(f"{path}.direction", "must lie inside the lane's polygon")

    def check_lines(self, direction: Sequence[ImagePoint], snapshot: Segment, entry: Segment | None, path: str) -> None:
        line, middle = np.asarray(direction), np.asarray(snapshot).mean(axis=0)
        (dx, dy), (sx, sy) = line[-1] - line[0], np.asarray(snapshot[1]) - np.asarray(snapshot[0])
        if abs(dx * sy - dy * sx) < 0.2 * math.hypot(dx, dy) * math.hypot(sx, sy):
            self.fail(f"{path}.snapshotLine", "must cut across the direction of travel, not run along it")
        if entry is None:
            return
        places = along_polyline(line, np.stack([np.asarray(entry).mean(axis=0), middle]))
        if places[0] >= places[1]:
            self.fail(f"{path}.entryLine", "must lie upstream of the snapshotLine (vehicles meet it first)")

    def region(self, item: object, path: str) -> Region | None:
        if not isinstance(item, Mapping):
            self.fail(path, "must be an object")
            return None
        code, name = self.integer(item, "regionCode", path), self.text(item, "name", path)
        kind = self.text(item, "kind", path)
        polygon = self.polygon(item.get("polygon"), f"{path}.polygon")
        area = self.number(item, "areaM2", path, 0.01, 1e7)
        if code is None or polygon is None:
            return None
        return Region(region_code=code, name=name, kind=kind or "people", polygon=polygon, area_m2=area)

    def count_line(self, item: object, path: str) -> CountLine | None:
        if not isinstance(item, Mapping):
            self.fail(path, "must be an object")
            return None
        code, name = self.integer(item, "code", path), self.text(item, "name", path)
        segment = self.segment(item, "segment", path, None, required=True)
        return CountLine(code=code, name=name, segment=segment) if code is not None and segment else None

    def calibration(self, value: object, lanes: Sequence[Lane]) -> Calibration | None:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.fail("calibration", "must be an object with points, rectangle or matrix")
            return None
        fitted = self.fit(value)
        if fitted is None:
            return None
        homography, residual_m = fitted
        for lane in lanes:
            self.check_lane_scale(homography, lane)
        return Calibration(image_to_road=homography.matrix, residual_m=residual_m)

    def fit(self, value: Mapping[str, object]) -> tuple[Homography, float] | None:
        if "matrix" in value:
            return self.matrix(value["matrix"])
        pairs = self.pairs(value)
        if pairs is None:
            return None
        image, road = pairs
        try:
            homography = Homography.fit(image, road)
        except GeometryError as error:
            self.fail("calibration", f"degenerate: {error}")
            return None
        depths = homography.depth_sign(np.asarray(image, float))
        if depths.min() * depths.max() <= 0:
            self.fail("calibration", "the points lie on both sides of the horizon; check their order")
            return None
        residual = float(np.sqrt(((homography.apply(np.asarray(image, float)) - np.asarray(road)) ** 2).sum(axis=1).mean()))
        if residual > _MAX_RESIDUAL_M:
            self.fail("calibration.points", f"do not fit one plane: residual {residual:.2f} m, at most {_MAX_RESIDUAL_M} m")
            return None
        return homography, residual

    def matrix(self, value: object) -> tuple[Homography, float] | None:
        try:
            if not _is_matrix(value):
                raise GeometryError("wrong shape or type")
            return Homography(np.asarray(value, float)), 0.0
        except GeometryError:
            self.fail("calibration.matrix", "must be an invertible 3 x 3 matrix of finite numbers")
            return None

    def pairs(self, value: Mapping[str, object]) -> tuple[list[ImagePoint], list[tuple[float, float]]] | None:
        rectangle, points = value.get("rectangle"), value.get("points")
        if isinstance(rectangle, Mapping):
            corners = self.points(rectangle.get("image"), "calibration.rectangle.image", 4, 4)
            width = self.number(rectangle, "widthM", "calibration.rectangle", 0.1, 1000, required=True)
            length = self.number(rectangle, "lengthM", "calibration.rectangle", 0.1, 5000, required=True)
            if not corners or width is None or length is None:
                return None
            return list(corners), [(0, 0), (width, 0), (width, length), (0, length)]
        if not isinstance(points, list | tuple) or not 4 <= len(points) <= _MAX_POINTS:
            self.fail("calibration.points", "must be a list of at least 4 {image: [x, y], road: [metres, metres]} pairs")
            return None
        image, road = [], []
        for i, item in enumerate(points):
            place = f"calibration.points[{i}]"
            a = self.point(item.get("image") if isinstance(item, Mapping) else None, f"{place}.image")
            b = self.pair(item.get("road") if isinstance(item, Mapping) else None, f"{place}.road", 1e5)
            if a and b:
                image.append(a)
                road.append(b)
        return (image, road) if len(image) == len(points) else None

    def check_lane_scale(self, homography: Homography, lane: Lane) -> None:
        path = f"lanes[roadNum={lane.road_num}]"
        polygon = np.asarray(lane.polygon)
        depths = homography.depth_sign(polygon)
        if depths.min() * depths.max() <= 0:
            self.fail(f"{path}.polygon", "reaches beyond the horizon of the calibration; shorten the lane")
            return
        ends = homography.apply(np.asarray(lane.snapshot_line))
        width = float(np.hypot(*(ends[1] - ends[0])))
        if not _LANE_WIDTH_M[0] <= width <= _LANE_WIDTH_M[1]:
            allowed = f"{_LANE_WIDTH_M[0]:g} to {_LANE_WIDTH_M[1]:g} m"
            self.fail(f"{path}.snapshotLine", f"is {width:.2f} m long by the calibration; expected {allowed}")

    def classes(self, value: object) -> frozenset[ObjectClass] | None:
        if value is None:
            return None
        if not isinstance(value, list | tuple) or not value or any(not isinstance(v, str) or v not in CLASSES for v in value):
            self.fail("countedClasses", f"must be a non-empty list of {', '.join(CLASSES)}")
            return None
        return frozenset(CLASSES[str(name)] for name in value)

    def segment(
        self, item: Mapping[str, object], key: str, path: str, polygon: Sequence[ImagePoint] | None, required: bool = False
    ) -> Segment | None:
        value = item.get(key)
        if value is None and not required:
            return None
        points = self.points(value, f"{path}.{key}", 2, 2)
        if not points:
            return None
        if math.dist(points[0], points[1]) < 1e-4:
            self.fail(f"{path}.{key}", "its two ends coincide")
            return None
        if polygon and not segment_meets_polygon(points[0], points[1], polygon):
            self.fail(f"{path}.{key}", "lies outside its lane; it must cut the lane's polygon")
            return None
        return points[0], points[1]

    def polygon(self, value: object, path: str) -> tuple[ImagePoint, ...] | None:
        points = self.points(value, path, 3)
        if not points:
            return None
        crossed = self_crossing(points)
        if crossed:
            self.fail(
                path, f"crosses itself: edge {crossed[0] + 1} meets edge {crossed[1] + 1}; list the corners around the area"
            )
            return None
        if abs(signed_area(points)) < 1e-6:
            self.fail(path, "has no area")
            return None
        return points

    def points(self, value: object, path: str, least: int, most: int = _MAX_POINTS) -> tuple[ImagePoint, ...] | None:
        count = f"{least}" if least == most else f"{least} to {most}"
        if not isinstance(value, list | tuple) or not least <= len(value) <= most:
            self.fail(path, f"must be a list of {count} points [x, y]")
            return None
        points = [self.point(item, f"{path}[{i}]") for i, item in enumerate(value)]
        good = tuple(point for point in points if point is not None)
        return good if len(good) == len(points) else None

    def point(self, value: object, path: str) -> ImagePoint | None:
        pair = self.pair(value, path, None)
        if pair and not all(0 <= c <= 1 for c in pair):
            self.fail(path, "must be relative to the picture: x and y from 0 to 1")
            return None
        return pair

    def pair(self, value: object, path: str, limit: float | None) -> tuple[float, float] | None:
        good = isinstance(value, list | tuple) and len(value) == 2 and all(_is_number(c) for c in value)
        if not good or not isinstance(value, list | tuple):
            self.fail(path, "must be a pair of finite numbers [x, y]")
            return None
        x, y = float(value[0]), float(value[1])
        if limit is not None and max(abs(x), abs(y)) > limit:
            self.fail(path, f"must be between -{limit:g} and {limit:g} metres")
            return None
        return x, y

    def integer(self, item: Mapping[str, object], key: str, path: str) -> int | None:
        value = item.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _INT32:
            self.fail(f"{path}.{key}", f"must be an integer from 1 to {_INT32}")
            return None
        return value

    def number(
        self, item: Mapping[str, object], key: str, path: str, low: float, high: float, required: bool = False
    ) -> float | None:
        value = item.get(key)
        if value is None and not required:
            return None
        if not _is_number(value) or not low <= float(str(value)) <= high:
            self.fail(f"{path}.{key}", f"must be a number from {low:g} to {high:g}")
            return None
        return float(str(value))

    def text(self, item: Mapping[str, object], key: str, path: str) -> str:
        value = item.get(key, "")
        if not isinstance(value, str) or len(value) > _MAX_TEXT:
            self.fail(f"{path}.{key}", f"must be text of at most {_MAX_TEXT} characters")
            return ""
        return value


def _is_matrix(value: object) -> bool:
    """Whether ``value`` is three rows of three finite numbers; numpy alone would also take texts and truth values."""
    rows = value if isinstance(value, list | tuple) else ()
    return len(rows) == 3 and all(isinstance(row, list | tuple) and len(row) == 3 and all(map(_is_number, row)) for row in rows)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
