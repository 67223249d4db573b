"""From tracks of one frame to samples on the ground, all vehicles at once."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from traffic.passages.config import PassageConfig
from traffic.passages.dimensions import usual_dimensions
from traffic.passages.gates import Gates
from traffic.passages.vehicle import Sample, Vehicle
from traffic.passages.view import GroundView
from traffic.types import Box, ObjectClass, Track

Array = NDArray[np.float64]

_HEADING_PX = 6.0  # a displacement this long, in pixels, tells the heading well enough to turn a block by it


def sizes_of(classes: Sequence[ObjectClass]) -> Array:
    """Usual length, width, height (n, 3) in metres."""
    usual = [usual_dimensions(object_class) for object_class in classes]
    return np.array([(d.length_m, d.width_m, d.height_m) for d in usual]).reshape(-1, 3)


def cut_by_border(boxes_px: Array, frame_size: tuple[int, int], border_px: float) -> NDArray[np.bool_]:
    """Boxes (n, 4) whose left, right or bottom edge lies on the picture's border: their bottom centre is not the vehicle's.
    A cut top does no harm."""
    width, height = frame_size
    reach = max(border_px, 0.004 * max(frame_size))
    cut: NDArray[np.bool_] = (
        (boxes_px[:, 0] <= reach) | (boxes_px[:, 2] >= width - 1 - reach) | (boxes_px[:, 3] >= height - 1 - reach)
    )
    return cut


class Observer:
    """Makes the samples of a frame."""

    def __init__(self, view: GroundView, gates: Gates, config: PassageConfig) -> None:
        self._view, self._gates, self._config = view, gates, config

    def samples(self, time_s: float, tracks: Sequence[Track], vehicles: Sequence[Vehicle]) -> list[Sample]:
        """The sample of each of ``tracks`` (all CONFIRMED); ``vehicles`` are theirs, not yet holding this frame."""
        if not tracks:
            return []
        boxes_px = np.array([track.detection or track.box for track in tracks], np.float64)
        cut = cut_by_border(boxes_px, self._view.frame_size, self._config.border_px)
        boxes = self._view.relative(boxes_px)
        contacts = self._view.contacts(boxes)
        sizes = sizes_of([track.object_class for track in tracks])
        headings = self._headings(contacts, boxes, vehicles)
        known = np.asarray(np.isfinite(headings).all(axis=1), np.bool_)
        centres = contacts.copy()
        if known.any():
            centres[known] = self._view.centres(boxes[known], headings[known], sizes[known])
        aheads = np.where(known[:, None], headings * sizes[:, :1], 0.0)
        result = []
        for row, vehicle in enumerate(vehicles):
            centre = self._carried_on(vehicle, time_s, centres[row]) if cut[row] else centres[row]
            if not np.isfinite(centre).all():
                previous = vehicle.trajectory.samples
                centre = np.array(previous[-1].centre) if previous else np.full(2, np.nan)
            box: Box = tuple(boxes[row].tolist())
            whole = not cut[row] and bool(np.isfinite(centres[row]).all())
            result.append(
                Sample(time_s, box, (float(centre[0]), float(centre[1])), (float(aheads[row, 0]), float(aheads[row, 1])), whole)
            )
        return result

    def before_confirmation(self, track: Track, sample: Sample) -> Sample | None:
        """Where a vehicle was when it was first detected, some frames before its track was confirmed.

        Carried back at four fifths of its velocity, so that no vehicle is moved to the other side of a line that it was
        never seen on by an overestimated velocity alone."""
        ago_s = track.time_s - track.first_time_s
        if ago_s <= 0 or not sample.measured:
            return None
        bottom = np.array([[(sample.box[0] + sample.box[2]) / 2, sample.box[3]]])
        velocity = self._view.per_pixel(bottom)[0] @ np.array(track.velocity)
        centre = np.array(sample.centre) - 0.8 * ago_s * velocity
        if not np.isfinite(centre).all():
            return None
        return Sample(track.first_time_s, sample.box, (float(centre[0]), float(centre[1])), sample.ahead, False)

    def _headings(self, contacts: Array, boxes: Array, vehicles: Sequence[Vehicle]) -> Array:
        """Unit headings (n, 2) on the ground: the lane's where the vehicle drives along it, else of its own way, else nan."""
        headings = np.full((len(vehicles), 2), np.nan)
        if self._view.camera is None:
            return headings
        bottom = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]])
        pixel = np.abs(self._view.per_pixel(bottom)).sum(axis=(1, 2))
        for row, vehicle in enumerate(vehicles):
            way = self._way(vehicle, contacts[row], float(pixel[row]))
            lane = self._gates.directions[vehicle.lane] if vehicle.lane >= 0 else None
            if way is None:
                last = vehicle.trajectory.samples[-1].ahead if vehicle.trajectory.samples else (0.0, 0.0)
                length = float(np.hypot(*last))
                way = np.array(last) / length if length > 0 else None
            if lane is not None and (way is None or float(way @ lane) > 0.85):
                headings[row] = lane
            elif way is not None:
                headings[row] = way
        return headings

    def _way(self, vehicle: Vehicle, contact: Array, pixel: float) -> Array | None:
        """Direction from where it was a while ago; None when it has not come far enough to tell."""
        least = max(1.5, _HEADING_PX * pixel)
        x, y = float(contact[0]), float(contact[1])
        for sample in reversed(vehicle.trajectory.samples):
            if sample.measured:
                step_x, step_y = x - sample.centre[0], y - sample.centre[1]
                distance = math.hypot(step_x, step_y)
                if distance >= least + math.hypot(*sample.ahead) / 2:
                    return np.array([step_x / distance, step_y / distance])
        return None

    def _carried_on(self, vehicle: Vehicle, time_s: float, edge: Array) -> Array:
        """Where a vehicle is whose box the border cuts: carried on at its last velocity, but never behind what is seen."""
        motion = vehicle.trajectory.velocity()
        if motion is None:
            return edge
        velocity, last = motion
        ahead_s = min(time_s - last.time_s, self._config.coast_s)
        centre = np.array(last.centre) + velocity * ahead_s
        result: Array = edge if np.isfinite(edge).all() and float((edge - centre) @ velocity) > 0 else centre
        return result
