"""A second box on part of a vehicle: the cab of a lorry, the bonnet of a van, the rider of a motorcycle taken for a car.

A detector that knows only whole vehicles sometimes boxes a part of a large one as a vehicle of its own, frame after frame, and
the tracker follows it like any other. What gives it away is that it never leaves the larger box. A vehicle that is hidden
behind a larger one for a moment was, or will be, seen outside it.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from traffic.passages.vehicle import Host, Inside, Vehicle
from traffic.types import FOUR_WHEELED, TrackId

Flags = NDArray[np.bool_]

_INSIDE_SHARE = 0.65  # of the smaller box's area
_LARGER = 1.3  # ratio of the areas
_NOT_LARGER = 1.3  # a car is larger than the motorcycle before it; a "car" that is not is the rider
_BELOW = 0.05  # of the larger box's height: what reaches lower stands nearer to the camera, on its own wheels
_CORNER = 0.12  # of the larger box: two edges that meet lie so near to its own
_ALWAYS = 0.75  # of the frames
_MOST = 0.6  # of the last second
_STILL = 0.2  # a part's track may jump to another vehicle just before the line
_MEMORY_S = 1.0  # what "lately" remembers
_LEAST_FRAMES = 3
_SLOWER = 0.15  # without metres the far end of a lorry moves several times slower than its near one
_SAME_WAY_COS = 0.5
_SOME = 0.2  # of the frames: the same lorry may have had two tracks
_MOST_HOSTS = 16  # remembered


def watch_parts(time_s: float, vehicles: Sequence[Vehicle]) -> None:
    """Note for the vehicles matched in the frame at ``time_s`` (each with its newest sample) which box lies in which."""
    if not vehicles:
        return
    boxes = np.array([vehicle.trajectory.samples[-1].box for vehicle in vehicles])
    wheels = np.array([vehicle.track.object_class in FOUR_WHEELED for vehicle in vehicles])
    inside = _inside(boxes, wheels)
    corner = _at_corner(boxes) if inside.any() else inside
    for row, vehicle in enumerate(vehicles):
        hosts = {int(host): bool(corner[row, host]) for host in np.flatnonzero(inside[row])}
        _note(vehicle.parts, time_s, [(vehicles[host], at_corner) for host, at_corner in hosts.items()])


def _note(parts: Inside, time_s: float, found: Sequence[tuple[Vehicle, bool]]) -> None:
    kept = 0.0 if parts.last_s is None else math.exp((parts.last_s - time_s) / _MEMORY_S)
    parts.last_s = time_s
    parts.seen += 1
    parts.inside += bool(found)
    for host in parts.hosts.values():
        host.lately *= kept
        host.corner *= kept
    for vehicle, at_corner in found:
        host = parts.hosts.setdefault(vehicle.track.track_id, Host())
        host.frames += 1
        host.lately += 1 - kept
        host.corner += (1 - kept) * at_corner
        host.moved = vehicle.moved
    while len(parts.hosts) > _MOST_HOSTS:
        del parts.hosts[min(parts.hosts, key=lambda number: (parts.hosts[number].lately, parts.hosts[number].frames))]


def always_inside(vehicle: Vehicle, others: Iterable[Vehicle]) -> list[Vehicle]:
    """Those of ``others`` in whose box the vehicle has been for most of its life, and was just now."""
    parts = vehicle.parts
    least = max(_ALWAYS * parts.seen, _LEAST_FRAMES)
    if parts.inside < least:
        return []
    hosts, refuted = _hosts(vehicle, others)
    # A host that is gone may have been the same lorry under another number, unless it stood all the time.
    frames = sum(host.frames for number, host in parts.hosts.items() if number not in refuted and host.moved)
    hosts = [host for host in hosts if parts.hosts[host.track.track_id].frames >= _SOME * parts.seen]
    lately = sum(host.lately for number, host in parts.hosts.items() if number not in refuted)
    return hosts if frames >= least and lately >= _STILL else []


def lately_inside(vehicle: Vehicle, others: Iterable[Vehicle]) -> list[Vehicle]:
    """Those of ``others`` in whose box the vehicle has been for most of the last second, several tracks of one lorry together."""
    known = vehicle.parts.hosts
    if sum(host.lately for host in known.values()) < _MOST:
        return []
    hosts = [host for host in _hosts(vehicle, others)[0] if known[host.track.track_id].frames >= _LEAST_FRAMES]
    lately = sum(known[number].lately for number in {host.track.track_id for host in hosts})
    return hosts if lately >= _MOST else []


def is_corner(vehicle: Vehicle, host: Vehicle) -> bool:
    """Whether the vehicle's box has lain in an upper corner of the host's for most of the last second.

    The box of a whole vehicle is drawn around its ends, so the end of a lorry that is farther away has the top and a side in
    common with it, though its contact point seems to lie elsewhere; what drives in the next lane and is hidden in part has
    neither but by chance.
    """
    known = vehicle.parts.hosts.get(host.track.track_id)
    return known is not None and known.corner >= _MOST


def _hosts(vehicle: Vehicle, others: Iterable[Vehicle]) -> tuple[list[Vehicle], set[TrackId]]:
    """The hosts of the vehicle among ``others``, and the numbers of those that cannot be what it is a part of."""
    known = [other for other in others if other is not vehicle and other.track.track_id in vehicle.parts.hosts]
    good = [other for other in known if other.moved and _goes_along(vehicle, other)]
    return good, {other.track.track_id for other in known} - {other.track.track_id for other in good}


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


def _inside(boxes: NDArray[np.float64], four_wheeled: Flags) -> Flags:
    """bool (n, n): whether box i lies mostly inside the clearly larger box j of its own kind.

    Of different kinds, only a car can be part of a motorcycle, and only one that is hardly larger than that.
    """
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    lowest = boxes[:, 3] + _BELOW * (boxes[:, 3] - boxes[:, 1])
    stands_within = boxes[:, None, 3] <= lowest[None, :]
    larger = area[None, :] >= _LARGER * area[:, None]
    alike = four_wheeled[:, None] == four_wheeled[None, :]
    rider = four_wheeled[:, None] & ~four_wheeled[None, :] & (area[:, None] <= _NOT_LARGER * area[None, :])
    result: Flags = (shared >= _INSIDE_SHARE * area[:, None]) & ((larger & alike & stands_within) | rider)
    return result


def _at_corner(boxes: NDArray[np.float64]) -> Flags:
    """bool (n, n): whether the top edge of box i and one of its sides lie at those of box j."""
    extent = boxes[:, 2:] - boxes[:, :2]
    near = np.abs(boxes[:, None] - boxes[None]) <= _CORNER * np.tile(extent, 2)[None]
    result: Flags = (near[:, :, 0] | near[:, :, 2]) & near[:, :, 1]
    return result
