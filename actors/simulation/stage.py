"""The director of staged incidents: clears lanes, starts scripts, tells ordinary traffic what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from actors.simulation.address import Incident, SimulationSettings
from actors.simulation.motion import Pose
from actors.simulation.road import CROSSING_Y, FAR_KERB_Y, Road
from actors.simulation.script import Script, Thing
from actors.simulation.scripts import SCRIPTS, Plot, lanes_needed
from actors.simulation.signals import SignalPlan
from actors.simulation.truth import TrueIncident

if TYPE_CHECKING:
    from actors.simulation.traffic_model import LaneState, TrafficModel, Vehicle

FIRST_ID = 2_000_000
_CLEARING_S = 20.0
_NEEDS_GREEN_S = {"illegal_lane_change": 14.0, "restricted_area": 14.0, "debris": 12.0}
_STOPS_Y = (16.0, 20.0)  # in view, and so far before the line that nobody takes it for the first of a queue
_OVERFLOW_Y = FAR_KERB_Y + 9.0
# Traffic arrives at its own speed and gathers: a queue grows; if all slowed down at once, the road would stay as empty as before.
_CRAWL_MS, _CRAWL_FROM_Y, _CRAWL_TO_Y, _SLOWING_S = 1.1, -10.0, 60.0, 15.0


class Act(Protocol):
    """One incident on its way."""

    def step(self, traffic: "TrafficModel", now: float) -> None:
        """Act on the traffic at a step of the simulation."""
        ...

    def truth(self) -> TrueIncident | None:
        """What is on now; None before and after."""
        ...


class _ScriptedAct:
    """Waits until its lanes are empty, then plays its script."""

    def __init__(self, plot: Plot, plan: SignalPlan, first_id: int) -> None:
        self._incident, self._plan = plot.incident, plan
        self._lanes = lanes_needed(plot)
        self._script: Script = SCRIPTS[plot.incident.kind](plot)
        self._first_id = first_id
        self._began_s: float | None = None
        self._now = 0.0

    def step(self, traffic: "TrafficModel", now: float) -> None:
        self._now = now
        incident = self._incident
        if self._began_s is None:
            if now < incident.at_s - self._plan.cycle_s - _CLEARING_S:
                return
            lanes = [traffic.lane_state(number) for number in sorted(self._lanes)]
            for lane in lanes:
                lane.closed = True
            green = _NEEDS_GREEN_S.get(incident.kind, 0.0)
            if now < incident.at_s or any(v.front_y < _CRAWL_TO_Y for lane in lanes for v in lane.vehicles):
                return
            if green and self._plan.green_left_s(now) < min(green, self._plan.green_s - 0.1):
                return
            self._began_s = now
        passed = now - self._began_s
        for number in self._lanes:
            state = traffic.lane_state(number)
            state.closed = passed < self._script.open_s
            state.blocks = tuple(
                state.lane.s_of(b.near_y) for b in self._script.blocks if b.road_num == number and b.from_s <= passed < b.until_s
            )

    def things(self, time_s: float) -> Iterator[tuple[int, Thing, Pose]]:
        """Everybody who is there."""
        if self._began_s is None:
            return
        passed = time_s - self._began_s
        for offset, thing in enumerate(self._script.things):
            if thing.from_s <= passed < thing.until_s:
                yield self._first_id + offset, thing, thing.motion.at(passed)

    def mud_s(self, time_s: float) -> float | None:
        """Seconds since the slope came down."""
        if self._began_s is None or not self._script.mud or time_s - self._began_s < self._script.since_s:
            return None
        return time_s - self._began_s - self._script.since_s

    def truth(self) -> TrueIncident | None:
        script, incident = self._script, self._incident
        if self._began_s is None or not script.since_s <= self._now - self._began_s < script.until_s:
            return None
        ids = tuple(self._first_id + i for i, thing in enumerate(script.things) if not thing.extra)
        return TrueIncident(
            kind=incident.kind,
            track_id=self._first_id if ids else 0,
            road_num=incident.lane,
            since_s=round(self._began_s + script.since_s, 3),
            track_ids=ids,
        )


@dataclass(slots=True)
class _TrafficAct:
    """An incident played by ordinary vehicles. ``vehicle``: the main one, once chosen."""

    incident: Incident
    plan: SignalPlan
    vehicle: "Vehicle | None" = None
    since_s: float | None = None
    done: bool = False

    def step(self, traffic: "TrafficModel", now: float) -> None:
        if not self.done:
            _PLAYS[self.incident.kind](self, traffic, traffic.lane_state(self.incident.lane), now)

    def truth(self) -> TrueIncident | None:
        if self.since_s is None or self.done:
            return None
        number = self.vehicle.track_id if self.vehicle else 0
        return TrueIncident(
            kind=self.incident.kind,
            track_id=number,
            road_num=self.incident.lane,
            since_s=round(self.since_s, 3),
            track_ids=(number,) if number else (),
        )

    def gone(self, state: "LaneState") -> bool:
        """Whether the main vehicle has left the simulation."""
        return self.vehicle is not None and self.vehicle not in state.vehicles

    def clear(self, traffic: "TrafficModel", state: "LaneState", now: float, green_s: float) -> bool:
        """Close the lane in time; True when it is empty, the moment has come and the light stays green long enough."""
        if self.vehicle is not None or now < self.incident.at_s - self.plan.cycle_s - _CLEARING_S:
            return False
        state.closed = True
        if now < self.incident.at_s or any(v.front_y < _CRAWL_TO_Y for v in state.vehicles):
            return False
        return self.plan.green_left_s(now) >= min(green_s, self.plan.green_s - 0.1)

    def enter(self, traffic: "TrafficModel", state: "LaneState", y_m: float, speed_ms: float) -> "Vehicle":
        """A vehicle of its own on the emptied lane."""
        vehicle = traffic.spawn(state, speed_ms)
        vehicle.s_m, vehicle.desired_ms = state.lane.s_of(y_m), speed_ms
        state.vehicles.append(vehicle)
        self.vehicle = vehicle
        state.closed = False
        return vehicle


def _stop_one(act: _TrafficAct, traffic: "TrafficModel", state: "LaneState", now: float) -> None:
    if act.vehicle is None:
        if now < act.incident.at_s:
            return
        for vehicle in state.vehicles:
            comes_to_y = vehicle.front_y + vehicle.speed_ms**2 / (2 * vehicle.brake_ms2)
            if _STOPS_Y[0] < comes_to_y < _STOPS_Y[1] and vehicle.speed_ms > 2.0:
                vehicle.held_until_s = now + act.incident.for_s
                act.vehicle, act.since_s = vehicle, now
                return
    elif act.gone(state) or now >= act.vehicle.held_until_s:
        act.done = True


def _wrong_way(act: _TrafficAct, traffic: "TrafficModel", state: "LaneState", now: float) -> None:
    # The lane is closed early enough to be empty, so that nobody has to be driven through.
    if act.vehicle is None:
        if now < act.incident.at_s - act.plan.cycle_s - _CLEARING_S:
            return
        state.closed = True
        if now < act.incident.at_s or state.vehicles:
            return
        pace = min(traffic.speed_ms, 9.0)
        act.vehicle, act.since_s = traffic.spawn(state, pace, wrong_way=True), now
        act.vehicle.desired_ms = pace
        state.vehicles.append(act.vehicle)
    elif act.gone(state):
        act.done, state.closed = True, False


def _slow(act: _TrafficAct, traffic: "TrafficModel", state: "LaneState", now: float) -> None:
    if act.clear(traffic, state, now, 14.0):
        act.enter(traffic, state, 4.0, 3.2)
    elif act.vehicle is not None:
        if act.since_s is None and act.vehicle.near_y > 9.0:
            act.since_s = now
        act.done = act.vehicle.near_y > 40.0 or act.gone(state)


def _speeding(act: _TrafficAct, traffic: "TrafficModel", state: "LaneState", now: float) -> None:
    if act.clear(traffic, state, now, 10.0):
        act.enter(traffic, state, -60.0, traffic.speed_ms * 1.6)
    elif act.vehicle is not None:
        if act.since_s is None and act.vehicle.near_y > 9.0:
            act.since_s = now
        act.done = act.vehicle.near_y > 60.0 or act.gone(state)


def _brake(act: _TrafficAct, traffic: "TrafficModel", state: "LaneState", now: float) -> None:
    if act.clear(traffic, state, now, 14.0):
        act.enter(traffic, state, -35.0, 11.0)
    elif act.vehicle is not None:
        vehicle = act.vehicle
        if act.since_s is None and vehicle.front_y > 21.5:  # it has been in view for a second, and stops before the line
            act.since_s, vehicle.held_until_s, vehicle.brake_ms2 = now, now + 3.5, 7.0
        act.done = act.since_s is not None and now > act.since_s + 5.0


def _congestion(act: _TrafficAct, traffic: "TrafficModel", state: "LaneState", now: float) -> None:
    if now < act.incident.at_s:
        return
    act.since_s = act.since_s or now
    act.done = now >= act.since_s + act.incident.for_s
    cap = max(_CRAWL_MS, traffic.speed_ms * (1 - (now - act.since_s) / _SLOWING_S))  # nobody brakes hard for it
    for lane in traffic.approach():
        lane.cap_ms, lane.cap_y = 0.0 if act.done else cap, (_CRAWL_FROM_Y, _CRAWL_TO_Y)


def _overflow(act: _TrafficAct, traffic: "TrafficModel", state: "LaneState", now: float) -> None:
    if now < act.incident.at_s:
        return
    on = now < act.incident.at_s + act.incident.for_s
    state.blocks = (state.lane.s_of(_OVERFLOW_Y),) if on else ()
    inside = [v for v in state.vehicles if v.speed_ms < 0.5 and CROSSING_Y[1] < v.front_y < FAR_KERB_Y + v.model.length_m]
    if inside and on and act.since_s is None:
        act.vehicle, act.since_s = inside[0], now
    act.done = not on


_PLAYS = {
    "stopped_vehicle": _stop_one,
    "wrong_way": _wrong_way,
    "slow_vehicle": _slow,
    "speeding": _speeding,
    "sudden_deceleration": _brake,
    "congestion": _congestion,
    "junction_overflow": _overflow,
}


class Stage:
    """All staged incidents of one film. Without incidents it draws no random number and changes nothing."""

    def __init__(self, settings: SimulationSettings, road: Road, plan: SignalPlan) -> None:
        self._acts: list[_TrafficAct | _ScriptedAct] = []
        for index, incident in enumerate(settings.incidents):
            if incident.kind in SCRIPTS:
                rng = np.random.default_rng([settings.seed, 61, index])
                plot = Plot(incident=incident, road=road, rng=rng)
                self._acts.append(_ScriptedAct(plot, plan, FIRST_ID + 1000 * index))
            else:
                self._acts.append(_TrafficAct(incident, plan))

    def step(self, traffic: "TrafficModel", now: float) -> None:
        """One step of the simulation."""
        for act in self._acts:
            act.step(traffic, now)

    def things(self, time_s: float) -> list[tuple[int, Thing, Pose]]:
        """Scripted participants: number, what, where."""
        return [item for act in self._acts if isinstance(act, _ScriptedAct) for item in act.things(time_s)]

    def mud_s(self, time_s: float) -> float | None:
        """Seconds since a slope came down; None while it holds."""
        ages = [age for act in self._acts if isinstance(act, _ScriptedAct) if (age := act.mud_s(time_s)) is not None]
        return max(ages, default=None)

    def incidents(self) -> tuple[TrueIncident, ...]:
        """Incidents in progress; their boxes are added by the camera."""
        return tuple(truth for act in self._acts if (truth := act.truth()) is not None)
