"""1010: somebody enters a region that is closed to his kind."""

from collections.abc import Iterable

import numpy as np

from traffic.events.detector import Runs, about
from traffic.events.evidence import Evidence
from traffic.events.world import World
from traffic.facts import EventKind
from traffic.scene.model import RegionKind
from traffic.types import MOTOR_VEHICLES


class RestrictedDetector:
    """The foot of the box, and a fifth of its width to both sides, lie in the region."""

    kind = EventKind.RESTRICTED_AREA

    def __init__(self) -> None:
        self._runs = Runs()

    def reset(self) -> None:
        """Forget all runs."""
        self._runs.reset()

    def look(self, world: World) -> Iterable[Evidence]:
        """Objects of the region's classes that are in it."""
        for number, region in world.road_map.regions(RegionKind.RESTRICTED):
            classes = [int(member) for member in region.classes or MOTOR_VEHICLES]
            inside = world.in_regions[number] & np.isin(world.object_class, classes) & (world.seen | world.standing)
            for index in np.flatnonzero(inside).tolist():
                since_s = self._runs.hold(int(world.object_id[index]) * 64 + number, world.time_s)
                strength = (0.9 if world.moved[index] else 0.6) * min(1.0, 0.4 + float(world.class_share[index]))
                yield about(
                    world, index, self.kind, strength, since_s=since_s, reach_m=6.0, region_code=region.region_code,
                    standing=bool(world.standing[index]),
                )  # fmt: skip
        self._runs.forget(world.time_s)
