"""The size of a vehicle from its boxes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.passages.dimensions import usual_dimensions
from traffic.passages.view import GroundView
from traffic.types import ObjectClass

Array = NDArray[np.float64]

_SAMPLES = 16
_ROUNDS = 4
_STEP_M = 0.05
_EDGE_PX = 2.0
_EDGE_SHARE = 0.03  # a vehicle is no block: rounded corners and slanted screens move the edges of its box
_CORRELATION = 0.5  # share of that error which is the same in every frame


@dataclass(frozen=True, slots=True, eq=False)
class SizeEstimate:
    """Length, width, height of a vehicle.

    Attributes:
        size: float64 (3,), metres.
        length_m, length_std_m: the length and its standard error.
    """

    size: Array
    length_m: float
    length_std_m: float


def estimate_size(view: GroundView, boxes: Array, headings: Array, object_class: ObjectClass) -> SizeEstimate:
    """Most likely size of a vehicle given its boxes and what is usual for its class (Gauss–Newton on the posterior).

    Each box shows two numbers besides the place: its width and height. How they mix length, width and height changes with
    the direction of view along the trajectory, which is what makes the length observable at all; straight behind a vehicle
    it is not, and the answer falls back to the class's usual length with its wide error.

    Args:
        boxes: float64 (n, 4), relative; headings: float64 (n, 2), unit vectors on the ground.
    """
    usual = usual_dimensions(object_class)
    mean = np.array([usual.length_m, usual.width_m, usual.height_m])
    spread = np.array([usual.length_std_m, usual.width_std_m, usual.height_std_m])
    rows = _whole(boxes, view)
    if view.camera is None or len(rows) < 2:
        return SizeEstimate(size=mean, length_m=usual.length_m, length_std_m=usual.length_std_m)
    boxes, headings = boxes[rows], headings[rows]
    precision = np.diag(1 / spread**2)
    size = mean.copy()
    normal = precision
    extent = np.array(view.frame_size, np.float64)
    seen = np.column_stack([boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]]) * extent
    deviation = np.hypot(_EDGE_PX, _EDGE_SHARE * seen)
    weights = 1 / (deviation**2 * (1 + _CORRELATION * (len(rows) - 1)))
    for _ in range(_ROUNDS):
        base = _extents(view, boxes, headings, size) * extent
        slopes = [(_extents(view, boxes, headings, size + step) * extent - base) / _STEP_M for step in np.eye(3) * _STEP_M]
        jacobian = np.stack(slopes, axis=2)
        residual = seen - base
        good = np.isfinite(jacobian).all(axis=(1, 2)) & np.isfinite(residual).all(axis=1)
        j, r, w = jacobian[good].reshape(-1, 3), residual[good].reshape(-1), weights[good].reshape(-1)
        normal = (j * w[:, None]).T @ j + precision
        gradient = (j * w[:, None]).T @ r + precision @ (mean - size)
        size = np.clip(size + np.linalg.solve(normal, gradient), 0.4 * mean, np.maximum(2.2 * mean, mean + 3 * spread))
    deviation_m = float(np.sqrt(np.linalg.inv(normal)[0, 0]))
    return SizeEstimate(size=size, length_m=float(size[0]), length_std_m=deviation_m)


def _whole(boxes: Array, view: GroundView) -> NDArray[np.intp]:
    """Rows of boxes whose top is in the picture too, at most ``_SAMPLES``, spread evenly."""
    rows = np.flatnonzero(boxes[:, 1] * view.frame_size[1] > 3.0)
    return rows[np.linspace(0, len(rows) - 1, min(_SAMPLES, len(rows))).astype(np.intp)] if len(rows) else rows


def _extents(view: GroundView, boxes: Array, headings: Array, size: Array) -> Array:
    """Relative width and height (n, 2) of the outline of a block of ``size`` whose bottom centre is each box's."""
    sizes = np.tile(size, (len(boxes), 1))
    outline = view.outlines(view.centres(boxes, headings, sizes), headings, sizes)
    result: Array = np.column_stack([outline[:, 2] - outline[:, 0], outline[:, 3] - outline[:, 1]])
    return result
