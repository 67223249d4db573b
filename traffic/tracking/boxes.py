"""Vectorised box arithmetic.

Two layouts: ``boxes`` are float64 (n, 4), ``x1, y1, x2, y2`` in pixels, one row per box; ``edges`` are the same numbers
transposed, (4, n), so that each coordinate is one row (the tracker's hot path).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# The bottom centre is filtered rather than the centre because it is what meets the road.
_TO_MEASUREMENTS: Array = np.array([[0.5, 0, 0.5, 0], [0, 0, 0, 1], [-1, 0, 1, 0], [0, -1, 0, 1]])
_TO_EDGES: Array = np.array([[1, 0, -0.5, 0], [0, 1, 0, -1], [1, 0, 0.5, 0], [0, 1, 0, 0]])


def to_measurements(edges: Array) -> Array:
    """Edges (4, n) as rows bottom centre x, bottom y, width, height; shape (4, n)."""
    result: Array = _TO_MEASUREMENTS @ edges
    return result


def to_edges(measurements: Array) -> Array:
    """Inverse of ``to_measurements``; shape (4, n)."""
    result: Array = _TO_EDGES @ measurements
    return result


def shared_area(a: Array, b: Array) -> Array:
    """Area that every box of edges ``a`` (4, n) shares with every one of ``b`` (4, m); shape (n, m), square pixels."""
    extent = np.minimum(a[2:, :, None], b[2:, None, :])
    extent -= np.maximum(a[:2, :, None], b[:2, None, :])
    np.maximum(extent, 0.0, out=extent)
    result: Array = extent[0] * extent[1]
    return result


def areas(edges: Array) -> Array:
    """Areas of edges (4, n); shape (n,), square pixels."""
    extent = edges[2:] - edges[:2]
    result: Array = extent[0] * extent[1]
    return result


def iou(a: Array, b: Array) -> Array:
    """Intersection over union of every pair of edges ``a`` (4, n) and ``b`` (4, m); shape (n, m), 0..1."""
    shared = shared_area(a, b)
    union = areas(a)[:, None] + areas(b) - shared
    result: Array = shared / np.maximum(union, 1e-9)
    return result


def covered(a: Array, b: Array) -> Array:
    """Share of each box of edges ``a`` (4, n) that each one of ``b`` (4, m) covers; shape (n, m), 0..1."""
    result: Array = shared_area(a, b) / np.maximum(areas(a), 1e-9)[:, None]
    return result


def hidden_share(edges: Array, others: Array) -> Array:
    """Share of each box (4, n) covered by those of ``others`` (4, m) that stand nearer to the camera; shape (n,), 0..1.

    Of two objects on the ground the one that reaches lower in the picture is nearer; nothing hides itself. Where several
    objects overlap in front the share is overestimated.
    """
    return nearer_share(edges, others, shared_area(edges, others))


def nearer_share(edges: Array, others: Array, shared: Array) -> Array:
    """``hidden_share`` where the ``shared_area`` (n, m) is known already."""
    nearer = others[3] > edges[3][:, None] + 1.0
    covered_area = np.einsum("ij,ij->i", shared, nearer)
    result: Array = np.minimum(covered_area / np.maximum(areas(edges), 1e-9), 1.0)
    return result


def common_shift(before: Array, after: Array) -> Array:
    """How far objects really moved between two sights of them, robust to occlusion; shapes (4, …) edges, result (2, …).

    Along each axis an object that moves takes both its edges along; one that is partly hidden, or grows because it comes
    closer, moves one edge or moves them apart. So the shift is the smaller of both edges' shifts, zero when they disagree.
    """
    difference = after - before
    low, high = difference[:2], difference[2:]
    smaller = np.where(np.abs(low) < np.abs(high), low, high)
    shift: Array = np.where(low * high > 0, smaller, 0.0)
    return shift
