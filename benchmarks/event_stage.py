"""The stage of the scripted scenes of ``benchmarks.events``: a camera over a road, actors, what a detector makes of them.

Road coordinates: X to the right, Y ahead along the road, metres. Directions: 1 away from the camera, -1 towards it.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from traffic.events import PixelFinding, PixelFindingKind, ViewState
from traffic.facts import EventKind, Turn
from traffic.geometry import Homography
from traffic.scene import Boundary, Calibration, EventRule, Lane, LaneUse, Region, Scene, Segment
from traffic.types import Box, Detections, ObjectClass

Array = NDArray[np.float64]
Rng = np.random.Generator
Motion = Callable[[float], "tuple[float, float, float] | None"]  # time → x, y, heading (radians from Y to X); None: not there

WIDTH_M = 3.6
STEP_S = 0.05
SIZES = {
    ObjectClass.CAR: (4.5, 1.8, 1.5),
    ObjectClass.TRUCK: (8.5, 2.45, 3.1),
    ObjectClass.BUS: (11.0, 2.5, 3.1),
    ObjectClass.MOTORCYCLE: (2.1, 0.8, 1.6),
    ObjectClass.BICYCLE: (1.75, 0.6, 1.7),
    ObjectClass.PERSON: (0.5, 0.55, 1.72),
}


class StageCamera:
    """A pinhole camera; its parameters are drawn from ``rng``."""

    def __init__(self, rng: Rng) -> None:
        self.frame_size = ((1280, 720), (1920, 1080), (960, 540))[int(rng.integers(3))]
        self.height_m = rng.uniform(6.5, 14.0)
        self.pitch = math.radians(rng.uniform(13.0, 24.0))
        yaw = math.radians(rng.uniform(-6.0, 6.0))
        focal = rng.uniform(1.25, 1.8) * self.frame_size[1]
        ahead = np.array([math.sin(yaw) * math.cos(self.pitch), math.cos(yaw) * math.cos(self.pitch), -math.sin(self.pitch)])
        right = np.array([math.cos(yaw), -math.sin(yaw), 0.0])
        rotation = np.stack([right, np.cross(ahead, right), ahead])
        place = np.array([rng.uniform(-3, 3), 0.0, self.height_m])
        width, height = self.frame_size
        inner = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
        self._matrix = inner @ np.column_stack([rotation, -rotation @ place])
        half = math.atan(height / 2 / focal)
        self.near_m = self.height_m / math.tan(self.pitch + half) + 2.0
        far = self.height_m / math.tan(max(self.pitch - half, 0.06))
        self.far_m = min(far, self.near_m + 75.0)

    def pixels(self, points: Array) -> Array:
        """Points (n, 3) on and above the road to pixels (n, 2); nan behind the camera."""
        mapped = points @ self._matrix[:, :3].T + self._matrix[:, 3]
        with np.errstate(divide="ignore", invalid="ignore"):
            result: Array = np.where(mapped[:, 2:] > 0.5, mapped[:, :2] / mapped[:, 2:], np.nan)
        return result

    def relative(self, x_m: float, y_m: float) -> tuple[float, float]:
        """A road point in relative image coordinates."""
        x, y = self.pixels(np.array([[x_m, y_m, 0.0]]))[0] / np.array(self.frame_size)
        return float(x), float(y)

    def box(self, x: float, y: float, heading: float, size: tuple[float, float, float]) -> Array | None:
        """Box (4,) of a block, cut at the picture's border; None when little of it is seen."""
        length, wide, tall = size
        along = np.array([math.sin(heading), math.cos(heading), 0.0])
        aside = np.array([math.cos(heading), -math.sin(heading), 0.0])
        corners = [
            np.array([x, y, 0.0]) + a * length * along + b * wide * aside + np.array([0, 0, c * tall])
            for a in (-0.5, 0.5) for b in (-0.5, 0.5) for c in (0.0, 1.0)
        ]  # fmt: skip
        points = self.pixels(np.array(corners))
        if not np.isfinite(points).all():
            return None
        low, high = points.min(axis=0), points.max(axis=0)
        extent = np.array(self.frame_size, np.float64)
        cut: Array = np.concatenate([np.clip(low, 0, extent), np.clip(high, 0, extent)])
        share = (cut[2] - cut[0]) * (cut[3] - cut[1]) / max(float(np.prod(high - low)), 1e-9)
        return cut if share > 0.3 and cut[3] - cut[1] > 9 and cut[2] - cut[0] > 6 else None

    def calibration(self, rng: Rng) -> Calibration:
        """From four clicked points, half a pixel exact."""
        road = [(x, y) for y in (self.near_m + 2, self.near_m + 40) for x in (-6.0, 6.0)]
        clicks = rng.normal(0, 0.5, (4, 2)) / np.array(self.frame_size)
        image = [tuple(np.array(self.relative(x, y)) + click) for (x, y), click in zip(road, clicks, strict=True)]
        return Calibration(image_to_road=Homography.fit(image, road).matrix)


