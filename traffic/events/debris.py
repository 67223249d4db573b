"""1004: something lies on the road. 1016: a large part of slope or road has changed."""

from collections import deque
from collections.abc import Iterable

import numpy as np

from traffic.events.evidence import Evidence
from traffic.events.observations import PixelFindingKind
from traffic.events.spots import Spot, Spots, overlap
from traffic.events.world import World
from traffic.facts import EventKind
from traffic.geometry import signed_area
from traffic.scene.model import RegionKind
from traffic.types import Box

_SHARE, _SHARE_AT_ONCE, _SURE_LOOKS = 0.6, 0.9, 24  # of the looks: when there were many, and the more the fewer there were
_COVERED = 0.3  # of its box by the box of something tracked: it is that, or its shadow
_VACATED_S = 180.0  # where a vehicle stood, the background keeps its hole for a while
_STOOD_S = 8.0
_LAIN_S = 5.0  # found this long before something covers it: it is hidden, and goes on
_MAX_VACATED = 64
_MISSED_S = 1.0  # not found for so long: what was seen no longer counts as lying there, but its event stays open
_ALIKE = 0.6  # of their union: two looks at one slide; its box is some dozens of pixels wide and jitters by one or two
_LANE_SHARE = 0.6  # of the lane's width, where there are no metres: what is wider is a vehicle or a shadow


class DebrisDetector:
    """Static objects on the road that no tracked object explains."""

    kind = EventKind.DEBRIS

    def __init__(self) -> None:
        self._spots = Spots()
        self._vacated: deque[tuple[float, Box]] = deque(maxlen=_MAX_VACATED)

    def reset(self) -> None:
        """Forget all places."""
        self._spots.reset()
        self._vacated.clear()

    def look(self, world: World) -> Iterable[Evidence]:
        """Places on the road that are found again and again."""
        self._note_standing(world)
        found = [f for f in world.findings if f.kind is PixelFindingKind.STATIC_OBJECT]
        self._spots.look(world.time_s, found, looked=world.looked)
        cones = [f.box for f in world.findings if f.kind is PixelFindingKind.CONE]
        for spot in self._spots.spots:
            if not _is_there(spot) or not on_road(world, spot.box) or not self._has_size(world, spot.box):
                continue
            if any(overlap(spot.box, cone) > _COVERED for cone in cones):
                continue
            hidden = self._is_explained(world, spot)
            if hidden and world.time_s - spot.first_s < _LAIN_S:
                continue
            # What lay there before the vehicle came is only hidden by it.
            missed = world.time_s - spot.last_s > _MISSED_S
            yield _evidence(world, self.kind, spot, reach_m=4.0, sustain=hidden or missed)

    def _note_standing(self, world: World) -> None:
        """Where vehicles have stood long enough to become background: who starts takes its box along, and leaves the hole."""
        for index in np.flatnonzero(world.motor & (world.time_s - np.nan_to_num(world.rest_s, nan=np.inf) > _STOOD_S)).tolist():
            box = world.box_px(index)
            for place, (_, known) in enumerate(self._vacated):
                if overlap(box, known) > 0.6:
                    self._vacated[place] = (world.time_s, known)
                    break
            else:
                self._vacated.append((world.time_s, box))

    def _is_explained(self, world: World, spot: Spot) -> bool:
        box = spot.box
        for index in range(len(world)):
            if overlap(box, world.box_px(index)) > _COVERED:
                return True
        # A hole in the background appears when the vehicle leaves: what was found before is none.
        return any(
            world.time_s - t <= _VACATED_S and t <= spot.first_s + 1.0 and overlap(box, known) > _COVERED
            for t, known in self._vacated
        )

    def _has_size(self, world: World, box: Box) -> bool:
        rule = world.rule(self.kind)
        if not world.view.metric:
            lane = lane_at(world, box)
            return lane is None or (box[2] - box[0]) < _LANE_SHARE * lane
        width, height = world.frame_size
        bottom = np.array([[(box[0] + box[2]) / 2 / width, box[3] / height]])
        across = float(np.hypot(*world.view.per_pixel(bottom)[0, :, 0]))
        wide = (box[2] - box[0]) * across
        return bool(rule.value("min_size_m") <= wide <= rule.value("max_size_m"))


