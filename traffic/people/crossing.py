"""Count lines and edges of regions, with hysteresis on both sides: one count per real crossing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.geometry import contains

Array = NDArray[np.float64]
Place = tuple[float, float]


@dataclass(slots=True)
class SideState:
    """What is known of one person and one line or region.

    Attributes:
        side: last clear side, +1 or -1 (right of the line, inside the region); 0: not known yet.
        raw: signed distance at the last place. through: whether the last change of sign went through the line itself.
    """

    side: int = 0
    raw: float | None = None
    through: bool = False


class LineGeometry:
    """A count line. Sides: +1 to its right as seen walking from its first to its second point (y down)."""

    def __init__(self, first: Place, second: Place) -> None:
        a, b = np.array(first, np.float64), np.array(second, np.float64)
        self._origin = a
        self._length = max(float(np.hypot(*(b - a))), 1e-12)
        self._along: Array = (b - a) / self._length

    def update(self, state: SideState, before: Place | None, now: Place, margin: float, slack: float) -> int:
        """Advance one person by one place; +1: crossed inwards (left to right), -1: outwards, 0: nothing."""
        distance = self._signed(now)
        if before is not None and state.raw is not None and (state.raw < 0) != (distance < 0):
            share = state.raw / (state.raw - distance)
            place = (before[0] + share * (now[0] - before[0]), before[1] + share * (now[1] - before[1]))
            along = float((np.array(place) - self._origin) @ self._along)
            state.through = -slack <= along <= self._length + slack
        state.raw = distance
        if abs(distance) < margin:
            return 0
        side = 1 if distance > 0 else -1
        crossed = side if state.side == -side and state.through else 0
        state.side = side
        return crossed

    def _signed(self, place: Place) -> float:
        x, y = place[0] - self._origin[0], place[1] - self._origin[1]
        return float(self._along[0] * y - self._along[1] * x)


class RegionGeometry:
    """A region's outline. Sides: +1 inside, -1 outside."""

    def __init__(self, polygon: Array) -> None:
        """``polygon``: float64 (k, 2)."""
        self._polygon = polygon
        self._steps: Array = np.roll(polygon, -1, axis=0) - polygon
        self._squares: Array = np.maximum((self._steps**2).sum(axis=1), 1e-18)

    def inside(self, places: Array) -> NDArray[np.bool_]:
        """Which places (n, 2) lie in the region."""
        return contains(self._polygon, places)

    def update(self, state: SideState, now: Place, inside: bool, margin: float) -> int:
        """Advance one person; +1: came in, -1: went out, 0: nothing."""
        if self._distance(now) < margin:
            return 0
        side = 1 if inside else -1
        crossed = side if state.side == -side else 0
        state.side = side
        return crossed

    def _distance(self, place: Place) -> float:
        """From the outline."""
        offset = np.array(place) - self._polygon
        share = np.clip((offset * self._steps).sum(axis=1) / self._squares, 0, 1)
        return float(np.sqrt(((offset - share[:, None] * self._steps) ** 2).sum(axis=1).min()))
