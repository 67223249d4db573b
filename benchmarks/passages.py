"""Error of passages, speeds, headways and spacings against scripted traffic: ``python -m benchmarks.passages``.

A camera with a known homography looks at a straight road of several lanes. Vehicles of scattered sizes follow the
intelligent driver model (Treiber, Hennecke, Helbing, Phys. Rev. E 62, 2000); the outline of each, a block on the road, is
projected, cut at the picture's border and disturbed, and goes through the real tracker and the real passage analyzer.
The truth is that of the front of the vehicle, at the snapshot line.
"""

import argparse
import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.passage_scores import TruePassage, row, score, total
from benchmarks.pinhole import PinholeCamera
from traffic.facts import Turn, VehiclePassage
from traffic.geometry import Homography
from traffic.passages import PassageAnalyzer
from traffic.scene.model import Calibration, Lane, Scene, Segment
from traffic.tracking import Tracker
from traffic.types import Detections, ObjectClass, Track, TrackId, TrackState

Array = NDArray[np.float64]

LANE_WIDTH_M = 3.5
_UNSEEN = 0.7  # share of a vehicle's box behind a nearer vehicle's from which it is not found
_STEP_S = 0.02  # of the integration of the car-following model
_KINDS = (  # class, length, width, height: mean and spread in metres, share of traffic
    (ObjectClass.CAR, (4.5, 0.35), (1.8, 0.08), (1.52, 0.12), 0.85),
    (ObjectClass.TRUCK, (8.0, 2.0), (2.4, 0.15), (3.0, 0.4), 0.1),
    (ObjectClass.BUS, (11.0, 1.0), (2.5, 0.05), (3.1, 0.15), 0.05),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """One run.

    Attributes:
        toward: vehicles drive towards the camera (we see fronts), else away.
        speed_kmh: mean desired speed; each driver's own scatters by ``speed_spread`` of it.
        fps: analysed frames per second. noise_px: standard deviation of each edge of a box.
        missed: share of boxes not found. occlusions: share of vehicles hidden for ``hidden_s`` somewhere near the line.
        hiding: nearer vehicles hide those behind them; False: as if vehicles were transparent.
        cut_ids: share of vehicles whose track ends within 10 m of the line and goes on under another id two frames later.
        brake: all drivers brake at 2 m/s² from 30 m before the line, down to a quarter of their speed.
        vehicles: how many pass, over all lanes. lanes: lanes of the road. time_gap_s: desired gap of the drivers.
        height_m, pitch_deg, yaw_deg, focal_px, offset_m: of the camera; offset to the right of the road's middle.
        line_m: distance of the snapshot line from the camera along the road. section_m: of the measuring section before it.
        calibration_px: standard deviation of the four calibration points' clicks.
    """

    toward: bool = True
    speed_kmh: float = 60.0
    speed_spread: float = 0.08
    fps: float = 25.0
    noise_px: float = 2.0
    missed: float = 0.05
    hiding: bool = True
    occlusions: float = 0.0
    hidden_s: float = 0.6
    cut_ids: float = 0.0
    brake: bool = False
    vehicles: int = 60
    lanes: int = 3
    time_gap_s: float = 1.4
    height_m: float = 8.0
    pitch_deg: float = 15.0
    yaw_deg: float = 0.0
    focal_px: float = 1200.0
    offset_m: float = 0.0
    line_m: float = 24.0
    section_m: float = 30.0
    calibration_px: float = 0.0
    frame_size: tuple[int, int] = (1280, 720)
    seed: int = 1


class RoadCamera(PinholeCamera):
    """The camera of some conditions."""

    def __init__(self, conditions: Conditions) -> None:
        c = conditions
        super().__init__(
            c.frame_size, focal_px=c.focal_px, pitch_rad=math.radians(c.pitch_deg), yaw_rad=math.radians(c.yaw_deg),
            offset_m=c.offset_m, height_m=c.height_m,
        )  # fmt: skip

    def box(self, x_m: float, y_m: float, length: float, width: float, height: float) -> Array | None:
        """Box (4,) around a block whose footprint's middle is at (x, y) and whose length lies along Y; None out of view."""
        corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0.0, 1.0)])
        points = self.pixels(corners * np.array([width, length, height]) + np.array([x_m, y_m, 0.0]))
        if not np.isfinite(points).all():
            return None
        low, high = points.min(axis=0), points.max(axis=0)
        extent = np.array(self.frame_size, np.float64)
        cut = np.concatenate([np.clip(low, 0, extent), np.clip(high, 0, extent)])
        share = (cut[2] - cut[0]) * (cut[3] - cut[1]) / max(float(np.prod(high - low)), 1e-9)
        result: Array = cut
        return result if share > 0.25 and cut[3] - cut[1] > 8 and cut[2] - cut[0] > 8 else None


