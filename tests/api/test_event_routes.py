"""/api/event, /api/vehicle, /api/archive/sign: what operators and a console ask."""

import csv
import io
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest

from actors.delivery.bodies import dump
from actors.delivery.ports import HistoryItem
from api.accounts import add_user
from api.app import create_app
from api.links import LinkSigner
from api.outbox import SqlOutboxStore
from api.services import ApiServices
from api.wire.encode import WireEncoder
from tests.actors.delivery.support import facts
from tests.api.test_records import CLOSED, RAISED, UPGRADED, stated
from traffic.facts import EventPhase, VehicleLooks

PICTURE = "image/2026_11/24/1/x/large/1.jpg"


def keep(services: ApiServices, *envelopes) -> None:
    items = [HistoryItem(envelope=e, body=dump(body) if (body := WireEncoder().record(e)) else b"") for e in envelopes]
    SqlOutboxStore(services.database.url).accept([], [], [], items)


async def call(client: httpx.AsyncClient, path: str, status: int = 200, **body):
    answer = await client.post(f"/api/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


async def test_events_are_listed_queried_ended_and_marked(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    keep(services, RAISED, UPGRADED, stated(EventPhase.RAISED, "e2", at_s=100))
    page = await call(signed_in, "event/list")
    assert page["total"] == 2
    newest, first = page["rows"]
    assert (newest["state"], newest["recordTime"]) == ("open", "2018-01-01 12:10:58")
    assert (first["recordType"], first["firstType"], first["upgradeTime"]) == (1013, 1001, "2018-01-01 12:09:38")
    assert (first["recordContent"], first["videoPath"][:7]) == ("交通事故", "/video/")
    detail = await call(signed_in, "event/query", id=first["id"])
    assert detail["body"]["recordType"] == 1001
    assert detail["upgradedBody"]["recordType"] == 1013
    assert (detail["pictureThere"], detail["clipThere"]) == (False, False)
    services.archive.write(first["videoPath"].removeprefix("/"), b"a clip")
    assert (await call(signed_in, "event/query", id=first["id"]))["clipThere"]
    ended = await call(signed_in, "event/close", id=first["id"], note="已处理")
    assert (ended["state"], ended["closedBy"], ended["note"]) == ("closed", "admin", "已处理")
    again = await call(signed_in, "event/close", id=first["id"])
    assert (again["closeTime"], again["note"]) == (ended["closeTime"], "已处理")
    marked = await call(signed_in, "event/mark", id=first["id"], falseAlarm=True)
    assert (marked["falseAlarm"], marked["markedBy"], marked["note"]) == (True, "admin", "已处理")
    assert (await call(signed_in, "event/list", falseAlarm=True))["total"] == 1
    assert (await call(signed_in, "event/list", state="open"))["total"] == 1
    trail = await call(signed_in, "audit/list")
    assert {"event.close", "event.mark"} <= {entry["action"] for entry in (trail["rows"] if isinstance(trail, dict) else trail)}


async def test_the_newest_event_of_each_task_is_told_but_no_false_alarm(
    signed_in: httpx.AsyncClient, services: ApiServices
) -> None:
    keep(services, RAISED, stated(EventPhase.RAISED, "e2", at_s=100))
    assert await call(signed_in, "event/latest") == []  # their task is gone
    await call(signed_in, "task/add", taskNum="111", taskName="t", srcAddress="sim://approach")
    (newest,) = await call(signed_in, "event/latest")
    assert (newest["taskNum"], newest["recordTime"]) == ("111", "2018-01-01 12:10:58")
    await call(signed_in, "event/mark", id=newest["id"], falseAlarm=True)
    (newest,) = await call(signed_in, "event/latest")
    assert newest["recordTime"] == "2018-01-01 12:09:18"


async def test_filters_of_events_are_checked_and_applied(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    keep(services, RAISED, CLOSED)
    assert (await call(signed_in, "event/list", recordTypes=[1001], roadNums=[2], taskNum="111"))["total"] == 1
    assert (await call(signed_in, "event/list", startTime="2018-01-01 12:09:18", endTime="2018-01-01 12:09:19"))["total"] == 1
    assert (await call(signed_in, "event/list", endTime="2018-01-01 12:09:18"))["total"] == 0
    for wrong in (
        {"recordTypes": [999]}, {"recordTypes": []}, {"state": "ended"}, {"startTime": "yesterday"}, {"page": 0},
        {"startTime": "2018-01-02 00:00:00", "endTime": "2018-01-01 00:00:00"}, {"roadNums": ["1"]},
    ):  # fmt: skip
        await call(signed_in, "event/list", 400, **wrong)
    for path in ("event/query", "event/close", "event/mark", "vehicle/query"):
        await call(signed_in, path, 404, id=12345)
        await call(signed_in, path, 404, id=2**40)


async def test_readers_may_look_but_not_end_or_mark(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    keep(services, RAISED)
    add_user(services.database, "reader", "correct horse", services.passwords, "readonly")
    token = (await call(signed_in, "account/login", username="reader", password="correct horse"))["token"]
    signed_in.headers["token"] = token
    assert (await call(signed_in, "event/list"))["total"] == 1
    await call(signed_in, "event/close", 403, id=1)
    await call(signed_in, "event/mark", 403, id=1)


async def test_vehicles_are_listed_as_json_and_csv(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    passages = facts(120)
    passages[7] = replace(passages[7], looks=VehicleLooks(plate_num="=川A1", vehicle_type=1))
    keep(services, *passages)
    page = await call(signed_in, "vehicle/list", page=2, pageSize=50)
    assert (page["total"], len(page["rows"])) == (120, 50)
    one = await call(signed_in, "vehicle/query", id=page["rows"][0]["id"])
    assert one == page["rows"][0]
    assert one["vehicleSpeed"] == 91.6
    answer = await signed_in.post("/api/vehicle/list", json={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(lines) == 121
    assert lines[0][:3] == ["id", "taskNum", "snapshotTime"]
    assert "'=川A1" in lines[113], "no formula for a spreadsheet"
    assert (await call(signed_in, "vehicle/list", plate="川A", vehicleTypes=[1]))["total"] == 1


@pytest.fixture
async def guarded(services: ApiServices):
    """A client of an API whose archive is protected, not signed in."""
    services.archive.write(PICTURE, b"\xff\xd8jpeg")
    protected = replace(services, archive_protected=True)
    transport = httpx.ASGITransport(create_app(protected), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


async def test_a_protected_archive_opens_for_a_token_or_a_signed_link(guarded: httpx.AsyncClient) -> None:
    refused = await guarded.get(f"/{PICTURE}")
    assert (refused.status_code, refused.json()["code"]) == (401, 4010)
    token = (await call(guarded, "account/login", username="admin", password="correct horse"))["token"]
    for headers in ({"token": token}, {"authorization": f"Bearer {token}"}):
        assert (await guarded.get(f"/{PICTURE}", headers=headers)).status_code == 200
    assert (await guarded.get(f"/{PICTURE}", headers={"token": "x.y.z"})).status_code == 401
    guarded.headers["token"] = token
    (link,) = await call(guarded, "archive/sign", paths=[PICTURE], ttlSeconds=60)
    del guarded.headers["token"]
    assert link["path"] == PICTURE
    assert (await guarded.get(link["url"])).content == b"\xff\xd8jpeg"
    assert (await guarded.head(link["url"])).status_code == 200
    other = link["url"].replace("large/1.jpg", "large/2.jpg")
    later = link["url"].replace("expires=1", "expires=2")
    for wrong in (other, later, link["url"][:-1], f"/{PICTURE}?expires=²&signature=é"):
        assert (await guarded.get(wrong)).status_code == 401, wrong


async def test_an_open_archive_needs_nothing(client: httpx.AsyncClient, services: ApiServices) -> None:
    services.archive.write(PICTURE, b"\xff\xd8jpeg")
    assert (await client.get(f"/{PICTURE}")).status_code == 200
    assert (await client.get(f"/{PICTURE}", headers={"token": "expired"})).status_code == 200


def test_a_link_ends_and_belongs_to_its_server() -> None:
    signer = LinkSigner("secret")
    url = signer.sign(PICTURE, 60, now_s=1000.0)
    query = dict(part.split("=") for part in urlsplit(url).query.split("&"))
    assert signer.opens(PICTURE, query["expires"], query["signature"], now_s=1059.0)
    assert not signer.opens(PICTURE, query["expires"], query["signature"], now_s=1060.0)
    assert not LinkSigner("another").opens(PICTURE, query["expires"], query["signature"], now_s=1059.0)
    assert not signer.opens(PICTURE, "", "", now_s=0.0)
