"""Scripted scenes of ``benchmarks.events`` in which nothing happens, though it may look like it. Numbers come from the seed."""

import math
from collections.abc import Callable

from benchmarks.event_maker import KMH, Maker, strip
from benchmarks.event_motion import polyline, scripted
from benchmarks.event_road import WIDTH_M, LaneSpec, RegionSpec, make_scene
from benchmarks.event_stage import Case, Prop, any_vehicle, make_actor
from traffic.events import PixelFindingKind as Found
from traffic.events import ViewState
from traffic.facts import EventKind as Kind
from traffic.scene import Boundary, LaneUse
from traffic.types import ObjectClass as Class


def ordinary(m: Maker) -> Case:
    """Free traffic on a road with everything drawn and switched on."""
    highway = m.rng.random() < 0.5
    limit = float(m.rng.choice((100, 120))) if highway else float(m.rng.choice((60, 80)))
    lanes = m.road(limit=limit)
    lanes[0].right = lanes[1].left = Boundary.SOLID if m.rng.random() < 0.3 else Boundary.DASHED
    edge = lanes[-1].x + m.way * WIDTH_M
    regions = [
        RegionSpec(kind=str(m.rng.choice(("no_parking", "restricted", "off_road", "slope"))), points=strip(edge, m.near, m.far))
    ]
    scene = make_scene(m.camera, m.rng, lanes, regions, highway=highway, calibrated=m.rng.random() < 0.7)
    flows = m.flows(lanes, m.u(300, 800), limit * m.u(0.8, 0.93))
    for flow in flows:
        flow.spread = 0.05
    return m.case("ordinary", scene, [], 60, flows=flows)


def both_ways(m: Maker) -> Case:
    """Two directions side by side: nobody is on the wrong side."""
    lanes = [LaneSpec(x=m.way * WIDTH_M / 2, way=m.way), LaneSpec(x=-m.way * WIDTH_M / 2, way=-m.way)]
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.7)
    return m.case("both ways", scene, [], 50, flows=m.flows(lanes, m.u(300, 600), m.u(40, 70)))


def red_light(m: Maker) -> Case:
    """A queue at a red light, then green."""
    lanes = m.road(None, m.way)
    stop = m.far - 6 if m.way > 0 else m.near + 6
    for lane in lanes:
        lane.stop_y = stop
    flows = m.flows(lanes, m.u(500, 900), m.u(40, 60))
    red = [(0.0, m.u(35, 55))]
    for flow in flows:
        flow.red = red
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.7)
    return m.case("red light", scene, [], 75, flows=flows)


def dense(m: Maker) -> Case:
    """Dense, slow, but flowing."""
    lanes = m.road()
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.7)
    return m.case("dense", scene, [], 50, flows=m.flows(lanes, 1300, m.u(35, 50)))


def parked_beside(m: Maker) -> Case:
    """A row of parked cars beside the road, some seen badly, traffic passes and hides them."""
    lanes = m.road()
    edge = lanes[-1].x + m.way * 1.15 * WIDTH_M
    actors, y = [], m.near + 3
    while y < min(m.near + 40, m.far - 6):
        actors.append(
            make_actor(m.rng, any_vehicle(m.rng), scripted(edge + m.u(-0.2, 0.3), y, m.way, 0.0), hard_to_see=m.u(0, 0.4))
        )
        y += actors[-1].size[0] + m.u(5, 9)
    regions = [RegionSpec(kind="parking", points=strip(edge, m.near, m.far))] if m.rng.random() < 0.5 else []
    scene = make_scene(m.camera, m.rng, lanes, regions, calibrated=m.rng.random() < 0.7)
    return m.case("parked beside", scene, actors, 50, flows=m.flows(lanes, m.u(300, 600)))


