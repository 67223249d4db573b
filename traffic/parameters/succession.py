"""Who stands where another one stood: a standing vehicle that gets a new number has not just come to a stop."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from traffic.parameters.memory import covers
from traffic.parameters.observation import LaneVehicle
from traffic.types import TrackId

_MEMORY_S = 1.0  # a new track is confirmed well within this time
_JUMP, _JUMP_M_S2 = 0.7, 4.0  # what stood and is so much of its length and the way of this acceleration away is another vehicle


@dataclass(frozen=True, slots=True)
class Former:
    """What a vehicle takes over: standing since, and whether it was counted."""

    track_id: TrackId
    slow_since_s: float
    member: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a vehicle stood. ``time_s``: until when, or when its number was gone."""

    vehicle: LaneVehicle
    former: Former
    time_s: float


class Succession:
    """The standing vehicles of one lane by place, and the places left by a number in the last second."""

    def __init__(self) -> None:
        self._stood: dict[TrackId, _Place] = {}
        self._left: list[_Place] = []
        self._known: frozenset[TrackId] = frozenset()

    def reset(self) -> None:
        """Nobody looked for a while."""
        self._stood.clear()
        self._left.clear()
        self._known = frozenset()

    def take(self, time_s: float, vehicles: Sequence[LaneVehicle]) -> tuple[dict[TrackId, Former], Set[TrackId]]:
        """Before a frame is judged: what its new vehicles take over, and the numbers that went to another vehicle."""
        present = {vehicle.track_id: vehicle for vehicle in vehicles}
        jumped = set()
        for track_id, place in list(self._stood.items()):
            now, stood = present.get(track_id), place.vehicle
            if now is not None and _is_same(now, stood, time_s - place.time_s):
                continue
            self._left.append(_Place(stood, place.former, time_s))
            del self._stood[track_id]
            if now is not None:
                jumped.add(track_id)
        self._left = [left for left in self._left if time_s - left.time_s <= _MEMORY_S]
        found: dict[TrackId, Former] = {}
        for vehicle in vehicles:
            if vehicle.track_id in self._known and vehicle.track_id not in jumped:
                continue
            left = next((left for left in self._left if self._is_heir(vehicle, left)), None)
            if left is not None:
                self._left.remove(left)
                found[vehicle.track_id] = left.former
        return found, jumped

    def keep(
        self, time_s: float, vehicles: Sequence[LaneVehicle], slow_since: Mapping[TrackId, float], members: Set[TrackId]
    ) -> None:
        """After a frame was judged: who stands now."""
        self._known = frozenset(vehicle.track_id for vehicle in vehicles)
        for vehicle in vehicles:
            if vehicle.track_id in slow_since:
                former = Former(vehicle.track_id, slow_since[vehicle.track_id], vehicle.track_id in members)
                self._stood[vehicle.track_id] = _Place(vehicle, former, time_s)
        self._stood = {number: place for number, place in self._stood.items() if time_s - place.time_s <= _MEMORY_S}

    @staticmethod
    def _is_heir(vehicle: LaneVehicle, left: _Place) -> bool:
        return vehicle.track_id != left.former.track_id and covers(vehicle, left.vehicle)


def _is_same(now: LaneVehicle, stood: LaneVehicle, duration_s: float) -> bool:
    way, length = abs(now.middle - stood.middle), stood.front - stood.rear
    return (way - _JUMP * length) * stood.nominal <= _JUMP_M_S2 / 2 * duration_s**2
