"""The life of incidents, the same for all kinds: signs gather → raised once → kept alive → closed, then a cool-down."""

import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from traffic.events.config import EventConfig
from traffic.events.evidence import Evidence, Key, Place
from traffic.events.incident import GRAVER, Incident, apart
from traffic.facts import EventKind, EventPhase, TrafficEvent
from traffic.scene.rules import EventRule

_NAMESPACE = uuid.UUID("0c6f2c0e-3a4d-5b0f-9f57-7d0f6a6f9e11")
_SEEN_SHARE = 0.6  # of the ticks since it began, an incident must have been seen when it is raised
_MAX_INCIDENTS = 256
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class _Ended:
    """An event that is over: until when it keeps another one of its kind from being raised."""

    kind: EventKind
    keys: tuple[Key, ...]
    place: Place | None
    reach: float
    until_s: float

    def covers(self, evidence: Evidence) -> bool:
        """Whether new evidence is about the same object or place."""
        if self.kind is not evidence.kind:
            return False
        return evidence.key in self.keys or (self.reach > 0 and apart(self.place, evidence.place) <= self.reach)


class LifeCycle:
    """Incidents of one camera. Bounded: at most 256 incidents and as many cool-downs at a time."""

    def __init__(self, config: EventConfig, rule_of: Callable[[EventKind], EventRule], life: str = "") -> None:
        self._config, self._rule_of, self._life = config, rule_of, life
        self._incidents: list[Incident] = []
        self._ended: list[_Ended] = []
        self._recent: deque[str] = deque(maxlen=_MAX_INCIDENTS)

    @property
    def raised(self) -> tuple[Incident, ...]:
        """Open events."""
        return tuple(incident for incident in self._incidents if incident.raised)

    def open_of(self, *kinds: EventKind) -> list[Incident]:
        """Open events of some kinds."""
        return [incident for incident in self._incidents if incident.raised and incident.evidence.kind in kinds]

    def update(self, time_s: float, found: Sequence[Evidence], frame_size: tuple[int, int]) -> list[TrafficEvent]:
        """Take the signs of one tick; returns what is stated now."""
        touched: set[int] = set()
        strange: list[Evidence] = []
        for evidence in found:
            known = self._by_key(evidence)
            if known is None:
                strange.append(evidence)
            elif id(known) not in touched:
                known.see(time_s, evidence)
                touched.add(id(known))
        for evidence in strange:
            incident = self._by_place(evidence, touched)
            if incident is not None:
                if id(incident) not in touched:
                    incident.see(time_s, evidence)
            elif not evidence.sustain and len(self._incidents) < _MAX_INCIDENTS:
                incident = Incident.begin(time_s, evidence)
                self._incidents.append(incident)
            if incident is not None:
                touched.add(id(incident))
        stated: list[TrafficEvent] = []
        for incident in tuple(self._incidents):
            if id(incident) not in touched:
                incident.ticks += 1
            elif not incident.raised and self._is_due(incident, time_s):
                stated += self._raise(incident, time_s, frame_size)
        return stated + self._close(time_s, frame_size)

    def hold(self, seconds: float) -> None:
        """Nobody looked for so long: no reason for an open event to end, nor for one to be raised."""
        for incident in self._incidents:
            incident.last_s += seconds
        self._incidents = [incident for incident in self._incidents if incident.raised]

    def finish(self, frame_size: tuple[int, int]) -> list[TrafficEvent]:
        """Close everything."""
        stated = [i.fact(EventPhase.CLOSED, i.last_s, frame_size) for i in self._incidents if i.raised]
        self._incidents.clear()
        return stated

    # -- parts --------------------------------------------------------------------------------------------------------

    def _by_key(self, evidence: Evidence) -> Incident | None:
        for incident in self._incidents:
            if incident.evidence.kind is evidence.kind and evidence.key in incident.keys:
                return incident
        return None

    def _by_place(self, evidence: Evidence, touched: set[int]) -> Incident | None:
        """The incident at the evidence's place (its object has a new number), or what its object is known as by now."""
        best: tuple[float, Incident] | None = None
        for incident in self._incidents:
            if incident.evidence.kind is evidence.kind and (evidence.merges or id(incident) not in touched):
                distance = apart(incident.evidence.place, evidence.place)
                if distance <= evidence.reach and (best is None or distance < best[0]):
                    best = (distance, incident)
        if best is not None:
            return best[1]
        for incident in self._incidents:
            if incident.raised and evidence.kind in GRAVER.get(incident.evidence.kind, ()) and incident.concerns(evidence):
                return incident
        return None

    def _is_due(self, incident: Incident, time_s: float) -> bool:
        evidence, rule = incident.evidence, self._rule_of(incident.evidence.kind)
        if evidence.sustain or time_s - incident.start_s < rule.min_duration_s - _ROUNDING:
            return False
        if incident.strength < rule.min_confidence - _ROUNDING or incident.seen < _SEEN_SHARE * incident.ticks:
            return False
        return not any(ended.until_s > time_s and ended.covers(evidence) for ended in self._ended)

    def _raise(self, incident: Incident, time_s: float, frame_size: tuple[int, int]) -> list[TrafficEvent]:
        evidence = incident.evidence
        milder = GRAVER.get(evidence.kind, frozenset())
        same = [i for i in self._incidents if i.raised and i.evidence.kind in milder and i.concerns(evidence)]
        if same:
            first = min(same, key=lambda i: i.start_s)
            incident.event_id, incident.start_s = first.event_id, min(first.start_s, incident.start_s)
            gone = {id(i) for i in same}
            self._incidents = [i for i in self._incidents if id(i) not in gone]
            closed = [i.fact(EventPhase.CLOSED, time_s, frame_size) for i in same if i is not first]
            return [incident.fact(EventPhase.UPGRADED, time_s, frame_size), *closed]
        place = evidence.place or (0.0, 0.0)
        name = f"{self._life}|{evidence.kind.name}|{incident.start_s:.3f}|{evidence.key}|{place[0]:.2f}|{place[1]:.2f}"
        incident.event_id = str(uuid.uuid5(_NAMESPACE, name))
        if incident.event_id in self._recent:  # the same object once more, after the cool-down
            incident.event_id = str(uuid.uuid5(_NAMESPACE, f"{name}|{time_s:.3f}"))
        self._recent.append(incident.event_id)
        return [incident.fact(EventPhase.RAISED, time_s, frame_size)]

    def _close(self, time_s: float, frame_size: tuple[int, int]) -> list[TrafficEvent]:
        config = self._config
        kept, stated = [], []
        for incident in self._incidents:
            quiet_s, evidence = time_s - incident.last_s, incident.evidence
            patience_s = config.keep_standing_s if evidence.standing else config.keep_s
            if quiet_s <= (patience_s if incident.raised else config.patience_s):
                kept.append(incident)
            elif incident.raised:
                stated.append(incident.fact(EventPhase.CLOSED, incident.last_s, frame_size))
                until_s = incident.last_s + self._rule_of(evidence.kind).cool_down_s
                self._ended.append(_Ended(evidence.kind, tuple(incident.keys), evidence.place, evidence.reach, until_s))
        self._incidents = kept
        self._ended = [ended for ended in self._ended if ended.until_s > time_s][-_MAX_INCIDENTS:]
        return stated
