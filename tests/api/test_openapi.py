"""The published description: every field in both languages, every way to sign in, every status."""

import re
from typing import Any

import httpx
import jsonschema
import pytest

from api.app import create_app
from api.errors import KINDS
from api.history import lane_buckets, people_buckets
from api.services import ApiServices
from api.tables import LaneHistory, PeopleHistory

BILINGUAL = re.compile(r"[\u4e00-\u9fff].* / .*[A-Za-z]", re.DOTALL)


@pytest.fixture
def document(services: ApiServices) -> dict[str, Any]:
    return create_app(services).openapi()


def _operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    kinds = ("paths", "webhooks")
    return [(f"{m} {path}", op) for kind in kinds for path, ops in document[kind].items() for m, op in ops.items()]


def _references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_references, node))
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"].rsplit("/", 1)[-1]} if isinstance(node.get("$ref"), str) else set()
    return own.union(*map(_references, node.values()))


def test_every_field_of_every_body_is_described_in_both_languages(document: dict[str, Any]) -> None:
    fields = {
        f"{name}.{field}": schema.get("description", "")
        for name, model in document["components"]["schemas"].items()
        for field, schema in model.get("properties", {}).items()
    }
    assert len(fields) > 150
    assert [field for field, text in fields.items() if not BILINGUAL.search(text)] == []


def test_every_parameter_summary_and_status_is_described_in_both_languages(document: dict[str, Any]) -> None:
    for place, operation in _operations(document):
        texts = [operation["summary"], *(parameter.get("description", "") for parameter in operation.get("parameters", []))]
        texts += [answer["description"] for answer in operation["responses"].values()]
        assert all(BILINGUAL.search(text) for text in texts), (place, texts)


def test_bodies_are_models_not_anonymous_objects(document: dict[str, Any]) -> None:
    for place, operation in _operations(document):
        body = operation.get("requestBody", {}).get("content", {})
        assert not body or _references(body), place
        if place.startswith("post /api"):
            assert _references(operation["responses"]["200"]) or place.endswith(("/snapshot", "/live", "/stream")), place


def test_the_token_is_a_security_scheme_wherever_it_is_needed(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["token"] == {
        "type": "apiKey", "in": "header", "name": "token", "description": "登录接口返回的 token / token of the login answer",
    }  # fmt: skip
    free = {"/api/account/login", "/api/health", "/api/scene/schema", "/image/{path}", "/video/{path}"}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation.get("security", []) == ([] if path in free else [{"token": []}, {"bearer": []}]), path


async def test_what_needs_a_token_by_the_document_refuses_to_work_without(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    guarded = [path for path, ops in document["paths"].items() if ops.get("post", {}).get("security")]
    assert len(guarded) >= 20
    for path in guarded:
        assert (await client.post(path, json={})).status_code == 401, path


def test_every_kind_of_error_is_documented(document: dict[str, Any]) -> None:
    answers = document["paths"]["/api/task/add"]["post"]["responses"]
    assert all(str(kind.code) in answers[str(kind.status)]["description"] for kind in KINDS)
    assert "422" not in answers


def test_webhooks_are_all_bodies_of_the_manual(document: dict[str, Any]) -> None:
    names = {"event", "vehicle-snapshot", "vehicle-batch", "traffic-parameters", "people", "crowd-alarm", "task-status"}
    assert set(document["webhooks"]) == names


def test_every_call_and_every_webhook_shows_an_example(document: dict[str, Any]) -> None:
    for place, operation in _operations(document):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        assert body is None or body.get("example") or body.get("examples"), place
        for status, answer in operation["responses"].items():
            for kind, content in answer.get("content", {}).items():
                assert kind.startswith(("image/", "video/")) or content.get("example") or content.get("examples"), (place, status)
    hooks = document["webhooks"]
    assert all({"webhook-id", "webhook-signature"} <= {p["name"] for p in hook["post"]["parameters"]} for hook in hooks.values())


def test_examples_keep_to_the_schemas_they_are_shown_with(document: dict[str, Any]) -> None:
    checked = 0
    for place, operation in _operations(document):
        answers = [answer.get("content", {}) for answer in operation["responses"].values()]
        for content in [operation.get("requestBody", {}).get("content", {}), *answers]:
            shown = content.get("application/json", {})
            values = [item["value"] for item in shown.get("examples", {}).values()]
            for value in [*values, *([shown["example"]] if "example" in shown else [])]:
                schema = {**shown.get("schema", {}), "components": document["components"]}
                faults = [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(value)]
                assert faults == [], (place, value)
                checked += 1
    assert checked > 150


async def test_every_example_request_is_taken_by_the_server(
    signed_in: httpx.AsyncClient, document: dict[str, Any], services: ApiServices
) -> None:
    """Its record may not exist here (404), or the name may be taken; but nothing in it is wrong."""
    for path, operations in document["paths"].items():
        shown = operations.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
        if shown is None or path in ("/api/account/login", "/api/account/password"):  # the example is not this account's password
            continue
        values = [item["value"] for item in shown.get("examples", {}).values()] or [shown["example"]]
        for value in values:
            answer = await signed_in.post(path, json=value)
            assert answer.status_code in (200, 404, 409), (path, value, answer.text)


async def test_examples_of_history_have_the_fields_of_its_answers(document: dict[str, Any]) -> None:
    lane = LaneHistory(task_num="1", close_s=60, road_num=1, observed_s=60.0, vehicles=0, counts="{}",
                       time_occupancy_ratio=0.0, space_occupancy_ratio=0.0)  # fmt: skip
    person = PeopleHistory(task_num="1", close_s=60, code=1, is_line=False, observed_s=60.0, people_in=0, people_out=0)
    for path, (row,) in (("/api/traffic/query", lane_buckets([lane], 60)), ("/api/people/query", people_buckets([person], 60))):
        content = document["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]
        (shown,) = content["example"]["data"]
        assert set(shown) == {"startTime", "endTime", *row} - {"open_s", "close_s"}, path


async def test_both_reference_pages_load_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    for page, script in (("/docs", "/docs/assets/swagger-ui-bundle.js"), ("/redoc", "/redoc/redoc.js")):
        answer = await client.get(page)
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert script in answer.text
        assert re.findall(r'(?:src|href)="(?:https?:)?//', answer.text) == []
        assert "cdn.redoc.ly" not in (await client.get(script)).text
