"""Vehicles that come up so fast that nothing can keep them from running into the one ahead.

The deceleration rate to avoid the crash (DRAC, Archer 2005) is what a follower would need from now on not to touch the leader.
When it nears what tyres can do on dry asphalt (0.9 to 1 g), the collision is certain. It tells what the moment of the collision
often hides: the one behind vanishes behind the other, and tracks exchange their numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.events.world import LENGTHS_M, WIDTHS_M, World

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_AVAILABLE_M_S2 = 8.45  # 0.86 g, near the grip of tyres on dry asphalt
_WINDOW_S, _LEAST_S, _LEAST_PLACES = 0.75, 0.35, 3
_CLOSING_M_S = 5.0  # slower ones are not told from a queue that closes up
_AHEAD_M, _BESIDE_M = 20.0, 1.6  # who is in its way: half a lane aside at most, and so that the two would touch
_GRAZE_M = 0.2  # by which their sides must overlap: motorcycles pass close by
_LENGTH_M = 0.5  # by which vehicles of a class are shorter than usual
_PLACE_PX, _GUESSED_PX = 1.4, 3.5  # how exact a place is at best, seen and completed
_DEVIATIONS = 1.5
_MOST_ERROR_M_S = 2.0
_UNSEEN_S = 0.5


@dataclass(frozen=True, slots=True)
class Approach:
    """``rear`` and ``front``: indices. closing, error: m/s. rate: deceleration needed, m/s², at the safe end of the errors.
    heading: (x, y), unit vector of the one behind."""

    rear: int
    front: int
    closing: float
    error: float
    rate: float
    heading: tuple[float, float]


def unavoidable(world: World, able: Flags) -> Iterator[Approach]:
    """Pairs of ``able`` objects, bool (n,), that will collide whatever the one behind does. Needs metres."""
    course = world.movers.course[world.rows]
    drives = able & world.seen & ~world.standing & np.isfinite(course).all(axis=1)
    for rear in np.flatnonzero(drives).tolist():
        away = (world.places - world.places[rear]) * float(world.scale[rear])
        ahead = away @ course[rear]
        aside = np.abs(away[:, 0] * course[rear, 1] - away[:, 1] * course[rear, 0])
        wide = (WIDTHS_M[world.object_class] + WIDTHS_M[world.object_class[rear]]) / 2 - _GRAZE_M
        fronts = able & (ahead > 0) & (ahead < _AHEAD_M) & (aside <= np.minimum(wide, _BESIDE_M)) & (world.ago_s < _UNSEEN_S)
        fast = (world.velocity[rear] - world.velocity) @ course[rear] >= _CLOSING_M_S
        for front in np.flatnonzero(fronts & fast).tolist():
            found = _examine(world, rear, front, course[rear])
            if found is not None:
                yield found


def _examine(world: World, rear: int, front: int, course: Array) -> Approach | None:
    one, two = _now(world, rear, course), _now(world, front, course)
    if one is None or two is None:
        return None
    closing, error = one[1] - max(two[1], 0.0), float(np.hypot(one[2], two[2]))  # nobody drives backwards
    length = float(LENGTHS_M[world.object_class[[rear, front]]].mean())
    gap = two[0] - one[0] - length + _LENGTH_M + float(np.hypot(one[3], two[3]))
    safe = closing - _DEVIATIONS * error
    if safe < _CLOSING_M_S or error > _MOST_ERROR_M_S or gap < -length / 2:
        return None
    rate = needed_m_s2(safe, max(gap, 0.0), one[4])
    if rate < _AVAILABLE_M_S2:
        return None
    return Approach(rear, front, closing, error, rate, (float(course[0]), float(course[1])))


def needed_m_s2(closing: float, gap: float, lag_s: float) -> float:
    """Deceleration that stops the ``closing``, m/s, within the ``gap``, metres, when it has been braking like that already since
    the speed was measured, ``lag_s`` ago: (closing - lag * a)² = 2 * gap * a."""
    half = closing * lag_s + gap
    if lag_s < 1e-6:
        return closing * closing / max(2 * gap, 1e-9)
    return float((half - np.sqrt(max(half * half - (lag_s * closing) ** 2, 0.0))) / lag_s**2)


def _now(world: World, index: int, course: Array) -> tuple[float, float, float, float, float] | None:
    """Place along the course, speed, errors of speed and place, and how long ago the speed was measured on average; None when
    unknown."""
    row, scale = world.rows[index], float(world.scale[index])
    use = world.movers.clear[row] & (world.movers.times[row] > world.time_s - _WINDOW_S)
    times = world.movers.times[row][use]
    if len(times) < _LEAST_PLACES or np.ptp(times) < _LEAST_S:
        return None
    along = world.movers.places[row][use] @ course * scale
    boxes, guessed = world.movers.boxes[row][use], ~world.movers.free[row][use]
    errors = world.pixels_of(boxes) * scale * np.where(guessed, _GUESSED_PX, _PLACE_PX)
    offsets = times - times.mean()
    spread = float(offsets @ offsets)
    speed = float(offsets @ along) / spread
    rest = along - along.mean() - offsets * speed
    variance = max(float(rest @ rest) / max(len(times) - 2, 1), float((errors**2).mean()))
    lag_s = world.time_s - float(times.mean())
    place = float(along.mean()) + speed * lag_s
    return place, speed, float(np.sqrt(variance / spread)), float(errors[-1]), lag_s
