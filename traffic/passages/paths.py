"""Trajectories prepared for learning: smoothed, resampled, compared.

Coordinates are picture heights: x times the aspect ratio, y, origin at the top left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.passages.learning_config import LearningConfig
from traffic.passages.vehicle import Vehicle
from traffic.types import TrackState

Array = NDArray[np.float64]

POINTS = 24
_MIN_STEP = 0.01  # jitter of a standing vehicle is no way


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One vehicle's way through the picture.

    Attributes:
        vehicle: whose it is.
        points: float64 (POINTS, 2), equally spaced along the way.
        tangents: float64 (POINTS, 2), unit directions of travel.
        widths, heights: float64 (POINTS,), of the box.
        whole: bool (POINTS,), the box is not cut by the border.
        length: of the way, picture heights.
        start_s: video time of its first sample.
        ended: its track has ended; it will not go on.
    """

    vehicle: Vehicle
    points: Array
    tangents: Array
    widths: Array
    heights: Array
    whole: NDArray[np.bool_]
    length: float
    start_s: float
    ended: bool


def make_path(vehicle: Vehicle, aspect: float, config: LearningConfig) -> Path | None:
    """The path of a vehicle; None when it has not come far enough to show a direction of motion."""
    samples = vehicle.trajectory.samples
    if not vehicle.moved or len(samples) < 3:
        return None
    boxes = vehicle.trajectory.boxes() * np.array([aspect, 1, aspect, 1])
    points = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]])
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    kept = _stepwise(_smoothed(points))
    if len(kept) < 3:
        return None
    smooth = _smoothed(points)[kept]
    steps = np.hypot(*np.diff(smooth, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    net = float(np.hypot(*(smooth[-1] - smooth[0])))
    size = float(np.median(np.sqrt(widths * heights)))
    if net < max(config.min_path, config.min_boxes * size) or net < 0.5 * along[-1]:
        return None
    at = np.linspace(0, along[-1], POINTS)
    resampled = np.column_stack([np.interp(at, along, smooth[:, axis]) for axis in (0, 1)])
    tangents = np.gradient(resampled, axis=0)
    tangents /= np.maximum(np.hypot(tangents[:, 0], tangents[:, 1]), 1e-12)[:, None]
    measured = vehicle.trajectory.measured().astype(np.float64)
    return Path(
        vehicle=vehicle,
        points=resampled,
        tangents=tangents,
        widths=np.interp(at, along, widths[kept]),
        heights=np.interp(at, along, heights[kept]),
        whole=np.interp(at, along, measured[kept]) > 0.5,
        length=float(along[-1]),
        start_s=samples[0].time_s,
        ended=vehicle.track.state is TrackState.DELETED,
    )


def _smoothed(points: Array) -> Array:
    """Mean over up to five neighbours, the ends unchanged."""
    if len(points) < 5:
        return points
    padded = np.concatenate([points[:1], points[:1], points, points[-1:], points[-1:]])
    total = np.cumsum(np.concatenate([np.zeros((1, 2)), padded]), axis=0)
    result: Array = (total[5:] - total[:-5]) / 5
    return result


def _stepwise(points: Array) -> list[int]:
    """Indices of points at least ``_MIN_STEP`` from the one kept before."""
    kept = [0]
    for index in range(1, len(points)):
        if np.hypot(*(points[index] - points[kept[-1]])) >= _MIN_STEP:
            kept.append(index)
    return kept


def shared_ways(paths: Sequence[Path], config: LearningConfig) -> Array:
    """float64 (n, n): the share of path i's points that have a point of path j beside them with the same direction."""
    points = np.stack([path.points for path in paths])
    tangents = np.stack([path.tangents for path in paths])
    widths = np.stack([path.widths for path in paths])
    least_cos = np.cos(np.radians(config.same_direction_deg))
    result = np.zeros((len(paths), len(paths)))
    for i in range(len(paths)):
        distance = np.hypot(*np.moveaxis(points[i][None, :, None] - points[:, None], 3, 0))  # (n, own, other)
        reach = config.reach_boxes * (widths[i][None, :, None] + widths[:, None]) / 2
        along = np.einsum("ak,nbk->nab", tangents[i], tangents)
        result[i] = ((distance <= reach) & (along >= least_cos)).any(axis=2).mean(axis=1)
    return result


def streams(paths: Sequence[Path], config: LearningConfig) -> list[list[Path]]:
    """Groups of paths that run side by side in one direction, the largest first.

    Two whole paths belong together when most of each runs beside the other; a fork keeps its branches apart, because its
    two ways share their beginning only. A fragment goes to the group it shares most of its way with.
    """
    if not paths:
        return []
    ordered = sorted(paths, key=lambda path: (-path.length, path.start_s, path.vehicle.track.track_id))
    shared = shared_ways(ordered, config)
    parent = list(range(len(ordered)))

    def root(index: int) -> int:
        while parent[index] != index:
            index = parent[index]
        return index

    both = np.minimum(shared, shared.T)
    for i, j in np.argwhere(np.triu(both >= 0.6, 1)):
        low, high = sorted((root(int(i)), root(int(j))))
        parent[high] = low
    for i in range(1, len(ordered)):
        j = int(shared[i, :i].argmax())
        if root(i) == i and shared[i, j] >= 0.75 and ordered[i].length < 0.75 * ordered[j].length:
            parent[i] = root(j)
    groups: dict[int, list[Path]] = {}
    for index, path in enumerate(ordered):
        groups.setdefault(root(index), []).append(path)
    return sorted(groups.values(), key=lambda group: (-len(group), min(path.start_s for path in group)))
