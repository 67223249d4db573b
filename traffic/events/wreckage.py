"""Several things that came to lie on the road at once, and people on foot among them: what a collision leaves behind.

Told where the collision itself was not: it was hidden, far off, or of somebody the detector does not know, such as a motorcycle
that has fallen. A lost load leaves things, too, but nobody walks among them soon.
"""

from collections.abc import Sequence

import numpy as np

from traffic.events.detector import box_around, tracks_of
from traffic.events.evidence import Evidence, Place
from traffic.events.world import World
from traffic.facts import EventKind
from traffic.types import Box

_TOGETHER_S = 4.0  # between the first and the last piece
_PIECES = 2
_NEAR_M, _REACH_M = 8.0, 12.0
_STRENGTH = 0.65


def wreckage(world: World, found: Sequence[Evidence]) -> list[Evidence]:
    """Signs of an accident in the signs of debris of this tick: one at most."""
    if world.open_of(EventKind.ROAD_WORKS) or any(e.kind is EventKind.ROAD_WORKS for e in found):
        return []  # cones and workers
    pieces = [(e.since_s, e.place, e.box) for e in found if e.kind is EventKind.DEBRIS and e.since_s is not None and e.place]
    people = np.flatnonzero(world.person & world.recent).tolist()
    for first_s, _, _ in pieces:
        group = [piece for piece in pieces if 0.0 <= piece[0] - first_s <= _TOGETHER_S]
        near = [index for index in people if any(_apart_m(world, index, place) <= _NEAR_M for _, place, _ in group)]
        if len(group) >= _PIECES and near:
            boxes = [box for _, _, box in group]
            vehicles = _vehicles(world, [place for _, place, _ in group])
            return [_evidence(world, near, vehicles, max(since_s for since_s, _, _ in group), boxes)]
    return []


def _vehicles(world: World, places: list[Place]) -> list[int]:
    """Vehicles that stand near one of the pieces."""
    standing = np.flatnonzero((world.motor | world.rider) & world.standing & world.recent).tolist()
    return [index for index in standing if any(_apart_m(world, index, place) <= _REACH_M for place in places)]


def _apart_m(world: World, index: int, place: tuple[float, float]) -> float:
    return float(np.hypot(*(world.places[index] - np.array(place)))) * float(world.scale[index])


def _evidence(world: World, people: list[int], vehicles: list[int], since_s: float, pieces: list[Box]) -> Evidence:
    """The picture shows people and vehicles: parts are strewn over the whole road, and count only where no vehicle is known."""
    who = people[0]
    corners = np.array([box_around(world, [*people, *vehicles]), *([] if vehicles else pieces)])
    (x1, y1), (x2, y2) = corners[:, :2].min(axis=0).tolist(), corners[:, 2:].max(axis=0).tolist()
    return Evidence(
        kind=EventKind.ACCIDENT,
        key=("wreckage", 0),
        strength=_STRENGTH,
        box=(x1, y1, x2, y2),
        since_s=since_s,
        place=world.place_of(who),
        reach=world.metres(who, _REACH_M),
        merges=True,
        track_ids=tracks_of(world, [*vehicles, *people]),
        object_class=world.class_of(who),
        road_num=world.road_num(who),
        standing=True,
    )
