"""The stage of the scripted scenes of ``benchmarks.events``: actors and traffic, and what makes a case of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.event_motion import STEP_S, Motion
from benchmarks.event_road import LaneSpec, Rng, StageCamera
from traffic.events import PixelFindingKind, ViewState
from traffic.facts import EventKind
from traffic.scene import Scene
from traffic.types import ObjectClass

FIRM_M_S2 = 4.0  # nobody brakes harder in ordinary traffic; from 4.5 on it is an event
SIZES = {
    ObjectClass.CAR: (4.5, 1.8, 1.5),
    ObjectClass.TRUCK: (8.5, 2.45, 3.1),
    ObjectClass.BUS: (11.0, 2.5, 3.1),
    ObjectClass.MOTORCYCLE: (2.1, 0.8, 1.6),
    ObjectClass.BICYCLE: (1.75, 0.6, 1.7),
    ObjectClass.PERSON: (0.5, 0.55, 1.72),
}


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
        actor.v = max(actor.v + max(free, -FIRM_M_S2) * STEP_S, 0.0)
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