def make_scene(conditions: Conditions, camera: RoadCamera) -> Scene:
    """The scene of the road, with the true calibration or one from clicked points."""
    c = conditions
    near, far = c.line_m - 3.0, c.line_m + 70.0
    if not c.toward:
        near, far = c.line_m - c.section_m - 2, c.line_m + 40
    lanes = []
    for index in range(c.lanes):
        left = (index - c.lanes / 2) * LANE_WIDTH_M
        right, middle = left + LANE_WIDTH_M, left + LANE_WIDTH_M / 2
        ends = [camera.relative(middle, far), camera.relative(middle, near)]
        entry = c.line_m + c.section_m if c.toward else c.line_m - c.section_m

        def across(y_m: float, left: float = left, right: float = right) -> Segment:
            return camera.relative(left, y_m), camera.relative(right, y_m)

        lanes.append(
            Lane(
                road_num=index + 1,
                road_name="",
                polygon=(*across(near), *across(far)[::-1]),
                direction=tuple(ends if c.toward else ends[::-1]),
                turn=Turn.STRAIGHT,
                snapshot_line=across(c.line_m),
                entry_line=across(entry),
            )
        )
    return Scene(lanes=tuple(lanes), calibration=Calibration(image_to_road=_calibrate(c, camera)))


def _calibrate(c: Conditions, camera: RoadCamera) -> Array:
    half = c.lanes * LANE_WIDTH_M / 2
    low, high = min(c.line_m, c.line_m - (0 if c.toward else c.section_m)), c.line_m + c.section_m
    road = [(x, y) for y in (low, high) for x in (-half, half)]
    clicks = np.random.default_rng(c.seed + 7).normal(0, c.calibration_px, (4, 2)) / np.array(c.frame_size)
    image = [tuple(np.array(camera.relative(x, y)) + click) for (x, y), click in zip(road, clicks, strict=True)]
    return Homography.fit(image, road).matrix


@dataclass(slots=True)
class _Driver:
    number: int
    lane: int
    object_class: ObjectClass
    size: tuple[float, float, float]
    desired: float
    aside: float
    front: float  # metres driven; the snapshot line is at 0
    speed: float
    hidden: tuple[float, float] = (0.0, 0.0)  # way of the front between which nothing is seen
    cut_at: float | None = None  # where its track breaks


def run(conditions: Conditions) -> tuple[list[TruePassage], list[VehiclePassage]]:
    """Truth and what the tracker and the analyzer made of it."""
    camera = RoadCamera(conditions)
    scene = make_scene(conditions, camera)
    tracker, analyzer = Tracker(), PassageAnalyzer(scene)
    truth: list[TruePassage] = []
    stated: list[VehiclePassage] = []
    breaker = _IdBreaker()
    for time_s, detections, breaks in frames(conditions, camera, truth):
        tracks = breaker.apply(tracker.update(time_s, detections), breaks)
        stated += analyzer.update(time_s, conditions.frame_size, tracks)
    stated += analyzer.finish()
    return truth, stated


