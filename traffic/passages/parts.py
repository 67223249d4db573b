"""A second box on part of a vehicle: the cab of a lorry, the bonnet of a van, the rider of a motorcycle.

A detector that knows only whole vehicles sometimes boxes a part of a large one as a vehicle of its own, frame after frame, and
the tracker follows it like any other. What gives it away is that it never leaves the larger box. A vehicle that is hidden
behind a larger one for a moment was, or will be, seen outside it.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from traffic.passages.vehicle import Inside, Vehicle
from traffic.types import FOUR_WHEELED, TrackId

_INSIDE_SHARE = 0.65  # of the smaller box's area
_LARGER = 1.3  # ratio of the areas
_BELOW = 0.05  # of the larger box's height: what reaches lower stands nearer to the camera, on its own wheels
_ALWAYS = 0.75  # of the frames
_MOST = 0.6  # of the last second
_STILL = 0.2  # a part's track may jump to another vehicle just before the line
_MEMORY_S = 1.0  # what "lately" remembers
_LEAST_FRAMES = 3
_SLOWER = 0.15  # without metres the far end of a lorry moves several times slower than its near one
_SAME_WAY_COS = 0.5
_SOME = 0.2  # of the frames: the same lorry may have had two tracks


def watch_parts(time_s: float, vehicles: Sequence[Vehicle]) -> None:
    """Note for the vehicles matched in the frame at ``time_s`` (each with its newest sample) which box lies in which."""
    if not vehicles:
        return
    boxes = np.array([vehicle.trajectory.samples[-1].box for vehicle in vehicles])
    wheels = np.array([vehicle.track.object_class in FOUR_WHEELED for vehicle in vehicles])
    inside = _inside(boxes) & (wheels[:, None] == wheels[None, :])
    for vehicle, hosts in zip(vehicles, inside, strict=True):
        _note(vehicle.parts, time_s, [vehicles[host].track.track_id for host in np.flatnonzero(hosts).tolist()])


def _note(parts: Inside, time_s: float, hosts: Sequence[TrackId]) -> None:
    kept = 0.0 if parts.last_s is None else math.exp((parts.last_s - time_s) / _MEMORY_S)
    parts.last_s = time_s
    parts.lately = kept * parts.lately + (1 - kept) * bool(hosts)
    parts.seen += 1
    parts.inside += bool(hosts)
    for number in hosts:
        parts.hosts[number] = parts.hosts.get(number, 0) + 1


def always_inside(vehicle: Vehicle, others: Iterable[Vehicle]) -> list[Vehicle]:
    """Those of ``others`` in whose box the vehicle has been for most of its life, and was just now."""
    parts = vehicle.parts
    if parts.inside < max(_ALWAYS * parts.seen, _LEAST_FRAMES) or parts.lately < _STILL:
        return []
    return _among(others, vehicle, _SOME * parts.seen)


def lately_inside(vehicle: Vehicle, others: Iterable[Vehicle]) -> list[Vehicle]:
    """Those of ``others`` in whose box the vehicle has been for most of the last second."""
    if vehicle.parts.lately < _MOST:
        return []
    return _among(others, vehicle, _LEAST_FRAMES)


def _among(others: Iterable[Vehicle], vehicle: Vehicle, least: float) -> list[Vehicle]:
    numbers = {number for number, frames in vehicle.parts.hosts.items() if frames >= least}
    hosts = [other for other in others if other is not vehicle and other.track.track_id in numbers and other.moved]
    return [host for host in hosts if _goes_along(vehicle, host)]


def _goes_along(part: Vehicle, host: Vehicle) -> bool:
    """Whether both have moved alike; a large box that stands is a false one or a parked vehicle, not what the part is of."""
    motions = part.trajectory.velocity(_MEMORY_S), host.trajectory.velocity(_MEMORY_S)
    if motions[0] is None or motions[1] is None:
        return True
    one, two = motions[0][0], motions[1][0]
    speeds = math.hypot(*one), math.hypot(*two)
    if min(speeds) < _SLOWER * max(speeds):
        return False
    return max(speeds) == 0 or float(one @ two) >= _SAME_WAY_COS * speeds[0] * speeds[1]


def _inside(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """bool (n, n): whether box i lies mostly inside the clearly larger box j."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    lowest = boxes[:, 3] + _BELOW * (boxes[:, 3] - boxes[:, 1])
    stands_within = boxes[:, None, 3] <= lowest[None, :]
    larger = area[None, :] >= _LARGER * area[:, None]
    result: NDArray[np.bool_] = (shared >= _INSIDE_SHARE * area[:, None]) & larger & stands_within
    return result
