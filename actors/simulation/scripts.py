"""The scripts of the staged incidents that ordinary traffic does not do by itself, one function each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from actors.simulation.address import Incident
from actors.simulation.fleet import MOTOR_FLEET, PERSON_COATS, Model, plate_text
from actors.simulation.looks import Rgb
from actors.simulation.motion import Drive, Motion, Still, Walk
from actors.simulation.road import Road, RoadLane
from actors.simulation.script import FOREVER_S, Block, Script, Thing
from traffic.types import ObjectClass

_VEST: Rgb = (0.85, 0.24, 0.02)
_TROUSERS: Rgb = (0.03, 0.05, 0.12)
_BACK_Y = 8.0  # just below the picture's edge in the default view: blocks begin here


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """What a script is written from; ``rng`` belongs to this incident alone."""

    incident: Incident
    road: Road
    rng: np.random.Generator

    @property
    def lane(self) -> RoadLane:
        """The incident's lane."""
        return next(lane for lane in self.road.lanes if lane.road_num == self.incident.lane)

    @property
    def motor_lanes(self) -> tuple[RoadLane, ...]:
        """Approach lanes of motor traffic."""
        return tuple(lane for lane in self.road.lanes if lane.heading > 0 and not lane.two_wheelers)

    @property
    def kerb_lane(self) -> RoadLane:
        """The two-wheelers' lane."""
        return next(lane for lane in self.road.lanes if lane.two_wheelers)

    @property
    def beside(self) -> RoadLane:
        """The approach lane next to the incident's: to the right where there is one."""
        lanes = self.motor_lanes
        at = lanes.index(self.lane)
        return lanes[at + 1] if at + 1 < len(lanes) else lanes[max(0, at - 1)]

    def vehicle(self, motion: Motion, kind: str = "", *, extra: bool = False, until_s: float = FOREVER_S) -> Thing:
        """A vehicle of a drawn model, a car when ``kind`` does not say otherwise."""
        models = [m for m in MOTOR_FLEET if (m.kind == kind if kind else m.object_class is ObjectClass.CAR)]
        model: Model = models[int(self.rng.integers(len(models)))]
        plate = plate_text(model, [int(p) for p in self.rng.integers(0, 2**31, 8)])
        return Thing(
            name=model.kind,
            motion=motion,
            model=model,
            object_class=model.object_class,
            plate=plate,
            road_num=self.incident.lane,
            extra=extra,
            until_s=until_s,
        )

    def person(
        self,
        *points: tuple[float, float, float],
        worker: bool = False,
        vest: bool = False,
        from_s: float = 0.0,
        until_s: float = FOREVER_S,
    ) -> Thing:
        """Somebody on foot."""
        coat, legs = PERSON_COATS[int(self.rng.integers(len(PERSON_COATS)))]
        return Thing(
            name="worker" if worker else "person",
            motion=Walk(points=points),
            paint=_VEST if vest or worker else coat,
            second=_TROUSERS if vest or worker else legs,
            object_class=ObjectClass.PERSON,
            from_s=from_s,
            until_s=until_s,
        )


def _parking(plot: Plot) -> Script:
    stand, kerb = plot.incident.for_s, plot.kerb_lane
    lane = plot.motor_lanes[-1]
    right = plot.road.right_x - 1.55 - lane.x_m
    # 9 m/s, then 37 m of braking at 1.1 m/s²: it stands 8.2 s after.
    stop_s = 1.5 + 9.0 / 1.1
    drive = Drive(
        x_m=lane.x_m,
        y_m=-32.1,  # it stands 15 m before the line: nearer it could be waiting for the light
        speed_ms=9.0,
        legs=((1.5, 0.0), (9.0 / 1.1, -1.1), (stand, 0.0), (4.0, 2.0)),
        shifts=((0.0, 15.0, right),),
    )
    gone = stop_s + stand + 12.0
    return Script(
        things=(plot.vehicle(drive, until_s=gone),),
        since_s=stop_s,
        until_s=stop_s + stand,
        open_s=gone,
        end_s=gone,
        blocks=(Block(road_num=kerb.road_num, near_y=_BACK_Y),),
    )


def _pedestrian(plot: Plot) -> Script:
    x, pace = plot.lane.x_m + 0.5, 1.3
    turn = 21.0 / pace
    walk = ((0.0, x, 7.0), (turn, x + 0.4, 28.0), (turn + 1.0, x + 0.4, 28.0), (2 * turn + 1.0, x - 0.8, 7.0))
    return Script(
        things=(plot.person(*walk, until_s=2 * turn + 1),),
        since_s=2.5,
        until_s=2 * turn - 1,
        open_s=2 * turn + 1,
        end_s=2 * turn + 1,
    )


