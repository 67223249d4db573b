"""Two tracks of one object: detectors find a vehicle twice, as a car and as a truck say, and the tracker follows both.

What is told of both would be told twice, and when the older track ends, the younger one would begin a new life.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

_UNION = 0.35  # share of the union that both boxes cover now; one of the two may have been seen a moment later
_TICKS, _LEAST = 5, 2  # of the last ticks, in which both were seen
_APART_M, _APART_SIZES = (
    2.5,
    0.2,
)  # less than any two vehicles that drive can be apart; in box diagonals where there are no metres
_SIZES = 0.75
_SPEEDS = 0.3  # of the faster one, by which the velocities may differ: two who collide differ by more
_LEAST_M_S = 3.0  # who is slower may stand close to another


def find_twins(boxes: Array, times: Array, places: Array, velocity: Array, scale: Array, able: Flags, *, metric: bool) -> Indices:
    """Pairs of rows (k, 2), the same object twice.

    Args:
        boxes: (n, 4), now, relative times the aspect to the side. times, places: (n, t) and (n, t, 2), newest last; nan where not
            seen. velocity: (n, 2), ground units per second. scale: (n,), metres per ground unit. able: bool (n,), who may be one.
    """
    rows = np.flatnonzero(able & (np.hypot(velocity[:, 0], velocity[:, 1]) * scale >= _LEAST_M_S))
    found: list[tuple[int, int]] = []
    if len(rows) < 2:
        return np.zeros((0, 2), np.intp)
    own = boxes[rows]
    low, high = np.maximum(own[:, None, :2], own[None, :, :2]), np.minimum(own[:, None, 2:], own[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area = (own[:, 2:] - own[:, :2]).prod(axis=1)
    alike = shared >= _UNION * (area[:, None] + area[None, :] - shared)
    for a, b in np.argwhere(np.triu(alike, 1)).tolist():
        one, two = int(rows[a]), int(rows[b])
        if np.sqrt(min(area[a], area[b]) / max(area[a], area[b])) < _SIZES:
            continue
        faster = max(float(np.hypot(*velocity[one])), float(np.hypot(*velocity[two])))
        if float(np.hypot(*(velocity[one] - velocity[two]))) > _SPEEDS * faster:
            continue
        both = np.isfinite(times[one, -_TICKS:]) & np.isfinite(times[two, -_TICKS:])
        if both.sum() < _LEAST:
            continue
        later_s = (times[one, -_TICKS:] - times[two, -_TICKS:])[both]
        apart = np.hypot(*((places[one, -_TICKS:] - places[two, -_TICKS:])[both] - later_s[:, None] * velocity[one]).T)
        limit = _APART_M / float(scale[one]) if metric else _APART_SIZES * float(np.hypot(*(own[a, 2:] - own[a, :2])))
        if (apart < limit).all():
            found.append((one, two))
    return np.array(found, np.intp).reshape(-1, 2)