def short_stop(m: Maker) -> Case:
    """Stops in a lane for a few seconds, or in a no-parking region to let somebody out."""
    lanes = m.road()
    edge = lanes[-1].x + m.way * WIDTH_M
    inside = m.rng.random() < 0.5
    kmh = m.u(25, 45)
    shift = () if inside else ((0.5, 3.0, m.way * WIDTH_M),)
    motion, stands = m.stops_at(lanes[-1].x, m.y(10, 26), m.way, kmh, 2.0, 3.0, shift)
    wait = m.u(3, 6) if inside else m.u(6, 13)
    phases = _then(m, stands, wait, kmh)
    actor = make_actor(m.rng, any_vehicle(m.rng), phases(motion))
    regions = [] if inside else [RegionSpec(kind="no_parking", points=strip(edge, m.near, m.far))]
    scene = make_scene(m.camera, m.rng, lanes, regions, calibrated=m.rng.random() < 0.7)
    return m.case("short stop", scene, [actor], stands + wait + 15, flows=m.flows(lanes[:-1], 400))


def _then(m: Maker, stands: float, wait: float, kmh: float) -> Callable:  # type: ignore[type-arg]
    """The same motion, but after ``wait`` seconds of standing it drives on."""

    def change(motion):  # type: ignore[no-untyped-def]
        begin = stands + wait

        def later(time_s: float):  # type: ignore[no-untyped-def]
            if time_s < begin:
                return motion(time_s)
            place = motion(begin)
            if place is None:
                return None
            way = 1.5 * (time_s - begin) ** 2 / 2
            return place[0], place[1] + m.way * way, place[2]

        return later

    return change


def bus_stop(m: Maker) -> Case:
    """A bus stops in its bay, which is drawn as a place where standing is allowed."""
    lanes = m.road()
    edge = lanes[-1].x + m.way * WIDTH_M
    motion, stands = m.stops_at(lanes[-1].x, m.y(14, 26), m.way, 35, 1.5, 3.0, ((0.5, 3.0, m.way * WIDTH_M),))
    actor = make_actor(m.rng, Class.BUS, motion)
    spec = [*lanes, LaneSpec(x=edge, way=m.way)]
    regions = [RegionSpec(kind="parking", points=strip(edge, m.near, m.far, WIDTH_M / 2 + 0.3))]
    scene = make_scene(m.camera, m.rng, spec, regions, calibrated=m.rng.random() < 0.7)
    return m.case("bus stop", scene, [actor], stands + 30, flows=m.flows(lanes[:-1], 400))


def crossing_people(m: Maker) -> Case:
    """People cross an ordinary street, and walk beside a highway."""
    highway = m.rng.random() < 0.5
    lanes = m.road(2)
    actors = []
    for _ in range(4):
        y, t = m.y(4, 18), m.u(0, 20)
        if highway:
            x = lanes[-1].x + m.way * m.u(1.5, 2.5) * WIDTH_M
            motion = polyline([(t, x, y), (t + 20, x, y + m.u(-24, 24))])
        else:
            motion = polyline([(t, -8, y), (t + 12, 8, y + 1)], math.pi / 2)
        actors.append(make_actor(m.rng, Class.PERSON, motion))
    scene = make_scene(m.camera, m.rng, lanes, highway=highway, calibrated=m.rng.random() < 0.7)
    return m.case("crossing people", scene, actors, 36, flows=m.flows(lanes, 300, 90) if highway else [])


def motorcycles(m: Maker) -> Case:
    """Motorcycles on a highway, their riders sometimes found as people. They pass the others at the edge of the lane."""
    lanes = m.road(2)
    actors = []
    for i in range(4):
        lane, v = lanes[i % 2], m.u(70, 110) * KMH
        motion = scripted(lane.x - 1.6 * m.way, m.start(m.way), m.way, v, begin_s=2.0 + 6 * i)
        actors.append(make_actor(m.rng, Class.MOTORCYCLE, motion))
        if m.rng.random() < 0.6:
            actors.append(make_actor(m.rng, Class.PERSON, motion, hard_to_see=0.5))
    scene = make_scene(m.camera, m.rng, lanes, highway=True, calibrated=m.rng.random() < 0.7)
    return m.case("motorcycles", scene, actors, 34, flows=m.flows(lanes, 150, 95))


