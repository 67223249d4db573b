"""Multi-object tracker for traffic cameras.

Motion-predicted, two-stage association after ByteTrack (Zhang et al., ECCV 2022): confident detections first, uncertain
ones only to continue a track. Two changes for roads: boxes are widened before they are compared (C-BIoU, Yang et al.,
WACV 2023), because a car at 30 m/s sampled five times a second leaves its own box between two frames, and all durations are
video time, so the camera's rate does not matter.
"""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from traffic.tracking.boxes import (
    Array,
    area,
    area_ratio,
    from_measurements,
    intersection,
    iou,
    to_measurements,
    widened,
)
from traffic.tracking.config import TRAFFIC, TrackerConfig
from traffic.tracking.kalman import KalmanBank
from traffic.types import Detections, ObjectClass, Track, TrackId, TrackState

Indices = NDArray[np.intp]
_CLASS_COUNT = len(ObjectClass)
_GROUP = np.array([0, 1, 2, 1, 2, 2])  # person, two-wheeler, four-wheeler by ObjectClass value
_RIDER_OVERLAP = 0.5  # share of a person's box inside a two-wheeler's box widened upwards that makes it the rider
_MAX_GAP_S = 5.0  # after a longer gap in the video no track is continued


class Tracker:
    """Follows all objects of one camera. Feed it every analysed frame in order of time."""

    def __init__(self, config: TrackerConfig = TRAFFIC) -> None:
        self._config = config
        self._next_id = 1
        self._time_s = -math.inf
        self._clear()

    def reset(self) -> None:
        """Forget all tracks (camera moved, stream restarted). Ids go on, they are never reused."""
        self._clear()
        self._time_s = -math.inf

    def update(self, time_s: float, detections: Detections) -> tuple[Track, ...]:
        """Advance to ``time_s`` and match ``detections``.

        Args:
            time_s: video time of the frame. A time not after the last one (a repeated or reordered frame) is treated as
                one millisecond after it, so that state never runs backwards.
            detections: everything found in the frame, low scores included.

        Returns:
            CONFIRMED tracks matched in this frame, LOST tracks with predicted boxes, and every track that ended now
            (once, only if it was ever confirmed) as DELETED; ordered by track id.
        """
        gap_s = time_s - self._time_s
        if gap_s <= 0:
            time_s, gap_s = self._time_s + 1e-3, 1e-3
        self._time_s = time_s
        ended: list[Track] = []
        if gap_s > _MAX_GAP_S:
            ended += self._end(np.ones(len(self._bank), bool))
        elif len(self._bank):
            self._bank.predict(gap_s, self._since_s > 0)
            self._since_s += gap_s
        boxes, scores, classes = self._prepare(detections)
        unmatched = self._associate(boxes, scores, classes)
        self._start(boxes, scores, classes, unmatched)
        ended += self._end(self._expired() | self._duplicates())
        alive = self._report(np.flatnonzero(self._confirmed))
        return tuple(sorted([*alive, *ended], key=lambda track: track.track_id))

    # -- state ------------------------------------------------------------------------------------------------------

    def _clear(self) -> None:
        self._bank = KalmanBank(self._config)
        self._ids = np.zeros(0, np.int64)
        self._hits = np.zeros(0, np.int64)
        self._confirmed = np.zeros(0, bool)
        self._moved = np.zeros(0, bool)
        self._since_s = np.zeros(0)
        self._first_s = np.zeros(0)
        self._score = np.zeros(0)
        self._least_score = np.zeros(0)
        self._votes = np.zeros((0, _CLASS_COUNT))
        self._origin = np.zeros((0, 4))

    _ARRAYS = (
        "_ids",
        "_hits",
        "_confirmed",
        "_moved",
        "_since_s",
        "_first_s",
        "_score",
        "_least_score",
        "_votes",
        "_origin",
    )

    def _prepare(self, detections: Detections) -> tuple[Array, Array, NDArray[np.int64]]:
        boxes = detections.boxes.astype(np.float64)
        scores = detections.scores.astype(np.float64)
        classes = detections.classes
        good = (scores >= self._config.low_score) & np.isfinite(boxes).all(axis=1)
        good &= (boxes[:, 2] - boxes[:, 0] >= 2) & (boxes[:, 3] - boxes[:, 1] >= 2)
        boxes, scores, classes = boxes[good], scores[good], classes[good]
        keep = ~_riders(boxes, classes)
        return boxes[keep], scores[keep], classes[keep]

    # -- association ------------------------------------------------------------------------------------------------

    def _associate(self, boxes: Array, scores: Array, classes: NDArray[np.int64]) -> Indices:
        """Match detections to tracks in three passes; returns the detections left over."""
        config = self._config
        free_tracks = np.arange(len(self._bank))
        high = np.flatnonzero(scores >= config.high_score)
        low = np.flatnonzero(scores < config.high_score)
        predicted = from_measurements(self._bank.position)
        settled = free_tracks[self._confirmed | (self._hits > 1)]
        fresh = free_tracks[~(self._confirmed | (self._hits > 1))]
        passes = (
            (settled, high, config.buffer, config.min_similarity),
            (settled, low, 0.0, config.min_similarity_low),
            (fresh, high, config.buffer, config.min_similarity),
            (free_tracks, high, config.buffer_wide, config.min_similarity),
            (fresh, low, config.buffer, config.min_similarity_low),
        )
        taken_tracks = np.zeros(len(self._bank), bool)
        taken = np.zeros(len(boxes), bool)
        for tracks, candidates, buffer, least in passes:
            rows, columns = tracks[~taken_tracks[tracks]], candidates[~taken[candidates]]
            if not len(rows) or not len(columns):
                continue
            matched_rows, matched = self._match(predicted[rows], rows, boxes, scores, classes, columns, buffer, least)
            taken_tracks[matched_rows] = True
            taken[matched] = True
            self._correct(matched_rows, boxes[matched], scores[matched], classes[matched])
        return np.flatnonzero(~taken)

    def _match(
        self,
        predicted: Array,
        rows: Indices,
        boxes: Array,
        scores: Array,
        classes: NDArray[np.int64],
        columns: Indices,
        buffer: float,
        least: float,
    ) -> tuple[Indices, Indices]:
        found = boxes[columns]
        similarity = iou(widened(predicted, buffer), widened(found, buffer))
        allowed = similarity >= least
        allowed &= area_ratio(predicted, found) <= self._config.max_area_ratio
        groups = self._groups(rows)
        other_kind = groups[:, None] != _GROUP[classes[columns]][None, :]
        # A person never becomes a car; a rider's two-wheeler may flicker between bicycle and motorcycle (one group).
        allowed &= ~other_kind
        value = np.where(allowed, similarity * (0.7 + 0.3 * scores[columns])[None, :], 0.0)
        first, second = linear_sum_assignment(value, maximize=True)
        good = allowed[first, second]
        return rows[first[good]], columns[second[good]]

    def _groups(self, rows: Indices) -> NDArray[np.int64]:
        groups: NDArray[np.int64] = _GROUP[self._votes[rows].argmax(axis=1)]
        return groups

    def _correct(self, rows: Indices, boxes: Array, scores: Array, classes: NDArray[np.int64]) -> None:
        if not len(rows):
            return
        measurements = to_measurements(boxes)
        newborn = self._hits[rows] == 1
        if newborn.any():  # the second sight of an object tells its speed better than any prior
            young, age = rows[newborn], np.maximum(self._time_s - self._first_s[rows[newborn]], 1e-3)
            shift = (measurements[newborn, :2] - self._origin[young, :2]) / age[:, None]
            self._bank.velocity[young, :2] = shift
        self._bank.update(rows, measurements, scores)
        self._hits[rows] += 1
        self._since_s[rows] = 0.0
        self._score[rows] = scores
        self._least_score[rows] = np.minimum(self._least_score[rows], scores)
        weight = scores * np.sqrt(np.clip(measurements[:, 3], 1, 200) / 50)
        self._votes[rows, classes] += weight
        self._confirm(rows)
        displacement = np.hypot(*(self._bank.position[rows, :2] - self._origin[rows, :2]).T)
        diagonal = np.hypot(measurements[:, 2], measurements[:, 3])
        self._moved[rows] |= displacement > diagonal / 2

    def _confirm(self, rows: Indices) -> None:
        config = self._config
        needed = config.confirm_hits - (self._least_score[rows] >= config.confirm_high_score)
        self._confirmed[rows] |= self._hits[rows] >= np.maximum(needed, 1)

    # -- birth and death --------------------------------------------------------------------------------------------

    def _start(self, boxes: Array, scores: Array, classes: NDArray[np.int64], unmatched: Indices) -> None:
        chosen = unmatched[scores[unmatched] >= self._config.new_score]
        if len(chosen) and len(self._bank):
            current = from_measurements(self._bank.position)
            same = self._groups(np.arange(len(self._bank)))[:, None] == _GROUP[classes[chosen]][None, :]
            covered = np.where(same, iou(current, boxes[chosen]), 0).max(axis=0)
            chosen = chosen[covered < self._config.duplicate_iou]
        count = len(chosen)
        if not count:
            return
        measurements = to_measurements(boxes[chosen])
        self._bank.add(measurements)
        votes = np.zeros((count, _CLASS_COUNT))
        votes[np.arange(count), classes[chosen]] = scores[chosen]
        fresh = {
            "_ids": np.arange(self._next_id, self._next_id + count),
            "_hits": np.ones(count, np.int64),
            "_confirmed": np.zeros(count, bool),
            "_moved": np.zeros(count, bool),
            "_since_s": np.zeros(count),
            "_first_s": np.full(count, self._time_s),
            "_score": scores[chosen],
            "_least_score": scores[chosen],
            "_votes": votes,
            "_origin": measurements,
        }
        self._next_id += count
        for name, values in fresh.items():
            setattr(self, name, np.concatenate([getattr(self, name), values]))

    def _expired(self) -> NDArray[np.bool_]:
        config = self._config
        size = np.sqrt(np.maximum(self._bank.position[:, 2] * self._bank.position[:, 3], 1.0))
        speed = np.hypot(self._bank.velocity[:, 0], self._bank.velocity[:, 1]) / size
        standing = (speed < config.standing_speed) & (self._hits >= 5)
        patience = np.where(standing, config.lost_standing_s, config.lost_s)
        patience = np.where(self._confirmed, patience, config.tentative_s)
        expired: NDArray[np.bool_] = self._since_s > patience
        return expired

    def _duplicates(self) -> NDArray[np.bool_]:
        """Younger tracks that lie on an older one of their kind."""
        count = len(self._bank)
        doubled = np.zeros(count, bool)
        if count < 2:
            return doubled
        boxes = from_measurements(self._bank.position)
        groups = self._groups(np.arange(count))
        overlap = np.where(groups[:, None] == groups[None, :], iou(boxes, boxes), 0.0)
        np.fill_diagonal(overlap, 0.0)
        for a, b in np.argwhere(np.triu(overlap > self._config.duplicate_iou)):
            if self._since_s[a] == 0 and self._since_s[b] == 0 and self._confirmed[a] and self._confirmed[b]:
                continue  # both are seen right now: two objects, one hiding the other
            younger = a if (self._since_s[a], -self._hits[a]) > (self._since_s[b], -self._hits[b]) else b
            doubled[younger] = True
        return doubled

    def _end(self, rows: NDArray[np.bool_]) -> list[Track]:
        if not rows.any():
            return []
        ended = self._report(np.flatnonzero(rows & self._confirmed), TrackState.DELETED)
        self._bank.keep(~rows)
        for name in self._ARRAYS:
            setattr(self, name, getattr(self, name)[~rows])
        return ended

    # -- output -----------------------------------------------------------------------------------------------------

    def _report(self, rows: Iterable[np.intp], state: TrackState | None = None) -> list[Track]:
        boxes = from_measurements(self._bank.position)
        tracks = []
        for row in rows:
            votes = self._votes[row]
            winner = int(votes.argmax())
            since_s = float(self._since_s[row])
            tracks.append(
                Track(
                    track_id=TrackId(int(self._ids[row])),
                    state=state or (TrackState.CONFIRMED if since_s == 0 else TrackState.LOST),
                    box=tuple(boxes[row].tolist()),
                    velocity=(float(self._bank.velocity[row, 0]), float(self._bank.velocity[row, 1])),
                    object_class=ObjectClass(winner),
                    class_share=float(votes[winner] / votes.sum()),
                    score=float(self._score[row]),
                    time_s=self._time_s,
                    first_time_s=float(self._first_s[row]),
                    hits=int(self._hits[row]),
                    time_since_update_s=since_s,
                    moved=bool(self._moved[row]),
                )
            )
        return tracks


def _riders(boxes: Array, classes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Persons that ride a two-wheeler: most of their box lies in the two-wheeler's box widened upwards by one height."""
    riders = np.zeros(len(boxes), bool)
    people = np.flatnonzero(classes == ObjectClass.PERSON)
    cycles = np.flatnonzero((classes == ObjectClass.BICYCLE) | (classes == ObjectClass.MOTORCYCLE))
    if not len(people) or not len(cycles):
        return riders
    reach = boxes[cycles].copy()
    reach[:, 1] -= reach[:, 3] - reach[:, 1]
    inside = intersection(boxes[people], reach) / np.maximum(area(boxes[people])[:, None], 1e-9)
    bottom_near = np.abs(boxes[people][:, None, 3] - boxes[cycles][None, :, 3]) < 0.6 * (
        boxes[cycles][None, :, 3] - boxes[cycles][None, :, 1]
    )
    on_bike = (boxes[people][:, None, 3] > boxes[cycles][None, :, 1]) & bottom_near
    riders[people] = ((inside >= _RIDER_OVERLAP) & on_bike).any(axis=1)
    return riders
