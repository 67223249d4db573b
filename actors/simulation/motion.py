"""How staged things move: drives, walks and lying still, as exact functions of time."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

_HEADING_STEP = math.radians(5.0)  # every heading needs sprites of its own


@dataclass(frozen=True, kw_only=True, slots=True)
class Pose:
    """Middle of a thing on the road in world metres, unit vector of its front, speed, and metres moved since its start."""

    x_m: float
    y_m: float
    forward: tuple[float, float]
    speed_ms: float = 0.0
    moved_m: float = 0.0


class Motion(Protocol):
    """Where a thing is, ``time_s`` seconds after its script began."""

    def at(self, time_s: float) -> Pose:
        """The pose."""
        ...


def _smooth(low: float, high: float, value: float) -> float:
    t = min(1.0, max(0.0, (value - low) / (high - low)))
    return t * t * (3 - 2 * t)


def _unit(angle: float) -> tuple[float, float]:
    """Unit vector of an angle from the X axis, rounded to the headings that have sprites."""
    angle = round(angle / _HEADING_STEP) * _HEADING_STEP
    return (round(math.cos(angle), 6), round(math.sin(angle), 6))


@dataclass(frozen=True, kw_only=True, slots=True)
class Drive:
    """A drive along the road.

    Attributes:
        x_m, y_m: middle of the vehicle at the start. speed_ms: then.
        heading: +1 away from the camera, -1 towards it.
        legs: (seconds, acceleration in m/s²) one after the other; afterwards the speed stays. Nobody drives backwards.
        shifts: (y from, y to, metres to the right) changes of the lateral place along the way.
        spins: (from, to, degrees counter-clockwise, metres to the right, metres along) what a collision does, by time.
    """

    x_m: float
    y_m: float
    speed_ms: float
    heading: int = 1
    legs: tuple[tuple[float, float], ...] = ()
    shifts: tuple[tuple[float, float, float], ...] = ()
    spins: tuple[tuple[float, float, float, float, float], ...] = ()

    def at(self, time_s: float) -> Pose:
        """The pose."""
        way, speed, left = 0.0, self.speed_ms, max(0.0, time_s)
        for seconds, accel in (*self.legs, (math.inf, 0.0)):
            span = min(seconds, left)
            moving = min(span, speed / -accel) if accel < 0 else span
            way += speed * moving + accel * moving * moving / 2
            speed = max(0.0, speed + accel * moving)
            left -= span
            if left <= 0:
                break
        y = self.y_m + self.heading * way
        x, slope, turn = self.x_m, 0.0, 0.0
        for low, high, metres in self.shifts:
            x += metres * _smooth(low, high, y)
            slope += metres * (_smooth(low, high, y + 0.5) - _smooth(low, high, y - 0.5))
        for begin, end, degrees, right, along in self.spins:
            share = _smooth(begin, end, time_s)
            x, y, turn = x + right * share, y + along * share, turn + math.radians(degrees) * share
        angle = math.atan2(float(self.heading), slope) + turn
        return Pose(x_m=x, y_m=y, forward=_unit(angle), speed_ms=speed, moved_m=way)


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """Straight lines between (seconds, X, Y); before the first and after the last point it stands."""

    points: tuple[tuple[float, float, float], ...]

    def at(self, time_s: float) -> Pose:
        """The pose."""
        moved, forward = 0.0, (0.0, 1.0)
        for (t0, x0, y0), (t1, x1, y1) in pairwise(self.points):
            way = math.hypot(x1 - x0, y1 - y0)
            if way > 1e-6:
                forward = _unit(round(math.atan2(y1 - y0, x1 - x0) / (math.pi / 8)) * (math.pi / 8))
            if time_s < t1:
                share = max(0.0, (time_s - t0) / (t1 - t0))
                speed = way / (t1 - t0) if share > 0 else 0.0
                return Pose(
                    x_m=x0 + share * (x1 - x0),
                    y_m=y0 + share * (y1 - y0),
                    forward=forward,
                    speed_ms=speed,
                    moved_m=moved + share * way,
                )
            moved += way
        _, x, y = self.points[-1]
        return Pose(x_m=x, y_m=y, forward=forward, moved_m=moved)


@dataclass(frozen=True, kw_only=True, slots=True)
class Still:
    """Lies where it is."""

    x_m: float
    y_m: float
    degrees: float = 90.0

    def at(self, time_s: float) -> Pose:
        """The pose."""
        return Pose(x_m=self.x_m, y_m=self.y_m, forward=_unit(math.radians(self.degrees)))