def _debris(plot: Plot) -> Script:
    stand, lanes = plot.incident.for_s, plot.motor_lanes
    right = 1.0 if plot.lane is not lanes[-1] else -1.0
    y = float(plot.rng.uniform(14.0, 21.0))
    name, paint, second = (
        ("carton", (0.36, 0.22, 0.10), (0.55, 0.42, 0.25)),
        ("sack", (0.62, 0.60, 0.55), (0.5, 0.48, 0.42)),
        ("lost_tyre", (0.02, 0.02, 0.02), (0.02, 0.02, 0.02)),
    )[int(plot.rng.integers(3))]
    truck = Drive(x_m=plot.lane.x_m, y_m=-30.0, speed_ms=9.0)
    dropped = (y + 30.0 + 3.5) / 9.0  # the truck's rear passes the place
    x = plot.lane.x_m + right * 1.75
    slide = Walk(points=((dropped, x - right * 0.6, y), (dropped + 0.6, x, y + 1.2)))
    end = dropped + 0.6 + stand
    return Script(
        things=(
            Thing(name=name, motion=slide, paint=paint, second=second, from_s=dropped, until_s=end, road_num=plot.incident.lane),
            plot.vehicle(truck, "truck", until_s=dropped + 15.0, extra=True),
        ),
        since_s=dropped + 0.6,
        until_s=end,
        open_s=dropped + 4.0,
        end_s=end + 15.0,
    )


