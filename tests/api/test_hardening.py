"""Addresses the API refuses, what read-only accounts do not see, CORS, bodies made to hurt, secrets in what is logged."""

import contextlib
import logging
import socket
from dataclasses import replace
from typing import Any

import httpx
import pytest

from actors.delivery.ports import InterfaceConfig
from actors.outbound import OutboundPolicy
from actors.ports import TaskRef
from api.accounts import add_user
from api.app import create_app
from api.services import ApiServices
from api.wire.encode import WireEncoder
from cluster.settings import Settings
from tests.actors.delivery.test_policy import RECEIVER
from tests.api.serving import served
from tests.api.test_wire import envelope
from traffic.facts import CrowdAlarm

INTERFACE = {
    "name": "r", "businessType": 21, "triggerCondition": 2, "url": "http://192.168.0.115:8080/x", "companyName": "c",
    "companyId": "1", "appId": "a",
}  # fmt: skip


@pytest.fixture
def services(services: ApiServices) -> ApiServices:
    return replace(services, outbound=OutboundPolicy(), cors_origins=("https://ops.example",))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/push", "http://localhost/x", "https://[::1]/x", "http://2130706433/", "http://0x7f.1/",
        "http://169.254.169.254/latest/meta-data", "http://metadata.google.internal/", "http://user:pw@127.0.0.1/",
        "http://[::ffff:127.0.0.1]/", "http://127.0.0.1./", "http://0/", "http://100.100.100.200/",
    ],
)  # fmt: skip
async def test_a_receiver_at_a_forbidden_address_is_a_400_that_says_how_to_allow_it(
    signed_in: httpx.AsyncClient, url: str
) -> None:
    answer = await signed_in.post("/api/interface/add", json=INTERFACE | {"url": url})
    assert answer.status_code == 400, answer.text
    assert answer.json()["data"][0]["field"] == "url"
    assert "outbound_allow" in answer.json()["resultMsg"]
    made = (await signed_in.post("/api/interface/add", json=INTERFACE)).json()["data"]
    edited = await signed_in.post("/api/interface/edit", json=INTERFACE | {"id": made["id"], "url": url})
    assert edited.status_code == 400


@pytest.mark.parametrize(
    "url", ["http://good.example\\@127.0.0.1/", "http://a b/", "http:///x", "ftp://h/x", "http://h:0/", "//h/x"]
)
async def test_addresses_that_parsers_read_differently_are_a_400(signed_in: httpx.AsyncClient, url: str) -> None:
    answer = await signed_in.post("/api/interface/add", json=INTERFACE | {"url": url})
    assert (answer.status_code, answer.json()["code"]) == (400, 4000)


@pytest.mark.parametrize("address", ["rtsp://127.0.0.1/cam", "http://localhost/mjpg", "rtsp://admin:geheim@169.254.1.1/x"])
async def test_a_camera_at_a_forbidden_address_is_a_400_without_its_password(signed_in: httpx.AsyncClient, address: str) -> None:
    answer = await signed_in.post("/api/task/add", json={"taskNum": "1", "taskName": "t", "srcAddress": address})
    assert answer.status_code == 400
    assert answer.json()["data"][0]["field"] == "srcAddress"
    assert "geheim" not in answer.text