def frames(c: Conditions, camera: RoadCamera, truth: list[TruePassage]) -> Iterator[tuple[float, Detections, list[Array]]]:
    """Frames of one run until all vehicles are gone: time, detections, true boxes of vehicles whose tracks break now.

    True passages are appended to ``truth`` as they happen."""
    random = np.random.default_rng(c.seed)
    drivers = _drivers(c, random)
    leaders: dict[int, tuple[float, _Driver]] = {}
    seen_time: dict[int, float] = {}
    time_s, next_frame_s, start_s = 0.0, 0.0, 1_700_000_000.0
    while any(driver.front < 90 for driver in drivers):
        if time_s >= next_frame_s - 1e-9:
            breaks = _breaks(c, camera, drivers)
            yield start_s + time_s, _detect(c, camera, drivers, random), breaks
            next_frame_s += 1 / c.fps
        before = {driver.number: driver.front for driver in drivers}
        _drive(drivers, c)
        for driver in drivers:
            then, now = before[driver.number], driver.front
            if not c.toward and then - driver.size[0] < 0 <= now - driver.size[0]:
                seen_time[driver.number] = time_s + _STEP_S * (driver.size[0] - then) / (now - then)
                _complete(truth, driver, start_s + seen_time[driver.number])
            if then < 0 <= now:
                moment = time_s + _STEP_S * -then / (now - then)
                leader = leaders.get(driver.lane)
                truth.append(
                    TruePassage(
                        vehicle=driver.number,
                        road_num=driver.lane + 1,
                        time_s=start_s + moment,
                        speed_kmh=driver.speed * 3.6,
                        time_headway_s=moment - leader[0] if leader else None,
                        spacing_m=leader[1].front - now if leader else None,
                        length_m=driver.size[0],
                        object_class=driver.object_class,
                    )
                )
                leaders[driver.lane] = (moment, driver)
        time_s += _STEP_S
        drivers = [driver for driver in drivers if driver.front < 400]


def _complete(truth: list[TruePassage], driver: _Driver, time_s: float) -> None:
    """Seen from behind, the passage is the rear's."""
    for index in range(len(truth) - 1, -1, -1):
        if truth[index].vehicle == driver.number:
            truth[index] = dataclasses.replace(truth[index], time_s=time_s, speed_kmh=driver.speed * 3.6)
            return


def _drivers(c: Conditions, random: np.random.Generator) -> list[_Driver]:
    desired = c.speed_kmh / 3.6
    result, begin = [], [-130.0 - 20 * random.random() for _ in range(c.lanes)]
    shares = [kind[4] for kind in _KINDS]
    for number in range(c.vehicles):
        lane = number % c.lanes
        kind = _KINDS[int(random.choice(len(_KINDS), p=shares))]
        length, width, height = (max(random.normal(*spread), 0.7 * spread[0]) for spread in kind[1:4])
        speed = desired * max(0.7, random.normal(1, c.speed_spread))
        hidden = (0.0, 0.0)
        cut_at = random.uniform(-10, 8) if random.random() < c.cut_ids else None
        if random.random() < c.occlusions:
            middle = random.uniform(-12, 8)
            way = c.hidden_s * desired / 2
            hidden = (middle - way, middle + way)
        size, aside = (length, width, height), random.normal(0, 0.2)
        result.append(_Driver(number, lane, kind[0], size, speed, aside, begin[lane], speed, hidden, cut_at))
        begin[lane] -= length + 2 + speed * (c.time_gap_s + random.exponential(1.0))
    return result


def _drive(drivers: Sequence[_Driver], c: Conditions) -> None:
    """One step of the intelligent driver model in every lane."""
    last: dict[int, _Driver] = {}
    for driver in sorted(drivers, key=lambda d: -d.front):
        leader = last.get(driver.lane)
        free = 1.5 * (1 - (driver.speed / driver.desired) ** 4)
        if leader is not None:
            gap = max(leader.front - leader.size[0] - driver.front, 0.5)
            wished = 2 + driver.speed * c.time_gap_s + driver.speed * (driver.speed - leader.speed) / (2 * math.sqrt(3.0))
            free -= 1.5 * (max(wished, 0) / gap) ** 2
        last[driver.lane] = driver
        if c.brake and driver.front > -30 and driver.speed > driver.desired / 4:
            free = min(free, -2.0)
        before = driver.speed
        driver.speed = max(driver.speed + free * _STEP_S, 0.0)
        driver.front += (before + driver.speed) / 2 * _STEP_S


