"""Lanes learned from the motion itself, for cameras without a scene: each main direction of motion becomes a lane."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from traffic.facts import Turn
from traffic.passages.trajectory import Trajectory
from traffic.scene import Lane

_SAME_DIRECTION_DEG = 40.0
_MIN_PATH = 0.08  # share of the picture's diagonal a path must span to say anything about a direction


def direction_deg(trajectory: Trajectory) -> float | None:
    """Direction of a path in the picture in degrees (0: right, 90: down); None for one too short."""
    points = trajectory.points()
    dx, dy = points[-1] - points[0]
    return math.degrees(math.atan2(dy, dx)) if math.hypot(dx, dy) >= _MIN_PATH else None


def main_directions(paths: Sequence[Trajectory], least: int) -> list[list[Trajectory]]:
    """Group paths by direction; only groups of at least ``least`` paths, the largest first, ties in order of appearance."""
    groups: list[tuple[float, list[Trajectory]]] = []
    for path in paths:
        angle = direction_deg(path)
        if angle is None:
            continue
        for index, (centre, members) in enumerate(groups):
            turn = (angle - centre + 180) % 360 - 180
            if abs(turn) <= _SAME_DIRECTION_DEG:
                members.append(path)
                groups[index] = (centre + turn / len(members), members)
                break
        else:
            groups.append((angle, [path]))
    good = [members for _, members in groups if len(members) >= least]
    return sorted(good, key=lambda members: -len(members))


def learn_lane(members: Sequence[Trajectory], road_num: int, frame_size: tuple[int, int]) -> Lane:
    """One lane for paths of one direction: a straight band over them.

    The snapshot line lies across the band where the most paths pass and, among those places, vehicles are largest, so that
    they are seen well and none is missed.
    """
    chords = np.array([m.points()[-1] - m.points()[0] for m in members])
    axis = chords.sum(axis=0)
    axis /= np.hypot(*axis)
    normal = np.array([-axis[1], axis[0]])
    along = [m.points() @ axis for m in members]
    across = np.concatenate([m.points() @ normal for m in members])
    widths = np.concatenate([[(s.box[2] - s.box[0]) / frame_size[0] for s in m.sights] for m in members])
    margin = float(np.median(widths)) / 2
    low, high = float(across.min()) - margin, float(across.max()) + margin
    begin, end = min(float(a.min()) for a in along), max(float(a.max()) for a in along)
    place = _snapshot_place(members, along, begin, end)

    def point(a: float, n: float) -> tuple[float, float]:
        x, y = a * axis + n * normal
        return (float(np.clip(x, 0, 1)), float(np.clip(y, 0, 1)))

    middle = (low + high) / 2
    return Lane(
        road_num=road_num,
        road_name=f"方向{road_num}",
        polygon=(point(begin, low), point(begin, high), point(end, high), point(end, low)),
        direction=(point(begin, middle), point(end, middle)),
        turn=Turn.OTHER,
        snapshot_line=(point(place, low), point(place, high)),
    )


def _snapshot_place(members: Sequence[Trajectory], along: Sequence[NDArray[np.float64]], begin: float, end: float) -> float:
    places = np.linspace(begin, end, 41)[2:-2]
    covered = np.array([sum(a.min() < place < a.max() for a in along) for place in places])
    best = covered >= covered.max() * 0.95
    sizes = np.array([_size_at(members, along, place) for place in places])
    return float(places[np.flatnonzero(best)[np.argmax(sizes[best])]])


def _size_at(members: Sequence[Trajectory], along: Sequence[NDArray[np.float64]], place: float) -> float:
    heights = []
    for member, a in zip(members, along, strict=True):
        sight = member.sights[int(np.argmin(np.abs(a - place)))]
        if not sight.clipped:
            heights.append(sight.box[3] - sight.box[1])
    return float(np.median(heights)) if heights else 0.0
