"""1002: a vehicle drives against its lane."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from traffic.events.detector import about
from traffic.events.evidence import Evidence
from traffic.events.world import World
from traffic.facts import EventKind

_AGAINST_COS = -0.7
_WITH_COS = 0.7
_LEAST_M_S, _LEAST_IMAGE_M_S = 1.5, 0.4
# A track that goes to and fro between two vehicles seems to be very fast, and no line goes through its places.
_MOST_M_S, _DEVIATIONS, _IMAGE_DEVIATIONS = 70.0, 4.0, 2.0
_LEAST_PX = 16.0  # height of the box: what is smaller slides from one vehicle to another
_INNER = 0.85
_PATIENCE_S = 1.0
_PROPER_S = 0.3  # who has driven properly for so long is overtaking when it keeps its heading in a lane that leads the other way
_FREE_SHARE = 0.6
_SAME_HEIGHT = 1.5  # the height by the calibration depends a little on the camera's pitch
_HEIR_M = 8.0  # a stretch that begins so near to one that was told, and has just ended, is the same vehicle under a new number
_CLEAR_DIAGONALS = 1.0  # displacement in the picture that no jitter makes


@dataclass(slots=True)
class _Run:
    """A stretch driven against the lane; ``own_s``: since when under this number; ``told``: it was found to be one."""

    since_s: float
    own_s: float
    last_s: float
    place: tuple[float, float]
    begin: tuple[float, float]
    seen: tuple[float, float]
    size: float
    told: bool = False


@dataclass(slots=True)
class _Proper:
    """Time driven in the direction of a lane, and the heading at the time."""

    seconds: float
    last_s: float
    heading: tuple[float, float]


class WrongWayDetector:
    """Displacement against the direction of a lane, never a momentary velocity."""

    kind = EventKind.WRONG_WAY

    def __init__(self) -> None:
        self._runs: dict[int, _Run] = {}
        self._proper: dict[int, _Proper] = {}
        self._entered: dict[int, int] = {}

    def reset(self) -> None:
        """Forget all runs."""
        self._runs.clear()
        self._proper.clear()
        self._entered.clear()

    def look(self, world: World) -> Iterable[Evidence]:
        """Vehicles and cyclists that have come far enough against every lane they are in."""
        rule, now = world.rule(self.kind), world.time_s
        for index in np.flatnonzero((world.lane >= 0) & (np.abs(np.nan_to_num(world.across, nan=9.0)) < _INNER)).tolist():
            self._entered.setdefault(int(world.object_id[index]), int(world.lane[index]))
        least = _LEAST_M_S if world.view.metric else _LEAST_IMAGE_M_S
        deviations = _DEVIATIONS if world.view.metric else _IMAGE_DEVIATIONS
        moving = (world.motor | world.rider) & world.seen & (world.lane >= 0)
        moving &= world.speed > np.maximum(least, deviations * world.error)
        if world.view.metric:
            moving &= world.speed < _MOST_M_S
        moving &= world.tall_px() >= _LEAST_PX
        for index in np.flatnonzero(moving).tolist():
            number = int(world.object_id[index])
            cosine = float(world.progress[index]) / float(world.speed[index])
            if cosine > _WITH_COS:
                self._note_proper(world, index, number)
                continue
            if cosine > _AGAINST_COS or abs(world.across[index]) > _INNER or self._agrees_with_another(world, index):
                continue
            run = self._run(world, index, number)
            way_m, sizes = self._distance(world, index, run)
            far = way_m >= rule.value("distance_m") if world.view.metric else sizes >= rule.value("distance_sizes")
            if not far or sizes < _CLEAR_DIAGONALS:
                continue
            sound = self._is_sound(world, index, run)
            if not sound and not run.told:
                continue
            proper = self._proper.get(number)
            overtaking = proper is not None and self._keeps_heading(world, index, proper)
            overtaking = overtaking or self._left_its_lane(world, index, number)
            if overtaking and now - run.since_s < rule.value("overtaking_s"):
                continue
            run.told = True
            strength = 0.9 if world.motor[index] else 0.8
            yield about(  # merges: two tracks of one
                world, index, self.kind, strength, since_s=run.since_s, reach_m=8.0, merges=True, sustain=not sound
            )
        self._runs = {n: run for n, run in self._runs.items() if now - run.last_s <= _PATIENCE_S}
        self._proper = {n: p for n, p in self._proper.items() if now - p.last_s <= 60.0}
        alive = set(world.movers.object_id.tolist())
        self._entered = {n: lane for n, lane in self._entered.items() if n in alive}

    def _run(self, world: World, index: int, number: int) -> _Run:
        place, middle = world.place_of(index), world.bottoms[index]
        seen = (float(middle[0]) * world.view.aspect, float(middle[1]))
        run = self._runs.get(number)
        if run is None or world.time_s - run.last_s > _PATIENCE_S:
            now = world.time_s
            run = self._heir(world, index, number) or _Run(now, now, now, place, place, seen, _size(world, index))
            self._runs[number] = run
        run.last_s, run.place = world.time_s, place
        return run

    def _heir(self, world: World, index: int, number: int) -> _Run | None:
        """What another number has driven, when the tracker lost that one here: else one vehicle would be told twice."""
        (x, y), reach = world.place_of(index), world.metres(index, _HEIR_M)
        for other, run in self._runs.items():
            if run.told and other != number and np.hypot(run.place[0] - x, run.place[1] - y) <= reach:
                return replace(run, own_s=world.time_s)
        return None

    @staticmethod
    def _is_sound(world: World, index: int, run: _Run) -> bool:
        """Whether it was seen freely on its way, and is as tall on the road as it was: else its box may have slid over others."""
        row = world.rows[index]
        own = np.isfinite(world.movers.times[row]) & (world.movers.times[row] >= run.own_s - 0.3)
        if own.sum() < 4 or world.movers.free[row][own].mean() < _FREE_SHARE:
            return False
        if not world.view.metric:
            return True
        boxes = world.movers.boxes[row][own]
        bottoms = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]])
        tall = (boxes[:, 3] - boxes[:, 1]) * np.hypot(*world.view.per_pixel(bottoms)[:, :, 0].T)
        third = max(len(tall) // 3, 1)
        ratio = float(np.median(tall[-third:]) / max(float(np.median(tall[:third])), 1e-9))
        return 1 / _SAME_HEIGHT < ratio < _SAME_HEIGHT

    @staticmethod
    def _distance(world: World, index: int, run: _Run) -> tuple[float, float]:
        """Way made against the lane in metres, and the displacement in the picture in diagonals of its box: for who comes nearer
        in the mean of those at both ends, since he never gets far against the size he has at last."""
        way = np.array(world.place_of(index)) - np.array(run.begin)
        against = -float(way @ world.ahead[index]) * float(world.scale[index])
        aspect = world.view.aspect
        now = _size(world, index)
        size = float(np.sqrt(min(run.size, now) * now))
        shift = np.array([world.bottoms[index, 0] * aspect, world.bottoms[index, 1]]) - np.array(run.seen)
        return against, float(np.hypot(shift[0], shift[1])) / max(size, 1e-9) if against > 0 else 0.0

    @staticmethod
    def _agrees_with_another(world: World, index: int) -> bool:
        """Whether it is in an overlapping lane as well that leads its way (or across): then that one is its lane."""
        velocity, speed = world.velocity[index], float(np.hypot(*world.velocity[index]))
        for lane in np.flatnonzero(world.in_lanes[:, index]).tolist():
            road = world.road_map.roads[lane]
            if lane == world.lane[index] or road is None:
                continue
            ahead = road.locate(world.places[index : index + 1])[2][0]
            if float(ahead @ velocity) > -0.5 * speed:
                return True
        return False

    def _note_proper(self, world: World, index: int, number: int) -> None:
        heading = world.velocity[index] / max(float(np.hypot(*world.velocity[index])), 1e-12)
        proper = self._proper.setdefault(number, _Proper(0.0, world.time_s, (0.0, 0.0)))
        proper.seconds += min(world.time_s - proper.last_s, 0.5)
        proper.last_s, proper.heading = world.time_s, (float(heading[0]), float(heading[1]))

    def _left_its_lane(self, world: World, index: int, number: int) -> bool:
        """Whether it was first seen in another lane, which leads the way it drives."""
        lane = self._entered.get(number, -1)
        road = world.road_map.roads[lane] if 0 <= lane < len(world.road_map.roads) else None
        if road is None or lane == world.lane[index]:
            return False
        velocity = world.velocity[index]
        ahead = road.locate(world.places[index : index + 1])[2][0]
        return float(ahead @ velocity) > 0.7 * float(np.hypot(*velocity))

    @staticmethod
    def _keeps_heading(world: World, index: int, proper: _Proper) -> bool:
        velocity = world.velocity[index]
        return proper.seconds >= _PROPER_S and float(velocity @ np.array(proper.heading)) > 0.5 * float(np.hypot(*velocity))


def _size(world: World, index: int) -> float:
    """Diagonal of its box, picture heights."""
    box = world.boxes[index]
    return float(np.hypot((box[2] - box[0]) * world.view.aspect, box[3] - box[1]))