def _place(c: Conditions, driver: _Driver) -> tuple[float, float]:
    """Middle of the footprint on the road."""
    x = (driver.lane - c.lanes / 2 + 0.5) * LANE_WIDTH_M + driver.aside
    return x, c.line_m - driver.front + driver.size[0] / 2 if c.toward else c.line_m + driver.front - driver.size[0] / 2


def _breaks(c: Conditions, camera: RoadCamera, drivers: Sequence[_Driver]) -> list[Array]:
    """True boxes of the vehicles that have come to where their tracks break; once each."""
    result = []
    for driver in drivers:
        if driver.cut_at is not None and driver.front >= driver.cut_at:
            driver.cut_at = None
            box = camera.box(*_place(c, driver), *driver.size)
            if box is not None:
                result.append(box)
    return result


class _IdBreaker:
    """Breaks tracks: the old id is LOST for 1.6 s, coasting, then DELETED; the vehicle is reported under a new id from the
    third frame on."""

    def __init__(self) -> None:
        self._alias: dict[TrackId, TrackId] = {}
        self._silent: dict[TrackId, int] = {}
        self._born_s: dict[TrackId, float] = {}
        self._ghosts: list[Track] = []
        self._next_id = 1_000_000

    def apply(self, tracks: Sequence[Track], breaks: Sequence[Array]) -> tuple[Track, ...]:
        """The tracks as a worse tracker would report them."""
        for box in breaks:
            near = min((t for t in tracks if t.state is TrackState.CONFIRMED), key=lambda t: _apart(t, box), default=None)
            if near is not None and _apart(near, box) < 0.3 * (box[3] - box[1]):
                self._break(near)
        now_s = tracks[0].time_s if tracks else 0.0
        result = [track for track in map(self._renamed, tracks) if track is not None]
        for ghost in self._ghosts:
            result.append(_coasted(ghost, now_s))
        self._ghosts = [ghost for ghost in self._ghosts if now_s - ghost.time_s <= 1.6]
        return tuple(sorted(result, key=lambda track: track.track_id))

    def _break(self, track: Track) -> None:
        self._ghosts.append(dataclasses.replace(track, track_id=self._alias.get(track.track_id, track.track_id)))
        self._alias[track.track_id] = TrackId(self._next_id)
        self._silent[track.track_id] = 3
        self._next_id += 1

    def _renamed(self, track: Track) -> Track | None:
        left = self._silent.get(track.track_id, 0)
        if left > 0:
            self._silent[track.track_id] = left - 1
            if left == 2:
                self._born_s[track.track_id] = track.time_s
            return None
        if track.track_id not in self._alias:
            return track
        born_s = self._born_s.get(track.track_id, track.time_s)
        return dataclasses.replace(track, track_id=self._alias[track.track_id], first_time_s=born_s)


def _apart(track: Track, box: Array) -> float:
    return abs(track.box[3] - float(box[3])) + abs(track.box[0] + track.box[2] - float(box[0] + box[2])) / 2


def _coasted(ghost: Track, now_s: float) -> Track:
    ago_s = now_s - ghost.time_s
    x, y = ghost.velocity[0] * ago_s, ghost.velocity[1] * ago_s
    x1, y1, x2, y2 = ghost.box
    return dataclasses.replace(
        ghost,
        state=TrackState.LOST if ago_s <= 1.6 else TrackState.DELETED,
        box=(x1 + x, y1 + y, x2 + x, y2 + y),
        time_s=now_s,
        time_since_update_s=ago_s,
        detection=None,
    )


def _covered(box: Array, other: Array) -> float:
    """Share of ``box`` that ``other`` covers."""
    shared = np.clip(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0, None).prod()
    return float(shared / max((box[2:] - box[:2]).prod(), 1e-9))


