"""Motion of the camera, seen in the boxes alone: what all objects have in common that their own motion does not explain."""

import numpy as np
from numpy.typing import NDArray

from traffic.tracking.boxes import Array

_MIN_PAIRS = 4  # objects from which a common motion can be told from their own
_MIN_SIMILARITY = 0.3  # of a pair that is used


def picture_shift(alike: Array, predicted: Array, measured: Array, spreads: float) -> Array | None:
    """Shift of the picture against the prediction, or None where none is evident.

    Pairs of a track and a detection that are each other's most similar one are almost always right. The median of their
    residuals is the motion they share; it counts, along each axis, where it exceeds ``spreads`` times the residuals' median
    absolute deviation. (Methods that register the pictures themselves need the pixels: BoT-SORT, Aharon et al., 2022.)

    Args:
        alike: float64 (n, m), similarity of tracks and detections, 0..1.
        predicted: float64 (2, n), places of the tracks in pixels.
        measured: float64 (2, m), the same places of the detections.
        spreads: how clear the shift has to be.

    Returns:
        float64 (2,), pixels to the right and down.
    """
    if min(alike.shape) < _MIN_PAIRS:
        return None
    best = alike.argmax(axis=1)
    rows = np.arange(len(best))
    sure: NDArray[np.bool_] = (alike.argmax(axis=0)[best] == rows) & (alike[rows, best] > _MIN_SIMILARITY)
    rows = sure.nonzero()[0]
    middle = len(rows) // 2
    if len(rows) < _MIN_PAIRS:
        return None
    residual = measured[:, best[rows]] - predicted[:, rows]
    shift = np.partition(residual, middle, axis=1)[:, middle]
    spread = np.partition(np.abs(residual - shift[:, None]), middle, axis=1)[:, middle]
    evident = np.abs(shift) > spreads * spread
    return np.where(evident, shift, 0.0) if evident.any() else None
