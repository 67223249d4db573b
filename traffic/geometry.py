"""Plane geometry, vectorised. Points are float64 arrays of shape (n, 2) unless said otherwise; no units of its own."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from traffic.errors import GeometryError

Points = NDArray[np.float64]
PointLike = tuple[float, float]


class Homography:
    """A projective map of the plane. ``matrix``: float64 (3, 3), finite, invertible.

    ``front`` is a source point known to lie before the camera. Given it, the sign of the matrix is chosen so that the
    homogeneous coordinate is positive there, and points beyond the horizon map to nan. Without it no side of the horizon is
    known: every point is mapped projectively.
    """

    __slots__ = ("_inverse", "_oriented", "matrix")

    def __init__(self, matrix: NDArray[np.float64], *, front: PointLike | None = None) -> None:
        largest = np.abs(matrix).max()
        if not (np.isfinite(matrix).all() and largest > 0 and abs(np.linalg.det(matrix / largest)) >= 1e-12):
            raise GeometryError("the homography is not invertible")
        self._oriented = front is not None
        if front is not None and float(matrix[2] @ np.array([*front, 1.0])) < 0:
            matrix = -matrix
        self.matrix = matrix
        self._inverse: Points = np.linalg.inv(matrix).astype(np.float64)

    @classmethod
    def fit(cls, source: Sequence[PointLike], target: Sequence[PointLike]) -> "Homography":
        """Least-squares map of ``source`` onto ``target`` (at least four pairs), by the normalised direct linear
        transform (Hartley and Zisserman, Multiple View Geometry, 2004, algorithm 4.2).

        Raises:
            GeometryError: fewer than four pairs, or points so placed (three on one line) that the map is not determined.
        """
        first, second = np.asarray(source, float), np.asarray(target, float)
        if len(first) < 4 or len(first) != len(second):
            raise GeometryError("at least four point pairs are needed")
        from_normal, a = _normalised(first)
        to_normal, b = _normalised(second)
        rows = []
        for (x, y), (u, v) in zip(a, b, strict=True):
            rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, -u])
            rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, -v])
        _, singular, vectors = np.linalg.svd(np.asarray(rows))
        if singular[7] < 1e-6 * singular[0]:
            raise GeometryError("the points do not determine the map: no three of four may lie on one line")
        matrix: NDArray[np.float64] = np.linalg.inv(to_normal) @ vectors[8].reshape(3, 3) @ from_normal
        middle = first.mean(axis=0)
        return cls(matrix / np.abs(matrix).max(), front=(float(middle[0]), float(middle[1])))

    def apply(self, points: Points) -> Points:
        """Map points (n, 2). Points on the horizon, and beyond it when ``front`` is known (``fit`` knows it), give nan."""
        return _project(self.matrix, points, self._oriented)

    def apply_inverse(self, points: Points) -> Points:
        """Map points (n, 2) back. As in ``apply``, places behind the camera give nan when ``front`` is known."""
        return _project(self._inverse, points, self._oriented)

    def depth_sign(self, points: Points) -> NDArray[np.float64]:
        """The homogeneous coordinate of the mapped points, (n,): it changes sign at the horizon."""
        padded = np.column_stack([points, np.ones(len(points))])
        result: NDArray[np.float64] = padded @ self.matrix[2]
        return result


def _project(matrix: NDArray[np.float64], points: Points, oriented: bool) -> Points:
    mapped = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    depth = mapped[:, 2:]
    seen = depth if oriented else np.abs(depth)
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Points = np.where(seen > 1e-12, mapped[:, :2] / depth, np.nan)
    return result


def _normalised(points: Points) -> tuple[NDArray[np.float64], Points]:
    centre = points.mean(axis=0)
    spread = np.sqrt(((points - centre) ** 2).sum(axis=1).mean())
    if spread < 1e-12:
        raise GeometryError("all points coincide")
    scale = float(np.sqrt(2) / spread)
    matrix: NDArray[np.float64] = np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])
    normal: Points = (points - centre) * scale
    return matrix, normal


def signed_area(polygon: Sequence[PointLike]) -> float:
    """Area of a polygon; the sign tells its orientation."""
    points = np.asarray(polygon, float)
    x, y = points[:, 0], points[:, 1]
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def contains(polygon: Points, points: Points) -> NDArray[np.bool_]:
    """Which ``points`` (n, 2) lie inside ``polygon`` (k, 2), by the even-odd rule. Points exactly on the boundary may go
    either way, but a point on an edge shared by two polygons belongs to at most one of them."""
    x, y = points[:, 0, None], points[:, 1, None]
    ax, ay = polygon[:, 0], polygon[:, 1]
    bx, by = np.roll(ax, -1), np.roll(ay, -1)
    spans = (ay > y) != (by > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = (bx - ax) * (y - ay) / (by - ay) + ax
    inside: NDArray[np.bool_] = (spans & (x < at)).sum(axis=1) % 2 == 1
    return inside


def crossing(a: PointLike, b: PointLike, c: PointLike, d: PointLike) -> tuple[float, float] | None:
    """Where segment ab meets segment cd: the shares (0..1) along ab and along cd; None when they do not meet or are parallel."""
    ab, cd, ac = (b[0] - a[0], b[1] - a[1]), (d[0] - c[0], d[1] - c[1]), (c[0] - a[0], c[1] - a[1])
    cross = ab[0] * cd[1] - ab[1] * cd[0]
    if abs(cross) < 1e-15:
        return None
    t = (ac[0] * cd[1] - ac[1] * cd[0]) / cross
    u = (ac[0] * ab[1] - ac[1] * ab[0]) / cross
    return (t, u) if 0 <= t <= 1 and 0 <= u <= 1 else None


def self_crossing(polygon: Sequence[PointLike]) -> tuple[int, int] | None:
    """Two edges (by the index of their first corner) that cross each other; None for a simple polygon."""
    count = len(polygon)
    for i in range(count):
        for j in range(i + 2, count):
            if i == 0 and j == count - 1:
                continue  # neighbours share a corner
            if crossing(polygon[i], polygon[(i + 1) % count], polygon[j], polygon[(j + 1) % count]):
                return i, j
    return None


def segment_meets_polygon(a: PointLike, b: PointLike, polygon: Sequence[PointLike]) -> bool:
    """Whether a segment touches a polygon's inside or edge."""
    ends = np.asarray([a, b, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)], float)
    if contains(np.asarray(polygon, float), ends).any():
        return True
    count = len(polygon)
    return any(crossing(a, b, polygon[i], polygon[(i + 1) % count]) for i in range(count))


