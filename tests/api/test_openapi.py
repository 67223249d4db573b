"""The published description: every field in both languages, every way to sign in, every status."""

import re
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.errors import KINDS
from api.services import ApiServices

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
