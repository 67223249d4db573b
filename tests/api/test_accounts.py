"""Signing in and out, roles, administration, and the log of changes."""

import asyncio
import json
import statistics
import threading
import time
from typing import Any

import httpx
import jwt
import pytest
from sqlmodel import select

from api.accounts import AccountError, add_user, ensure_admin, list_users
from api.audit import KEPT_ENTRIES, Actor, note
from api.security import LoginThrottle, Passwords, Tokens
from api.services import ApiServices
from api.tables.accounts import AuditEntry
from tests.api.test_api import INTERFACE, TASK

ADMIN = {"username": "admin", "password": "correct horse"}


async def _token(client: httpx.AsyncClient, name: str = "admin", password: str = "correct horse") -> str:
    answer = await client.post("/api/account/login", json={"username": name, "password": password})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["token"])


async def _status(client: httpx.AsyncClient, path: str, token: str, body: Any = None) -> int:
    return (await client.post(path, json=body or {}, headers={"token": token})).status_code


async def test_signing_out_ends_this_token_only(client: httpx.AsyncClient) -> None:
    first, second = await _token(client), await _token(client)
    assert await _status(client, "/api/account/logout", first) == 200
    assert await _status(client, "/api/task/list", first) == 401
    assert await _status(client, "/api/task/list", second) == 200


async def test_changing_ones_password_needs_the_old_one_and_ends_every_token(client: httpx.AsyncClient) -> None:
    first, second = await _token(client), await _token(client)
    wrong = {"oldPassword": "not this", "newPassword": "another horse"}
    assert await _status(client, "/api/account/password", first, wrong) == 400
    short = {"oldPassword": "correct horse", "newPassword": "short"}
    assert await _status(client, "/api/account/password", first, short) == 400
    assert await _status(client, "/api/task/list", second) == 200
    right = {"oldPassword": "correct horse", "newPassword": "another horse"}
    assert await _status(client, "/api/account/password", first, right) == 200
    assert [await _status(client, "/api/task/list", token) for token in (first, second)] == [401, 401]
    assert (await client.post("/api/account/login", json=ADMIN)).status_code == 401
    await _token(client, password="another horse")


@pytest.mark.parametrize("role", ["operator", "readonly"])
async def test_roles_may_do_what_they_may(client: httpx.AsyncClient, services: ApiServices, role: str) -> None:
    add_user(services.database, role, "battery staple", services.passwords, role)
    token = await _token(client, role, "battery staple")
    changing = 200 if role == "operator" else 403
    assert await _status(client, "/api/interface/add", token, INTERFACE) == changing
    assert await _status(client, "/api/task/add", token, TASK) == changing
    for path in ("interface/edit", "interface/delete", "task/edit", "task/delete", "task/start", "task/stop"):
        body = {"id": 99} | (INTERFACE if path == "interface/edit" else TASK)
        assert await _status(client, f"/api/{path}", token, body) == (404 if role == "operator" else 403), path
    assert await _status(client, "/api/interface/list", token) == 200
    assert await _status(client, "/api/task/list", token) == 200
    for path in ("account/list", "account/add", "account/edit", "account/delete", "audit/list"):
        body = {"id": 1, "username": "x", "password": "12345678", "role": "admin"}
        assert await _status(client, f"/api/{path}", token, body) == 403, path


