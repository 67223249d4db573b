"""From the vehicles of the passages to places along straightened lanes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from traffic.geometry import along_polyline
from traffic.parameters.config import ParameterConfig
from traffic.parameters.footprint import image_length
from traffic.parameters.memory import LaneMemory
from traffic.parameters.observation import LaneShape, LaneVehicle
from traffic.passages.dimensions import usual_dimensions
from traffic.passages.gates import Gates
from traffic.passages.size import estimate_size
from traffic.passages.vehicle import Sample, Vehicle
from traffic.passages.view import GroundView
from traffic.scene.model import Lane
from traffic.types import Box, TrackId

Array = NDArray[np.float64]

_SIZE_AT = (8, 24, 72)  # a length is estimated when a vehicle has this many measured samples
_SIZE_SAMPLES = 40
_BORDER = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class StraightLane:
    """A lane of the scene and how places along it are found.

    Attributes:
        path: float64 (k, 2), its direction on the ground. start: arc length at which the lane begins.
        seen_end: which end of a vehicle is seen: +0.5 front, -0.5 rear, 0 side.
    """

    shape: LaneShape
    path: Array
    start: float
    seen_end: float

    def places(self, points: Array) -> Array:
        """Places along the lane of ground points (n, 2)."""
        result: Array = along_polyline(self.path, points) - self.start
        return result


def straighten(lane: Lane, view: GroundView, loop_length_m: float) -> StraightLane | None:
    """A lane as seen by ``view``; None when it cannot be measured (beyond the horizon)."""
    gate = Gates((lane,), view).gates[0]
    path = view.to_ground(np.asarray(lane.direction, np.float64))
    outline = view.to_ground(np.asarray(lane.polygon, np.float64))
    if not (np.isfinite(path).all() and np.isfinite(outline).all()):
        return None
    ends = along_polyline(path, outline)
    start, length = float(ends.min()), float(ends.max() - ends.min())
    if length <= 0:
        return None
    at = float(along_polyline(path, gate.line.origin[None])[0]) - start
    half = loop_length_m / 2 if view.metric else 0.0
    stop = None
    if lane.stop_line is not None:
        stop = float(along_polyline(path, view.to_ground(np.asarray(lane.stop_line, np.float64)).mean(axis=0)[None])[0]) - start
    shape = LaneShape(road_num=lane.road_num, length=length, loop=(at - half, at + half), stop=stop, metric=view.metric)
    return StraightLane(shape, path, start, gate.seen_end)


def _at_border(box: Box) -> bool:
    """Whether a relative box touches the picture's edge where vehicles leave it."""
    return box[0] <= _BORDER or box[2] >= 1 - _BORDER or box[3] >= 1 - _BORDER


@dataclass(slots=True)
class _Size:
    length_m: float
    samples: int = 0


@dataclass(slots=True)
class LanePlacer:
    """Places the vehicles of one camera in its lanes, frame by frame, and remembers those that are hidden.

    Lengths come from the boxes of calibrated vehicles (``estimate_size``), else from what is usual for the class.
    """

    lanes: Sequence[Lane]
    view: GroundView
    config: ParameterConfig
    straight: dict[int, StraightLane] = field(init=False)
    _memories: dict[int, LaneMemory] = field(init=False)
    _sizes: dict[TrackId, _Size] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        found = {lane.road_num: straighten(lane, self.view, self.config.loop_length_m) for lane in self.lanes}
        self.straight = {number: lane for number, lane in found.items() if lane is not None}
        self._memories = {number: LaneMemory(self.config) for number in self.straight}

    def place(self, time_s: float, vehicles: Iterable[Vehicle]) -> dict[int, list[LaneVehicle]]:
        """The vehicles of the frame at ``time_s`` by roadNum.

        Args:
            vehicles: all that are followed; those without a sample of this very frame are hidden.
        """
        present: dict[int, list[LaneVehicle]] = {number: [] for number in self.straight}
        alive, seen, leaving = set(), set(), set()
        for vehicle in vehicles:
            track_id, samples = vehicle.track.track_id, vehicle.trajectory.samples
            alive.add(track_id)
            if not samples or samples[-1].time_s != time_s:
                continue
            seen.add(track_id)  # in a lane or beside all of them: it is hidden nowhere
            if _at_border(samples[-1].box):
                leaving.add(track_id)
            if not 0 <= vehicle.lane < len(self.lanes):
                continue
            lane = self.straight.get(self.lanes[vehicle.lane].road_num)
            if lane is not None and np.isfinite(samples[-1].centre).all():
                present[lane.shape.road_num].append(self._in_lane(lane, vehicle, samples[-1]))
        self._sizes = {track_id: size for track_id, size in self._sizes.items() if track_id in alive}
        return {n: self._memories[n].complete(time_s, placed, seen, leaving) for n, placed in present.items()}

    def _in_lane(self, lane: StraightLane, vehicle: Vehicle, sample: Sample) -> LaneVehicle:
        place = float(lane.places(np.array([sample.centre]))[0])
        if not self.view.metric:
            return self._in_picture(lane, vehicle, sample, place)
        usual = usual_dimensions(vehicle.track.object_class).length_m
        length = self._length(vehicle)
        turned = float(np.hypot(*sample.ahead)) > 0
        # The end that is seen stays where it was measured (the sample's centre supposes the usual length).
        middle = place + lane.seen_end * (usual - length) if turned else place - lane.seen_end * length
        return self._vehicle(vehicle, middle + length / 2, middle - length / 2, 1.0)

    def _in_picture(self, lane: StraightLane, vehicle: Vehicle, sample: Sample, place: float) -> LaneVehicle:
        steps = np.diff(lane.path, axis=0)
        nearest = int(np.argmin(np.hypot(*((lane.path[:-1] + lane.path[1:]) / 2 - np.array(sample.centre)).T)))
        way = steps[nearest] / max(float(np.hypot(*steps[nearest])), 1e-12)
        x1, y1, x2, y2 = sample.box
        usual = usual_dimensions(vehicle.track.object_class)
        length = image_length((x2 - x1) * self.view.aspect, y2 - y1, (float(way[0]), float(way[1])), usual)
        front = place if way[1] > 0.5 else place + length if way[1] < -0.5 else place + length / 2
        return self._vehicle(vehicle, front, front - length, usual.length_m / length)

    def _vehicle(self, vehicle: Vehicle, front: float, rear: float, nominal: float) -> LaneVehicle:
        track = vehicle.track
        return LaneVehicle(
            track_id=track.track_id, object_class=track.object_class, front=float(front), rear=float(rear), nominal=nominal
        )

    def _length(self, vehicle: Vehicle) -> float:
        """In metres; estimated anew when much more has been seen of the vehicle, or its class has changed its mind."""
        track = vehicle.track
        size = self._sizes.get(track.track_id)
        if size is None:
            size = self._sizes[track.track_id] = _Size(usual_dimensions(track.object_class).length_m)
        due = sum(len(vehicle.trajectory) >= number for number in _SIZE_AT)
        if due > size.samples:
            samples = [s for s in vehicle.trajectory.samples if s.measured and s.ahead != (0.0, 0.0)]
            samples = samples[:: max(len(samples) // _SIZE_SAMPLES, 1)]
            if len(samples) >= _SIZE_AT[0] // 2:
                headings = np.array([s.ahead for s in samples])
                headings /= np.hypot(headings[:, 0], headings[:, 1])[:, None]
                boxes = np.array([s.box for s in samples])
                size.length_m = estimate_size(self.view, boxes, headings, track.object_class).length_m
            size.samples = due
        return size.length_m
