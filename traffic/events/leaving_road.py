"""1017: a vehicle that was on the road is beside it."""

from collections.abc import Iterable

import numpy as np

from traffic.events.detector import Runs, about
from traffic.events.evidence import Evidence
from traffic.events.world import World
from traffic.facts import EventKind
from traffic.scene.model import RegionKind

_ON_ROAD_S = 0.2  # two ticks: who comes into view just before it leaves the road is seen on it no longer
_MEMORY_S = 30.0


class LeavingRoadDetector:
    """From a lane (or drawn roadway) into a region where no vehicle drives."""

    kind = EventKind.LEAVING_ROAD

    def __init__(self) -> None:
        self._on_road, self._beside = Runs(), Runs()
        self._was_on_road: dict[int, float] = {}

    def reset(self) -> None:
        """Forget who was where."""
        self._on_road.reset()
        self._beside.reset()
        self._was_on_road.clear()

    def look(self, world: World) -> Iterable[Evidence]:
        """Vehicles in such a region that were on the road within the last half minute."""
        regions = world.road_map.regions(RegionKind.OFF_ROAD)
        if not regions:
            return
        off = world.touches[[number for number, _ in regions]].any(axis=0)
        on = ((world.lane >= 0) | world.in_kind(RegionKind.ROADWAY)) & ~off & world.motor & world.seen
        for number in world.object_id[on].tolist():
            if world.time_s - self._on_road.hold(number, world.time_s) >= _ON_ROAD_S - 1e-3:
                self._was_on_road[number] = world.time_s
        for number, region in regions:
            inside = world.in_regions[number] & world.motor & world.moved & (world.seen | world.standing)
            for index in np.flatnonzero(inside).tolist():
                who = int(world.object_id[index])
                left_s = self._was_on_road.get(who, -np.inf)
                since_s = self._beside.hold(who, world.time_s)
                if since_s - left_s > _MEMORY_S:
                    continue
                yield about(
                    world, index, self.kind, 0.85, since_s=since_s, reach_m=6.0, region_code=region.region_code, standing=True
                )
        alive = set(world.movers.object_id.tolist())
        self._was_on_road = {n: s for n, s in self._was_on_road.items() if n in alive}
        self._on_road.forget(world.time_s)
        self._beside.forget(world.time_s)
