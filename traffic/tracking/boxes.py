"""Vectorised box arithmetic. Boxes are float64 arrays of shape (n, 4), ``x1, y1, x2, y2`` in pixels."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def intersection(a: Array, b: Array) -> Array:
    """Area shared by every box of ``a`` (n, 4) with every box of ``b`` (m, 4); shape (n, m)."""
    width = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    shared: Array = np.clip(width, 0, None) * np.clip(height, 0, None)
    return shared


def area(boxes: Array) -> Array:
    """Areas, shape (n,), square pixels."""
    result: Array = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return result


def iou(a: Array, b: Array) -> Array:
    """Intersection over union of every pair; shape (n, m), 0..1."""
    shared = intersection(a, b)
    union = area(a)[:, None] + area(b)[None, :] - shared
    result: Array = shared / np.maximum(union, 1e-9)
    return result


def widened(boxes: Array, share: float) -> Array:
    """Boxes grown on every side by ``share`` of their width and height."""
    margin_x = (boxes[:, 2] - boxes[:, 0]) * share
    margin_y = (boxes[:, 3] - boxes[:, 1]) * share
    return boxes + np.stack([-margin_x, -margin_y, margin_x, margin_y], axis=1)


def area_ratio(a: Array, b: Array) -> Array:
    """Larger over smaller area of every pair; shape (n, m), at least 1."""
    first, second = np.maximum(area(a), 1e-9)[:, None], np.maximum(area(b), 1e-9)[None, :]
    result: Array = np.maximum(first / second, second / first)
    return result


def to_measurements(boxes: Array) -> Array:
    """Boxes as (bottom centre x, bottom y, width, height); shape (n, 4).

    The bottom centre is filtered rather than the centre because it is what meets the road.
    """
    return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3], boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]], axis=1)


def from_measurements(values: Array) -> Array:
    """Inverse of ``to_measurements``."""
    half = values[:, 2] / 2
    return np.stack([values[:, 0] - half, values[:, 1] - values[:, 3], values[:, 0] + half, values[:, 1]], axis=1)
