"""Lanes prepared for every frame: which way is downstream, who is inside."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.geometry import contains, side_of
from traffic.scene import Lane

_REACH = 0.15  # how far beside its lane's line a crossing may lie, share of the line, when no lane claims it


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedLane:
    """A lane with what is derived from it.

    Attributes:
        forwards: +1 when downstream of the snapshot line is its positive side, else -1; entry_forwards likewise.
        step: unit vector of travel at the snapshot line, relative coordinates.
    """

    lane: Lane
    polygon: NDArray[np.float64]
    forwards: float
    entry_forwards: float
    step: NDArray[np.float64]


def prepare(lane: Lane) -> PreparedLane:
    """Derive what every frame needs."""
    direction = np.asarray(lane.direction)
    middle = np.asarray(lane.snapshot_line).mean(axis=0)
    nearest = int(np.argmin([np.hypot(*((a + b) / 2 - middle)) for a, b in zip(direction[:-1], direction[1:], strict=True)]))
    step = direction[nearest + 1] - direction[nearest]
    return PreparedLane(
        lane=lane,
        polygon=np.asarray(lane.polygon),
        forwards=_downstream(lane.snapshot_line, step),
        entry_forwards=_downstream(lane.entry_line, step) if lane.entry_line else 1.0,
        step=step / max(float(np.hypot(*step)), 1e-12),
    )


def _downstream(line: tuple[tuple[float, float], tuple[float, float]], step: NDArray[np.float64]) -> float:
    ahead = np.asarray(line).mean(axis=0) + step
    return 1.0 if side_of(line[0], line[1], ahead[None])[0] >= 0 else -1.0


def lane_at(lanes: Sequence[PreparedLane], point: tuple[float, float]) -> PreparedLane | None:
    """The first lane that holds ``point``."""
    spot = np.asarray([point])
    return next((lane for lane in lanes if contains(lane.polygon, spot)[0]), None)


def claims(share: float) -> bool:
    """Whether a crossing at ``share`` along a snapshot line lies on the line itself."""
    return 0.0 <= share <= 1.0


def nearly_claims(share: float) -> bool:
    """Whether it lies just beside the line."""
    return -_REACH <= share <= 1.0 + _REACH
