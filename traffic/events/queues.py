"""Who stands because of the traffic: queues before stop lines, and everybody held up by somebody ahead."""

import numpy as np

from traffic.events.roads import Road
from traffic.events.world import LENGTHS_M, Array, Flags, World
from traffic.facts import EventKind

_FOLLOW_M = 12.0  # largest gap to a standing vehicle ahead for being held up by it
_CRAWL_M, _CRAWL_M_S = 40.0, 3.0  # …or to one ahead that only crawls
# The first vehicle of a queue stands at most this far before the stop line; drivers leave 1 to 6 m, a place on the calibrated
# road is some 2 m exact, without calibration a third of the way.
_AT_LINE_M, _AT_LINE_IMAGE_M = 8.5, 12.0
_UNSEEN_M, _UNSEEN_SIZES = 5.0, 0.8  # whose front is this near to the lane's end may stand behind somebody out of view
_FOLLOW_SIZES, _CRAWL_SIZES = 2.5, 6.0  # the same in box heights, where there are no metres
_JAM_VEHICLES, _JAM_SHARE, _JAM_LANES = 6, 0.7, 0.6
_OWN_M = 2.5
_BLOCKING = (EventKind.VEHICLE_STOPPED, EventKind.ACCIDENT, EventKind.DEBRIS)


class Queues:
    """Excuses of standing vehicles, remembered while they stand.

    Attributes (of the newest tick, arrays over its objects):
        excused: bool (n,), held up by the traffic now.
        excused_until: (n,), until when each has been excused; -inf for never.
    """

    def __init__(self) -> None:
        self._excused_s: dict[int, float] = {}
        self.excused: Flags = np.zeros(0, bool)
        self.excused_until: Array = np.zeros(0)

    def reset(self) -> None:
        """Forget all."""
        self._excused_s.clear()

    def update(self, world: World) -> None:
        """Judge a tick.

        Excused is who stands at a stop line (for at most ``unknown_signal_s``), behind somebody who stands or crawls, or
        before the end of the visible lane with others behind.
        """
        excused = np.zeros(len(world), bool)
        patience_s = world.rule(EventKind.VEHICLE_STOPPED).value("unknown_signal_s")
        for index in np.unique(world.lane[(world.lane >= 0) & world.motor]).tolist():
            road = world.road_map.roads[index]
            if road is not None and not world.road_map.emergency[index]:
                self._lane(world, road, index, excused, patience_s)
                self._behind_incidents(world, road, index, excused)
        self._jams(world, excused)
        for jam in world.open_of(EventKind.CONGESTION):
            excused |= np.isin(world.lane, world.road_map.groups[jam.evidence.key[1]]) & world.standing
        alive = set(world.movers.object_id.tolist())
        self._excused_s = {i: s for i, s in self._excused_s.items() if i in alive}
        for i in world.object_id[excused].tolist():
            self._excused_s[i] = world.time_s
        self.excused = excused
        self.excused_until = np.array([self._excused_s.get(i, -np.inf) for i in world.object_id.tolist()])

    def _lane(self, world: World, road: Road, index: int, excused: Flags, patience_s: float) -> None:
        rows = np.flatnonzero((world.lane == index) & (world.motor | world.rider))
        rows = rows[np.argsort(-world.along[rows])]  # downstream first
        for place, row in enumerate(rows.tolist()):
            if not world.standing[row]:
                continue
            follower = rows[place + 1] if place + 1 < len(rows) else None
            leader = rows[place - 1] if place else None
            if leader is not None and self._held_by(world, row, int(leader)):
                excused[row] = True
            elif road.stop is not None:
                before_m = (road.stop - world.along[row]) * world.scale[row] - _half(world, row)
                waiting_s = world.time_s - world.rest_s[row]
                reach_m = _AT_LINE_M if world.view.metric else _AT_LINE_IMAGE_M
                excused[row] = before_m <= reach_m and waiting_s < patience_s
            elif follower is not None and world.standing[follower] and self._held_by(world, int(follower), row):
                size_m = float((world.boxes[row, 3] - world.boxes[row, 1]) * world.scale[row])
                near_m = _UNSEEN_M + _half(world, row) if world.view.metric else _UNSEEN_SIZES * size_m
                excused[row] = (road.length - world.along[row]) * world.scale[row] < near_m

    @staticmethod
    def _jams(world: World, excused: Flags) -> None:
        """Where most vehicles of a direction, in most of its lanes, stand or crawl, nobody stands for himself."""
        crawling = world.motor & (world.standing | ((world.speed < _CRAWL_M_S) & np.isfinite(world.error)))
        for group in world.road_map.groups:
            own = np.isin(world.lane, group) & world.motor
            lanes = world.lane[own]
            if own.sum() < _JAM_VEHICLES or crawling[own].mean() < _JAM_SHARE:
                continue
            slow = [crawling[own][lanes == lane].mean() >= _JAM_SHARE for lane in np.unique(lanes)]
            if np.mean(slow) > _JAM_LANES and (len(slow) > 1 or len(group) == 1):
                excused |= own & world.standing

    @staticmethod
    def _behind_incidents(world: World, road: Road, index: int, excused: Flags) -> None:
        """Whoever stands in the same lane upstream of a known incident queues behind it, even when it cannot be seen."""
        for incident in world.open_of(*_BLOCKING):
            place, lane = incident.evidence.place, world.road_map.lanes[index]
            if place is None or incident.evidence.road_num != lane.road_num:
                continue
            at = float(road.locate(np.array([place]))[0][0])
            behind = (world.lane == index) & world.standing & ((at - world.along) * world.scale > _OWN_M)
            excused |= behind

    def _held_by(self, world: World, row: int, leader: int) -> bool:
        gap = (world.along[leader] - world.along[row]) * world.scale[row]
        if world.view.metric:
            gap -= _half(world, row) + _half(world, leader)
            follow, crawl = _FOLLOW_M, _CRAWL_M
        else:
            height_m = float((world.boxes[row, 3] - world.boxes[row, 1]) * world.scale[row])
            follow, crawl = _FOLLOW_SIZES * height_m, _CRAWL_SIZES * height_m
        if world.standing[leader]:
            return bool(gap <= follow)
        return bool(gap <= crawl and world.speed[leader] < _CRAWL_M_S)


def _half(world: World, row: int) -> float:
    return float(LENGTHS_M[world.object_class[row]]) / 2