def _detect(c: Conditions, camera: RoadCamera, drivers: Sequence[_Driver], random: np.random.Generator) -> Detections:
    boxes, classes = [], []
    nearer: list[Array] = []
    for driver in sorted(drivers, key=lambda d: _place(c, d)[1]):
        x, y = _place(c, driver)
        hidden = driver.hidden[0] < driver.front < driver.hidden[1]
        box = camera.box(x, y, *driver.size) if 0 < y < 130 else None
        if box is None:
            continue
        hidden = hidden or (c.hiding and any(_covered(box, other) > _UNSEEN for other in nearer))
        nearer.append(box)
        if not hidden and random.random() >= c.missed:
            noisy = box + random.normal(0, c.noise_px, 4)
            extent = np.array([*c.frame_size, *c.frame_size], np.float64)
            boxes.append(np.where((box <= 0) | (box >= extent), box, np.clip(noisy, 0, extent)))
            classes.append(int(driver.object_class))
    if not boxes:
        return Detections.empty()
    scores = random.uniform(0.6, 0.95, len(boxes)).astype(np.float32)
    return Detections(boxes=np.array(boxes, np.float32), scores=scores, classes=np.array(classes, np.int64))


def _cases(vehicles: int) -> Iterator[tuple[str, Conditions]]:
    base = Conditions(vehicles=vehicles)
    for speed in (30.0, 60.0, 90.0, 130.0):
        yield f"toward {speed:.0f} km/h 25 fps 2 px", dataclasses.replace(base, speed_kmh=speed)
    for speed in (30.0, 60.0, 130.0):
        yield f"away {speed:.0f} km/h 25 fps 2 px", dataclasses.replace(base, speed_kmh=speed, toward=False, line_m=45.0)
    for fps in (5.0, 8.0, 12.5):
        yield f"toward 90 km/h {fps:g} fps 2 px", dataclasses.replace(base, speed_kmh=90.0, fps=fps)
    yield "toward 130 km/h 5 fps 2 px", dataclasses.replace(base, speed_kmh=130.0, fps=5.0)
    for noise in (1.0, 3.0):
        yield f"toward 90 km/h 25 fps {noise:g} px", dataclasses.replace(base, speed_kmh=90.0, noise_px=noise)
    yield "toward 60 km/h yaw 25°", dataclasses.replace(base, yaw_deg=-25.0, offset_m=12.0, line_m=26.0)
    yield "away 60 km/h yaw 25°", dataclasses.replace(base, yaw_deg=-25.0, offset_m=12.0, line_m=45.0, toward=False)
    yield "toward 60 km/h, half hidden 0.6 s", dataclasses.replace(base, occlusions=0.5)
    yield "toward 60 km/h, half hidden 1.2 s", dataclasses.replace(base, occlusions=0.5, hidden_s=1.2)
    yield "toward 60 km/h, 20 % missed", dataclasses.replace(base, missed=0.2)
    yield "toward 60 km/h, half cut ids", dataclasses.replace(base, cut_ids=0.5)
    yield "away 60 km/h, half cut ids", dataclasses.replace(base, cut_ids=0.5, toward=False, line_m=45.0)
    yield "toward 60 km/h braking 2 m/s²", dataclasses.replace(base, brake=True)
    yield "toward 60 km/h braking, 5 fps", dataclasses.replace(base, brake=True, fps=5.0)
    yield "toward 60 km/h, clicks off 2 px", dataclasses.replace(base, calibration_px=2.0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vehicles", type=int, default=60, help="vehicles per run")
    parser.add_argument("--seeds", type=int, default=1, help="runs per case")
    parser.add_argument("--first-seed", type=int, default=1, help="other traffic than the settings were chosen with")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    options = parser.parse_args()
    names = ("speed km/h", "time ms", "headway ms", "spacing m", "length m")
    print(f"{'':<34} {'true':>5} lost xtra lane  " + "  ".join(f"{name:^20}" for name in names) + "  unmeasured")
    print(f"{'':<54}" + "   bias    med    p95" * 5 + "   speed spac")
    for name, conditions in _cases(options.vehicles):
        if options.only in name:
            results = []
            for seed in range(options.first_seed, options.first_seed + options.seeds):
                results.append(score(*run(dataclasses.replace(conditions, seed=seed))))
            print(row(name, total(results)), flush=True)


if __name__ == "__main__":
    main()
