"""Pedestrians who wait at the kerb and walk over the crossing."""

from dataclasses import dataclass

import numpy as np

from actors.simulation.address import SimulationSettings
from actors.simulation.fleet import PERSON_COATS
from actors.simulation.road import CROSSING_Y, Road
from actors.simulation.signals import SignalPlan

FIRST_ID = 1_000_000
STEP_S = 0.05
APPROACH_M = 3.0


@dataclass(slots=True, eq=False)
class Pedestrian:
    """``direction`` +1 walks to the right (growing X); ``walked_m`` drives the phase of the steps."""

    track_id: int
    look: int
    x_m: float
    y_m: float
    direction: int
    pace_ms: float
    speed_ms: float = 0.0
    walked_m: float = 0.0
    crossing: bool = False


class PeopleModel:
    """Everybody at or on the crossing; times in seconds since the first frame."""

    def __init__(self, settings: SimulationSettings, road: Road, plan: SignalPlan) -> None:
        self._road, self._plan = road, plan
        self._rng = np.random.default_rng([settings.seed, 23])
        self._rate = settings.pedestrians / 3600.0
        self._start_s = -settings.warmup_s
        self._steps_done = 0
        self._next_id = FIRST_ID
        self._next_arrival_s = self._start_s + self._pause()
        self.people: list[Pedestrian] = []

    def _pause(self) -> float:
        return float(self._rng.exponential(1.0 / self._rate)) if self._rate > 0 else float("inf")

    def advance(self, time_s: float) -> None:
        """Move on to ``time_s`` in fixed steps."""
        while self._start_s + (self._steps_done + 1) * STEP_S <= time_s + 1e-9:
            self._steps_done += 1
            self._step(self._start_s + self._steps_done * STEP_S)

    def _step(self, now: float) -> None:
        while self._next_arrival_s <= now:
            self._arrive()
            self._next_arrival_s += self._pause()
        left_s = self._plan.walk_left_s(now)
        low, high = self._road.left_x - 0.8, self._road.right_x + 0.8
        for person in self.people:
            kerb = low if person.direction > 0 else high
            to_kerb = (kerb - person.x_m) * person.direction
            if not person.crossing and 0 <= to_kerb < 0.1 + person.look * 0.12 and left_s < (high - low) / person.pace_ms:
                person.speed_ms = 0.0
                continue
            person.crossing = person.crossing or to_kerb < 0
            person.speed_ms = person.pace_ms
            person.x_m += person.direction * person.pace_ms * STEP_S
            person.walked_m += person.pace_ms * STEP_S
        self.people = [p for p in self.people if low - APPROACH_M - 0.1 <= p.x_m <= high + APPROACH_M + 0.1]

    def _arrive(self) -> None:
        rng = self._rng
        direction = 1 if rng.random() < 0.5 else -1
        start = self._road.left_x - 0.8 - APPROACH_M if direction > 0 else self._road.right_x + 0.8 + APPROACH_M
        self.people.append(
            Pedestrian(
                track_id=self._next_id,
                look=int(rng.integers(len(PERSON_COATS))),
                x_m=start,
                y_m=float(rng.uniform(CROSSING_Y[0] + 0.4, CROSSING_Y[1] - 0.4)),
                direction=direction,
                pace_ms=float(np.clip(rng.normal(1.3, 0.15), 0.9, 1.7)),
            )
        )
        self._next_id += 1
