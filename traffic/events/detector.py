"""What a detector of one kind is, and what several of them share."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from traffic.events.evidence import Evidence
from traffic.events.world import Flags, World
from traffic.facts import EventKind
from traffic.types import Box, TrackId


class Detector(Protocol):
    """Looks for one kind of incident, tick by tick."""

    kind: EventKind

    def look(self, world: World) -> Iterable[Evidence]:
        """The signs of this tick."""

    def reset(self) -> None:
        """Forget what was seen: the view changed, or nobody looked for a while."""


def about(
    world: World,
    index: int,
    kind: EventKind,
    strength: float,
    *,
    since_s: float | None = None,
    reach_m: float = 0.0,
    region_code: int = 0,
    sustain: bool = False,
    standing: bool = False,
    merges: bool = False,
    detail: str = "",
) -> Evidence:
    """Signs about one object."""
    number = int(world.object_id[index])
    return Evidence(
        kind=kind,
        key=("object", number),
        strength=strength,
        box=world.box_px(index),
        since_s=since_s,
        place=world.place_of(index),
        reach=world.metres(index, reach_m),
        merges=merges,
        track_ids=(world.track_of(index),),
        object_class=world.class_of(index),
        road_num=world.road_num(index),
        region_code=region_code,
        sustain=sustain,
        standing=standing,
        involved=(number,),
        detail=detail,
    )


def box_around(world: World, indices: Sequence[int]) -> Box:
    """The box around several objects, in pixels."""
    boxes = np.array([world.box_px(index) for index in indices])
    (x1, y1), (x2, y2) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return (float(x1), float(y1), float(x2), float(y2))


def tracks_of(world: World, indices: Sequence[int]) -> tuple[TrackId, ...]:
    """Tracks of several objects."""
    return tuple(world.track_of(index) for index in indices)


def hidden_in_vehicles(world: World, who: Flags) -> Flags:
    """Those of ``who`` (people, riders) whose box lies mostly in that of a vehicle which reaches as low or lower: somebody
    seen through a windscreen, a rider on a motorcycle, a part taken for a person."""
    result = np.zeros(len(world), bool)
    vehicles = world.boxes[world.motor & world.seen]
    if not len(vehicles):
        return result
    for index in np.flatnonzero(who).tolist():
        box = world.boxes[index]
        low, high = np.maximum(vehicles[:, :2], box[:2]), np.minimum(vehicles[:, 2:], box[2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        own = float((box[2] - box[0]) * (box[3] - box[1]))
        deep = vehicles[:, 3] > box[3] - 0.1 * (box[3] - box[1])
        result[index] = bool(((shared > 0.5 * own) & deep).any())
    return result


class Runs:
    """Since when something has held for each object without a break longer than ``patience_s``."""

    def __init__(self, patience_s: float = 0.7) -> None:
        self._patience_s = patience_s
        self._runs: dict[int, tuple[float, float]] = {}

    def reset(self) -> None:
        """Forget all."""
        self._runs.clear()

    def hold(self, number: int, time_s: float) -> float:
        """It holds for object ``number`` now; returns since when."""
        since_s, last_s = self._runs.get(number, (time_s, time_s))
        if time_s - last_s > self._patience_s:
            since_s = time_s
        self._runs[number] = (since_s, time_s)
        return since_s

    def holds(self, number: int, time_s: float) -> bool:
        """Whether it has held for object ``number`` just before."""
        run = self._runs.get(number)
        return run is not None and time_s - run[1] <= self._patience_s

    def forget(self, time_s: float) -> None:
        """Drop what has not held lately; keeps the memory bounded."""
        self._runs = {n: run for n, run in self._runs.items() if time_s - run[1] <= self._patience_s}


class StandingRuns:
    """Since when objects stand where standing matters: a box that jitters into such a place for a moment has not stood there."""

    _PATIENCE_S = 4.0
    _TO_REST_S = 2.0  # standing is known this long after it began

    def __init__(self) -> None:
        self._runs = Runs(self._PATIENCE_S)

    def reset(self) -> None:
        """Forget all."""
        self._runs.reset()

    def since_s(self, world: World, index: int) -> float:
        """Of an object that stands there now."""
        begin_s = self._runs.hold(int(world.object_id[index]), world.time_s) - self._TO_REST_S
        return max(float(world.rest_s[index]), begin_s)

    def forget(self, time_s: float) -> None:
        """Drop those that do not stand there any more."""
        self._runs.forget(time_s)
