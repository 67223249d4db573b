"""The database: made by two processes at once, locked, gone, broken; always a clear 503, never a 500."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from actors.archive import FolderArchive
from actors.errors import StoreUnavailableError
from api.accounts import add_user
from api.app import create_app
from api.database import Database
from api.security import LoginThrottle, Passwords, Tokens
from api.services import ApiServices
from tests.api.conftest import FakeControl

MIGRATE = "import sys; from api.database import Database; Database(sys.argv[1]).migrate()"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path}/quick.sqlite3", busy_timeout_s=0.2)
    made.migrate()
    add_user(made, "admin", "correct horse", Passwords(memory_kib=64))
    return made


@pytest.fixture
def quick_client(database: Database, tmp_path: Path) -> httpx.AsyncClient:
    services = ApiServices(
        database=database, control=FakeControl(), archive=FolderArchive(tmp_path / "archive"),
        passwords=Passwords(memory_kib=64), tokens=Tokens("k" * 64, 3600), throttle=LoginThrottle(1000, 1000),
    )  # fmt: skip
    transport = httpx.ASGITransport(create_app(services), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def _login(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post("/api/account/login", json={"username": "admin", "password": "correct horse"})


def _files(folder: Path) -> list[Path]:
    return list(folder.glob("quick.sqlite3*"))


def _is_503(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()["code"]) == (503, 5030) and "数据库" in answer.json()["resultMsg"]


def test_processes_that_start_at_once_make_the_tables_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/shared.sqlite3"
    started = [subprocess.Popen([sys.executable, "-c", MIGRATE, url], stderr=subprocess.PIPE, text=True) for _ in range(3)]
    told = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], told
    assert {"audit_entry", "push_interface", "revoked_token"} <= set(inspect(create_engine(url)).get_table_names())


def test_a_turn_that_is_not_given_up_is_told_and_then_taken(tmp_path: Path) -> None:
    import fcntl

    database = Database(f"sqlite:///{tmp_path}/held.sqlite3")
    with (tmp_path / "held.sqlite3.migrate").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StoreUnavailableError, match="another process"):
            database.migrate(wait_s=0.2)
    database.migrate(wait_s=0.2)


async def test_a_locked_database_is_a_503_for_writers_and_nothing_for_readers(
    quick_client: httpx.AsyncClient, database: Database, tmp_path: Path
) -> None:
    quick_client.headers["token"] = (await _login(quick_client)).json()["data"]["token"]
    other = sqlite3.connect(tmp_path / "quick.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert _is_503(await quick_client.post("/api/account/logout"))
        assert (await quick_client.post("/api/task/list")).status_code == 200
        assert (await _login(quick_client)).status_code == 200, "who comes to see what is wrong gets in"
        health = await quick_client.get("/api/health")
        told = "数据库不可写 / database cannot be written: database is locked"
        assert (health.status_code, health.json()["data"]["components"]["database"]) == (503, told)
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert (await quick_client.get("/api/health")).json()["data"]["components"]["database"] == "ok"
    assert (await quick_client.post("/api/account/logout")).status_code == 200


async def test_a_database_that_is_no_database_any_more_is_a_503(
    quick_client: httpx.AsyncClient, database: Database, tmp_path: Path
) -> None:
    database.engine.dispose()
    for file in _files(tmp_path):
        file.write_bytes(b"this is no database " * 500)
    answer = await _login(quick_client)
    assert _is_503(answer)
    assert answer.headers["retry-after"] == "5"
    assert (await quick_client.get("/api/health")).status_code == 503


async def test_a_missing_file_is_a_503_not_an_empty_database(
    quick_client: httpx.AsyncClient, database: Database, tmp_path: Path
) -> None:
    database.engine.dispose()
    for file in _files(tmp_path):
        file.unlink()
    assert _is_503(await _login(quick_client))
    health = await quick_client.get("/api/health")
    assert health.status_code == 503
    assert health.json()["data"]["components"]["database"] != "ok"


@pytest.mark.parametrize(
    "raised",
    [
        PoolTimeoutError("QueuePool limit of size 5 overflow 10 reached"),
        InterfaceError("SELECT 1", {}, Exception("connection already closed")),
        OperationalError("SELECT 1", {}, Exception("server closed the connection")),
    ],
)
async def test_whatever_keeps_the_database_from_answering_is_a_503(
    quick_client: httpx.AsyncClient, database: Database, raised: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise raised

    monkeypatch.setattr(database.engine.pool, "connect", refuse)
    answer = await _login(quick_client)
    assert _is_503(answer)
    assert "SELECT" not in answer.text


def test_when_every_connection_is_taken_the_next_asker_is_told_in_time(database: Database) -> None:
    pool = database.engine.pool
    pool._timeout = 0.1  # type: ignore[attr-defined]
    taken = [database.engine.connect() for _ in range(15)]
    told: list[str] = []

    def ask() -> None:
        try:
            with database.session() as session:
                session.execute(text("SELECT 1"))
        except StoreUnavailableError as error:
            told.append(str(error))

    asker = threading.Thread(target=ask)
    asker.start()
    asker.join(20)
    for connection in taken:
        connection.close()
    assert told
    assert "limit" in told[0]


def test_a_wrong_statement_of_ours_is_not_taken_for_a_database_that_is_away(database: Database) -> None:
    with pytest.raises(Exception, match="NOT NULL") as caught, database.session() as session:
        session.execute(text("INSERT INTO revoked_token (token_id) VALUES ('a')"))
    assert not isinstance(caught.value, StoreUnavailableError)
