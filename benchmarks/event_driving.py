"""Scripted incidents of ``benchmarks.events`` that are told from how somebody drives. All numbers come from the seed."""

from benchmarks.event_maker import KMH, Maker, strip
from benchmarks.event_motion import polyline, scripted
from benchmarks.event_road import WIDTH_M, RegionSpec, make_scene
from benchmarks.event_stage import Actor, Case, make_actor
from traffic.facts import EventKind as Kind
from traffic.scene import Boundary
from traffic.types import ObjectClass as Class


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
    """Emergency braking from speed, then on slowly or away again; where a pixel is half a metre, as docs/events.md asks."""
    m.sharpen(45.0, 0.5)
    lanes = m.road()
    lane, begin = lanes[int(m.rng.integers(len(lanes)))], m.u(3, 7)
    v, rate = m.u(55, 85) * KMH, m.u(6.0, 8.0)
    drop = min(m.u(30, 50) * KMH, v - 3)
    reach = (2 * v - drop) * drop / (2 * rate)  # metres of braking, which must be in the picture
    before = 1.2 * v  # and so must be a second and more of the way before
    while m.far - m.near < reach + (26 if m.way > 0 else before + 8):
        m.redraw(45.0, 0.5)
    y = min(m.y(22, 32), m.far - 4 - reach) if m.way > 0 else 0.0
    cruise = max(abs(y - m.start(m.way)) / v, 0.3)
    if m.way < 0:
        y = max(min(m.y(36, 50), m.far - 4 - before), m.near + 4 + reach)
        cruise = max((m.start(-1) - y) / v, 0.3)
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


def leaving_road(m: Maker) -> Case:
    """Drives off the road."""
    lanes = m.road()
    edge = lanes[-1].x + m.way * 1.5 * WIDTH_M
    region = RegionSpec(kind="off_road", points=strip(edge, m.near, m.far, WIDTH_M / 2 + 1.4))
    begin, kmh = m.u(2, 7), m.u(25, 50)
    at = m.u(0.9, 1.6) + (0.0 if m.way > 0 else 10.0 / (kmh * KMH))  # it has been seen on the road
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


def accident(m: Maker) -> Case:
    """A collision: into the rear of somebody, from the side, or into the barrier."""
    lanes = m.road()
    begin = m.u(2, 6)
    manner = int(m.rng.integers(4))
    y = m.y(10, 20)
    lane = lanes[int(m.rng.integers(len(lanes)))]
    v = m.u(45, 75) * KMH
    if m.way > 0:  # it has been in the picture for more than a second when it happens
        y = max(y, m.near + 1.2 * v)
    crash_s = begin + abs(y - m.start(m.way)) / v
    actors = []
    allowed = frozenset({Kind.SUDDEN_DECELERATION, Kind.VEHICLE_STOPPED, Kind.PEDESTRIAN, Kind.ILLEGAL_LANE_CHANGE})
    if manner == 0:  # into somebody who drives slowly
        actors = _run_into(m, lane.x, y, begin, v, m.u(8, 20) * KMH, share=0.5)
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
    else:  # into the rear of somebody who stands with his brakes on, people get out
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
        actors = [*_run_into(m, lane.x, y, begin, v, 0.0, share=0.3), person]
    scene = make_scene(m.camera, m.rng, lanes)
    flows = m.flows([other for other in lanes if abs(other.x - lane.x) > WIDTH_M * 1.5], 300)
    return m.case(
        "accident", scene, actors, crash_s + 18, flows=flows, expected={Kind.ACCIDENT: (crash_s, crash_s + 16)}, allowed=allowed
    )


def _run_into(m: Maker, x: float, y: float, begin: float, v: float, slow: float, share: float) -> list[Actor]:
    """Two cars in one lane: the rear one hits the other, bumper to bumper, when its middle is at ``y``; both go on with a common
    speed (``share`` of the difference is left) and brake to a stop."""
    front, rear = make_actor(m.rng, Class.CAR), make_actor(m.rng, Class.CAR)
    meet, common = abs(y - m.start(m.way)) / v, slow + share * (v - slow)
    apart = (front.size[0] + rear.size[0]) / 2
    halt = [(0.1, (common - slow) / 0.1), (common / 6.0 + 0.1, -6.0)]
    there = begin + meet  # the one in front is there from the beginning
    front.motion = scripted(x, y + m.way * (apart - slow * there), m.way, slow, [(there, 0.0), *halt])
    halt = [(0.1, (common - v) / 0.1), (common / 6.0 + 0.1, -6.0)]
    rear.motion = scripted(x, m.start(m.way), m.way, v, [(meet, 0.0), *halt], begin_s=begin)
    return [front, rear]
