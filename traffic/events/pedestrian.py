"""1003: somebody is on foot or on a bicycle where only motor vehicles may be."""

from collections.abc import Iterable

import numpy as np

from traffic.events.debris import on_road
from traffic.events.detector import about, hidden_in_vehicles
from traffic.events.evidence import Evidence
from traffic.events.world import HEIGHTS_M, World
from traffic.facts import EventKind
from traffic.scene.model import RegionKind
from traffic.types import ObjectClass

_HEIGHT_M = (0.5, 2.8)  # plausible heights of people and riders by the calibration; low ones are seen from above
_FAINT = 0.6  # confidence in somebody followed faintly
_ON_FOOT_SHARE = 0.6  # of the rule's largest speed: a faster "person" is the rider of something


class PedestrianDetector:
    """People in lanes, hard shoulders and roadways of a highway."""

    kind = EventKind.PEDESTRIAN

    def reset(self) -> None:
        """Nothing is remembered."""

    def look(self, world: World) -> Iterable[Evidence]:
        """Everybody there who is no part of a vehicle and no road worker."""
        rule = world.rule(self.kind)
        if not (world.road_map.highway or rule.enabled):
            return
        yield from self._faint(world)
        who = (world.person | world.rider) & world.seen & (world.class_share >= 0.55)
        who &= (world.lane >= 0) | world.in_kind(RegionKind.ROADWAY)
        if not who.any():
            return
        limit = rule.value("max_speed_kmh") / 3.6 * np.where(world.person, _ON_FOOT_SHARE, 1.0)
        who &= ~hidden_in_vehicles(world, who) & (world.speed <= limit)
        if world.view.metric:
            across = np.hypot(*world.view.per_pixel(world.bottoms)[:, :, 0].T)
            tall = (world.boxes[:, 3] - world.boxes[:, 1]) * world.frame_size[1] * across
            who &= (tall >= _HEIGHT_M[0]) & (tall <= _HEIGHT_M[1])
        first_s = world.movers.first_s[world.rows]
        for index in np.flatnonzero(who).tolist():
            age_s = world.time_s - float(first_s[index])
            strength = 0.85 if world.moved[index] else min(0.35 + 0.05 * age_s, 0.7)
            yield about(world, index, self.kind, strength, reach_m=10.0, merges=True)

    def _faint(self, world: World) -> Iterable[Evidence]:
        """Those on the road of whom the detector is never sure."""
        width, height = world.frame_size
        for person in world.faint:
            x1, y1, x2, y2 = person.box
            foot = np.array([[(x1 + x2) / 2 / width, y2 / height]])
            ground = world.view.to_ground(foot)[0]
            if not on_road(world, person.box) or not np.isfinite(ground).all():
                continue
            if world.view.metric:
                tall_m = (y2 - y1) * float(np.hypot(*world.view.per_pixel(foot)[0, :, 0]))
                if not _HEIGHT_M[0] <= tall_m <= _HEIGHT_M[1]:
                    continue
            metre = 1.0 if world.view.metric else (y2 - y1) / height / HEIGHTS_M[ObjectClass.PERSON]
            yield Evidence(
                kind=self.kind,
                key=("faint", person.track_id),
                strength=_FAINT,
                box=person.box,
                place=(float(ground[0]), float(ground[1])),
                reach=10.0 * float(metre),
                merges=True,
                object_class=ObjectClass.PERSON,
            )
