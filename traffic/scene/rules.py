"""Rules of the kinds of events: when one is raised, where and at what times. Immutable values; defaults in ``DEFAULT_RULES``.

Sources of the defaults are in docs/events.md. Thresholds carry their unit in their name.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from traffic.facts import EventKind

MAX_DURATION_S = 86400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A span of local time on some days of the week.

    Attributes:
        days: 1 (Monday) to 7 (Sunday), of the day on which the span begins.
        begin_min, end_min: minutes since midnight, half-open [begin, end); 0..1440. An end that is not later than the
            begin lies on the next day, so equal ones mean the whole day.
    """

    days: frozenset[int] = frozenset(range(1, 8))
    begin_min: int = 0
    end_min: int = 1440

    def holds(self, moment: dt.datetime) -> bool:
        """Whether the local ``moment`` lies in the span."""
        minute, day = moment.hour * 60 + moment.minute, moment.isoweekday()
        if self.end_min > self.begin_min:
            return day in self.days and self.begin_min <= minute < self.end_min
        before = 7 if day == 1 else day - 1
        return (day in self.days and minute >= self.begin_min) or (before in self.days and minute < self.end_min)


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRule:
    """How one kind of event is detected.

    Attributes:
        kind: the kind.
        enabled: None: wherever the scene makes the kind meaningful.
        min_confidence: 0..1, an event is raised with at least this confidence.
        min_duration_s: the evidence must have lasted this long.
        cool_down_s: after an event has ended, the same object or place raises none of this kind for this long.
        schedules: the kind is looked for in any of them; empty: always.
        thresholds: all of the kind's, by name.
    """

    kind: EventKind
    enabled: bool | None = None
    min_confidence: float = 0.5
    min_duration_s: float = 1.0
    cool_down_s: float = 60.0
    schedules: tuple[Schedule, ...] = ()
    thresholds: tuple[tuple[str, float], ...] = ()

    def value(self, name: str) -> float:
        """A threshold. Raises KeyError when the kind has none of this name."""
        return dict(self.thresholds)[name]

    def is_due(self, time_s: float, zone: ZoneInfo) -> bool:
        """Whether the kind is looked for at ``time_s`` (seconds since the epoch)."""
        if not self.schedules:
            return True
        moment = dt.datetime.fromtimestamp(time_s, zone)
        return any(schedule.holds(moment) for schedule in self.schedules)


LIMITS: dict[str, tuple[float, float]] = {  # what a threshold may be, by name
    "distance_m": (1.0, 1000.0),
    "distance_sizes": (0.5, 50.0),
    "overtaking_s": (0.0, 120.0),
    "max_speed_kmh": (1.0, 100.0),
    "min_size_m": (0.01, 10.0),
    "max_size_m": (0.05, 50.0),
    "speed_kmh": (1.0, 100.0),
    "min_vehicles": (2.0, 200.0),
    "occupancy_ratio": (0.01, 1.0),
    "signal_duration_s": (0.0, 3600.0),
    "min_speed_kmh": (5.0, 120.0),
    "tolerance_ratio": (0.0, 2.0),
    "deceleration_m_s2": (1.0, 20.0),
    "from_speed_kmh": (5.0, 200.0),
    "drop_kmh": (5.0, 200.0),
    "inside_ratio": (0.0, 0.45),
    "bare_ratio": (0.1, 1.0),
    "contact_gap_m": (0.0, 10.0),
    "standing_s": (0.5, 600.0),
    "min_cones": (1.0, 50.0),
    "unknown_signal_s": (0.0, 3600.0),
    "area_ratio": (0.001, 1.0),
    "exit_gap_m": (2.0, 100.0),
}


def _rule(kind: EventKind, duration_s: float, cool_down_s: float, confidence: float = 0.5, **thresholds: float) -> EventRule:
    return EventRule(
        kind=kind, min_duration_s=duration_s, cool_down_s=cool_down_s, min_confidence=confidence,
        thresholds=tuple(sorted(thresholds.items())),
    )  # fmt: skip


DEFAULT_RULES: dict[EventKind, EventRule] = {
    rule.kind: rule
    for rule in (
        _rule(EventKind.ILLEGAL_PARKING, 20.0, 120.0),
        _rule(EventKind.WRONG_WAY, 1.0, 60.0, distance_m=8.0, distance_sizes=2.0, overtaking_s=8.0),
        _rule(EventKind.PEDESTRIAN, 1.0, 60.0, max_speed_kmh=40.0),
        _rule(EventKind.DEBRIS, 5.0, 300.0, min_size_m=0.15, max_size_m=3.0),
        _rule(
            EventKind.CONGESTION, 20.0, 120.0,
            speed_kmh=20.0, min_vehicles=5.0, occupancy_ratio=0.25, signal_duration_s=180.0,
        ),
        _rule(EventKind.LOWER_SPEED, 2.0, 60.0, min_speed_kmh=60.0),
        _rule(EventKind.SPEEDING, 0.4, 30.0, tolerance_ratio=0.1),
        _rule(EventKind.CROWD, 10.0, 300.0),
        _rule(EventKind.SUDDEN_DECELERATION, 0.2, 30.0, deceleration_m_s2=4.5, from_speed_kmh=30.0, drop_kmh=20.0),
        _rule(EventKind.RESTRICTED_AREA, 1.0, 60.0),
        _rule(EventKind.ILLEGAL_LANE_CHANGE, 0.0, 30.0, inside_ratio=0.15),
        _rule(EventKind.NO_HELMET, 2.0, 120.0, bare_ratio=0.6),
        _rule(EventKind.ACCIDENT, 2.0, 300.0, 0.55, contact_gap_m=1.0, deceleration_m_s2=5.0, standing_s=3.0),
        _rule(EventKind.ROAD_WORKS, 10.0, 600.0, min_cones=2.0),
        _rule(EventKind.VEHICLE_STOPPED, 10.0, 120.0, unknown_signal_s=120.0),
        _rule(EventKind.MUDSLIDE, 5.0, 600.0, area_ratio=0.05),
        _rule(EventKind.LEAVING_ROAD, 1.0, 60.0),
        _rule(EventKind.JUNCTION_OVERFLOW, 8.0, 120.0, exit_gap_m=12.0),
    )
}  # fmt: skip
