"""Vectorised z-buffer with perspective-correct interpolation."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def rasterise(
    points: Floats, faces: NDArray[np.int64], width: int, height: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Which triangle every pixel shows.

    Args:
        points: (n, 3): x and y in pixels (pixel centres at .5) and positive depth.
        faces: (m, 3).

    Returns:
        Covered pixels (k,) as y * width + x, their triangles (k,), and perspective-correct weights of the corners (k, 3).
    """
    p = points[faces]
    x, y = p[..., 0], p[..., 1]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    x0, x1 = (np.clip(np.ceil(f(x, 1) - 0.5), 0, width).astype(int) for f in (np.min, np.max))
    y0, y1 = (np.clip(np.ceil(f(y, 1) - 0.5), 0, height).astype(int) for f in (np.min, np.max))
    index = np.nonzero((np.abs(area) > 1e-6) & (x1 > x0) & (y1 > y0))[0]
    box_width = (x1 - x0)[index]
    count = box_width * (y1 - y0)[index]
    tri = np.repeat(index, count)
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    span = np.repeat(box_width, count)
    px, py = x0[tri] + offset % span, y0[tri] + offset // span
    fx, fy, a = px + 0.5, py + 0.5, area[tri]
    b0 = ((x[tri, 1] - fx) * (y[tri, 2] - fy) - (x[tri, 2] - fx) * (y[tri, 1] - fy)) / a
    b1 = ((x[tri, 2] - fx) * (y[tri, 0] - fy) - (x[tri, 0] - fx) * (y[tri, 2] - fy)) / a
    inside = (b0 >= -1e-4) & (b1 >= -1e-4) & (b0 + b1 <= 1 + 1e-4)
    tri, pixel, b0, b1 = tri[inside], (py * width + px)[inside], b0[inside], b1[inside]
    weights = np.stack([b0, b1, 1 - b0 - b1], 1) / p[tri][..., 2]
    depth = 1 / weights.sum(1)
    order = np.lexsort((np.arange(len(tri)), depth, pixel))
    first = order[np.r_[True, np.diff(pixel[order]) > 0]] if len(order) else order
    return pixel[first], tri[first], weights[first] * depth[first, None]
