"""Bodies of traffic parameters (3.4), people (3.5) and crowd alarms (3.6). Pure."""

import hashlib
import math

from actors.ports import FactEnvelope, TaskRef
from api.wire.times import wire_time
from traffic.facts import CrowdAlarm, LaneParameters, PeopleDensity, PeopleFlow, PeopleParameters

NOT_MEASURED = -1
_INT32 = 2**31 - 1
_EXACT_BITS = 53  # integers up to here survive receivers that keep numbers as doubles
_DIGITS = 4


def record_id(task: TaskRef, parameters: LaneParameters) -> int:
    """``id`` of 3.4: the same for the same task, lane, period and time, so that a receiver can recognise a repetition."""
    key = f"{task.task_id}|{parameters.road_num}|{parameters.period_s}|{parameters.close_s}"
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") >> (64 - _EXACT_BITS)


def parameter_item(envelope: FactEnvelope, parameters: LaneParameters) -> dict[str, object]:
    """One element of 3.4. ``snapshotTime`` is the end of the period; the queue is of that moment."""
    length_m = parameters.queue_length_m
    return {
        "id": record_id(envelope.task, parameters),
        "taskId": envelope.task.task_id,
        "taskNum": envelope.task.task_num,
        "taskName": envelope.task.task_name,
        "snapshotTime": wire_time(parameters.close_s, envelope.task.time_zone),
        "spacingPercent": round(parameters.space_occupancy_ratio, _DIGITS),
        "timePercent": round(parameters.time_occupancy_ratio, _DIGITS),
        "queueLength": NOT_MEASURED if length_m is None else min(round(length_m * 100), _INT32),
        "queueNum": parameters.queue_num or 0,
        "roadNum": parameters.road_num,
    }


def people_body(envelope: FactEnvelope, people: PeopleParameters) -> dict[str, object]:
    """3.5 of one task."""
    return {
        "peopleFlowToday": [_flow(envelope.task, flow) for flow in people.flows],
        "peopleDensityToday": [_density(envelope.task, density) for density in people.densities],
    }


def _flow(task: TaskRef, flow: PeopleFlow) -> dict[str, object]:
    return {
        "taskNum": task.task_num,
        "taskName": task.task_name,
        "regionCode": flow.code,
        "peopleIn": flow.people_in,
        "peopleOut": flow.people_out,
        "uploadTime": wire_time(flow.close_s, task.time_zone),
        "lastUploadTime": wire_time(flow.open_s, task.time_zone),
    }


def _density(task: TaskRef, density: PeopleDensity) -> dict[str, object]:
    return {
        "taskNum": task.task_num,
        "taskName": task.task_name,
        "regionCode": density.region_code,
        "gatherTime": wire_time(density.close_s, task.time_zone),
        "peopleNum": math.floor(density.people_mean + 0.5),
        **_area(density.area_m2, density.density_per_m2),
    }


def _area(area_m2: float | None, density: float | None) -> dict[str, object]:
    if area_m2 is None or density is None:
        return {"area": float(NOT_MEASURED), "density": float(NOT_MEASURED)}
    return {"area": round(area_m2, 2), "density": round(density, _DIGITS)}


def crowd_body(envelope: FactEnvelope, alarm: CrowdAlarm) -> dict[str, object]:
    """3.6. The picture's key is always there, null when it is not asked for."""
    return {
        "taskNum": envelope.task.task_num,
        "taskName": envelope.task.task_name,
        "regionCode": alarm.region_code,
        "peopleNum": alarm.people_num,
        **_area(alarm.area_m2, alarm.density_per_m2),
        "srcAddress": envelope.large_picture,
        "alarmTime": wire_time(alarm.time_s, envelope.task.time_zone),
        "imgBase64": None,
    }
