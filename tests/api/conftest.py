"""The API over a temporary SQLite database and a control that only remembers."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from actors.archive import FolderArchive
from actors.outbound import LOOPBACK, OutboundPolicy
from api.accounts import add_user
from api.app import create_app
from api.database import Database
from api.security import LoginThrottle, Passwords, Tokens
from api.services import ApiServices


class FakeControl:
    """Counts calls; reports what it is given."""

    def __init__(self) -> None:
        self.task_changes = self.interface_changes = 0
        self.health = {}
        self.components = {"supervisor": "ok"}
        self.told = []
        self.picture: bytes | None = None

    def tasks_changed(self) -> None:
        self.task_changes += 1

    def interfaces_changed(self) -> None:
        self.interface_changes += 1

    def task_health(self) -> dict:
        return self.health

    def snapshot(self, task_num: str) -> bytes | None:
        return self.picture

    def component_health(self) -> dict:
        return self.components

    def notices(self) -> list:
        return self.told


@pytest.fixture
def services(tmp_path: Path) -> ApiServices:
    database = Database(f"sqlite:///{tmp_path}/test.sqlite3")
    database.migrate()
    passwords = Passwords(memory_kib=64)
    add_user(database, "admin", "correct horse", passwords)
    return ApiServices(
        database=database,
        control=FakeControl(),
        archive=FolderArchive(tmp_path / "archive"),
        passwords=passwords,
        tokens=Tokens("k" * 64, 3600),
        throttle=LoginThrottle(),
        max_body_bytes=20_000,
        outbound=OutboundPolicy(allowed=LOOPBACK),
    )


@pytest.fixture
async def client(services: ApiServices) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


@pytest.fixture
async def signed_in(client: httpx.AsyncClient) -> httpx.AsyncClient:
    answer = await client.post("/api/account/login", json={"username": "admin", "password": "correct horse"})
    client.headers["token"] = answer.json()["data"]["token"]
    return client
