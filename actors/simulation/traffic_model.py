"""Microscopic traffic of the approach.

Car following: Intelligent Driver Model, M. Treiber, A. Hennecke, D. Helbing, "Congested traffic states in empirical
observations and microscopic simulations", Physical Review E 62 (2000), 1805-1824, equations 3 and 4; a red signal is a
standing vehicle of no length at the stop line. Arrivals: shifted exponential headways. Vehicles keep their lane.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from actors.simulation.address import SimulationSettings
from actors.simulation.fleet import MOTOR_FLEET, TWO_WHEELER_FLEET, Model, plate_text
from actors.simulation.road import STOP_Y, Road, RoadLane
from actors.simulation.signals import SignalPlan
from actors.simulation.stage import Stage
from actors.simulation.truth import TrueIncident, TruePassage, TrueQueue

STEP_S = 0.05
MIN_GAP_M = 2.5
TIME_GAP_S = 1.3
MIN_HEADWAY_S = 1.4
QUEUE_SPEED_MS = 1.5
HARD_BRAKE = 8.0
_CALM_MS2 = 1.5


@dataclass(slots=True, eq=False)
class Vehicle:
    """One vehicle: ``s_m`` is its front along its lane, ``speed_ms`` its speed (both along its own heading)."""

    track_id: int
    model: Model
    lane: RoadLane
    s_m: float
    speed_ms: float
    desired_ms: float
    offset_m: float
    plate: str
    wrong_way: bool = False
    held_until_s: float = float("-inf")
    brake_ms2: float = 3.0

    @property
    def heading(self) -> int:
        """+1 away from the camera, -1 towards it."""
        return -self.lane.heading if self.wrong_way else self.lane.heading

    @property
    def front_y(self) -> float:
        """World Y of the front."""
        return self.lane.y_of(self.lane.length_m - self.s_m if self.wrong_way else self.s_m)

    @property
    def near_y(self) -> float:
        """World Y of the end nearer to the camera."""
        return self.front_y - self.model.length_m if self.heading > 0 else self.front_y

    @property
    def x_m(self) -> float:
        """World X of the centre line."""
        return self.lane.x_m + self.offset_m


@dataclass(slots=True)
class LaneState:
    """One lane's traffic.

    Attributes:
        closed: nobody enters.
        blocks: places along the lane (metres) that traffic stops before.
        cap_ms, cap_y: nobody is faster between these world Y, and who comes there brakes gently; 0: no cap.
    """

    lane: RoadLane
    flow: float
    fleet: tuple[Model, ...]
    rng: np.random.Generator
    vehicles: list[Vehicle] = field(default_factory=list)  # foremost first
    next_arrival_s: float = 0.0
    waiting: int = 0
    last_passage: tuple[float, Vehicle] | None = None
    closed: bool = False
    blocks: tuple[float, ...] = ()
    cap_ms: float = 0.0
    cap_y: tuple[float, float] = (0.0, 0.0)

    def allowed_ms(self, front_y: float) -> float:
        """Speed that the cap leaves to a vehicle, m/s; infinite where there is none."""
        begin, end = self.cap_y
        if not self.cap_ms or front_y >= end:
            return math.inf
        return math.sqrt(self.cap_ms**2 + 2 * _CALM_MS2 * max(begin - front_y, 0.0))


def idm_acceleration(speed: float, desired: float, gap: float, leader_speed: float, max_accel: float, brake: float) -> float:
    """Acceleration in m/s² of the Intelligent Driver Model; speeds in m/s, ``gap`` bumper to bumper in metres."""
    dynamic = speed * TIME_GAP_S + speed * (speed - leader_speed) / (2.0 * np.sqrt(max_accel * brake))
    wanted = MIN_GAP_M + max(0.0, dynamic)
    free = 1.0 - (speed / max(desired, 0.1)) ** 4
    return float(max_accel * (free - (wanted / max(gap, 0.1)) ** 2))


class TrafficModel:
    """All vehicles of the approach; ``advance`` moves them to a time, passages and incidents are collected on the way."""

    def __init__(self, settings: SimulationSettings, road: Road, plan: SignalPlan) -> None:
        self._plan = plan
        self.speed_ms = settings.speed_kmh / 3.6
        self.stage = Stage(settings, road, plan)
        self._next_id = 1
        self._passages: list[TruePassage] = []
        self._steps_done = 0
        self._start_s = -settings.warmup_s
        self.time_s = self._start_s
        self._lanes = [self._lane_state(settings, lane) for lane in road.lanes]

    def _lane_state(self, settings: SimulationSettings, lane: RoadLane) -> LaneState:
        if lane.two_wheelers:
            flow, fleet = settings.two_wheelers, TWO_WHEELER_FLEET
        elif lane.heading > 0:
            flow, fleet = settings.flow / settings.lanes, MOTOR_FLEET
        else:
            flow, fleet = settings.opposing_flow / settings.opposing, MOTOR_FLEET
        rng = np.random.default_rng([settings.seed, 11, lane.road_num])
        state = LaneState(lane=lane, flow=flow / 3600.0, fleet=fleet, rng=rng)
        state.next_arrival_s = self._start_s + self._headway(state)
        return state

    @staticmethod
    def _headway(state: LaneState) -> float:
        if state.flow <= 0:
            return float("inf")
        mean = 1.0 / state.flow
        shift = min(MIN_HEADWAY_S, 0.8 * mean)
        return float(shift + state.rng.exponential(mean - shift))

    def vehicles(self) -> Iterator[Vehicle]:
        """All vehicles, in no particular order of distance."""
        for state in self._lanes:
            yield from state.vehicles

    def advance(self, time_s: float) -> tuple[TruePassage, ...]:
        """Move on to ``time_s`` in fixed steps and return the passages on the way.

        The state is that of the last whole step at or before ``time_s``.
        """
        self._passages = []
        while self._start_s + (self._steps_done + 1) * STEP_S <= time_s + 1e-9:
            self._steps_done += 1
            self._step(self._start_s + self._steps_done * STEP_S)
        return tuple(self._passages)

    def _step(self, now: float) -> None:
        self.time_s = now
        signal = self._plan.vehicle(now)
        self.stage.step(self, now)
        for state in self._lanes:
            self._arrive(state, now)
            before = [v.near_y for v in state.vehicles]
            self._move(state, now, signal)
            for vehicle, old_y in zip(state.vehicles, before, strict=True):
                self._note_passage(state, vehicle, old_y, now)
            state.vehicles = [v for v in state.vehicles if v.s_m < state.lane.length_m]

    # arrivals -------------------------------------------------------------------------------------------------------

    def _arrive(self, state: LaneState, now: float) -> None:
        while state.next_arrival_s <= now:
            state.waiting += 1
            state.next_arrival_s += self._headway(state)
        if state.closed or not state.waiting:
            return
        last = state.vehicles[-1] if state.vehicles else None
        gap = last.s_m - last.model.length_m if last else 1e9
        speed = min(self._lane_speed(state), last.speed_ms if last else 1e9)
        if gap > MIN_GAP_M + TIME_GAP_S * speed and not (last and last.wrong_way):
            state.waiting -= 1
            state.vehicles.append(self.spawn(state, speed))

    def _lane_speed(self, state: LaneState) -> float:
        return min(self.speed_ms, 5.5) if state.lane.two_wheelers else self.speed_ms

    def spawn(self, state: LaneState, speed: float, *, wrong_way: bool = False) -> Vehicle:
        rng = state.rng
        shares = np.array([m.share for m in state.fleet])
        model = state.fleet[int(rng.choice(len(shares), p=shares / shares.sum()))]
        picks = [int(p) for p in rng.integers(0, 2**31, 8)]
        spread = state.lane.width_m * (0.14 if state.lane.two_wheelers else 0.035)
        vehicle = Vehicle(
            track_id=self._next_id,
            model=model,
            lane=state.lane,
            s_m=0.0,
            speed_ms=speed,
            desired_ms=self._lane_speed(state) * float(np.clip(rng.normal(1.0, 0.09), 0.75, 1.25)),
            offset_m=float(np.clip(rng.normal(0, spread), -2 * spread, 2 * spread)),
            plate=plate_text(model, picks),
            wrong_way=wrong_way,
        )
        self._next_id += 1
        return vehicle

    # motion ---------------------------------------------------------------------------------------------------------

    def _move(self, state: LaneState, now: float, signal: str) -> None:
        leader: Vehicle | None = None
        stop_s = state.lane.s_of(state.lane.stop_y) - 0.8
        for vehicle in state.vehicles:
            gap, leader_speed = (
                (1e9, 0.0) if leader is None else (leader.s_m - leader.model.length_m - vehicle.s_m, leader.speed_ms)
            )
            desired = min(vehicle.desired_ms, state.allowed_ms(vehicle.front_y))
            for block in state.blocks:
                if vehicle.s_m <= block and block - vehicle.s_m < gap:
                    gap, leader_speed = block - vehicle.s_m, 0.0
            accel = idm_acceleration(vehicle.speed_ms, desired, gap, leader_speed, vehicle.model.max_accel, vehicle.model.brake)
            if not vehicle.wrong_way and vehicle.s_m <= stop_s + 0.8 and signal != "green":
                room = stop_s - vehicle.s_m
                # The dilemma at yellow: who cannot stop comfortably drives on.
                if vehicle.speed_ms**2 / 2 / max(room, 0.05) < 3.5 or vehicle.speed_ms < 0.5:
                    at_line = idm_acceleration(
                        vehicle.speed_ms, vehicle.desired_ms, room + MIN_GAP_M, 0.0, vehicle.model.max_accel, vehicle.model.brake
                    )
                    accel = min(accel, at_line)
            if vehicle.held_until_s > now:
                accel = min(accel, -vehicle.brake_ms2)
            self._drive(vehicle, max(-HARD_BRAKE, accel), gap)
            leader = vehicle

    @staticmethod
    def _drive(vehicle: Vehicle, accel: float, gap: float) -> None:
        new_speed = max(0.0, vehicle.speed_ms + accel * STEP_S)
        way = (vehicle.speed_ms + new_speed) / 2 * STEP_S
        room = max(0.0, gap - 0.3)
        if way > room:  # never into the leader, whatever the step's rounding says
            way, new_speed = room, 0.0
        vehicle.s_m += way
        vehicle.speed_ms = new_speed

    # truth ----------------------------------------------------------------------------------------------------------

    def _note_passage(self, state: LaneState, vehicle: Vehicle, old_y: float, now: float) -> None:
        new_y = vehicle.near_y
        line_y = state.lane.snapshot_y
        if vehicle.wrong_way or (old_y - line_y) * state.lane.heading >= 0 or (new_y - line_y) * state.lane.heading < 0:
            return
        time_s = now - STEP_S + STEP_S * (line_y - old_y) / (new_y - old_y)
        last = state.last_passage
        self._passages.append(
            TruePassage(
                track_id=vehicle.track_id,
                road_num=state.lane.road_num,
                object_class=vehicle.model.object_class,
                time_s=time_s,
                speed_kmh=vehicle.speed_ms * 3.6,
                headway_s=None if last is None else time_s - last[0],
                spacing_m=None if last is None else abs(last[1].near_y - line_y),
                plate=vehicle.plate,
            )
        )
        state.last_passage = (time_s, vehicle)

    def queues(self) -> tuple[TrueQueue, ...]:
        """Queues of the signalled lanes: standing vehicles, each within 12 m of the one before it (or of the stop line)."""
        result = []
        for state in self._lanes:
            if not state.lane.signalled:
                continue
            stop_s = state.lane.s_of(STOP_Y)
            end, count = stop_s, 0
            for vehicle in state.vehicles:
                if vehicle.s_m > stop_s or vehicle.wrong_way:
                    continue
                if vehicle.speed_ms > QUEUE_SPEED_MS or end - vehicle.s_m > 12.0:
                    break
                end, count = vehicle.s_m - vehicle.model.length_m, count + 1
            result.append(TrueQueue(road_num=state.lane.road_num, vehicles=count, length_m=stop_s - end))
        return tuple(result)

    # incidents ------------------------------------------------------------------------------------------------------

    def incidents(self) -> tuple[TrueIncident, ...]:
        """Staged events in progress."""
        return self.stage.incidents()

    def lane_state(self, road_num: int) -> LaneState:
        """The lane with a number."""
        return next(state for state in self._lanes if state.lane.road_num == road_num)

    def approach(self) -> list[LaneState]:
        """Lanes of motor traffic before the signal."""
        return [state for state in self._lanes if state.lane.heading > 0 and not state.lane.two_wheelers]