def overtaking(m: Maker) -> Case:
    """Overtakes on the opposite lane and returns; another one turns round."""
    lanes = [LaneSpec(x=m.way * WIDTH_M / 2, way=m.way), LaneSpec(x=-m.way * WIDTH_M / 2, way=-m.way)]
    kmh = m.u(45, 65)
    t0 = m.u(1.0, 1.6)
    dx = -m.way * WIDTH_M
    motion = scripted(lanes[0].x, m.start(m.way), m.way, kmh * KMH, shifts=[(t0, 1.8, dx), (t0 + 3.2, 1.8, -dx)], begin_s=3.0)
    level_s = t0 + 2.5  # it is beside the slow one when it is in the other lane: nobody drives through anybody
    slow = scripted(lanes[0].x, m.start(m.way), m.way, 0.55 * kmh * KMH, begin_s=3.0 + level_s - level_s / 0.55)
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.7)
    actors = [make_actor(m.rng, Class.CAR, motion), make_actor(m.rng, Class.CAR, slow)]
    return m.case("overtaking", scene, actors, 25)


def u_turn(m: Maker) -> Case:
    """Turns round from one direction into the other."""
    lanes = [LaneSpec(x=m.way * 2.2, way=m.way), LaneSpec(x=-m.way * 2.2, way=-m.way)]
    y, t, v = m.y(14, 24), 3.0, 5.0
    start = m.start(m.way)
    points = [(t, lanes[0].x, start)]
    points.append((t + abs(y - start) / v, lanes[0].x, y))
    for i in range(1, 13):
        angle = math.pi * i / 12
        points.append((points[-1][0] + 0.15, lanes[0].x * math.cos(angle), y + m.way * 2.6 * math.sin(angle)))
    points.append((points[-1][0] + 9.0, lanes[1].x, y - m.way * 40))
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.7)
    return m.case("u turn", scene, [make_actor(m.rng, Class.CAR, polyline(points))], 30, flows=[])


def flickering(m: Maker) -> Case:
    """Very noisy boxes and classes, odd boxes, many id switches."""
    case = ordinary(m)
    case.noise.sigma_px, case.noise.odd, case.noise.flips, case.noise.switches_per_s = 3.0, 0.04, 0.15, 0.4
    case.noise.missed, case.noise.phantoms = 0.15, 0.4
    case.name = "flickering"
    return case


def shaking(m: Maker) -> Case:
    """The camera shakes a little over standing and driving vehicles."""
    case = parked_beside(m) if m.rng.random() < 0.5 else ordinary(m)
    case.shake, case.name = m.u(3, 8), "shaking"
    return case


def bad_view(m: Maker) -> Case:
    """Black, blurred, shaken or moved: whatever is found meanwhile is not believed."""
    case = ordinary(m)
    state = (ViewState.DARK, ViewState.BLURRED, ViewState.SHAKING, ViewState.MOVED)[int(m.rng.integers(4))]
    case.views, case.name = [(12.0, 35.0, state)], "bad view"
    case.noise.phantoms = 0.9
    return case


def shadows(m: Maker) -> Case:
    """False findings of the pixels: shadows that come and go, parked cars that leave, glare."""
    lanes = m.road()
    edge = lanes[-1].x + m.way * WIDTH_M
    region = RegionSpec(kind="slope", points=strip(edge + m.way * 3, m.near, m.near + 30, 3.0))
    props = []
    for _ in range(6):
        kind = (Found.STATIC_OBJECT, Found.SURFACE_CHANGE, Found.CONE)[int(m.rng.integers(3))]
        x = edge + m.way * 3 if kind is Found.SURFACE_CHANGE else m.u(-6, 6)
        size = (m.u(2, 5), m.u(1, 3)) if kind is Found.SURFACE_CHANGE else (m.u(0.4, 1.5), m.u(0.3, 0.9))
        begin = m.u(0, 30)
        short = m.rng.random() < 0.5
        props.append(
            Prop(
                kind=kind, x=x, y=m.y(3, 20), size_m=size, share=m.u(0.7, 0.95) if short else m.u(0.1, 0.35), begin_s=begin,
                end_s=begin + (m.u(1, 3) if short else 30),
            )
        )  # fmt: skip
    scene = make_scene(m.camera, m.rng, lanes, [region], calibrated=m.rng.random() < 0.7)
    return m.case("shadows", scene, [], 50, props=props, flows=m.flows(lanes, 400))


