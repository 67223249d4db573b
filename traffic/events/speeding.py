"""1007 and 1006: a vehicle is faster than its lane allows, or an obstacle by being slow."""

from collections.abc import Iterable

import numpy as np

from traffic.events.detector import Runs, about
from traffic.events.evidence import Evidence
from traffic.events.world import Array, Flags, Indices, World
from traffic.facts import EventKind

_MAX_M_S = 70.0  # a faster fit is not a measurement
_MAX_ERROR_M_S = 2.5
_MAX_CHANGE_M_S2 = 5.0  # a stronger change of speed within the window is a flawed trajectory, not a speed
_DEVIATIONS = 2.0
_INEXACT_M_S, _INEXACT_RATIO = 3 / 3.6, 0.03  # of a well calibrated road, as is granted to radars on trial
_SURE_DEVIATIONS = 4.0  # so far above the limit twice, it has been so all the way that was measured
_CERTAIN_DEVIATIONS, _CERTAIN_RATIO = 6.0, 1.15  # so far above, once is enough: who is very fast is soon out of view
_SPAN_S, _SHORT_S = 0.7, 0.55
_LANE_S = 1.2  # the window of the measured speed: who was in a lane within it is measured in that lane
_CHANGE_S = 2.4


def plausible(world: World, lane: Indices, span_s: float = _SPAN_S) -> Flags:
    """bool (n,): motor vehicles in a ``lane`` (n,) whose speed is well measured just now, over ``span_s`` at least."""
    motion = world.movers.exact.at(world.rows)
    good = world.motor & world.seen & world.moved & (lane >= 0)
    good &= (
        (motion.number >= 4) & (motion.span_s >= span_s - 1e-3) & (motion.error <= _MAX_ERROR_M_S) & (motion.speed <= _MAX_M_S)
    )
    return np.asarray(good, np.bool_)


def change_of_speed(world: World, index: int) -> tuple[float, float]:
    """Acceleration along its way over the last 2.4 s and its standard error, m/s²; (0, inf) when there are too few places."""
    row = world.rows[index]
    use = world.movers.clear[row] & (world.movers.times[row] > world.time_s - _CHANGE_S)
    times, places = world.movers.times[row][use], world.movers.places[row][use]
    if len(times) < 5:
        return 0.0, np.inf
    velocity = world.movers.exact.velocity[row]
    along: Array = places @ (velocity / max(float(np.hypot(*velocity)), 1e-12))
    offsets = times - times.mean()
    columns = np.stack([np.ones_like(offsets), offsets, offsets**2], axis=1)
    shares, *_ = np.linalg.lstsq(columns, along, rcond=None)
    rest = along - columns @ shares
    bend = columns[:, 2] - columns[:, :2] @ np.linalg.lstsq(columns[:, :2], columns[:, 2], rcond=None)[0]
    variance = float(rest @ rest) / max(len(times) - 3, 1)
    return float(2 * shares[2]), float(2 * np.sqrt(variance / max(float(bend @ bend), 1e-9)))


