"""Holds a body against the protocol."""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from api.wire.schemas import SCHEMAS

_FULL = "%Y-%m-%d %H:%M:%S"
_TIMES = dict.fromkeys(("snapshotTime", "recordTime", "uploadTime", "lastUploadTime", "gatherTime", "alarmTime"), _FULL) | {
    "date": "%Y/%m/%d %H:%M"
}
# A field that only this body has.
_MARKS = {
    "recordType": "event",
    "trunDirNo": "vehicle-snapshot",
    "timePercent": "traffic-parameters",
    "peopleFlowToday": "people",
    "alarmTime": "crowd-alarm",
    "taskStatus": "task-status",
    "vehicleDirection": "vehicle-batch",
}


# For JSON Schema 92.0 is an integer; for the receivers this protocol was written for it is not.
_TYPES = Draft202012Validator.TYPE_CHECKER.redefine(
    "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
)
_Strict = extend(Draft202012Validator, type_checker=_TYPES)


def kind_of(body: object) -> str | None:
    """Which body of the manual this is, by its shape; None when it is none of them."""
    probe = body[0] if isinstance(body, list) and body else body
    if not isinstance(probe, dict):
        return None
    return next((kind for mark, kind in _MARKS.items() if mark in probe), None)


def validate_body(kind: str, body: object) -> list[str]:
    """Every way in which ``body`` breaks the schema of ``kind`` (a key of SCHEMAS); empty when it is right."""
    faults = sorted(_validator(kind).iter_errors(body), key=lambda fault: list(map(str, fault.absolute_path)))
    told = [f"{'/'.join(map(str, fault.absolute_path)) or '(body)'}: {fault.message[:300]}" for fault in faults]
    return told + list(_bad_times(body)) + (list(_bad_position(body)) if kind == "event" else [])


def _bad_times(body: object, place: str = "") -> Iterator[str]:
    """Texts that look like a time but name no day of the calendar."""
    if isinstance(body, list):
        for index, item in enumerate(body):
            yield from _bad_times(item, f"{place}{index}/")
    elif isinstance(body, dict):
        for name, value in body.items():
            if name in _TIMES and isinstance(value, str):
                try:
                    datetime.strptime(value, _TIMES[name])
                except ValueError:
                    yield f"{place}{name}: not a time of the form {_TIMES[name]}: {value[:40]!r}"
            else:
                yield from _bad_times(value, f"{place}{name}/")


def _bad_position(body: object) -> Iterator[str]:
    """``Pos`` is a text that holds a JSON object of four integers."""
    text = body.get("Pos") if isinstance(body, dict) else None
    if not isinstance(text, str):
        return
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    names = ("height", "width", "x", "y")
    if not isinstance(held, dict) or set(held) != set(names) or any(type(held[name]) is not int for name in names):
        yield f"Pos: not the text of a JSON object with the integers {', '.join(names)}: {text[:80]!r}"


@lru_cache(maxsize=16)
def _validator(kind: str) -> Draft202012Validator:
    schema = SCHEMAS[kind]
    Draft202012Validator.check_schema(schema)
    return _Strict(schema)
