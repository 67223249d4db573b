"""The console's own routes."""

import base64
import dataclasses
import json
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from actors.archive import ArchiveKeeper, ArchiveLimits
from api.accounts import add_user
from api.app import create_app
from api.pages import serve_console
from api.receiver import Receiver
from api.routes.console import example_body, metre_grid
from api.services import ApiServices
from api.wire.validate import kind_of, validate_body
from tests.api.serving import served
from tests.api.test_wire_parameters import interface
from traffic.scene.document import parse_scene

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
RECTANGLE = {"image": [[0.3, 0.9], [0.7, 0.9], [0.6, 0.5], [0.4, 0.5]], "widthM": 7.5, "lengthM": 30}
LANE = {
    "roadNum": 1,
    "polygon": [[0.3, 0.9], [0.7, 0.9], [0.6, 0.5], [0.4, 0.5]],
    "direction": [[0.5, 0.85], [0.5, 0.55]],
    "snapshotLine": [[0.36, 0.66], [0.64, 0.66]],
}


async def make_task(client: httpx.AsyncClient, address: str = "rtsp://admin:secret@10.0.0.1/live") -> int:
    answer = await client.post("/api/task/add", json={"taskNum": "7", "taskName": "t", "srcAddress": address})
    return answer.json()["data"]["id"]


async def test_the_account_behind_a_token_is_told(signed_in: httpx.AsyncClient) -> None:
    assert (await signed_in.post("/api/account/me", json={})).json()["data"] == {"id": 1, "username": "admin", "role": "admin"}


async def test_a_source_that_works_shows_its_first_picture(signed_in: httpx.AsyncClient) -> None:
    answer = await signed_in.post("/api/task/probe", json={"srcAddress": "sim://approach?seed=2&width=640&height=360"})
    data = answer.json()["data"]
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data.pop("picture")), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (360, 640, 3)
    assert (data["width"], data["height"], data["fps"]) == (640, 360, 25)


@pytest.mark.parametrize("address", ["/no/such/file.mp4", "sim://approach?lanes=99", "ftp://x/y"])
async def test_a_source_that_does_not_work_says_why(signed_in: httpx.AsyncClient, address: str) -> None:
    answer = await signed_in.post("/api/task/probe", json={"srcAddress": address})
    assert answer.status_code == 400
    (fault,) = answer.json()["data"]
    assert fault["field"] == "srcAddress"
    assert fault["message"]


