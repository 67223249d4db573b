"""The scripted incidents of ``benchmarks.events``: for each kind scenes in which it happens. All numbers come from the seed."""

import math
from collections.abc import Callable

from benchmarks.event_stage import (
    WIDTH_M,
    Actor,
    Case,
    Flow,
    LaneSpec,
    Noise,
    Prop,
    RegionSpec,
    Rng,
    StageCamera,
    any_vehicle,
    make_actor,
    make_scene,
    polyline,
    scripted,
)
from traffic.events import PixelFindingKind as Found
from traffic.facts import EventKind as Kind
from traffic.scene import Boundary, LaneUse
from traffic.types import ObjectClass as Class

KMH = 1 / 3.6


class Maker:
    """What all scripts share: a camera, the chance of the case, lanes and flows."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.camera = StageCamera(rng)
        self.noise = Noise.draw(rng)
        self.way = int(rng.choice((-1, 1)))
        self.near, self.far = self.camera.near_m, self.camera.far_m

    def u(self, low: float, high: float) -> float:
        """A number between the two."""
        return float(self.rng.uniform(low, high))

    def y(self, low: float = 6.0, high: float = 34.0) -> float:
        """A place along the road where things are seen well."""
        return self.near + self.u(low, min(high, self.far - self.near - 8))

    def road(self, count: int | None = None, way: int | None = None, **spec: object) -> list[LaneSpec]:
        """Lanes side by side, from the driver's left to the right."""
        count = count or int(self.rng.integers(2, 4))
        way = way or self.way
        return [LaneSpec(x=way * (i - (count - 1) / 2) * WIDTH_M, way=way, **spec) for i in range(count)]  # type: ignore[arg-type]

    def seen_y(self, x: float, low: float, high: float) -> float:
        """A place at ``x`` beside the road that lies well inside the picture."""
        y = self.y(low, high)
        while not 0.06 < self.camera.relative(x, y)[0] < 0.94 and y < self.far - 8:
            y += 2.0
        return y

    def flows(self, lanes: list[LaneSpec], per_hour: float = 500.0, kmh: float | None = None) -> list[Flow]:
        """Free traffic in lanes."""
        speed = (kmh or self.u(45, 90)) * KMH
        return [Flow(lane=lane, per_hour=per_hour, speed=speed * self.u(0.95, 1.05), due_s=self.u(0, 4)) for lane in lanes]

    def start(self, way: int) -> float:
        """Where a scripted vehicle comes into view."""
        return self.near - 8 if way > 0 else self.far + 6

    def vehicle(self, object_class: Class | None = None) -> Class:
        """A class of motor vehicle."""
        return object_class or any_vehicle(self.rng)

    def stops_at(self, x: float, y: float, way: int, kmh: float, decel: float, begin_s: float, shifts: tuple = ()):  # type: ignore[type-arg, no-untyped-def]
        """Motion that comes in, brakes and stands at ``y``, and when it stands."""
        v = kmh * KMH
        distance = abs(y - self.start(way))
        brake = v * v / 2 / decel
        if brake > distance - 2:
            v = math.sqrt(2 * decel * max(distance - 2, 1.0))
            brake = v * v / 2 / decel
        cruise = (distance - brake) / v
        motion = scripted(x, self.start(way), way, v, [(cruise, 0.0), (v / decel, -decel)], shifts, begin_s)
        return motion, begin_s + cruise + v / decel

    def case(self, name: str, scene: object, actors: list[Actor], seconds: float, **more: object) -> Case:
        """A case of this maker."""
        return Case(name=name, scene=scene, camera=self.camera, actors=actors, seconds=seconds, noise=self.noise, **more)  # type: ignore[arg-type]


