"""The detection section of a lane as a virtual induction loop."""

from collections.abc import Mapping
from dataclasses import dataclass

from traffic.parameters.observation import LaneShape, LaneVehicle, Passing
from traffic.types import TrackId

Interval = tuple[float, float]
_CARRIED_ON_S = 4.0  # a vehicle ahead that has left the lane is carried on at its speed this long for a spacing


@dataclass(frozen=True, slots=True)
class _Entry:
    """When and with its front where a vehicle came onto the section, and what was ahead of it then."""

    time_s: float
    front: float
    whole: bool
    time_headway_s: float | None
    spacing: float | None


@dataclass(frozen=True, slots=True)
class _Leader:
    track_id: TrackId
    time_s: float
    speed: float


class VirtualLoop:
    """Occupied times and passings of one lane, from the places of vehicles' ends, linear between frames.

    A vehicle occupies the section from the moment its front reaches the upstream end until its rear clears the downstream
    end. It has passed when its rear clears, and its speed is the way made on the section divided by the time it was
    occupied: (length of the vehicle + length of the section) / time, the definition of a loop of known vehicle length.
    """

    def __init__(self, lane: LaneShape) -> None:
        self._lane = lane
        self._on: dict[TrackId, _Entry] = {}
        self._leader: _Leader | None = None
        self._passed: set[TrackId] = set()

    def reset(self) -> None:
        """Forget who is on the section and who passed last: nobody looked for a while."""
        self._on.clear()
        self._passed.clear()
        self._leader = None

    def advance(
        self,
        start_s: float,
        end_s: float,
        before: Mapping[TrackId, LaneVehicle],
        now: Mapping[TrackId, LaneVehicle],
    ) -> tuple[list[Interval], list[Passing]]:
        """Advance by one step.

        Args:
            start_s, end_s: times of the two frames, ``start_s < end_s``.
            before, now: the lane's vehicles in them.

        Returns:
            The occupied times within [start_s, end_s], disjoint and in order, and the vehicles that passed, each once.
        """
        self._passed &= now.keys()
        self._on = {track_id: entry for track_id, entry in self._on.items() if track_id in now}
        intervals, passings = [], []
        arrivals = [v for v in now.values() if v.track_id not in self._on]
        for vehicle in sorted(arrivals, key=lambda v: -v.front):
            self._arrive(start_s, end_s, before, now, vehicle)
        for vehicle in now.values():
            entry = self._on.get(vehicle.track_id)
            if entry is None:
                continue
            left_s = self._left(start_s, end_s, before.get(vehicle.track_id), vehicle)
            intervals.append((max(entry.time_s, start_s), end_s if left_s is None else left_s))
            if left_s is not None:
                del self._on[vehicle.track_id]
                if vehicle.track_id not in self._passed:
                    passings.append(self._passing(entry, left_s, vehicle))
                self._passed.add(vehicle.track_id)
        return union(intervals), passings

    def _arrive(
        self,
        start_s: float,
        end_s: float,
        before: Mapping[TrackId, LaneVehicle],
        now: Mapping[TrackId, LaneVehicle],
        vehicle: LaneVehicle,
    ) -> None:
        begin, end = self._lane.loop
        earlier = before.get(vehicle.track_id)
        if vehicle.front < begin or (earlier is None and vehicle.rear >= end):
            return
        if earlier is None:  # it appeared on the section (changed into the lane, or was seen only now)
            self._on[vehicle.track_id] = _Entry(end_s, vehicle.front, False, None, None)
        elif earlier.front < begin:
            share = (begin - earlier.front) / (vehicle.front - earlier.front)
            moment_s = start_s + share * (end_s - start_s)
            headway_s, spacing = self._ahead(moment_s, share, before, now, begin)
            self._on[vehicle.track_id] = _Entry(moment_s, begin, True, headway_s, spacing)
        elif earlier.rear < end:  # it stood on the section when observation began, or rolled back onto it
            self._on[vehicle.track_id] = _Entry(start_s, earlier.front, False, None, None)
        else:
            return
        speed = (vehicle.front - earlier.front) / (end_s - start_s) if earlier else vehicle.speed or 0.0
        self._leader = _Leader(vehicle.track_id, self._on[vehicle.track_id].time_s, max(speed, 0.0))

    def _ahead(
        self,
        moment_s: float,
        share: float,
        before: Mapping[TrackId, LaneVehicle],
        now: Mapping[TrackId, LaneVehicle],
        begin: float,
    ) -> tuple[float | None, float | None]:
        """Time headway and spacing of a vehicle whose front is at ``begin`` at ``moment_s``."""
        leader = self._leader
        if leader is None or moment_s <= leader.time_s:
            return None, None
        headway_s = moment_s - leader.time_s
        first, last = before.get(leader.track_id), now.get(leader.track_id)
        if first is not None and last is not None:
            return headway_s, first.front + share * (last.front - first.front) - begin
        return headway_s, leader.speed * headway_s if leader.speed > 0 and headway_s <= _CARRIED_ON_S else None

    def _left(self, start_s: float, end_s: float, earlier: LaneVehicle | None, vehicle: LaneVehicle) -> float | None:
        end = self._lane.loop[1]
        if vehicle.rear < end:
            return None
        if earlier is None or earlier.rear >= end:
            return end_s
        return start_s + (end - earlier.rear) / (vehicle.rear - earlier.rear) * (end_s - start_s)

    def _passing(self, entry: _Entry, left_s: float, vehicle: LaneVehicle) -> Passing:
        """Its front is one vehicle length beyond the section when its rear clears it."""
        way = self._lane.loop[1] + vehicle.front - vehicle.rear - entry.front
        lasted_s = left_s - entry.time_s
        metric = self._lane.metric and lasted_s > 1e-9 and (entry.whole or way > 0.5 * (vehicle.front - vehicle.rear))
        return Passing(
            time_s=left_s,
            object_class=vehicle.object_class,
            speed_kmh=way / lasted_s * 3.6 if metric else None,
            time_headway_s=entry.time_headway_s,
            spacing_m=entry.spacing if self._lane.metric else None,
        )


def union(intervals: list[Interval]) -> list[Interval]:
    """The union of closed intervals as disjoint ones in order."""
    result: list[Interval] = []
    for low, high in sorted(intervals):
        if result and low <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], high))
        elif high > low:
            result.append((low, high))
    return result
