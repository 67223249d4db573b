"""From network outputs to detections: head decoding and non-maximum suppression, in numpy."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from traffic.types import Detections, ObjectClass

Floats = NDArray[np.float32]
FOUR_WHEELED = (ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK)
MAX_CANDIDATES = 1000
IOU_OTHER_CLASS = 0.5


@lru_cache(maxsize=16)
def anchor_points(width: int, height: int, strides: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Anchor centres (anchors, 2) in pixels and strides (anchors, 1) of an input of ``width`` x ``height``."""
    centres, sizes = [], []
    for stride in strides:
        columns, rows = -(-width // stride), -(-height // stride)
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        centres.append((np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) * stride)
        sizes.append(np.full((columns * rows, 1), stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(sizes).astype(np.float32)


def expected_distances(logits: Floats) -> Floats:
    """Expectation of each side's distribution over 0, 1, … strides.

    Args:
        logits: (n, 4 x bins), sides left, top, right, bottom.

    Returns:
        (n, 4) in strides. Source: generalised focal loss (Li et al., arXiv 2006.04388), integral of the distribution.
    """
    bins = logits.reshape(len(logits), 4, logits.shape[1] // 4)
    weights = np.exp(bins - bins.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    distances: Floats = weights @ np.arange(bins.shape[2], dtype=np.float32)
    return distances


def decode_distances(
    scores: Floats, logits: Floats, input_size: tuple[int, int], strides: tuple[int, ...], threshold: float
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Decode one image of a distance-predicting head.

    Args:
        scores: (classes, anchors), 0..1. logits: (anchors, 4 x bins), see expected_distances.
        input_size: (width, height) in pixels. threshold: candidates below are dropped.

    Returns:
        boxes (n, 4) in input pixels, scores (n,), class indices (n,); one candidate per anchor, its best class.
    """
    best = scores.max(axis=0)
    chosen = np.flatnonzero(best >= threshold)
    if len(chosen) > MAX_CANDIDATES:
        chosen = chosen[np.argpartition(-best[chosen], MAX_CANDIDATES)[:MAX_CANDIDATES]]
    centres, sizes = anchor_points(*input_size, strides)
    reach = expected_distances(logits[chosen]) * sizes[chosen]
    points = centres[chosen]
    boxes = np.concatenate([points - reach[:, :2], points + reach[:, 2:]], axis=1)
    return boxes.astype(np.float32), best[chosen], scores[:, chosen].argmax(axis=0)


def suppress(boxes: Floats, scores: Floats, classes: NDArray[np.int64], iou_threshold: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression in two rounds; car, bus and truck compete with each other, others with themselves only.

    The first round drops what overlaps a better box by more than ``iou_threshold``. One vehicle named car and truck gets two
    rather different boxes, and two vehicles of different kinds never overlap so much: in the second round 0.5 is enough
    between boxes of different kinds.

    Args:
        boxes: (n, 4) x1, y1, x2, y2. scores: (n,), above 0. classes: (n,) ObjectClass values.

    Returns:
        the kept indices, best score first.
    """
    if not len(boxes):
        return np.zeros(0, np.intp)
    groups = _groups(classes)
    corners_and_sizes = np.concatenate([boxes[:, :2], np.maximum(boxes[:, 2:] - boxes[:, :2], 0)], axis=1)
    first = cv2.dnn.NMSBoxesBatched(
        corners_and_sizes.astype(np.float64),  # type: ignore[arg-type] # arrays are sequences to OpenCV, and faster
        scores,  # type: ignore[arg-type]
        groups.astype(np.int32),  # type: ignore[arg-type]
        0.0,
        iou_threshold,
    )
    kept = np.asarray(first, np.intp)
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    rivals = (groups[kept][:, None] == groups[kept][None, :]) & (classes[kept][:, None] != classes[kept][None, :])
    if rivals.any():
        rivals &= _iou(boxes[kept]) > IOU_OTHER_CLASS
        alive = np.ones(len(kept), bool)
        for index in np.flatnonzero(rivals.any(axis=1)):
            if alive[index]:
                alive[index + 1 :] &= ~rivals[index, index + 1 :]
        kept = kept[alive]
    return kept


def to_detections(
    boxes: Floats, scores: Floats, classes: NDArray[np.int64], image_size: tuple[int, int], iou_threshold: float
) -> Detections:
    """Suppress, clip to ``image_size`` (width, height) and drop empty boxes. ``classes`` are ObjectClass values."""
    kept = suppress(boxes, scores, classes, iou_threshold)
    boxes, scores, classes = boxes[kept], scores[kept], classes[kept]
    limit = np.array([*image_size, *image_size], np.float32)
    boxes = np.clip(boxes, 0, limit)
    solid = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(axis=1)
    return Detections(
        boxes=np.ascontiguousarray(boxes[solid], np.float32),
        scores=scores[solid].astype(np.float32),
        classes=classes[solid].astype(np.int64),
    )


def _groups(classes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(np.isin(classes, FOUR_WHEELED), int(ObjectClass.CAR), classes)


def _iou(boxes: Floats) -> Floats:
    top, bottom = np.maximum(boxes[:, None, :2], boxes[None, :, :2]), np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(bottom - top, 0, None).prod(axis=2)
    area = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    result: Floats = shared / np.maximum(area[:, None] + area[None, :] - shared, 1e-9)
    return result