def parking(m: Maker) -> Case:
    """Stops beside the lanes in a no-parking region, or on the hard shoulder, and stays; sometimes it stands from the start."""
    lanes = m.road()
    edge = lanes[-1].x + m.way * WIDTH_M
    shoulder = m.rng.random() < 0.4
    y = m.seen_y(edge + m.way * 1.2, 8, 30)
    regions = [RegionSpec(kind="no_parking", points=strip(edge, m.near, m.far))]
    actor = make_actor(m.rng, m.vehicle())
    if m.rng.random() < 0.25 and not shoulder:
        actor.motion, stands = scripted(edge, y, m.way, 0.0), 0.0
    else:
        shift = ((0.5, 3.0, m.way * WIDTH_M),)
        actor.motion, stands = m.stops_at(lanes[-1].x, y, m.way, m.u(25, 50), 2.0, m.u(2, 6), shift)
    spec = [*lanes, LaneSpec(x=edge, way=m.way, use=LaneUse.EMERGENCY)] if shoulder else lanes
    scene = make_scene(m.camera, m.rng, spec, [] if shoulder else regions, calibrated=m.rng.random() < 0.7)
    flows = m.flows(lanes, m.u(200, 600))
    return m.case("parking", scene, [actor], stands + 40, flows=flows, expected={Kind.ILLEGAL_PARKING: (stands, stands + 36)})


def wrong_way(m: Maker) -> Case:
    """Drives, or rides, against the lane."""
    lanes = m.road()
    rider = m.rng.random() < 0.25
    kind = Class.BICYCLE if rider else m.vehicle()
    lane = lanes[int(m.rng.integers(len(lanes)))]
    begin = m.u(2, 8)
    actor = make_actor(
        m.rng,
        kind,
        scripted(
            lane.x + m.u(-0.4, 0.4), m.start(-m.way), -m.way, m.u(14, 22) * KMH if rider else m.u(25, 80) * KMH, begin_s=begin
        ),
    )
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.7)
    flows = m.flows([other for other in lanes if other is not lane], m.u(200, 500))
    return m.case("wrong way", scene, [actor], begin + 22, flows=flows, expected={Kind.WRONG_WAY: (begin, begin + 20)})


def pedestrian(m: Maker) -> Case:
    """Walks along or across a highway, or rides a bicycle on it."""
    lanes = m.road()
    edge = lanes[-1].x + m.way * WIDTH_M
    spec = [*lanes, LaneSpec(x=edge, way=m.way, use=LaneUse.EMERGENCY)]
    y, begin = m.y(5, 22), m.u(2, 8)
    manner = m.rng.random()
    if manner < 0.35:
        kind, motion = Class.PERSON, scripted(edge + m.u(-0.8, 0.8), y, m.way, m.u(0.9, 1.6), begin_s=begin)
    elif manner < 0.7:
        a, b = lanes[0].x - m.way * 4, edge + m.way * 4
        speed = m.u(1.1, 1.9)
        motion = polyline([(begin, b, y), (begin + abs(b - a) / speed, a, y + m.u(-3, 3))], math.pi / 2)
        kind = Class.PERSON
    else:
        kind, motion = Class.BICYCLE, scripted(edge + m.u(-0.8, 0.8), m.start(m.way), m.way, m.u(14, 24) * KMH, begin_s=begin)
    flows = m.flows(lanes, m.u(200, 600), m.u(80, 120))
    if 0.35 <= manner < 0.7:
        flows = []  # nobody drives into somebody who crosses
    scene = make_scene(m.camera, m.rng, spec, highway=True, calibrated=m.rng.random() < 0.7)
    return m.case(
        "pedestrian",
        scene,
        [make_actor(m.rng, kind, motion)],
        begin + 20,
        flows=flows,
        expected={Kind.PEDESTRIAN: (begin, begin + 18)},
    )


def debris(m: Maker) -> Case:
    """Something lies in a lane."""
    lanes = m.road()
    lane, begin = lanes[int(m.rng.integers(len(lanes)))], m.u(4, 10)
    prop = Prop(
        kind=Found.STATIC_OBJECT,
        x=lane.x + m.u(-0.8, 0.8),
        y=m.y(4, 22),
        size_m=(m.u(0.4, 1.4), m.u(0.25, 0.9)),
        share=m.u(0.8, 0.97),
        begin_s=begin,
    )
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.7)
    flows = m.flows([other for other in lanes if other is not lane], m.u(200, 500))
    return m.case("debris", scene, [], begin + 20, props=[prop], flows=flows, expected={Kind.DEBRIS: (begin, begin + 18)})


