"""Routes of deliveries and signing secrets, and what health says about delivery and the archive."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from actors.delivery.ports import ReceiverState
from actors.delivery.signing import secret_key
from actors.pusher import Pusher, PusherConfig
from api.accounts import add_user
from api.archive_watch import ArchiveWatch
from api.outbox import SqlOutboxStore
from api.services import ApiServices
from api.tables.accounts import AuditEntry
from cluster.actors import pusher_state
from cluster.build import pusher_config
from cluster.settings import Settings
from tests.actors.delivery.test_deliveries import outbox
from tests.api.test_api import INTERFACE

TIMES = {"startTime": "2023-11-15 06:13:21", "endTime": "2023-11-15 06:13:23"}  # NOW + 1 to NOW + 3 in Shanghai


@pytest.fixture
def ids(services: ApiServices) -> dict[str, str]:
    """Deliveries "ok", "gone", "retry" (interface 1) and "wait" (interface 2), accepted a second apart."""
    return outbox(services.database.url)


async def ask(client: httpx.AsyncClient, path: str, **body: Any) -> Any:
    answer = await client.post(f"/api/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def refused(client: httpx.AsyncClient, path: str, **body: Any) -> list[str]:
    answer = await client.post(f"/api/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, 4000), answer.text
    return [fault["field"] for fault in answer.json()["data"]]


def entries(services: ApiServices, action: str) -> list[AuditEntry]:
    with services.database.session() as session:
        return list(session.exec(select(AuditEntry).where(AuditEntry.action == action)).all())


async def listed(client: httpx.AsyncClient, ids: dict[str, str], **wanted: Any) -> list[str]:
    names = {value: key for key, value in ids.items()}
    page = await ask(client, "delivery/list", **wanted)
    assert page["total"] == len(page["rows"])
    return [names[row["id"]] for row in page["rows"]]


async def test_deliveries_are_listed_newest_first_and_filtered(signed_in: httpx.AsyncClient, ids: dict[str, str]) -> None:
    assert await listed(signed_in, ids, unknown=1) == ["wait", "retry", "gone", "ok"]
    assert await listed(signed_in, ids, interfaceId=None, taskNum=None, states=None, startTime=None) == [
        "wait",
        "retry",
        "gone",
        "ok",
    ]
    assert await listed(signed_in, ids, interfaceId=1) == ["retry", "gone", "ok"]
    assert await listed(signed_in, ids, taskNum="1", states=["delivered", "waiting"]) == ["wait", "ok"]
    assert await listed(signed_in, ids, **TIMES) == ["retry", "gone"]
    page = await ask(signed_in, "delivery/list", page=2, pageSize=3)
    assert (page["total"], [row["id"] for row in page["rows"]]) == (4, [ids["ok"]])
    assert (await signed_in.post("/api/delivery/list")).json()["data"]["total"] == 4


async def test_one_delivery_is_answered_with_body_and_attempts(signed_in: httpx.AsyncClient, ids: dict[str, str]) -> None:
    assert await ask(signed_in, "delivery/query", id=ids["gone"]) == {
        "id": ids["gone"], "interfaceId": 1, "taskNum": "1", "businessType": 21, "state": "given_up", "tries": 1, "size": 7,
        "createTime": "2023-11-15 06:13:21", "nextTime": "", "finishTime": "2023-11-15 06:13:29", "body": '{"a":1}',
        "attempts": [{"time": "2023-11-15 06:13:29", "status": 500, "latencyMs": 5.0, "excerpt": "答"}],
    }  # fmt: skip
    assert (await ask(signed_in, "delivery/query", id=ids["retry"]))["nextTime"] == "2023-11-15 06:29:59"
    assert (await signed_in.post("/api/delivery/query", json={"id": "none"})).json()["code"] == 4040


async def test_one_a_range_or_all_failed_are_sent_again(
    signed_in: httpx.AsyncClient, services: ApiServices, ids: dict[str, str]
) -> None:
    async def states() -> dict[str, str]:
        return {name: (await ask(signed_in, "delivery/query", id=key))["state"] for name, key in ids.items()}

    assert await ask(signed_in, "delivery/replay", failed=True, interfaceId=2) == {"replayed": 0}
    assert services.control.interface_changes == 0
    assert await ask(signed_in, "delivery/replay", failed=True) == {"replayed": 2}
    assert await states() == {"ok": "delivered", "gone": "retrying", "retry": "retrying", "wait": "waiting"}
    assert services.control.interface_changes == 1
    assert await ask(signed_in, "delivery/replay", ids=[ids["ok"], "none"]) == {"replayed": 1}
    assert (await states())["ok"] == "retrying"
    assert await ask(signed_in, "delivery/replay", **TIMES, taskNum="2") == {"replayed": 1}
    assert (await signed_in.post("/api/delivery/replay", json={"ids": ["none"]})).status_code == 404
    changes = [(entry.user_name, entry.target, json.loads(entry.detail)) for entry in entries(services, "delivery.replay")]
    assert [(name, of, change["replayed"]) for name, of, change in changes] == [
        ("admin", "", [None, 2]), ("admin", "", [None, 1]), ("admin", "", [None, 1])
    ]  # fmt: skip
    assert changes[0][2]["states"] == [None, ["given_up", "retrying"]]
    assert changes[2][2]["order_key"] == [None, "2"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ids"),
        ({"interfaceId": 1}, "ids"),
        ({"endTime": TIMES["endTime"]}, "ids"),
        ({"ids": []}, "ids"),
        ({"ids": ["x"] * 1001}, "ids"),
        ({"ids": [5]}, "ids.0"),
        ({"failed": 1}, "failed"),
        ({"failed": True, "states": ["waiting"]}, "states"),
        ({"failed": True, "interfaceId": "1"}, "interfaceId"),
        ({"failed": True, "taskNum": ""}, "taskNum"),
        ({"startTime": "yesterday"}, "startTime"),
        ({"startTime": TIMES["endTime"], "endTime": TIMES["startTime"]}, "endTime"),
    ],
)
async def test_a_replay_that_names_nothing_or_nonsense_is_refused_by_field(
    signed_in: httpx.AsyncClient, services: ApiServices, ids: dict[str, str], body: dict, field: str
) -> None:
    assert await refused(signed_in, "delivery/replay", **body) == [field]
    assert (await ask(signed_in, "delivery/query", id=ids["gone"]))["state"] == "given_up"
    assert services.control.interface_changes == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [({"states": ["lost"]}, "states.0"), ({"page": 0}, "page"), ({"startTime": "2023-02-30 00:00:00"}, "startTime")],
)
async def test_a_bad_filter_is_told_by_field(signed_in: httpx.AsyncClient, body: dict, field: str) -> None:
    assert await refused(signed_in, "delivery/list", **body) == [field]


@pytest.mark.parametrize("path", ["interface/rotateSecret", "interface/removeSecret", "delivery/list"])
async def test_numbers_beyond_the_column_are_no_5xx(signed_in: httpx.AsyncClient, path: str) -> None:
    number = {"id": 2**40, "interfaceId": 2**40}
    assert (await signed_in.post(f"/api/{path}", json=number)).status_code == 404


async def test_receivers_say_how_they_do(signed_in: httpx.AsyncClient, services: ApiServices, ids: dict[str, str]) -> None:
    store = SqlOutboxStore(services.database.url)
    state = ReceiverState(failing_since=1_700_000_000.0, failures=7, disabled_at=1_700_000_001.0, disabled_reason="410")
    store.save_receiver_state(1, state, True)
    first, second = await ask(signed_in, "delivery/receivers")
    assert (first["interfaceId"], first["waiting"], first["failures"]) == (1, 1, 7)
    assert (first["failingSince"], first["lastSuccess"]) == ("2023-11-15 06:13:20", "")
    assert (first["disabledTime"], first["disabledReason"]) == ("2023-11-15 06:13:21", "410")
    assert (second["interfaceId"], second["waiting"], second["waitingBytes"], second["failingSince"]) == (2, 1, 7, "")


async def test_roles_see_but_only_those_who_may_change_replay_and_rotate(
    client: httpx.AsyncClient, services: ApiServices, ids: dict[str, str]
) -> None:
    add_user(services.database, "guest", "battery staple", services.passwords, "readonly")
    client.headers["token"] = (await ask(client, "account/login", username="guest", password="battery staple"))["token"]
    assert (await ask(client, "delivery/list"))["total"] == 4
    assert len(await ask(client, "delivery/receivers")) == 2
    for path, body in (
        ("delivery/replay", {"failed": True}),
        ("interface/rotateSecret", {"id": 1}),
        ("interface/removeSecret", {"id": 1}),
    ):
        assert (await client.post(f"/api/{path}", json=body)).status_code == 403, path


async def test_a_new_interface_answers_its_secret_once(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    made = await ask(signed_in, "interface/add", **INTERFACE)
    assert len(secret_key(made["secret"])) == 32
    assert made["signed"] is True
    stored = SqlOutboxStore(services.database.url).interfaces()[0]
    assert stored.secrets == ((made["secret"], float("inf")),)
    edited = await ask(signed_in, "interface/edit", **INTERFACE, id=1)
    shown = [edited, await ask(signed_in, "interface/query", id=1), *(await ask(signed_in, "interface/list"))]
    assert all("secret" not in data and data["signed"] for data in shown)
    assert SqlOutboxStore(services.database.url).interfaces()[0].secrets == stored.secrets
    assert made["secret"] not in "".join(entry.detail for entry in entries(services, "interface.add"))


async def test_a_rotated_secret_signs_beside_the_old_one_until_it_is_removed(
    signed_in: httpx.AsyncClient, services: ApiServices
) -> None:
    old = (await ask(signed_in, "interface/add", **INTERFACE))["secret"]
    changes = services.control.interface_changes
    new = (await ask(signed_in, "interface/rotateSecret", id=1, overlapSeconds=60))["secret"]
    (first, _), (second, until) = SqlOutboxStore(services.database.url).interfaces()[0].secrets
    entry = entries(services, "interface.rotateSecret")[0]
    assert (first, second, entry.user_name, entry.target) == (new, old, "admin", "1 test5")
    assert until == pytest.approx(entry.at + 60, abs=5)
    assert new != old
    await ask(signed_in, "interface/removeSecret", id=1)
    assert SqlOutboxStore(services.database.url).interfaces()[0].secrets == ()
    assert (await ask(signed_in, "interface/query", id=1))["signed"] is False
    assert len(entries(services, "interface.removeSecret")) == 1
    assert services.control.interface_changes == changes + 2
    assert await refused(signed_in, "interface/rotateSecret", id=1, overlapSeconds=-1) == ["overlapSeconds"]


async def test_other_2xx_count_only_where_asked_for(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    def accepts() -> bool:
        return SqlOutboxStore(services.database.url).interfaces()[0].accept_2xx

    assert (await ask(signed_in, "interface/add", **INTERFACE))["acceptOther2xx"] == 0
    assert accepts() is False
    assert (await ask(signed_in, "interface/edit", **INTERFACE, id=1, acceptOther2xx=True))["acceptOther2xx"] == 1
    assert accepts() is True
    assert (await ask(signed_in, "interface/query", id=1))["acceptOther2xx"] == 1
    assert await refused(signed_in, "interface/edit", **INTERFACE, id=1, acceptOther2xx=2) == ["acceptOther2xx"]


KEYS = ["id", "ids", "failed", "states", "interfaceId", "taskNum", "startTime", "endTime", "page", "pageSize", "overlapSeconds"]
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(list(TIMES.values()))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.dictionaries(st.sampled_from(KEYS), VALUES | st.lists(VALUES, max_size=3)),
    path=st.sampled_from(
        ["delivery/list", "delivery/query", "delivery/replay", "interface/rotateSecret", "interface/removeSecret"]
    ),
)
async def test_no_body_makes_a_5xx(signed_in: httpx.AsyncClient, body: dict, path: str) -> None:
    answer = await signed_in.post(f"/api/{path}", content=json.dumps(body))
    assert answer.status_code < 500
    assert set(answer.json()) == {"code", "resultMsg", "data"}


# -- health -----------------------------------------------------------------------------------------------------------


async def test_notices_are_shown_and_leave_the_status_ok(client: httpx.AsyncClient, services: ApiServices) -> None:
    services.control.told.append("接口 1: 发件箱超限 / outbox over its bounds")
    answer = await client.get("/api/health")
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "ok")
    assert answer.json()["data"]["notices"] == services.control.told
    assert answer.json()["data"]["components"]["archive"] == "ok"


async def test_an_archive_that_cannot_be_written_degrades(client: httpx.AsyncClient, services: ApiServices) -> None:
    services.archive.root.write_text("a file where the folder should be")
    answer = await client.get("/api/health")
    assert answer.status_code == 503
    assert "archive cannot be written" in answer.json()["data"]["components"]["archive"]


class HangingArchive:
    """Its check returns when it is let go."""

    def __init__(self) -> None:
        self.let_go, self.checks = threading.Event(), 0

    def check(self) -> str:
        self.checks += 1
        self.let_go.wait(60)
        return ""


@pytest.fixture
def hanging() -> Iterator[HangingArchive]:
    archive = HangingArchive()
    yield archive
    archive.let_go.set()


def test_a_hanging_archive_is_told_and_asked_only_once(hanging: HangingArchive) -> None:
    watch = ArchiveWatch(hanging, timeout_s=0.01)
    assert ["does not answer" in watch.state() for _ in range(3)] == [True] * 3
    assert hanging.checks == 1
    hanging.let_go.set()
    while (state := watch.state()) != "ok":  # bounded by the test's own time limit
        assert "does not answer" in state
    assert hanging.checks == 1


def test_an_old_answer_is_asked_for_again_and_an_archive_without_check_is_well(hanging: HangingArchive) -> None:
    hanging.let_go.set()
    watch = ArchiveWatch(hanging, fresh_s=0.0)
    assert [watch.state(), watch.state(), hanging.checks] == ["ok", "ok", 2]
    assert ArchiveWatch(object()).state() == "ok"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_check_that_fails_is_told_and_tried_again(hanging: HangingArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = ArchiveWatch(hanging, fresh_s=0.0)
    monkeypatch.delattr(hanging, "let_go")
    assert "check failed" in watch.state()
    monkeypatch.undo()
    hanging.let_go.set()
    assert (watch.state(), hanging.checks) == ("ok", 2)


def test_a_pushers_state_is_one_line() -> None:
    well = Pusher(0, 1, None, None, None).health()
    assert pusher_state(well) == "ok"
    assert pusher_state(None) == "not answering"
    assert pusher_state(well | {"notices": ["接口 1"]}) == "ok"
    wrong = pusher_state(well | {"storeError": "locked", "failure": "KeyError: 'x'"})
    assert wrong == "outbox: locked; loop failed: KeyError: 'x'"


def test_settings_decide_how_pushers_deliver() -> None:
    config = pusher_config(
        Settings(delivery_max_age_h=10, delivery_disable_after_days=2, outbox_max_waiting=5, delivery_timeout_s=3)
    )
    assert (config.policy.max_age_s, config.bounds.max_age_s, config.bounds.max_waiting, config.timeout_s) == (
        36_000,
        39_600,
        5,
        3,
    )
    assert (config.health.disable_after_s, config.health.notice_after_s) == (172_800, pytest.approx(138_240))


def test_default_settings_change_nothing() -> None:
    assert pusher_config(Settings()) == PusherConfig()
