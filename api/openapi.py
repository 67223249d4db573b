"""The published description: the routes' schemas with examples of every call, and the outgoing bodies as webhooks."""

from typing import Any

from fastapi import FastAPI

from api.examples import (
    ANSWERS,
    HEADERS,
    REQUESTS,
    body_example,
    error_examples,
    example_of,
    has_pictures,
    stream_example,
)
from api.wire import bodies

Document = dict[str, Any]
WEBHOOKS: tuple[tuple[str, Any, str], ...] = (
    ("event", bodies.EventBody, "3.1 事件告警 / event"),
    ("vehicle-snapshot", bodies.VehicleSnapshotBody, "3.2 单条车流量 / one vehicle"),
    ("vehicle-batch", list[bodies.VehicleBatchItem], "3.3 批量车流量 / vehicles of a period"),
    ("traffic-parameters", list[bodies.TrafficParameterItem], "3.4 综合交通参数 / traffic parameters"),
    ("people", bodies.PeopleBody, "3.5 人流量 / people"),
    ("crowd-alarm", bodies.CrowdAlarmBody, "3.6 人员聚集告警 / crowd alarm"),
    ("task-status", bodies.TaskStatusBody, "3.6 任务状态 / task status"),
)
_PATHS = {
    "/image/{path}": "2026_11/24/100/illegal_parking/large/100_illegal_parking_large_20261124080000120.jpg",
    "/video/{path}": "2026_11/24/100/illegal_parking/100_illegal_parking_20261124080000120.mp4",
}


def publish_webhooks(app: FastAPI) -> None:
    """Declare every outgoing body."""
    for name, model, summary in WEBHOOKS:
        _hook(app, name, model, summary)


def _hook(app: FastAPI, name: str, model: Any, summary: str) -> None:
    def receive(body: Any) -> None:
        """The receiver's side."""

    receive.__annotations__ = {"body": model, "return": None}
    app.webhooks.post(name, summary=summary)(receive)


def openapi(app: FastAPI) -> Document:
    """FastAPI's document without its own 422, which this API never answers, and with examples."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        for path in (*document["paths"].values(), *document["webhooks"].values()):
            for operation in path.values():
                operation.get("responses", {}).pop("422", None)
                for answer in operation.get("responses", {}).values():
                    if answer.get("description") == "Successful Response":
                        answer["description"] = "成功 / success"
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        for path, operations in document["paths"].items():
            for operation in operations.values():
                _exemplify(path, operation, document["components"]["schemas"])
        for name, model, _ in WEBHOOKS:
            _exemplify_webhook(document["webhooks"][name]["post"], model)
        app.openapi_schema = document
    return app.openapi_schema


def _exemplify(path: str, operation: Document, components: Document) -> None:
    """Examples of a call: what is sent, what comes back, what goes wrong."""
    for parameter in operation.get("parameters", []):
        if parameter["name"] == "path" and path in _PATHS:
            parameter["example"] = _PATHS[path]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None:
        if path in REQUESTS:
            content["examples"] = {
                name: {"summary": summary, "value": value} for name, (summary, value) in REQUESTS[path].items()
            }
        else:
            content["example"] = example_of(content["schema"], components)
    for status, answer in operation["responses"].items():
        for kind, body in answer.get("content", {}).items():
            if not status.startswith("2"):
                body["examples"] = error_examples(int(status))
            elif kind == "application/json":
                body["example"] = _answer(path, body.get("schema", {}), components)
            elif kind == "text/event-stream":
                body["example"] = stream_example(path, components)


def _answer(path: str, schema: Document, components: Document) -> Any:
    made = example_of(schema, components)
    if path in ANSWERS and isinstance(made, dict):
        made = {**made, "data": ANSWERS[path]}
    return made


def _exemplify_webhook(operation: Document, model: Any) -> None:
    operation["parameters"] = [
        {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}, "example": example}
        for name, text, example in HEADERS
    ]
    examples = {"body": {"summary": "不含图片 / without pictures", "value": body_example(model)}}
    if has_pictures(model):
        told = "uploadImgStatus 为 1 / uploadImgStatus is 1"
        examples["pictures"] = {"summary": told, "value": body_example(model, pictures=True)}
    operation["requestBody"]["content"]["application/json"]["examples"] = examples
    operation["responses"] = {
        "200": {"description": "已收到 / received"},
        "default": {"description": "未收到, 按 pushResponse 重试 / not received, tried again as pushResponse says"},
    }