def congestion(m: Maker) -> Case:
    """Traffic crawls: somebody far ahead holds up every lane, in stop and go."""
    lanes = m.road()
    actors = []
    for lane in lanes:
        end = m.far - 4 if m.way > 0 else -(m.near - 6)
        s = end
        blocked = make_actor(m.rng, Class.TRUCK, x=lane.x, way=m.way)
        blocked.s, blocked.desired = end + 3, m.u(0.6, 2.0)
        actors.append(blocked)
        while s > (m.near - 10 if m.way > 0 else -m.far - 10):
            actor = make_actor(m.rng, any_vehicle(m.rng), x=lane.x + m.rng.normal(0, 0.15), way=m.way)
            s -= actor.size[0] + m.u(1.8, 5.0)
            actor.s, actor.desired = s, 14.0
            actors.append(actor)
    flows = m.flows(lanes, 1500, m.u(50, 80))
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.7)
    for actor in actors[:: len(actors) // len(lanes) or 1]:
        actor.desired = min(actor.desired, 2.0)
    return m.case("congestion", scene, actors, 55, flows=flows, expected={Kind.CONGESTION: (0, 50)})


def lower_speed(m: Maker) -> Case:
    """One vehicle is far slower than a highway demands, the others go by in the other lanes."""
    lanes = m.road(way=m.way, limit=120.0)
    lane, begin = lanes[-1], m.u(3, 8)
    kmh = m.u(20, 42)
    actor = make_actor(m.rng, m.vehicle(), scripted(lane.x + m.u(-0.2, 0.2), m.start(m.way), m.way, kmh * KMH, begin_s=begin))
    scene = make_scene(m.camera, m.rng, lanes, highway=True)
    flows = m.flows(lanes[:-1], m.u(300, 600), m.u(85, 115))
    return m.case("lower speed", scene, [actor], begin + 14, flows=flows, expected={Kind.LOWER_SPEED: (begin, begin + 13)})


def speeding(m: Maker) -> Case:
    """One vehicle is a third to three quarters over the limit."""
    limit = float(m.rng.choice((50, 60, 80, 100)))
    lanes = m.road(limit=limit)
    begin = m.u(3, 8)
    lane = lanes[0]
    actor = make_actor(m.rng, Class.CAR, scripted(lane.x, m.start(m.way), m.way, limit * m.u(1.35, 1.75) * KMH, begin_s=begin))
    scene = make_scene(m.camera, m.rng, lanes)
    flows = m.flows(lanes[1:], m.u(200, 500), limit * 0.9)
    for flow in flows:
        flow.spread = 0.03
    return m.case("speeding", scene, [actor], begin + 9, flows=flows, expected={Kind.SPEEDING: (begin, begin + 9)})


def deceleration(m: Maker) -> Case:
    """Emergency braking from speed, then on slowly or away again."""
    lanes = m.road()
    lane, begin = lanes[int(m.rng.integers(len(lanes)))], m.u(3, 7)
    v, rate = m.u(55, 85) * KMH, m.u(6.0, 8.0)
    drop = min(m.u(30, 50) * KMH, v - 3)
    y = m.y(22, 32)
    cruise = max(abs(y - m.start(m.way)) / v, 0.3)
    if m.way < 0:
        cruise = max((m.start(-1) - m.y(36, 50)) / v, 0.3)
    motion = scripted(lane.x, m.start(m.way), m.way, v, [(cruise, 0), (drop / rate, -rate), (2.0, 0), (5.0, 1.5)], begin_s=begin)
    scene = make_scene(m.camera, m.rng, lanes)
    flows = m.flows([other for other in lanes if other is not lane], m.u(200, 500))
    t = begin + cruise
    return m.case(
        "deceleration",
        scene,
        [make_actor(m.rng, m.vehicle(Class.CAR), motion)],
        t + 9,
        flows=flows,
        expected={Kind.SUDDEN_DECELERATION: (t, t + 5)},
    )


def restricted(m: Maker) -> Case:
    """Drives into a closed region beside the lanes, or into a closed lane."""
    lanes = m.road()
    edge = lanes[-1].x + m.way * WIDTH_M
    begin = m.u(2, 8)
    regions = [RegionSpec(kind="restricted", points=strip(edge, m.near, m.far))]
    motion = scripted(
        lanes[-1].x, m.start(m.way), m.way, m.u(25, 50) * KMH, shifts=[(m.u(0.3, 1.2), 2.5, m.way * WIDTH_M)], begin_s=begin
    )
    scene = make_scene(m.camera, m.rng, lanes, regions, calibrated=m.rng.random() < 0.7)
    return m.case(
        "restricted",
        scene,
        [make_actor(m.rng, m.vehicle(), motion)],
        begin + 12,
        flows=m.flows(lanes[:-1], 400),
        expected={Kind.RESTRICTED_AREA: (begin, begin + 11)},
    )


def lane_change(m: Maker) -> Case:
    """Changes lanes over a solid line."""
    lanes = m.road(3)
    a, b = (0, 1) if m.rng.random() < 0.5 else (1, 0)
    left, right = min(a, b), max(a, b)
    lanes[left].right = lanes[right].left = Boundary.SOLID
    begin, kmh = m.u(2, 7), m.u(28, 45)
    reach = m.y(6, 12) - m.start(1) if m.way > 0 else m.start(-1) - m.y(36, 46)
    at = max(1.0, reach / (kmh * KMH))
    dx = lanes[b].x - lanes[a].x
    motion = scripted(lanes[a].x, m.start(m.way), m.way, kmh * KMH, shifts=[(at, m.u(1.8, 3.0), dx)], begin_s=begin)
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.7)
    t = begin + at
    return m.case(
        "lane change",
        scene,
        [make_actor(m.rng, m.vehicle(Class.CAR), motion)],
        t + 9,
        flows=m.flows(lanes[2:], 400),
        expected={Kind.ILLEGAL_LANE_CHANGE: (t, t + 7)},
    )


