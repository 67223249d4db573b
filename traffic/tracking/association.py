"""Which detection continues which track: a similarity of every pair and the best one-to-one assignment.

Similarity is the overlap of boxes widened by the uncertainty of the prediction, so one rule serves a parked car, whose box must
overlap, and a car just seen for the first time, which may be anywhere near. All detections, confident or not, enter one
assignment; doubtful pairs need a higher similarity. That keeps what two stages one after the other give (ByteTrack, Zhang et al.,
ECCV 2022) at the cost of one, and a confident detection is no longer taken from a track that fits it only a little worse
(compare TrackTrack, Shim et al., CVPR 2025).
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from traffic.tracking.boxes import Array
from traffic.tracking.candidates import Candidates, Kinds
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


def similarity(config: TrackerConfig, edges: Array, margin: Array, candidates: Candidates) -> Array:
    """Similarity of tracks and candidates, shape (n, m), 0..1; 0 where their areas differ too much.

    Args:
        config: settings.
        edges: float64 (4, n), predicted boxes of the tracks.
        margin: float64 (2, n), pixels by which both boxes of a pair are widened on every side, in x and y.
        candidates: m objects.
    """
    x1, y1, x2, y2 = edges[:, :, None]
    other_x1, other_y1, other_x2, other_y2 = candidates.edges
    grow_x, grow_y = 2.0 * margin[:, :, None]
    width, height = x2 - x1, y2 - y1
    other_width, other_height = other_x2 - other_x1, other_y2 - other_y1
    shared_x = np.minimum(x2, other_x2) - np.maximum(x1, other_x1) + grow_x
    shared_y = np.minimum(y2, other_y2) - np.maximum(y1, other_y1) + grow_y
    np.maximum(shared_x, 0.0, out=shared_x)
    np.maximum(shared_y, 0.0, out=shared_y)
    shared = shared_x * shared_y
    own_height, found_height = height + grow_y, other_height + grow_y
    total = (width + grow_x) * own_height + (other_width + grow_x) * found_height
    result: Array = shared / (total - shared)
    if config.height_weight:
        vertical = shared_y / (own_height + found_height - shared_y)
        result *= vertical if config.height_weight == 1.0 else vertical**config.height_weight
    if config.score_weight:
        result *= 1.0 - config.score_weight + config.score_weight * candidates.scores
    area, other_area = width * height, other_width * other_height
    result *= np.minimum(area, other_area) >= config.min_area_ratio * np.maximum(area, other_area)
    return result


def kind_penalty(kinds: Kinds, candidate_kinds: Kinds) -> Array | float:
    """Penalty of every pair of kinds, shape (n, m); 0.0 when there is only one kind."""
    if not len(kinds) or not len(candidate_kinds):
        return 0.0
    first = kinds[0]
    if (kinds == first).all() and (candidate_kinds == first).all():
        return 0.0
    return _KIND_PENALTY[kinds[:, None], candidate_kinds]


def assign(gain: Array) -> tuple[Indices, Indices]:
    """Rows and columns of the one-to-one assignment with the greatest total gain; pairs without gain are left out.

    Args:
        gain: float64 (n, m); what a pair is worth above leaving both of its members alone.
    """
    useful = np.maximum(gain, 0.0)
    rows, columns = linear_sum_assignment(useful, maximize=True)
    good = useful[rows, columns] > 0.0
    return rows[good], columns[good]
