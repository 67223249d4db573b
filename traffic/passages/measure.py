"""Speed, heading and running time from a trajectory."""

import math

import numpy as np
from numpy.typing import NDArray

from traffic.facts import Heading
from traffic.geometry import Homography
from traffic.passages.trajectory import Trajectory
from traffic.types import Box

_SECTORS = (
    Heading.FRONT,
    Heading.FRONT_RIGHT,
    Heading.RIGHT,
    Heading.REAR_RIGHT,
    Heading.REAR,
    Heading.REAR_LEFT,
    Heading.LEFT,
    Heading.FRONT_LEFT,
)
_MIN_POINTS, _MIN_SPAN_S, _MIN_PATH_M = 4, 0.3, 2.0
_MAX_SPEED_KMH = 250.0
_HUBER = 1.345  # 95 % efficiency on Gaussian noise (Huber, 1964)


def heading_of(dx: float, dy: float) -> Heading:
    """Heading code from the displacement in the picture (pixels, y down): towards the camera is 正前方."""
    angle = math.degrees(math.atan2(dx, dy)) % 360  # 0: down, 90: right, 180: up
    return _SECTORS[round(angle / 45) % 8]


def speed_kmh(trajectory: Trajectory, road: Homography, from_s: float, to_s: float) -> float | None:
    """Speed over the measuring section: robust regression of the distance along the path against time.

    Args:
        trajectory: the vehicle's path; predicted and clipped sights are left out.
        road: relative image coordinates → metres.
        from_s, to_s: video time of the section.

    Returns:
        km/h, or None when there are too few sights, too short a path, or an implausible result.
    """
    chosen = [s for s in trajectory.sights if s.seen and not s.clipped and from_s <= s.time_s <= to_s]
    if len(chosen) < _MIN_POINTS:
        return None
    image = np.array([s.contact for s in chosen])
    times = np.array([s.time_s for s in chosen])
    metres = road.apply(image)
    if not np.isfinite(metres).all() or times[-1] - times[0] < _MIN_SPAN_S:
        return None
    axis = metres[-1] - metres[0]
    length = float(np.hypot(*axis))
    if length < _MIN_PATH_M:
        return _standing(length, float(times[-1] - times[0]))
    along = (metres - metres[0]) @ (axis / length)
    spread = _metres_per_pixel(road, image, [s.box for s in chosen])
    slope = _robust_slope(times - times[0], along, 1 / np.maximum(spread, 1e-6))
    value = slope * 3.6
    return value if 0 <= value <= _MAX_SPEED_KMH else None


def _standing(path_m: float, span_s: float) -> float | None:
    """A path too short to fit is the speed of a creeping vehicle if it was watched long enough."""
    return path_m / span_s * 3.6 if span_s >= 2 else None


def _metres_per_pixel(road: Homography, image: NDArray[np.float64], boxes: list[Box]) -> NDArray[np.float64]:
    """Road metres that one relative unit of y is worth at each point: far sights are coarse and weigh less."""
    step = 1e-3
    shifted = image + np.array([0.0, step])
    change = road.apply(shifted) - road.apply(image)
    result: NDArray[np.float64] = np.hypot(change[:, 0], change[:, 1]) / step
    return result


def _robust_slope(times: NDArray[np.float64], values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Slope of the Huber regression line through (times, values) by iteratively reweighted least squares."""
    robust = np.ones_like(times)
    slope = 0.0
    for _ in range(8):
        w = (weights * robust) ** 2
        mean_t, mean_v = np.average(times, weights=w), np.average(values, weights=w)
        slope = float((w * (times - mean_t) * (values - mean_v)).sum() / max(float((w * (times - mean_t) ** 2).sum()), 1e-12))
        residual = (values - mean_v - slope * (times - mean_t)) * weights
        scale = 1.4826 * float(np.median(np.abs(residual))) + 1e-9
        robust = np.sqrt(np.minimum(1.0, _HUBER * scale / np.maximum(np.abs(residual), 1e-12)))
    return slope
