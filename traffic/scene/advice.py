"""What is allowed in a scene document but probably not meant."""

from collections.abc import Mapping, Sequence

import numpy as np

from traffic.errors import SceneProblem
from traffic.geometry import contains
from traffic.scene.calibrating import is_mirrored, rectangle_is_upside_down
from traffic.scene.model import Lane, Region, RegionKind, Scene
from traffic.scene.rule_reading import KIND_NAMES, known_keys

KNOWN = {
    "lanes": {
        "roadNum", "roadName", "turn", "polygon", "direction", "snapshotLine", "entryLine", "stopLine", "speedLimitKmh",
        "minSpeedKmh", "leftBoundary", "rightBoundary", "use", "disabledEvents",
    },
    "regions": {"regionCode", "name", "kind", "polygon", "areaM2", "classes", "crowd", "disabledEvents"},
    "countLines": {"code", "name", "segment"},
    "calibration": {"matrix", "rectangle", "points"},
}  # fmt: skip
SCENE_KEYS = {"version", "notes", "outline", "countedClasses", "highway", "events", *KNOWN}
_GRID = 48  # places along each side of two lanes' common box at which their overlap is looked for
_OVERLAP = 0.03  # share of the smaller lane: neighbours drawn by hand overlap by a sliver


def unknown_keys(data: Mapping[str, object]) -> list[SceneProblem]:
    """Keys that nothing reads."""
    found = _unknown(data, SCENE_KEYS, "$")
    for key, known in KNOWN.items():
        value = data.get(key)
        if isinstance(value, Mapping):
            found += _unknown(value, known, key)
        for index, item in enumerate(value if isinstance(value, list | tuple) else ()):
            found += _unknown(item, known, f"{key}[{index}]") if isinstance(item, Mapping) else []
    events = data.get("events")
    for name, rule in events.items() if isinstance(events, Mapping) else ():
        if name in KIND_NAMES and isinstance(rule, Mapping):
            found += _unknown(rule, known_keys(KIND_NAMES[name]), f"events.{name}")
    return found


def unknown_purposes(regions: Sequence[Region]) -> list[SceneProblem]:
    """Regions of a kind that nothing reads."""
    names = ", ".join(RegionKind)
    return [
        SceneProblem(
            f"regions[regionCode={region.region_code}].kind",
            f"未知用途, 不参与分析; 可用: {names}",
            f"no purpose that is known, nothing reads it; known are {names}",
        )
        for region in regions
        if region.kind not in set(RegionKind)
    ]


def _unknown(data: Mapping[str, object], known: set[str], path: str) -> list[SceneProblem]:
    names = ", ".join(sorted(known))
    return [
        SceneProblem(f"{path}.{key}", f"未知字段, 已忽略; 可用: {names}", f"unknown, ignored; known are {names}")
        for key in data
        if key not in known
    ]


def overlaps(lanes: Sequence[Lane]) -> list[SceneProblem]:
    """Pairs of lanes that share more than a sliver of their area, however they are shaped."""
    found = []
    for i, first in enumerate(lanes):
        for second in lanes[i + 1 :]:
            if _shared(first, second) > _OVERLAP:
                found.append(
                    SceneProblem(
                        f"lanes[roadNum={first.road_num}].polygon",
                        f"与车道 {second.road_num} 重叠; 重叠处归编号较小的车道",
                        f"overlaps lane {second.road_num}; there the lane with the lower roadNum wins",
                    )
                )
    return found


def _shared(first: Lane, second: Lane) -> float:
    """Common area of two lanes as a share of the smaller one."""
    a, b = np.asarray(first.polygon), np.asarray(second.polygon)
    low, high = np.maximum(a.min(axis=0), b.min(axis=0)), np.minimum(a.max(axis=0), b.max(axis=0))
    if (low >= high).any():
        return 0.0
    steps = (np.arange(_GRID) + 0.5) / _GRID
    x, y = np.meshgrid(*(low[:, None] + (high - low)[:, None] * steps))
    grid = np.column_stack([x.ravel(), y.ravel()])
    common = float((contains(a, grid) & contains(b, grid)).mean() * (high - low).prod())
    return common / min(_area(a), _area(b))


def _area(corners: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    x, y = corners[:, 0], corners[:, 1]
    return float(abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2)


def calibration_doubts(data: Mapping[str, object], scene: Scene) -> list[SceneProblem]:
    """A calibration whose points may be in the wrong order."""
    given = data.get("calibration")
    if scene.calibration is None or not isinstance(given, Mapping):
        return []
    rectangle = given.get("rectangle")
    if isinstance(rectangle, Mapping):
        image = rectangle["image"]
        if not rectangle_is_upside_down(image):
            return []
        chinese = "近端顶点在画面中高于远端顶点; 顺序须为近左、近右、远右、远左"
        english = "the near corners lie above the far ones; the order is near left, near right, far right, far left"
        return [SceneProblem("calibration.rectangle.image", chinese, english)]
    if not is_mirrored(scene.calibration):
        return []
    chinese = "路面坐标系为左手系 (镜像); 若非有意, 请检查点对是否左右颠倒"
    english = "the road frame is left-handed (mirrored); unless this is meant, two points are swapped"
    return [SceneProblem("calibration", chinese, english)]
