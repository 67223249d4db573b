"""Reads the calibration of a scene document and holds it against the lanes.

Whatever form a calibration is given in, its matrix is made unambiguous: the largest entry has magnitude 1, and the
homogeneous coordinate is positive in front of the camera, so that a place beyond the horizon is recognised. For ``points`` and
``rectangle`` "in front" is where the given points lie. A ``matrix`` says nothing about it; there it is the lowest corner of any
lane, without lanes the middle of the picture's lower edge: road that is seen is never above the horizon.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from traffic.errors import GeometryError
from traffic.geometry import Homography, signed_area
from traffic.scene.model import Calibration, ImagePoint, Lane, RoadPoint
from traffic.scene.reading import MAX_POINTS, Reader, is_number

_MAX_RESIDUAL_M = 2.0
_ROAD_LIMIT_M = 1e5
_LANE_WIDTH_M = (1.0, 30.0)  # plausible measured width of a lane, wide enough for tracks drawn generously
FORMS = ("matrix", "rectangle", "points")


def read_calibration(reader: Reader, value: object, lanes: Sequence[Lane]) -> Calibration | None:
    """The calibration, oriented; None when there is none or it is unusable."""
    if value is None:
        return None
    data = value if isinstance(value, Mapping) else {}
    given = [form for form in FORMS if data.get(form) is not None]
    if len(given) != 1:
        reader.fail(
            "calibration",
            "须为对象, 且 matrix、rectangle、points 三者恰有其一",
            "must be an object with exactly one of matrix, rectangle, points",
        )
        return None
    homography = _matrix(reader, data["matrix"], lanes) if given == ["matrix"] else None
    residual_m = 0.0
    if given != ["matrix"]:
        pairs = _rectangle(reader, data["rectangle"]) if given == ["rectangle"] else _points(reader, data["points"])
        fitted = _fit(reader, *pairs) if pairs else None
        if fitted is not None:
            homography, residual_m = fitted
    if homography is None:
        return None
    for lane in lanes:
        _check_lane(reader, homography, lane)
    return Calibration(image_to_road=homography.matrix, residual_m=residual_m)


def rectangle_is_upside_down(image: Sequence[ImagePoint]) -> bool:
    """Whether the corners given as near lie above those given as far."""
    return image[0][1] + image[1][1] < image[2][1] + image[3][1]


def is_mirrored(calibration: Calibration) -> bool:
    """Whether the road frame is left-handed: a plane seen from above turns the same way round in the picture and on the
    road, and the picture's y points down."""
    return float(np.linalg.det(calibration.image_to_road)) > 0


def _matrix(reader: Reader, value: object, lanes: Sequence[Lane]) -> Homography | None:
    rows = value if isinstance(value, list | tuple) else ()
    shaped = len(rows) == 3 and all(isinstance(row, list | tuple) and len(row) == 3 for row in rows)
    corners = [corner for lane in lanes for corner in lane.polygon]
    front = max(corners, key=lambda corner: corner[1]) if corners else (0.5, 1.0)
    try:
        if not shaped or not all(is_number(entry) for row in rows for entry in row):
            raise GeometryError("wrong shape or type")
        matrix = np.asarray(rows, float)
        largest = float(np.abs(matrix).max())
        if largest < 1e-300:
            raise GeometryError("zero")
        return Homography(matrix / largest, front=front)
    except GeometryError:
        reader.fail(
            "calibration.matrix",
            "须为可逆的 3 x 3 有限数矩阵",
            "must be an invertible 3 x 3 matrix of finite numbers",
        )
        return None


def _rectangle(reader: Reader, value: object) -> tuple[list[ImagePoint], list[RoadPoint]] | None:
    path = "calibration.rectangle"
    data = reader.mapping(value, path)
    if data is None:
        return None
    corners = reader.points(data.get("image"), f"{path}.image", 4, 4)
    width = reader.number(data, "widthM", path, 0.1, 1000, required=True)
    length = reader.number(data, "lengthM", path, 0.1, 5000, required=True)
    if not corners or width is None or length is None:
        return None
    if signed_area(corners) > 1e-9:  # y points down: the order asked for runs against the clock in the picture
        reader.fail(
            f"{path}.image",
            "顶点左右颠倒 (镜像); 顺序须为近左、近右、远右、远左",
            "the corners are mirrored; the order is near left, near right, far right, far left",
        )
        return None
    return list(corners), [(0, 0), (width, 0), (width, length), (0, length)]


def _points(reader: Reader, value: object) -> tuple[list[ImagePoint], list[RoadPoint]] | None:
    path = "calibration.points"
    if not isinstance(value, list | tuple) or not 4 <= len(value) <= MAX_POINTS:
        reader.fail(
            path,
            f"须为 4 至 {MAX_POINTS} 个点对 {{image: [x, y], road: [米, 米]}}",
            f"must be a list of 4 to {MAX_POINTS} pairs {{image: [x, y], road: [metres, metres]}}",
        )
        return None
    image, road = [], []
    for i, item in enumerate(value):
        pair = item if isinstance(item, Mapping) else {}
        seen = reader.point(pair.get("image"), f"{path}[{i}].image")
        metres = reader.pair(pair.get("road"), f"{path}[{i}].road")
        if metres and max(abs(metres[0]), abs(metres[1])) > _ROAD_LIMIT_M:
            limit = f"{_ROAD_LIMIT_M:g}"
            reader.fail(f"{path}[{i}].road", f"须在 -{limit} 至 {limit} 米之间", f"must be between -{limit} and {limit} metres")
            metres = None
        if seen and metres:
            image.append(seen)
            road.append(metres)
    return (image, road) if len(image) == len(value) else None


def _fit(reader: Reader, image: list[ImagePoint], road: list[RoadPoint]) -> tuple[Homography, float] | None:
    seen = np.asarray(image, float)
    try:
        homography = Homography.fit(image, road)
    except GeometryError as error:
        reader.fail("calibration", "标定退化: 任意四点中不得有三点共线, 各点不得重合", f"degenerate: {error}")
        return None
    if homography.depth_sign(seen).min() <= 0:
        reader.fail(
            "calibration",
            "标定点分布在地平线两侧; 请检查各点顺序",
            "the points lie on both sides of the horizon; check their order",
        )
        return None
    residual = float(np.sqrt(((homography.apply(seen) - np.asarray(road)) ** 2).sum(axis=1).mean()))
    if not residual <= _MAX_RESIDUAL_M:
        reader.fail(
            "calibration.points",
            f"各点不在同一平面: 残差 {residual:.2f} 米, 最多 {_MAX_RESIDUAL_M} 米",
            f"do not fit one plane: residual {residual:.2f} m, at most {_MAX_RESIDUAL_M} m",
        )
        return None
    return homography, residual


def _check_lane(reader: Reader, homography: Homography, lane: Lane) -> None:
    path = f"lanes[roadNum={lane.road_num}]"
    if homography.depth_sign(np.asarray(lane.polygon)).min() <= 1e-12:
        reader.fail(
            f"{path}.polygon",
            "超出标定的地平线; 请缩短车道",
            "reaches beyond the horizon of the calibration; shorten the lane",
        )
        return
    ends = homography.apply(np.asarray(lane.snapshot_line))
    width = float(np.hypot(*(ends[1] - ends[0])))
    low, high = _LANE_WIDTH_M
    if not low <= width <= high:
        reader.fail(
            f"{path}.snapshotLine",
            f"按标定长 {width:.2f} 米; 应为 {low:g} 至 {high:g} 米",
            f"is {width:.2f} m long by the calibration; expected {low:g} to {high:g} m",
        )
