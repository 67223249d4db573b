"""Two who run into each other: each is thrown away from the other in the same moment, as no tyres and no steering do it.

Action and reaction: the changes of velocity of the two are opposite and point away from the other one. Boxes that merge pull
together instead, and an object that hides another changes only the other one. Works in the picture as well, in sizes of the
objects, where no calibration says what a metre is; neither has to stand afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from traffic.events.detector import box_around, tracks_of
from traffic.events.evidence import Evidence
from traffic.events.world import Flags, World
from traffic.facts import EventKind

Array = NDArray[np.float64]

_BEFORE_S, _AFTER_S, _SPARE_S = 1.0, 0.9, 0.12
_MEET_S = 0.3  # around that moment boxes must meet
_LEAST = 3  # ticks in each window
_LEAST_PX = 40.0  # diagonal of the smaller box
_SIZES = (0.35, 2.9)  # of one box against the other's: a motorcycle and a car
_DEPTH = 0.6  # heights of the smaller box by which their feet may differ
_MARGIN = 0.08  # of a box's size, by which boxes that meet may be apart
_CHANGE, _DEVIATIONS = 0.6, 2.5  # box diagonals per second that each must change by, and how surely
_OPPOSITE_COS, _APART_COS = -0.5, 0.3
_LOOKS = 2
_TOLD_S = 6.0  # from the collision on, so that it can be raised though both have left the picture
_REACH_M = 12.0
_CLOSING = 0.5  # diagonals per second with which they approach


@dataclass(frozen=True, slots=True)
class Collision:
    """At ``time_s`` two objects met. ``who``: their numbers. ``change``: of the steadier one, box diagonals per second."""

    time_s: float
    who: tuple[int, int]
    change: float


@dataclass(slots=True)
class _Known:
    """A pair that looked like it, in ``looks`` ticks. ``evidence``: the newest."""

    time_s: float
    last_s: float
    looks: int = 1
    evidence: Evidence | None = None


class Collisions:
    """Remembers collisions while they are told. One look is none: a box that jitters makes it, too."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], _Known] = {}

    def reset(self) -> None:
        """Forget all."""
        self._known.clear()

    def note(self, who: tuple[int, int], time_s: float, now_s: float) -> None:
        """Two who met at ``time_s`` and are seen together now: a look by other means."""
        pair = self._known.setdefault((min(who), max(who)), _Known(time_s, now_s, 0))
        pair.last_s, pair.looks = now_s, pair.looks + 1

    def look(self, world: World, able: Flags, kind: EventKind) -> Iterator[Evidence]:
        """Signs of the collisions of the last seconds, and of those whose objects stand there still."""
        for found in find_collisions(world, able):
            pair = self._known.setdefault(found.who, _Known(found.time_s, found.time_s, 0))
            pair.last_s, pair.looks = found.time_s, pair.looks + 1
        for who, pair in tuple(self._known.items()):
            passed_s, here = world.time_s - pair.last_s, np.flatnonzero(np.isin(world.object_id, who))
            still = bool(world.standing[here].any())
            if passed_s > _TOLD_S and (pair.looks < _LOOKS or not still):
                del self._known[who]
                continue
            if pair.looks < _LOOKS:
                continue
            if len(here):
                pair.evidence = self._evidence(world, here.tolist(), who, pair, kind)
            if pair.evidence is not None:  # who has left the picture has collided none the less
                yield replace(pair.evidence, sustain=passed_s > _TOLD_S)

    @staticmethod
    def _evidence(world: World, here: list[int], who: tuple[int, int], pair: _Known, kind: EventKind) -> Evidence:
        return Evidence(
            kind=kind,
            key=("object", int(world.object_id[here[0]])),
            strength=min(0.6 + 0.1 * (pair.looks - _LOOKS), 0.9),
            box=box_around(world, here),
            since_s=pair.time_s,
            place=world.place_of(here[0]),
            reach=world.metres(here[0], _REACH_M),
            merges=True,
            track_ids=tracks_of(world, here),
            object_class=world.class_of(here[0]),
            road_num=world.road_num(here[0]),
            standing=True,
            involved=who,
        )


