"""Boxes of many objects at once: where they are in the picture, and who hides whom."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

SAME = 0.4  # share of the union from which on two boxes are taken for one object's


def bottom(boxes: Array, aspect: float) -> Array:
    """Bottom centres of relative boxes (n, 4), in picture heights (n, 2)."""
    return np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2 * aspect, boxes[:, 3]])


def top(boxes: Array, aspect: float) -> Array:
    """Top centres, likewise."""
    return np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2 * aspect, boxes[:, 1]])


def foot_hidden(boxes: Array, hiders: Array, there: Flags, found: Flags, same: Flags) -> Flags:
    """bool (n,): whether something nearer to the camera lies over the lower edge of each box.

    Args:
        hiders: (n, 4), boxes of what is ``there``, bool (n,); what is not ``found`` hides nobody who has nearly its box: that is
            the object itself under another number. same: bool (n, n), pairs that are known to be one object.
    """
    (x1, y1, x2, y2), (left, top, right, bottom) = boxes.T, hiders.T
    width, height = x2 - x1, y2 - y1
    beside = np.minimum(x2[:, None], right) - np.maximum(x1[:, None], left)
    nearer = (bottom[None, :] > y2[:, None] + 0.05 * height[:, None]) & (top[None, :] < y2[:, None] + 0.02 * height[:, None])
    over = nearer & (beside > 0.2 * width[:, None]) & there[None, :] & ~same & ~same.T
    if not found[there].all():
        deep = np.minimum(y2[:, None], bottom) - np.maximum(y1[:, None], top)
        shared = np.clip(beside, 0, None) * np.clip(deep, 0, None)
        union = (width * height)[:, None] + ((right - left) * (bottom - top))[None, :] - shared
        over &= found[None, :] | (shared < SAME * np.maximum(union, 1e-12))
    hidden: Flags = over.any(axis=1)
    return hidden


def union_share(one: Array, two: Array) -> float:
    """Common area of two boxes as a share of their union."""
    shared = float(np.clip(np.minimum(one[2:], two[2:]) - np.maximum(one[:2], two[:2]), 0, None).prod())
    return shared / max(float((one[2:] - one[:2]).prod() + (two[2:] - two[:2]).prod()) - shared, 1e-12)


def off_course(step: Array, course: Array) -> Array:
    """Distance (n,) of steps (n, 2) from the nearest one between standing still and going on along ``course`` (n, 2)."""
    length = np.maximum((course**2).sum(axis=1), 1e-18)
    share = np.clip((step * course).sum(axis=1) / length, 0.0, 1.0)
    result: Array = np.hypot(*(step - share[:, None] * course).T)
    return result


def diagonal(boxes: Array, aspect: float) -> Array:
    """Diagonals (n,) of relative boxes, in picture heights."""
    result: Array = np.hypot((boxes[:, 2] - boxes[:, 0]) * aspect, boxes[:, 3] - boxes[:, 1])
    return result
