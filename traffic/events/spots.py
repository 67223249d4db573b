"""Findings of the pixels at one place, gathered over time: a place that is found again and again holds something."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from traffic.events.observations import PixelFinding
from traffic.types import Box

_MAX_SPOTS = 64
_NEAR = 0.6  # of the larger diagonal: small boxes jitter more than they overlap


@dataclass(slots=True)
class Spot:
    """One place.

    Attributes:
        box: in pixels of the frame, fading mean. score: fading mean.
        hits: looks in which it was found. looks: since it was found first.
    """

    number: int
    box: Box
    score: float
    first_s: float
    last_s: float
    hits: int = 1
    looks: int = 1

    @property
    def share(self) -> float:
        """Share of the looks in which it was found, 0..1."""
        return self.hits / self.looks


class Spots:
    """Places of one kind of finding. Bounded; a place that is not found for ``forget_s`` is forgotten.

    With ``alike`` a finding belongs to a place only when their boxes share this much of their union, 0..1: what is large jitters
    by little of its size, so two changes that lie over each other in part are two.
    """

    def __init__(self, forget_s: float = 4.0, alike: float = 0.0) -> None:
        self._forget_s, self._alike = forget_s, alike
        self._number = 0
        self.spots: list[Spot] = []

    def reset(self) -> None:
        """Forget all places."""
        self.spots.clear()

    def look(self, time_s: float, findings: Sequence[PixelFinding], *, looked: bool) -> None:
        """Findings of this kind in a tick; nothing is learned from a tick in which nobody ``looked``."""
        if looked:
            for spot in self.spots:
                spot.looks += 1
            hit: set[int] = set()
            for finding in findings:
                known = self._find(finding.box)
                if known is None:
                    self._number += 1
                    self.spots.append(Spot(self._number, finding.box, finding.score, time_s, time_s))
                    hit.add(self._number)
                elif known.number not in hit:
                    hit.add(known.number)
                    known.hits += 1
                    known.last_s = time_s
                    known.score = 0.8 * known.score + 0.2 * finding.score
                    mixed = [0.7 * old + 0.3 * new for old, new in zip(known.box, finding.box, strict=True)]
                    known.box = (mixed[0], mixed[1], mixed[2], mixed[3])
        self.spots = [spot for spot in self.spots if time_s - spot.last_s <= self._forget_s][-_MAX_SPOTS:]

    def _find(self, box: Box) -> Spot | None:
        best: tuple[float, Spot] | None = None
        for spot in self.spots:
            off = _off(spot.box, box)
            if off <= 1.0 and _union_share(spot.box, box) >= self._alike and (best is None or off < best[0]):
                best = (off, spot)
        return None if best is None else best[1]


def overlap(a: Box, b: Box) -> float:
    """Common area of two boxes as a share of the first."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    area = max((a[2] - a[0]) * (a[3] - a[1]), 1e-9)
    return max(width, 0.0) * max(height, 0.0) / area


def _union_share(a: Box, b: Box) -> float:
    """Common area of two boxes as a share of their union."""
    common = overlap(a, b)
    larger = max((b[2] - b[0]) * (b[3] - b[1]), 0.0) / max((a[2] - a[0]) * (a[3] - a[1]), 1e-9)
    return common / max(1.0 + larger - common, 1e-9)


def _off(a: Box, b: Box) -> float:
    """Distance of two boxes' centres in units of what is allowed."""
    dx, dy = (a[0] + a[2] - b[0] - b[2]) / 2, (a[1] + a[3] - b[1] - b[3]) / 2
    size = max(math.hypot(a[2] - a[0], a[3] - a[1]), math.hypot(b[2] - b[0], b[3] - b[1]))
    return math.hypot(dx, dy) / max(_NEAR * size, 1e-9)
