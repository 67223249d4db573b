"""1001: a vehicle stands where standing is an offence: in a no-parking region or on the hard shoulder."""

from collections.abc import Iterable

import numpy as np

from traffic.events.detector import StandingRuns, about
from traffic.events.evidence import Evidence
from traffic.events.queues import Queues
from traffic.events.world import World
from traffic.facts import EventKind
from traffic.scene.model import RegionKind


class ParkingDetector:
    """Standing is the whole evidence; how long it must last is the rule's."""

    kind = EventKind.ILLEGAL_PARKING

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._runs = StandingRuns()

    def reset(self) -> None:
        """Forget who stood there since when."""
        self._runs.reset()

    def look(self, world: World) -> Iterable[Evidence]:
        """Vehicles that stand in such a place and are not held up by the traffic."""
        for index in np.flatnonzero(world.motor & world.standing).tolist():
            code = self._region(world, index)
            lane = int(world.lane[index])
            shoulder = lane >= 0 and bool(world.road_map.emergency[lane]) and not world.in_kind(RegionKind.PARKING)[index]
            if not code and not shoulder:
                continue
            since_s = max(self._runs.since_s(world, index), float(self._queues.excused_until[index]))
            strength = (0.9 if world.moved[index] else 0.75) * min(1.0, 0.4 + float(world.class_share[index]))
            yield about(
                world, index, self.kind, strength, since_s=since_s, reach_m=3.0, region_code=code,
                sustain=bool(self._queues.excused[index]) or not world.recent[index], standing=True,
            )  # fmt: skip
        self._runs.forget(world.time_s)

    @staticmethod
    def _region(world: World, index: int) -> int:
        for number, region in world.road_map.regions(RegionKind.NO_PARKING):
            if world.reaches[number, index]:
                return region.region_code
        return 0