@dataclass(kw_only=True)
class LaneSpec:
    """One lane: its middle, direction and what the scene says of it."""

    x: float
    way: int
    begin: float | None = None
    end: float | None = None
    stop_y: float | None = None
    limit: float | None = None
    least: float | None = None
    left: Boundary = Boundary.DASHED
    right: Boundary = Boundary.DASHED
    use: LaneUse = LaneUse.DRIVING


@dataclass(kw_only=True)
class RegionSpec:
    """A region of the road plane."""

    kind: str
    points: Sequence[tuple[float, float]]
    classes: frozenset[ObjectClass] | None = None


def make_scene(
    camera: StageCamera,
    rng: Rng,
    lanes: Sequence[LaneSpec],
    regions: Sequence[RegionSpec] = (),
    *,
    highway: bool | None = None,
    calibrated: bool = True,
    events: tuple[EventRule, ...] = (),
) -> Scene:
    """The scene document of a stage, as somebody would draw it."""
    drawn = []
    for number, spec in enumerate(lanes, start=1):
        low = camera.near_m - 1 if spec.begin is None else spec.begin
        high = camera.far_m if spec.end is None else spec.end
        left, right = spec.x - WIDTH_M / 2, spec.x + WIDTH_M / 2
        middle = low + 0.4 * (high - low)
        path = [camera.relative(spec.x, y) for y in np.linspace(low, high, 4)]
        drawn.append(
            Lane(
                road_num=number,
                road_name="",
                polygon=(
                    camera.relative(left, low), camera.relative(right, low),
                    camera.relative(right, high), camera.relative(left, high),
                ),
                direction=tuple(path if spec.way > 0 else path[::-1]),
                turn=Turn.STRAIGHT,
                snapshot_line=(camera.relative(left, middle), camera.relative(right, middle)),
                stop_line=_across(camera, left, right, spec.stop_y),
                speed_limit_kmh=spec.limit,
                min_speed_kmh=spec.least,
                left_boundary=spec.left,
                right_boundary=spec.right,
                use=spec.use,
            )
        )  # fmt: skip
    areas = tuple(
        Region(
            region_code=number, name="", kind=spec.kind, polygon=tuple(camera.relative(x, y) for x, y in spec.points),
            classes=spec.classes,
        )
        for number, spec in enumerate(regions, start=1)
    )  # fmt: skip
    calibration = camera.calibration(rng) if calibrated else None
    return Scene(lanes=tuple(drawn), regions=areas, calibration=calibration, highway=highway, events=events)


def _across(camera: StageCamera, left: float, right: float, y: float | None) -> Segment | None:
    return None if y is None else (camera.relative(left, y), camera.relative(right, y))


# -- motions ------------------------------------------------------------------------------------------------------------


def scripted(
    x: float,
    y: float,
    way: float,
    speed: float,
    phases: Sequence[tuple[float, float]] = (),
    shifts: Sequence[tuple[float, float, float]] = (),
    begin_s: float = 0.0,
    end_s: float = math.inf,
) -> Motion:
    """Driving along Y: constant accelerations one after the other, and smooth shifts to the side.

    Args:
        way: 1 or -1. speed: m/s at the beginning. phases: (duration, acceleration); speed never falls below 0.
        shifts: (begin, duration, metres to +X), seconds after ``begin_s``.
    """
    times, ways = [0.0], [0.0]
    v, plan = speed, [*phases, (400.0, 0.0)]
    for duration, acceleration in plan:
        for _ in range(round(duration / STEP_S)):
            new = max(v + acceleration * STEP_S, 0.0)
            ways.append(ways[-1] + (v + new) / 2 * STEP_S)
            times.append(times[-1] + STEP_S)
            v = new
        if times[-1] > 200:
            break
    t_axis, s_axis = np.array(times), np.array(ways)

    def at(moment: float) -> tuple[float, float]:
        s = float(np.interp(moment, t_axis, s_axis))
        aside = sum(dx * _smooth((moment - t0) / d) for t0, d, dx in shifts)
        return x + aside, y + way * s

    def motion(time_s: float) -> tuple[float, float, float] | None:
        moment = time_s - begin_s
        if moment < 0 or time_s > end_s:
            return None
        here, later, before = at(moment), at(moment + 0.1), at(max(moment - 0.1, 0))
        dx, dy = later[0] - before[0], later[1] - before[1]
        heading = math.atan2(dx, dy) if math.hypot(dx, dy) > 0.02 else (0.0 if way > 0 else math.pi)
        return here[0], here[1], heading

    return motion


