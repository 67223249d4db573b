"""Reads the plain parts of a scene document: numbers, texts, points, polygons. Collects every fault instead of stopping."""

import json
import math
import re
from collections.abc import Mapping, Sequence

from traffic.errors import SceneError, SceneProblem
from traffic.geometry import self_crossing, signed_area
from traffic.scene.model import ImagePoint, Segment

MAX_ITEMS, MAX_POINTS, MAX_TEXT, INT32 = 64, 200, 200, 2**31 - 1
MAX_DOCUMENT = 1_000_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def load_document(document: Mapping[str, object] | str) -> Mapping[str, object]:
    """The mapping of a document given as one or as JSON text. Raises SceneError."""
    if isinstance(document, str):
        if len(document) > MAX_DOCUMENT:
            problem = SceneProblem("$", f"超过 {MAX_DOCUMENT} 个字符", f"longer than {MAX_DOCUMENT} characters")
            raise SceneError((problem,))
        try:
            document = json.loads(document)
        except (ValueError, RecursionError) as error:
            raise SceneError((SceneProblem("$", "不是合法的 JSON", f"not valid JSON: {error}"),)) from None
    if not isinstance(document, Mapping):
        raise SceneError((SceneProblem("$", "须为 JSON 对象", "must be a JSON object"),))
    return document


def is_number(value: object) -> bool:
    """Whether ``value`` is a finite number; truth values and texts are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


class Reader:
    """Readers of parts: each returns None where the part is unusable and notes why in ``problems``."""

    def __init__(self) -> None:
        self.problems: list[SceneProblem] = []

    def fail(self, path: str, chinese: str, english: str) -> None:
        """Note a fault."""
        self.problems.append(SceneProblem(path, chinese, english))

    def items(self, data: Mapping[str, object], key: str) -> Sequence[object]:
        """The entries of an optional list; empty when it is absent or unusable."""
        value = data.get(key)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            self.fail(key, "须为列表", "must be a list")
            return ()
        if len(value) > MAX_ITEMS:
            self.fail(key, f"最多 {MAX_ITEMS} 项, 现有 {len(value)} 项", f"at most {MAX_ITEMS} entries, found {len(value)}")
            return ()
        return value

    def mapping(self, value: object, path: str) -> Mapping[str, object] | None:
        """An object."""
        if isinstance(value, Mapping):
            return value
        self.fail(path, "须为对象", "must be an object")
        return None

    def unique(self, numbers: Sequence[int], path: str, key: str) -> None:
        """Note every number that is used twice."""
        for number in sorted({n for n in numbers if numbers.count(n) > 1}):
            self.fail(path, f"{key} {number} 重复, 不可重复", f"{key} {number} is used more than once; it must be unique")

    def integer(self, item: Mapping[str, object], key: str, path: str) -> int | None:
        """A required integer from 1."""
        value = item.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= INT32:
            self.fail(f"{path}.{key}", f"须为 1 至 {INT32} 的整数", f"must be an integer from 1 to {INT32}")
            return None
        return value

    def number(
        self, item: Mapping[str, object], key: str, path: str, low: float, high: float, required: bool = False
    ) -> float | None:
        """A number from ``low`` to ``high``."""
        value = item.get(key)
        if value is None and not required:
            return None
        if not isinstance(value, int | float) or not is_number(value) or not low <= value <= high:
            self.fail(f"{path}.{key}", f"须为 {low:g} 至 {high:g} 的数", f"must be a number from {low:g} to {high:g}")
            return None
        return float(value)

    def text(self, item: Mapping[str, object], key: str, path: str) -> str:
        """An optional text; "" when it is absent or unusable."""
        value = item.get(key, "")
        if not isinstance(value, str) or len(value) > MAX_TEXT or _CONTROL.search(value):
            self.fail(
                f"{path}.{key}",
                f"须为最多 {MAX_TEXT} 个字符的文本, 不含控制字符",
                f"must be text of at most {MAX_TEXT} characters without control characters",
            )
            return ""
        return value

    def segment(self, value: object, path: str) -> Segment | None:
        """Two points that do not coincide."""
        points = self.points(value, path, 2, 2)
        if not points:
            return None
        if math.dist(points[0], points[1]) < 1e-4:
            self.fail(path, "两个端点重合", "its two ends coincide")
            return None
        return points[0], points[1]

    def polygon(self, value: object, path: str) -> tuple[ImagePoint, ...] | None:
        """A polygon with an area that does not cross itself."""
        points = self.points(value, path, 3)
        if not points:
            return None
        crossed = self_crossing(points)
        if crossed:
            first, second = crossed[0] + 1, crossed[1] + 1
            self.fail(
                path,
                f"自相交: 第 {first} 条边与第 {second} 条边相交; 请沿边界依次列出各顶点",
                f"crosses itself: edge {first} meets edge {second}; list the corners around the area",
            )
            return None
        if abs(signed_area(points)) < 1e-6:
            self.fail(path, "面积为零", "has no area")
            return None
        return points

    def points(self, value: object, path: str, least: int, most: int = MAX_POINTS) -> tuple[ImagePoint, ...] | None:
        """``least`` to ``most`` image points."""
        if not isinstance(value, list | tuple) or not least <= len(value) <= most:
            chinese, english = (f"{least}", f"{least}") if least == most else (f"{least} 至 {most}", f"{least} to {most}")
            self.fail(path, f"须为 {chinese} 个点 [x, y] 的列表", f"must be a list of {english} points [x, y]")
            return None
        points = [self.point(item, f"{path}[{i}]") for i, item in enumerate(value)]
        good = tuple(point for point in points if point is not None)
        return good if len(good) == len(points) else None

    def point(self, value: object, path: str) -> ImagePoint | None:
        """A point of the picture, relative."""
        pair = self.pair(value, path)
        if pair and not all(0 <= c <= 1 for c in pair):
            self.fail(path, "须为相对坐标: x 与 y 为 0 至 1", "must be relative to the picture: x and y from 0 to 1")
            return None
        return pair

    def pair(self, value: object, path: str) -> tuple[float, float] | None:
        """Two finite numbers."""
        if not isinstance(value, list | tuple) or len(value) != 2 or not all(is_number(c) for c in value):
            self.fail(path, "须为两个有限数 [x, y]", "must be a pair of finite numbers [x, y]")
            return None
        return float(value[0]), float(value[1])
