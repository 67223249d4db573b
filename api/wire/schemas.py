"""JSON Schemas of the outgoing bodies, written from the manual and our decisions, not derived from ``bodies``: a second
opinion that the reference receiver and the tests hold every push against."""

from typing import Any

Schema = dict[str, Any]
DATE_TIME = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]) ([01]\d|2[0-3]):[0-5]\d:[0-5]\d$"
DATE_MINUTE = r"^\d{4}/(0[1-9]|1[0-2])/(0[1-9]|[12]\d|3[01]) ([01]\d|2[0-3]):[0-5]\d$"
PICTURE = r"^(image/\d{4}_\d{2}/\d{2}/[^/]+/[a-z_]+/(large|small)/[^/]+\.jpg)?$"
CLIP = r"^(/video/\d{4}_\d{2}/\d{2}/[^/]+/[a-z_]+/[^/]+\.mp4)?$"
BASE64 = r"^[A-Za-z0-9+/]*={0,2}$"
_INT32 = 2**31 - 1


def _text(pattern: str | None = None) -> Schema:
    return {"type": "string"} | ({"pattern": pattern} if pattern else {})


def _integer(low: int, high: int = _INT32) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def _number(low: float = 0, high: float | None = None) -> Schema:
    return {"type": "number", "minimum": low} | ({} if high is None else {"maximum": high})


def _object(fields: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in fields if name not in optional]
    return {"type": "object", "properties": fields, "required": required, "additionalProperties": False}


def _array(items: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": items, "minItems": least}


_TASK = {"taskNum": _text(), "taskName": _text()}
_LOOKS = {"vehicleType": _integer(0, 28), "vehicleColor": {"type": "integer", "enum": [*range(1, 11), 255]}}
_LONG = 2**63 - 1
_MEASURES = {
    "vehicleSpeed": _integer(-1, 400),
    "snapshotTime": _text(DATE_TIME),
    "runningTime": _integer(-1, _LONG),
    "vehicleSpacing": _integer(-1, _LONG),
    "timeDistance": _integer(-1, _LONG),
    "vehicleDirection": _integer(0, 7),
}
_PICTURES = {
    "snapshotPath": _text(PICTURE),
    "vehicleTypePath": _text(PICTURE),
    "imgBase64": _text(BASE64),
    "imgBase64Type": _text(BASE64),
}
_OPTIONAL = ("imgBase64", "imgBase64Type")

EVENT = _object(
    _TASK
    | {
        "srcAddress": _text(),
        "recordLargePath": _text(PICTURE),
        "recordType": _integer(1001, 1018),
        "recordContent": _text(),
        "imgBase64": _text(BASE64),
        "recordTime": _text(DATE_TIME),
        "videoPath": _text(CLIP),
        **_LOOKS,
        "plate": _text(),
        "plateColor": _integer(0, 7),
        "weather": _integer(0, 4),
        "Pos": _text(),
    },
    _OPTIONAL,
)
SNAPSHOT = _object(
    _TASK
    | _PICTURES
    | {"roadNum": _integer(0), "roadName": _text(), "trunDirNo": _text(r"^[0-4]$"), "plateNum": _text()}
    | _LOOKS
    | _MEASURES
    | {"date": _text(DATE_MINUTE), "dataSource": _text(), "weather": _integer(0, 4)},
    _OPTIONAL,
)
BATCH = _array(
    _object(
        _TASK | _PICTURES | {"roadNum": _integer(0), "plateNum": _text(), "plateColor": _integer(0, 7)} | _LOOKS | _MEASURES,
        _OPTIONAL,
    ),
    1,
)
PARAMETERS = _array(
    _object(
        {"id": _integer(0, _LONG), "taskId": _integer(0, _LONG)}
        | _TASK
        | {
            "snapshotTime": _text(DATE_TIME),
            "spacingPercent": _number(0, 1),
            "timePercent": _number(0, 1),
            "queueLength": _integer(-1),
            "queueNum": _integer(0),
            "roadNum": _integer(0),
        }
    ),
    1,
)
_REGION = {"regionCode": _integer(0, _LONG)}
# People per m² and the area: both are -1 where the area is not known.
_DENSITY = {"area": {"anyOf": [_number(), {"const": -1}]}, "density": {"anyOf": [_number(), {"const": -1}]}}
PEOPLE = _object(
    {
        "peopleFlowToday": _array(
            _object(
                _TASK
                | _REGION
                | {
                    "peopleIn": _integer(0),
                    "peopleOut": _integer(0),
                    "uploadTime": _text(DATE_TIME),
                    "lastUploadTime": _text(DATE_TIME),
                }
            )
        ),
        "peopleDensityToday": _array(
            _object(_TASK | _REGION | {"gatherTime": _text(DATE_TIME), "peopleNum": _integer(0, _LONG), **_DENSITY})
        ),
    }
)
CROWD = _object(
    _TASK
    | {
        "regionCode": _integer(0),
        "peopleNum": _integer(0, _LONG),
        **_DENSITY,
        "srcAddress": _text(PICTURE),
        "alarmTime": _text(DATE_TIME),
        "imgBase64": {"type": ["string", "null"]},
    }
)
STATUS_PAIRS = ((0, "未启动"), (1, "分析中"), (2, "重连中"), (3, "已断开"))
STATUS = _object(_TASK | {"taskStatus": _integer(0, 3), "taskStatusName": _text()}) | {
    "oneOf": [{"properties": {"taskStatus": {"const": c}, "taskStatusName": {"const": n}}} for c, n in STATUS_PAIRS]
}

SCHEMAS: dict[str, Schema] = {
    "event": EVENT,
    "vehicle-snapshot": SNAPSHOT,
    "vehicle-batch": BATCH,
    "traffic-parameters": PARAMETERS,
    "people": PEOPLE,
    "crowd-alarm": CROWD,
    "task-status": STATUS,
}
BUSINESS = {
    "event": 11,
    "vehicle-snapshot": 21,
    "vehicle-batch": 21,
    "traffic-parameters": 22,
    "people": 41,
    "crowd-alarm": 41,
    "task-status": 52,
}