def polyline(points: Sequence[tuple[float, float, float]], begin_heading: float = 0.0, end_s: float = math.inf) -> Motion:
    """Through (time, x, y) by straight lines; the heading of the last movement stays while it stands."""
    t, x, y = (np.array([p[i] for p in points]) for i in range(3))

    def motion(time_s: float) -> tuple[float, float, float] | None:
        if time_s < t[0] or time_s > end_s:
            return None
        heading = begin_heading
        for (ta, xa, ya), (_, xb, yb) in itertools.pairwise(points):
            if ta <= time_s and math.hypot(xb - xa, yb - ya) > 0.05:
                heading = math.atan2(xb - xa, yb - ya)
        return float(np.interp(time_s, t, x)), float(np.interp(time_s, t, y)), heading

    return motion


def _smooth(share: float) -> float:
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


# -- actors -------------------------------------------------------------------------------------------------------------


@dataclass(kw_only=True, eq=False)
class Actor:
    """Somebody on the stage: on a scripted ``motion``, or a driver of the intelligent driver model in a lane."""

    object_class: ObjectClass
    size: tuple[float, float, float]
    motion: Motion | None = None
    x: float = 0.0
    way: int = 1
    s: float = 0.0  # way * y of its middle
    v: float = 0.0
    desired: float = 15.0
    place: tuple[float, float, float] | None = None
    hard_to_see: float = 0.0  # extra probability of not being found
    number: int = 0


def make_actor(rng: Rng, object_class: ObjectClass, motion: Motion | None = None, **more: float) -> Actor:
    """An actor of usual size, a tenth up or down."""
    length, wide, tall = SIZES[object_class]
    k = rng.uniform(0.92, 1.08)
    return Actor(object_class=object_class, size=(length * k, wide * rng.uniform(0.96, 1.04), tall * k), motion=motion, **more)  # type: ignore[arg-type]


def any_vehicle(rng: Rng) -> ObjectClass:
    """A class as in traffic."""
    classes = (ObjectClass.CAR, ObjectClass.TRUCK, ObjectClass.BUS)
    return classes[int(rng.choice(3, p=(0.84, 0.11, 0.05)))]


@dataclass(kw_only=True)
class Flow:
    """Traffic in a lane: drivers who follow each other and everybody who stands in their way."""

    lane: LaneSpec
    per_hour: float
    speed: float
    spread: float = 0.08
    red: Sequence[tuple[float, float]] = ()  # seconds during which the signal at the lane's stop line is red
    due_s: float = 0.0


@dataclass(kw_only=True)
class Prop:
    """Something that only pixels show.

    Attributes:
        x, y: on the road; size_m: width and height; or ``follows`` an actor's head.
        share: probability of a finding per look. begin_s, end_s: when it is there.
    """

    kind: PixelFindingKind
    x: float = 0.0
    y: float = 0.0
    size_m: tuple[float, float] = (0.6, 0.5)
    share: float = 0.9
    score: float = 0.75
    begin_s: float = 0.0
    end_s: float = math.inf
    follows: Actor | None = None


@dataclass(kw_only=True)
class Noise:
    """What a detector does to boxes, and a tracker to numbers."""

    fps: float
    sigma_px: float
    missed: float
    odd: float
    flips: float
    switches_per_s: float
    phantoms: float

    @staticmethod
    def draw(rng: Rng) -> "Noise":
        """Ordinary imperfection."""
        return Noise(
            fps=float(rng.choice((5.0, 8.0, 10.0, 12.5, 15.0, 25.0), p=(0.25, 0.2, 0.2, 0.15, 0.1, 0.1))),
            sigma_px=rng.uniform(1.0, 3.0), missed=rng.uniform(0.01, 0.08), odd=rng.uniform(0.0, 0.012),
            flips=rng.uniform(0.0, 0.04), switches_per_s=rng.uniform(0.0, 0.08), phantoms=rng.uniform(0.0, 0.1),
        )  # fmt: skip


