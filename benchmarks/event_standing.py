"""Scripted incidents of ``benchmarks.events`` of vehicles that stand, or hardly move. All numbers come from the seed."""

from benchmarks.event_maker import Maker, strip
from benchmarks.event_motion import scripted
from benchmarks.event_road import WIDTH_M, LaneSpec, RegionSpec, make_scene
from benchmarks.event_stage import Case, any_vehicle, make_actor
from traffic.facts import EventKind as Kind
from traffic.scene import LaneUse
from traffic.types import ObjectClass as Class


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