def left_ghost(m: Maker) -> Case:
    """A vehicle that stood long drives off; the background model takes its hole for an object."""
    lanes = m.road()
    lane, y = lanes[-1], m.y(8, 20)
    leaves = m.u(14, 18)
    motion = scripted(lane.x, y, m.way, 0.0, [(leaves, 0.0), (6.0, 1.8)])
    props = [Prop(kind=Found.STATIC_OBJECT, x=lane.x, y=y, size_m=(1.7, 1.2), share=0.9, begin_s=leaves + 3)]
    regions = [RegionSpec(kind="parking", points=strip(lane.x, m.near, m.far))]
    scene = make_scene(m.camera, m.rng, lanes, regions, calibrated=m.rng.random() < 0.7)
    return m.case(
        "left ghost", scene, [make_actor(m.rng, Class.CAR, motion)], leaves + 22, props=props, flows=m.flows(lanes[:-1], 300)
    )


def left_turners(m: Maker) -> Case:
    """One or two vehicles wait in the junction box for a gap, nothing blocks them; then they turn."""
    low = m.near + m.u(7, 10)
    high = low + 14
    box = RegionSpec(kind="junction_box", points=[(-8, low), (8, low), (8, high), (-8, high)])
    actors = []
    y = (low + high) / 2 + m.way * 3
    for i in range(int(m.rng.integers(1, 3))):
        motion, stands = m.stops_at(-m.way * 1.0, y - m.way * 6.3 * i, m.way, 25, 1.5, 2.0 + 2 * i)
        turn = _then(m, stands, m.u(14, 20) - i, 20)
        actors.append(make_actor(m.rng, Class.CAR, turn(motion)))
    lanes = [
        LaneSpec(x=m.way * 2.5, way=m.way, begin=m.near - 1 if m.way > 0 else high + 1, end=low - 0.5 if m.way > 0 else m.far)
    ]
    scene = make_scene(m.camera, m.rng, lanes, [box], calibrated=m.rng.random() < 0.7)
    return m.case("left turners", scene, actors, 36)


def queue_join(m: Maker) -> Case:
    """Somebody brakes firmly, but as drivers do, and joins a standing queue."""
    lanes = m.road(2)
    stop = m.far - 6 if m.way > 0 else m.near + 6
    for lane in lanes:
        lane.stop_y = stop
    actors, y = [], stop - m.way * 3
    for _ in range(2):
        actors.append(make_actor(m.rng, Class.CAR, scripted(lanes[0].x, y, m.way, 0.0)))
        y -= m.way * m.u(6.3, 7.5)
    motion, stands = m.stops_at(lanes[0].x, y, m.way, m.u(45, 65), m.u(2.5, 3.4), 3.0)
    actors.append(make_actor(m.rng, Class.CAR, motion))
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.8)
    return m.case("queue join", scene, actors, stands + 20, flows=m.flows(lanes[1:], 300, 50))


def hard_stop(m: Maker) -> Case:
    """Emergency braking behind somebody who stands, without a collision; then both drive on."""
    lanes = m.road()
    lane = lanes[0]
    y = m.y(12, 22)
    front = make_actor(m.rng, Class.CAR, _then(m, 0.0, 7.0, 0)(scripted(lane.x, y + m.way * 7.5, m.way, 0.0)))
    motion, stands = m.stops_at(lane.x, y, m.way, m.u(45, 60), m.u(5.0, 7.0), 2.0)
    rear = make_actor(m.rng, Class.CAR, _then(m, max(stands, 7.0), 1.5, 0)(motion))
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.8)
    allowed = frozenset({Kind.SUDDEN_DECELERATION})
    return m.case("hard stop", scene, [front, rear], 24, flows=m.flows(lanes[2:], 300), allowed=allowed)


def at_the_limit(m: Maker) -> Case:
    """Everybody drives a little below the limit or at it."""
    limit = float(m.rng.choice((50, 60, 80, 100)))
    lanes = m.road(limit=limit)
    flows = m.flows(lanes, 500, limit * m.u(0.97, 1.03))
    for flow in flows:
        flow.spread = 0.02
    return m.case("at the limit", make_scene(m.camera, m.rng, lanes), [], 45, flows=flows)


