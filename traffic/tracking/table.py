"""What the tracker knows of its tracks beside their motion, as parallel arrays: one column per track.

All numbers lie in one array and all flags in another, so that a birth or a death costs two copies and not one per field.
"""

import numpy as np
from numpy.typing import NDArray

from traffic.tracking.boxes import Array, areas, common_shift
from traffic.tracking.candidates import KIND_OF_CLASS, RIDDEN, TWO_WHEELER, Kinds
from traffic.types import ObjectClass

Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

_RECEDING = 0.8  # a box that has shrunk to this share in both directions is farther away, not half hidden
_GROWN = 1.3  # a box that has grown by this in one direction is nearer, or was half hidden before

_ID, _HITS, _FIRST, _SINCE, _WAITED, _SCORE, _SCORE_SUM, _REST_SINCE = range(8)
_PLACES = slice(8, 16)
_DETECTION = slice(16, 20)
_VOTES = slice(20, 20 + len(ObjectClass))
_NUMBERS = _VOTES.stop
_CONFIRMED, _MOVED, _RIDDEN, _MATCHED = range(4)
_FLAGS = 4


class TrackTable:
    """Bookkeeping of all tracks. Every attribute but ``kinds`` is a view: write into it, never assign it.

    Attributes:
        ids, hits: float64 (n,), whole numbers: track id, and number of matched detections.
        first_s: float64 (n,), video time of the first detection. since_s: seconds since the last match.
        waited_s: the part of since_s in which nothing hid the object.
        rest_since_s: video time since which the object has not moved.
        scores, score_sums: float64 (n,), of the last detection, and the sum over all.
        places: float64 (4, 2, n), edges where the object was first seen, and where it came to rest or was last seen moving.
        detections: float64 (4, n), edges of the last matched detection as found (a rider completed), not filtered.
        votes: float64 (classes, n), class votes.
        confirmed: bool (n,), whether the track was ever confirmed. matched: whether it has a detection in the current frame.
        moved: bool (n,), whether the object was ever displaced by more than half its diagonal.
        ridden: bool (n,), whether it is a two-wheeler that was seen with its rider.
        kinds: int64 (n,), kind of every track by its votes (``candidates.PERSON`` …).
    """

    def __init__(self) -> None:
        self._numbers: Array = np.zeros((_NUMBERS, 0))
        self._flags: Flags = np.zeros((_FLAGS, 0), bool)
        self.kinds: Kinds = np.zeros(0, np.int64)
        self._bind()

    def _bind(self) -> None:
        """Name the rows; plain attributes are read faster than properties, and the tracker reads many per frame."""
        numbers, flags = self._numbers, self._flags
        self.ids: Array = numbers[_ID]
        self.hits: Array = numbers[_HITS]
        self.first_s: Array = numbers[_FIRST]
        self.since_s: Array = numbers[_SINCE]
        self.waited_s: Array = numbers[_WAITED]
        self.rest_since_s: Array = numbers[_REST_SINCE]
        self.scores: Array = numbers[_SCORE]
        self.score_sums: Array = numbers[_SCORE_SUM]
        self.places: Array = numbers[_PLACES].reshape(4, 2, -1) if len(self) else np.zeros((4, 2, 0))
        self.detections: Array = numbers[_DETECTION]
        self.votes: Array = numbers[_VOTES]
        self.confirmed: Flags = flags[_CONFIRMED]
        self.moved: Flags = flags[_MOVED]
        self.ridden: Flags = flags[_RIDDEN]
        self.matched: Flags = flags[_MATCHED]

    def __len__(self) -> int:
        return len(self.kinds)

    def add(self, first_id: int, time_s: float, edges: Array, scores: Array, votes: Array, ridden: Flags) -> None:
        """Append tracks first seen now: edges (4, m), scores and ridden (m,), votes (classes, m); ids count up."""
        count = len(scores)
        fresh = np.zeros((_NUMBERS, count))
        fresh[_ID] = np.arange(first_id, first_id + count)
        fresh[_HITS] = 1.0
        fresh[_FIRST] = fresh[_REST_SINCE] = time_s
        fresh[_SCORE] = fresh[_SCORE_SUM] = scores
        fresh[_PLACES] = np.repeat(edges, 2, axis=0)
        fresh[_DETECTION] = edges
        fresh[_VOTES] = votes
        flags = np.zeros((_FLAGS, count), bool)
        flags[_RIDDEN] = ridden
        flags[_MATCHED] = True
        self._numbers = np.concatenate([self._numbers, fresh], axis=1)
        self._flags = np.concatenate([self._flags, flags], axis=1)
        self.kinds = np.zeros(self._flags.shape[1], np.int64)
        self._bind()
        self.classify()

    def keep(self, rows: Indices) -> None:
        """Keep only ``rows`` (k,)."""
        self._numbers = self._numbers.take(rows, axis=1)
        self._flags = self._flags.take(rows, axis=1)
        self.kinds = self.kinds[rows]
        self._bind()

    def hit(self, rows: Indices, detections: Array, scores: Array) -> None:
        """Note a match of ``rows`` (k,): detections (4, k) and their scores (k,)."""
        self.detections[:, rows] = detections
        self.scores[rows] = scores
        self.hits[rows] += 1.0
        self.score_sums[rows] += scores
        self.since_s[rows] = 0.0
        self.waited_s[rows] = 0.0
        self.matched[rows] = True

    def vote(self, rows: Indices, votes: Array, fade: Array, kinds: Kinds) -> None:
        """Add class ``votes`` (classes, k) of detections of ``kinds`` (k,) to those of ``rows`` (k,), faded by ``fade`` (k,)."""
        self.votes[:, rows] = self.votes.take(rows, axis=1) * fade + votes
        if (self.kinds[rows] != kinds).any():  # votes for what a track is already change nothing
            self.classify()

    def classify(self) -> None:
        """Bring ``kinds`` up to date with the votes."""
        kinds: Kinds = KIND_OF_CLASS[self.votes.argmax(axis=0)]
        ridden = self.ridden
        if ridden.any():
            kinds[ridden & (kinds == TWO_WHEELER)] = RIDDEN
        self.kinds = kinds

    def watch_motion(self, time_s: float, edges: Array, standing_shift: float) -> None:
        """Note which of the objects matched now, at ``edges`` (4, n), moved, ever and since they came to rest.

        An object rests as long as both of its edges stay together within ``standing_shift`` sizes of where they were; see
        ``common_shift`` for why. A growing box, or one shrinking in both directions, is motion towards or from the camera.
        """
        places = self.places
        extent = edges[2:] - edges[:2]
        shift = common_shift(places, edges[:, None])
        distance = shift[0] ** 2 + shift[1] ** 2  # squared, (2, n)
        moved = 4.0 * distance[0] > extent[0] ** 2 + extent[1] ** 2
        ratio = (extent / (places[2:, 1] - places[:2, 1])).max(axis=0)
        restless = distance[1] > standing_shift**2 * areas(edges)
        restless |= ratio < _RECEDING
        restless |= ratio > _GROWN
        self.moved[:] |= moved & self.matched
        rows = (restless & self.matched).nonzero()[0]
        if len(rows):
            places[:, 1, rows] = edges[:, rows]
            self.rest_since_s[rows] = time_s
