"""Examples for the published description: made from the examples of the fields, and by hand where a call wants its own.

``tests/api/test_openapi.py`` sends every example request and holds every example answer against its schema.
"""

import json
from typing import Any, get_args, get_origin

from api.errors import KINDS, ErrorKind
from api.wire import bodies

Document = dict[str, Any]
_DEEPEST = 12
_PICTURE = "/9j/4AAQSkZJRgABAQ…"

SCENE: Document = {
    "version": 1,
    "lanes": [
        {
            "roadNum": 1,
            "roadName": "直行",
            "turn": "straight",
            "polygon": [[0.3, 0.9], [0.7, 0.9], [0.6, 0.5], [0.4, 0.5]],
            "direction": [[0.5, 0.55], [0.5, 0.85]],
            "snapshotLine": [[0.36, 0.66], [0.64, 0.66]],
            "stopLine": [[0.31, 0.86], [0.69, 0.86]],
        }
    ],
    "calibration": {
        "rectangle": {"image": [[0.3, 0.9], [0.7, 0.9], [0.6, 0.5], [0.4, 0.5]], "widthM": 3.75, "lengthM": 30},
    },
    "events": {"vehicle_stopped": {"minDurationS": 15, "schedules": [{"days": ["mon", "tue"], "from": "22:00", "to": "06:00"}]}},
}
_TASK = {
    "taskNum": "100", "taskName": "东门路口", "srcAddress": "rtsp://admin:12345@192.168.1.96:554/h264/ch1/main/av_stream",
    "scene": SCENE,
}  # fmt: skip
_INTERFACE = {
    "name": "交警平台", "businessType": 21, "triggerCondition": 2, "contentType": 1, "method": 1,
    "url": "http://192.168.0.115:8080/vehicle/receive", "companyName": "示例公司", "companyId": "1001", "appId": "app-1",
    "uploadImgStatus": 0, "pushResponse": 1,
}  # fmt: skip
_HOUR = {"startTime": "2026-11-24 08:00:00", "endTime": "2026-11-24 09:00:00"}

REQUESTS: dict[str, dict[str, tuple[str, Document]]] = {
    "/api/task/add": {
        "short": ("最少字段, 车道由车流学习 / the least; lanes are learned", {
            "taskNum": "101", "taskName": "西门路口", "srcAddress": "rtsp://admin:12345@192.168.1.97:554/h264/ch1/main/av_stream",
        }),
        "scene": ("含场景 / with a scene", _TASK),
    },
    "/api/task/edit": {"edit": ("整条替换 / replaces the record", {"id": 2, **_TASK})},
    "/api/interface/add": {
        "trigger": ("抓拍触发 / at once", _INTERFACE),
        "period": (
            "周期触发 / periodic",
            {**_INTERFACE, "name": "交通参数", "businessType": 22, "triggerCondition": 1, "uploadPeriod": 60},
        ),
        "tasks": ("只推送部分任务 / some tasks only", {**_INTERFACE, "name": "东门", "taskNums": ["100", "101"]}),
    },
    "/api/interface/edit": {"edit": ("整条替换 / replaces the record", {"id": 2, **_INTERFACE})},
    "/api/delivery/list": {
        "failed": ("某接口一小时内失败的 / failed ones of an hour", {
            "interfaceId": 2, "states": ["given_up", "retrying"], **_HOUR,
        }),
        "page": ("分页 / a page", {"page": 1, "pageSize": 50}),
    },
    "/api/delivery/replay": {
        "ids": ("指定的推送 / some deliveries", {"ids": ["6f1c3f0e-52f3-5a39-9a0e-0c2a1d7f8b11"]}),
        "failed": ("某接口全部失败的 / all that failed of a receiver", {"interfaceId": 2, "failed": True}),
        "time": ("某时段的 / those of an hour", _HOUR),
    },
    "/api/event/list": {
        "filtered": ("某相机一小时内的事件 / events of an hour", {
            "taskNum": "100", "recordTypes": [1001, 1015], "falseAlarm": False, **_HOUR, "page": 1, "pageSize": 24,
        }),
        "false": ("误报, 供训练 / false alarms, as feedback", {"falseAlarm": True, "page": 1, "pageSize": 500}),
    },
    "/api/event/mark": {"false": ("标记误报 / mark as false", {"id": 2, "falseAlarm": True, "note": "路面积水反光"})},
    "/api/vehicle/list": {
        "plate": ("车牌片段 / a part of the plate", {"plate": "A88", **_HOUR, "page": 1, "pageSize": 50}),
        "csv": ("导出 CSV / CSV", {"taskNum": "100", "vehicleTypes": [12, 13], "vehicleColors": [3], "format": "csv", **_HOUR}),
    },
    "/api/traffic/query": {
        "minutes": ("每分钟一行 / a row each minute", {"taskNum": "100", **_HOUR, "bucket": 60}),
        "csv": ("按车道每 15 分钟, CSV / lanes, each 15 minutes, CSV", {
            "taskNum": "100", **_HOUR, "bucket": 900, "roadNums": [1, 2], "format": "csv",
        }),
    },
    "/api/people/query": {"minutes": ("每分钟一行 / a row each minute", {"taskNum": "100", **_HOUR, "bucket": 60})},
    "/api/scene/check": {"scene": ("场景文档 / a scene", {"scene": SCENE})},
}  # fmt: skip

