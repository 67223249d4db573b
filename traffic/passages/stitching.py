"""Which vehicle a track carries: a new track may continue an old vehicle, and a recovered one may carry another."""

from collections.abc import Iterable

import numpy as np

from traffic.passages.config import PassageConfig
from traffic.passages.dimensions import usual_dimensions
from traffic.passages.vehicle import Array, Recovery, Sample, Vehicle
from traffic.passages.view import GroundView
from traffic.types import FOUR_WHEELED, Track

_GATE_LENGTHS = 0.6
_GATE_PX = 3.0
_SPEED_ERROR = 0.3  # a vehicle's speed may change by about this share during the gap,
_WAY_ERROR = 0.15  # and its way leads aside by this share: half a turn to the side street
_RECOVERED_S = 0.4  # shorter gaps are the tracker's own business
_BACKWARD_LENGTHS = 0.7
_ASIDE_WIDTHS = 1.3
_ASIDE_SHARE = 0.5  # of the way made: a lane change during the gap
_TURN_WITHIN_S = 2.5  # nobody turns round so soon after driving
_TURN_COS = -0.5
_TURN_SAMPLES, _TURN_S = 4, 0.3  # whole boxes that show the new way
_TURN_SPEED_MS, _TURN_HEIGHTS = 2.0, 0.5  # least speed before and after; without metres in heights of its box a second
_TURN_HEIGHT = 0.1  # of the picture: boxes of smaller ones, farther away, jitter by metres on the ground
_TURN_WAY_HEIGHTS = 0.5  # least way since, in the picture, in heights of its box
_MAX_GROWTH = 1.8  # ratio of the heights before and after, corrected for distance when calibrated
_MAX_GROWTH_IMAGE = 2.5  # without calibration, where coming nearer makes a box grow


def find_predecessor(
    track: Track, sample: Sample, candidates: Iterable[Vehicle], view: GroundView, config: PassageConfig
) -> Vehicle | None:
    """The vehicle that a new ``track`` continues, or None.

    A candidate's last match must lie before the new track's first detection, and its last motion must carry it to where
    the new track is: within 0.6 of its length, 3 pixels and what a change of speed by 30 % makes of the gap, half as much
    aside. It may not go the other way.
    """
    best: tuple[float, Vehicle] | None = None
    for vehicle in candidates:
        gap_s = sample.time_s - vehicle.last_matched_s
        if vehicle.continued or not 0 < gap_s <= config.stitch_s or vehicle.last_matched_s >= track.first_time_s:
            continue
        if (vehicle.track.object_class in FOUR_WHEELED) != (track.object_class in FOUR_WHEELED):
            continue
        distance = _distance(vehicle, track, sample, view, config)
        if distance is not None and (best is None or distance < best[0]):
            best = (distance, vehicle)
    return None if best is None or best[0] > 1.0 else best[1]


def is_another(vehicle: Vehicle, sample: Sample, view: GroundView) -> bool:
    """Whether a track that was lost for a while has come back on a different vehicle.

    A vehicle that leaves the picture leaves a LOST track behind, which the next one may pick up. A vehicle that was driving
    cannot be found behind the place where it was last seen, nor far beside its way.
    """
    gap_s = sample.time_s - vehicle.last_matched_s
    if gap_s < _RECOVERED_S:  # first of all: this is asked of every vehicle of every frame
        return False
    motion = vehicle.trajectory.velocity(1.0)
    if motion is None or not np.isfinite(sample.centre).all():
        return False
    velocity, _ = motion
    last = vehicle.trajectory.samples[-1]
    speed = float(np.hypot(velocity[0], velocity[1]))
    usual = usual_dimensions(vehicle.track.object_class)
    box_height, box_width = last.box[3] - last.box[1], (last.box[2] - last.box[0]) * view.aspect
    length, width = (usual.length_m, usual.width_m) if view.metric else (box_height, box_width)
    if speed * gap_s < length:
        return False  # it may as well have stood still
    bottom = np.array([[(sample.box[0] + sample.box[2]) / 2, sample.box[3]]])
    slack = _GATE_PX * float(np.abs(view.per_pixel(bottom)).sum())
    way = np.array(sample.centre) - np.array(last.centre)
    along = float(way @ velocity) / speed
    aside = abs(float(way[0] * velocity[1] - way[1] * velocity[0])) / speed
    backward = max(-along, 0.0) / (_BACKWARD_LENGTHS * length + slack)
    beside = max(aside - _ASIDE_SHARE * max(along, 0.0), 0.0) / (_ASIDE_WIDTHS * width + slack)
    return backward + beside > 1


