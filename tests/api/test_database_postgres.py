"""The API over a real PostgreSQL server; skipped with a line where there is none."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from actors.archive import FolderArchive
from api.accounts import add_user
from api.app import create_app
from api.database import Database
from api.security import LoginThrottle, Passwords, Tokens
from api.services import ApiServices
from tests.api.conftest import FakeControl
from tests.api.test_api import INTERFACE, TASK
from tests.api.test_database import MIGRATE

server = pytest.importorskip("tests.actors.delivery.postgres")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with server.server_url() as made:
        yield made


def _fresh(url: str, name: str) -> str:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.rsplit("/", 1)[0] + f"/{name}"


def test_processes_that_start_at_once_make_the_tables_once(url: str) -> None:
    fresh = _fresh(url, "at_once")
    started = [subprocess.Popen([sys.executable, "-c", MIGRATE, fresh], stderr=subprocess.PIPE, text=True) for _ in range(3)]
    told = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], told


async def test_the_life_of_an_installation(url: str, tmp_path: Path) -> None:
    database = Database(_fresh(url, "life"))
    database.migrate()
    database.migrate()
    passwords = Passwords(memory_kib=64)
    add_user(database, "admin", "correct horse", passwords)
    services = ApiServices(
        database=database, control=FakeControl(), archive=FolderArchive(tmp_path), passwords=passwords,
        tokens=Tokens("k" * 64, 3600), throttle=LoginThrottle(),
    )  # fmt: skip
    transport = httpx.ASGITransport(create_app(services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        login = await client.post("/api/account/login", json={"username": "admin", "password": "correct horse"})
        client.headers["token"] = login.json()["data"]["token"]
        assert (await client.post("/api/interface/add", json=INTERFACE)).json()["data"]["id"] == 1
        assert (await client.post("/api/interface/add", json=INTERFACE | {"taskNums": ["\x00"]})).status_code == 400
        scene = {"notes": "a\x00b", "x\x00": 1}  # not read by anything, kept as it came
        made = await client.post("/api/task/add", json=TASK | {"scene": scene})
        assert made.json()["data"]["scene"] == scene
        assert (await client.post("/api/task/add", json=TASK)).status_code == 409
        assert (await client.post("/api/task/query", json={"id": 2**40})).status_code == 404
        assert (await client.post("/api/task/list", json={"page": 10**9, "pageSize": 1000})).json()["data"] == []
        assert len((await client.post("/api/audit/list")).json()["data"]) == 4
        assert (await client.post("/api/account/logout")).status_code == 200
        assert (await client.post("/api/task/list")).status_code == 401
    database.engine.dispose()


async def test_a_server_that_is_away_is_a_503(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    database = Database("postgresql+psycopg://wayside@127.0.0.1:1/none")
    services = ApiServices(
        database=database, control=FakeControl(), archive=FolderArchive(tmp_path), passwords=Passwords(memory_kib=64),
        tokens=Tokens("k" * 64, 3600),
    )  # fmt: skip
    transport = httpx.ASGITransport(create_app(services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post("/api/account/login", json={"username": "admin", "password": "correct horse"})
        assert (answer.status_code, answer.json()["code"]) == (503, 5030)
        assert (await client.get("/api/health")).status_code == 503
