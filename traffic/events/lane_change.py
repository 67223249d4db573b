"""1011: a vehicle crosses a solid line between two lanes."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from traffic.events.detector import about
from traffic.events.evidence import Evidence
from traffic.events.world import World
from traffic.facts import EventKind
from traffic.scene.model import Boundary

_SETTLED_S = 0.6  # in a lane, before it counts as the vehicle's lane
_ARRIVED_S = 0.4  # in the next one, before the change is complete
_CHANGE_S = (0.15, 6.0)  # from clearly inside one lane to clearly inside the other
_HOLE_S = 0.9  # a longer time unseen in between may hide anything
_SIDE_M_S = 4.0  # no vehicle moves faster to the side
_BACK_SHARE = 0.4  # of the way to the side: further back no vehicle swerves in between; a track that slipped to a neighbour does
_HALF_LANE_M = 1.75  # where there are no metres: lanes of 3.5 m
_LEAST_PX = 4.0  # half a lane's width times the margin; below, the boxes do not tell lanes apart
_LEAST_M_S = 2.0
_STATED_S = 1.0  # a change is reported this long, so that the life cycle sees it
_ENDS = 0.03  # share of the lane's length at its ends in which it may be left to any side


@dataclass(slots=True)
class _In:
    """The lane a vehicle is clearly in."""

    lane: int
    since_s: float
    last_s: float


@dataclass(slots=True)
class _Change:
    since_s: float
    until_s: float
    number: int


class LaneChangeDetector:
    """A settled stay clearly inside one lane, then one clearly inside its neighbour, with a continuous way in between."""

    kind = EventKind.ILLEGAL_LANE_CHANGE

    def __init__(self) -> None:
        self._own: dict[int, _In] = {}
        self._next: dict[int, _In] = {}
        self._changes: dict[int, _Change] = {}
        self._number = 0

    def reset(self) -> None:
        """Forget who was in which lane."""
        self._own.clear()
        self._next.clear()
        self._changes.clear()

    def look(self, world: World) -> Iterable[Evidence]:
        """Changes completed just now."""
        lanes = world.road_map.lanes
        if not any(Boundary.SOLID in (lane.left_boundary, lane.right_boundary) for lane in lanes):
            return
        margin = 2 * world.rule(self.kind).value("inside_ratio")
        clear = world.motor & world.seen & (world.lane >= 0) & (np.abs(np.nan_to_num(world.across, nan=9.0)) <= 1 - margin)
        for index in np.flatnonzero(clear).tolist():
            self._follow(world, index, margin)
        for index in np.flatnonzero(world.motor).tolist():
            change = self._changes.get(int(world.object_id[index]))
            if change is not None:
                evidence = about(world, index, self.kind, 0.85, since_s=change.since_s)
                yield evidence
        alive = set(world.movers.object_id.tolist())
        self._own = {n: s for n, s in self._own.items() if n in alive}
        self._next = {n: s for n, s in self._next.items() if n in alive}
        self._changes = {n: c for n, c in self._changes.items() if c.until_s >= world.time_s}

    def _follow(self, world: World, index: int, margin: float) -> None:
        who, lane, now = int(world.object_id[index]), int(world.lane[index]), world.time_s
        own = self._own.get(who)
        if own is None:
            self._own[who] = _In(lane, now, now)
            return
        if own.lane == lane:
            if now - own.last_s > _HOLE_S + _CHANGE_S[1]:
                own.since_s = now
            own.last_s = now
            self._next.pop(who, None)
            return
        new = self._next.get(who)
        if new is None or new.lane != lane:
            new = self._next[who] = _In(lane, now, now)
        new.last_s = now
        if now - new.since_s < _ARRIVED_S:
            return
        if self._is_illegal(world, index, own, new, margin):
            self._number += 1
            self._changes[who] = _Change(own.last_s, now + _STATED_S, self._number)
        self._own[who] = new
        del self._next[who]

    def _is_illegal(self, world: World, index: int, own: _In, new: _In, margin: float) -> bool:
        took_s = new.since_s - own.last_s
        if own.last_s - own.since_s < _SETTLED_S or not _CHANGE_S[0] <= took_s <= _CHANGE_S[1]:
            return False
        if world.speed[index] < _LEAST_M_S and world.view.metric:
            return False
        road, lane = world.road_map.roads[own.lane], world.road_map.lanes[own.lane]
        if road is None:
            return False
        times = world.movers.times[world.rows[index]]
        use = np.isfinite(times) & (times > own.last_s - 0.5) & (times <= new.since_s + 0.5)
        times, places = times[use], world.movers.places[world.rows[index]][use]
        if len(times) < 3 or np.diff(times).max() > _HOLE_S:
            return False
        along, across, _ = road.locate(places)
        middle = int(np.abs(np.abs(across) - 1).argmin())
        inner = _ENDS * road.length
        if not inner <= along[middle] <= road.length - inner:
            return False
        width = float(np.interp(along[middle], road.stations, road.left + road.right)) / 2
        if not self._is_smooth(times, across * (width * float(world.scale[index]) if world.view.metric else _HALF_LANE_M)):
            return False
        grain = np.abs(world.view.per_pixel(world.bottoms[index : index + 1])[0, :, 0]).max()
        if width * margin < _LEAST_PX * grain * margin or width < _LEAST_PX * grain:
            return False
        side = lane.right_boundary if across[-1] > 0 else lane.left_boundary
        return side is Boundary.SOLID and abs(across[-1]) > 1

    @staticmethod
    def _is_smooth(times: np.ndarray, aside_m: np.ndarray) -> bool:  # type: ignore[type-arg]
        """Whether the way to the side is one that a vehicle can drive; a track that jumped to a neighbour is not."""
        steps, passed = np.abs(np.diff(aside_m)), np.maximum(np.diff(times), 0.1)
        way = (aside_m - aside_m[0]) * np.sign(aside_m[-1] - aside_m[0])
        back = float((np.maximum.accumulate(way) - way).max())
        return bool((steps <= _SIDE_M_S * passed + 0.5).all()) and back <= _BACK_SHARE * float(way[-1])
