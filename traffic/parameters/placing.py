"""From the vehicles of the passages to places along straightened lanes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from traffic.geometry import along_polyline
from traffic.parameters.config import ParameterConfig
from traffic.parameters.faint import FaintVehicle
from traffic.parameters.footprint import image_length
from traffic.parameters.memory import LaneMemory, covers
from traffic.parameters.observation import LaneShape, LaneVehicle
from traffic.passages.dimensions import Dimensions, usual_dimensions
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
    _gates: Gates = field(init=False)

    def __post_init__(self) -> None:
        self._gates = Gates(self.lanes, self.view)
        found = {lane.road_num: straighten(lane, self.view, self.config.loop_length_m) for lane in self.lanes}
        self.straight = {number: lane for number, lane in found.items() if lane is not None}
        self._memories = {number: LaneMemory(self.config) for number in self.straight}

    def place(
        self, time_s: float, vehicles: Iterable[Vehicle], faint: Sequence[FaintVehicle] = ()
    ) -> dict[int, list[LaneVehicle]]:
        """The vehicles of the frame at ``time_s`` by roadNum.

        Args:
            vehicles: all that are followed; those without a sample of this very frame are hidden.
            faint: those that are seen too faintly to be followed.
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
        placed = {n: self._memories[n].complete(time_s, found, seen, leaving) for n, found in present.items()}
        for number, faint_one in self._place_faint(faint):
            if not any(covers(other, faint_one) for other in placed[number]):
                placed[number].append(faint_one)
        return placed

    def _place_faint(self, faint: Sequence[FaintVehicle]) -> Iterator[tuple[int, LaneVehicle]]:
        """roadNum and place of each faint vehicle whose lower edge meets a lane."""
        if not faint:
            return
        boxes = self.view.relative(np.array([vehicle.box for vehicle in faint], np.float64))
        feet = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]])
        points = self.view.to_ground(feet)
        for vehicle, lane_index, point, box in zip(faint, self._gates.lane_at(feet).tolist(), points, boxes, strict=True):
            lane = self.straight.get(self.lanes[lane_index].road_num) if lane_index >= 0 else None
            if lane is None or not np.isfinite(point).all():
                continue
            place, usual = float(lane.places(point[None])[0]), usual_dimensions(vehicle.object_class)
            if self.view.metric:
                front, length, nominal = place + (0.5 - lane.seen_end) * usual.length_m, usual.length_m, 1.0
            else:
                front, length = self._extent(lane, (float(point[0]), float(point[1])), tuple(box.tolist()), place, usual)
                nominal = usual.length_m / length
            yield lane.shape.road_num, LaneVehicle(
                track_id=TrackId(vehicle.number), object_class=vehicle.object_class, front=front, rear=front - length,
                nominal=nominal, hidden=self._hidden(lane, tuple(box.tolist())), faint=True,
            )  # fmt: skip

    def _in_lane(self, lane: StraightLane, vehicle: Vehicle, sample: Sample) -> LaneVehicle:
        place = float(lane.places(np.array([sample.centre]))[0])
        if not self.view.metric:
            return self._in_picture(lane, vehicle, sample, place)
        usual = usual_dimensions(vehicle.track.object_class).length_m
        length = self._length(vehicle)
        turned = float(np.hypot(*sample.ahead)) > 0
        # The end that is seen stays where it was measured (the sample's centre supposes the usual length).
        middle = place + lane.seen_end * (usual - length) if turned else place - lane.seen_end * length
        return self._vehicle(lane, vehicle, sample, middle + length / 2, middle - length / 2, 1.0)

    def _in_picture(self, lane: StraightLane, vehicle: Vehicle, sample: Sample, place: float) -> LaneVehicle:
        usual = usual_dimensions(vehicle.track.object_class)
        front, length = self._extent(lane, sample.centre, sample.box, place, usual)
        return self._vehicle(lane, vehicle, sample, front, front - length, usual.length_m / length)

    def _extent(
        self, lane: StraightLane, point: tuple[float, float], box: Box, place: float, usual: Dimensions
    ) -> tuple[float, float]:
        """Place of the front and length of a vehicle in a picture that is not calibrated; ``point``: where it meets the road."""
        steps = np.diff(lane.path, axis=0)
        nearest = int(np.argmin(np.hypot(*((lane.path[:-1] + lane.path[1:]) / 2 - np.array(point)).T)))
        way = steps[nearest] / max(float(np.hypot(*steps[nearest])), 1e-12)
        x1, y1, x2, y2 = box
        length = image_length((x2 - x1) * self.view.aspect, y2 - y1, (float(way[0]), float(way[1])), usual)
        front = place if way[1] > 0.5 else place + length if way[1] < -0.5 else place + length / 2
        return front, length

    def _vehicle(
        self, lane: StraightLane, vehicle: Vehicle, sample: Sample, front: float, rear: float, nominal: float
    ) -> LaneVehicle:
        track = vehicle.track
        return LaneVehicle(
            track_id=track.track_id, object_class=track.object_class, front=float(front), rear=float(rear), nominal=nominal,
            hidden=self._hidden(lane, sample.box) if lane.shape.stop is not None else None,
        )  # fmt: skip

    def _hidden(self, lane: StraightLane, box: Box) -> tuple[float, float] | None:
        """Places between which a box hides the road: from the ground seen at its lower edge to that at its upper edge."""
        x1, y1, x2, y2 = box
        middle = (x1 + x2) / 2
        ground = self.view.to_ground(np.array([[middle, y1], [middle, y2]]))
        if not np.isfinite(ground).all():
            return None
        top, foot = lane.places(ground).tolist()
        return min(top, foot), max(top, foot)

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
