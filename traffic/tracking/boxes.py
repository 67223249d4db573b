"""Vectorised box arithmetic.

Two layouts: ``boxes`` are float64 (n, 4), ``x1, y1, x2, y2`` in pixels, one row per box; ``edges`` are the same numbers
transposed, (4, n), so that each coordinate is one contiguous row (the tracker's hot path).
"""

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


def covered(a: Array, b: Array) -> Array:
    """Share of each box of ``a`` (n, 4) that each box of ``b`` (m, 4) covers; shape (n, m), 0..1."""
    result: Array = intersection(a, b) / np.maximum(area(a), 1e-9)[:, None]
    return result


def widened(boxes: Array, share: float) -> Array:
    """Boxes grown on every side by ``share`` of their width and height."""
    margin_x = (boxes[:, 2] - boxes[:, 0]) * share
    margin_y = (boxes[:, 3] - boxes[:, 1]) * share
    return boxes + np.stack([-margin_x, -margin_y, margin_x, margin_y], axis=1)


def to_measurements(edges: Array) -> Array:
    """Edges (4, n) as rows bottom centre x, bottom y, width, height; shape (4, n).

    The bottom centre is filtered rather than the centre because it is what meets the road.
    """
    x1, y1, x2, y2 = edges
    return np.stack([(x1 + x2) / 2, y2, x2 - x1, y2 - y1])


def to_edges(measurements: Array) -> Array:
    """Inverse of ``to_measurements``; shape (4, n)."""
    x, bottom, width, height = measurements
    half = width / 2
    return np.stack([x - half, bottom - height, x + half, bottom])


def common_shift(before: Array, after: Array) -> Array:
    """How far objects really moved between two sights of them, robust to occlusion; shapes (4, n) edges, result (2, n).

    Along each axis an object that moves takes both its edges along; one that is partly hidden, or grows because it comes
    closer, moves one edge or moves them apart. So the shift is the smaller of both edges' shifts, zero when they disagree.
    """
    difference = after - before
    low, high = difference[:2], difference[2:]
    smaller = np.where(np.abs(low) < np.abs(high), low, high)
    shift: Array = np.where(low * high > 0, smaller, 0.0)
    return shift
