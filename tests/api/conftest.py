"""The API over a temporary SQLite database and a control that only remembers."""

from collections.abc import AsyncIterator, Collection
from pathlib import Path

import httpx
import pytest

from actors.archive import FolderArchive
from actors.decoding import ProbeResult, SourceOptions, probe
from actors.outbound import LOOPBACK, OutboundPolicy
from actors.viewing import CameraView, ViewedObject
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

    def task_health(self, task_nums: Collection[str] | None = None) -> dict:
        return self.health if task_nums is None else {num: self.health[num] for num in task_nums if num in self.health}

    def snapshot(self, task_num: str) -> bytes | None:
        return self.picture

    def view(self, task_num: str, max_width: int, drawn: bool, after: int = -1) -> CameraView | None:
        if self.picture is None or after == 7:
            return None
        found = ViewedObject(track_id=5, name="car", road_num=1, box=(0.1, 0.2, 0.3, 0.4), speed_kmh=51.26, moved=True)
        return CameraView(
            sequence=7, time_s=100.0, width=1280, height=720, jpeg=self.picture, objects=(found,), lane_counts=((1, 3),)
        )  # fmt: skip

    def probe(self, address: str, options: SourceOptions) -> ProbeResult:
        self.probed = address
        return probe(address, options)

    def machines(self) -> list:
        return [{"address": "127.0.0.1", "alive": True, "cpus": 2.0, "gpus": 0.0, "memory_bytes": 1}]

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
