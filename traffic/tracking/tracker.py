"""Multi-object tracker for traffic cameras: detections of one frame in, tracks with stable ids out.

Continuous-time motion (``kalman``), one assignment of confident and uncertain detections (``association``), and patience that
depends on what an object was doing and whether something hides it. All durations are video time, so the camera's rate does
not matter.
"""

import math

import numpy as np
from numpy.typing import NDArray

from traffic.tracking.association import Indices, assign, kind_penalty, similarity
from traffic.tracking.boxes import Array, covered, iou, to_edges, to_measurements
from traffic.tracking.candidates import KIND_OF_CLASS, PERSON, RIDDEN, TWO_WHEELER, Candidates, Kinds, find_candidates
from traffic.tracking.config import TRAFFIC, TrackerConfig
from traffic.tracking.kalman import COASTING, PARKED, TRACKED, KalmanBank
from traffic.tracking.table import Flags, TrackTable
from traffic.types import Detections, ObjectClass, Track, TrackId, TrackState

_RESTART_S = 5.0  # a clock that jumps back by more than this is a new stream, not a late frame
_CLASSES = tuple(ObjectClass)


class Tracker:
    """Follows all objects of one camera. Feed it every analysed frame in order of time.

    State is bounded by the number of objects in view: every track ends at the latest ``hidden_standing_s`` after its last
    detection. The result depends on the frames alone.
    """

    def __init__(self, config: TrackerConfig = TRAFFIC) -> None:
        self._config = config
        self._next_id = 1
        self.reset()

    def reset(self) -> None:
        """Forget all tracks (camera moved, stream restarted). Ids go on, they are never reused."""
        self._time_s = -math.inf
        self._bank = KalmanBank(self._config)
        self._table = TrackTable()
        self._matched: Flags = np.zeros(0, bool)

    def update(self, time_s: float, detections: Detections) -> tuple[Track, ...]:
        """Advance to ``time_s`` and match ``detections``.

        Args:
            time_s: video time of the frame. The same time again is a second look at the same moment. An earlier time is
                a late frame, which says nothing about now: it is ignored. A time more than 5 s earlier is another stream: all
                tracks end and it starts anew.
            detections: everything found in the frame, uncertain ones included; may be empty.

        Returns:
            CONFIRMED tracks matched in this frame, LOST tracks with predicted boxes, and every track that ended now
            (once, only if it was ever confirmed) as DELETED; ordered by track id. Empty for a late frame.
        """
        dt_s = time_s - self._time_s if math.isfinite(self._time_s) else 0.0
        if -_RESTART_S <= dt_s < 0:
            return ()
        ended: list[Track] = []
        if dt_s < 0:
            ended, dt_s = self._end(np.ones(len(self._table), bool)), 0.0
        self._time_s = time_s
        self._advance(dt_s)
        if dt_s > self._config.lost_s:  # a hole in the video longer than the patience with moving objects
            ended += self._end(self._expired())
        predicted = to_edges(self._bank.position)
        candidates = find_candidates(detections, self._config.low_score, self._config.duplicate_overlap, self._parked(predicted))
        kinds = self._kinds()
        free = self._associate(predicted, kinds, candidates)
        self._start(candidates, free)
        self._watch(dt_s)
        ended += self._end(self._expired() | self._duplicates())
        alive = self._report(np.flatnonzero(self._table.confirmed))
        return tuple(sorted(alive + ended, key=_by_id)) if ended else tuple(alive)

    # -- motion -----------------------------------------------------------------------------------------------------

    def _advance(self, dt_s: float) -> None:
        """Predict all tracks; what was not seen in the last frame loses its speed, what stood there stays."""
        table = self._table
        if not len(table):
            return
        modes = np.where(self._matched, TRACKED, np.where(self._standing(), PARKED, COASTING))
        self._bank.predict(dt_s, modes)
        table.since_s += dt_s

    def _standing(self) -> Flags:
        table = self._table
        last_seen_s = self._time_s - table.since_s
        standing: Flags = last_seen_s - table.rest_since_s >= self._config.standing_s
        return standing

    def _parked(self, predicted: Array) -> Array:
        """Boxes (k, 4) of two-wheelers that never moved and never had a rider."""
        table = self._table
        rows = (table.votes[ObjectClass.BICYCLE] + table.votes[ObjectClass.MOTORCYCLE] > 0) & ~table.moved & ~table.ridden
        rows &= table.confirmed
        return predicted[:, rows].T

    # -- association ------------------------------------------------------------------------------------------------

    def _kinds(self) -> Kinds:
        """Kind of every track by its votes, shape (n,)."""
        kinds: Kinds = KIND_OF_CLASS[self._table.votes.argmax(axis=0)]
        if self._table.ridden.any():
            kinds[self._table.ridden & (kinds == TWO_WHEELER)] = RIDDEN
        return kinds

    def _associate(self, predicted: Array, kinds: Kinds, candidates: Candidates) -> Indices:
        """Match candidates to tracks and correct the tracks; returns the candidates left over."""
        config, table = self._config, self._table
        count = len(candidates.scores)
        was_lost = ~self._matched
        self._matched = np.zeros(len(table), bool)
        if not len(table) or not count:
            return np.arange(count)
        size = np.sqrt(self._bank.position[2] * self._bank.position[3])
        margin = np.minimum(
            config.margin * size + config.margin_deviations * np.sqrt(self._bank.variance[:2]), config.max_margin * size
        )
        alike = similarity(config, predicted, margin, candidates)
        uncertain = candidates.scores < config.high_score
        least = config.min_similarity + config.tentative_penalty * ~table.confirmed
        penalty = kind_penalty(kinds, candidates.kinds)
        gain = alike - least[:, None] - config.low_penalty * uncertain - penalty
        gain -= config.lost_penalty * (was_lost[:, None] & uncertain)
        rows, columns = assign(gain)
        free = np.ones(count, bool)
        free[columns] = False
        open_rows = was_lost & table.confirmed
        open_rows[rows] = False
        if open_rows.any() and free.any():  # what would start a track may be a lost one after all
            late = np.flatnonzero(open_rows)
            found = np.flatnonzero(free & (candidates.scores >= config.new_score))
            if len(found):
                gain = alike - config.last_similarity - penalty
                more_rows, more = assign(gain[np.ix_(late, found)])
                rows, columns = np.concatenate([rows, late[more_rows]]), np.concatenate([columns, found[more]])
                free[found[more]] = False
        self._correct(rows, columns, kinds, candidates)
        return np.flatnonzero(free)

    def _correct(self, rows: Indices, columns: Indices, kinds: Kinds, candidates: Candidates) -> None:
        table, config = self._table, self._config
        measurements = to_measurements(candidates.edges[:, columns])
        scores, votes = candidates.scores[columns], candidates.votes[:, columns]
        if table.ridden.any() or (candidates.kinds[columns] == RIDDEN).any():
            self._complete_riders(rows, kinds[rows], candidates.kinds[columns], measurements, votes)
        table.detections[:, rows] = to_edges(measurements)
        self._bank.update(rows, measurements, scores)
        self._matched[rows] = True
        table.hits[rows] += 1
        seen_s = table.since_s[rows]
        table.since_s[rows] = 0.0
        table.waited_s[rows] = 0.0
        table.scores[rows] = scores
        table.score_sums[rows] += scores
        # A large, certain sight of an object tells its class better than a small or doubtful one.
        weight = np.sqrt(np.clip(measurements[3], 1, 200) / 50)
        fade = np.exp2(-seen_s / config.class_memory_s)
        table.votes[:, rows] = table.votes[:, rows] * fade + votes * weight
        self._confirm()

    def _complete_riders(self, rows: Indices, kinds: Kinds, found: Kinds, measurements: Array, votes: Array) -> None:
        """Where only the rider or only the two-wheeler below was seen, take the other part from the track; in place."""
        known = self._bank.position[:, rows]
        self._table.ridden[rows] |= found == RIDDEN
        rider = (kinds == RIDDEN) & (found == PERSON)
        top = measurements[1] - measurements[3]
        measurements[1] = np.where(rider, top + known[3], measurements[1])
        measurements[2] = np.where(rider, known[2], measurements[2])
        bare = (kinds == RIDDEN) & (found == TWO_WHEELER)
        measurements[3] = np.where(rider | bare, known[3], measurements[3])
        votes[:, rider] = 0.0

    def _confirm(self) -> None:
        table, config = self._table, self._config
        age_s = self._time_s - table.first_s
        due = (table.hits >= config.confirm_hits) & (age_s >= config.confirm_s)
        due |= (table.hits >= config.sure_hits) & (table.score_sums >= config.sure_score * table.hits)
        table.confirmed |= due

    # -- birth and death --------------------------------------------------------------------------------------------

    def _start(self, candidates: Candidates, free: Indices) -> None:
        """Start tracks with the certain ones of the ``free`` candidates, unless they double a track just matched."""
        config, table = self._config, self._table
        free = free[candidates.scores[free] >= config.new_score]
        if len(free) and self._matched.any():
            seen = to_edges(self._bank.position[:, self._matched]).T
            overlap = iou(seen, candidates.edges[:, free].T)
            overlap[self._kinds()[self._matched][:, None] != candidates.kinds[free]] = 0.0
            free = free[overlap.max(axis=0) < config.birth_overlap]
        count = len(free)
        if not count:
            return
        edges = candidates.edges[:, free]
        ids = np.arange(self._next_id, self._next_id + count)
        self._next_id += count
        self._bank.add(to_measurements(edges))
        table.add(ids, self._time_s, edges, candidates.scores[free], candidates.votes[:, free], candidates.kinds[free] == RIDDEN)
        self._matched = np.concatenate([self._matched, np.ones(count, bool)])
        if config.confirm_hits <= 1:
            self._confirm()

    def _watch(self, dt_s: float) -> None:
        """After all matches: who moved, and which of the lost are hidden by somebody nearer to the camera."""
        table, config = self._table, self._config
        if not len(table):
            return
        edges = to_edges(self._bank.position)
        table.watch_motion(self._time_s, edges, self._matched, config.standing_shift)
        lost = np.flatnonzero(~self._matched)
        if len(lost):
            boxes = edges.T
            seen = boxes[self._matched]
            nearer = seen[:, 3] >= boxes[lost, 3][:, None]
            hidden = (covered(boxes[lost], seen) * nearer).sum(axis=1) >= config.hidden_share
            table.waited_s[lost] += np.where(hidden, 0.0, dt_s)

    def _expired(self) -> Flags:
        config, table = self._config, self._table
        standing = self._standing() & table.confirmed
        patience = np.where(standing, config.lost_standing_s, np.where(table.confirmed, config.lost_s, config.tentative_s))
        limit = np.where(standing, config.hidden_standing_s, np.where(table.confirmed, config.hidden_s, config.tentative_s))
        expired: Flags = ~self._matched & ((table.waited_s > patience) | (table.since_s > limit))
        return expired

    def _duplicates(self) -> Flags:
        """Tracks that lie on another one of their kind that is seen and better known."""
        table = self._table
        doubled = np.zeros(len(table), bool)
        if len(table) < 2:
            return doubled
        edges = to_edges(self._bank.position).T
        kinds = self._kinds()
        seen, doubtful = np.flatnonzero(self._matched), np.flatnonzero(~self._matched | ~table.confirmed)
        if not len(seen) or not len(doubtful):
            return doubled
        overlap = iou(edges[doubtful], edges[seen]) >= self._config.duplicate_overlap
        overlap &= (kinds[doubtful][:, None] == kinds[seen]) & (table.hits[doubtful][:, None] < table.hits[seen])
        overlap &= doubtful[:, None] != seen
        doubled[doubtful] = overlap.any(axis=1)
        return doubled

    def _end(self, rows: NDArray[np.bool_]) -> list[Track]:
        if not rows.any():
            return []
        ended = self._report(np.flatnonzero(rows & self._table.confirmed), TrackState.DELETED)
        stay = ~rows
        self._bank.keep(stay)
        self._table.keep(stay)
        self._matched = self._matched[stay]
        return ended

    # -- output -----------------------------------------------------------------------------------------------------

    def _report(self, rows: Indices, state: TrackState | None = None) -> list[Track]:
        if not len(rows):
            return []
        table = self._table
        votes = table.votes[:, rows]
        columns = zip(
            table.ids[rows].tolist(),
            self._matched[rows].tolist(),
            to_edges(self._bank.position[:, rows]).T.tolist(),
            self._bank.velocity[:2, rows].T.tolist(),
            votes.argmax(axis=0).tolist(),
            (votes.max(axis=0) / votes.sum(axis=0)).tolist(),
            table.scores[rows].tolist(),
            table.first_s[rows].tolist(),
            table.hits[rows].tolist(),
            table.since_s[rows].tolist(),
            table.moved[rows].tolist(),
            table.detections[:, rows].T.tolist(),
            strict=True,
        )
        return [
            Track(
                track_id=TrackId(track_id),
                state=state or (TrackState.CONFIRMED if matched else TrackState.LOST),
                box=(box[0], box[1], box[2], box[3]),
                velocity=(velocity[0], velocity[1]),
                object_class=_CLASSES[winner],
                class_share=share,
                score=score,
                time_s=self._time_s,
                first_time_s=first_s,
                hits=hits,
                time_since_update_s=since_s,
                moved=moved,
                detection=(found[0], found[1], found[2], found[3]) if matched and state is None else None,
            )
            for track_id, matched, box, velocity, winner, share, score, first_s, hits, since_s, moved, found in columns
        ]


def _by_id(track: Track) -> TrackId:
    return track.track_id