def find_collisions(world: World, able: Flags) -> Iterator[Collision]:
    """Pairs of ``able`` objects, bool (n,), that met about 0.9 s ago."""
    middle_s = world.time_s - _AFTER_S
    times, boxes = world.movers.times[world.rows], world.movers.boxes[world.rows]
    then = np.abs(times - middle_s) <= _MEET_S  # False where not seen
    here = able & then.any(axis=1)
    some = boxes[np.arange(len(boxes)), then.argmax(axis=1)]
    size = _diagonals(some, world.view.aspect)
    here &= size * world.frame_size[1] >= _LEAST_PX
    indices = np.flatnonzero(here)
    for place, one in enumerate(indices.tolist()):
        for two in indices[place + 1 :].tolist():
            ticks = np.flatnonzero(then[one] & then[two]).tolist()
            alike = _SIZES[0] <= size[one] / size[two] <= _SIZES[1]
            if not alike or not any(_meet(boxes[one, tick], boxes[two, tick]) for tick in ticks):
                continue
            found = _examine(world, one, two, middle_s)
            if found is not None:
                yield found


def _examine(world: World, one: int, two: int, middle_s: float) -> Collision | None:
    fits = [_change(world, index, middle_s) for index in (one, two)]
    first, second = fits
    if first is None or second is None:
        return None
    way = second.place - first.place
    way = way / max(float(np.hypot(*way)), 1e-9)
    size = min(first.size, second.size)
    closing = float((first.before - second.before) @ way) / size
    changes = (first.change, second.change)
    lengths = [float(np.hypot(*change)) for change in changes]
    if closing < _CLOSING or min(lengths[0] / first.size, lengths[1] / second.size) < _CHANGE:
        return None
    if lengths[0] < _DEVIATIONS * first.error or lengths[1] < _DEVIATIONS * second.error:
        return None
    opposite = float(changes[0] @ changes[1]) / (lengths[0] * lengths[1])
    away = (-float(changes[0] @ way) / lengths[0], float(changes[1] @ way) / lengths[1])
    if opposite > _OPPOSITE_COS or min(away) < _APART_COS:
        return None
    who = (int(world.object_id[one]), int(world.object_id[two]))
    return Collision(middle_s, (min(who), max(who)), min(lengths[0] / first.size, lengths[1] / second.size))


@dataclass(frozen=True, slots=True)
class _Change:
    before: Array
    change: Array
    error: float
    place: Array
    size: float


def _change(world: World, index: int, middle_s: float) -> _Change | None:
    """Change of velocity of the middle of a box in the picture, picture heights per second."""
    row, aspect = world.rows[index], world.view.aspect
    times, boxes = world.movers.times[row], world.movers.boxes[row]
    early = (times > middle_s - _BEFORE_S) & (times <= middle_s - _SPARE_S)
    late = (times >= middle_s + _SPARE_S) & (times <= middle_s + _AFTER_S + 1e-6)
    if early.sum() < _LEAST or late.sum() < _LEAST:
        return None
    middles = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2 * aspect, (boxes[:, 1] + boxes[:, 3]) / 2])
    pixel = 1.4 / world.frame_size[1]
    before, error_before, place = _line(times[early] - middle_s, middles[early], pixel)
    after, error_after, _ = _line(times[late] - middle_s, middles[late], pixel)
    size = float(np.median(_diagonals(boxes[early | late], aspect)))
    return _Change(before, after - before, float(np.hypot(error_before, error_after)), place, size)


def _line(times: Array, places: Array, pixel: float) -> tuple[Array, float, Array]:
    """Least squares: velocity, its error, and the place at time 0."""
    mean = float(times.mean())
    offsets = times - mean
    spread = float(offsets @ offsets)
    velocity: Array = offsets @ places / spread
    middle = places.mean(axis=0)
    rest = places - middle - offsets[:, None] * velocity
    variance = float((rest**2).sum()) / max(2 * len(times) - 4, 1)
    return velocity, float(np.sqrt(max(variance, pixel * pixel) / spread)), middle - mean * velocity


def _meet(one: Array, two: Array) -> bool:
    """Whether boxes overlap, or nearly, and stand at a similar depth."""
    margin = _MARGIN * np.maximum(one[2:] - one[:2], two[2:] - two[:2])
    if not ((np.maximum(one[:2], two[:2]) - margin) < np.minimum(one[2:], two[2:]) + margin).all():
        return False
    return bool(abs(one[3] - two[3]) <= _DEPTH * min(one[3] - one[1], two[3] - two[1]))


def _diagonals(boxes: Array, aspect: float) -> Array:
    result: Array = np.hypot((boxes[:, 2] - boxes[:, 0]) * aspect, boxes[:, 3] - boxes[:, 1])
    return result
