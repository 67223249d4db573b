"""Multi-object tracker for traffic cameras: detections of one frame in, tracks with stable ids out.

Continuous-time motion (``kalman``), confident detections before uncertain ones (``association``; the two stages are ByteTrack's,
Zhang et al., ECCV 2022), and patience that depends on what an object was doing and whether something hides it. All durations
are video time, so the camera's rate does not matter.
"""

import math
from collections.abc import Iterable
from itertools import repeat
from typing import Any

import numpy as np

from traffic.tracking.association import assign, kind_penalty, similarity
from traffic.tracking.boxes import Array, areas, hidden_share, iou, nearer_share, shared_area, to_edges, to_measurements
from traffic.tracking.camera import picture_shift
from traffic.tracking.candidates import PERSON, RIDDEN, TWO_WHEELER, Candidates, find_candidates
from traffic.tracking.config import TRAFFIC, TrackerConfig
from traffic.tracking.kalman import COASTING, PARKED, TRACKED, KalmanBank
from traffic.tracking.output import make_tracks
from traffic.tracking.table import Flags, Indices, TrackTable
from traffic.types import Box, Detections, ObjectClass, Track, TrackId, TrackState

_RESTART_S = 5.0  # a clock that jumps back by more than this is a new stream, not a late frame
_WATCH_S = 0.1  # whether objects stand is looked at this often, whatever the camera's rate
_SAME_SPEED = 0.6  # sizes per second; objects whose velocities differ by more do not move together
_CLASSES = tuple(ObjectClass)
_NO_BOXES: Array = np.zeros((4, 0))
_NO_ROWS: Indices = np.zeros(0, np.intp)


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
        self._watched_s = -math.inf
        self._bank = KalmanBank(self._config)
        self._table = TrackTable()

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
            ended, dt_s = self._end(np.arange(len(self._table))), 0.0
            self._watched_s = -math.inf
        self._time_s = time_s
        self._advance(dt_s)
        if dt_s > self._config.lost_s:  # a hole in the video longer than the patience with moving objects
            ended += self._end(self._expired((~self._table.matched).nonzero()[0]))
        candidates = find_candidates(detections, self._config.low_score, self._config.duplicate_overlap, self._parked())
        free = self._associate(candidates)
        self._start(candidates, free)
        ended += self._end(self._watch(dt_s))
        alive = self._report(self._table.confirmed.nonzero()[0])
        return tuple(sorted(alive + ended, key=_by_id)) if ended else tuple(alive)

    # -- motion -----------------------------------------------------------------------------------------------------

    def _advance(self, dt_s: float) -> None:
        """Predict all tracks; what was not seen in the last frame loses its speed, what stood there stays."""
        table = self._table
        if not len(table):
            return
        if table.matched.all():
            self._bank.predict(dt_s, None)
        else:
            modes = np.where(table.matched, TRACKED, np.where(self._standing(), PARKED, COASTING))
            self._bank.predict(dt_s, modes)
        table.since_s[:] += dt_s

    def _standing(self) -> Flags:
        table = self._table
        last_seen_s = self._time_s - table.since_s
        standing: Flags = last_seen_s - table.rest_since_s >= self._config.standing_s
        return standing

    def _parked(self) -> Array:
        """Edges (4, k) of two-wheelers that never moved and never had a rider."""
        table = self._table
        cycles = table.kinds == TWO_WHEELER
        if not cycles.any():
            return _NO_BOXES
        return to_edges(self._bank.position[:, cycles & ~table.moved & ~table.ridden & table.confirmed])

    def _shift(self, shift: Array) -> None:
        """Move everything that is known with the picture, by ``shift`` (2,) pixels."""
        self._bank.position[:2] += shift[:, None]
        self._table.places[:] += np.tile(shift, 2)[:, None, None]

    # -- association ------------------------------------------------------------------------------------------------

    def _associate(self, candidates: Candidates) -> Indices:
        """Match candidates to tracks and correct the tracks; returns the candidates left over."""
        config, table = self._config, self._table
        count = len(candidates.scores)
        was_lost = ~table.matched
        table.matched[:] = False
        if not len(table) or not count:
            return np.arange(count)
        sure = candidates.scores >= config.high_score
        certain = sure.nonzero()[0]
        alike = self._similarity(candidates, certain)
        penalty = kind_penalty(table.kinds, candidates.kinds)
        gain = alike * (1.0 - config.score_weight + config.score_weight * candidates.scores)
        gain -= np.where(table.confirmed, config.min_similarity, config.min_similarity + config.tentative_penalty)[:, None]
        if penalty is not None:
            gain -= penalty
        rows, found = assign(gain.take(certain, axis=1))
        columns = certain[found]
        open_rows, free = np.ones(len(table), bool), np.ones(count, bool)
        open_rows[rows] = False
        free[columns] = False
        if len(certain) < count and open_rows.any():
            left, doubtful = open_rows.nonzero()[0], (~sure).nonzero()[0]
            gain = alike[left[:, None], doubtful]
            least = config.low_similarity + config.low_lost_penalty * was_lost[left]
            gain -= (least + np.where(table.confirmed[left], 0.0, config.low_tentative_penalty))[:, None]
            if penalty is not None:
                gain -= penalty[left[:, None], doubtful]
            more_rows, more = assign(gain)
            if len(more):
                rows, columns = np.concatenate([rows, left[more_rows]]), np.concatenate([columns, doubtful[more]])
        if config.last_similarity < 1.0:
            open_rows[rows] = False
            left = (open_rows & (table.confirmed if config.last_for_all else table.confirmed & was_lost)).nonzero()[0]
            fresh = (free & (candidates.scores >= config.new_score)).nonzero()[0]
            if len(left) and len(fresh):  # what would start a track may be a known one after all
                gain = self._wide_similarity(candidates, left, fresh) if config.last_margin else alike[left[:, None], fresh]
                gain -= config.last_similarity
                if penalty is not None:
                    gain -= penalty[left[:, None], fresh]
                more_rows, more = assign(gain)
                rows, columns = np.concatenate([rows, left[more_rows]]), np.concatenate([columns, fresh[more]])
        free[columns] = False
        self._correct(rows, columns, candidates)
        return free.nonzero()[0]

    def _similarity(self, candidates: Candidates, certain: Indices) -> Array:
        """Similarity of all tracks and candidates, the camera's motion taken out."""
        config, bank = self._config, self._bank
        margin = None
        if config.margin or config.margin_deviations:
            size = np.sqrt(bank.position[2] * bank.position[3])
            margin = config.margin * size + config.margin_deviations * np.sqrt(bank.variance[:2])
            np.minimum(margin, config.max_margin * size, out=margin)
        alike = similarity(config, to_edges(bank.position), margin, candidates.edges)
        if config.camera_spreads:
            measured = to_measurements(candidates.edges.take(certain, axis=1))[:2]
            shift = picture_shift(alike.take(certain, axis=1), bank.position[:2], measured, config.camera_spreads)
            if shift is not None:
                self._shift(shift)
                alike = similarity(config, to_edges(bank.position), margin, candidates.edges)
        return alike

    def _wide_similarity(self, candidates: Candidates, rows: Indices, columns: Indices) -> Array:
        """Similarity of some tracks and candidates, with boxes widened by the margin of a last chance."""
        config, position = self._config, self._bank.position.take(rows, axis=1)
        margin = config.last_margin * np.sqrt(position[2:3] * position[3:4]).repeat(2, axis=0)
        return similarity(config, to_edges(position), margin, candidates.edges.take(columns, axis=1))

    def _correct(self, rows: Indices, columns: Indices, candidates: Candidates) -> None:
        table, config = self._table, self._config
        edges, scores = candidates.edges.take(columns, axis=1), candidates.scores[columns]
        votes, kinds = candidates.votes.take(columns, axis=1), candidates.kinds[columns]
        measurements = to_measurements(edges)
        if table.ridden.any() or (kinds == RIDDEN).any():
            self._complete_riders(rows, kinds, measurements, votes)
            edges = to_edges(measurements)
        spread = 1.0 + config.doubt * (1.0 - scores)
        if config.hidden_doubt:
            spread *= 1.0 + config.hidden_doubt * hidden_share(edges, candidates.edges)
        self._bank.update(rows, measurements, spread)
        # A large, certain sight of an object tells its class better than a small or doubtful one.
        weight = np.sqrt(np.minimum(measurements[3], 200.0) / 50.0)
        fade = np.exp2(table.since_s[rows] * (-1.0 / config.class_memory_s))
        table.vote(rows, votes * weight, fade, kinds)
        table.hit(rows, edges, scores)
        self._confirm()

    def _complete_riders(self, rows: Indices, found: Indices, measurements: Array, votes: Array) -> None:
        """Where only the rider or only the two-wheeler below was seen, take the other part from the track; in place."""
        known, kinds = self._bank.position[:, rows], self._table.kinds[rows]
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
        rows = (~table.confirmed).nonzero()[0]
        if not len(rows):
            return
        hits, age_s = table.hits[rows], self._time_s - table.first_s[rows]
        due = (hits >= config.confirm_hits) & (age_s >= config.confirm_s)
        due |= (hits >= config.sure_hits) & (table.score_sums[rows] >= config.sure_score * hits)
        table.confirmed[rows] = due

    # -- birth and death --------------------------------------------------------------------------------------------

    def _start(self, candidates: Candidates, free: Indices) -> None:
        """Start tracks with the certain ones of the ``free`` candidates, unless they double a track just matched."""
        config, table = self._config, self._table
        free = free[candidates.scores[free] >= config.new_score]
        if not len(free):
            return
        seen = table.matched.nonzero()[0]
        if len(seen):
            overlap = iou(to_edges(self._bank.position[:, seen]), candidates.edges[:, free])
            overlap[table.kinds[seen][:, None] != candidates.kinds[free]] = 0.0
            free = free[overlap.max(axis=0) < config.birth_overlap]
        edges, scores = candidates.edges[:, free], candidates.scores[free]
        self._bank.add(to_measurements(edges))
        table.add(self._next_id, self._time_s, edges, scores, candidates.votes[:, free], candidates.kinds[free] == RIDDEN)
        self._next_id += len(free)
        if config.confirm_hits <= 1 or config.sure_hits <= 1:
            self._confirm()

    def _watch(self, dt_s: float) -> Indices:
        """After all matches: who moved, who is hidden by somebody nearer to the camera, and which tracks end (row numbers)."""
        table = self._table
        due = self._time_s - self._watched_s >= _WATCH_S - 1e-6
        doubtful = (~(table.matched & table.confirmed)).nonzero()[0]
        if not len(table) or not (due or len(doubtful)):
            return _NO_ROWS
        edges = to_edges(self._bank.position)
        if due:
            self._watched_s = self._time_s
            table.watch_motion(self._time_s, edges, self._config.standing_shift)
        if not len(doubtful):
            return _NO_ROWS
        seen = table.matched.nonzero()[0]
        own, others = edges.take(doubtful, axis=1), edges.take(seen, axis=1)
        shared = shared_area(own, others)
        unseen = ~table.matched[doubtful]
        lost = doubtful[unseen]
        if len(lost):
            visible = nearer_share(own, others, shared)[unseen] < self._config.hidden_share
            table.waited_s[lost] += visible * dt_s
        doubled = self._duplicates(doubtful, seen, areas(own)[:, None] + areas(others) - shared, shared)
        if not len(lost) and not len(doubled):
            return _NO_ROWS
        return np.union1d(self._expired(lost), doubled)

    def _expired(self, lost: Indices) -> Indices:
        """Those of the ``lost`` tracks whose time is up."""
        config, table = self._config, self._table
        confirmed, since_s = table.confirmed[lost], table.since_s[lost]
        standing = confirmed & (self._time_s - since_s - table.rest_since_s[lost] >= config.standing_s)
        patience = np.where(confirmed, config.lost_s, config.tentative_s)
        limit = np.where(confirmed, config.hidden_s, config.tentative_s)
        patience[standing], limit[standing] = config.lost_standing_s, config.hidden_standing_s
        return lost[(table.waited_s[lost] > patience) | (since_s > limit)]

    def _duplicates(self, doubtful: Indices, seen: Indices, union: Array, shared: Array) -> Indices:
        """The ``doubtful`` tracks that lie on another one of their kind that is ``seen`` and better known, and move with it.

        Who only passes behind another has a velocity of his own.
        """
        doubled = shared >= self._config.duplicate_overlap * union
        if not doubled.any():
            return _NO_ROWS
        table, bank = self._table, self._bank
        apart = np.abs(bank.velocity[:2, doubtful][:, :, None] - bank.velocity[:2, seen][:, None]).max(axis=0)
        doubled &= apart <= _SAME_SPEED * np.sqrt(bank.position[2, seen] * bank.position[3, seen])
        doubled &= (table.kinds[doubtful][:, None] == table.kinds[seen]) & (table.hits[doubtful][:, None] < table.hits[seen])
        return doubtful[doubled.any(axis=1)]

    def _end(self, rows: Indices) -> list[Track]:
        if not len(rows):
            return []
        ended = self._report(rows[self._table.confirmed[rows]], TrackState.DELETED)
        stay = np.ones(len(self._table), bool)
        stay[rows] = False
        rows = stay.nonzero()[0]
        self._bank.keep(rows)
        self._table.keep(rows)
        return ended

    # -- output -----------------------------------------------------------------------------------------------------

    def _report(self, rows: Indices, state: TrackState | None = None) -> list[Track]:
        if not len(rows):
            return []
        table = self._table
        votes = table.votes.take(rows, axis=1)
        matched = table.matched[rows].tolist()
        found: Iterable[Box | None] = zip(*table.detections.take(rows, axis=1).tolist(), strict=True)
        if state is not None:
            found = repeat(None)
        elif not all(matched):
            found = (box if now else None for box, now in zip(found, matched, strict=True))
        columns: dict[str, Iterable[Any]] = {
            "track_id": map(int, table.ids[rows].tolist()),
            "state": repeat(state) if state else [TrackState.CONFIRMED if now else TrackState.LOST for now in matched],
            "box": zip(*to_edges(self._bank.position.take(rows, axis=1)).tolist(), strict=True),
            "velocity": zip(*self._bank.velocity[:2].take(rows, axis=1).tolist(), strict=True),
            "object_class": map(_CLASSES.__getitem__, votes.argmax(axis=0).tolist()),
            "class_share": (votes.max(axis=0) / votes.sum(axis=0)).tolist(),
            "score": table.scores[rows].tolist(),
            "time_s": repeat(self._time_s),
            "first_time_s": table.first_s[rows].tolist(),
            "hits": map(int, table.hits[rows].tolist()),
            "time_since_update_s": table.since_s[rows].tolist(),
            "moved": table.moved[rows].tolist(),
            "detection": found,
        }
        return make_tracks(len(rows), columns)


def _by_id(track: Track) -> TrackId:
    return track.track_id
