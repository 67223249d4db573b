"""The passages of one camera: tracks of each frame in, ``VehiclePassage`` facts out."""

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

from traffic.facts import VehiclePassage
from traffic.passages.config import PassageConfig
from traffic.passages.counting import PassageCounter
from traffic.passages.gates import Gates
from traffic.passages.learning import LaneLearner
from traffic.passages.observing import Observer
from traffic.passages.parts import watch_parts
from traffic.passages.stitching import find_predecessor, has_turned, is_another, recovery_of
from traffic.passages.vehicle import Sample, Vehicle
from traffic.passages.view import GroundView
from traffic.scene.model import Lane, Scene
from traffic.types import ObjectClass, Track, TrackId, TrackState

_LANE_CHANGE_S = 0.3  # a vehicle is in another lane once it has been there this long
_MAX_ENDED = 64
_NO_SCENE = Scene()


class PassageAnalyzer:
    """States when a vehicle passes the snapshot line of its lane, and what was measured of it.

    Feed it every analysed frame in order of time with what ``Tracker.update`` returned. With a scene that has lanes those
    are used. Otherwise the main directions of motion are learned; vehicles seen meanwhile are then counted retroactively:
    such a passage has its true ``time_s``, and as ``box`` the vehicle's box in the current frame while it is still in view,
    else its last box.
    """

    def __init__(self, scene: Scene | None, config: PassageConfig | None = None) -> None:
        self._scene = scene or _NO_SCENE
        self._config = config or PassageConfig()
        self._learner = None if self._scene.lanes else LaneLearner(self._config.learning)
        self._frame_size: tuple[int, int] | None = None
        self._vehicles: dict[TrackId, Vehicle] = {}
        self._ended: deque[Vehicle] = deque(maxlen=_MAX_ENDED)
        self._replaced: list[Vehicle] = []
        self._renewed: dict[TrackId, float] = {}
        self._time_s: float | None = None
        self._epoch = 0

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The scene's lanes, or those learned so far."""
        return self._scene.lanes if self._learner is None else self._learner.lanes

    @property
    def view(self) -> GroundView | None:
        """The ground as the camera sees it; None before the first frame."""
        return None if self._frame_size is None else self._view

    @property
    def vehicles(self) -> tuple[Vehicle, ...]:
        """Every vehicle that is followed, seen in the newest frame or not; to look at, not to change."""
        return tuple(self._vehicles.values())

    @property
    def renewed(self) -> Mapping[TrackId, float]:
        """Tracks found in the newest frame to carry another vehicle than before, and the video time since when."""
        return self._renewed

    def lane_of(self, track_id: TrackId) -> int:
        """roadNum of the lane a vehicle is in, 0 for none or an unknown track."""
        vehicle = self._vehicles.get(track_id)
        return self.lanes[vehicle.lane].road_num if vehicle is not None and 0 <= vehicle.lane < len(self.lanes) else 0

    def speed_kmh(self, track_id: TrackId) -> float | None:
        """Current speed of a vehicle from its last 0.8 s; None without calibration or while it is not known."""
        vehicle = self._vehicles.get(track_id)
        if vehicle is None or not self._scene.calibration:
            return None
        recent = vehicle.trajectory.recent(0.8)
        motion = vehicle.trajectory.velocity(0.8)
        if motion is None or len(recent) < 3 or recent[-1].time_s - recent[0].time_s < self._config.min_fit_s:
            return None
        speed = float(np.hypot(motion[0][0], motion[0][1])) * 3.6
        return speed if speed <= self._config.max_speed_kmh else None

    def update(self, time_s: float, frame_size: tuple[int, int], tracks: Sequence[Track]) -> tuple[VehiclePassage, ...]:
        """Advance to the frame at ``time_s``.

        Args:
            time_s: video time of the frame. frame_size: its (width, height) in pixels.
            tracks: CONFIRMED, LOST and DELETED tracks of ``Tracker.update`` for this frame.

        Returns:
            Passages stated now, in order of their crossing times (which lie a little in the past).
        """
        if frame_size != self._frame_size:
            self._look(frame_size)
        if self._time_s is not None and time_s - self._time_s > self._config.gap_s:
            self._epoch += 1
        self._time_s = time_s
        self._renewed = {}
        vehicles = [track for track in tracks if track.object_class != ObjectClass.PERSON]
        self._take_matched(time_s, [track for track in vehicles if track.state is TrackState.CONFIRMED])
        for track in vehicles:
            vehicle = self._vehicles.get(track.track_id)
            if vehicle is not None and track.state is not TrackState.CONFIRMED:
                vehicle.track = track
        leaving = [t.track_id for t in tracks if t.state is TrackState.DELETED and t.track_id in self._vehicles]
        for track_id in leaving:
            self._counter.ended(self._vehicles[track_id])
        replayed = self._learn(time_s) if self._learner and self._learner.due(time_s) else ()
        vehicles_now = (*self._vehicles.values(), *self._replaced, *replayed)
        passages = self._counter.state(vehicles_now, time_s, self._epoch)
        for track_id in leaving:
            self._end(self._vehicles.pop(track_id))
        while self._replaced:
            self._end(self._replaced.pop())
        return passages

    def finish(self) -> tuple[VehiclePassage, ...]:
        """The source has ended: learn from what there is and state everything pending; what had not reached a line yet has not
        passed it. May be called once."""
        if self._time_s is None:
            return ()
        running = tuple(self._vehicles.values())
        for vehicle in running:
            self._counter.ended(vehicle, until_s=self._time_s)
        replayed = self._learn(self._time_s, final=True) if self._learner else ()
        passages = self._counter.state((*running, *replayed), self._time_s, self._epoch, flush=True)
        self._vehicles.clear()
        self._ended.clear()
        return passages

    # -- parts --------------------------------------------------------------------------------------------------------

    def _look(self, frame_size: tuple[int, int]) -> None:
        """(Re)compile everything that depends on the frame's size. Trajectories are relative and survive a change of
        resolution, but not one of the picture's shape."""
        old, self._frame_size = self._frame_size, frame_size
        self._aspect = frame_size[0] / frame_size[1]
        if old is not None and abs(old[0] * frame_size[1] - old[1] * frame_size[0]) > 0.02 * old[0] * frame_size[1]:
            self._vehicles.clear()
            self._ended.clear()
        road = self.lanes[0].snapshot_line if self.lanes else None
        seen = None if road is None else np.asarray(road, np.float64).mean(axis=0)
        self._view = GroundView(self._scene.calibration, frame_size, seen)
        self._compile()

    def _compile(self) -> None:
        self._gates = Gates(self.lanes, self._view, once_only=self._learner is not None)
        self._observer = Observer(self._view, self._gates, self._config)
        self._counter = PassageCounter(self._view, self._gates, self._scene.counted_classes, self._config)

    def _take_matched(self, time_s: float, tracks: Sequence[Track]) -> None:
        fresh = [track for track in tracks if track.track_id not in self._vehicles]
        for track in fresh:
            self._vehicles[track.track_id] = Vehicle(track=track, last_matched_s=track.first_time_s)
        vehicles = [self._vehicles[track.track_id] for track in tracks]
        samples = self._observer.samples(time_s, tracks, vehicles)
        first_reports = {track.track_id for track in fresh}
        for row, (track, sample) in enumerate(zip(tracks, samples, strict=True)):
            if track.track_id in first_reports:
                continue
            if is_another(vehicles[row], sample, self._view):
                samples[row] = self._replace(track, time_s)
            else:
                vehicles[row].recovery = recovery_of(vehicles[row], sample)
        for track, sample in zip(tracks, samples, strict=True):
            if track.track_id in first_reports:
                self._begin(track, sample)
            self._advance(self._vehicles[track.track_id], track, sample)
            if has_turned(self._vehicles[track.track_id], self._view):
                self._replace_since_recovery(track)
        matched = [self._vehicles[track.track_id] for track in tracks]
        watch_parts(time_s, matched)
        self._assign_lanes(time_s, matched)

    def _replace(self, track: Track, time_s: float) -> Sample:
        """The track has come back on another vehicle: the old one ends here, the other one begins (or is continued)."""
        old = self._vehicles[track.track_id]
        self._counter.ended(old)
        self._replaced.append(old)
        self._renewed[track.track_id] = time_s
        other = dataclasses.replace(track, first_time_s=time_s)
        self._vehicles[track.track_id] = Vehicle(track=other, last_matched_s=time_s)
        sample = self._observer.samples(time_s, (other,), (self._vehicles[track.track_id],))[0]
        self._begin(other, sample)
        return sample

    def _replace_since_recovery(self, track: Track) -> None:
        """What the track carries since it came back is another vehicle: its samples become that one's."""
        old = self._vehicles[track.track_id]
        assert old.recovery is not None
        since_s = old.recovery.time_s
        later = old.trajectory.cut(since_s)
        old.last_matched_s, old.pending, old.unproven = old.trajectory.samples[-1].time_s, None, None
        self._counter.ended(old)
        self._replaced.append(old)
        self._renewed[track.track_id] = since_s
        vehicle = Vehicle(track=dataclasses.replace(track, first_time_s=since_s), last_matched_s=since_s)
        self._vehicles[track.track_id] = vehicle
        width, height = self._view.frame_size
        for sample in later:
            x1, y1, x2, y2 = sample.box
            seen = dataclasses.replace(
                track, time_s=sample.time_s, detection=(x1 * width, y1 * height, x2 * width, y2 * height), first_time_s=since_s
            )
            self._advance(vehicle, seen, self._observer.samples(sample.time_s, (seen,), (vehicle,))[0])
        vehicle.track = track

    def _begin(self, track: Track, sample: Sample) -> None:
        """A track is reported for the first time: it continues a vehicle, or it is a new one."""
        candidates = [v for v in self._vehicles.values() if v.last_matched_s < track.first_time_s and len(v.trajectory)]
        possible = [v for v in (*candidates, *self._ended) if not self._counter.is_behind(v, sample)]
        predecessor = find_predecessor(track, sample, possible, self._view, self._config)
        if predecessor is not None:
            self._vehicles[track.track_id] = predecessor.continued_as(track)
            predecessor.pending = predecessor.unproven = None
            return
        vehicle = self._vehicles[track.track_id]
        earlier = self._observer.before_confirmation(track, sample)
        if earlier is not None:
            vehicle.trajectory.add(earlier)
            self._counter.observe(vehicle, earlier)

    def _advance(self, vehicle: Vehicle, track: Track, sample: Sample) -> None:
        vehicle.track = track
        vehicle.continued, vehicle.successor = False, None
        vehicle.moved |= track.moved
        vehicle.last_matched_s = sample.time_s
        if track.score >= self._config.sure_score:
            vehicle.sure_s = sample.time_s
        vehicle.trajectory.add(sample)
        vehicle.moved = vehicle.moved or vehicle.has_come_far(self._aspect)
        self._counter.observe(vehicle, sample)

    def _assign_lanes(self, time_s: float, vehicles: Sequence[Vehicle]) -> None:
        if not vehicles or not len(self._gates):
            return
        centres = np.array([vehicle.trajectory.samples[-1].centre for vehicle in vehicles])
        found = self._gates.lane_at(self._view.to_image(centres))
        for vehicle, lane in zip(vehicles, found.tolist(), strict=True):
            if lane != vehicle.lane_candidate:
                vehicle.lane_candidate, vehicle.lane_since_s = lane, time_s
            if vehicle.lane < 0 or time_s - vehicle.lane_since_s >= _LANE_CHANGE_S:
                vehicle.lane = lane

    def _learn(self, time_s: float, *, final: bool = False) -> Sequence[Vehicle]:
        """Try to learn lanes; returns ended vehicles whose crossing of a new lane's line is pending now."""
        assert self._learner is not None
        running = [vehicle for vehicle in self._vehicles.values() if not vehicle.continued]
        if not self._learner.learn(time_s, self._aspect, running, final=final):
            return ()
        self._compile()
        ended = self._learner.take_ended()
        for vehicle in running:
            if not vehicle.counted:
                self._counter.replay(vehicle, has_ended=final)
        for vehicle in ended:
            self._counter.replay(vehicle, has_ended=True)
        self._learner.drop_counted()
        return ended

    def _end(self, vehicle: Vehicle) -> None:
        if vehicle.continued:
            return
        self._ended.append(vehicle)
        if self._learner is not None:
            self._learner.add(vehicle)