@dataclass(kw_only=True)
class Case:
    """One scripted scene and what must come of it.

    Attributes:
        expected: per kind, from when on it may be raised and until when it must be.
        allowed: kinds that may be raised as well: they are true, or a matter of opinion.
        shake: amplitude of the camera's shaking, pixels. views: spans in which the view is bad.
        swaps: moments at which two neighbouring tracks exchange their numbers.
    """

    name: str
    scene: Scene | None
    camera: StageCamera
    actors: list[Actor]
    seconds: float
    flows: list[Flow] = field(default_factory=list)
    expected: dict[EventKind, tuple[float, float]] = field(default_factory=dict)
    allowed: frozenset[EventKind] = frozenset()
    props: list[Prop] = field(default_factory=list)
    noise: Noise
    shake: float = 0.0
    views: Sequence[tuple[float, float, ViewState]] = ()
    swaps: Sequence[float] = ()


def advance(case: Case, time_s: float, rng: Rng) -> None:
    """One step of 0.05 s: flows let drivers in, drivers follow."""
    for flow in case.flows:
        if time_s >= flow.due_s:
            lane = flow.lane
            start = case.camera.near_m - 40 if lane.way > 0 else -(case.camera.far_m + 30)
            actor = make_actor(rng, any_vehicle(rng), x=lane.x + rng.normal(0, 0.15), way=lane.way)
            actor.desired = flow.speed * max(0.75, rng.normal(1, flow.spread))
            mates = [a for a in case.actors if a.motion is None and a.way == lane.way and abs(a.x - lane.x) < 1.5]
            last = min(mates, key=lambda a: a.s, default=None)
            actor.s, actor.v = start, actor.desired
            if last is not None:
                room = last.s - (last.size[0] + actor.size[0]) / 2 - start
                safe = last.v + math.sqrt(max(3.0 * (room - 4.0 - 0.8 * last.v), 0.0))
                if room < 5.0 or safe < 0.6 * min(actor.desired, last.v + 6.0):
                    flow.due_s = time_s + 0.5
                    continue
                actor.v = min(actor.desired, safe)
            case.actors.append(actor)
            flow.due_s = time_s + rng.exponential(3600 / flow.per_hour) + 1.0
    placed = [(a, a.motion(time_s) if a.motion else (a.x, a.way * a.s, 0.0 if a.way > 0 else math.pi)) for a in case.actors]
    for actor, place in placed:
        actor.place = place
    drivers = [a for a in case.actors if a.motion is None]
    for actor in drivers:
        gap, speed = _ahead(case, actor, time_s)
        free = 1.4 * (1 - (actor.v / max(actor.desired, 0.1)) ** 4)
        if gap is not None:
            wished = 2.0 + actor.v * 1.2 + actor.v * (actor.v - speed) / (2 * math.sqrt(1.4 * 2.0))
            free -= 1.4 * (max(wished, 0) / max(gap, 0.3)) ** 2
        before = actor.v
        actor.v = max(actor.v + max(free, -4.5) * STEP_S, 0.0)
        actor.s += (before + actor.v) / 2 * STEP_S
    far = case.camera.far_m + 80
    case.actors[:] = [a for a in case.actors if a.motion is not None or (a.way * a.s < far and a.way * a.s > -40)]


def _ahead(case: Case, actor: Actor, time_s: float) -> tuple[float | None, float]:
    """Bumper gap to whoever is next ahead in the way, and its speed."""
    best: tuple[float | None, float] = (None, 0.0)
    for other in case.actors:
        if other is actor or other.place is None:
            continue
        x, y, _ = other.place
        if abs(x - actor.x) > 1.9:
            continue
        gap = actor.way * y - actor.s - (other.size[0] + actor.size[0]) / 2
        if gap > -1.0 and (best[0] is None or gap < best[0]):
            speed = other.v if other.motion is None else _speed(other, time_s, actor.way)
            best = (gap, speed)
    for flow in case.flows:
        if flow.lane.stop_y is None or abs(flow.lane.x - actor.x) > 1.5 or flow.lane.way != actor.way:
            continue
        gap = actor.way * flow.lane.stop_y - actor.s - actor.size[0] / 2
        red = any(a <= time_s < b for a, b in flow.red)
        stops = gap > actor.v**2 / 6.0 or actor.v < 1
        if red and stops and gap > -0.5 and (best[0] is None or gap < best[0]):
            best = (gap, 0.0)
    return best


def _speed(actor: Actor, time_s: float, way: int) -> float:
    assert actor.motion is not None
    now, then = actor.motion(time_s), actor.motion(time_s - 0.1)
    return way * (now[1] - then[1]) / 0.1 if now and then else 0.0


# -- the detector -------------------------------------------------------------------------------------------------------