class SpeedingDetector:
    """The speed of the calibrated trajectory over 1.2 s, less twice its standard error, against the lane's limit."""

    kind = EventKind.SPEEDING

    def __init__(self) -> None:
        self._runs = Runs()
        self._lanes: dict[int, tuple[int, float]] = {}

    def reset(self) -> None:
        """Forget all runs."""
        self._runs.reset()
        self._lanes.clear()

    def look(self, world: World) -> Iterable[Evidence]:
        """Vehicles that exceed the limit by more than the tolerance."""
        if not world.view.metric:
            return
        tolerance = world.rule(self.kind).value("tolerance_ratio")
        limits = np.array([lane.speed_limit_kmh or np.inf for lane in world.road_map.lanes] or [np.inf]) / 3.6
        lane = self._lane_of_way(world)
        allowed = limits[lane] * (1 + tolerance)
        motion = world.movers.exact.at(world.rows)
        speed, error = motion.speed, np.maximum(motion.error, self._least_error(world))
        exact = speed - np.maximum(_INEXACT_M_S, _INEXACT_RATIO * speed)
        fast = plausible(world, lane, _SHORT_S) & (exact - _DEVIATIONS * error > allowed)
        for index in np.flatnonzero(fast).tolist():
            change, doubt = change_of_speed(world, index)
            if abs(change) > _MAX_CHANGE_M_S2 + min(_DEVIATIONS * doubt, 2.0):
                continue
            since_s = self._runs.hold(int(world.object_id[index]), world.time_s)
            certain = exact[index] - _CERTAIN_DEVIATIONS * error[index] > _CERTAIN_RATIO * allowed[index]
            certain &= motion.span_s[index] >= _SPAN_S
            if since_s == world.time_s and not certain:
                continue  # once is never; and the second time may tell that it has been so for long
            if exact[index] - _SURE_DEVIATIONS * error[index] > allowed[index]:
                since_s = min(since_s, world.time_s - float(motion.span_s[index]))
            over = (float(speed[index]) - allowed[index]) / allowed[index]
            detail = f"车速{speed[index] * 3.6:.0f}公里/小时,限速{limits[lane[index]] * 3.6:.0f}公里/小时"
            yield about(world, index, self.kind, min(0.7 + over, 0.99), since_s=since_s, detail=detail)
        self._runs.forget(world.time_s)

    @staticmethod
    def _least_error(world: World) -> Array:
        """(n,): error of a speed at best: few places may lie on a line by chance."""
        times = world.movers.times[world.rows]
        use = world.movers.clear[world.rows] & (times > world.time_s - _LANE_S)
        passed = np.where(use, times - world.time_s, 0.0)
        count = np.maximum(use.sum(axis=1), 1)
        spread = (passed**2).sum(axis=1) - passed.sum(axis=1) ** 2 / count
        exact = world.errors_of(world.boxes, np.zeros(len(world), bool))
        result: Array = exact / np.sqrt(np.maximum(spread, 1e-6))
        return result

    def _lane_of_way(self, world: World) -> Indices:
        """(n,): lane of each object, or where it was within the window of its speed: limits do not end where the drawing does."""
        inside = np.flatnonzero(world.lane >= 0)
        for number, lane in zip(world.object_id[inside].tolist(), world.lane[inside].tolist(), strict=True):
            self._lanes[number] = (lane, world.time_s)
        self._lanes = {n: seen for n, seen in self._lanes.items() if world.time_s - seen[1] <= _LANE_S}
        return np.array([self._lanes.get(n, (-1, 0.0))[0] for n in world.object_id.tolist()], np.int64)


class LowerSpeedDetector:
    """A vehicle that drives, but slower than the least speed, while nothing ahead holds it up."""

    kind = EventKind.LOWER_SPEED

    _STANDING_M_S = 1.8  # who is slower stands, or nearly: another kind's business
    _HELD_UP_M, _HELD_UP_RATIO = 60.0, 1.15
    _STEADY_M_S2 = 1.0  # who brakes or accelerates more is about to stop or has just started

    def __init__(self) -> None:
        self._runs = Runs()

    def reset(self) -> None:
        """Forget all runs."""
        self._runs.reset()

    def look(self, world: World) -> Iterable[Evidence]:
        """Slow leaders in lanes with a least speed."""
        if not world.view.metric:
            return
        least = self._least_m_s(world)[world.lane]
        speed, error = world.movers.exact.speed[world.rows], world.movers.exact.error[world.rows]
        slow = plausible(world, world.lane) & (speed + _DEVIATIONS * error < least) & (speed > self._STANDING_M_S)
        for index in np.flatnonzero(slow).tolist():
            if self._is_held_up(world, index, float(least[index])):
                continue
            change, doubt = change_of_speed(world, index)
            if abs(change) > self._STEADY_M_S2 + _DEVIATIONS * doubt or not np.isfinite(doubt):
                continue
            since_s = self._runs.hold(int(world.object_id[index]), world.time_s)
            detail = f"车速{world.speed[index] * 3.6:.0f}公里/小时,最低{least[index] * 3.6:.0f}公里/小时"
            yield about(world, index, self.kind, 0.8, since_s=since_s, reach_m=10.0, detail=detail)
        self._runs.forget(world.time_s)

    def _least_m_s(self, world: World) -> Array:
        default = world.rule(self.kind).value("min_speed_kmh") if world.road_map.highway else 0.0
        lanes = world.road_map.lanes
        own = [0.0 if world.road_map.emergency[i] else lane.min_speed_kmh or default for i, lane in enumerate(lanes)]
        return np.array([*own, 0.0]) / 3.6  # the last one is for "no lane" (index -1)

    def _is_held_up(self, world: World, index: int, least: float) -> bool:
        """Somebody slow is ahead in the lane, or most of the others are slow as well: that is traffic, not one slow vehicle."""
        same = (world.lane == world.lane[index]) & world.motor & (world.object_id != world.object_id[index])
        gap = (world.along - world.along[index]) * world.scale[index]
        ahead = same & (gap > 0) & (gap < self._HELD_UP_M)
        if (world.speed[ahead] < self._HELD_UP_RATIO * world.speed[index]).any():
            return True
        group = world.road_map.group_of(int(world.lane[index]))
        if group < 0:
            return True
        mates = np.isin(world.lane, world.road_map.groups[group]) & world.motor & (gap > 0)
        mates[index] = False
        slow = int((world.speed[mates] < least).sum())
        return slow >= 2 and slow > 0.5 * int(mates.sum())
