"""The recent motion of every object in view, as arrays: where it was at the ticks of the last ten seconds.

Between ticks detected boxes are averaged. An object keeps its ``object_id`` when the tracker gives it a new number; a track
that jumps to another object gets a new one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic.events.boxes import SAME, bottom, diagonal, foot_hidden, off_course, top, union_share
from traffic.events.motion import Motion, fit_motion
from traffic.events.twins import find_twins
from traffic.passages.observing import cut_by_border
from traffic.passages.view import GroundView
from traffic.types import Track, TrackState

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

TICKS = 50
_FORGET_S = 3.0  # a moving object that is not seen is forgotten after this long
_FORGET_STANDING_S = 60.0
_HEIR_S = 2.5  # a new track may continue a moving object that was last seen at most this long ago...
_NEW_TICKS = 2
_PARTED = 0.1  # share of their union from which on two boxes are not apart
_GIFT_S = 10.0  # a track that returns later is another object
_REPORTED_S = 1.0  # a track is reported at the latest this long after its first detection
_HEIR_SIZES = 0.8  # ...and is expected within so many diagonals of its box of where the new one is
_HEIR_STANDING_SIZES = 0.45
_SIZE_RATIO = 0.55
_JUMP_SIZES = 1.0  # diagonals of its box: from one tick to the next an object comes no further off its course
_HELD = (TrackState.CONFIRMED, TrackState.LOST)
_BORDER_PX = 3.0
_WINDOW_S, _REST_WINDOW_S = 1.2, 2.0
_REST_SPAN_S = 1.1  # of observation, before an object can be said to stand
_REST_M_S, _REST_IMAGE_M_S, _REST_MOST_M_S = 0.9, 0.3, 2.0
_REST_GROWTH = 0.06  # per second: who comes nearer grows
_COURSE_M_S, _COURSE_IMAGE_M_S = 1.5, 0.4  # who is faster shows where it heads
_TOP = 0.004  # of the picture's height
_MAX_RESTORED = 1.0  # a hidden foot is completed by at most the height that is seen
_HIDES_S, _HIDES_STANDING_S = 0.7, 3.0  # who is not found may hide others where it is expected for so long
_SOME_FREE = 3  # boxes
_DRIFT_SIZES = 0.25  # diagonals of its box: who is further from where it came to rest has moved on
_FIELDS = (
    "object_id", "track_id", "object_class", "class_share", "times", "places", "boxes", "whole", "clear", "free",
    "first_s", "last_s", "held_s", "moved", "begin", "rest_s", "anchor", "seen", "strange", "image_speed", "sum_box",
    "sum_t", "count", "reach", "course", "shape", "twin",
)  # fmt: skip
_TICKED = ("boxes", "places", "whole", "clear", "free", "times")
_INHERITED = ("begin", "rest_s", "anchor", "reach", "course", "shape")


@dataclass(frozen=True, slots=True)
class _Gift:
    """The track that has taken over an object, since when, and its own first detection; the object's shape until then."""

    track_id: int
    since_s: float
    first_s: float
    shape: float


