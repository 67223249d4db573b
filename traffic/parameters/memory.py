"""Vehicles that are hidden for a while: a standing one stays in its place, a moving one drives on for a moment."""

import dataclasses
from collections.abc import Sequence, Set
from dataclasses import dataclass

from traffic.parameters.config import ParameterConfig
from traffic.parameters.observation import LaneVehicle
from traffic.types import TrackId

_SPAN_S = 1.0
_TAKEN_SHARE = 0.5  # another vehicle over this share of its length is where it was: it has gone, or has a new number
_MAX_HELD = 64


@dataclass(slots=True)
class _Known:
    vehicle: LaneVehicle
    seen_s: float
    past: tuple[tuple[float, float], ...]  # time and middle, oldest first
    at_edge: bool = False

    def speed(self) -> float:
        """Places per second over the last second it was seen."""
        (first_s, first), (last_s, last) = self.past[0], self.past[-1]
        return (last - first) / (last_s - first_s) if last_s - first_s > 0.1 else 0.0


class LaneMemory:
    """The vehicles of one lane as last seen."""

    def __init__(self, config: ParameterConfig) -> None:
        self._config = config
        self._known: dict[TrackId, _Known] = {}

    def complete(
        self, time_s: float, present: Sequence[LaneVehicle], seen: Set[TrackId], leaving: Set[TrackId] = frozenset()
    ) -> list[LaneVehicle]:
        """The vehicles seen in the lane now and those that are only hidden.

        Args:
            present: seen in the lane. seen: every vehicle seen anywhere in the picture: it is hidden nowhere.
            leaving: of them, those at the picture's edge: if they are not seen any more, they have probably left.
        """
        for vehicle in present:
            known = self._known.get(vehicle.track_id)
            past = tuple(p for p in (known.past if known else ()) if time_s - p[0] <= _SPAN_S)
            at_edge = vehicle.track_id in leaving
            self._known[vehicle.track_id] = _Known(vehicle, time_s, (*past, (time_s, vehicle.middle)), at_edge)
        hidden = []
        for track_id, known in list(self._known.items()):
            if known.seen_s == time_s:
                continue
            place = None if track_id in seen else self._place(known, time_s)
            if place is None or any(covers(vehicle, place) for vehicle in present):
                del self._known[track_id]
            else:
                hidden.append(place)
        for track_id in list(self._known)[: max(len(self._known) - _MAX_HELD, 0)]:
            del self._known[track_id]
        return [*present, *hidden]

    def _place(self, known: _Known, time_s: float) -> LaneVehicle | None:
        gone_s, speed = time_s - known.seen_s, known.speed()
        if abs(speed) * known.vehicle.nominal * 3.6 < self._config.queue_speed_kmh:
            return known.vehicle if gone_s <= (self._config.edge_hold_s if known.at_edge else self._config.hold_s) else None
        if gone_s > self._config.coast_s:
            return None
        way = speed * gone_s
        return dataclasses.replace(known.vehicle, front=known.vehicle.front + way, rear=known.vehicle.rear + way)


def covers(vehicle: LaneVehicle, hidden: LaneVehicle) -> bool:
    """Whether ``vehicle`` is where ``hidden`` was."""
    overlap = min(vehicle.front, hidden.front) - max(vehicle.rear, hidden.rear)
    return overlap > _TAKEN_SHARE * (hidden.front - hidden.rear)