async def test_read_only_accounts_see_no_secrets_of_receivers(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    url = "http://user:geheim@192.168.0.115/x?token=geheim&a=1"
    made = (await signed_in.post("/api/interface/add", json=INTERFACE | {"url": url})).json()["data"]
    add_user(services.database, "looker", "correct horse", services.passwords, "readonly")
    token = (await signed_in.post("/api/account/login", json={"username": "looker", "password": "correct horse"})).json()
    looking = {"token": token["data"]["token"]}
    for path, body in (("interface/query", {"id": made["id"]}), ("interface/list", {})):
        shown = await signed_in.post(f"/api/{path}", json=body, headers=looking)
        assert shown.status_code == 200
        assert "geheim" not in shown.text
    assert (await signed_in.post("/api/interface/query", json={"id": made["id"]})).json()["data"]["url"] == url


async def test_only_listed_origins_may_use_the_api_from_a_browser(client: httpx.AsyncClient, services: ApiServices) -> None:
    asked = {"origin": "https://ops.example", "access-control-request-method": "POST", "access-control-request-headers": "token"}
    granted = await client.options("/api/task/list", headers=asked)
    assert granted.headers["access-control-allow-origin"] == "https://ops.example"
    refused = await client.options("/api/task/list", headers=asked | {"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in refused.headers
    transport = httpx.ASGITransport(create_app(replace(services, cors_origins=())))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as closed:
        answer = await closed.post("/api/health", headers=asked)
        assert not [name for name in answer.headers if name.startswith("access-control")]


BOMBS: dict[str, tuple[bytes, int]] = {
    "deep": (b'{"a":' * 200 + b"1" + b"}" * 200, 400),
    "very deep": (b"[" * 9000 + b"]" * 9000, 400),
    "twice": (b'{"username": "a", "username": "admin", "password": "x"}', 400),
    "twice inside": (b'{"a": [{"b": 1, "b": 2}]}', 400),
    "long number": (b'{"id": ' + b"9" * 15_000 + b"}", 400),
    "huge exponent": (b'{"id": 1e999999}', 400),
    "wide": (b"[" + b"{}," * 6_000 + b"{}]", 400),
    "compressed": (b"\x1f\x8b\x08" + b"\0" * 100, 400),
    "too large": (b'{"a": "' + b"x" * 30_000 + b'"}', 413),
    "half a character": (b'{"username": "\\ud800", "password": "x"}', 400),
    "no UTF-8": (b'{"username": "\xff", "password": "x"}', 400),
    "empty": (b"", 400),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_bodies_made_to_hurt_are_refused(client: httpx.AsyncClient, signed_in: httpx.AsyncClient, name: str) -> None:
    body, status = BOMBS[name]
    for path in ("/api/account/login", "/api/task/add"):
        answer = await signed_in.post(path, content=body)
        assert (answer.status_code, answer.json()["code"] != 0) == (status, True), (path, answer.text[:200])


async def test_without_a_token_bodies_are_small(client: httpx.AsyncClient, services: ApiServices) -> None:
    transport = httpx.ASGITransport(create_app(replace(services, max_body_bytes=4_000_000)))
    body = b'{"a": "' + b"x" * 100_000 + b'"}'
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as big:
        assert (await big.post("/api/task/add", content=body)).status_code == 413
        assert (await big.post("/api/task/add", content=body, headers={"token": "x"})).status_code == 401


async def test_no_line_can_be_smuggled_into_the_log(
    signed_in: httpx.AsyncClient, services: ApiServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.control.task_health = None  # a fault of ours, so that the path is logged
    task = {"taskNum": "1", "taskName": "t\nERROR forged", "srcAddress": "sim://approach"}
    with caplog.at_level(logging.DEBUG):
        assert (await signed_in.post("/api/task/add", json=task)).status_code == 400
        await signed_in.post("/api/task/list%0AERROR%20forged", json={})
        await signed_in.post("/api/account/login", json={"username": "x\u2028ERROR forged", "password": "x"})
        await signed_in.post("/api/task/list", json={})
    assert not [line for record in caplog.records for line in record.getMessage().splitlines()[1:]]


@pytest.mark.parametrize(
    "path",
    [
        "/image/../../etc/passwd", "/image/..%2f..%2fetc/passwd", "/image/%2e%2e/%2e%2e/test.sqlite3.jpg", "/video/..\\..\\x.mp4",
        "/image//etc/passwd.jpg", "/image/%00.jpg", "/image/a/../../../test.jpg", "/docs/assets/../../app.py",
    ],
)  # fmt: skip
async def test_no_path_leaves_the_archive(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(httpx.URL(f"http://test{path}"))
    assert answer.status_code == 404


def test_addresses_of_cameras_and_receivers_are_in_no_repr() -> None:
    task = TaskRef(task_id=1, task_num="1", task_name="t", src_address="rtsp://a:geheim@h/x", time_zone="UTC")
    interface: InterfaceConfig = replace(RECEIVER, url="http://a:geheim@h/x", secrets=(("whsec_geheim", 0.0),))
    settings = Settings(secret_key="geheim", admin_password="geheim", database_url="postgresql://a:geheim@h/x")
    assert "geheim" not in repr((task, interface, settings))


@pytest.mark.parametrize(
    ("secrets", "sent"), [(False, "rtsp://admin:***@192.168.1.96/h264"), (True, "rtsp://admin:12345@192.168.1.96/h264")]
)
def test_the_source_address_is_pushed_masked_unless_the_setting_says_so(secrets: bool, sent: str) -> None:
    alarm = CrowdAlarm(
        time_s=1_514_779_758.0, region_code=1, region_name="", people_num=9, area_m2=None, density_per_m2=None, box=(0, 0, 9, 9),
        since_s=1_514_779_700.0, origin_s=1_514_779_700.0, repeat=0,
    )  # fmt: skip
    whole = envelope(alarm)
    whole = replace(whole, task=replace(whole.task, src_address="rtsp://admin:12345@192.168.1.96/h264"))
    item: Any = WireEncoder(source_secrets=secrets).encode(whole, replace(RECEIVER, business_type=11))
    assert item.body["srcAddress"] == sent


def test_lists_in_settings_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYSIDE_OUTBOUND_ALLOW", "127.0.0.1, cam.local")
    settings = Settings(cors_origins="https://a.example")
    assert (settings.outbound_allow, settings.cors_origins) == (("127.0.0.1", "cam.local"), ("https://a.example",))
    settings.outbound.check_host("127.0.0.1")
    assert Settings(**settings.model_dump(mode="json")).outbound == settings.outbound
    with pytest.raises(ValueError, match="needed together"):
        Settings(tls_certificate="cert.pem")


def test_clients_that_never_finish_their_request_hold_up_nobody_else(services: ApiServices) -> None:
    with served(services) as url, contextlib.ExitStack() as stack:
        host, port = url.removeprefix("http://").split(":")
        for _ in range(200):
            slow = stack.enter_context(socket.create_connection((host, int(port))))
            slow.sendall(b"POST /api/account/login HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n")
        answer = httpx.post(f"{url}/api/account/login", json={"username": "x", "password": "y"}, timeout=20, trust_env=False)
    assert answer.status_code == 401