def no_helmet(m: Maker) -> Case:
    """Somebody works bareheaded where helmets are worn."""
    lanes = m.road(2)
    edge = lanes[-1].x + m.way * 2 * WIDTH_M
    region = RegionSpec(kind="helmet", points=strip(edge, m.near, m.near + 28, 3.0))
    begin, y = m.u(2, 8), m.y(4, 14)
    points = [(begin, edge - 2, y), (begin + 8, edge + 2, y + 2), (begin + 16, edge - 1, y + 1), (begin + 24, edge + 1, y)]
    person = make_actor(m.rng, Class.PERSON, polyline(points))
    other = make_actor(m.rng, Class.PERSON, polyline([(0, edge + 2, y + 4), (9, edge, y + 5), (20, edge + 2, y + 4)]))
    props = [
        Prop(kind=Found.BARE_HEAD, follows=person, share=m.u(0.6, 0.9)),
        Prop(kind=Found.HELMET, follows=person, share=m.u(0.0, 0.12)),
        Prop(kind=Found.HELMET, follows=other, share=0.85),
        Prop(kind=Found.BARE_HEAD, follows=other, share=0.08),
    ]
    scene = make_scene(m.camera, m.rng, lanes, [region])
    return m.case(
        "no helmet",
        scene,
        [person, other],
        begin + 22,
        props=props,
        flows=m.flows(lanes, 300),
        expected={Kind.NO_HELMET: (begin, begin + 18)},
    )


