"""1018: vehicles stand in a junction box because their exit is blocked."""

from collections.abc import Iterable

import numpy as np

from traffic.events.detector import box_around, tracks_of
from traffic.events.evidence import Evidence
from traffic.events.world import LENGTHS_M, World
from traffic.facts import EventKind
from traffic.scene.model import RegionKind

_PATIENCE_S = 1.5  # a place that jitters out of the chain for a tick or two does not end it
_ASIDE_M = 2.5
_ASIDE_SIZES, _GAP_SIZES = 1.2, 3.0  # the same in box heights, where there are no metres


class JunctionOverflowDetector:
    """From a vehicle that stands in the box a chain of standing vehicles leads out of it."""

    kind = EventKind.JUNCTION_OVERFLOW

    def __init__(self) -> None:
        self._blocked_s: dict[int, tuple[float, float]] = {}  # since and until when

    def reset(self) -> None:
        """Forget who was blocked since when."""
        self._blocked_s.clear()

    def look(self, world: World) -> Iterable[Evidence]:
        """One incident per junction box."""
        blocked = {who: span for who, span in self._blocked_s.items() if world.time_s - span[1] <= _PATIENCE_S}
        for number, region in world.road_map.regions(RegionKind.JUNCTION_BOX):
            inside = world.touches[number]
            standing = np.flatnonzero(world.standing & world.motor & inside).tolist()
            found = [index for index in standing if self._leads_out(world, index, inside)]
            for index in found:
                who = int(world.object_id[index])
                since_s = blocked[who][0] if who in blocked else max(world.time_s - 0.5, float(world.rest_s[index]))
                blocked[who] = (since_s, world.time_s)
            if not found:
                continue
            since_s = min(blocked[int(world.object_id[index])][0] for index in found)
            yield Evidence(
                kind=self.kind,
                key=("region", region.region_code),
                strength=min(0.7 + 0.1 * len(found), 0.95),
                box=box_around(world, found),
                since_s=since_s,
                track_ids=tracks_of(world, found),
                object_class=world.class_of(found[0]),
                region_code=region.region_code,
                standing=True,
                involved=tuple(int(world.object_id[index]) for index in found),
                detail=f"{len(found)}辆车滞留路口",
            )
        self._blocked_s = blocked

    @staticmethod
    def _leads_out(world: World, index: int, inside: np.ndarray) -> bool:  # type: ignore[type-arg]
        """Whether the vehicles ahead of it, bumper to bumper, stand on beyond the box."""
        gap_m = world.rule(EventKind.JUNCTION_OVERFLOW).value("exit_gap_m")
        visited = {index}
        while True:
            course = world.movers.course[world.rows[index]]
            if not np.isfinite(course).all():
                return False
            way = (world.places - world.places[index]) * float(world.scale[index])
            ahead = way @ course
            aside = np.abs(way[:, 0] * course[1] - way[:, 1] * course[0])
            reach, width = gap_m, _ASIDE_M
            if world.view.metric:
                ahead = ahead - (LENGTHS_M[world.object_class] + LENGTHS_M[world.object_class[index]]) / 2
            else:
                height_m = float((world.boxes[index, 3] - world.boxes[index, 1]) * world.scale[index])
                reach, width = _GAP_SIZES * height_m, _ASIDE_SIZES * height_m
            near = world.standing & world.motor & (way @ course > 0.5) & (ahead <= reach) & (aside <= width)
            near[list(visited)] = False
            if not near.any():
                return False
            candidates = np.flatnonzero(near)
            index = int(candidates[ahead[candidates].argmin()])
            visited.add(index)
            if not inside[index]:
                return True
