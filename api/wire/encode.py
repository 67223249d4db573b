"""Facts → bodies. Pure; times are local to the task's zone, numbers are integers where the manual says so."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from actors.delivery.ports import EncodedItem, InterfaceConfig
from actors.ports import FactEnvelope
from api.wire.events import EVENT_PICTURES_AFTER, stated_body
from api.wire.parameters import crowd_body, parameter_item, people_body
from api.wire.times import wire_date, wire_time
from traffic.facts import CrowdAlarm, LaneParameters, PeopleParameters, TaskStatus, TaskStatusCode, VehiclePassage

STATUS_NAMES = {
    TaskStatusCode.NOT_STARTED: "未启动",
    TaskStatusCode.ANALYSING: "分析中",
    TaskStatusCode.RECONNECTING: "重连中",
    TaskStatusCode.DISCONNECTED: "已断开",
}
NOT_MEASURED = -1
DEFAULT_DATA_SOURCE = "通甲优博"
BUSINESS_EVENT, BUSINESS_SNAPSHOT, BUSINESS_PARAMETERS, BUSINESS_PEOPLE, BUSINESS_STATUS = 11, 21, 22, 41, 52
PERIODIC, TRIGGER = 1, 2


def _scaled(value: float | None, factor: float) -> int:
    return NOT_MEASURED if value is None or not math.isfinite(value) else round(value * factor)


def snapshot_body(envelope: FactEnvelope, passage: VehiclePassage, data_source: str) -> dict[str, object]:
    """3.2, without pictures."""
    zone = envelope.task.time_zone
    return {
        "taskNum": envelope.task.task_num,
        "taskName": envelope.task.task_name,
        "snapshotPath": envelope.plate_picture,
        "vehicleTypePath": envelope.small_picture,
        "roadNum": passage.road_num,
        "roadName": passage.road_name,
        "trunDirNo": str(int(passage.turn)),
        "plateNum": envelope.looks.plate_num,
        "vehicleType": envelope.looks.vehicle_type,
        "vehicleColor": envelope.looks.vehicle_color,
        "vehicleSpeed": _scaled(passage.speed_kmh, 1),
        "snapshotTime": wire_time(passage.time_s, zone),
        "runningTime": _scaled(passage.running_time_s, 1000),
        "vehicleSpacing": _scaled(passage.spacing_m, 100),
        "timeDistance": _scaled(passage.time_headway_s, 1000),
        "vehicleDirection": int(passage.heading),
        "date": wire_date(passage.time_s, zone),
        "dataSource": data_source,
        "weather": envelope.weather,
    }


def batch_item(envelope: FactEnvelope, passage: VehiclePassage) -> dict[str, object]:
    """One element of 3.3, without pictures."""
    return {
        "taskNum": envelope.task.task_num,
        "taskName": envelope.task.task_name,
        "snapshotPath": envelope.plate_picture,
        "vehicleTypePath": envelope.small_picture,
        "roadNum": passage.road_num,
        "plateNum": envelope.looks.plate_num,
        "vehicleType": envelope.looks.vehicle_type,
        "vehicleColor": envelope.looks.vehicle_color,
        "vehicleSpeed": _scaled(passage.speed_kmh, 1),
        "plateColor": envelope.looks.plate_color,
        "snapshotTime": wire_time(passage.time_s, envelope.task.time_zone),
        "runningTime": _scaled(passage.running_time_s, 1000),
        "vehicleSpacing": _scaled(passage.spacing_m, 100),
        "timeDistance": _scaled(passage.time_headway_s, 1000),
        "vehicleDirection": int(passage.heading),
    }


def status_body(task_num: str, task_name: str, status: int) -> dict[str, object]:
    """3.6(2)."""
    name = STATUS_NAMES[TaskStatusCode(status)]
    return {"taskNum": task_num, "taskName": task_name, "taskStatus": status, "taskStatusName": name}


def with_pictures(body: dict[str, object], pictures: Iterable[str], after: str) -> dict[str, object]:
    """``body`` with empty picture fields at the place where the manual's table has them: behind the field ``after``."""
    placed: dict[str, object] = {}
    for name, value in body.items():
        placed[name] = value
        if name == after:
            placed |= dict.fromkeys(pictures, "")
    return placed


def encode_parameters(
    envelope: FactEnvelope, fact: LaneParameters | PeopleParameters | CrowdAlarm, interface: InterfaceConfig
) -> EncodedItem | None:
    """Bodies of business types 22 and 41 for an interface of the same period; a crowd alarm is a trigger of 41."""
    business, periodic = interface.business_type, interface.periodic
    if isinstance(fact, CrowdAlarm):
        if business != BUSINESS_PEOPLE or periodic:
            return None
        pictures = {"imgBase64": envelope.large_picture} if interface.upload_pictures and envelope.large_picture else {}
        return EncodedItem(body=crowd_body(envelope, fact), pictures=pictures)
    if not periodic or fact.period_s != interface.upload_period_s:
        return None
    if isinstance(fact, LaneParameters) and business == BUSINESS_PARAMETERS:
        return EncodedItem(body=parameter_item(envelope, fact))
    if isinstance(fact, PeopleParameters) and business == BUSINESS_PEOPLE:
        return EncodedItem(body=people_body(envelope, fact))
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class WireEncoder:
    """Implements ``actors.delivery.ports.BodyEncoder``. ``source_secrets``: srcAddress is sent with its password."""

    data_source: str = DEFAULT_DATA_SOURCE
    source_secrets: bool = False

    def encode(self, envelope: FactEnvelope, interface: InterfaceConfig) -> EncodedItem | None:
        """The body (or the element of a periodic body) of a fact for an interface; None when it does not want the fact."""
        fact = envelope.fact
        if interface.business_type == BUSINESS_EVENT:
            stated = stated_body(envelope, masked=not self.source_secrets)
            if stated is None:
                return None
            pictures = {"imgBase64": envelope.large_picture} if interface.upload_pictures else {}
            return EncodedItem(body=with_pictures(stated, pictures, after=EVENT_PICTURES_AFTER), pictures=pictures)
        if interface.business_type == BUSINESS_SNAPSHOT and isinstance(fact, VehiclePassage):
            # The plate's picture travels in imgBase64, the vehicle's in imgBase64Type.
            both = {"imgBase64": envelope.plate_picture, "imgBase64Type": envelope.small_picture}
            pictures = both if interface.upload_pictures else {}
            single = interface.trigger_condition == TRIGGER
            body = snapshot_body(envelope, fact, self.data_source) if single else batch_item(envelope, fact)
            return EncodedItem(body=with_pictures(body, pictures, after="vehicleTypePath"), pictures=pictures)
        if interface.business_type == BUSINESS_STATUS and isinstance(fact, TaskStatus):
            return EncodedItem(body=status_body(envelope.task.task_num, envelope.task.task_name, int(fact.status)), pictures={})
        if isinstance(fact, LaneParameters | PeopleParameters | CrowdAlarm):
            return encode_parameters(envelope, fact, interface)
        return None

    def record(self, envelope: FactEnvelope) -> dict[str, object] | None:
        """3.1 without pictures of a fact that is pushed as an event, for the history; None for all others."""
        return stated_body(envelope, masked=not self.source_secrets)

    def status(self, task_num: str, task_name: str, status: int) -> dict[str, object]:
        """3.6(2) for the periodic status of a task."""
        return status_body(task_num, task_name, status)
