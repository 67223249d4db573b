"""1013: a collision, told by trajectories: an impact, or two who meet and stay where nobody stops."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from traffic.events.collisions import Collisions
from traffic.events.detector import box_around, tracks_of
from traffic.events.evidence import Evidence
from traffic.events.impacts import Shock, measure_push, measure_ram, measure_shock, measure_turn
from traffic.events.incident import apart
from traffic.events.queues import Queues
from traffic.events.ramming import unavoidable
from traffic.events.world import LENGTHS_M, Array, Flags, World
from traffic.facts import EventKind
from traffic.scene.model import RegionKind

_BRAKING_M_S2, _TYRES_M_S2 = 6.5, 10.0  # emergency braking, and more than tyres can do (0.9 to 1.0 g on dry asphalt)
_SHOCK_S = 12.0  # an impact is remembered this long while its vehicle comes to rest and stays
_REST_AFTER_S = 4.0  # it must stand this soon after the impact
_NEAR_M = 12.0  # and this near
_PEOPLE_M = 8.0
_TOGETHER_S = 4.0
_MEETS_S = 2.0  # partners are looked for until so long after the shock
_GRAIN_M, _LEAST_PX = 0.6, 24.0  # metres a pixel may cover, or height of the box: far off, boxes that merge look like collisions
_CLOSE_GRAIN_M = 0.35
_BESIDE_M = 2.4  # a neighbour in the next lane is further aside
_PUSH_M_S, _PUSH_DEVIATIONS = 2.0, 1.5  # in the second of the shock; no car accelerates like this just then
_DOOMED_S, _CARRIED_M = 1.5, 18.0  # unavoidable collisions show by contact within; two who go on with a common 15 m/s stop within
_KEEPS = 0.35  # of the distance that who goes past would have come in the meantime
_CROSSING_COS = 0.85  # courses that differ by more than about 30 degrees


@dataclass(slots=True)
class _Suspicion:
    """An object that has suffered a shock."""

    shock: Shock
    place: tuple[float, float]
    partner: int = 0
    crossing: bool = False
    contact: bool = False
    close: bool = False  # contact is more than boxes that meet: where a pixel is small, a queue's gap would be seen
    pushed: bool = False  # its partner was thrown forward by it
    rammed: bool = False  # it could not be avoided any more
    turned: float = 0.0  # 0..1, it stands another way than it drove


@dataclass(slots=True)
class _Doom:
    """Two who cannot but collide: the ``shock`` to come; whether they have ``met``, and since when; when they were seen last
    and how far apart, metres."""

    shock: Shock
    met: bool = False
    met_s: float = 0.0
    last_s: float = 0.0
    distance: float = 0.0


class AccidentDetector:
    """Scores what speaks for a collision; every part alone is ordinary traffic."""

    kind = EventKind.ACCIDENT

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._suspects: dict[int, _Suspicion] = {}
        self._collisions = Collisions()
        self._doomed: dict[tuple[int, int], _Doom] = {}

    def reset(self) -> None:
        """Forget all impacts."""
        self._collisions.reset()
        self._suspects.clear()
        self._doomed.clear()

    def look(self, world: World) -> Iterable[Evidence]:
        """Incidents around objects that suffered a shock and stand now, and around those that ran into each other."""
        rule = world.rule(self.kind)
        self._find_shocks(world, rule.value("deceleration_m_s2"), rule.value("contact_gap_m"))
        self._find_rams(world, rule.value("contact_gap_m"))
        self._find_doomed(world, rule.value("contact_gap_m"))
        self._hand_over(world)
        found = list(self._collisions.look(world, (world.motor | world.rider) & _on_known_road(world), self.kind))
        for who, suspicion in self._suspects.items():
            indices = np.flatnonzero(world.object_id == who)
            if not len(indices):
                continue
            evidence = self._judge(world, int(indices[0]), suspicion, rule.value("standing_s"))
            if evidence is not None:
                found.append(evidence)
        alive = set(world.movers.object_id.tolist())
        open_now = {who for incident in world.open_of(self.kind) for who in incident.evidence.involved}
        self._suspects = {
            who: s
            for who, s in self._suspects.items()
            if who in alive and (world.time_s - s.shock.time_s <= _SHOCK_S or who in open_now)
        }
        return _strongest(found)

    # -- parts --------------------------------------------------------------------------------------------------------

    def _find_shocks(self, world: World, least: float, gap_m: float) -> None:
        on_road = _on_known_road(world)
        resolved = world.grain_m() <= _GRAIN_M if world.view.metric else world.tall_px() >= _LEAST_PX
        moving = np.flatnonzero((world.motor | world.rider) & world.seen & world.moved & world.slowing & resolved).tolist()
        for index in moving:
            shock = measure_shock(world, index)
            if shock is None or shock.rate - shock.error < least:
                continue
            who = int(world.object_id[index])
            known = self._suspects.get(who)
            surer = known is not None and (known.pushed or known.shock.rate >= shock.rate)
            if known is not None and surer and world.time_s - known.shock.time_s < 3.0:
                continue
            if not on_road[index]:
                continue
            suspicion = _Suspicion(shock, world.place_of(index))
            self._find_partner(world, index, suspicion, gap_m)
            self._suspects[who] = suspicion
        for who, suspicion in self._suspects.items():  # boxes may meet a moment later
            if world.time_s - suspicion.shock.time_s >= _MEETS_S:
                continue
            indices = np.flatnonzero(world.object_id == who)
            if not suspicion.contact and len(indices):
                self._find_partner(world, int(indices[0]), suspicion, gap_m)
            partner = np.flatnonzero(world.object_id == suspicion.partner)
            if suspicion.contact and not suspicion.pushed and len(partner):
                change, error = measure_push(world, int(partner[0]), suspicion.shock)
                suspicion.pushed = change >= _PUSH_M_S and change - _PUSH_DEVIATIONS * error >= 0.5 * _PUSH_M_S

    def _find_rams(self, world: World, gap_m: float) -> None:
        """Vehicles thrown forward by one that came up from behind."""
        if not world.view.metric:
            return
        course, on_road = world.movers.course[world.rows], _on_known_road(world)
        able = world.motor & np.isfinite(course).all(axis=1) & world.moved & (world.grain_m() <= _CLOSE_GRAIN_M)
        for rear in np.flatnonzero(able).tolist():
            near, _ = _touching(world, rear, gap_m)
            ahead = (world.places - world.places[rear]) @ course[rear] > 0
            for front in np.flatnonzero(near & ahead & world.motor & world.seen & ~world.standing).tolist():
                known = self._suspects.get(int(world.object_id[front]))
                if (known is not None and known.pushed) or not on_road[front]:
                    continue
                shock = measure_ram(world, rear, front)
                if shock is not None:
                    who = int(world.object_id[rear])
                    self._suspects[int(world.object_id[front])] = _Suspicion(
                        shock, world.place_of(front), partner=who, contact=True, close=True, pushed=True
                    )

    def _find_doomed(self, world: World, gap_m: float) -> None:
        """Collisions that could not be avoided any more, once the two have met."""
        if not world.view.metric:
            return
        able = world.motor & (world.grain_m() <= _CLOSE_GRAIN_M) & _on_known_road(world)
        for found in unavoidable(world, able):
            pair = (int(world.object_id[found.rear]), int(world.object_id[found.front]))
            if pair not in self._doomed or not self._doomed[pair].met:
                self._doomed[pair] = _Doom(Shock(world.time_s, found.closing, found.closing, found.rate, 0.0, found.heading))
        for pair, doom in tuple(self._doomed.items()):
            shock = doom.shock
            if world.time_s - shock.time_s > _DOOMED_S:
                del self._doomed[pair]
                continue
            rear, front = (np.flatnonzero(world.object_id == who) for who in pair)
            if not len(rear) or not len(front) or not (world.seen[rear[0]] and world.seen[front[0]]):
                continue
            near, distances = _touching(world, int(rear[0]), gap_m)
            if not near[front[0]]:
                continue
            distance = float(distances[front[0]])
            if not doom.met:
                doom.met, doom.met_s = True, world.time_s
                for who, other, index in ((pair[0], pair[1], rear[0]), (pair[1], pair[0], front[0])):
                    self._suspects[who] = _Suspicion(
                        shock, world.place_of(int(index)), partner=other, contact=True, close=True, pushed=True, rammed=True
                    )
            else:
                # It came up fast and keeps the distance now: together they may leave the picture before they stand.
                passed_s = world.time_s - doom.last_s
                if abs(distance - doom.distance) <= _KEEPS * shock.change_m_s * passed_s:
                    self._collisions.note(pair, doom.met_s, world.time_s)
            doom.last_s, doom.distance = world.time_s, distance

    def _hand_over(self, world: World) -> None:
        """Two boxes that have become one: who suffered the shock is lost, and his partner stands for both."""
        for who, suspicion in tuple(self._suspects.items()):
            partner = np.flatnonzero(world.object_id == suspicion.partner)
            lost = not (world.object_id == who).any()
            if lost and suspicion.contact and len(partner) and world.standing[partner[0]]:
                del self._suspects[who]
                known = self._suspects.get(suspicion.partner)
                if known is None or known.shock.rate < suspicion.shock.rate:
                    self._suspects[suspicion.partner] = replace(suspicion, partner=who)

    @staticmethod
    def _find_partner(world: World, index: int, suspicion: _Suspicion, gap_m: float) -> None:
        """Whoever it touches: close on the ground, and boxes that meet."""
        near, distance = _touching(world, index, gap_m)
        if not near.any():
            return
        candidates = np.flatnonzero(near)
        partner = int(candidates[distance[candidates].argmin()])
        one, two = world.movers.course[world.rows[index]], world.movers.course[world.rows[partner]]
        known = np.isfinite(one).all() and np.isfinite(two).all()
        suspicion.contact = True
        suspicion.close = world.view.metric and float(world.grain_m()[index]) <= _CLOSE_GRAIN_M
        suspicion.partner = int(world.object_id[partner])
        suspicion.crossing = bool(known and float(one @ two) < _CROSSING_COS) or bool(world.person[partner])

    def _judge(self, world: World, index: int, suspicion: _Suspicion, standing_s: float) -> Evidence | None:
        shock, now = suspicion.shock, world.time_s
        if not world.standing[index]:
            return None
        rest_s = float(world.rest_s[index])
        away = (np.array(world.place_of(index)) - np.array(suspicion.place)) * float(world.scale[index])
        if rest_s - shock.time_s > _REST_AFTER_S or float(np.hypot(*away)) > (_CARRIED_M if suspicion.rammed else _NEAR_M):
            return None
        if now - rest_s < standing_s:
            return None
        impact = float(np.clip((shock.rate - shock.error - _BRAKING_M_S2) / (_TYRES_M_S2 - _BRAKING_M_S2), 0.0, 1.0))
        score = 0.3 + 0.35 * impact
        involved = [index]
        held_up = bool(self._queues.excused[index])
        partner = np.flatnonzero(world.object_id == suspicion.partner)
        if suspicion.rammed and rest_s < shock.time_s and len(partner) and not world.standing[partner[0]]:
            return None  # whoever was to run into it has got past
        if suspicion.contact:
            score += 0.2 if suspicion.close else 0.1
            score += 0.15 * suspicion.crossing + 0.3 * suspicion.pushed
        if suspicion.contact and len(partner):
            other = int(partner[0])
            held_up &= bool(self._queues.excused[other])  # who is held up by the one it ran into has no excuse
            if suspicion.crossing and world.standing[other] and abs(float(world.rest_s[other]) - rest_s) < _TOGETHER_S:
                score += 0.15
            involved.append(other)
        suspicion.turned = max(suspicion.turned, measure_turn(world, index, shock))
        score += (0.25 if suspicion.contact else 0.15) * suspicion.turned
        held_up &= not suspicion.pushed and suspicion.turned < 0.5  # in a queue one stands as one has driven
        if held_up:
            score -= 0.3 - 0.15 * impact
        people = self._people_near(world, index)
        score += 0.15 * min(people, 2)
        box = box_around(world, involved)
        return Evidence(
            kind=self.kind,
            key=("object", int(world.object_id[index])),
            strength=float(np.clip(score, 0.0, 0.98)),
            box=box,
            since_s=shock.time_s,
            place=world.place_of(index),
            reach=world.metres(index, 12.0),
            merges=True,
            track_ids=tracks_of(world, involved),
            object_class=world.class_of(index),
            road_num=world.road_num(index),
            standing=True,
            involved=tuple(int(world.object_id[i]) for i in involved),
        )

    @staticmethod
    def _people_near(world: World, index: int) -> int:
        """People on foot on the road beside it."""
        away = (world.places - world.places[index]) * float(world.scale[index])
        near = world.person & (np.hypot(away[:, 0], away[:, 1]) <= _PEOPLE_M) & (world.lane >= 0)
        return int(near.sum())


def _strongest(found: list[Evidence]) -> list[Evidence]:
    """Of the signs of one collision, which come of both partners, the strongest."""
    kept: list[Evidence] = []
    for evidence in sorted(found, key=lambda e: -e.strength):
        if all(apart(other.place, evidence.place) > evidence.reach for other in kept):
            kept.append(evidence)
    return kept


def _on_known_road(world: World) -> Flags:
    """bool (n,): where the operator has drawn the road, what happens beyond it is too far off or of no concern."""
    known: Flags = world.lane >= 0
    if not world.road_map.drawn:
        return np.ones_like(known)
    kinds = (RegionKind.ROADWAY, RegionKind.JUNCTION_BOX, RegionKind.NO_PARKING, RegionKind.RESTRICTED)
    for number, _ in world.road_map.regions(*kinds):
        known = known | world.in_regions[number]
    return known


def _touching(world: World, index: int, gap_m: float) -> tuple[Flags, Array]:
    """bool (n,): road users that touch an object; (n,): their distances, metres."""
    others = (world.motor | world.rider | world.person) & (world.object_id != world.object_id[index])
    away = (world.places - world.places[index]) * float(world.scale[index])
    distance = np.hypot(away[:, 0], away[:, 1])
    reach = (LENGTHS_M[world.object_class] + LENGTHS_M[world.object_class[index]]) / 2
    near = others & (distance <= reach + gap_m) & _meet(world, index)
    course = world.movers.course[world.rows]
    if world.view.metric and np.isfinite(course[index]).all():
        aside = np.abs(away[:, 0] * course[index, 1] - away[:, 1] * course[index, 0])
        across = np.abs(course @ course[index]) < _CROSSING_COS  # who drives along, or never has, must be in its way
        near &= across | (aside <= _BESIDE_M)
    return near, distance


def _meet(world: World, index: int) -> np.ndarray:  # type: ignore[type-arg]
    """bool (n,): boxes that overlap the object's, or nearly, and stand at a similar depth."""
    box, boxes = world.boxes[index], world.boxes
    margin = 0.08 * np.array([box[2] - box[0], box[3] - box[1]])
    low = np.maximum(boxes[:, :2], box[:2] - margin)
    high = np.minimum(boxes[:, 2:], box[2:] + margin)
    result: np.ndarray = (low < high).all(axis=1)  # type: ignore[type-arg]
    return result
