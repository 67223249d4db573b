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
    ticks = np.flatnonzero(then[indices].any(axis=0))
    if len(indices) < 2 or not len(ticks):
        return
    alike = size[indices][:, None] / size[indices]
    met = _meeting(boxes[np.ix_(indices, ticks)], then[np.ix_(indices, ticks)]) & (_SIZES[0] <= alike) & (alike <= _SIZES[1])
    thrown: dict[int, _Change | None] = {}  # each object is measured once, however many it met
    for one, two in indices[np.argwhere(np.triu(met, 1))].tolist():
        for index in (one, two):
            if index not in thrown:
                thrown[index] = _thrown(world, index, middle_s)
        first, second = thrown[one], thrown[two]
        if first is not None and second is not None and _collide(first, second):
            who = (int(world.object_id[one]), int(world.object_id[two]))
            yield Collision(middle_s, (min(who), max(who)), min(first.strength, second.strength))


def _collide(first: "_Change", second: "_Change") -> bool:
    """Whether they approached and were thrown away from each other."""
    way = second.place - first.place
    way = way / max(float(np.hypot(*way)), 1e-9)
    if float((first.before - second.before) @ way) < _CLOSING * min(first.size, second.size):
        return False
    opposite = float(first.change @ second.change) / (first.length * second.length)
    away = min(-float(first.change @ way) / first.length, float(second.change @ way) / second.length)
    return opposite <= _OPPOSITE_COS and away >= _APART_COS


@dataclass(frozen=True, slots=True)
class _Change:
    """Velocity ``before``, its ``change`` and the change's ``length``, picture heights per second; ``place`` and ``size`` of the
    box in picture heights; ``strength``: the change in box diagonals per second."""

    before: Array
    change: Array
    length: float
    place: Array
    size: float
    strength: float


def _thrown(world: World, index: int, middle_s: float) -> _Change | None:
    """How the velocity of the middle of a box changed; None when it did not, not surely, or cannot be measured."""
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
    change = after - before
    length = float(np.hypot(*change))
    if length / size < _CHANGE or length < _DEVIATIONS * float(np.hypot(error_before, error_after)):
        return None
    return _Change(before, change, length, place, size, length / size)


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


def _meeting(boxes: Array, seen: Flags) -> Flags:
    """Which of n objects meet, bool (n, n): in a tick in which both are seen, their boxes overlap, or nearly, and stand at a
    similar depth.

    Args:
        boxes: (n, t, 4). seen: bool (n, t).
    """
    size = boxes[..., 2:] - boxes[..., :2]
    margin = _MARGIN * np.maximum(size[:, None], size)
    low = np.maximum(boxes[:, None, :, :2], boxes[..., :2]) - margin
    high = np.minimum(boxes[:, None, :, 2:], boxes[..., 2:]) + margin
    deep = np.abs(boxes[:, None, :, 3] - boxes[..., 3]) <= _DEPTH * np.minimum(size[:, None, :, 1], size[..., 1])
    result: Flags = np.any((low < high).all(axis=-1) & deep & seen[:, None] & seen, axis=-1)
    return result


def _diagonals(boxes: Array, aspect: float) -> Array:
    result: Array = np.hypot((boxes[:, 2] - boxes[:, 0]) * aspect, boxes[:, 3] - boxes[:, 1])
    return result
