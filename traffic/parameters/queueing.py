"""The queue before a stop line."""

from collections.abc import Iterable
from dataclasses import dataclass

from traffic.parameters.config import ParameterConfig
from traffic.parameters.observation import LaneShape, LaneVehicle
from traffic.types import TrackId


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue at one moment.

    Attributes:
        number: vehicles in it.
        length: from the stop line to the rear of the last one, in places (metres in a metric lane); 0 without a queue.
        head: from the stop line to the front of the first one; above the usual distance while the queue starts to move.
    """

    number: int = 0
    length: float = 0.0
    head: float = 0.0


EMPTY = Queue()


class QueueTracker:
    """Who stands in the queue of one lane.

    A vehicle joins when it has stood (slower than ``queue_speed_kmh``) for ``queue_settle_s`` and there is no gap between it
    and the stop line or the last queued vehicle ahead. It leaves when it has been faster for ``queue_release_s``, when its
    rear is beyond the stop line, or when the queue ahead of it is gone for longer than a start-up wave takes: then a gap
    separates it from the stop line, and it is a stopped vehicle, not a queue.
    """

    def __init__(self, lane: LaneShape, config: ParameterConfig) -> None:
        self._lane, self._config = lane, config
        self._slow_since: dict[TrackId, float] = {}
        self._fast_since: dict[TrackId, float] = {}
        self._members: frozenset[TrackId] = frozenset()
        self._released_s = float("-inf")

    def reset(self) -> None:
        """Nobody looked for a while: who stands now has stood for an unknown time."""
        self._slow_since.clear()
        self._fast_since.clear()
        self._members = frozenset()
        self._released_s = float("-inf")

    def advance(self, time_s: float, vehicles: Iterable[tuple[LaneVehicle, float | None]]) -> Queue:
        """The queue at ``time_s``.

        Args:
            vehicles: the lane's vehicles with their speeds in (nominal) km/h, None while not known.
        """
        stop = self._lane.stop
        if stop is None:
            return EMPTY
        standing = self._standing(time_s, vehicles)
        chain: list[LaneVehicle] = []
        discharging = time_s - self._released_s <= self._config.queue_discharge_s
        for vehicle in sorted((v for v in standing if v.rear < stop), key=lambda v: -v.front):
            anchor = chain[-1].rear if chain else stop
            allowed = self._config.queue_gap_m if chain else self._config.queue_start_m
            contiguous = (anchor - vehicle.front) * vehicle.nominal <= allowed
            head_start = not chain and discharging and vehicle.track_id in self._members
            if contiguous or head_start:
                chain.append(vehicle)
            elif chain or not discharging:
                break
        self._members = frozenset(vehicle.track_id for vehicle in chain)
        if not chain:
            return EMPTY
        rear = min(vehicle.rear for vehicle in chain)
        return Queue(number=len(chain), length=stop - rear, head=max(stop - chain[0].front, 0.0))

    def _standing(self, time_s: float, vehicles: Iterable[tuple[LaneVehicle, float | None]]) -> list[LaneVehicle]:
        """Members that are not released yet, and others that have stood long enough; updates the memory of speeds."""
        config = self._config
        standing, seen = [], set()
        for vehicle, speed_kmh in vehicles:
            track_id = vehicle.track_id
            seen.add(track_id)
            if speed_kmh is None:
                if track_id in self._members:
                    standing.append(vehicle)
                continue
            if speed_kmh < config.queue_speed_kmh:
                self._slow_since.setdefault(track_id, time_s)
                self._fast_since.pop(track_id, None)
            else:
                self._fast_since.setdefault(track_id, time_s)
                self._slow_since.pop(track_id, None)
            if track_id in self._members:
                if track_id in self._fast_since and time_s - self._fast_since[track_id] >= config.queue_release_s:
                    self._released_s = time_s
                else:
                    standing.append(vehicle)
            elif track_id in self._slow_since and time_s - self._slow_since[track_id] >= config.queue_settle_s:
                standing.append(vehicle)
        if self._members - seen:
            self._released_s = time_s  # it has left the lane
        self._slow_since = {t: s for t, s in self._slow_since.items() if t in seen}
        self._fast_since = {t: s for t, s in self._fast_since.items() if t in seen}
        return standing
