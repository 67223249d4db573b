"""Outputs of the plate detector to boxes and corners.

Single-stage detector with two square anchors per cell of strides 8, 16 and 32; boxes and landmarks are coded relative to the
anchors (Deng et al. 2019, "RetinaFace", whose variances 0.1 and 0.2 are used).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_STRIDES = (8, 16, 32)
_ANCHORS = ((24.0, 48.0), (96.0, 192.0), (384.0, 768.0))
_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2
_MAX_CANDIDATES = 200


class FoundPlates(NamedTuple):
    """Plates of one picture, best first: boxes (n, 4), corners (n, 4, 2) in pixels, scores (n,)."""

    boxes: Floats
    corners: Floats
    scores: Floats


@lru_cache(maxsize=32)
def anchors(width: int, height: int) -> Floats:
    """float32 (n, 3): centre x, centre y and side in pixels of every anchor of a network input of this size."""
    parts = []
    for stride, sides in zip(_STRIDES, _ANCHORS, strict=True):
        rows, columns = -(-height // stride), -(-width // stride)
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        centres = np.stack([x.ravel(), y.ravel()], axis=1).repeat(len(sides), axis=0)
        centres = (centres + 0.5) * stride
        parts.append(np.concatenate([centres, np.tile(sides, rows * columns)[:, None]], axis=1).astype(np.float32))
    table = np.concatenate(parts)
    table.flags.writeable = False
    return table


def decode(
    boxes: Floats, scores: Floats, landmarks: Floats, size: tuple[int, int], threshold: float, iou_threshold: float
) -> FoundPlates:
    """One picture's raw outputs to plates.

    Args:
        boxes (n, 4), scores (n, 2) plate last, landmarks (n, 8): as the network gives them.
        size: (width, height) of the network input. threshold: lower scores are dropped. iou_threshold: of suppression.

    Returns:
        plates in pixels of the network input; corners in the order top left, top right, bottom right, bottom left.
    """
    good = np.flatnonzero(scores[:, 1] >= threshold)
    good = good[np.argsort(-scores[good, 1], kind="stable")][:_MAX_CANDIDATES]
    table = anchors(*size)[good]
    centres, sides = table[:, :2], table[:, 2:]
    middle = centres + boxes[good, :2] * _CENTRE_VARIANCE * sides
    half = sides * np.exp(np.minimum(boxes[good, 2:] * _SIZE_VARIANCE, 10)) / 2
    found = np.concatenate([middle - half, middle + half], axis=1)
    points = centres[:, None] + landmarks[good].reshape(-1, 4, 2) * _CENTRE_VARIANCE * sides[:, None]
    kept = _suppress(found, iou_threshold)
    # The network says bottom right, bottom left, top left, top right.
    return FoundPlates(found[kept], points[kept][:, [2, 3, 0, 1]], scores[good, 1][kept])


def _suppress(boxes: Floats, iou_threshold: float) -> NDArray[np.int64]:
    """Indices kept of boxes sorted best first."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.arange(len(boxes))
    kept = []
    while len(left):
        first, rest = left[0], left[1:]
        kept.append(first)
        low, high = np.maximum(boxes[first, :2], boxes[rest, :2]), np.minimum(boxes[first, 2:], boxes[rest, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        left = rest[shared <= iou_threshold * (area[first] + area[rest] - shared)]
    return np.array(kept, np.int64)
