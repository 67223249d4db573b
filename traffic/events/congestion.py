"""1005: the traffic of one direction crawls or stands, and not only until the light turns green."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from traffic.events.detector import box_around
from traffic.events.evidence import Evidence
from traffic.events.world import LENGTHS_M, World
from traffic.facts import EventKind

_MEMORY_S = 8.0  # the mean speed is that of about this long: stop and go is one state
_RELEASED = 1.6  # times the threshold: traffic this fast ends a slow spell
_IMAGE_SHARE = 0.12
_SLOW_LANES = 0.6  # share of the direction's lanes with vehicles that must be slow


@dataclass(slots=True)
class _State:
    """Fading means of one direction, and since when it is slow. ``weight``: of what was observed in them, 0..1."""

    speed: float | None = None
    weight: float = 0.0
    vehicles: float = 0.0
    slow_lanes: float = 0.0
    covered: float = 0.0
    time_s: float = 0.0
    slow_since_s: float | None = None


class CongestionDetector:
    """Space-mean speed, number of vehicles and covered share of the road of each direction."""

    kind = EventKind.CONGESTION

    def __init__(self) -> None:
        self._states: dict[int, _State] = {}

    def reset(self) -> None:
        """Forget the state of the traffic."""
        self._states.clear()

    def look(self, world: World) -> Iterable[Evidence]:
        """One incident per direction."""
        rule = world.rule(self.kind)
        # In the picture, ways along the line of sight look shorter than they are: only what barely moves is called slow there.
        limit = rule.value("speed_kmh") / 3.6 * (1.0 if world.view.metric else _IMAGE_SHARE)
        for number, group in enumerate(world.road_map.groups):
            state = self._states.setdefault(number, _State(time_s=world.time_s))
            own = np.flatnonzero(np.isin(world.lane, group) & world.motor)
            own = own[(world.error[own] < np.inf) | world.standing[own]]
            self._advance(world, state, own, group, limit)
            if state.speed is None:
                continue
            dense = state.vehicles >= rule.value("min_vehicles") - 0.5 and state.slow_lanes >= _SLOW_LANES
            dense &= not world.view.metric or state.covered >= rule.value("occupancy_ratio")
            if state.speed >= _RELEASED * limit or state.vehicles < 0.5 * rule.value("min_vehicles"):
                state.slow_since_s = None
            if not (dense and state.speed < limit):
                if state.slow_since_s is not None and len(own):
                    yield self._evidence(world, number, own, group, state, sustain=True)
                continue
            if state.slow_since_s is None:
                state.slow_since_s = world.time_s
            signalled = any(world.road_map.lanes[lane].stop_line is not None for lane in group)
            signalled |= not (world.road_map.drawn or world.road_map.highway)
            since_s = state.slow_since_s + (rule.value("signal_duration_s") if signalled else 0.0)
            if since_s > world.time_s:
                continue
            yield self._evidence(world, number, own, group, state, sustain=False)

    def _advance(self, world: World, state: _State, own: np.ndarray, group: list[int], limit: float) -> None:  # type: ignore[type-arg]
        kept = math.exp(-max(world.time_s - state.time_s, 0.0) / _MEMORY_S)
        state.time_s = world.time_s
        speeds = np.where(world.standing[own], 0.0, world.speed[own])
        lanes = world.lane[own]
        used = np.unique(lanes)
        slow = [float(speeds[lanes == lane].mean()) < limit for lane in used]
        share = float(np.mean(slow)) if slow else 0.0
        # Means over what was observed: at the start of a video there is no past that was empty.
        weight = kept * state.weight + (1 - kept)
        kept, new = (kept * state.weight / weight, (1 - kept) / weight) if weight > 0 else (0.0, 1.0)
        state.weight = weight
        state.vehicles = kept * state.vehicles + new * len(own)
        state.slow_lanes = kept * state.slow_lanes + new * share
        if world.view.metric:
            length = sum(road.length for lane in group if (road := world.road_map.roads[lane]) is not None)
            covered = float(LENGTHS_M[world.object_class[own]].sum()) / max(length, 1.0)
            state.covered = kept * state.covered + new * min(covered, 1.0)
        if len(own):
            mean = float(speeds.mean())
            state.speed = mean if state.speed is None else kept * state.speed + new * mean

    def _evidence(
        self,
        world: World,
        number: int,
        own: np.ndarray,
        group: list[int],
        state: _State,
        *,
        sustain: bool,  # type: ignore[type-arg]
    ) -> Evidence:
        indices = own.tolist()
        assert state.speed is not None
        speed = f",平均车速{state.speed * 3.6:.0f}公里/小时" if world.view.metric else ""
        return Evidence(
            kind=self.kind,
            key=("lanes", number),
            strength=0.9,
            box=box_around(world, indices) if indices else (0.0, 0.0, 1.0, 1.0),
            since_s=state.slow_since_s,
            road_num=world.road_map.lanes[group[0]].road_num,
            sustain=sustain,
            standing=True,
            detail=f"{len(indices)}辆车{speed}",
        )
