"""The API to the letter: envelope, errors, tokens, interfaces, tasks, archive, OpenAPI."""

import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.accounts import set_password
from api.services import ApiServices

INTERFACE = {
    "method": 1, "contentType": 1, "url": "http://192.168.0.115:8080/event/receive", "uploadImgStatus": 1, "name": "test5",
    "businessType": 21, "triggerCondition": 1, "uploadPeriod": 10, "companyId": "123", "appId": "sdas23",
    "companyName": "top", "pushResponse": 1,
}  # fmt: skip
TASK = {"taskNum": "100", "taskName": "测试任务", "srcAddress": "rtsp://admin:12345@10.0.0.1/ch1"}


async def test_login_answers_the_manuals_fields(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/account/login", json={"username": "admin", "password": "correct horse"})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["code"], body["resultMsg"]) == (0, "操作成功")
    assert set(body["data"]) == {"id", "name", "pid", "token"}


async def test_wrong_password_and_unknown_user_get_the_same_answer(client: httpx.AsyncClient) -> None:
    wrong = await client.post("/api/account/login", json={"username": "admin", "password": "no"})
    unknown = await client.post("/api/account/login", json={"username": "nobody", "password": "no"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


async def test_guessing_is_throttled(client: httpx.AsyncClient) -> None:
    codes = [
        (await client.post("/api/account/login", json={"username": "admin", "password": "no"})).status_code for _ in range(6)
    ]
    assert codes == [401] * 5 + [429]


async def test_no_token_bad_token_and_bearer(signed_in: httpx.AsyncClient) -> None:
    token = signed_in.headers.pop("token")
    assert (await signed_in.post("/api/interface/list")).status_code == 401
    assert (await signed_in.post("/api/interface/list", headers={"token": "x.y.z"})).json()["code"] == 4010
    assert (await signed_in.post("/api/interface/list", headers={"Authorization": f"Bearer {token}"})).status_code == 200


async def test_a_changed_password_ends_tokens(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    set_password(services.database, "admin", "another one", services.passwords)
    assert (await signed_in.post("/api/task/list")).status_code == 401


async def test_interface_life_in_the_manuals_types(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    made = (await signed_in.post("/api/interface/add", json=INTERFACE | {"uploadImgStatus": True, "unknown": 1})).json()["data"]
    assert made["id"] == 1
    assert (made["uploadImgStatus"], made["pushResponse"]) == (1, 1)
    assert not isinstance(made["uploadImgStatus"], bool)
    edited = await signed_in.post("/api/interface/edit", json=INTERFACE | {"id": 1, "businessType": 22, "uploadPeriod": 5})
    assert edited.json()["data"]["uploadPeriod"] == 5
    assert (await signed_in.post("/api/interface/query", json={"id": 1})).json()["data"]["businessType"] == 22
    assert len((await signed_in.post("/api/interface/list", json={})).json()["data"]) == 1
    assert (await signed_in.post("/api/interface/delete", json={"id": 1})).status_code == 200
    assert (await signed_in.post("/api/interface/query", json={"id": 1})).status_code == 404
    assert services.control.interface_changes == 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"uploadPeriod": 0}, "uploadPeriod"),
        ({"uploadPeriod": 121}, "uploadPeriod"),
        ({"uploadPeriod": None}, "uploadPeriod"),
        ({"businessType": 22, "triggerCondition": 2}, "triggerCondition"),
        ({"businessType": 12}, "businessType"),
        ({"url": "ftp://x/y"}, "url"),
        ({"url": "http://"}, "url"),
        ({"name": ""}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"method": 2}, "method"),
        ({"uploadImgStatus": 2}, "uploadImgStatus"),
        ({"companyName": 5}, "companyName"),
    ],
)
async def test_a_bad_field_is_named_with_what_is_allowed(signed_in: httpx.AsyncClient, change: dict, field: str) -> None:
    answer = await signed_in.post("/api/interface/add", json=INTERFACE | change)
    assert answer.status_code == 400
    assert answer.json()["code"] == 4000
    assert field in answer.json()["resultMsg"]


@pytest.mark.parametrize("body", [b"{", b"[1", b"\xff\xfe", b"[" * 5000, b'{"id": 1e400}', b'{"id":"\\ud800"}'])
async def test_bad_json_is_a_400(signed_in: httpx.AsyncClient, body: bytes) -> None:
    assert (await signed_in.post("/api/interface/query", content=body)).status_code == 400


@pytest.mark.parametrize("scene", ['{"\\ud800": 1}', '{"notes": "\\udfff"}', '{"x": NaN}', '{"x": -Infinity}', '{"x": 1e999}'])
async def test_what_is_not_json_inside_a_scene_is_a_400(signed_in: httpx.AsyncClient, scene: str) -> None:
    body = json.dumps(TASK)[:-1] + f', "scene": {scene}}}'
    assert (await signed_in.post("/api/task/add", content=body)).json()["code"] == 4001


