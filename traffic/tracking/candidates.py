"""From raw detections to candidates: one per object, with the kind it may be matched with.

A detector with class-aware suppression names one vehicle twice (car and truck), and a rider and the two-wheeler below apart.
Both become one candidate here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.tracking.boxes import Array, covered, iou
from traffic.types import Detections, ObjectClass

Kinds = NDArray[np.int64]

PERSON, TWO_WHEELER, FOUR_WHEELER, RIDDEN = range(4)  # kinds; RIDDEN is a two-wheeler with its rider
KIND_OF_CLASS: Kinds = np.array([PERSON, TWO_WHEELER, FOUR_WHEELER, TWO_WHEELER, FOUR_WHEELER, FOUR_WHEELER])

_INSIDE = 0.5  # a rider: at least this share of the person lies in the two-wheeler's box grown upwards by its height,
_FEET_ABOVE = 0.06  # with the feet this share of the two-wheeler's height or more above its wheels' lowest point,
_FEET_BELOW_TOP = 0.1  # but lower than its top,
_ASIDE = 0.35  # and the middle at most this share of its width beside its middle
_SAME_RIDE = 0.6  # IoU from which two-wheelers, riders added, are one; or this share of one in the other,
_INSIDE_RIDE = 0.85
_SAME_GROUND = 0.15  # with lower edges at most this share of the smaller one's height apart
_SAME_PLACE = 0.5  # IoU from which a two-wheeler detection is taken for a known parked two-wheeler


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """Objects found in one frame.

    Attributes:
        edges: float64 (4, m), rows x1, y1, x2, y2 in pixels; of a two-wheeler with its rider the box around both.
        scores: float64 (m,), 0..1.
        votes: float64 (classes, m), the score by ObjectClass value of every detection that went into the object.
        kinds: int64 (m,), PERSON … RIDDEN.
    """

    edges: Array
    scores: Array
    votes: Array
    kinds: Kinds


def find_candidates(detections: Detections, low_score: float, duplicate_overlap: float, parked: Array) -> Candidates:
    """Valid detections of ``low_score`` or more, every object once.

    Args:
        detections: everything found in the frame; boxes that are not finite or below 2 px are ignored.
        low_score: least score.
        duplicate_overlap: IoU from which two vehicle detections of different classes are one object.
        parked: edges (4, k) of two-wheelers known to stand without a rider; who walks past one does not ride it.
    """
    good = detections.scores >= low_score
    boxes = detections.boxes
    if not np.isfinite(boxes).all():
        good &= np.isfinite(boxes).all(axis=1)
    chosen = good.nonzero()[0]
    edges = boxes.take(chosen, axis=0).T.astype(np.float64, order="C")
    large = (edges[2:] - edges[:2] >= 2.0).all(axis=0)
    if not large.all():
        chosen, edges = chosen[large], edges[:, large]
    scores, classes = detections.scores[chosen].astype(np.float64), detections.classes[chosen]
    votes = np.zeros((len(ObjectClass), len(chosen)))
    votes[classes, np.arange(len(chosen))] = scores
    kinds = KIND_OF_CLASS[classes]
    if len(chosen) and (classes != classes[0]).any():
        keep = _one_per_vehicle(edges, scores, classes, votes, kinds, duplicate_overlap)
        edges, scores, votes, kinds = edges[:, keep], scores[keep], votes[:, keep], kinds[keep]
        keep = _one_per_rider(edges, kinds, parked)
        edges, scores, votes, kinds = edges[:, keep], scores[keep], votes[:, keep], kinds[keep]
        keep = _one_per_two_wheeler(edges, scores, votes, kinds)
        edges, scores, votes, kinds = edges[:, keep], scores[keep], votes[:, keep], kinds[keep]
    return Candidates(edges=edges, scores=scores, votes=votes, kinds=kinds)


def _one_per_vehicle(
    edges: Array, scores: Array, classes: Kinds, votes: Array, kinds: Kinds, duplicate_overlap: float
) -> NDArray[np.bool_]:
    """Suppress the less certain of two vehicle detections of one place and of different classes; it gives its vote."""
    keep = np.ones(len(scores), bool)
    vehicles = np.flatnonzero(kinds != PERSON)
    vehicles = vehicles[np.argsort(-scores[vehicles], kind="stable")]
    chosen = edges[:, vehicles]
    same = (iou(chosen, chosen) >= duplicate_overlap) & (classes[vehicles][:, None] != classes[vehicles][None, :])
    for better, worse in np.argwhere(np.triu(same, 1)):
        if keep[vehicles[better]] and keep[vehicles[worse]]:
            keep[vehicles[worse]] = False
            votes[:, vehicles[better]] += votes[:, vehicles[worse]]
    return keep


def _one_per_rider(edges: Array, kinds: Kinds, parked: Array) -> NDArray[np.bool_]:
    """Merge every person who rides a two-wheeler into it, in place; returns the detections that remain."""
    keep = np.ones(len(kinds), bool)
    people, cycles = np.flatnonzero(kinds == PERSON), np.flatnonzero(kinds == TWO_WHEELER)
    if parked.shape[1] and len(cycles):
        cycles = cycles[(iou(edges[:, cycles], parked) < _SAME_PLACE).all(axis=1)]
    if not len(people) or not len(cycles):
        return keep
    x1, y1, x2, y2 = edges[:, cycles]
    width, height = x2 - x1, y2 - y1
    inside = covered(edges[:, people], np.stack([x1, y1 - height, x2, y2]))
    feet, middle = edges[3, people][:, None], (edges[0, people] + edges[2, people])[:, None] / 2
    rides = (inside >= _INSIDE) & (feet <= y2 - _FEET_ABOVE * height) & (feet >= y1 + _FEET_BELOW_TOP * height)
    rides &= np.abs(middle - (x1 + x2) / 2) <= _ASIDE * np.maximum(width, 0.5 * height)
    for row in np.flatnonzero(rides.any(axis=1)):
        person = people[row]
        cycle = cycles[np.where(rides[row], inside[row], 0.0).argmax()]
        edges[:2, cycle] = np.minimum(edges[:2, cycle], edges[:2, person])
        edges[2:, cycle] = np.maximum(edges[2:, cycle], edges[2:, person])
        kinds[cycle] = RIDDEN
        keep[person] = False
    return keep


def _one_per_two_wheeler(edges: Array, scores: Array, votes: Array, kinds: Kinds) -> NDArray[np.bool_]:
    """Suppress the less certain of two two-wheelers that are the same once the rider is added; it gives its vote and its extent.

    Often one box shows the machine alone and another one both.
    """
    keep = np.ones(len(kinds), bool)
    if not (kinds == RIDDEN).any():
        return keep
    cycles = np.flatnonzero((kinds == TWO_WHEELER) | (kinds == RIDDEN))
    cycles = cycles[np.argsort(-scores[cycles], kind="stable")]
    chosen = edges[:, cycles]
    height = chosen[3] - chosen[1]
    ground = np.abs(chosen[3][:, None] - chosen[3]) <= _SAME_GROUND * np.minimum(height[:, None], height)
    part = covered(chosen, chosen) >= _INSIDE_RIDE
    same = (iou(chosen, chosen) >= _SAME_RIDE) | ((part | part.T) & ground)
    for better, worse in np.argwhere(np.triu(same, 1)):
        first, second = cycles[better], cycles[worse]
        if keep[first] and keep[second] and RIDDEN in (kinds[first], kinds[second]):
            keep[second] = False
            votes[:, first] += votes[:, second]
            kinds[first] = RIDDEN
            edges[:2, first] = np.minimum(edges[:2, first], edges[:2, second])
            edges[2:, first] = np.maximum(edges[2:, first], edges[2:, second])
    return keep
