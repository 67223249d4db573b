"""The scene document: JSON in camelCase ⇄ ``Scene``. Every fault is found and told with its place and what is allowed."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import TypeVar

from traffic.errors import SceneError, SceneProblem
from traffic.facts import Turn
from traffic.scene.advice import calibration_doubts, overlaps, unknown_keys, unknown_purposes
from traffic.scene.calibrating import read_calibration
from traffic.scene.crowd import check_density, crowd_document, read_crowd, unknown_crowd_keys
from traffic.scene.lanes import TURNS, read_lane
from traffic.scene.model import Boundary, CountLine, ImagePoint, Lane, LaneUse, Region, Scene
from traffic.scene.reading import Reader, load_document
from traffic.scene.rule_reading import kind_names, read_kinds, read_rules, rules_document
from traffic.types import ObjectClass

_T = TypeVar("_T")
VERSION = 1
CLASSES = {member.name.lower(): member for member in ObjectClass}


def parse_scene(document: Mapping[str, object] | str) -> Scene:
    """Read a scene document (a mapping or JSON text).

    Raises:
        SceneError: with every problem found.
    """
    reader = Reader()
    scene = _scene(reader, load_document(document))
    if reader.problems:
        raise SceneError(tuple(reader.problems))
    return scene


def scene_warnings(document: Mapping[str, object] | str) -> tuple[SceneProblem, ...]:
    """Things in a document that are allowed but probably not meant: unknown keys, overlapping lanes, swapped points.

    Raises:
        SceneError: the document is no JSON object. Other errors are ``parse_scene``'s to report.
    """
    data = load_document(document)
    warnings = unknown_keys(data) + unknown_crowd_keys(data.get("regions"))
    with contextlib.suppress(SceneError):
        scene = parse_scene(data)
        warnings += overlaps(scene.lanes) + calibration_doubts(data, scene) + unknown_purposes(scene.regions)
    return tuple(warnings)


def scene_to_document(scene: Scene) -> dict[str, object]:
    """The document of a scene; ``parse_scene`` gives the same scene back (the calibration as its matrix)."""
    turns = {turn: name for name, turn in TURNS.items()}
    document: dict[str, object] = {
        "version": VERSION,
        "lanes": [_lane_document(lane, turns) for lane in scene.lanes],
        "regions": [_region_document(region) for region in scene.regions],
        "countLines": [{"code": c.code, "name": c.name, "segment": _lists(c.segment)} for c in scene.count_lines],
        "countedClasses": sorted(member.name.lower() for member in scene.counted_classes),
    }
    if scene.outline is not None:
        document["outline"] = _lists(scene.outline)
    if scene.highway is not None:
        document["highway"] = scene.highway
    if scene.events:
        document["events"] = rules_document(scene.events)
    if scene.calibration is not None:
        document["calibration"] = {"matrix": scene.calibration.image_to_road.tolist()}
    return document


def scene_json_schema() -> dict[str, object]:
    """The published JSON Schema (draft 2020-12) of scene documents: necessary, not sufficient, for ``parse_scene``."""
    text = resources.files("traffic.scene").joinpath("scene.schema.json").read_text(encoding="utf-8")
    schema: dict[str, object] = json.loads(text)
    return schema


def _scene(reader: Reader, data: Mapping[str, object]) -> Scene:
    """What could be read; to be used only when the reader has no problems."""
    version = data.get("version", VERSION)
    if version != VERSION or isinstance(version, bool):
        reader.fail("version", f"须为 {VERSION}", f"must be {VERSION}")
    lanes = _present([read_lane(reader, item, f"lanes[{i}]") for i, item in enumerate(reader.items(data, "lanes"))])
    regions = _present([_region(reader, item, f"regions[{i}]") for i, item in enumerate(reader.items(data, "regions"))])
    lines = _present([_count_line(reader, v, f"countLines[{i}]") for i, v in enumerate(reader.items(data, "countLines"))])
    reader.unique([lane.road_num for lane in lanes], "lanes", "roadNum")
    reader.unique([region.region_code for region in regions], "regions", "regionCode")
    reader.unique([line.code for line in lines], "countLines", "code")
    for index, region in enumerate(regions):
        measured = region.area_m2 is not None or data.get("calibration") is not None
        check_density(reader, region.crowd, measured, f"regions[{index}]")
    outline = reader.polygon(data["outline"], "outline") if data.get("outline") is not None else None
    highway = data.get("highway")
    if highway is not None and not isinstance(highway, bool):
        reader.fail("highway", "须为 true 或 false", "must be true or false")
    return Scene(
        lanes=tuple(sorted(lanes, key=lambda lane: lane.road_num)),
        regions=tuple(regions),
        count_lines=tuple(lines),
        calibration=read_calibration(reader, data.get("calibration"), lanes),
        outline=outline,
        counted_classes=_classes(reader, data.get("countedClasses"), "countedClasses") or Scene().counted_classes,
        highway=highway if isinstance(highway, bool) else None,
        events=read_rules(reader, data.get("events")),
    )


def _region(reader: Reader, item: object, path: str) -> Region | None:
    data = reader.mapping(item, path)
    if data is None:
        return None
    code, name, kind = reader.integer(data, "regionCode", path), reader.text(data, "name", path), reader.text(data, "kind", path)
    polygon = reader.polygon(data.get("polygon"), f"{path}.polygon")
    area = reader.number(data, "areaM2", path, 0.01, 1e7)
    classes = _classes(reader, data.get("classes"), f"{path}.classes")
    disabled = read_kinds(reader, data, path)
    crowd = read_crowd(reader, data.get("crowd"), kind, f"{path}.crowd")
    if code is None or polygon is None:
        return None
    return Region(
        region_code=code, name=name, kind=kind or "people", polygon=polygon, area_m2=area, classes=classes,
        disabled_events=disabled, crowd=crowd,
    )  # fmt: skip


def _count_line(reader: Reader, item: object, path: str) -> CountLine | None:
    data = reader.mapping(item, path)
    if data is None:
        return None
    code, name = reader.integer(data, "code", path), reader.text(data, "name", path)
    segment = reader.segment(data.get("segment"), f"{path}.segment")
    return CountLine(code=code, name=name, segment=segment) if code is not None and segment else None


def _classes(reader: Reader, value: object, path: str) -> frozenset[ObjectClass] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not value or any(not isinstance(v, str) or v not in CLASSES for v in value):
        names = ", ".join(CLASSES)
        reader.fail(path, f"须为非空列表, 取值 {names}", f"must be a non-empty list of {names}")
        return None
    return frozenset(CLASSES[str(name)] for name in value)


def _present(items: Sequence[_T | None]) -> list[_T]:
    return [item for item in items if item is not None]


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
    if lane.min_speed_kmh is not None:
        document["minSpeedKmh"] = lane.min_speed_kmh
    for key, boundary in (("leftBoundary", lane.left_boundary), ("rightBoundary", lane.right_boundary)):
        if boundary is not Boundary.DASHED:
            document[key] = str(boundary)
    if lane.use is not LaneUse.DRIVING:
        document["use"] = str(lane.use)
    if lane.disabled_events:
        document["disabledEvents"] = kind_names(lane.disabled_events)
    return document


def _region_document(region: Region) -> dict[str, object]:
    document: dict[str, object] = {
        "regionCode": region.region_code,
        "name": region.name,
        "kind": region.kind,
        "polygon": _lists(region.polygon),
    }
    if region.area_m2 is not None:
        document["areaM2"] = region.area_m2
    if region.classes is not None:
        document["classes"] = sorted(member.name.lower() for member in region.classes)
    if region.disabled_events:
        document["disabledEvents"] = kind_names(region.disabled_events)
    if region.crowd is not None:
        document["crowd"] = crowd_document(region.crowd)
    return document


def _lists(points: Sequence[ImagePoint]) -> list[list[float]]:
    return [[x, y] for x, y in points]
