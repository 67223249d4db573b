"""Reads and writes the ``events`` block of a scene document: per kind what differs from the default rule."""

import dataclasses
import re
from collections.abc import Mapping, Sequence

from traffic.facts import EventKind
from traffic.scene.reading import Reader, is_number
from traffic.scene.rules import DEFAULT_RULES, LIMITS, MAX_DURATION_S, EventRule, Schedule

KIND_NAMES = {kind.name.lower(): kind for kind in EventKind}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_SCHEDULES = 20
_TIME = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$|^24:00$")
_COMMON = ("enabled", "minConfidence", "minDurationS", "coolDownS", "schedules")


def camel(name: str) -> str:
    """``min_speed_kmh`` → ``minSpeedKmh``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def known_keys(kind: EventKind) -> set[str]:
    """What a kind's entry may hold."""
    return {*_COMMON, *(camel(name) for name, _ in DEFAULT_RULES[kind].thresholds)}


def read_rules(reader: Reader, value: object) -> tuple[EventRule, ...]:
    """The rules that the block changes, in order of their kinds."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        reader.fail("events", "须为对象, 键为事件类型", "must be an object whose keys are kinds of events")
        return ()
    rules = []
    for name, item in value.items():
        path = f"events.{name}"
        kind = KIND_NAMES.get(name) if isinstance(name, str) else None
        if kind is None:
            names = ", ".join(KIND_NAMES)
            reader.fail(path, f"未知事件类型; 须为 {names} 之一", f"no kind of event; must be one of {names}")
            continue
        data = reader.mapping(item, path)
        if data is not None:
            rules.append(_rule(reader, data, DEFAULT_RULES[kind], path))
    return tuple(sorted(rules, key=lambda rule: rule.kind))


def read_kinds(reader: Reader, data: Mapping[str, object], path: str) -> frozenset[EventKind]:
    """``disabledEvents`` of a lane or region."""
    value = data.get("disabledEvents")
    if value is None:
        return frozenset()
    if not isinstance(value, list | tuple) or any(not isinstance(v, str) or v not in KIND_NAMES for v in value):
        names = ", ".join(KIND_NAMES)
        reader.fail(f"{path}.disabledEvents", f"须为列表, 取值 {names}", f"must be a list of {names}")
        return frozenset()
    return frozenset(KIND_NAMES[str(name)] for name in value)


def rules_document(rules: Sequence[EventRule]) -> dict[str, object]:
    """The block of some rules; ``read_rules`` gives the same rules back."""
    return {rule.kind.name.lower(): _rule_document(rule) for rule in rules}


def kind_names(kinds: frozenset[EventKind]) -> list[str]:
    """Names of kinds for a document."""
    return [kind.name.lower() for kind in sorted(kinds)]


def _rule(reader: Reader, data: Mapping[str, object], default: EventRule, path: str) -> EventRule:
    enabled = data.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        reader.fail(f"{path}.enabled", "须为 true 或 false", "must be true or false")
        enabled = None
    confidence = reader.number(data, "minConfidence", path, 0, 1)
    duration = reader.number(data, "minDurationS", path, 0, MAX_DURATION_S)
    cool_down = reader.number(data, "coolDownS", path, 0, MAX_DURATION_S)
    thresholds = dict(default.thresholds)
    for name in thresholds:
        given = reader.number(data, camel(name), path, *LIMITS[name])
        if given is not None:
            thresholds[name] = given
    return dataclasses.replace(
        default,
        enabled=enabled if isinstance(enabled, bool) else None,
        min_confidence=default.min_confidence if confidence is None else confidence,
        min_duration_s=default.min_duration_s if duration is None else duration,
        cool_down_s=default.cool_down_s if cool_down is None else cool_down,
        schedules=_schedules(reader, data.get("schedules"), f"{path}.schedules"),
        thresholds=tuple(sorted(thresholds.items())),
    )


def _schedules(reader: Reader, value: object, path: str) -> tuple[Schedule, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or len(value) > MAX_SCHEDULES:
        reader.fail(path, f"须为最多 {MAX_SCHEDULES} 项的列表", f"must be a list of at most {MAX_SCHEDULES} entries")
        return ()
    found = []
    for index, item in enumerate(value):
        place = f"{path}[{index}]"
        data = reader.mapping(item, place)
        if data is None:
            continue
        days = _days(reader, data.get("days"), f"{place}.days")
        begin, end = (
            _minute(reader, data.get("from", "00:00"), f"{place}.from"),
            _minute(reader, data.get("to", "24:00"), f"{place}.to"),
        )
        if days is not None and begin is not None and end is not None:
            found.append(Schedule(days=days, begin_min=begin, end_min=end))
    return tuple(found)


def _days(reader: Reader, value: object, path: str) -> frozenset[int] | None:
    if value is None:
        return frozenset(range(1, 8))
    if not isinstance(value, list | tuple) or not value or any(v not in DAYS for v in value):
        names = ", ".join(DAYS)
        reader.fail(path, f"须为非空列表, 取值 {names}", f"must be a non-empty list of {names}")
        return None
    return frozenset(DAYS.index(str(day)) + 1 for day in value)


def _minute(reader: Reader, value: object, path: str) -> int | None:
    if not isinstance(value, str) or not _TIME.match(value):
        reader.fail(path, "须为时刻 HH:MM, 00:00 至 24:00", "must be a time HH:MM from 00:00 to 24:00")
        return None
    return int(value[:2]) * 60 + int(value[3:])


def _rule_document(rule: EventRule) -> dict[str, object]:
    document: dict[str, object] = {} if rule.enabled is None else {"enabled": rule.enabled}
    document |= {"minConfidence": rule.min_confidence, "minDurationS": rule.min_duration_s, "coolDownS": rule.cool_down_s}
    document |= {camel(name): value for name, value in rule.thresholds if is_number(value)}
    if rule.schedules:
        document["schedules"] = [
            {
                "days": [DAYS[day - 1] for day in sorted(schedule.days)],
                "from": f"{schedule.begin_min // 60:02d}:{schedule.begin_min % 60:02d}",
                "to": f"{schedule.end_min // 60:02d}:{schedule.end_min % 60:02d}",
            }
            for schedule in rule.schedules
        ]
    return document
