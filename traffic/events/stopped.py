"""1015: a vehicle stands on the carriageway, and not because of the traffic."""

from collections.abc import Iterable

import numpy as np

from traffic.events.detector import StandingRuns, about
from traffic.events.evidence import Evidence
from traffic.events.queues import Queues
from traffic.events.world import Flags, World
from traffic.facts import EventKind
from traffic.scene.model import RegionKind

_EDGE = 0.85  # who stands nearer to the lane's edge than this share of its half width may be parked beside the road
_EDGE_UNMOVED = 0.6
_BORDER = 0.004


def standing_on_road(world: World) -> Flags:
    """bool (n,): motor vehicles that stand in a driving lane or on a drawn roadway."""
    driving = world.lane >= 0
    driving[driving] &= ~world.road_map.emergency[world.lane[driving]]
    inner = np.abs(np.nan_to_num(world.across, nan=0.0)) <= np.where(world.moved, _EDGE, _EDGE_UNMOVED)
    on_road = (driving & inner) | ((world.lane < 0) & world.in_kind(RegionKind.ROADWAY))
    cut = (world.boxes[:, 0] <= _BORDER) | (world.boxes[:, 2] >= 1 - _BORDER)  # its middle is not where it seems
    result: Flags = world.motor & world.standing & on_road & ~cut
    return result


class StoppedDetector:
    """Holds the memory of excuses, which illegal parking shares."""

    kind = EventKind.VEHICLE_STOPPED

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._runs = StandingRuns()

    def reset(self) -> None:
        """Forget who stood on the road since when."""
        self._runs.reset()

    def look(self, world: World) -> Iterable[Evidence]:
        """Vehicles that stand in a lane, unless standing there is allowed or another kind's business."""
        elsewhere = world.reaches_kind(RegionKind.PARKING, RegionKind.NO_PARKING) | world.in_kind(RegionKind.JUNCTION_BOX)
        wait_s = 0.0 if world.road_map.drawn else world.rule(self.kind).value("unknown_signal_s")
        for index in np.flatnonzero(standing_on_road(world) & ~elsewhere).tolist():
            if not world.road_map.drawn and not world.moved[index]:
                continue
            since_s = max(self._runs.since_s(world, index), float(self._queues.excused_until[index]))
            waited_s = world.time_s - since_s
            sustain = bool(self._queues.excused[index]) or waited_s < wait_s or not world.recent[index]
            strength = (0.9 if world.moved[index] else 0.65) * min(1.0, 0.4 + float(world.class_share[index]))
            yield about(
                world, index, self.kind, strength, since_s=since_s, reach_m=4.0, sustain=sustain, standing=True,
            )  # fmt: skip
        self._runs.forget(world.time_s)