def slow_road(m: Maker) -> Case:
    """Slow traffic where it may be slow; and a slow platoon on a highway, in every lane."""
    highway = m.rng.random() < 0.5
    lanes = m.road(2)
    flows = m.flows(lanes, 900, m.u(35, 50))
    scene = make_scene(m.camera, m.rng, lanes, highway=highway)
    return m.case("slow road", scene, [], 40, flows=flows, allowed=frozenset({Kind.LOWER_SPEED}) if highway else frozenset())


def near_region(m: Maker) -> Case:
    """Drives along the very edge of a closed region, an off-road strip, a no-parking region."""
    lanes = m.road()
    edge = lanes[-1].x + m.way * WIDTH_M
    kind = str(m.rng.choice(("restricted", "off_road")))
    regions = [RegionSpec(kind=kind, points=strip(edge + m.way * 0.3, m.near, m.far))]
    actors = []
    for i in range(4):
        x = lanes[-1].x + m.way * m.u(0.2, 0.5)
        actors.append(
            make_actor(m.rng, any_vehicle(m.rng), scripted(x, m.start(m.way), m.way, m.u(30, 60) * KMH, begin_s=1 + 6 * i))
        )
    scene = make_scene(m.camera, m.rng, lanes, regions, calibrated=m.rng.random() < 0.7)
    return m.case("near region", scene, actors, 32, flows=m.flows(lanes[:-1], 400))


def dashed_change(m: Maker) -> Case:
    """Changes lanes over the dashed line; and one weaves in its lane beside a solid one."""
    lanes = m.road(3)
    lanes[0].right = lanes[1].left = Boundary.SOLID
    kmh = m.u(35, 55)
    dx = lanes[2].x - lanes[1].x
    one = scripted(lanes[1].x, m.start(m.way), m.way, kmh * KMH, shifts=[(1.5, 2.4, dx)], begin_s=2.0)
    weave = [(0.8, 1.6, 0.4 * m.way), (2.6, 1.6, -0.8 * m.way), (4.5, 1.6, 0.5 * m.way)]
    two = scripted(lanes[1].x, m.start(m.way), m.way, kmh * KMH, shifts=weave, begin_s=10.0)
    actors = [make_actor(m.rng, Class.CAR, one), make_actor(m.rng, any_vehicle(m.rng), two)]
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.7)
    return m.case("dashed change", scene, actors, 24, flows=m.flows(lanes[:1], 300))


def swapped(m: Maker) -> Case:
    """The tracker mixes up neighbours, also of opposite directions, beside a solid line."""
    if m.rng.random() < 0.5:
        lanes = m.road(2)
        lanes[0].right = lanes[1].left = Boundary.SOLID
    else:
        lanes = [LaneSpec(x=m.way * WIDTH_M / 2, way=m.way), LaneSpec(x=-m.way * WIDTH_M / 2, way=-m.way)]
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.7)
    return m.case("swapped", scene, [], 50, flows=m.flows(lanes, 700, m.u(40, 60)), swaps=[5.0 + 3.5 * i for i in range(12)])


def site_with_helmets(m: Maker) -> Case:
    """Everybody wears a helmet; the classifier errs now and then. Outside the region nobody needs one."""
    lanes = m.road(2)
    edge = lanes[-1].x + m.way * 2 * WIDTH_M
    region = RegionSpec(kind="helmet", points=strip(edge, m.near, m.near + 28, 3.0))
    actors, props = [], []
    for i in range(3):
        y = m.y(4, 16)
        person = make_actor(m.rng, Class.PERSON, polyline([(1, edge - 1, y), (15, edge + 1.5, y + 3), (32, edge, y + 1)]))
        actors.append(person)
        props.append(Prop(kind=Found.HELMET, follows=person, share=m.u(0.5, 0.9)))
        props.append(Prop(kind=Found.BARE_HEAD, follows=person, share=m.u(0.0, 0.15)))
        del i
    passer = make_actor(m.rng, Class.PERSON, polyline([(1, edge + 8 * m.way, m.near + 6), (30, edge + 8 * m.way, m.near + 30)]))
    actors.append(passer)
    props.append(Prop(kind=Found.BARE_HEAD, follows=passer, share=0.9))
    scene = make_scene(m.camera, m.rng, lanes, [region])
    return m.case("site with helmets", scene, actors, 32, props=props, flows=m.flows(lanes, 300))