def road_works(m: Maker) -> Case:
    """Cones in a lane, workers among them, sometimes a vehicle."""
    lanes = m.road(3)
    lane, begin, y = lanes[-1], m.u(2, 8), m.y(4, 12)
    props = [
        Prop(
            kind=Found.CONE, x=lane.x + m.u(-0.9, 0.9), y=y + 3.0 * i, size_m=(0.4, 0.7), share=m.u(0.75, 0.95), begin_s=begin + i
        )
        for i in range(int(m.rng.integers(3, 6)))
    ]
    actors = [
        make_actor(
            m.rng,
            Class.PERSON,
            polyline([(begin + 2, lane.x + 0.6, y + 2), (begin + 12, lane.x - 0.5, y + 5), (begin + 30, lane.x, y + 3)]),
        )
    ]
    if m.rng.random() < 0.4:
        actors.append(make_actor(m.rng, Class.TRUCK, scripted(lane.x, y + 14, m.way, 0.0)))
    scene = make_scene(m.camera, m.rng, lanes, highway=m.rng.random() < 0.5, calibrated=m.rng.random() < 0.7)
    allowed = frozenset({Kind.PEDESTRIAN, Kind.VEHICLE_STOPPED})
    return m.case(
        "road works",
        scene,
        actors,
        begin + 30,
        props=props,
        flows=m.flows(lanes[:-1], 400, 90),
        expected={Kind.ROAD_WORKS: (begin, begin + 28)},
        allowed=allowed,
    )


def stopped(m: Maker) -> Case:
    """Breaks down in a lane; the others pass, or queue behind it."""
    lanes = m.road()
    lane = lanes[int(m.rng.integers(len(lanes)))]
    y = m.y(8, 26)
    actor = make_actor(m.rng, m.vehicle())
    actor.motion, stands = m.stops_at(lane.x + m.u(-0.3, 0.3), y, m.way, m.u(30, 55), m.u(1.5, 2.5), m.u(2, 6))
    blocked = m.rng.random() < 0.5
    flows = m.flows([other for other in lanes if blocked or other is not lane], m.u(250, 450), m.u(45, 65))
    scene = make_scene(m.camera, m.rng, lanes, highway=m.rng.random() < 0.5, calibrated=m.rng.random() < 0.7)
    allowed = frozenset({Kind.CONGESTION, Kind.LOWER_SPEED})
    return m.case(
        "stopped",
        scene,
        [actor],
        stands + 30,
        flows=flows,
        expected={Kind.VEHICLE_STOPPED: (stands, stands + 28)},
        allowed=allowed,
    )


def mudslide(m: Maker) -> Case:
    """A slope beside the road comes down."""
    lanes = m.road(2)
    edge = lanes[-1].x + m.way * 2.2 * WIDTH_M
    region = RegionSpec(kind="slope", points=strip(edge, m.near + 2, m.near + 34, 3.5))
    begin = m.u(5, 12)
    prop = Prop(
        kind=Found.SURFACE_CHANGE,
        x=edge,
        y=m.near + m.u(10, 18),
        size_m=(m.u(4, 7), m.u(2.5, 4)),
        share=m.u(0.8, 0.97),
        begin_s=begin,
    )
    scene = make_scene(m.camera, m.rng, lanes, [region], calibrated=m.rng.random() < 0.7)
    return m.case(
        "mudslide",
        scene,
        [],
        begin + 20,
        props=[prop],
        flows=m.flows(lanes, 300),
        expected={Kind.MUDSLIDE: (begin, begin + 18)},
    )


def leaving_road(m: Maker) -> Case:
    """Drives off the road."""
    lanes = m.road()
    edge = lanes[-1].x + m.way * 1.5 * WIDTH_M
    region = RegionSpec(kind="off_road", points=strip(edge, m.near, m.far, WIDTH_M / 2 + 1.4))
    begin, kmh = m.u(2, 7), m.u(25, 50)
    at = m.u(0.9, 1.6)
    shifts = [(at, 2.2, m.way * 1.7 * WIDTH_M)]
    phases = [(at + 2.0, 0.0), (kmh * KMH / 2.5, -2.5)]
    motion = scripted(lanes[-1].x, m.start(m.way), m.way, kmh * KMH, phases, shifts, begin)
    scene = make_scene(m.camera, m.rng, lanes, [region], calibrated=m.rng.random() < 0.7)
    t = begin + at
    return m.case(
        "leaving road",
        scene,
        [make_actor(m.rng, m.vehicle(Class.CAR), motion)],
        t + 14,
        flows=m.flows(lanes[:-1], 400),
        expected={Kind.LEAVING_ROAD: (t, t + 12)},
    )


