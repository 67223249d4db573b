"""Standing vehicles that are too faint to be followed: weak evidence, but in the same place again and again.

In a dense queue a vehicle may show nothing but its roof above the next one. A detector then gives it a low score, too low to
start a track in one frame, but it does so in every frame and in the same place. Summed over time that is evidence enough for a
vehicle that stands (the case without motion of track-before-detect). Such vehicles only continue a queue of vehicles that are
followed; they never make a queue, a passage or an event by themselves.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.types import FOUR_WHEELED, Box, Detections, ObjectClass, Track

Array = NDArray[np.float64]

_CLASSES = np.array(sorted(int(item) for item in FOUR_WHEELED))
_MAX_SPOTS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class FaintConfig:
    """Settings of one watch.

    Attributes:
        look_s: detections are looked at this often, whatever the camera's rate.
        low_score: detections below are ignored. start_score: a detection needs this score to start a spot.
        evidence: least mean score of a spot, over ``memory_s``, looks without a detection counting as 0.
        memory_s: time in which old scores are forgotten (to 1/e).
        least_s: a spot must be known for this long.
        gone_s: a spot without a detection for this long is forgotten.
        same: IoU from which a detection is a spot's.
        taken: IoU, and known_share: share of the detection's box, from which a followed object's box explains it.
        part: share of the smaller box from which two detections are one vehicle.
    """

    look_s: float = 0.15
    low_score: float = 0.14
    start_score: float = 0.24
    evidence: float = 0.22
    memory_s: float = 1.0
    least_s: float = 0.3
    gone_s: float = 0.8
    same: float = 0.5
    taken: float = 0.45
    known_share: float = 0.85
    part: float = 0.8


@dataclass(frozen=True, kw_only=True, slots=True)
class FaintVehicle:
    """A vehicle that is not followed and seems to stand.

    Attributes:
        number: below 0, unique within one watch.
        box: pixels of the frame, averaged over the last looks.
    """

    number: int
    box: Box
    object_class: ObjectClass


@dataclass(slots=True)
class _Spot:
    number: int
    box: Array
    object_class: ObjectClass
    first_s: float
    seen_s: float
    evidence: float


class FaintWatch:
    """Collects weak detections of one camera by place. State is bounded by 64 spots."""

    def __init__(self, config: FaintConfig | None = None) -> None:
        self._config = config or FaintConfig()
        self._spots: list[_Spot] = []
        self._looked_s = -math.inf
        self._next = -1
        self._found: tuple[FaintVehicle, ...] = ()

    def update(self, time_s: float, detections: Detections, tracks: Sequence[Track]) -> tuple[FaintVehicle, ...]:
        """A frame, in order of time.

        Args:
            detections: everything found in it. tracks: what the tracker made of it; their vehicles are never stated.
        """
        config = self._config
        step_s = time_s - self._looked_s
        if 0 <= step_s < config.look_s - 1e-6:
            return self._found
        if step_s < 0 or step_s > config.gone_s:
            self._spots.clear()
        self._looked_s = time_s
        boxes, scores, classes = self._unexplained(detections, tracks)
        keep = math.exp(-min(step_s, config.gone_s) / config.memory_s)
        matched = self._match(boxes)
        for index, spot in enumerate(self._spots):
            row = matched.get(index)
            spot.evidence = keep * spot.evidence + (1 - keep) * (scores[row] if row is not None else 0.0)
            if row is not None:
                spot.seen_s = time_s
                spot.box = keep * spot.box + (1 - keep) * boxes[row]
                spot.object_class = ObjectClass(int(classes[row]))
        taken = set(matched.values())
        for row in range(len(boxes)):
            if row not in taken and scores[row] >= config.start_score:
                kind = ObjectClass(int(classes[row]))
                self._spots.append(_Spot(self._next, boxes[row], kind, time_s, time_s, float(scores[row])))
                self._next -= 1
        alive = [spot for spot in self._spots if time_s - spot.seen_s < config.gone_s]
        self._spots = sorted(alive, key=lambda spot: -spot.evidence)[:_MAX_SPOTS]
        self._found = tuple(
            FaintVehicle(number=spot.number, box=_box(spot.box), object_class=spot.object_class)
            for spot in self._spots
            if spot.evidence >= config.evidence and time_s - spot.first_s >= config.least_s
        )
        return self._found

    def _unexplained(self, detections: Detections, tracks: Sequence[Track]) -> tuple[Array, Array, NDArray[np.int64]]:
        """Detections of four-wheeled vehicles that no track explains, the surest first and each vehicle once."""
        config = self._config
        good = (detections.scores >= config.low_score) & np.isin(detections.classes, _CLASSES)
        good &= np.isfinite(detections.boxes).all(axis=1)
        order = np.flatnonzero(good)
        order = order[np.argsort(-detections.scores[order], kind="stable")]
        boxes = detections.boxes[order].astype(np.float64)
        free = np.ones(len(boxes), np.bool_)
        if len(boxes) and tracks:
            known = np.array([track.box for track in tracks], np.float64)
            shared, area, known_area = _shared(boxes, known), _area(boxes), _area(known)
            explained = shared >= config.taken * (area[:, None] + known_area - shared)
            explained |= shared >= config.known_share * area[:, None]
            free &= ~explained.any(axis=1)
        shared, area = _shared(boxes, boxes), _area(boxes)
        one = shared >= config.part * np.minimum(area[:, None], area)
        for row in range(len(boxes)):
            if free[row]:
                free[row + 1 :] &= ~one[row, row + 1 :]
        chosen = order[free]
        return boxes[free], detections.scores[chosen].astype(np.float64), detections.classes[chosen]

    def _match(self, boxes: Array) -> dict[int, int]:
        """Row of the detection by index of the spot, nearest pairs first."""
        if not self._spots or not len(boxes):
            return {}
        spots = np.array([spot.box for spot in self._spots])
        shared = _shared(spots, boxes)
        alike = shared / (_area(spots)[:, None] + _area(boxes) - shared)
        found: dict[int, int] = {}
        for flat in np.argsort(-alike, axis=None, kind="stable"):
            spot, row = divmod(int(flat), len(boxes))
            if alike[spot, row] < self._config.same:
                break
            if spot not in found and row not in found.values():
                found[spot] = row
        return found


def _area(boxes: Array) -> Array:
    result: Array = np.maximum(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), 1e-9)
    return result


def _shared(a: Array, b: Array) -> Array:
    """Area that every box of ``a`` (n, 4) shares with every one of ``b`` (m, 4); shape (n, m), square pixels."""
    extent = np.minimum(a[:, None, 2:], b[:, 2:]) - np.maximum(a[:, None, :2], b[:, :2])
    result: Array = np.prod(np.maximum(extent, 0.0), axis=2)
    return result


def _box(box: Array) -> Box:
    x1, y1, x2, y2 = box.tolist()
    return (x1, y1, x2, y2)