def _crowd(plot: Plot) -> Script:
    stand, right = plot.incident.for_s, plot.road.right_x
    people = []
    for i in range(14):
        x, y = right + 0.9 + 0.7 * (i % 4), 23.5 + 1.5 * (i // 4) + float(plot.rng.uniform(-0.3, 0.3))
        come = float(plot.rng.uniform(2.0, 5.0))
        away = come + 4.0 + stand + float(plot.rng.uniform(0.0, 1.5))
        x += float(plot.rng.uniform(-0.2, 0.2))
        waits = _waiting(plot.rng, come + 4, away, x, y)
        people.append(plot.person((come, right + 7.5, y + 1), *waits, (away, x, y), (away + 5, right + 9, y), until_s=away + 5))
    return Script(things=tuple(people), since_s=9.0, until_s=6.0 + stand, open_s=0.0, end_s=16.5 + stand)


def _waiting(rng: np.random.Generator, begin_s: float, end_s: float, x: float, y: float) -> list[tuple[float, float, float]]:
    """Who waits shifts weight and takes a small step now and then; who does not move at all is a statue."""
    points, at = [(begin_s, x, y)], begin_s + float(rng.uniform(0.5, 2.5))
    while at < end_s - 1.0:
        points.append((at, x + float(rng.normal(0.0, 0.08)), y + float(rng.normal(0.0, 0.08))))
        at += float(rng.uniform(1.0, 3.0))
    return points


def _restricted(plot: Plot) -> Script:
    drive = Drive(x_m=plot.lane.x_m, y_m=-12.0, speed_ms=6.5)
    return Script(things=(plot.vehicle(drive, until_s=26.0),), since_s=3.5, until_s=6.5, open_s=12.0, end_s=26.0)


def _lane_change(plot: Plot) -> Script:
    drive = Drive(x_m=plot.lane.x_m, y_m=-12.0, speed_ms=7.5, shifts=((14.0, 27.0, plot.beside.x_m - plot.lane.x_m),))
    return Script(things=(plot.vehicle(drive, until_s=23.0),), since_s=26.0 / 7.5, until_s=39.0 / 7.5, open_s=10.0, end_s=23.0)


def _no_helmet(plot: Plot) -> Script:
    stand, x = plot.incident.for_s, plot.lane.x_m
    bare = ((0.0, x - 0.8, 8.0), (4.0, x - 0.8, 13.2), (4.0 + stand, x - 0.6, 13.8), (8.0 + stand, x - 0.8, 8.0))
    safe = ((0.0, x + 0.9, 8.0), (5.0, x + 0.9, 14.5), (5.0 + stand, x + 0.7, 14.0), (9.0 + stand, x + 0.9, 8.0))
    return Script(
        things=(
            plot.person(*bare, vest=True, until_s=8.0 + stand),
            plot.person(*safe, worker=True, until_s=9.0 + stand),
        ),
        since_s=3.5,
        until_s=5.0 + stand,
        open_s=9.0 + stand,
        end_s=9.0 + stand,
    )


def _accident(plot: Plot) -> Script:
    stand, lane, other = plot.incident.for_s, plot.lane, plot.beside
    side = 1.0 if other.x_m > lane.x_m else -1.0
    crash = 4.0
    # The first drives straight at 9 m/s and has its front at Y 20 at the crash; the other cuts in from beside, a little ahead.
    hit = Drive(
        x_m=lane.x_m,
        y_m=17.7 - 9.0 * crash,
        speed_ms=9.0,
        legs=((crash, 0.0), (1.0, -9.0)),
        spins=((crash, crash + 1.0, 28.0 * side, -0.5 * side, 0.0),),
    )
    cut = Drive(
        x_m=other.x_m,
        y_m=21.6 - 7.5 * crash,
        speed_ms=7.5,
        legs=((crash, 0.0), (0.9, -8.3)),
        shifts=((9.0, 22.0, -2.2 * side),),
        spins=((crash, crash + 0.9, -52.0 * side, 0.6 * side, 0.4),),
    )
    end = crash + 1.0 + stand
    left, ahead = lane.x_m - 1.2 * side, 17.0
    driver = plot.person(
        (crash + 6, left, ahead),
        (crash + 9, left - 0.3 * side, ahead - 2.5),
        (end, left, ahead - 3),
        from_s=crash + 6,
        until_s=end,
    )
    blocks = tuple(Block(road_num=n.road_num, near_y=_BACK_Y, until_s=end) for n in (lane, other))
    return Script(
        things=(plot.vehicle(hit, until_s=end), plot.vehicle(cut, until_s=end), driver),
        since_s=crash,
        until_s=end,
        open_s=crash + 3.0,
        end_s=end,
        blocks=blocks,
    )


def _road_works(plot: Plot) -> Script:
    stand, lane = plot.incident.for_s, plot.lane
    truck = Drive(x_m=lane.x_m, y_m=-22.0, speed_ms=8.0, legs=((2.0, 0.0), (8.0, -1.0)))
    places = [(-1.3, 11.5), (-0.2, 12.3), (0.9, 13.1)] + [(side, y) for y in (15.0, 17.5, 20.0) for side in (-1.5, 1.5)]
    end = 12.0 + stand
    cones = [
        Thing(
            name="cone",
            motion=Still(x_m=lane.x_m + dx, y_m=y),
            from_s=12.0 + 0.7 * i,
            until_s=end,
            road_num=plot.incident.lane,
        )
        for i, (dx, y) in enumerate(places)
    ]
    workers = [
        plot.person(
            (9.0, lane.x_m + dx, 19.5),
            (14.0, lane.x_m + dx, y),
            (end, lane.x_m - dx, y + 1),
            worker=True,
            from_s=9.0,
            until_s=end,
        )
        for dx, y in ((0.5, 15.5), (-0.6, 17.2))
    ]
    return Script(
        things=(plot.vehicle(truck, "truck", until_s=end), *cones, *workers),
        since_s=12.0,
        until_s=end,
        open_s=end,
        end_s=end,
        blocks=(Block(road_num=lane.road_num, near_y=_BACK_Y, until_s=end),),
    )


def _mudslide(plot: Plot) -> Script:
    end = 6.0 + plot.incident.for_s
    lanes = (plot.kerb_lane, plot.motor_lanes[-1])
    blocks = tuple(Block(road_num=lane.road_num, near_y=_BACK_Y + 7, until_s=FOREVER_S) for lane in lanes)
    return Script(things=(), since_s=3.0, until_s=end, open_s=0.0, end_s=FOREVER_S, blocks=blocks, mud=True)


def _leaving(plot: Plot) -> Script:
    stand, lane = plot.incident.for_s, plot.motor_lanes[-1]
    off = plot.road.right_x + 1.6 - lane.x_m
    drive = Drive(
        x_m=lane.x_m,
        y_m=-16.0,
        speed_ms=9.0,
        legs=((3.0, 0.0), (3.6, -2.5)),
        shifts=((12.0, 30.0, off),),
    )
    end = 6.6 + stand
    return Script(things=(plot.vehicle(drive, until_s=end),), since_s=4.5, until_s=end, open_s=9.0, end_s=end)


SCRIPTS: dict[str, Callable[[Plot], Script]] = {
    "illegal_parking": _parking,
    "pedestrian": _pedestrian,
    "debris": _debris,
    "crowd": _crowd,
    "restricted_area": _restricted,
    "illegal_lane_change": _lane_change,
    "no_helmet": _no_helmet,
    "accident": _accident,
    "road_works": _road_works,
    "mudslide": _mudslide,
    "leaving_road": _leaving,
}


def lanes_needed(plot: Plot) -> frozenset[int]:
    """roadNum of the lanes that must be empty when the script begins."""
    kind, lane, kerb = plot.incident.kind, plot.lane.road_num, plot.kerb_lane.road_num
    if kind in ("illegal_lane_change", "accident"):
        return frozenset({lane, plot.beside.road_num})
    if kind in ("illegal_parking", "leaving_road"):
        return frozenset({plot.motor_lanes[-1].road_num, kerb})
    if kind == "mudslide":
        return frozenset({plot.motor_lanes[-1].road_num, kerb})
    return frozenset() if kind == "crowd" else frozenset({lane})
