"""1014: cones, people and standing vehicles in a lane for some time."""

from collections.abc import Iterable

import numpy as np

from traffic.events.debris import on_road
from traffic.events.evidence import Evidence
from traffic.events.observations import PixelFindingKind
from traffic.events.spots import Spot, Spots
from traffic.events.world import World
from traffic.facts import EventKind
from traffic.types import Box

_SHARE = 0.5
_CONE, _WORKER, _VEHICLE = 0.3, 0.15, 0.15


class RoadWorksDetector:
    """Cones that stay; people and standing vehicles among them make it surer."""

    kind = EventKind.ROAD_WORKS

    def __init__(self) -> None:
        self._spots = Spots(forget_s=6.0)

    def reset(self) -> None:
        """Forget all cones."""
        self._spots.reset()

    def look(self, world: World) -> Iterable[Evidence]:
        """One incident per site."""
        found = [f for f in world.findings if f.kind is PixelFindingKind.CONE]
        self._spots.look(world.time_s, found, looked=world.looked)
        cones = [spot for spot in self._spots.spots if spot.share >= _SHARE and spot.hits >= 2 and self._counts(world, spot.box)]
        if not cones:
            return
        site = _around([spot.box for spot in cones])
        workers, vehicles = self._helpers(world, site)
        strength = _CONE * len(cones) + _WORKER * min(workers, 2) + _VEHICLE * min(vehicles, 1)
        enough = len(cones) >= world.rule(self.kind).value("min_cones") or (workers and vehicles)
        if not enough:
            return
        yield Evidence(
            kind=self.kind,
            key=("place", 0),
            strength=min(strength, 0.95),
            box=site,
            since_s=_since(cones, int(world.rule(self.kind).value("min_cones"))),
            standing=True,
            detail=f"锥桶{len(cones)}个" + (f",人员{workers}名" if workers else ""),
        )

    @staticmethod
    def _counts(world: World, box: Box) -> bool:
        """Cones count on the road; where no road is known, everywhere."""
        return on_road(world, box) if world.road_map.lanes else True

    @staticmethod
    def _helpers(world: World, site: Box) -> tuple[int, int]:
        """People and standing vehicles at the site."""
        width, height = world.frame_size
        margin = 0.1 * width
        feet = world.bottoms * np.array([width, height])
        near = (feet[:, 0] > site[0] - margin) & (feet[:, 0] < site[2] + margin)
        near &= (feet[:, 1] > site[1] - 0.1 * height) & (feet[:, 1] < site[3] + 0.1 * height)
        return int((near & world.person).sum()), int((near & world.motor & world.standing).sum())


def _around(boxes: list[Box]) -> Box:
    points = np.array(boxes)
    (x1, y1), (x2, y2) = points[:, :2].min(axis=0), points[:, 2:].max(axis=0)
    return (float(x1), float(y1), float(x2), float(y2))


def _since(cones: list[Spot], number: int) -> float:
    """When there were enough of them."""
    times = sorted(spot.first_s for spot in cones)
    return times[min(number, len(times)) - 1]
