"""3.1 of traffic events and of crowd alarms (event 1008). Pure."""

import json

from actors.decoding.address import mask_address
from actors.ports import FactEnvelope
from api.wire.times import wire_time
from traffic.events.kinds import KIND_TEXTS
from traffic.facts import CrowdAlarm, EventKind, EventPhase, TrafficEvent
from traffic.types import Box

EVENT_PICTURES_AFTER = "recordContent"


def event_body(envelope: FactEnvelope, event: TrafficEvent, *, masked: bool = True) -> dict[str, object]:
    """3.1 of an event, without pictures. ``masked``: the source's address goes out without its password."""
    return _body(envelope, event.kind, KIND_TEXTS[event.kind], event.time_s, _inside(event.box, event.frame_size), masked)


def crowd_event_body(envelope: FactEnvelope, alarm: CrowdAlarm, *, masked: bool = True) -> dict[str, object]:
    """3.1 of a crowd alarm; the region's name follows the text."""
    where = f" {alarm.region_name}" if alarm.region_name else ""
    text = f"{KIND_TEXTS[EventKind.CROWD]}{where}"
    return _body(envelope, EventKind.CROWD, text, alarm.time_s, alarm.box, masked)


def stated_body(envelope: FactEnvelope, *, masked: bool = True) -> dict[str, object] | None:
    """3.1 of any fact that is pushed as an event; None for all others."""
    fact = envelope.fact
    if isinstance(fact, CrowdAlarm):
        return crowd_event_body(envelope, fact, masked=masked)
    if isinstance(fact, TrafficEvent) and fact.phase is not EventPhase.CLOSED:
        return event_body(envelope, fact, masked=masked)
    return None


def position(box: Box) -> str:
    """``Pos``: a text that holds JSON."""
    x1, y1, x2, y2 = (round(edge) for edge in box)
    return json.dumps({"height": y2 - y1, "width": x2 - x1, "x": x1, "y": y1}, separators=(",", ":"))


def _body(envelope: FactEnvelope, kind: EventKind, text: str, time_s: float, box: Box, masked: bool) -> dict[str, object]:
    task, looks = envelope.task, envelope.looks
    return {
        "taskNum": task.task_num,
        "taskName": task.task_name,
        "srcAddress": mask_address(task.src_address) if masked else task.src_address,
        "recordLargePath": envelope.large_picture,
        "recordType": int(kind),
        "recordContent": text,
        "recordTime": wire_time(time_s, task.time_zone),
        "videoPath": f"/{envelope.clip}" if envelope.clip else "",
        "vehicleType": looks.vehicle_type,
        "vehicleColor": looks.vehicle_color,
        "plate": looks.plate_num,
        "plateColor": looks.plate_color,
        "weather": envelope.weather,
        "Pos": position(box),
    }


def _inside(box: Box, size: tuple[int, int]) -> Box:
    """The part of a box that is in the picture: a vehicle that is leaving it has edges outside."""
    width, height = size
    x1, y1, x2, y2 = box
    return min(max(x1, 0), width), min(max(y1, 0), height), min(max(x2, 0), width), min(max(y2, 0), height)
