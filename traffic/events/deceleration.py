"""1009: a vehicle brakes hard."""

from collections.abc import Iterable

import numpy as np

from traffic.events.detector import Runs, about
from traffic.events.evidence import Evidence
from traffic.events.motion import is_steady
from traffic.events.world import Array, World
from traffic.facts import EventKind

_BEFORE_S, _MIDDLE_S = 2.3, 1.0  # the speed before is that of [-2.3, -1.0] s, the speed after that of the last 0.8 s
_AFTER_S = 0.85
_MAX_M_S2 = 10.0  # no tyre brakes harder; more is a flawed trajectory (or a collision, which is another kind)
_DEVIATIONS, _SURE = 1.5, 0.9  # less 1.5 standard errors it must still be 0.9 of the threshold
_GOES_ON = 0.7
_SIDE_M_S = 6.0
_HEIGHT_CHANGE = 0.4  # of the box between two ticks: it was cut by something in front


class DecelerationDetector:
    """Two straight lines through the calibrated trajectory, before and after, each with its standard error."""

    kind = EventKind.SUDDEN_DECELERATION

    def __init__(self) -> None:
        self._runs = Runs()

    def reset(self) -> None:
        """Forget all runs."""
        self._runs.reset()

    def look(self, world: World) -> Iterable[Evidence]:
        """Vehicles that have lost enough speed fast enough."""
        if not world.view.metric:
            return
        rule = world.rule(self.kind)
        drop, least = rule.value("drop_kmh") / 3.6, rule.value("deceleration_m_s2")
        candidates = world.motor & world.seen & world.moved & world.slowing & (world.lane >= 0)
        for index in np.flatnonzero(candidates).tolist():
            found = measure_braking(world, index)
            if found is None:
                continue
            before, after, rate, error = found
            number = int(world.object_id[index])
            share = _GOES_ON if self._runs.holds(number, world.time_s) else 1.0  # what has begun may ebb away
            if before < rule.value("from_speed_kmh") / 3.6 or before - after < share * drop or rate > _MAX_M_S2:
                continue
            if rate - _DEVIATIONS * error < _SURE * share * least or rate < share * least:
                continue
            since_s = self._runs.hold(number, world.time_s)
            detail = f"减速度{rate:.1f}米/秒²,由{before * 3.6:.0f}降至{max(after, 0) * 3.6:.0f}公里/小时"
            strength = float(np.clip(0.6 + 0.08 * (rate - least) / max(error, 0.3), 0.6, 0.95))
            yield about(world, index, self.kind, strength, since_s=since_s, detail=detail)
        self._runs.forget(world.time_s)


def measure_braking(world: World, index: int) -> tuple[float, float, float, float] | None:
    """Speed before and after (m/s along its way), deceleration and its standard error (m/s²); None when not measurable."""
    row = world.rows[index]
    times = world.movers.times[row]
    use = world.movers.clear[row] & (times > world.time_s - _BEFORE_S)
    if use.sum() < 7:
        return None
    times, places, boxes = times[use], world.movers.places[row][use], world.movers.boxes[row][use]
    heights = boxes[:, 3] - boxes[:, 1]
    if not is_steady(times, heights, _HEIGHT_CHANGE):
        return None
    early, late = world.movers.free[row][use] & (times < world.time_s - _MIDDLE_S), times > world.time_s - _AFTER_S
    if early.sum() < 3 or late.sum() < 3 or np.ptp(times[early]) < 0.5 or np.ptp(times[late]) < 0.35:
        return None
    way = places[early][-1] - places[early][0]
    length = float(np.hypot(way[0], way[1]))
    if length < 3.0:
        return None
    along, aside = places @ (way / length), places @ np.array([-way[1], way[0]]) / length
    pixel = float(np.abs(world.view.per_pixel(world.bottoms[index : index + 1])).sum(axis=1).max())
    before, error_before = _slope(times[early], along[early], pixel)
    after, error_after = _slope(times[late], along[late], pixel)
    drift, _ = _slope(times[late], aside[late], pixel)
    if np.abs(np.diff(aside) / np.maximum(np.diff(times), 0.1)).max() > _SIDE_M_S + 4 * pixel:
        return None  # it has jumped to the side: another vehicle
    after = float(np.hypot(after, drift)) if after > 0 else after  # who turns goes on
    passed_s = float(times[late].mean() - times[early].mean())
    return before, after, (before - after) / passed_s, float(np.hypot(error_before, error_after)) / passed_s


def _slope(times: Array, along: Array, pixel: float) -> tuple[float, float]:
    """Least squares; the error supposes that a place is at best a pixel exact."""
    offsets = times - times.mean()
    spread = float(offsets @ offsets)
    slope = float(offsets @ along) / spread
    rest = along - along.mean() - slope * offsets
    variance = float(rest @ rest) / max(len(times) - 2, 1)
    return slope, float(np.sqrt(max(variance, pixel * pixel) / spread))
