"""From the vehicles of each frame to cells of one second."""

import math
from collections.abc import Iterator, Mapping, Sequence

from traffic.parameters.cell import MILLI, CellBuilder, LaneCell
from traffic.parameters.config import ParameterConfig
from traffic.parameters.loop import VirtualLoop, union
from traffic.parameters.observation import LaneShape, LaneVehicle, Passing
from traffic.parameters.queueing import EMPTY, SPEED_MEMORY_S, Queue, QueueTracker
from traffic.types import TrackId


class LaneSampler:
    """One lane: feed it every analysed frame in order of time, and take closed cells.

    With ``count_passings`` the virtual loop counts the vehicles; without, passages stated elsewhere are given to ``passed``.
    """

    def __init__(self, lane: LaneShape, config: ParameterConfig, *, count_passings: bool) -> None:
        self._lane, self._config, self._count = lane, config, count_passings
        self._loop, self._queue = VirtualLoop(lane), QueueTracker(lane, config)
        self._before: dict[TrackId, LaneVehicle] = {}
        self._speeds = _Speeds()
        self._time_s: float | None = None
        self._open: dict[int, CellBuilder] = {}
        self._closed_until = -(2**62)
        self.late_passings = 0
        self.queue = EMPTY
        """The queue in the newest frame."""

    def advance(self, time_s: float, vehicles: Sequence[LaneVehicle]) -> None:
        """The vehicles of the lane in the frame at ``time_s``; a frame that is not later than the last one is ignored."""
        if self._time_s is not None and time_s <= self._time_s:
            return
        now = {vehicle.track_id: vehicle for vehicle in vehicles if not vehicle.faint}
        if self._time_s is None:
            self._closed_until = max(self._closed_until, math.floor(time_s))
        if self._time_s is None or time_s - self._time_s > self._config.max_gap_s:
            self._loop.reset()
            self._queue.reset()
            self._speeds.reset()
        else:
            self._step(self._time_s, time_s, now)
        self._see_queue(time_s, {vehicle.track_id: vehicle for vehicle in vehicles})
        self._before, self._time_s = now, time_s

    def passed(self, passing: Passing) -> bool:
        """A passage stated elsewhere; False when its second is closed already, or lies before the first frame (of a lane that
        was learned later): it is counted as late and left out."""
        second = math.floor(passing.time_s)
        if second < self._closed_until or self._time_s is None:
            self.late_passings += 1
            return False
        self._cell(second).passings.append(passing)
        return True

    def take(self, until: int) -> tuple[LaneCell, ...]:
        """Close and return the cells of all seconds before ``until``, oldest first. Cells without any content are left out."""
        seconds = sorted(second for second in self._open if second < until)
        self._closed_until = max(self._closed_until, until)
        cells = (self._open.pop(second).build() for second in seconds)
        return tuple(cell for cell in cells if cell.observed or any(cell.counts))

    # -- parts --------------------------------------------------------------------------------------------------------

    def _cell(self, second: int) -> CellBuilder:
        if second not in self._open:
            length_mm = round(self._lane.length * MILLI) if self._lane.metric else -1
            self._open[second] = CellBuilder(self._lane.road_num, second, length_mm=length_mm)
        return self._open[second]

    def _step(self, start_s: float, end_s: float, now: Mapping[TrackId, LaneVehicle]) -> None:
        before = self._before
        occupied, passings = self._loop.advance(start_s, end_s, before, now)
        share = (self._covered(before) + self._covered(now)) / 2
        number = (self._number(before) + self._number(now)) / 2
        travelled = self._travelled(before, now) if self._lane.metric else 0.0
        for second, low, high in seconds_of(start_s, end_s):
            if second < self._closed_until:
                continue
            cell, lasted_s = self._cell(second), high - low
            cell.observed_s += lasted_s
            cell.occupied_s += sum(max(min(b, high) - max(a, low), 0.0) for a, b in occupied)
            cell.covered_s += share * lasted_s
            cell.vehicle_s += number * lasted_s
            cell.travelled_m += travelled * lasted_s / (end_s - start_s)
        if self._count:
            for passing in passings:
                self.passed(passing)

    def _covered(self, vehicles: Mapping[TrackId, LaneVehicle]) -> float:
        """Share of the lane's length under vehicles, overlaps once."""
        length = self._lane.length
        parts = [(max(v.rear, 0.0), min(v.front, length)) for v in vehicles.values() if v.front > 0 and v.rear < length]
        return min(sum(high - low for low, high in union(parts)) / length, 1.0)

    def _number(self, vehicles: Mapping[TrackId, LaneVehicle]) -> int:
        return sum(0 <= vehicle.middle < self._lane.length for vehicle in vehicles.values())

    def _travelled(self, before: Mapping[TrackId, LaneVehicle], now: Mapping[TrackId, LaneVehicle]) -> float:
        """Way made by the middles of the vehicles within the lane."""
        length, total = self._lane.length, 0.0
        for track_id, vehicle in now.items():
            earlier = before.get(track_id)
            if earlier is not None:
                total += min(max(vehicle.middle, 0.0), length) - min(max(earlier.middle, 0.0), length)
        return max(total, 0.0)

    def _see_queue(self, time_s: float, now: Mapping[TrackId, LaneVehicle]) -> None:
        if self._lane.stop is None:
            return
        speeds = self._speeds.update(time_s, now)
        queue = self._queue.advance(time_s, ((v, speeds[v.track_id]) for v in now.values()))
        self.queue = queue
        second = math.floor(time_s)
        if second >= self._closed_until:
            self._cell(second).see_queue(time_s, queue.number, queue.length if self._lane.metric else None)