_SPAN = {"startTime": "2026-11-24 08:00:00", "endTime": "2026-11-24 08:01:00"}
_LIVE = {
    "sequence": 1764000000120, "time": 1764000000.12, "width": 1920, "height": 1080, "picture": _PICTURE,
    "objects": [{"id": 5, "name": "car", "lane": 1, "box": [0.41, 0.62, 0.5, 0.74], "speed": 36.5, "moved": True}],
    "laneCounts": {"1": 128}, "events": [], "learnedLanes": [],
    "queues": [{
        "roadNum": 1, "number": 3, "lengthM": 21.4, "outline": [[0.31, 0.86], [0.36, 0.66], [0.64, 0.66], [0.69, 0.86]],
        "rear": [[0.36, 0.66], [0.64, 0.66]],
    }],
}  # fmt: skip
ANSWERS: dict[str, Any] = {  # the ``data`` of answers whose schema does not say it
    "/api/traffic/query": [
        {
            **_SPAN, "roadNum": 1, "observedS": 60.0, "vehicles": 12, "counts": {"car": 10, "bus": 1, "truck": 1},
            "flowRateVehH": 720.0, "timeOccupancyRatio": 0.21, "spaceOccupancyRatio": 0.11, "densityVehKm": 18.1,
            "timeMeanSpeedKmh": 41.2, "spaceMeanSpeedKmh": 39.8, "meanTimeHeadwayS": 4.8, "meanSpacingM": 52.0,
            "queueLengthM": 12.5, "queueNum": 2, "maxQueueLengthM": 27.5, "maxQueueNum": 4,
        }
    ],
    "/api/people/query": [
        {
            **_SPAN, "regionCode": 1, "kind": "region", "observedS": 60.0, "peopleIn": 0, "peopleOut": 0, "peopleMean": 3.5,
            "peopleMax": 6, "areaM2": 48.0, "densityPerM2": 0.0729,
        }
    ],
    "/api/scene/check": {
        "problems": [{
            "path": "lanes[0].snapshotLine", "chinese": "抓拍线须横穿车道", "english": "the snapshot line must cross the lane",
        }],
        "warnings": [], "grid": [[[0.4, 0.5], [0.3, 0.9]], [[0.6, 0.5], [0.7, 0.9]]], "gridStepM": 5.0,
    },
    "/api/scene/schema": {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Scene / 场景", "type": "object"},
}  # fmt: skip

HEADERS: tuple[tuple[str, str, str], ...] = (
    ("webhook-id", "推送 id, 重试与重放不变, 用于去重 / id of the delivery, the same in all attempts and replays",
     "6f1c3f0e-52f3-5a39-9a0e-0c2a1d7f8b11"),
    ("webhook-timestamp", "本次推送时间, Unix 秒 / time of the attempt, Unix seconds", "1764000000"),
    ("webhook-signature", "Standard Webhooks 签名, 有密钥时 / signature where there is a secret",
     "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
    ("wayside-attempt", "第几次尝试 / number of the attempt", "1"),
    ("companyName", "公司名称, 百分号编码的 UTF-8 / company, percent-encoded UTF-8", "%E7%A4%BA%E4%BE%8B"),
    ("companyId", "公司ID / id of the company", "1001"),
    ("appId", "应用 appID / id of the application", "app-1"),
)  # fmt: skip


def example_of(schema: Document, components: Document, depth: int = 0) -> Any:
    """A value of a JSON schema: published examples, else defaults, else the least that its type allows."""
    if "$ref" in schema:
        return example_of(components[schema["$ref"].rsplit("/", 1)[-1]], components, depth + 1)
    if schema.get("examples"):
        return schema["examples"][0]
    for variants in ("anyOf", "oneOf"):
        if variants in schema:
            return example_of(next(s for s in schema[variants] if s.get("type") != "null"), components, depth + 1)
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" and "properties" in schema and depth < _DEEPEST:
        return {name: example_of(item, components, depth + 1) for name, item in schema["properties"].items()}
    if kind == "array":
        return [example_of(schema["items"], components, depth + 1)] if depth < _DEEPEST and "items" in schema else []
    return {"object": {}, "string": "", "integer": 0, "number": 0.0, "boolean": False}.get(str(kind))


def body_example(model: Any, *, pictures: bool = False) -> Any:
    """The example of an outgoing body, or of an array of them; ``pictures``: as an interface with uploadImgStatus 1 gets it."""
    if get_origin(model) is list:
        return [body_example(get_args(model)[0], pictures=pictures)]
    made: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        if info.examples:
            made[name] = info.examples[0]
        elif info.is_required() and get_origin(info.annotation) is list:
            made[name] = [body_example(get_args(info.annotation)[0])]
        elif name.startswith("imgBase64") and pictures:
            made[name] = _PICTURE
        elif info.is_required() or model is bodies.CrowdAlarmBody:
            made[name] = None
    return made


def has_pictures(model: Any) -> bool:
    """Whether a body carries pictures when it is asked to."""
    inner = get_args(model)[0] if get_origin(model) is list else model
    return any(name.startswith("imgBase64") for name in inner.model_fields)


def error_examples(status: int) -> dict[str, Document]:
    """The answers of an HTTP status, by code."""
    return {
        str(kind.code): {"summary": f"{kind.chinese} / {kind.english}", "value": _error(kind)}
        for kind in KINDS
        if kind.status == status
    }


def stream_example(path: str, components: Document) -> str:
    """One message of a stream of server-sent events."""
    if path == "/api/task/live":
        told: Document = _LIVE
    else:
        task = example_of({"$ref": "TaskData"}, components)
        told = {"tasks": [{name: value for name, value in task.items() if name != "scene"}]}
    return f"data: {json.dumps(told, ensure_ascii=False)}\n\n"


def _error(kind: ErrorKind) -> Document:
    fault = {"field": "taskNum", "message": "缺失 / is missing"} if kind.code == 4000 else None
    return {"code": kind.code, "resultMsg": f"{kind.chinese} / {kind.english}", "data": [fault] if fault else None}