def detect(case: Case, time_s: float, rng: Rng) -> tuple[Detections, list[tuple[Actor, Array]]]:
    """Boxes as a detector gives them: noisy, sometimes missing or odd, cut where something nearer hides the lower part."""
    shift = np.zeros(4)
    if case.shake:
        dx, dy = case.shake * math.sin(9.0 * time_s), case.shake * 0.7 * math.cos(7.3 * time_s)
        shift = np.array([dx, dy, dx, dy])
    seen: list[tuple[Actor, Array, float]] = []
    for actor in case.actors:
        if actor.place is None:
            continue
        box = case.camera.box(*actor.place, actor.size)
        if box is not None:
            seen.append((actor, box, actor.place[1]))
    seen.sort(key=lambda item: item[2])  # nearest first
    boxes, classes, scores, truth = [], [], [], []
    noise = case.noise
    for place, (actor, box, _) in enumerate(seen):
        hidden = max((_share(box, other) for _, other, _ in seen[:place]), default=0.0)
        truth.append((actor, box))
        if hidden > 0.75 or rng.random() < noise.missed + actor.hard_to_see + 0.4 * max(hidden - 0.3, 0):
            continue
        tall = box[3] - box[1]
        sigma = min(noise.sigma_px, 0.05 * tall + 0.4)
        noisy = box + rng.normal(0, sigma, 4)
        if hidden > 0.3 and rng.random() < 0.5:
            noisy[3] -= 0.5 * hidden * tall
        if rng.random() < noise.odd:
            noisy += rng.normal(0, 0.15 * tall, 4)
        extent = np.array([*case.camera.frame_size, *case.camera.frame_size], np.float64)
        noisy = np.where((box <= 0) | (box >= extent), box, np.clip(noisy, 0, extent)) + shift
        if noisy[2] - noisy[0] < 3 or noisy[3] - noisy[1] < 3:
            continue
        boxes.append(noisy)
        classes.append(_flip(actor.object_class, rng) if rng.random() < noise.flips else actor.object_class)
        scores.append(rng.uniform(0.55, 0.95) if tall > 25 else rng.uniform(0.35, 0.8))
    if rng.random() < noise.phantoms:
        width, height = case.camera.frame_size
        x, y, w = rng.uniform(0, width), rng.uniform(0.3 * height, height), rng.uniform(20, 90)
        boxes.append(np.array([x, y - 0.8 * w, x + w, y]))
        classes.append(ObjectClass.CAR)
        scores.append(rng.uniform(0.2, 0.5))
    if not boxes:
        return Detections.empty(), truth
    found = Detections(
        boxes=np.array(boxes, np.float32),
        scores=np.array(scores, np.float32),
        classes=np.array([int(c) for c in classes], np.int64),
    )
    return found, truth


def _share(box: Array, other: Array) -> float:
    """Share of ``box`` that ``other`` covers."""
    w, h = min(box[2], other[2]) - max(box[0], other[0]), min(box[3], other[3]) - max(box[1], other[1])
    return float(max(w, 0) * max(h, 0) / max((box[2] - box[0]) * (box[3] - box[1]), 1e-9))


def _flip(object_class: ObjectClass, rng: Rng) -> ObjectClass:
    if object_class in (ObjectClass.PERSON, ObjectClass.BICYCLE):
        return object_class
    return (ObjectClass.CAR, ObjectClass.TRUCK, ObjectClass.BUS)[int(rng.integers(3))]


def look(case: Case, time_s: float, truth: Sequence[tuple[Actor, Array]], rng: Rng) -> tuple[PixelFinding, ...]:
    """What the pixels say when they are looked at: props with misses, and false findings by chance."""
    found = []
    heads = {id(actor): box for actor, box in truth}
    for prop in case.props:
        if not prop.begin_s <= time_s < prop.end_s or rng.random() > prop.share:
            continue
        kind = prop.kind
        if prop.follows is not None:
            body = heads.get(id(prop.follows))
            if body is None:
                continue
            w, h = body[2] - body[0], body[3] - body[1]
            box: Box = (body[0] + 0.3 * w, body[1], body[0] + 0.7 * w, body[1] + 0.16 * h)
        else:
            w, h = prop.size_m
            points = case.camera.pixels(np.array([[prop.x - w / 2, prop.y, 0.0], [prop.x + w / 2, prop.y, h]]))
            box = (points[:, 0].min(), points[:, 1].min(), points[:, 0].max(), points[:, 1].max())
        jitter = rng.normal(0, min(1.5, 0.08 * (box[3] - box[1]) + 0.3), 4)
        box = tuple(float(v) for v in np.array(box) + jitter)  # type: ignore[assignment]
        found.append(PixelFinding(kind=kind, box=box, score=float(np.clip(rng.normal(prop.score, 0.08), 0.1, 1.0))))
    return tuple(found)
