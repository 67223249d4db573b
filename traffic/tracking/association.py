"""Which detection continues which track: a similarity of every pair and the best one-to-one assignment.

Similarity is the overlap of boxes, which may be widened by the uncertainty of the prediction, so that one rule serves a parked
car, whose box must overlap, and a car just seen for the first time, which may be anywhere near.
"""

import math

import numpy as np
from numpy.typing import NDArray

from traffic.tracking.assignment import linear_sum_assignment
from traffic.tracking.boxes import Array
from traffic.tracking.candidates import Kinds
from traffic.tracking.config import TrackerConfig

Indices = NDArray[np.intp]

# Penalty of matching a track of a kind (row) with a detection of a kind (column): person, two-wheeler, four-wheeler, two-wheeler
# with rider. A person becomes a two-wheeler only when both are seen together, and never a car.
_NEVER = math.inf
_KIND_PENALTY = np.array(
    [
        [0.0, _NEVER, _NEVER, 0.1],
        [_NEVER, 0.0, 0.3, 0.0],
        [_NEVER, 0.3, 0.0, 0.3],
        [0.1, 0.0, 0.3, 0.0],
    ]
)


def similarity(config: TrackerConfig, edges: Array, margin: Array | None, found: Array) -> Array:
    """Similarity of tracks and detections, shape (n, m), 0..1; 0 where their areas differ too much.

    Args:
        config: settings.
        edges: float64 (4, n), predicted boxes of the tracks.
        margin: float64 (2, n), pixels by which both boxes of a pair are widened on every side, in x and y; None for nothing.
        found: float64 (4, m), boxes of the detections.
    """
    extent, other = (edges[2:] - edges[:2])[:, :, None], (found[2:] - found[:2])[:, None, :]
    area, other_area = extent[0] * extent[1], other[0] * other[1]
    shared = np.minimum(edges[2:, :, None], found[2:, None, :])
    shared -= np.maximum(edges[:2, :, None], found[:2, None, :])
    bounded = config.min_area_ratio > 0.0
    if bounded:
        comparable = other_area >= config.min_area_ratio * area
        comparable &= other_area * config.min_area_ratio <= area
    if margin is not None:
        grow = 2.0 * margin[:, :, None]
        shared += grow
        extent, other = extent + grow, other + grow
        area, other_area = extent[0] * extent[1], other[0] * other[1]
    np.maximum(shared, 0.0, out=shared)
    result: Array = shared[0] * shared[1]
    total = area + other_area
    total -= result
    result /= total
    if config.height_weight:
        both = extent[1] + other[1]
        both -= shared[1]
        vertical = np.divide(shared[1], both, out=both)
        result *= _power(vertical, config.height_weight)
    if bounded:
        result *= comparable
    return result


def kind_penalty(kinds: Kinds, candidate_kinds: Kinds) -> Array | None:
    """Penalty of every pair of kinds, shape (n, m); None when there is only one kind."""
    if not len(kinds) or not len(candidate_kinds):
        return None
    first = kinds[0]
    if (kinds == first).all() and (candidate_kinds == first).all():
        return None
    return _KIND_PENALTY[kinds[:, None], candidate_kinds]


def assign(gain: Array) -> tuple[Indices, Indices]:
    """Rows and columns of the one-to-one assignment with the greatest total gain; pairs without gain are left out.

    Args:
        gain: float64 (n, m), overwritten; what a pair is worth above leaving both of its members alone.
    """
    useful = np.maximum(gain, 0.0, out=gain)
    rows, columns = linear_sum_assignment(useful, maximize=True)
    good = useful[rows, columns] > 0.0
    return rows[good], columns[good]


def _power(base: Array, exponent: float) -> Array:
    """``base`` to a power; the general function is slow, and halves serve."""
    if exponent == 1.0:
        return base
    if exponent == 0.5:
        return np.sqrt(base)
    if exponent == 1.5:
        return base * np.sqrt(base)
    result: Array = base**exponent
    return result