class CameraSampler:
    """All lanes of one camera."""

    def __init__(
        self, lanes: Sequence[LaneShape], config: ParameterConfig | None = None, *, count_passings: bool = False
    ) -> None:
        self._config = config or ParameterConfig()
        self._lanes = {lane.road_num: LaneSampler(lane, self._config, count_passings=count_passings) for lane in lanes}
        self._taken_until: int | None = None
        self._newest_s = float("-inf")

    @property
    def late_passings(self) -> int:
        """Passages that came after their second was closed."""
        return sum(lane.late_passings for lane in self._lanes.values())

    @property
    def queues(self) -> dict[int, Queue]:
        """The queues there are in the newest frame, by roadNum."""
        return {road_num: lane.queue for road_num, lane in self._lanes.items() if lane.queue.number}

    def advance(self, time_s: float, vehicles: Mapping[int, Sequence[LaneVehicle]]) -> None:
        """The vehicles of a frame by roadNum; lanes that are not named have none."""
        self._newest_s = max(self._newest_s, time_s)
        for road_num, lane in self._lanes.items():
            lane.advance(time_s, vehicles.get(road_num, ()))

    def passed(self, road_num: int, passing: Passing) -> None:
        """A passage of a lane; those of no known lane are ignored."""
        if road_num in self._lanes:
            self._lanes[road_num].passed(passing)

    def take(self) -> tuple[LaneCell, ...]:
        """Cells of the seconds that ended ``settle_s`` or longer ago; cheap while none has."""
        if not math.isfinite(self._newest_s):
            return ()
        until = math.floor(self._newest_s - self._config.settle_s)
        if until == self._taken_until:
            return ()
        self._taken_until = until
        return self._take(until)

    def finish(self) -> tuple[LaneCell, ...]:
        """All that is left: the source has ended."""
        return self._take(2**62)

    @property
    def watermark(self) -> int:
        """No cell of an earlier second will come from ``take``."""
        return self._taken_until if self._taken_until is not None else -(2**62)

    def _take(self, until: int) -> tuple[LaneCell, ...]:
        return tuple(cell for lane in self._lanes.values() for cell in lane.take(until))


class _Speeds:
    """Speeds in nominal km/h: as told, or from the places of the last 0.8 s (jitter of boxes averages out)."""

    def __init__(self) -> None:
        self._places: dict[TrackId, list[tuple[float, float]]] = {}

    def reset(self) -> None:
        self._places.clear()

    def update(self, time_s: float, now: Mapping[TrackId, LaneVehicle]) -> dict[TrackId, float | None]:
        """Speeds of all vehicles; None while a vehicle has not been seen for long enough."""
        self._places = {track_id: places for track_id, places in self._places.items() if track_id in now}
        result: dict[TrackId, float | None] = {}
        for track_id, vehicle in now.items():
            if vehicle.speed is not None:
                result[track_id] = abs(vehicle.speed) * vehicle.nominal * 3.6
                continue
            places = self._places.setdefault(track_id, [])
            places.append((time_s, vehicle.middle))
            while time_s - places[0][0] > SPEED_MEMORY_S and len(places) > 2:
                del places[0]
            result[track_id] = _speed(places, vehicle.nominal)
        return result


def _speed(places: Sequence[tuple[float, float]], nominal: float) -> float | None:
    """Least-squares speed in nominal km/h, unsigned."""
    if places[-1][0] - places[0][0] < 0.15:
        return None
    mean_t = sum(t for t, _ in places) / len(places)
    mean_p = sum(p for _, p in places) / len(places)
    spread = sum((t - mean_t) ** 2 for t, _ in places)
    return abs(sum((t - mean_t) * (p - mean_p) for t, p in places) / spread) * nominal * 3.6


def seconds_of(start_s: float, end_s: float) -> Iterator[tuple[int, float, float]]:
    """The whole seconds that [start_s, end_s) meets, each with the part of it that lies in the interval."""
    for second in range(math.floor(start_s), math.ceil(end_s)):
        yield second, max(start_s, second), min(end_s, second + 1.0)
