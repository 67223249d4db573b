"""Passages: which vehicle crossed which lane's snapshot line when, exactly once each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from traffic.facts import VehiclePassage
from traffic.geometry import Homography, side_of
from traffic.passages.lanes import PreparedLane, claims, lane_at, nearly_claims, prepare
from traffic.passages.learning import learn_lane, main_directions
from traffic.passages.measure import heading_of, speed_kmh
from traffic.passages.trajectory import Crossing, Trajectory
from traffic.scene import Lane, Scene
from traffic.tracking.boxes import iou, widened
from traffic.types import Track, TrackId, TrackState


@dataclass(frozen=True, kw_only=True, slots=True)
class PassageConfig:
    """Settings.

    Attributes:
        history: sights kept per track.
        max_headway_s: beyond this the vehicle ahead is no longer "ahead" (spacing and headway are not measured).
        predicted_s: a vehicle lost this shortly before the line still passes it by its predicted motion.
        min_hits: matched detections a track needs before its crossing is believed.
        takeover_s: a new track may continue one lost at most this long ago.
        speed_window_s: longest stretch before the line that the speed is measured on.
        learn_paths: paths of one direction that make a learned lane.
        max_waiting_paths: ended paths kept for learning.
    """

    history: int = 400
    max_headway_s: float = 120.0
    predicted_s: float = 0.6
    min_hits: int = 3
    takeover_s: float = 2.0
    speed_window_s: float = 4.0
    learn_paths: int = 5
    max_waiting_paths: int = 200


@dataclass(slots=True)
class _Leader:
    """The last vehicle that passed a lane's line."""

    time_s: float
    speed_kmh: float | None
    trajectory: Trajectory