def side_of(a: PointLike, b: PointLike, points: Points) -> NDArray[np.float64]:
    """Signed distance of ``points`` (n, 2) from the line through a and b; positive to the right of a→b when y points down."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = max(float(np.hypot(dx, dy)), 1e-15)
    result: NDArray[np.float64] = (dx * (points[:, 1] - a[1]) - dy * (points[:, 0] - a[0])) / length
    return result


def along_polyline(polyline: Points, points: Points) -> NDArray[np.float64]:
    """Arc length of the nearest place on ``polyline`` (k, 2) for each of ``points`` (n, 2); the end segments are extended, so
    values may be below 0 or above the length."""
    starts, steps = polyline[:-1], np.diff(polyline, axis=0)
    lengths = np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-15)
    before = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    share = ((points[:, None] - starts) * steps).sum(axis=2) / lengths**2
    low = np.where(np.arange(len(steps)) == 0, -np.inf, 0.0)
    high = np.where(np.arange(len(steps)) == len(steps) - 1, np.inf, 1.0)
    share = np.clip(share, low, high)
    nearest = starts + share[..., None] * steps
    distance = ((points[:, None] - nearest) ** 2).sum(axis=2)
    best = distance.argmin(axis=1)
    rows = np.arange(len(points))
    result: NDArray[np.float64] = before[best] + share[rows, best] * lengths[best]
    return result
