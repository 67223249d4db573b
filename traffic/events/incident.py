"""One incident while it is open, and the facts that are stated of it."""

import math
from dataclasses import dataclass, field, replace

from traffic.events.evidence import Evidence, Key, Place
from traffic.facts import EventKind, EventPhase, TrafficEvent

_MEMORY_S = 3.0  # the confidence is that of about this long
_MAX_KEYS = 16
# What an incident of a graver kind takes over when it concerns the same objects or the same place.
GRAVER: dict[EventKind, frozenset[EventKind]] = {
    EventKind.ACCIDENT: frozenset(
        {
            EventKind.VEHICLE_STOPPED,
            EventKind.SUDDEN_DECELERATION,
            EventKind.ILLEGAL_PARKING,
            EventKind.LOWER_SPEED,
            EventKind.DEBRIS,
        }
    ),
    EventKind.ILLEGAL_PARKING: frozenset({EventKind.VEHICLE_STOPPED}),
}


@dataclass(slots=True)
class Incident:
    """One incident, raised (``event_id`` is set) or not yet.

    Attributes:
        evidence: the newest. keys: under which it has been seen, newest last.
        start_s, last_s: of its evidence. peak_s, peak: its strongest moment.
        strength: fading mean of its strength. ticks, seen: since it began.
        event_id: "" while it is not raised.
    """

    evidence: Evidence
    start_s: float
    last_s: float
    strength: float
    peak: float
    peak_s: float
    ticks: int = 1
    seen: int = 1
    event_id: str = ""
    keys: list[Key] = field(default_factory=list)

    @classmethod
    def begin(cls, time_s: float, evidence: Evidence) -> "Incident":
        """An incident whose first signs are ``evidence``."""
        start_s = min(time_s if evidence.since_s is None else evidence.since_s, time_s)
        strength = evidence.strength
        return cls(evidence, start_s, time_s, strength, strength, time_s, keys=[evidence.key])

    @property
    def raised(self) -> bool:
        """Whether it has been stated."""
        return bool(self.event_id)

    def see(self, time_s: float, evidence: Evidence) -> None:
        """More signs of it."""
        passed_s = max(time_s - self.last_s, 0.0)
        self.last_s = time_s
        self.ticks += 1
        if evidence.kind is not self.evidence.kind:
            return  # of what it was before it became graver
        if evidence.key not in self.keys:
            self.keys = [*self.keys, evidence.key][-_MAX_KEYS:]
        if evidence.sustain:
            self.evidence = replace(self.evidence, box=evidence.box, place=evidence.place, sustain=True)
            return
        self.seen += 1
        if evidence.since_s is not None and not self.raised:
            self.start_s = max(self.start_s, min(evidence.since_s, time_s))
        kept = math.exp(-passed_s / _MEMORY_S)
        self.strength = kept * self.strength + (1 - kept) * evidence.strength
        if evidence.strength > self.peak:
            self.peak, self.peak_s = evidence.strength, time_s
        self.evidence = evidence

    def concerns(self, evidence: Evidence) -> bool:
        """Whether evidence of another kind is about the same objects, or about something at the same place."""
        own, other = set(self.evidence.involved), set(evidence.involved)
        if own & other:
            return True
        return apart(self.evidence.place, evidence.place) <= max(self.evidence.reach, evidence.reach)

    def fact(self, phase: EventPhase, time_s: float, frame_size: tuple[int, int]) -> TrafficEvent:
        """What is stated of it."""
        evidence = self.evidence
        return TrafficEvent(
            event_id=self.event_id,
            phase=phase,
            kind=evidence.kind,
            time_s=time_s,
            start_s=self.start_s,
            peak_s=self.peak_s,
            confidence=min(max(self.peak, 0.0), 1.0),
            box=evidence.box,
            frame_size=frame_size,
            track_ids=evidence.track_ids,
            object_class=evidence.object_class,
            road_num=evidence.road_num,
            region_code=evidence.region_code,
            detail=evidence.detail,
        )


def apart(one: Place | None, other: Place | None) -> float:
    """Distance of two places on the ground; infinite when one is not known."""
    return math.dist(one, other) if one is not None and other is not None else math.inf