class PassageAnalyzer:
    """Turns tracks into passages. Feed it the tracker's answer of every analysed frame, in order."""

    def __init__(self, scene: Scene | None, config: PassageConfig | None = None) -> None:
        self._config = config or PassageConfig()
        self._learning = scene is None or not scene.lanes
        scene = scene or Scene()
        self._counted_classes = scene.counted_classes
        self._road = Homography(scene.calibration.image_to_road) if scene.calibration else None
        self._lanes = [prepare(lane) for lane in scene.lanes]
        self._paths: dict[TrackId, Trajectory] = {}
        self._gone: list[Trajectory] = []  # lost for good within takeover_s
        self._waiting: list[Trajectory] = []  # ended paths in no lane, for learning
        self._leaders: dict[int, _Leader] = {}
        self._frame_size = (1, 1)
        self._time_s = 0.0

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The lanes in force: the scene's, or those learned so far."""
        return tuple(prepared.lane for prepared in self._lanes)

    def lane_of(self, track_id: TrackId) -> int:
        """roadNum of the lane that holds the track's contact point; 0 for none."""
        path = self._paths.get(track_id)
        found = lane_at(self._lanes, path.last.contact) if path else None
        return found.lane.road_num if found else 0

    def speed_kmh(self, track_id: TrackId) -> float | None:
        """Speed over the last second and a half; None when not measured."""
        path = self._paths.get(track_id)
        if path is None or self._road is None:
            return None
        return speed_kmh(path, self._road, path.last.time_s - 1.5, path.last.time_s)

    def update(self, time_s: float, frame_size: tuple[int, int], tracks: Sequence[Track]) -> tuple[VehiclePassage, ...]:
        """Take in one frame.

        Args:
            time_s: video time of the frame.
            frame_size: (width, height) in pixels.
            tracks: what ``Tracker.update`` returned for the frame.

        Returns:
            The passages that are certain now, in order of time.
        """
        self._time_s, self._frame_size = time_s, frame_size
        passages: list[VehiclePassage] = []
        for track in tracks:
            if track.object_class not in self._counted_classes:
                self._paths.pop(track.track_id, None)
                continue
            if track.state is TrackState.DELETED:
                self._retire(track)
                continue
            path = self._paths.get(track.track_id)
            if path is None:
                path = self._paths[track.track_id] = Trajectory(track, frame_size, self._config.history)
                self._take_over(path)
            else:
                path.add(track, frame_size)
            passages += self._check(path, self._lanes, start=len(path.sights) - 1 if len(path.sights) > 2 else 1)
        self._gone = [p for p in self._gone if time_s - p.last.time_s <= self._config.takeover_s]
        if self._learning:
            passages += self._learn(self._config.learn_paths)
        return tuple(sorted(passages, key=lambda passage: passage.time_s))

    def finish(self) -> tuple[VehiclePassage, ...]:
        """The recording is over: learn from whatever was seen and state what that makes certain."""
        if not self._learning:
            return ()
        for path in list(self._paths.values()):
            if path.track.moved and not path.counted:
                self._waiting.append(path)
        self._paths.clear()
        return tuple(sorted(self._learn(1), key=lambda passage: passage.time_s))

    # -- counting ---------------------------------------------------------------------------------------------------

    def _check(self, path: Trajectory, lanes: Iterable[PreparedLane], start: int, late: bool = False) -> list[VehiclePassage]:
        if not path.track.moved or path.track.hits < self._config.min_hits:
            return []
        since_s = path.track.time_since_update_s
        if since_s > self._config.predicted_s and not late:
            return []
        # Until the track is believed its crossings wait: look back over everything while it has not been counted.
        start = 1 if not path.counted else start
        found = []
        for prepared in lanes:
            crossing = path.crossing(prepared.lane.snapshot_line, prepared.forwards, start)
            if crossing and nearly_claims(crossing.share) and self._along(path, prepared, crossing):
                found.append((not claims(crossing.share), abs(crossing.share - 0.5), prepared, crossing))
        found.sort(key=lambda item: item[:2])
        for _, _, prepared, crossing in found[:1]:
            if self._is_new(path, prepared, crossing):
                return [self._state(path, prepared, crossing, late)]
        return []

    def _along(self, path: Trajectory, prepared: PreparedLane, crossing: Crossing) -> bool:
        """Whether the vehicle moves with the lane there, not just jitters over the line or cuts through sideways."""
        dx, dy = path.image_direction(crossing.index, self._frame_size)
        travel = prepared.step * self._frame_size
        length = float(np.hypot(*travel)) * max(float(np.hypot(dx, dy)), 1e-9)
        size = path.last.box[3] - path.last.box[1]
        return float(np.dot((dx, dy), travel)) > 0.3 * length and np.hypot(dx, dy) > 0.05 * size

    def _is_new(self, path: Trajectory, prepared: PreparedLane, crossing: Crossing) -> bool:
        """Whether this vehicle was not counted here before, under this or another track number."""
        lane = prepared.lane
        if lane.road_num in path.counted:
            return False
        for road_num in path.counted:
            other = next((p for p in self._lanes if p.lane.road_num == road_num), None)
            if other and self._one_cross_section(other, prepared):
                return False
        for other_path in [*self._paths.values(), *self._gone]:
            if other_path is path or not other_path.counted:
                continue
            near_in_time = abs(crossing.time_s - max(other_path.counted.values())) <= self._config.takeover_s
            if near_in_time and other_path.track.time_since_update_s > 0 and self._same_place(other_path, path):
                path.counted.update(other_path.counted)
                return False
        return True

    def _one_cross_section(self, first: PreparedLane, second: PreparedLane) -> bool:
        """Whether two lanes are neighbours on one cross-section: a vehicle between them must count once."""
        if float(np.dot(first.step, second.step)) < 0.7:
            return False
        middle = np.asarray(second.lane.snapshot_line).mean(axis=0)
        line = first.lane.snapshot_line
        reach = 0.5 * float(np.hypot(*np.subtract(line[1], line[0])))
        return abs(float(side_of(line[0], line[1], middle[None])[0])) < max(reach, 0.05)

    def _same_place(self, lost: Trajectory, found: Trajectory) -> bool:
        """Whether a lost track's predicted box covers where another track was first or is now seen."""
        begin = next((s for s in found.sights if s.time_s >= lost.last.time_s), found.last)
        boxes = np.asarray([begin.box, found.last.box])
        ghost = np.asarray([lost.last.box])
        return bool((iou(widened(ghost, 0.3), widened(boxes, 0.3)) > 0.2).any())

    def _take_over(self, path: Trajectory) -> None:
        """A new track right where an uncounted one was lost continues it: the old path becomes its past."""
        best, overlap = None, 0.15
        for other in [*self._gone, *self._paths.values()]:
            if other is path or other.track.time_since_update_s == 0 or other.last.time_s > self._time_s:
                continue
            boxes = np.asarray([path.last.box]), np.asarray([other.last.box])
            value = float(iou(widened(boxes[0], 0.3), widened(boxes[1], 0.3))[0, 0])
            if value > overlap and _alike(other, path):
                best, overlap = other, value
        if best is None:
            return
        begin_s = path.sights[0].time_s
        past = [s for s in best.sights if s.seen and s.time_s < begin_s]
        fresh = list(path.sights)
        path.sights.clear()
        path.sights.extend([*past, *fresh])
        path.counted.update(best.counted)
        best.counted.setdefault(-1, self._time_s)  # the ghost must not be counted any more
        best.sights = type(best.sights)(best.sights, maxlen=2)

    def _retire(self, track: Track) -> None:
        path = self._paths.pop(track.track_id, None)
        if path is None:
            return
        path.track = track
        self._gone.append(path)
        if self._learning and track.moved and not path.counted and len(self._waiting) < self._config.max_waiting_paths:
            self._waiting.append(path)

    # -- stating ----------------------------------------------------------------------------------------------------

    def _state(self, path: Trajectory, prepared: PreparedLane, crossing: Crossing, late: bool) -> VehiclePassage:
        lane = prepared.lane
        path.counted[lane.road_num] = crossing.time_s
        entry_s = self._entry_time(path, prepared, crossing)
        speed = self._passage_speed(path, crossing, entry_s)
        leader = self._leaders.get(lane.road_num)
        headway_s = crossing.time_s - leader.time_s if leader else None
        if headway_s is not None and not 0 < headway_s <= self._config.max_headway_s:
            headway_s = None
        spacing_m = self._spacing(path, leader, headway_s, crossing) if leader and headway_s is not None else None
        if leader is None or crossing.time_s >= leader.time_s:
            self._leaders[lane.road_num] = _Leader(crossing.time_s, speed, path)
        dx, dy = path.image_direction(crossing.index, self._frame_size)
        if dx == dy == 0:
            dx, dy = prepared.step * self._frame_size
        return VehiclePassage(
            track_id=path.track.track_id,
            time_s=crossing.time_s,
            road_num=lane.road_num,
            road_name=lane.road_name,
            turn=lane.turn,
            object_class=path.object_class,
            box=path.sights[crossing.index].box if late else path.last.box,
            frame_size=self._frame_size,
            speed_kmh=speed,
            spacing_m=spacing_m,
            time_headway_s=headway_s,
            running_time_s=crossing.time_s - entry_s if entry_s is not None else None,
            heading=heading_of(dx, dy),
            late=late,
        )

    def _entry_time(self, path: Trajectory, prepared: PreparedLane, crossing: Crossing) -> float | None:
        """When the vehicle entered the measuring section: at the entry line, or where it came into the lane's polygon."""
        if prepared.lane.entry_line is not None:
            entry = path.crossing(prepared.lane.entry_line, prepared.entry_forwards)
            return entry.time_s if entry and entry.time_s < crossing.time_s else None
        for sight in path.sights:
            if lane_at([prepared], sight.contact) is not None:
                return sight.time_s if sight.time_s < crossing.time_s else None
        return None

    def _passage_speed(self, path: Trajectory, crossing: Crossing, entry_s: float | None) -> float | None:
        if self._road is None:
            return None
        begin_s = crossing.time_s - self._config.speed_window_s
        if entry_s is not None and crossing.time_s - entry_s >= 0.5:
            begin_s = max(begin_s, entry_s)
        return speed_kmh(path, self._road, begin_s, path.last.time_s)

    def _spacing(self, path: Trajectory, leader: _Leader, headway_s: float, crossing: Crossing) -> float | None:
        """Distance to the vehicle ahead at the moment of the crossing: measured while it is seen, else from its speed."""
        if self._road is None:
            return None
        ahead = leader.trajectory
        if ahead is not path and ahead.sights and ahead.last.seen and not ahead.last.clipped:
            if abs(ahead.last.time_s - path.last.time_s) < 1e-6:
                here, there = self._road.apply(np.asarray([path.last.contact, ahead.last.contact]))
                distance = float(np.hypot(*(there - here)))
                if np.isfinite(distance):
                    return distance
        if leader.speed_kmh is None or headway_s > 10:
            return None  # over so long a time the speed of the past says nothing about the distance now
        return leader.speed_kmh / 3.6 * headway_s

    # -- learning ---------------------------------------------------------------------------------------------------

    def _learn(self, least: int) -> list[VehiclePassage]:
        passages: list[VehiclePassage] = []
        self._waiting = [path for path in self._waiting if not path.counted]
        if len(self._waiting) < least:
            return passages
        for members in main_directions(self._waiting, least):
            lane = prepare(learn_lane(members, len(self._lanes) + 1, self._frame_size))
            self._lanes.append(lane)
            paths = sorted([*self._waiting, *self._paths.values()], key=lambda path: path.track.track_id)
            for path in sorted(paths, key=lambda path: path.sights[0].time_s):
                passages += self._check(path, [lane], start=1, late=True)
        waiting = [path for path in self._waiting if not path.counted]
        # What fits no direction is forgotten once it is old, so that chance paths do not add up to a lane.
        self._waiting = waiting[-self._config.max_waiting_paths // 2 :]
        return passages


def _alike(first: Trajectory, second: Trajectory) -> bool:
    a, b = first.last.box, second.last.box
    ratio = ((a[2] - a[0]) * (a[3] - a[1])) / max((b[2] - b[0]) * (b[3] - b[1]), 1e-9)
    return 0.4 <= ratio <= 2.5
