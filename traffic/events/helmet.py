"""1012: somebody without a safety helmet where helmets must be worn."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from traffic.events.detector import about
from traffic.events.evidence import Evidence
from traffic.events.observations import PixelFinding, PixelFindingKind
from traffic.events.world import World
from traffic.facts import EventKind
from traffic.scene.model import RegionKind

_MEMORY_S = 6.0
_LEAST_LOOKS = 3
_FORGET_S = 10.0
_REACH_M = 5.0  # so near, a worker under a new number is the same one; two of them are one incident
_HEAD = 0.7  # a head is this near to where the person's should be, in widths of the person


@dataclass(slots=True)
class _Head:
    """Fading weights of what was seen of one head."""

    bare: float = 0.0
    helmet: float = 0.0
    looks: int = 0
    since_s: float = 0.0
    last_s: float = 0.0


class HelmetDetector:
    """Each person's findings are weighed against each other; without findings nothing is said."""

    kind = EventKind.NO_HELMET

    def __init__(self) -> None:
        self._heads: dict[int, _Head] = {}

    def reset(self) -> None:
        """Forget all heads."""
        self._heads.clear()

    def look(self, world: World) -> Iterable[Evidence]:
        """People in helmet regions whose head was mostly seen bare."""
        regions = world.road_map.regions(RegionKind.HELMET)
        if not regions:
            return
        for finding in world.findings:
            if finding.kind in (PixelFindingKind.BARE_HEAD, PixelFindingKind.HELMET):
                self._note(world, finding)
        least = world.rule(self.kind).value("bare_ratio")
        for index in np.flatnonzero(world.person).tolist():
            head = self._heads.get(int(world.object_id[index]))
            region = next((r for number, r in regions if world.touches[number, index]), None)
            if head is None or region is None or head.looks < _LEAST_LOOKS:
                continue
            share = head.bare / max(head.bare + head.helmet, 1e-9)
            if share < least or world.time_s - head.last_s > 2.0:
                continue
            code = region.region_code
            yield about(
                world, index, self.kind, min(share, 0.95), since_s=head.since_s, reach_m=_REACH_M, region_code=code, merges=True
            )
        self._heads = {n: h for n, h in self._heads.items() if world.time_s - h.last_s <= _FORGET_S}

    def _note(self, world: World, finding: PixelFinding) -> None:
        who = self._owner(world, finding)
        if who is None:
            return
        head = self._heads.setdefault(who, _Head(since_s=world.time_s, last_s=world.time_s))
        kept = float(np.exp((head.last_s - world.time_s) / _MEMORY_S))
        head.bare, head.helmet = head.bare * kept, head.helmet * kept
        head.last_s = world.time_s
        head.looks += 1
        if finding.kind is PixelFindingKind.BARE_HEAD:
            head.bare += finding.score
        else:
            head.helmet += finding.score
            if head.helmet > head.bare:
                head.since_s = world.time_s

    @staticmethod
    def _owner(world: World, finding: PixelFinding) -> int | None:
        """The person a finding belongs to: by its track, else whose head is there."""
        if finding.track_id is not None:
            same = np.flatnonzero(world.track_id == finding.track_id)
            return int(world.object_id[same[0]]) if len(same) else None
        x, y = (finding.box[0] + finding.box[2]) / 2, (finding.box[1] + finding.box[3]) / 2
        best: tuple[float, int] | None = None
        for index in np.flatnonzero(world.person).tolist():
            x1, y1, x2, y2 = world.box_px(index)
            off = max(abs(x - (x1 + x2) / 2) / max(x2 - x1, 1e-9), abs(y - y1 - 0.08 * (y2 - y1)) / max(0.35 * (y2 - y1), 1e-9))
            if off <= _HEAD and (best is None or off < best[0]):
                best = (off, int(world.object_id[index]))
        return None if best is None else best[1]