def overflow(m: Maker) -> Case:
    """The exit of a junction is blocked; drivers went in all the same and stand in the box."""
    lanes = m.road(2)
    low = m.near + m.u(7, 10)
    high = low + m.u(12, 15)
    box = RegionSpec(kind="junction_box", points=[(-7, low), (7, low), (7, high), (-7, high)])
    actors = []
    t = m.u(2, 5)
    for lane in lanes[: 1 if m.rng.random() < 0.4 else 2]:
        y = high + 4 if m.way > 0 else low - 4
        for i in range(4):
            actor = make_actor(m.rng, Class.CAR)
            actor.motion, stands = m.stops_at(lane.x, y, m.way, 35, 2.0, t + 3.0 * i)
            actors.append(actor)
            y -= m.way * m.u(6.2, 7.2)
    stands = t + 14
    scene = make_scene(m.camera, m.rng, [], [box], calibrated=m.rng.random() < 0.7)
    for lane in lanes:  # approach and exit, with the stop line before the box
        before = low - 1 if m.way > 0 else high + 1
        lane.stop_y = before
    approach = [
        LaneSpec(
            x=lane.x,
            way=lane.way,
            begin=m.near - 1 if m.way > 0 else high + 1,
            end=low - 0.5 if m.way > 0 else m.far,
            stop_y=lane.stop_y,
        )
        for lane in lanes
    ]
    scene = make_scene(m.camera, m.rng, approach, [box], calibrated=m.rng.random() < 0.7)
    return m.case("overflow", scene, actors, stands + 28, expected={Kind.JUNCTION_OVERFLOW: (t, stands + 26)})


def accident(m: Maker) -> Case:
    """A collision: into the rear of somebody, from the side, or into the barrier."""
    lanes = m.road()
    begin = m.u(2, 6)
    manner = int(m.rng.integers(4))
    y = m.y(10, 20)
    lane = lanes[int(m.rng.integers(len(lanes)))]
    v = m.u(45, 75) * KMH
    crash_s = begin + abs(y - m.start(m.way)) / v
    actors = []
    allowed = frozenset({Kind.SUDDEN_DECELERATION, Kind.VEHICLE_STOPPED, Kind.PEDESTRIAN, Kind.ILLEGAL_LANE_CHANGE})
    if manner == 0:  # into somebody who drives slowly
        slow = m.u(8, 20) * KMH
        front = make_actor(m.rng, Class.CAR)
        meet = crash_s - begin
        y0 = y + m.way * 4.4 - m.way * slow * meet
        front.motion = scripted(lane.x, y0, m.way, slow, [(meet, 0.0), (0.4, 5.0), (1.5, -6.0)], begin_s=begin)
        rear = make_actor(
            m.rng,
            Class.CAR,
            scripted(lane.x, m.start(m.way), m.way, v, [(meet, 0.0), (0.25, -(v - 3) / 0.25), (1.0, -5.0)], begin_s=begin),
        )
        actors = [front, rear]
    elif manner == 1:  # from the side
        side = m.u(25, 40) * KMH
        meet = crash_s - begin
        one = make_actor(
            m.rng,
            Class.CAR,
            scripted(lane.x, m.start(m.way), m.way, v, [(meet, 0.0), (0.2, -0.75 * v / 0.2), (0.8, -6.0)], begin_s=begin),
        )
        x0 = lane.x - (side * meet + 2.6)
        sign = 1.0 if m.rng.random() < 0.5 else -1.0
        points = [
            (begin, lane.x + sign * (x0 - lane.x), y + m.way * 1.5),
            (crash_s, lane.x - sign * 2.2, y + m.way * 1.5),
            (crash_s + 0.6, lane.x - sign * 1.4, y + m.way * 3.2),
        ]
        two = make_actor(m.rng, Class.MOTORCYCLE if m.rng.random() < 0.3 else Class.CAR, polyline(points))
        actors = [one, two]
    elif manner == 2:  # into the barrier
        x = lanes[-1].x
        shift = m.way * 1.6
        meet = crash_s - begin
        motion = scripted(
            x, m.start(m.way), m.way, v, [(meet, 0.0), (0.25, -(v - 2.5) / 0.25), (0.8, -3.5)], [(meet - 1.0, 1.0, shift)], begin
        )
        actors = [make_actor(m.rng, Class.CAR, motion)]
        lane = lanes[-1]
    else:  # into the rear of somebody who stands, people get out
        stands_s = begin
        front = make_actor(m.rng, Class.CAR, scripted(lane.x, y + m.way * 4.5, m.way, 0.0))
        meet = crash_s - begin
        rear = make_actor(
            m.rng, Class.CAR, scripted(lane.x, m.start(m.way), m.way, v, [(meet, 0.0), (0.2, -v / 0.2)], begin_s=begin)
        )
        person = make_actor(
            m.rng,
            Class.PERSON,
            polyline(
                [
                    (crash_s + 4, lane.x + 1.6, y),
                    (crash_s + 8, lane.x + 2.0, y - m.way * 4),
                    (crash_s + 30, lane.x + 1.8, y - m.way * 3),
                ]
            ),
        )
        actors = [front, rear, person]
        del stands_s
    scene = make_scene(m.camera, m.rng, lanes)
    flows = m.flows([other for other in lanes if abs(other.x - lane.x) > WIDTH_M * 1.5], 300)
    return m.case(
        "accident", scene, actors, crash_s + 18, flows=flows, expected={Kind.ACCIDENT: (crash_s, crash_s + 16)}, allowed=allowed
    )


