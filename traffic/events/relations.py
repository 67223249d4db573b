"""What kinds of events have to do with each other: one incident, one alarm."""

from collections.abc import Sequence

from traffic.events.evidence import Evidence
from traffic.events.incident import apart
from traffic.events.world import World
from traffic.facts import EventKind

_ACCIDENT_M = 15.0
_SITE_MARGIN = 0.15  # of the picture's width around a site of road works


def related(world: World, found: Sequence[Evidence]) -> list[Evidence]:
    """The signs without those that another, graver incident explains.

    Near an accident nobody is stopped, in debris or on foot for himself; at road works nobody is a pedestrian, and what
    stands or lies there belongs to them.
    """
    accidents = world.open_of(EventKind.ACCIDENT)
    sites = world.open_of(EventKind.ROAD_WORKS)
    pending = [e for e in found if e.kind is EventKind.ROAD_WORKS]
    boxes = [incident.evidence.box for incident in sites] + [e.box for e in pending]
    kept = []
    for evidence in found:
        if evidence.kind in _OF_ACCIDENT and any(
            apart(a.evidence.place, evidence.place) <= a.evidence.reach / 12.0 * _ACCIDENT_M for a in accidents
        ):
            continue
        if evidence.kind in _OF_WORKS and any(_within(evidence, box, world.frame_size) for box in boxes):
            continue
        kept.append(evidence)
    return kept


_OF_ACCIDENT = frozenset({EventKind.VEHICLE_STOPPED, EventKind.DEBRIS, EventKind.PEDESTRIAN})
_OF_WORKS = frozenset({EventKind.PEDESTRIAN, EventKind.DEBRIS, EventKind.VEHICLE_STOPPED})


def _within(evidence: Evidence, box: tuple[float, float, float, float], frame_size: tuple[int, int]) -> bool:
    margin = _SITE_MARGIN * frame_size[0]
    x, y = (evidence.box[0] + evidence.box[2]) / 2, evidence.box[3]
    return box[0] - margin <= x <= box[2] + margin and box[1] - margin <= y <= box[3] + margin
