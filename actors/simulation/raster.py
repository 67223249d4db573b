"""Vectorised z-buffer with perspective-correct interpolation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
_EDGE = np.float32(-1e-4)  # pixels on a shared edge belong to both triangles, so that no gap opens between them


def rasterise(
    points: NDArray[np.float64], faces: NDArray[np.int64], width: int, height: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Which triangle every pixel shows.

    Args:
        points: (n, 3): x and y in pixels (pixel centres at .5) and positive depth.
        faces: (m, 3).

    Returns:
        Covered pixels (k,) as y * width + x in growing order, their triangles (k,), and perspective-correct weights of the
        corners (k, 3).
    """
    corners = points[faces]
    x, y = corners[..., 0], corners[..., 1]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    x0, x1 = (np.clip(np.ceil(f(x, 1) - 0.5), 0, width).astype(np.int32) for f in (np.min, np.max))
    y0, y1 = (np.clip(np.ceil(f(y, 1) - 0.5), 0, height).astype(np.int32) for f in (np.min, np.max))
    shown = np.flatnonzero((np.abs(area) > 1e-6) & (x1 > x0) & (y1 > y0))
    x, y, x0, y0 = x[shown], y[shown], x0[shown], y0[shown]
    span = x1[shown] - x0
    planes = _planes(x - x0[:, None] - 0.5, y - y0[:, None] - 0.5, 1 / corners[shown, :, 2], area[shown])
    count = span * (y1[shown] - y0)
    tri = np.repeat(np.arange(len(shown), dtype=np.int32), count)
    offset = np.arange(len(tri), dtype=np.int32) - np.repeat(np.cumsum(count, dtype=np.int32) - count, count)
    dy, dx = np.divmod(offset, span[tri])
    fx, fy = dx.astype(np.float32), dy.astype(np.float32)
    b0, b1 = ((p := planes[i][:, tri])[0] * fx + p[1] * fy + p[2] for i in (0, 1))
    inside = np.flatnonzero((b0 >= _EDGE) & (b1 >= _EDGE) & (b0 + b1 <= 1 - _EDGE))
    tri, b0, b1 = tri[inside], b0[inside], b1[inside]
    pixel = ((y0[tri] + dy[inside]) * width + x0[tri] + dx[inside]).astype(np.int64)
    near = planes[2][:, tri]
    closeness = near[0] * b0 + near[1] * b1 + near[2]
    # One number per fragment that orders by closeness and names the fragment: positive floats order like their bits.
    key = (closeness.view(np.int32).astype(np.int64) << 32) | np.arange(len(tri))
    buffer = np.full(width * height, -1, np.int64)
    np.maximum.at(buffer, pixel, key)
    covered = np.flatnonzero(buffer >= 0)
    best = buffer[covered] & 0xFFFFFFFF
    index = shown[tri[best]]
    weights = np.stack([b0[best], b1[best], 1 - b0[best] - b1[best]], 1) / corners[index, :, 2].astype(np.float32)
    return covered, index, weights / weights.sum(1, keepdims=True)


def _planes(x: Floats, y: Floats, closeness: Floats, area: Floats) -> NDArray[np.float32]:
    """Per triangle, from corners relative to its first pixel: the first two barycentric weights as a * dx + b * dy + c and
    the inverse depth as a * weight0 + b * weight1 + c; float32 (3, 3, m)."""
    b0 = ((y[:, 1] - y[:, 2]), (x[:, 2] - x[:, 1]), (x[:, 1] * y[:, 2] - x[:, 2] * y[:, 1]))
    b1 = ((y[:, 2] - y[:, 0]), (x[:, 0] - x[:, 2]), (x[:, 2] * y[:, 0] - x[:, 0] * y[:, 2]))
    depth = (closeness[:, 0] - closeness[:, 2], closeness[:, 1] - closeness[:, 2], closeness[:, 2])
    return np.array([[v / area for v in b0], [v / area for v in b1], depth], np.float32)