async def test_a_role_that_was_taken_away_is_gone_at_once(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    user = add_user(services.database, "eve", "battery staple", services.passwords, "operator")
    token = await _token(signed_in, "eve", "battery staple")
    edit = {"id": user, "role": "readonly"}
    assert (await signed_in.post("/api/account/edit", json=edit)).json()["data"]["role"] == "readonly"
    assert await _status(signed_in, "/api/task/add", token, TASK) == 403
    await signed_in.post("/api/account/edit", json=edit | {"disabled": True})
    assert await _status(signed_in, "/api/task/list", token) == 401
    login = await signed_in.post("/api/account/login", json={"username": "eve", "password": "battery staple"})
    assert login.json()["code"] == 4011


async def test_the_last_administrator_stays(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    demoted = {"id": 1, "role": "operator"}
    for path, body in (("edit", demoted), ("edit", {"id": 1, "role": "admin", "disabled": True}), ("delete", {"id": 1})):
        answer = await signed_in.post(f"/api/account/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, 4090)
    assert list_users(services.database)[0].role == "admin"
    add_user(services.database, "second", "battery staple", services.passwords, "admin")
    assert (await signed_in.post("/api/account/edit", json=demoted)).status_code == 200


async def test_tokens_of_a_deleted_account_do_not_fit_the_next_one_of_its_id(
    signed_in: httpx.AsyncClient, services: ApiServices
) -> None:
    first = add_user(services.database, "eve", "battery staple", services.passwords, "readonly")
    token = await _token(signed_in, "eve", "battery staple")
    assert (await signed_in.post("/api/account/delete", json={"id": first})).status_code == 200
    again = add_user(services.database, "mallory", "battery staple", services.passwords, "admin")
    assert again == first  # what SQLite does; without it this test would show nothing
    assert await _status(signed_in, "/api/task/list", token) == 401


async def test_accounts_are_listed_without_their_hashes(signed_in: httpx.AsyncClient) -> None:
    body = {"username": "eve", "password": "battery staple"}
    assert (await signed_in.post("/api/account/add", json=body)).json()["data"]["role"] == "operator"
    assert (await signed_in.post("/api/account/add", json=body)).json()["code"] == 4090
    listed = await signed_in.post("/api/account/list")
    assert [user["username"] for user in listed.json()["data"]] == ["admin", "eve"]
    assert "argon2" not in listed.text


async def test_every_change_is_logged_with_who_and_what_and_no_secret(signed_in: httpx.AsyncClient) -> None:
    task = TASK | {"srcAddress": "rtsp://root:geheim@10.0.0.1/ch1?token=geheim"}
    made = (await signed_in.post("/api/task/add", json=task)).json()["data"]["id"]
    await signed_in.post("/api/task/edit", json=task | {"id": made, "taskName": "neu", "scene": {"notes": 1}})
    await signed_in.post("/api/task/stop", json={"id": made})
    await signed_in.post("/api/interface/add", json=INTERFACE | {"url": "http://u:geheim@10.0.0.2/"})
    await signed_in.post("/api/interface/edit", json=INTERFACE | {"id": 1, "uploadPeriod": 7})
    await signed_in.post("/api/interface/delete", json={"id": 1})
    await signed_in.post("/api/task/delete", json={"id": made})
    await signed_in.post("/api/account/add", json={"username": "eve", "password": "geheim geheim"})
    await signed_in.post("/api/task/add", json=task | {"taskNum": ""})  # refused: no change
    answer = await signed_in.post("/api/audit/list")
    entries = answer.json()["data"]
    assert [entry["action"] for entry in entries[::-1]] == [
        "account.add", "account.login", "task.add", "task.edit", "task.stop", "interface.add", "interface.edit",
        "interface.delete", "task.delete", "account.add",
    ]  # fmt: skip
    assert {entry["username"] for entry in entries[:-1]} == {"admin"}
    assert entries[-1]["username"] == "wayside"
    edited = next(entry for entry in entries if entry["action"] == "task.edit")
    assert edited["changes"] == {"task_name": ["测试任务", "neu"], "scene": [None, "***"]}
    assert entries[3]["changes"]["upload_period"] == [10, 7]
    assert "geheim" not in answer.text
    page = (await signed_in.post("/api/audit/list", json={"page": 2, "pageSize": 3})).json()["data"]
    assert page == entries[3:6]


async def test_a_change_that_fails_leaves_no_entry(signed_in: httpx.AsyncClient) -> None:
    await signed_in.post("/api/task/add", json=TASK)
    assert (await signed_in.post("/api/task/add", json=TASK)).status_code == 409
    actions = [entry["action"] for entry in (await signed_in.post("/api/audit/list")).json()["data"]]
    assert actions.count("task.add") == 1


def test_the_log_of_changes_is_bounded(services: ApiServices) -> None:
    with services.database.session() as session:
        for entry in (999, 1000, 1001, KEPT_ENTRIES + 999):
            session.add(AuditEntry(id=entry, at=0, user_id=1, user_name="admin", action="task.edit"))
        session.flush()
        note(session, Actor(user_id=1, name="admin"), "task.edit", "100")
        session.commit()
        assert session.exec(select(AuditEntry.id).order_by(AuditEntry.id)).all() == [
            1001,
            KEPT_ENTRIES + 999,
            KEPT_ENTRIES + 1000,
        ]


async def test_guesses_made_at_once_cannot_slip_through_together(client: httpx.AsyncClient) -> None:
    guess = {"username": "admin", "password": "no"}
    answers = await asyncio.gather(*(client.post("/api/account/login", json=guess) for _ in range(30)))
    codes = [answer.status_code for answer in answers]
    assert (codes.count(401), codes.count(429)) == (5, 25)
    assert all(answer.headers["retry-after"] == "60" for answer in answers if answer.status_code == 429)
    assert (await client.post("/api/account/login", json=ADMIN)).status_code == 429


def test_the_throttle_lets_exactly_its_number_through_from_many_threads() -> None:
    throttle = LoginThrottle(per_minute=5, per_hour=20)
    allowed: list[bool] = []
    start = threading.Barrier(16)

    def guess() -> None:
        start.wait()
        allowed.extend(throttle.begin("a|1", 0.0) for _ in range(50))

    threads = [threading.Thread(target=guess) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 5
    assert not throttle.begin("a|1", 59.9)
    assert throttle.begin("a|1", 60.0)
    assert throttle.begin("b|1", 0.0)


def test_the_throttle_holds_by_the_hour_and_forgets_on_success() -> None:
    throttle = LoginThrottle(per_minute=5, per_hour=20)
    assert sum(throttle.begin("a", minute * 61.0) for minute in range(50)) == 20
    assert throttle.begin("a", 3600.0)
    throttle.succeeded("a")
    assert all(throttle.begin("a", 3601.0) for _ in range(5))


def test_an_unknown_user_costs_the_same_work_as_a_wrong_password() -> None:
    passwords = Passwords(memory_kib=8192)
    hashed = passwords.hash("correct horse")

    def cost(known: str | None) -> float:
        times = []
        for _ in range(9):
            begun = time.thread_time()
            assert not passwords.verify("no", known)
            times.append(time.thread_time() - begun)
        return statistics.median(times)

    assert 0.5 < cost(None) / cost(hashed) < 2  # without the decoy the ratio is below 0.01


@pytest.mark.parametrize("forged", ["none", "HS512", "expired", "issuer", "no jti", "key"])
def test_forged_and_expired_tokens_are_refused(forged: str) -> None:
    tokens = Tokens("k" * 64, 3600)
    claims = jwt.decode(tokens.make(1, "admin", 0), "k" * 64, algorithms=["HS256"], issuer="wayside")
    if forged == "expired":
        claims["exp"] = int(time.time()) - 1
    if forged == "issuer":
        claims["iss"] = "somebody"
    if forged == "no jti":
        del claims["jti"]
    key, algorithm = ("x" * 64 if forged == "key" else "k" * 64), "HS256"
    if forged in ("none", "HS512"):
        key, algorithm = ("" if forged == "none" else key), forged
    assert tokens.read(jwt.encode(claims, key, algorithm=algorithm)) is None
    assert tokens.read(tokens.make(1, "admin", 3)).version == 3  # type: ignore[union-attr]


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "Bearer x", "." * 3000, "x" * 5000])
async def test_no_header_makes_a_5xx(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.post("/api/task/list", headers={"token": token.encode("latin-1")})
    assert (answer.status_code, answer.json()["code"]) == (401, 4010)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("name", "password"), [("", "12345678"), ("a\x00", "12345678"), ("a", "1234567"), ("a", "1234\x005678")])
def test_accounts_that_could_not_sign_in_are_not_made(services: ApiServices, name: str, password: str) -> None:
    with pytest.raises(AccountError):
        add_user(services.database, name, password, services.passwords)
    with pytest.raises(AccountError):
        add_user(services.database, "fine", "12345678", services.passwords, "root")


def test_a_configured_first_password_that_is_too_short_is_told(services: ApiServices, tmp_path: Any) -> None:
    from api.database import Database

    fresh = Database(f"sqlite:///{tmp_path}/fresh.sqlite3")
    fresh.migrate()
    with pytest.raises(AccountError):
        ensure_admin(fresh, tmp_path, "short", services.passwords)
    made = ensure_admin(fresh, tmp_path, "", services.passwords)
    assert made is not None
    assert made.file.stat().st_mode & 0o777 == 0o600
    assert ensure_admin(fresh, tmp_path, "", services.passwords) is None


async def test_every_answer_carries_the_security_headers(signed_in: httpx.AsyncClient, services: ApiServices) -> None:
    services.control.task_health = None  # type: ignore[assignment, method-assign]
    for answer in (
        await signed_in.post("/api/task/list"),
        await signed_in.post("/api/interface/list"),
        await signed_in.post("/api/nothing"),
        await signed_in.post("/api/task/add", content=b"{"),
        await signed_in.get("/docs"),
        await signed_in.get("/image/none.jpg"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "unsafe-inline" not in answer.headers["content-security-policy"].split("script-src")[-1].split(";")[0]
        assert "access-control-allow-origin" not in answer.headers
    assert (await signed_in.post("/api/interface/list")).headers["cache-control"] == "no-store"


async def test_a_masked_address_with_another_host_is_refused_not_stored(signed_in: httpx.AsyncClient) -> None:
    made = (await signed_in.post("/api/task/add", json=TASK)).json()["data"]
    moved = made["srcAddress"].replace("10.0.0.1", "10.0.0.9")
    answer = await signed_in.post("/api/task/edit", json=TASK | {"id": made["id"], "srcAddress": moved})
    assert answer.status_code == 400
    assert answer.json()["data"][0]["field"] == "srcAddress"
    assert "12345" not in json.dumps((await signed_in.post("/api/task/list")).json())