async def test_the_scene_schema_is_published(client: httpx.AsyncClient) -> None:
    assert "lanes" in (await client.get("/api/scene/schema")).json()["data"]["properties"]


async def test_the_pages_of_the_api_need_no_other_server(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    assert "http://" not in page
    assert "https://" not in page
    assert (await client.get("/docs/assets/swagger-ui-bundle.js")).status_code == 200


async def test_a_huge_body_is_a_413_declared_or_not(signed_in: httpx.AsyncClient) -> None:
    async def chunks():
        for _ in range(100):
            yield b"x" * 1000

    assert (await signed_in.post("/api/task/add", content=b"x" * 30_000)).status_code == 413
    assert (await signed_in.post("/api/task/add", content=chunks())).status_code == 413


@pytest.mark.parametrize("record", [0, -1, 2**31, 2**63, 2**70, "1", 1.5, True, None])
async def test_ids_out_of_range_are_never_a_500(signed_in: httpx.AsyncClient, record: object) -> None:
    assert (await signed_in.post("/api/task/query", json={"id": record})).status_code in (400, 404)


async def test_unknown_path_and_method_keep_the_envelope(signed_in: httpx.AsyncClient) -> None:
    missing, method = await signed_in.post("/api/nothing"), await signed_in.get("/api/task/list")
    assert (missing.status_code, missing.json()["code"]) == (404, 4041)
    assert (method.status_code, method.json()["code"]) == (405, 4050)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/api/task/add", "POST"), ("/api/health", "GET, POST"), ("/image/a.jpg", "GET, HEAD"), ("/video/a/b.mp4", "GET, HEAD")],
)
async def test_a_wrong_method_is_told_the_right_ones(client: httpx.AsyncClient, path: str, allowed: str) -> None:
    answer = await client.request("DELETE", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_task_life_masks_the_camera_password_and_keeps_it(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    from sqlmodel import select

    from api.tables import Task

    made = (await signed_in.post("/api/task/add", json=TASK)).json()["data"]
    assert "12345" not in made["srcAddress"]
    assert (made["status"], made["statusName"]) == (0, "未启动")
    edited = await signed_in.post("/api/task/edit", json=TASK | {"id": made["id"], "srcAddress": made["srcAddress"]})
    assert edited.status_code == 200
    with services.database.session() as session:
        assert session.exec(select(Task)).one().src_address == TASK["srcAddress"]
    assert (await signed_in.post("/api/task/add", json=TASK)).status_code == 409
    assert (await signed_in.post("/api/task/stop", json={"id": made["id"]})).json()["data"]["enabled"] is False
    assert services.control.task_changes == 3


async def test_a_bad_scene_is_told_with_its_place(signed_in: httpx.AsyncClient) -> None:
    scene = {"lanes": [{"roadNum": 1, "polygon": [[0, 0], [1, 1], [1, 0], [0, 1]], "direction": [[0.5, 1], [0.5, 0]]}]}
    answer = await signed_in.post("/api/task/add", json=TASK | {"scene": scene})
    assert answer.status_code == 400
    assert "lanes[0].polygon" in answer.json()["resultMsg"]


async def test_archive_serves_ranges_and_refuses_to_leave(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    services.archive.write("video/2026_01/02/1/x/1_x.mp4", bytes(range(100)))
    part = await signed_in.get("/video/2026_01/02/1/x/1_x.mp4", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/100"
    for path in ("/image/../../test.sqlite3", "/image/%2e%2e/%2e%2e/test.jpg", "/image/none.jpg", "/image//etc/passwd.jpg"):
        assert (await signed_in.get(path)).status_code == 404


async def test_health_says_what_is_wrong(client: httpx.AsyncClient, services: ApiServices) -> None:
    assert (await client.get("/api/health")).status_code == 200
    services.control.components["pusher-0"] = "not answering"
    answer = await client.get("/api/health")
    assert answer.status_code == 503
    assert answer.json()["data"]["components"]["pusher-0"] == "not answering"


async def test_openapi_publishes_routes_and_webhooks_without_422(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert "/api/interface/add" in document["paths"]
    assert {"event", "vehicle-snapshot", "vehicle-batch", "task-status"} <= set(document["webhooks"])
    assert not any("422" in op["responses"] for path in document["paths"].values() for op in path.values())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*INTERFACE, *TASK, "id", "scene"]), inner),
    max_leaves=15,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=JSON,
    path=st.sampled_from(["interface/add", "interface/edit", "interface/list", "task/add", "task/edit", "task/query"]),
)
async def test_no_body_makes_a_5xx(signed_in: httpx.AsyncClient, body: object, path: str) -> None:
    answer = await signed_in.post(f"/api/{path}", content=json.dumps(body))
    assert answer.status_code < 500
    assert set(answer.json()) == {"code", "resultMsg", "data"}
