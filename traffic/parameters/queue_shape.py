"""Where a queue lies in the picture: for the eyes of whoever looks at a camera."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.parameters.placing import StraightLane
from traffic.parameters.queueing import Queue
from traffic.passages.view import GroundView
from traffic.scene.model import Lane

Array = NDArray[np.float64]
RelativePoint = tuple[float, float]
_INSIDE = 1e-6
_STEPS = 8  # a straight lane needs two cross-sections, a bent one more


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueOutline:
    """The part of a lane that its queue fills.

    Attributes:
        road_num: the lane. number: vehicles in the queue, at least 1.
        length_m: from the stop line to the rear of the last vehicle; None without a calibration.
        outline: relative image points, from the stop line on one side to the rear and back on the other. rear: its two points at
            the rear.
    """

    road_num: int
    number: int
    length_m: float | None
    outline: tuple[RelativePoint, ...]
    rear: tuple[RelativePoint, RelativePoint]


def queue_outline(lane: Lane, straight: StraightLane, view: GroundView, queue: Queue) -> QueueOutline | None:
    """The outline of ``queue``; None without one, and where the lane cannot be cut (its polygon ends before the queue)."""
    stop = straight.shape.stop
    if stop is None or queue.number < 1 or queue.length <= 0:
        return None
    polygon = view.to_ground(np.asarray(lane.polygon, np.float64))
    end = straight.shape.length * _INSIDE  # the lane's own end lies on its outline, where there is no across
    reach = np.linspace(stop, max(stop - queue.length, end), _STEPS + 1)
    sides = [side for place in reach if (side := _cross_section(straight, polygon, float(place))) is not None]
    if len(sides) < 2:
        return None
    image = view.to_image(np.array(sides))
    if not np.isfinite(image).all():
        return None
    points = [(float(x), float(y)) for x, y in np.concatenate([image[:, 0], image[::-1, 1]])]
    left, right = points[len(sides) - 1], points[len(sides)]
    return QueueOutline(
        road_num=lane.road_num,
        number=queue.number,
        length_m=queue.length if straight.shape.metric else None,
        outline=tuple(points),
        rear=(left, right),
    )


def _cross_section(straight: StraightLane, polygon: Array, place: float) -> tuple[Array, Array] | None:
    """Where the line across the lane at ``place`` meets its outline on either side, on the ground."""
    at, way = _point_at(straight.path, place + straight.start)
    aside = np.array([-way[1], way[0]])
    edges = np.roll(polygon, -1, axis=0) - polygon
    across = aside[0] * edges[:, 1] - aside[1] * edges[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = polygon - at
        distance = (offset[:, 0] * edges[:, 1] - offset[:, 1] * edges[:, 0]) / across
        share = (offset[:, 0] * aside[1] - offset[:, 1] * aside[0]) / across
    met = distance[(np.abs(across) > 1e-12) & (share >= 0) & (share <= 1)]
    left, right = met[met > 0], met[met < 0]
    if not (len(left) and len(right)):
        return None
    return at + aside * left.min(), at + aside * right.max()


def _point_at(path: Array, arc: float) -> tuple[Array, Array]:
    """The point of a polyline at an arc length, its end segments extended, and the unit direction there."""
    steps = np.diff(path, axis=0)
    lengths = np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-15)
    ends = np.cumsum(lengths)
    index = min(int(np.searchsorted(ends, arc)), len(steps) - 1)
    way = steps[index] / lengths[index]
    return path[index + 1] + way * (arc - ends[index]), way