async def test_a_masked_address_is_probed_with_the_password_of_its_task(
    signed_in: httpx.AsyncClient, services: ApiServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def look(address: str, options: object) -> object:
        asked.append(address)
        from actors.decoding import ProbeResult

        return ProbeResult(width=1, height=1, codec="h264", fps=25.0, live=True, jpeg=JPEG)

    monkeypatch.setattr(services.control, "probe", look)
    task_id = await make_task(signed_in)
    for address in ("rtsp://admin:***@10.0.0.1/live", "rtsp://admin:***@10.0.0.99/live"):
        await signed_in.post("/api/task/probe", json={"srcAddress": address, "id": task_id})
    # A password never follows to another host.
    assert asked == ["rtsp://admin:secret@10.0.0.1/live", "rtsp://admin:***@10.0.0.99/live"]


async def test_read_only_accounts_look_but_do_not_probe_or_push(client: httpx.AsyncClient, services: ApiServices) -> None:
    add_user(services.database, "guest", "only looking", services.passwords, "readonly")
    answer = await client.post("/api/account/login", json={"username": "guest", "password": "only looking"})
    client.headers["token"] = answer.json()["data"]["token"]
    assert (await client.post("/api/task/probe", json={"srcAddress": "sim://approach"})).status_code == 403
    assert (await client.post("/api/interface/test", json={"id": 1})).status_code == 403
    assert (await client.post("/api/scene/check", json={"scene": {"version": 1}})).status_code == 200
    assert (await client.post("/api/system/query", json={})).json()["data"]["machines"][0]["alive"]


async def test_the_snapshot_takes_a_width_and_refuses_nonsense(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    task_id = await make_task(signed_in)
    assert (await signed_in.post("/api/task/snapshot", json={"id": task_id})).status_code == 404
    services.control.picture = JPEG  # type: ignore[attr-defined]
    answer = await signed_in.post("/api/task/snapshot", json={"id": task_id, "maxWidth": 480, "drawn": False})
    assert (answer.status_code, answer.content) == (200, JPEG)
    assert (await signed_in.post("/api/task/snapshot", json={"id": task_id, "maxWidth": 10})).status_code == 400


async def test_a_live_view_streams_the_picture_with_what_was_found_in_it(services: ApiServices) -> None:
    services.control.picture = JPEG  # type: ignore[attr-defined]
    with served(services) as address:
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=20) as client:
            answer = await client.post("/api/account/login", json={"username": "admin", "password": "correct horse"})
            client.headers["token"] = answer.json()["data"]["token"]
            task_id = await make_task(client)
            async with client.stream("POST", "/api/task/live", json={"id": task_id}) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                line = await anext(line async for line in stream.aiter_lines() if line.startswith("data: "))
            message = json.loads(line.removeprefix("data: "))
            async with client.stream("POST", "/api/stream", json={}) as stream:
                line = await anext(line async for line in stream.aiter_lines() if line.startswith("data: "))
            state = json.loads(line.removeprefix("data: "))
            assert (await client.post("/api/task/live", json={"id": 99})).status_code == 404
    assert base64.b64decode(message["picture"]) == JPEG
    assert message["objects"] == [{"id": 5, "name": "car", "lane": 1, "box": [0.1, 0.2, 0.3, 0.4], "speed": 51.3, "moved": True}]
    assert message["laneCounts"] == {"1": 3}
    assert [task["taskNum"] for task in state["tasks"]] == ["7"]
    assert "scene" not in state["tasks"][0]
    assert "secret" not in line


async def test_a_scene_is_checked_as_it_is_drawn_and_its_grid_comes_even_while_lanes_are_wrong(
    signed_in: httpx.AsyncClient,
) -> None:
    good = {"version": 1, "lanes": [LANE], "calibration": {"rectangle": RECTANGLE}}
    data = (await signed_in.post("/api/scene/check", json={"scene": good})).json()["data"]
    assert (data["problems"], bool(data["grid"])) == ([], True)
    wrong = {**good, "lanes": [{**LANE, "snapshotLine": [[0.1, 0.1], [0.2, 0.1]]}]}
    data = (await signed_in.post("/api/scene/check", json={"scene": wrong})).json()["data"]
    assert data["problems"][0]["path"].startswith("lanes[0].snapshotLine")
    assert data["grid"]
    data = (await signed_in.post("/api/scene/check", json={"scene": {"version": 1}})).json()["data"]
    assert (data["problems"], data["grid"]) == ([], [])


def test_the_grid_lies_on_the_calibrated_rectangle() -> None:
    scene = parse_scene({"version": 1, "calibration": {"rectangle": {**RECTANGLE, "widthM": 8, "lengthM": 30}}})
    step, lines = metre_grid(scene)
    assert step in (1.0, 2.0, 5.0, 10.0)
    corners = np.array(RECTANGLE["image"])
    points = np.array([point for line in lines for point in line])
    near_corner = np.abs(points - corners[0]).sum(axis=1).min()
    assert near_corner < 0.02  # metre (0, 0) of the rectangle is a crossing of grid lines


@pytest.mark.parametrize(
    ("business", "trigger"), [(11, 2), (11, 1), (21, 2), (21, 1), (22, 1), (41, 1), (41, 2), (52, 2), (52, 1)]
)
def test_every_example_body_keeps_to_the_protocol(business: int, trigger: int) -> None:
    body = example_body(interface(business, periodic=trigger == 1))
    kind = kind_of(body)
    assert kind is not None
    assert validate_body(kind, body) == []


async def test_a_test_push_is_signed_sent_once_and_its_answer_told(signed_in: httpx.AsyncClient) -> None:
    with Receiver(status=503) as receiver:
        answer = await signed_in.post(
            "/api/interface/add",
            json={"name": "r", "businessType": 21, "triggerCondition": 2, "url": receiver.url, "companyName": "c",
                  "companyId": "1", "appId": "a"},
        )  # fmt: skip
        data = (await signed_in.post("/api/interface/test", json={"id": answer.json()["data"]["id"]})).json()["data"]
        assert (data["success"], data["status"]) == (False, 503)
        (push,) = receiver.pushes
        assert push.problems == []
        assert push.headers["webhook-id"].startswith("test-")
        assert push.headers["webhook-signature"].startswith("v1,")
    assert (await signed_in.post("/api/interface/test", json={"id": 99})).status_code == 404


async def test_files_of_the_console_are_compressed_and_kept_for_good_but_its_page_is_not(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-1a2b.js").write_text("const text = 'the console';\n" * 500)
    (tmp_path / "index.html").write_text("<!doctype html>")
    app = FastAPI()
    serve_console(app, tmp_path)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers={"accept-encoding": "gzip"}) as client:
        script = await client.get("/assets/index-1a2b.js")
        assert "immutable" in script.headers["cache-control"]
        assert script.headers["content-encoding"] == "gzip"
        assert script.text.startswith("const text")
        missing = await client.get("/assets/index-0000.js")
        assert (missing.status_code, missing.headers.get("cache-control")) == (404, None)
        assert (await client.get("/")).headers["cache-control"] == "no-cache"


async def test_the_system_page_tells_load_and_what_is_kept(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    data = (await signed_in.post("/api/system/query", json={})).json()["data"]
    assert data["storage"] is None
    assert data["load"]["cpus"] >= 1
    assert 0 < data["load"]["memoryFree"] <= data["load"]["memoryTotal"]
    services.archive.write("image/2026_11/25/7/plate/small/7_plate_small_20261125080000000.jpg", JPEG)
    keeper = ArchiveKeeper(services.archive, ArchiveLimits(max_age_s=30 * 86_400.0, max_bytes=2**30))  # type: ignore[arg-type]
    keeper.once()
    app = create_app(dataclasses.replace(services, archive_keeper=keeper))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=signed_in.headers) as client:
        kept = (await client.post("/api/system/query", json={})).json()["data"]["storage"]
    assert kept == {"files": 1, "bytes": len(JPEG), "mostBytes": 2**30, "days": 30.0, "complete": True}
