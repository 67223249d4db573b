"""Holds a body against the protocol."""

from functools import lru_cache

from jsonschema import Draft202012Validator

from api.wire.schemas import SCHEMAS

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


def kind_of(body: object) -> str | None:
    """Which body of the manual this is, by its shape; None when it is none of them."""
    probe = body[0] if isinstance(body, list) and body else body
    if not isinstance(probe, dict):
        return None
    return next((kind for mark, kind in _MARKS.items() if mark in probe), None)


def validate_body(kind: str, body: object) -> list[str]:
    """Every way in which ``body`` breaks the schema of ``kind`` (a key of SCHEMAS); empty when it is right."""
    faults = sorted(_validator(kind).iter_errors(body), key=lambda fault: list(map(str, fault.absolute_path)))
    return [f"{'/'.join(map(str, fault.absolute_path)) or '(body)'}: {fault.message[:300]}" for fault in faults]


@lru_cache(maxsize=16)
def _validator(kind: str) -> Draft202012Validator:
    schema = SCHEMAS[kind]
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