def recovery_of(vehicle: Vehicle, sample: Sample) -> Recovery | None:
    """The recovery that ``sample``, the next one of the vehicle, is; the one before when its track was not lost for long."""
    if sample.time_s - vehicle.last_matched_s < _RECOVERED_S:
        return vehicle.recovery
    motion = vehicle.trajectory.velocity(1.0)
    return vehicle.recovery if motion is None else Recovery(sample.time_s, motion[0])


def has_turned(vehicle: Vehicle, view: GroundView) -> bool:
    """Whether a track that came back after a while goes the other way now: it has come back on a different vehicle.

    Where oncoming vehicles leave the picture beside the place where others enter it, the first whole boxes after the gap may well
    lie on the old way.
    """
    recovery = vehicle.recovery
    newest = vehicle.trajectory.samples[-1]
    if recovery is None or newest.time_s - recovery.time_s > _TURN_WITHIN_S:
        return False
    since = [s for s in vehicle.trajectory.recent(_TURN_WITHIN_S) if s.time_s >= recovery.time_s]
    if len(since) < _TURN_SAMPLES or since[-1].time_s - since[0].time_s < _TURN_S:
        return False
    width, height = view.frame_size
    (left, top, right, bottom), new = since[0].box, since[-1].box
    aside, down = (new[0] + new[2] - left - right) / 2 * width, (new[1] + new[3] - top - bottom) / 2 * height
    tall = max(new[3] - new[1], bottom - top)
    if tall < _TURN_HEIGHT or np.hypot(aside, down) < _TURN_WAY_HEIGHTS * tall * height:
        return False
    now = (np.array(since[-1].centre) - since[0].centre) / (since[-1].time_s - since[0].time_s)
    return _opposite(now, recovery.before, newest, view)


def _distance(vehicle: Vehicle, track: Track, sample: Sample, view: GroundView, config: PassageConfig) -> float | None:
    """Distance of the sample from the place the vehicle is carried to, in units of what is allowed; None: it is no candidate."""
    motion = vehicle.trajectory.velocity(1.0)
    if motion is None:
        return None
    velocity, last = motion
    old_height = last.box[3] - last.box[1]
    if not _same_height(last, sample, view):
        return None
    gap_s = sample.time_s - last.time_s
    place = np.array(last.centre) + velocity * gap_s
    speed = float(np.hypot(velocity[0], velocity[1]))
    if view.metric and speed * 3.6 > config.max_speed_kmh:
        return None  # far away a pixel is many metres: a track that jumped there would reach any vehicle in the picture
    bottom = np.array([[(sample.box[0] + sample.box[2]) / 2, sample.box[3]]])
    slope = view.per_pixel(bottom)[0]
    if _opposite(slope @ np.array(track.velocity), velocity, sample, view):
        return None
    length = usual_dimensions(vehicle.track.object_class).length_m if view.metric else old_height
    allowed = _GATE_LENGTHS * length + _GATE_PX * float(np.abs(slope).sum())
    off = np.array(sample.centre) - place
    ahead = velocity / speed if speed > 0 else np.array([1.0, 0.0])
    along, aside = float(off @ ahead), float(off[0] * ahead[1] - off[1] * ahead[0])
    way = speed * gap_s
    distance = float(np.hypot(along / (allowed + _SPEED_ERROR * way), aside / (allowed + _WAY_ERROR * way)))
    return distance if np.isfinite(distance) else None


def _opposite(first: Array, second: Array, sample: Sample, view: GroundView) -> bool:
    """Whether two velocities (2,) on the ground, both clear ones, are of opposite ways."""
    least = _TURN_SPEED_MS if view.metric else _TURN_HEIGHTS * (sample.box[3] - sample.box[1])
    speeds = float(np.hypot(*first)), float(np.hypot(*second))
    return min(speeds) >= least and float(first @ second) <= _TURN_COS * speeds[0] * speeds[1]


def _same_height(before: Sample, after: Sample, view: GroundView) -> bool:
    """Whether two boxes may be of one vehicle by their heights; on the road a pixel is worth what it is worth across."""
    heights = np.array([before.box[3] - before.box[1], after.box[3] - after.box[1]])
    limit = _MAX_GROWTH_IMAGE
    if view.metric:
        bottoms = np.array([[(box[0] + box[2]) / 2, box[3]] for box in (before.box, after.box)])
        heights = heights * np.hypot(*view.per_pixel(bottoms)[:, :, 0].T)
        limit = _MAX_GROWTH
    ratio = float(heights[1] / max(heights[0], 1e-12))
    return 1 / limit < ratio < limit
