"""1009: a vehicle brakes hard."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from traffic.events.detector import Runs, about
from traffic.events.evidence import Evidence
from traffic.events.motion import is_steady
from traffic.events.world import Array, Flags, World
from traffic.facts import EventKind

_WINDOW_S = 3.0
_BEFORE_S, _LEAST_BEFORE = 0.5, 3  # it must have been seen this long, at so many places, before it brakes
_BRAKES_S = (1.0, 2.4)  # braking lasts between; a shorter one is noise at 5 frames per second, a longer one not sudden
_STEP_S = 0.2
_LATE_S = 0.85
_MAX_M_S2 = 10.0  # no tyre brakes harder; more is a flawed trajectory (or a collision, which is another kind)
_FLAWED = 3.0
# Surely harder than firm braking: in three ticks chance and firm braking reach 2.5, emergency braking at least 2.8.
_FIRM, _DEVIATIONS = 0.85, 2.6
_SEEN_S = 0.35  # in three ticks one after the other
_GOES_ON = 0.7
_SIDE_M_S = 6.0
_GRAIN_M, _LEAST_PX = 0.7, 16.0  # metres a pixel may cover; height of the box
_FAR_GRAIN_M = 0.8  # of the places before: further off a calibration from near points is metres wrong, and so is the speed
_MOMENT_S, _BESIDE_M = 0.3, 7.0  # two tracks that exchange their vehicles are that near in that moment
_SLIPS_S = 0.7
_APART_S, _HALF_S, _GAINED = 0.7, 0.5, 0.5  # speeds from 1.2 to 0.2 s before and after; share of what the other one has lost
_TOP = 0.004  # of the picture's height
_LEAST_EDGES = 6  # boxes that the picture's upper border does not cut
_BOTH_EDGES = 0.8  # error of a place that both edges tell, of that of the lower one; 0.71 if they were wholly independent
_HEIGHT_CHANGE = 0.4  # of the box between two ticks: it was cut by something in front


@dataclass(frozen=True, slots=True)
class Braking:
    """Speeds before and after, m/s along its ``way`` (unit vector on the ground); deceleration, m/s²; the moment in the middle
    of it; by how many standard deviations it exceeds a threshold."""

    before: float
    after: float
    way: Array
    rate: float
    middle_s: float
    deviations: float


class DecelerationDetector:
    """The calibrated trajectory, taken as constant speed, then constant deceleration, then constant speed."""

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
        candidates = world.motor & world.seen & world.moved & world.slowing & (world.lane >= 0) & (world.grain_m() <= _GRAIN_M)
        candidates &= world.tall_px() >= _LEAST_PX
        for index in np.flatnonzero(candidates).tolist():
            number = int(world.object_id[index])
            share = _GOES_ON if self._runs.holds(number, world.time_s) else 1.0  # what has begun may ebb away
            found = measure_braking(world, index, _FIRM * least)
            if found is None or found.rate < share * least or found.deviations < _DEVIATIONS:
                continue
            before, after, rate = found.before, found.after, found.rate
            if before < rule.value("from_speed_kmh") / 3.6 or before - after < share * drop:
                continue
            if _is_exchanged(world, index, found):
                continue
            since_s = self._runs.hold(number, world.time_s)
            if world.time_s - since_s < _SEEN_S:
                continue  # the more is seen of a braking the surer it is; what chance has made fades
            detail = f"减速度{rate:.1f}米/秒²,由{before * 3.6:.0f}降至{max(after, 0) * 3.6:.0f}公里/小时"
            strength = float(np.clip(0.5 + 0.05 * found.deviations, 0.6, 0.95))
            yield about(world, index, self.kind, strength, since_s=since_s, detail=detail)
        self._runs.forget(world.time_s)


def measure_braking(world: World, index: int, least: float) -> Braking | None:
    """The braking of the last seconds; None when it cannot be measured.

    Begin and end of the braking are looked for; for each pair the deceleration is a linear least-squares fit. A likelihood ratio
    against the best fit with at most ``least`` m/s² tells how sure it is.
    """
    row = world.rows[index]
    times = world.movers.times[row]
    use = world.movers.clear[row] & (times > world.time_s - _WINDOW_S)
    use[use] &= world.pixels_of(world.movers.boxes[row][use]) <= _FAR_GRAIN_M
    if use.sum() < 7:
        return None
    times, places, boxes = times[use], world.movers.places[row][use], world.movers.boxes[row][use]
    uncut = boxes[:, 1] > _TOP
    if not is_steady(times[uncut], (boxes[:, 3] - boxes[:, 1])[uncut], _HEIGHT_CHANGE):
        return None
    free = np.flatnonzero(world.movers.free[row][use])
    if len(free) < _LEAST_BEFORE:
        return None
    way = places[free[_LEAST_BEFORE - 1]] - places[free[0]]
    length = float(np.hypot(way[0], way[1]))
    if length < 1.0:
        return None
    pixels, guessed = world.pixels_of(boxes), ~world.movers.free[row][use]
    errors = world.errors_of(boxes, guessed)
    if uncut.sum() >= _LEAST_EDGES:  # both edges tell the place, each with its own noise
        places = places.copy()
        places[uncut] = world.view.contacts(steadied(times[uncut], boxes[uncut]))
        errors = errors * np.where(guessed | ~uncut, 1.0, _BOTH_EDGES)
    along, aside = places @ (way / length), places @ np.array([-way[1], way[0]]) / length
    if (np.abs(np.diff(aside)) / np.maximum(np.diff(times), 0.1) > _SIDE_M_S + 4 * pixels[1:]).any():
        return None  # it has jumped to the side: another vehicle
    late = times > world.time_s - _LATE_S
    if late.sum() < 3 or np.ptp(times[late]) < 0.35:
        return None
    fit = _fit(times - world.time_s, along, errors, guessed, least, float(times[free[_LEAST_BEFORE - 1]] - world.time_s))
    if fit is None:
        return None
    before, after, rate, middle, deviations = fit
    drift = float(np.polyfit(times[late] - world.time_s, aside[late], 1)[0])
    after = float(np.hypot(after, drift)) if after > 0 else after  # who turns goes on
    return Braking(before, after, way / length, rate, world.time_s + middle, deviations)


def steadied(times: Array, boxes: Array) -> Array:
    """Relative boxes (n, 4) whose height changes as smoothly as perspective makes it, about the middle that was seen.

    The errors of the upper and the lower edge are independent for the most part. The height follows the distance, which the
    braking itself bends only slowly: a parabola of its logarithm.
    """
    offsets = times - times.mean()
    columns = np.stack([np.ones_like(offsets), offsets, offsets**2], axis=1)
    tall = boxes[:, 3] - boxes[:, 1]
    shares, *_ = np.linalg.lstsq(columns * tall[:, None], np.log(np.maximum(tall, 1e-9)) * tall, rcond=None)
    smooth, middle = np.exp(columns @ shares), (boxes[:, 1] + boxes[:, 3]) / 2
    return np.column_stack([boxes[:, 0], middle - smooth / 2, boxes[:, 2], middle + smooth / 2])


def _is_exchanged(world: World, index: int, braking: Braking) -> bool:
    """Whether somebody beside it has gained in the same moment what it has lost: two tracks have exchanged their vehicles.

    (Or one has run into the other, which is another kind.) Or somebody beside it is seen for the first time just then: the track
    has slipped to a neighbour, and the vehicle that it followed before has got a new one.
    """
    history, row = world.movers, world.rows[index]
    since_s = history.times - braking.middle_s
    then = np.abs(since_s) <= _MOMENT_S
    if not then[row].any():
        return False
    own = history.places[row][then[row]].mean(axis=0)
    lost = braking.before - braking.after
    for other in np.flatnonzero(then.any(axis=1)).tolist():
        if other == row or np.hypot(*(history.places[other][then[other]].mean(axis=0) - own)) > _BESIDE_M:
            continue
        new_s = float(np.nanmin(history.times[other]))
        slips = abs(new_s - braking.middle_s) <= _SLIPS_S and new_s > float(np.nanmin(history.times[row]))
        if slips and not history.twin[other]:
            return True
        along = history.places[other] @ braking.way
        speeds = []
        for use in (np.abs(since_s[other] + _APART_S) <= _HALF_S, np.abs(since_s[other] - _APART_S) <= _HALF_S):
            if use.sum() < 2 or np.ptp(since_s[other][use]) < 0.15:
                break
            speeds.append(float(np.polyfit(since_s[other][use], along[use], 1)[0]))
        if len(speeds) == 2 and speeds[1] - speeds[0] > _GAINED * lost:
            return True
    return False


def _fit(
    ago_s: Array, along: Array, errors: Array, guessed: Flags, least: float, first_s: float
) -> tuple[float, float, float, float, float] | None:
    """Speed before and after, deceleration, its middle (seconds, like ``ago_s``) and its significance.

    Args:
        errors: of the places, metres; far off a pixel is metres long. first_s: braking begins no earlier.
        guessed: places of hidden feet; they are all off by a common distance that nobody knows.
    """
    begins = np.arange(max(first_s, ago_s[0] + _BEFORE_S), -_BRAKES_S[0] + 1e-9, _STEP_S)
    begin, lasts = np.meshgrid(begins, np.arange(_BRAKES_S[0], _BRAKES_S[1] + 1e-9, _STEP_S))
    good = begin + lasts <= 1e-9
    begin, lasts = begin[good][:, None], lasts[good][:, None]
    if not len(begin):
        return None
    passed = np.clip(ago_s - begin, 0.0, lasts)
    lost = -(passed**2) / 2 - lasts * np.maximum(ago_s - begin - lasts, 0.0)  # metres behind constant speed, per m/s²
    columns = np.stack([np.ones_like(ago_s), ago_s], axis=1)
    if guessed.any():
        columns = np.column_stack([columns, guessed])
    straight, _ = np.linalg.qr(columns / errors[:, None])
    rest, shape = along / errors, lost / errors
    rest = rest - straight @ (straight.T @ rest)
    shape = shape - (shape @ straight) @ straight.T
    weight = np.maximum((shape**2).sum(axis=1), 1e-9)
    rate = shape @ rest / weight
    free = float(rest @ rest) - rate**2 * weight
    # No tyre brakes harder than that: the best possible fit is looked for, and a way that asks for more is flawed.
    possible = free + np.maximum(rate - _MAX_M_S2, 0.0) ** 2 * weight
    rate = np.minimum(rate, _MAX_M_S2)
    best = int(possible.argmin())
    variance = max(float(free.min()) / max(len(ago_s) - 3 - columns.shape[1], 1), 1.0)
    slower = free + np.maximum(shape @ rest / weight - least, 0.0) ** 2 * weight
    deviations, flaw = (
        float(np.sqrt(max(better, 0.0) / variance)) for better in (slower.min() - possible[best], possible[best] - free.min())
    )
    if flaw > _FLAWED:
        return None
    shares, *_ = np.linalg.lstsq(columns / errors[:, None], (along - rate[best] * lost[best]) / errors, rcond=None)
    before = float(shares[1])
    middle = float(begin[best, 0] + lasts[best, 0] / 2)
    return before, before - float(rate[best] * lasts[best, 0]), float(rate[best]), middle, deviations