class Movers:
    """Histories of all objects of one camera. Rows are objects.

    Attributes (arrays over rows; ground units are the view's, see ``GroundView``):
        object_id, track_id, object_class: int64. class_share: 0..1. moved: the tracker has seen it move.
        times: (n, 50), seconds, nan where not seen, newest last; places: (n, 50, 2), on the ground; boxes: (n, 50, 4),
            relative. whole: bool (n, 50), not cut by the picture's border. free: bool (n, 50), whole, and the foot of the box
            is hidden by no other one; clear: free, or completed by the object's known shape.
        first_s, last_s: first and newest detection. held_s: until when the tracker has held it, seen or not. seen: bool, matched
            in this tick. begin: (n, 2), first place.
        rest_s: since when it stands; nan when it does not.
        reach: largest distance from ``begin`` so far, in ground units.
        motion, exact: over the last 1.2 s, from whole and from clear boxes.
        twin: object_id of the older object that this one is once more, 0 for none.
        shape: height of its box divided by its width while it was seen whole; nan before.
        course: (n, 2), unit direction on the ground in which it last drove; nan while it never has.
    """

    object_id: NDArray[np.int64]
    track_id: NDArray[np.int64]
    object_class: NDArray[np.int64]
    class_share: Array
    times: Array
    places: Array
    boxes: Array
    whole: Flags
    clear: Flags
    free: Flags
    first_s: Array
    last_s: Array
    held_s: Array
    moved: Flags
    begin: Array
    rest_s: Array
    anchor: Array
    seen: Flags
    strange: Array
    image_speed: Array
    sum_box: Array
    sum_t: Array
    count: Array
    reach: Array
    course: Array
    shape: Array
    twin: NDArray[np.int64]

    def __init__(self) -> None:
        self._next_object = 1
        self._rows: dict[int, int] = {}
        self._gifts: dict[int, _Gift] = {}  # by the track that was lost
        self._empty()
        self.motion = self.exact = Motion.none(0)

    def _empty(self) -> None:
        blank = _blank(0)
        for name in _FIELDS:
            setattr(self, name, blank[name])

    def __len__(self) -> int:
        return len(self.object_id)

    def reset(self) -> None:
        """Forget all motion (the view changed, the stream was restarted). Numbers go on."""
        self._rows.clear()
        self._gifts.clear()
        self._empty()
        self.motion = self.exact = Motion.none(0)

    def latest(self) -> tuple[Array, Array]:
        """Newest known place (n, 2) and relative box (n, 4) of every object."""
        rows, index = np.arange(len(self)), TICKS - 1 - np.isfinite(self.times[:, ::-1]).argmax(axis=1)
        return self.places[rows, index], self.boxes[rows, index]

    def note(self, tracks: Sequence[Track]) -> None:
        """The tracks of a frame: between ticks their boxes are only summed up."""
        matched = [track for track in tracks if track.state is TrackState.CONFIRMED and track.detection is not None]
        fresh = [track for track in matched if track.track_id not in self._rows]
        if fresh:
            self._add(fresh)
        held = [self._rows[track.track_id] for track in tracks if track.track_id in self._rows and track.state in _HELD]
        if held:
            self.held_s[held] = tracks[0].time_s
        if not matched:
            return
        rows = np.fromiter((self._rows[track.track_id] for track in matched), np.intp, len(matched))
        self.sum_box[rows] += np.array([track.detection for track in matched])
        self.sum_t[rows] += [track.time_s for track in matched]
        self.count[rows] += 1
        self.object_class[rows] = [track.object_class for track in matched]
        self.class_share[rows] = [track.class_share for track in matched]
        self.moved[rows] |= [track.moved for track in matched]

    def tick(self, time_s: float, view: GroundView, heights_m: Array) -> None:
        """Append what was summed up since the last tick, and judge the motion of every object.

        Args:
            heights_m: usual height by object class, the ruler of views without calibration.
        """
        self._forget(time_s)
        if not len(self):
            return
        found = self.count > 0
        many = np.maximum(self.count, 1)
        pixels = self.sum_box / many[:, None]
        boxes = view.relative(pixels)
        there, hiders = self._hiders(boxes, found, time_s, view.aspect)
        free = ~foot_hidden(boxes, hiders, there, found, self.twin[:, None] == self.object_id[None, :])
        hidden = self._restore_feet(boxes, found & ~free, found & free)
        moments = np.where(found, self.sum_t / many, np.nan)
        places = view.contacts(boxes)
        found &= np.isfinite(places).all(axis=1)
        whole = ~cut_by_border(pixels, view.frame_size, _BORDER_PX)
        self.sum_box[:], self.sum_t[:], self.count[:] = 0.0, 0.0, 0.0
        found = self._without_jumps(found, moments, boxes, places, view.aspect)
        keep = self._inherit(found, boxes, moments, view.aspect)
        if not keep.all():
            self._keep(keep)
            found, whole, hidden, free = found[keep], whole[keep], hidden[keep], free[keep]
            moments, boxes, places = moments[keep], boxes[keep], places[keep]
        clear, free = whole & ~hidden, whole & free
        histories: tuple[NDArray[Any], ...] = (self.times, self.places, self.boxes, self.whole, self.clear, self.free)
        for history, new in zip(histories, (moments, places, boxes, whole, clear, free), strict=True):
            history[:, :-1] = history[:, 1:]
            history[:, -1] = new
        self.times[~found, -1] = np.nan
        self.seen = found
        self.last_s = np.where(found, moments, self.last_s)
        first = found & ~np.isfinite(self.begin[:, 0])
        self.begin[first] = places[first]
        self.reach = np.where(found, np.fmax(self.reach, np.hypot(*(places - self.begin).T)), self.reach)
        scale = self._judge(time_s, view, heights_m)
        self._find_twins(boxes, scale, view)

    # -- rows ---------------------------------------------------------------------------------------------------------

    def _add(self, tracks: Sequence[Track]) -> None:
        start, blank = len(self), _blank(len(tracks))
        blank["track_id"][:] = [track.track_id for track in tracks]
        blank["first_s"][:] = [track.first_time_s for track in tracks]
        blank["last_s"][:] = [track.time_s for track in tracks]
        blank["object_id"][:] = np.arange(self._next_object, self._next_object + len(tracks))
        self._next_object += len(tracks)
        for name in _FIELDS:
            setattr(self, name, np.concatenate([getattr(self, name), blank[name]]))
        for offset, track in enumerate(tracks):
            self._rows[track.track_id] = start + offset
        self.motion, self.exact = self.motion.extended(len(tracks)), self.exact.extended(len(tracks))

    def _keep(self, rows: Flags | Indices) -> None:
        for name in _FIELDS:
            setattr(self, name, getattr(self, name)[rows])
        self.motion, self.exact = self.motion.at(rows), self.exact.at(rows)
        self._rows = {int(track_id): row for row, track_id in enumerate(self.track_id.tolist()) if track_id >= 0}

    def _forget(self, time_s: float) -> None:
        patience = np.where(np.isfinite(self.rest_s), _FORGET_STANDING_S, _FORGET_S)
        keep = (time_s - self.last_s <= patience) | (self.count > 0)
        if not keep.all():
            self._keep(keep)

    def _hiders(self, boxes: Array, found: Flags, time_s: float, aspect: float) -> tuple[Flags, Array]:
        """bool (n,), who may hide others now; (n, 4), their boxes. Who is not found in this tick is where it is expected."""
        if not found.any() or found.all():
            return found, boxes
        _, last = self.latest()
        gone_s = time_s - self.last_s
        standing = np.isfinite(self.rest_s)
        there = np.isfinite(self.times).any(axis=1) & (gone_s <= np.where(standing, _HIDES_STANDING_S, _HIDES_S))
        way = np.where(standing[:, None], 0.0, self.image_speed * gone_s[:, None]) / np.array([aspect, 1.0])
        expected = last + np.concatenate([way, way], axis=1)
        return there | found, np.where(found[:, None], boxes, expected)

    def _restore_feet(self, boxes: Array, covered: Flags, free: Flags) -> Flags:
        """Where something nearer hides the foot of an object, its box is completed by its known shape, in place; that of one that
        stands by the height it has had since. Returns, bool (n,), whose foot stays unknown."""
        width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        uncut = boxes[:, 1] > _TOP  # a box cut at the top has no known height, one cut at a side no known width
        uncut &= (boxes[:, 0] > _TOP) & (boxes[:, 2] < 1 - _TOP)
        tall = self._heights_at_rest(covered & uncut)
        full = boxes[:, 1] + np.where(np.isfinite(tall), tall, width * self.shape)
        known = covered & uncut & np.isfinite(full)
        own = tall / np.maximum(width, 1e-9)  # the foot must not jump when it starts
        self.shape = np.where(np.isfinite(tall), 0.8 * np.where(np.isfinite(self.shape), self.shape, own) + 0.2 * own, self.shape)
        boxes[known, 3] = np.clip(full, boxes[:, 3], boxes[:, 3] + _MAX_RESTORED * height)[known]
        now = height / np.maximum(width, 1e-9)
        old = np.where(np.isfinite(self.shape), self.shape, now)
        self.shape = np.where(free & uncut & (width > 0), 0.7 * old + 0.3 * now, self.shape)
        result: Flags = covered & ~known
        return result

    def _heights_at_rest(self, who: Flags) -> Array:
        """(n,), median height of the box of ``who`` since it stands, of boxes with a free foot if there are some; nan for who
        does not stand. A width measured just now is far less exact: a place that jitters with it does not stand."""
        tall = np.full(len(self), np.nan)
        for row in np.flatnonzero(who & np.isfinite(self.rest_s)).tolist():
            since = self.times[row] >= self.rest_s[row] - 1e-6
            some = since & self.free[row]
            use = some if some.sum() >= _SOME_FREE else since
            if use.sum() >= _SOME_FREE:
                tall[row] = np.median(self.boxes[row, use, 3] - self.boxes[row, use, 1])
        return tall

    # -- identity -----------------------------------------------------------------------------------------------------

    def _without_jumps(self, found: Flags, moments: Array, boxes: Array, places: Array, aspect: float) -> Flags:
        """A box far off the course is left out; if the next one is there as well, the track has jumped to another object."""
        known = found & (np.isfinite(self.times).sum(axis=1) >= 3)
        if not known.any():
            return found
        _, last = self.latest()
        passed_s = np.where(found, moments - self.last_s, 0.0)
        size = diagonal(last, aspect)
        course = self.image_speed * passed_s[:, None]
        off = off_course(bottom(boxes, aspect) - bottom(last, aspect), course)
        far = np.minimum(off, off_course(top(boxes, aspect) - top(last, aspect), course))
        allowed = _JUMP_SIZES * np.maximum(size, diagonal(boxes, aspect)) * (1 + passed_s)
        allowed += 0.5 * np.hypot(*self.image_speed.T) * passed_s
        odd = known & (far > allowed)
        again = odd & (np.hypot(*(bottom(boxes, aspect) - bottom(self.strange, aspect)).T) < size)
        self.strange[found] = np.nan
        self.strange[odd] = boxes[odd]
        for row in np.flatnonzero(again).tolist():
            self._restart(row, float(moments[row]))
        result: Flags = found & (~odd | again)
        return result

    def _restart(self, row: int, time_s: float) -> None:
        """The track of this row carries another object from now on."""
        blank = _blank(1)
        for name in (
            "times",
            "places",
            "boxes",
            "whole",
            "begin",
            "rest_s",
            "anchor",
            "strange",
            "image_speed",
            "reach",
            "course",
        ):
            getattr(self, name)[row] = blank[name][0]
        self.first_s[row] = time_s
        self.moved[row] = False
        self.object_id[row] = self._next_object
        self._next_object += 1

    def _inherit(self, found: Flags, boxes: Array, moments: Array, aspect: float) -> Flags:
        """New tracks that continue an object whose track was lost take over its number and history; returns which rows stay.

        Within one tick the old track may have been seen first and the new one after it: a track is new in its second tick, too.
        """
        keep = np.ones(len(self), bool)
        self._give_back(found, boxes, moments)
        for row in np.flatnonzero(found & (self.twin > 0)).tolist():
            older = np.flatnonzero((self.object_id == self.twin[row]) & ~found & keep)
            if len(older):
                self._take_over(row, int(older[0]), float(moments[row]), keep)
        fresh = np.flatnonzero(found & (np.isfinite(self.times).sum(axis=1) < _NEW_TICKS))
        lost = np.flatnonzero(~found & np.isfinite(self.times).any(axis=1))
        if not len(fresh) or not len(lost):
            return keep
        _, last = self.latest()
        for row in fresh.tolist():
            begin_s = max(float(self.first_s[row]), float(moments[row]) - _REPORTED_S)
            gap_s = begin_s - self.last_s[lost]
            standing = np.isfinite(self.rest_s[lost])
            old = last[lost]
            gone_s = np.maximum(moments[row] - self.last_s[lost], 0.0)
            course = np.where(standing[:, None], 0.0, self.image_speed[lost]) * gone_s[:, None]
            now = boxes[row : row + 1]
            size = np.sqrt(diagonal(old, aspect) * diagonal(now, aspect))
            off = off_course(bottom(now, aspect) - bottom(old, aspect), course) / size
            ratio = diagonal(old, aspect) / diagonal(now, aspect)
            allowed = np.where(standing, _HEIR_STANDING_SIZES, _HEIR_SIZES)
            fits = (off <= allowed) & (ratio > _SIZE_RATIO) & (ratio < 1 / _SIZE_RATIO)
            fits &= gap_s > -0.3
            fits &= gap_s <= np.where(standing, _FORGET_STANDING_S, _HEIR_S)
            fits &= (self.object_class[lost] == 0) == (self.object_class[row] == 0)
            fits &= keep[lost] & (self.first_s[lost] < self.first_s[row])
            if not fits.any():
                continue
            best = int(lost[np.flatnonzero(fits)[off[fits].argmin()]])
            self._take_over(row, best, float(moments[row]), keep)
            self.image_speed[row] = self.image_speed[best]
        return keep

    def _give_back(self, found: Flags, boxes: Array, moments: Array) -> None:
        """A track that has returned, while the one that was taken for its continuation is there, and apart from it: they are two
        objects. (As long as their boxes overlap, it may be the same one found twice.)"""
        for row in np.flatnonzero(found).tolist():
            gift = self._gifts.get(int(self.track_id[row]))
            heir = None if gift is None else self._rows.get(gift.track_id)
            if gift is None or heir is None or not found[heir] or union_share(boxes[row], boxes[heir]) >= _PARTED:
                continue
            del self._gifts[int(self.track_id[row])]
            before = self.times[heir] < gift.since_s
            for name in _TICKED:
                history = getattr(self, name)
                history[row] = np.where(before if history.ndim == 2 else before[:, None], history[heir], history[row])
            for name in ("begin", "reach", "course", "object_id", "first_s", "image_speed"):
                getattr(self, name)[row] = getattr(self, name)[heir]
            self.shape[row] = gift.shape
            own = {name: getattr(self, name)[heir].copy() for name in _TICKED}
            own["times"][before] = np.nan
            self._restart(heir, gift.first_s)
            for name, history in own.items():
                getattr(self, name)[heir] = history
            known = np.isfinite(own["times"])
            if known.any():
                self.begin[heir] = own["places"][int(known.argmax())]
        self._gifts = {
            old: gift for old, gift in self._gifts.items() if gift.track_id in self._rows and self._is_recent(gift, moments)
        }

    @staticmethod
    def _is_recent(gift: "_Gift", moments: Array) -> bool:
        known = moments[np.isfinite(moments)]
        return not len(known) or float(known.max()) - gift.since_s <= _GIFT_S

    def _take_over(self, row: int, best: int, moment_s: float, keep: Flags) -> None:
        """``row`` goes on with the number and the history of ``best``, which goes."""
        keep[best] = False
        since_s = float(np.nanmin(np.append(self.times[row], moment_s)))
        self._gifts[int(self.track_id[best])] = _Gift(
            int(self.track_id[row]), since_s - 1e-3, float(self.first_s[row]), float(self.shape[best])
        )
        own = np.isfinite(self.times[row]) & (self.clear[row] | ~self.clear[best])
        for name in _TICKED:
            history = getattr(self, name)
            history[row] = np.where(own if history.ndim == 2 else own[:, None], history[row], history[best])
        for name in (*_INHERITED, "object_id", "first_s", "twin"):
            getattr(self, name)[row] = getattr(self, name)[best]
        self.moved[row] |= self.moved[best]

    # -- motion -------------------------------------------------------------------------------------------------------

    def _find_twins(self, boxes: Array, scale: Array, view: GroundView) -> None:
        """Younger rows that follow an older one's object, while that one is seen, too; who drives away from it is another."""
        for row in np.flatnonzero(self.seen & (self.twin > 0)).tolist():
            older = np.flatnonzero(self.seen & (self.object_id == self.twin[row]))
            if len(older) and union_share(boxes[row], boxes[older[0]]) < 0.5 * SAME:
                self.twin[row] = 0
        self.twin[self.seen & ~np.isin(self.twin, self.object_id[self.seen])] = 0
        wide = boxes * np.array([view.aspect, 1.0, view.aspect, 1.0])
        velocity = np.where(np.isfinite(self.motion.velocity), self.motion.velocity, 0.0)
        able = self.seen & ~np.isfinite(self.rest_s) & (self.object_class != 0)
        for pair in find_twins(wide, self.times, self.places, velocity, scale, able, metric=view.metric).tolist():
            older, younger = sorted(pair, key=lambda row: (self.first_s[row], self.object_id[row]))
            if not self.twin[older]:
                self.twin[younger] = self.object_id[older]

    def _judge(self, time_s: float, view: GroundView, heights_m: Array) -> Array:
        _, last = self.latest()
        scale = np.ones(len(self)) if view.metric else heights_m[self.object_class] / np.maximum(last[:, 3] - last[:, 1], 1e-6)
        self.motion = fit_motion(self.times, self.places, self.whole, time_s, _WINDOW_S, scale)
        self.exact = fit_motion(self.times, self.places, self.clear, time_s, _WINDOW_S, scale)
        bottoms = np.stack([(self.boxes[..., 0] + self.boxes[..., 2]) / 2 * view.aspect, self.boxes[..., 3]], axis=2)
        image = fit_motion(self.times, bottoms, np.ones_like(self.whole), time_s, _WINDOW_S, np.ones(len(self)))
        self.image_speed = np.where(np.isfinite(image.velocity), image.velocity, 0.0)
        least = _COURSE_M_S if view.metric else _COURSE_IMAGE_M_S
        drives = self.seen & (self.motion.number >= 3) & (self.motion.speed > np.maximum(least, 3 * self.motion.error))
        drives &= ~np.isfinite(self.rest_s)  # a hidden foot wanders, though its vehicle stands
        way = self.motion.velocity[drives]
        self.course[drives] = way / np.hypot(way[:, 0], way[:, 1])[:, None]
        self._rest(time_s, view, scale, last)
        return scale

    def _rest(self, time_s: float, view: GroundView, scale: Array, last: Array) -> None:
        slow = fit_motion(self.times, self.places, np.ones_like(self.whole), time_s, _REST_WINDOW_S, scale)
        limit = np.maximum(_REST_M_S if view.metric else _REST_IMAGE_M_S, np.minimum(2.5 * slow.error, _REST_MOST_M_S))
        still = self.seen & (slow.span_s >= _REST_SPAN_S) & (slow.speed < limit)
        height = np.log(np.maximum(self.boxes[..., 3] - self.boxes[..., 1], 1e-6))
        tall = np.stack([height, np.zeros_like(height)], axis=2)
        growth = fit_motion(self.times, tall, np.ones_like(self.whole), time_s, _REST_WINDOW_S, np.ones(len(self)))
        still &= np.abs(growth.velocity[:, 0]) < np.maximum(_REST_GROWTH, np.minimum(2.5 * growth.error, 0.2))
        size = diagonal(last, view.aspect)
        recent = (self.times > time_s - 0.7) & np.isfinite(self.times)
        middle = np.where(recent[..., None], self.boxes, 0).sum(axis=1) / np.maximum(recent.sum(axis=1), 1)[:, None]
        drift = np.minimum(
            np.hypot(*(bottom(middle, view.aspect) - bottom(self.anchor, view.aspect)).T),
            np.hypot(*(top(middle, view.aspect) - top(self.anchor, view.aspect)).T),
        )
        resting = np.isfinite(self.rest_s)
        leaves = resting & recent.any(axis=1) & (drift > _DRIFT_SIZES * size)
        self.rest_s[leaves] = np.nan
        begins = still & ~np.isfinite(self.rest_s)
        self.rest_s[begins] = time_s - slow.span_s[begins]
        self.anchor[begins] = middle[begins]


def _blank(count: int) -> dict[str, NDArray[np.generic]]:
    full = np.full
    return {
        "object_id": np.zeros(count, np.int64), "track_id": np.zeros(count, np.int64),
        "object_class": np.zeros(count, np.int64), "class_share": np.zeros(count),
        "times": full((count, TICKS), np.nan), "places": full((count, TICKS, 2), np.nan),
        "boxes": full((count, TICKS, 4), np.nan), "whole": np.zeros((count, TICKS), bool),
        "clear": np.zeros((count, TICKS), bool), "free": np.zeros((count, TICKS), bool), "first_s": np.zeros(count),
        "last_s": np.zeros(count), "held_s": np.zeros(count), "moved": np.zeros(count, bool), "begin": full((count, 2), np.nan),
        "rest_s": full(count, np.nan), "anchor": full((count, 4), np.nan), "seen": np.zeros(count, bool),
        "strange": full((count, 4), np.nan), "image_speed": np.zeros((count, 2)),
        "sum_box": np.zeros((count, 4)), "sum_t": np.zeros(count), "count": np.zeros(count), "reach": np.zeros(count),
        "course": full((count, 2), np.nan), "shape": full(count, np.nan), "twin": np.zeros(count, np.int64),
    }  # fmt: skip