def one_cone(m: Maker) -> Case:
    """A single cone at the edge, cones beside the road."""
    lanes = m.road(2)
    edge = lanes[-1].x + m.way * 1.4 * WIDTH_M
    props = [Prop(kind=Found.CONE, x=edge, y=m.near + 6 + 4 * i, size_m=(0.4, 0.7)) for i in range(3)]
    scene = make_scene(m.camera, m.rng, lanes, calibrated=m.rng.random() < 0.7)
    return m.case("one cone", scene, [], 35, props=props, flows=m.flows(lanes, 400))


def few_people(m: Maker) -> Case:
    """Fewer people than a crowd, and a crowd that only passes through."""
    lanes = m.road(2)
    edge = lanes[-1].x + m.way * 2.5 * WIDTH_M
    region = RegionSpec(kind="crowd", points=strip(edge, m.near, m.near + 26, 5.0))
    actors = []
    if m.rng.random() < 0.5:
        y0 = m.y(6, 10)
        for i in range(6):
            x, y = edge + 1.6 * (i % 3) - 1.6, y0 + 1.6 * (i // 3)
            actors.append(make_actor(m.rng, Class.PERSON, polyline([(1 + i, x, y), (60, x + m.u(-1, 1), y)])))
    else:
        for i in range(14):
            x = edge + m.u(-3, 3)
            actors.append(
                make_actor(
                    m.rng,
                    Class.PERSON,
                    polyline([(2 + 1.2 * i, x, m.near - 2), (2 + 1.2 * i + 9, x, m.near + 28)], end_s=12 + 1.2 * i),
                )
            )
    scene = make_scene(m.camera, m.rng, lanes, [region])
    return m.case("few people", scene, actors, 40, flows=m.flows(lanes, 250))


def shoulder_traffic(m: Maker) -> Case:
    """A highway with an empty hard shoulder, lorries near its edge."""
    lanes = m.road(limit=120.0)
    edge = lanes[-1].x + m.way * WIDTH_M
    spec = [*lanes, LaneSpec(x=edge, way=m.way, use=LaneUse.EMERGENCY)]
    scene = make_scene(m.camera, m.rng, spec, highway=True, calibrated=m.rng.random() < 0.7)
    return m.case("shoulder", scene, [], 45, flows=m.flows(lanes, 700, m.u(80, 105)))


def unknown_road(m: Maker) -> Case:
    """No scene at all: traffic, a queue at a light nobody knows of."""
    lanes = m.road(2)
    stop = m.far - 6 if m.way > 0 else m.near + 6
    for lane in lanes:
        lane.stop_y = stop
    flows = m.flows(lanes, 600, 50)
    for flow in flows:
        flow.red = [(20.0, m.u(45, 60))]
    return m.case("unknown road", None, [], 75, flows=flows)


NEGATIVES: dict[str, Callable[[Maker], Case]] = {
    "n:ordinary": ordinary, "n:both ways": both_ways, "n:red light": red_light, "n:dense": dense,
    "n:parked beside": parked_beside,
    "n:short stop": short_stop, "n:bus stop": bus_stop, "n:crossing people": crossing_people, "n:motorcycles": motorcycles,
    "n:overtaking": overtaking, "n:u turn": u_turn, "n:flickering": flickering, "n:shaking": shaking, "n:bad view": bad_view,
    "n:shadows": shadows, "n:left ghost": left_ghost, "n:left turners": left_turners, "n:queue join": queue_join,
    "n:hard stop": hard_stop, "n:at the limit": at_the_limit, "n:slow road": slow_road, "n:near region": near_region,
    "n:dashed change": dashed_change, "n:swapped": swapped, "n:site with helmets": site_with_helmets, "n:one cone": one_cone,
    "n:few people": few_people, "n:shoulder": shoulder_traffic, "n:unknown road": unknown_road,
}  # fmt: skip
