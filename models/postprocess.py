"""From network outputs to detections: head decoding and non-maximum suppression, in numpy."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from traffic.types import Detections, ObjectClass

Floats = NDArray[np.float32]
_FOUR_WHEELED = (ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK)
_MAX_CANDIDATES = 1000
_IOU_OTHER_CLASS = 0.45


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


def decode_distances(
    scores: Floats, distances: Floats, input_size: tuple[int, int], strides: tuple[int, ...], threshold: float
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Decode one image of a distance-predicting head.

    Args:
        scores: (classes, anchors), 0..1. distances: (anchors, 4) in strides. input_size: (width, height) in pixels.
        threshold: candidates below are dropped.

    Returns:
        boxes (n, 4) in input pixels, scores (n,), class indices (n,); one candidate per anchor, its best class.
    """
    best = scores.max(axis=0)
    chosen = np.flatnonzero(best >= threshold)
    if len(chosen) > _MAX_CANDIDATES:
        chosen = chosen[np.argpartition(-best[chosen], _MAX_CANDIDATES)[:_MAX_CANDIDATES]]
    centres, sizes = anchor_points(*input_size, strides)
    reach = distances[chosen] * sizes[chosen]
    points = centres[chosen]
    boxes = np.concatenate([points - reach[:, :2], points + reach[:, 2:]], axis=1)
    return boxes.astype(np.float32), best[chosen], scores[:, chosen].argmax(axis=0)


def suppress(boxes: Floats, scores: Floats, classes: NDArray[np.int64], iou_threshold: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression; car, bus and truck compete with each other, other classes only with themselves.

    Returns the kept indices, best score first.
    """
    order = np.argsort(-scores, kind="stable")
    boxes, sorted_classes = boxes[order], classes[order]
    groups = _groups(sorted_classes)
    overlap = _iou(boxes) * (groups[:, None] == groups[None, :])
    # One vehicle named car and truck gets two rather different boxes; two vehicles of different kinds never overlap so much.
    overlap *= np.where(sorted_classes[:, None] != sorted_classes[None, :], iou_threshold / _IOU_OTHER_CLASS, 1.0)
    alive = np.ones(len(order), bool)
    for index in range(len(order)):
        if alive[index]:
            alive[index + 1 :] &= overlap[index, index + 1 :] <= iou_threshold
    kept: NDArray[np.intp] = order[alive]
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
    return np.where(np.isin(classes, _FOUR_WHEELED), int(ObjectClass.CAR), classes)


def _iou(boxes: Floats) -> Floats:
    top, bottom = np.maximum(boxes[:, None, :2], boxes[None, :, :2]), np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(bottom - top, 0, None).prod(axis=2)
    area = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    result: Floats = shared / np.maximum(area[:, None] + area[None, :] - shared, 1e-9)
    return result
