"""Scripted incidents of ``benchmarks.events`` of people, and of what only pixels show. All numbers come from the seed."""

import math

from benchmarks.event_maker import KMH, Maker, strip
from benchmarks.event_motion import polyline, scripted
from benchmarks.event_road import WIDTH_M, LaneSpec, RegionSpec, make_scene
from benchmarks.event_stage import Case, Prop, make_actor
from traffic.events import PixelFindingKind as Found
from traffic.facts import EventKind as Kind
from traffic.scene import LaneUse
from traffic.types import ObjectClass as Class


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


def crowd(m: Maker) -> Case:
    """People gather in a crowd region; stated as ``CrowdAlarm`` by ``traffic.sampling``."""
    lanes = m.road(2)
    edge = lanes[-1].x + m.way * 2.5 * WIDTH_M
    actors = []
    begin, y0 = m.u(2, 6), m.seen_y(edge + m.way * 5.5, 6, 10)  # the whole gathering is in the picture
    region = RegionSpec(kind="crowd", points=strip(edge, y0 - 6, y0 + 16, 5.0))
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


def no_helmet(m: Maker) -> Case:
    """Somebody works bareheaded where helmets are worn."""
    lanes = m.road(2)
    edge = lanes[-1].x + m.way * 2 * WIDTH_M
    begin, y = m.u(2, 8), m.seen_y(edge + m.way * 2, 4, 14)  # the whole way of the worker is in the picture
    region = RegionSpec(kind="helmet", points=strip(edge, m.near, max(m.near + 28, y + 8), 3.0))
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