class MudslideDetector:
    """A lasting change of a large part of a slope, or of the road."""

    kind = EventKind.MUDSLIDE

    def __init__(self) -> None:
        self._spots = Spots(forget_s=6.0, alike=_ALIKE)

    def reset(self) -> None:
        """Forget all places."""
        self._spots.reset()

    def look(self, world: World) -> Iterable[Evidence]:
        """Changes that are large against their region."""
        found = [f for f in world.findings if f.kind is PixelFindingKind.SURFACE_CHANGE]
        self._spots.look(world.time_s, found, looked=world.looked)
        least = world.rule(self.kind).value("area_ratio")
        for spot in self._spots.spots:
            code, share = self._share(world, spot.box)
            if not _is_there(spot) or share < least:
                continue
            missed = world.time_s - spot.last_s > _MISSED_S
            yield _evidence(world, self.kind, spot, reach_m=1e6, region_code=code, sustain=missed)

    @staticmethod
    def _share(world: World, box: Box) -> tuple[int, float]:
        """Largest share of a slope (or of a lane) that the box covers."""
        best = (0, 0.0)
        shapes = [
            (region.region_code, region.polygon) for _, region in world.road_map.regions(RegionKind.SLOPE, RegionKind.ROADWAY)
        ]
        shapes += [(0, lane.polygon) for lane in world.road_map.lanes] if world.road_map.drawn else []
        width, height = world.frame_size
        for code, polygon in shapes:
            points = np.asarray(polygon) * np.array([width, height])
            (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
            fill = max(abs(signed_area(points.tolist())), 1e-9) / max(float((x2 - x1) * (y2 - y1)), 1e-9)
            share = overlap((float(x1), float(y1), float(x2), float(y2)), box) / fill
            if share > best[1]:
                best = (code, share)
        return best


def _is_there(spot: Spot) -> bool:
    """Whether it was found in enough of the looks: what flickers is found in most of a few now and then, not in most of many."""
    early = max(0.0, 1 - spot.looks / _SURE_LOOKS)
    return spot.share >= _SHARE + (_SHARE_AT_ONCE - _SHARE) * early


def on_road(world: World, box: Box) -> bool:
    """Whether the foot of a box is in a lane or on a roadway."""
    width, height = world.frame_size
    foot = np.array([[(box[0] + box[2]) / 2 / width, (box[3] - 0.1 * (box[3] - box[1])) / height]])
    if world.road_map.in_lanes(foot).any():
        return True
    inside = world.road_map.in_regions(foot)
    return any(inside[number, 0] for number, _ in world.road_map.regions(RegionKind.ROADWAY))


def lane_at(world: World, box: Box) -> float | None:
    """Width in pixels of the lane under a box, without metres; None where there is none."""
    width, height = world.frame_size
    foot = np.array([[(box[0] + box[2]) / 2 / width, (box[3] - 0.1 * (box[3] - box[1])) / height]])
    inside = world.road_map.in_lanes(foot)
    if not inside.any():
        return None
    road = world.road_map.roads[int(inside[:, 0].argmax())]
    if road is None:
        return None
    along = float(road.locate(world.view.to_ground(foot))[0][0])
    return float(np.interp(along, road.stations, road.left + road.right)) * height


def _evidence(
    world: World, kind: EventKind, spot: Spot, *, reach_m: float, region_code: int = 0, sustain: bool = False
) -> Evidence:
    width, height = world.frame_size
    foot = world.view.to_ground(np.array([[(spot.box[0] + spot.box[2]) / 2 / width, spot.box[3] / height]]))[0]
    place = (float(foot[0]), float(foot[1])) if np.isfinite(foot).all() else None
    return Evidence(
        kind=kind,
        key=("place", spot.number),
        strength=min(0.4 + 0.5 * spot.share, 0.9) * min(1.0, 0.5 + spot.score),
        box=spot.box,
        since_s=spot.first_s,
        place=place,
        reach=reach_m if world.view.metric or reach_m > 1e5 else 0.08,
        merges=True,
        region_code=region_code,
        sustain=sustain,
        standing=True,
    )
