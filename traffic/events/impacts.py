"""Abrupt changes of velocity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.events.motion import is_steady
from traffic.events.world import World

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_BREAK_S = 0.7  # before now: the change is looked for there
_BEFORE_S, _AFTER_S, _SPARE_S = 1.0, 0.7, 0.08
_HEIGHT_CHANGE = 0.45  # of the box between ticks: something hides it, or the detector has changed its mind
_LEAST_M_S, _MOST_M_S = 3.5, 45.0
_MAX_ERROR_M_S2 = 3.2
_TURN_S, _TURNED_S = 0.3, 3.0  # the turn takes place within so long of the shock; how it stands is seen until so long after it
_WIDER, _MUCH_WIDER = 0.3, 0.5  # of the logarithm of width over height; perspective alone makes less than 0.15 in a second
_RAM_S = 0.5
_CLOSING_M_S, _THROWN_M_S, _THROWN_M_S2 = 3.0, 2.0, 2.8  # less 1.5 errors; cars rarely start with more

_HITS_M_S, _HIT_DEVIATIONS = 6.0, 3.0  # so fast, 2 m would be needed to brake at 9 m/s²


@dataclass(frozen=True, slots=True)
class Shock:
    """A change of velocity at ``time_s``.

    Attributes:
        before_m_s: speed before. change_m_s: size of the change of the velocity vector. heading: (x, y), unit vector before.
        rate, error: change divided by the time between the two windows' middles (0.95 s at most), and its error, m/s².
    """

    time_s: float
    before_m_s: float
    change_m_s: float
    rate: float
    error: float
    heading: tuple[float, float]


def measure_shock(world: World, index: int) -> Shock | None:
    """The change of velocity 0.7 s ago; None when it cannot be measured or the object was slow."""
    row = world.rows[index]
    times = world.movers.times[row]
    use = world.movers.clear[row] & (times > world.time_s - _BREAK_S - _BEFORE_S - 1e-6)
    if use.sum() < 5:
        return None
    times, places, boxes = times[use], world.movers.places[row][use], world.movers.boxes[row][use]
    middle = world.time_s - _BREAK_S
    free = world.movers.free[row][use]
    early, late = free & (times <= middle - _SPARE_S), times >= middle + _SPARE_S
    if early.sum() < 3 or late.sum() < 2 or np.ptp(times[early]) < 0.35 or np.ptp(times[late]) < 0.3:
        return None
    if not is_steady(times, boxes[:, 3] - boxes[:, 1], _HEIGHT_CHANGE):
        return None
    scale = float(world.scale[index])
    errors = world.errors_of(boxes, ~free)
    before, error_before = _velocity(times[early], places[early], errors[early])
    after, error_after = _velocity(times[late], places[late], errors[late], ~free[late])
    if not world.view.metric:
        before = before * _nearer(boxes, early, late)
    if not free[
        late
    ].all():  # who turns has another shape, and a foot that is guessed by the old one jumps: its upper edge does not
        level = _level(world, boxes, early)[late]
        upper, error_upper = _velocity(times[late], level, errors[late])
        if np.hypot(*(upper - before)) < np.hypot(*(after - before)):
            after, error_after = upper, error_upper
    speed = float(np.hypot(*before)) * scale
    if not _LEAST_M_S <= speed <= _MOST_M_S:
        return None
    slower = float(np.hypot(*after)) * scale
    if slower > 0.7 * speed:
        return None
    change = float(np.hypot(*(after - before))) * scale
    passed_s = float(times[late].mean() - times[early].mean())
    error = float(np.hypot(error_before, error_after)) * scale / passed_s
    if error > _MAX_ERROR_M_S2:
        return None
    heading = before / max(float(np.hypot(*before)), 1e-12)
    return Shock(middle, speed, change, change / passed_s, error, (float(heading[0]), float(heading[1])))


def _level(world: World, boxes: Array, early: Flags) -> Array:
    """(n, 2), places that the upper edges tell, with the height of the ``early`` boxes."""
    level = boxes.copy()
    level[:, 3] = level[:, 1] + np.median(boxes[early, 3] - boxes[early, 1])
    return world.view.contacts(level)


def _nearer(boxes: Array, early: Flags, late: Flags) -> Array:
    """(2,), by what a constant velocity grows in the picture, to the side and upwards, from the ``early`` to the ``late`` boxes:
    to the side as the box grows, along the line of sight with its square."""
    tall = boxes[:, 3] - boxes[:, 1]
    ratio = float(np.median(tall[late]) / max(float(np.median(tall[early])), 1e-9))
    return np.array([ratio, ratio**2])


def measure_push(world: World, index: int, shock: Shock) -> tuple[float, float]:
    """By how much an object got faster along the heading of another one's ``shock`` at that moment, and the error, m/s; (0, inf)
    when it cannot be measured.

    Whoever is behind may hide its foot when it happens. So its upper edge must have gained as much: what is smaller counts.
    """
    row = world.rows[index]
    times = world.movers.times[row]
    use = world.movers.clear[row] & (times > shock.time_s - _BEFORE_S) & (times <= shock.time_s + _AFTER_S + 1e-6)
    times, places, guessed = times[use], world.movers.places[row][use], ~world.movers.free[row][use]
    boxes = world.movers.boxes[row][use]
    early, late = times <= shock.time_s, times >= shock.time_s + _SPARE_S
    if early.sum() < 2 or late.sum() < 2 or np.ptp(times[early]) < 0.15 or np.ptp(times[late]) < 0.15:
        return 0.0, np.inf
    scale, heading = float(world.scale[index]), np.array(shock.heading)
    found = []
    for points, unsure in ((places, guessed), (_level(world, boxes, early), np.zeros(len(times), bool))):
        errors = world.errors_of(boxes, unsure)
        before, error_before = _velocity(times[early], points[early], errors[early], unsure[early])
        after, error_after = _velocity(times[late], points[late], errors[late], unsure[late])
        found.append((float((after - before) @ heading) * scale, float(np.hypot(error_before, error_after)) * scale))
    return min(found, key=lambda gain: gain[0] - gain[1])


def measure_turn(world: World, index: int, shock: Shock) -> float:
    """Whether its box has become wider against its height over a ``shock``, 0..1: it was turned, or it fell over.

    What is nearer can hide the foot of an object or a side of it. Boxes with a hidden foot are left out, and a hidden side makes
    a box narrower; so neither looks like this.
    """
    row = world.rows[index]
    times, boxes = world.movers.times[row], world.movers.boxes[row]
    since_s = times - shock.time_s
    free = world.movers.free[row] & np.isfinite(times)
    shape = np.log(np.maximum(boxes[:, 2] - boxes[:, 0], 1e-9) / np.maximum(boxes[:, 3] - boxes[:, 1], 1e-9))
    early = free & (since_s > -_BEFORE_S - _BREAK_S) & (since_s < -_TURN_S)
    late = free & (since_s > _TURN_S) & (since_s < _TURNED_S)
    if early.sum() < 3 or late.sum() < 3:
        return 0.0
    wider = float(np.median(shape[late]) - np.median(shape[early]))
    return float(np.clip((wider - _WIDER) / (_MUCH_WIDER - _WIDER), 0.0, 1.0))


def measure_ram(world: World, rear: int, front: int) -> Shock | None:
    """Somebody much faster has come up from behind, and the one ahead is thrown forward: its shock. None when it is not so.

    Seen from ahead the one behind is hidden when it happens, and only the other tells.
    """
    heading = world.movers.course[world.rows[rear]]
    middle, scale = world.time_s - _RAM_S, float(world.scale[front])
    fits = []
    for index in (rear, front):
        row = world.rows[index]
        known = world.movers.clear[row] if index == rear else world.movers.free[row]
        use = known & (world.movers.times[row] > middle - _BEFORE_S)
        times, places, guessed = world.movers.times[row][use], world.movers.places[row][use], ~world.movers.free[row][use]
        errors = world.errors_of(world.movers.boxes[row][use], guessed)
        early = times <= middle
        if early.sum() < 3 or np.ptp(times[early]) < 0.35:
            return None
        fits.append(_velocity(times[early], places[early], errors[early], guessed[early]))
    late = times >= middle + _SPARE_S
    if late.sum() < 2 or np.ptp(times[late]) < 0.15:
        return None
    (fast, _), (before, error_before) = fits
    after, error_after = _velocity(times[late], places[late], errors[late])
    closing, gain = float((fast - before) @ heading) * scale, float((after - before) @ heading) * scale
    passed_s = float(times[late].mean() - times[early].mean())
    error = float(np.hypot(error_before, error_after)) * scale / passed_s
    if closing < _CLOSING_M_S or gain < _THROWN_M_S:
        return None
    # Who is started by his driver is told from who is thrown, unless the other one could not have stopped any more.
    hit = closing >= _HITS_M_S and gain / passed_s >= _HIT_DEVIATIONS * error
    if not hit and gain / passed_s - 1.5 * error < _THROWN_M_S2:
        return None
    speed = float(np.hypot(*before)) * scale
    return Shock(middle, speed, gain, gain / passed_s, error, (float(heading[0]), float(heading[1])))


def _velocity(times: Array, places: Array, errors: Array, guessed: Flags | None = None) -> tuple[Array, float]:
    """Least squares, and its error; the places are as exact as ``errors``, (n,), at best.

    Places that were ``guessed``, bool (n,), since the foot is hidden, are all off by a common step that nobody knows: a foot that
    becomes hidden is no change of velocity.
    """
    offsets = times - times.mean()
    columns = np.stack([offsets, np.ones_like(offsets)], axis=1)
    if guessed is not None and guessed.any() and not guessed.all():
        columns = np.column_stack([columns, guessed])
    columns, places = columns / errors[:, None], places / errors[:, None]
    inverse = np.linalg.pinv(columns.T @ columns)
    shares = inverse @ (columns.T @ places)
    velocity: Array = shares[0]
    rest = places - columns @ shares
    variance = float((rest**2).sum()) / max(2 * (len(times) - columns.shape[1]), 1)
    known = np.linalg.matrix_rank(columns) == columns.shape[1]
    return velocity, float(np.sqrt(max(variance, 1.0) * inverse[0, 0])) if known else np.inf
