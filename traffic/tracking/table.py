"""What the tracker knows of its tracks beside their motion, as parallel arrays: one column per track."""

import numpy as np
from numpy.typing import NDArray

from traffic.tracking.boxes import Array, common_shift
from traffic.types import ObjectClass

Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

_RECEDING = 0.8  # a box that has shrunk to this share in both directions is farther away, not half hidden
_GROWN = 1.3  # a box that has grown by this in one direction is nearer, or was half hidden before


class TrackTable:
    """Bookkeeping of all tracks; every array's last axis has one entry per track.

    Attributes:
        ids, hits: int64 (n,).
        confirmed, moved: bool (n,); ridden: bool (n,), a two-wheeler that was seen with its rider.
        first_s: float64 (n,), video time of the first detection. since_s: seconds since the last match.
        waited_s: the part of since_s in which nothing hid the object.
        scores, score_sums: float64 (n,), of the last detection, and the sum over all.
        votes: float64 (classes, n), class votes.
        places: float64 (4, 2, n), edges where the object was first seen, and where it came to rest or was last seen moving.
        rest_since_s: float64 (n,), video time since which the object has not moved from the latter.
        detections: float64 (4, n), edges of the last matched detection as found (a rider completed), not filtered.
    """

    _FIELDS = (
        "ids",
        "hits",
        "confirmed",
        "moved",
        "ridden",
        "first_s",
        "since_s",
        "waited_s",
        "scores",
        "score_sums",
        "votes",
        "places",
        "rest_since_s",
        "detections",
    )

    def __init__(self) -> None:
        self.ids: Whole = np.zeros(0, np.int64)
        self.hits: Whole = np.zeros(0, np.int64)
        self.confirmed: Flags = np.zeros(0, bool)
        self.moved: Flags = np.zeros(0, bool)
        self.ridden: Flags = np.zeros(0, bool)
        self.first_s: Array = np.zeros(0)
        self.since_s: Array = np.zeros(0)
        self.waited_s: Array = np.zeros(0)
        self.scores: Array = np.zeros(0)
        self.score_sums: Array = np.zeros(0)
        self.votes: Array = np.zeros((len(ObjectClass), 0))
        self.places: Array = np.zeros((4, 2, 0))
        self.rest_since_s: Array = np.zeros(0)
        self.detections: Array = np.zeros((4, 0))

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, ids: Whole, time_s: float, edges: Array, scores: Array, votes: Array, ridden: Flags) -> None:
        """Append tracks first seen now: ids, scores, ridden (m,), edges (4, m), votes (classes, m)."""
        count = len(ids)
        nothing, no, now = np.zeros(count), np.zeros(count, bool), np.full(count, time_s)
        fresh = {
            "ids": ids,
            "hits": np.ones(count, np.int64),
            "confirmed": no,
            "moved": no,
            "ridden": ridden,
            "first_s": now,
            "since_s": nothing,
            "waited_s": nothing,
            "scores": scores,
            "score_sums": scores,
            "votes": votes,
            "places": np.repeat(edges[:, None], 2, axis=1),
            "rest_since_s": now,
            "detections": edges,
        }
        for name in self._FIELDS:
            setattr(self, name, np.concatenate([getattr(self, name), fresh[name]], axis=-1))

    def keep(self, rows: Flags) -> None:
        """Keep only ``rows`` (n,)."""
        for name in self._FIELDS:
            setattr(self, name, getattr(self, name)[..., rows])

    def watch_motion(self, time_s: float, edges: Array, seen: Flags, standing_shift: float) -> None:
        """Note which of the objects ``seen`` (n,) now at ``edges`` (4, n) moved, ever and since they came to rest.

        An object rests as long as both of its edges stay together within ``standing_shift`` sizes of where they were; see
        ``common_shift`` for why. A growing box, or one shrinking in both directions, is motion towards or from the camera.
        """
        extent = edges[2:] - edges[:2]
        square = extent[0] * extent[1]
        shift = common_shift(self.places, edges[:, None])
        distance = shift[0] ** 2 + shift[1] ** 2  # squared, (2, n)
        self.moved |= seen & (4.0 * distance[0] > extent[0] ** 2 + extent[1] ** 2)
        ratio = extent / (self.places[2:, 1] - self.places[:2, 1])
        restless = distance[1] > standing_shift**2 * square
        restless |= (ratio.max(axis=0) < _RECEDING) | (ratio.max(axis=0) > _GROWN)
        restless &= seen
        if restless.any():
            self.places[:, 1, restless] = edges[:, restless]
            self.rest_since_s[restless] = time_s