def crowd(m: Maker) -> Case:
    """People gather in a crowd region; stated as ``CrowdAlarm`` by ``traffic.sampling``."""
    lanes = m.road(2)
    edge = lanes[-1].x + m.way * 2.5 * WIDTH_M
    region = RegionSpec(kind="crowd", points=strip(edge, m.near, m.near + 26, 5.0))
    actors = []
    begin, y0 = m.u(2, 6), m.y(6, 10)
    count = int(m.rng.integers(15, 20))
    for i in range(count):
        x, y = edge + m.u(-0.3, 0.3) + 1.7 * (i % 5) - 3.4, y0 + 2.0 * (i // 5)
        actors.append(
            make_actor(
                m.rng,
                Class.PERSON,
                polyline([(begin + 0.4 * i, x, y - 1), (begin + 0.4 * i + 3, x, y), (90, x + m.u(-0.5, 0.5), y + 0.3)]),
            )
        )
    scene = make_scene(m.camera, m.rng, lanes, [region])
    t = begin + 0.4 * count
    return m.case("crowd", scene, actors, t + 25, flows=m.flows(lanes, 250), expected={Kind.CROWD: (begin, t + 24)})


def strip(x: float, low: float, high: float, half: float = WIDTH_M / 2 - 0.1) -> list[tuple[float, float]]:
    """A region along the road."""
    return [(x - half, low), (x + half, low), (x + half, high), (x - half, high)]


POSITIVES: dict[Kind, Callable[[Maker], Case]] = {
    Kind.ILLEGAL_PARKING: parking, Kind.WRONG_WAY: wrong_way, Kind.PEDESTRIAN: pedestrian, Kind.DEBRIS: debris,
    Kind.CONGESTION: congestion, Kind.LOWER_SPEED: lower_speed, Kind.SPEEDING: speeding, Kind.CROWD: crowd,
    Kind.SUDDEN_DECELERATION: deceleration, Kind.RESTRICTED_AREA: restricted, Kind.ILLEGAL_LANE_CHANGE: lane_change,
    Kind.NO_HELMET: no_helmet, Kind.ACCIDENT: accident, Kind.ROAD_WORKS: road_works, Kind.VEHICLE_STOPPED: stopped,
    Kind.MUDSLIDE: mudslide, Kind.LEAVING_ROAD: leaving_road, Kind.JUNCTION_OVERFLOW: overflow,
}  # fmt: skip
