"""A thousand tasks; local times where clocks are changed."""

import time
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from actors.aggregator import local_day
from actors.archive import clip_path, picture_path
from api import task_store
from api.routes.common import moment_of
from api.services import ApiServices
from api.tables import Task
from api.task_store import SqlTaskStore, start_time_s
from api.wire.times import wire_time
from tests.conftest import ROOT

BERLIN = "Europe/Berlin"  # Wayside's own zone by default, Asia/Shanghai, has no summer time
BEFORE, AFTER = 1_792_888_200.0, 1_792_891_800.0  # 2026-10-25 02:30 twice: in summer time, and an hour later in winter time


@pytest.fixture
def many(services: ApiServices) -> ApiServices:
    scene = (ROOT / "examples" / "scenes" / "bangkok_signal_30s.json").read_text()
    with services.database.session() as session:
        for n in range(1000):
            session.add(Task(task_num=f"{n:04d}", task_name="t", src_address="sim://approach", scene=scene, enabled=False))
        session.commit()
    return services


async def test_a_thousand_tasks_are_listed_paged_and_edited(many: ApiServices, signed_in: httpx.AsyncClient) -> None:
    assert len((await signed_in.post("/api/task/list", json={})).json()["data"]) == 1000
    page = (await signed_in.post("/api/task/list", json={"page": 10, "pageSize": 100})).json()["data"]
    assert [task["taskNum"] for task in page] == [f"{n:04d}" for n in range(900, 1000)]
    assert (await signed_in.post("/api/task/start", json={"id": 500})).status_code == 200


def test_the_scenes_of_a_thousand_tasks_are_read_once_and_again_when_one_changes(
    many: ApiServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    real = task_store.parse_scene
    monkeypatch.setattr(task_store, "parse_scene", lambda text: read.append(1) or real(text))
    store = SqlTaskStore(many.database.url)
    assert len(store.load_tasks()) == len(read) == 1000
    first = store.load_tasks()
    assert len(read) == 1000
    with many.database.session() as session:
        row = session.get(Task, 500)
        row.revision, row.enabled = row.revision + 1, True
        session.add(row)
        session.delete(session.get(Task, 1))
        session.commit()
    second = store.load_tasks()
    assert (len(second), len(read)) == (999, 1001)
    assert [spec.ref.task_num for spec in second if spec.enabled] == ["0499"]
    assert first[500] is second[499]


def test_local_times_go_back_with_the_clock_and_facts_do_not(tmp_path: Path) -> None:
    assert wire_time(BEFORE, BERLIN) == wire_time(AFTER, BERLIN) == "2026-10-25 02:30:00"
    assert wire_time(BEFORE + 1800, BERLIN) == "2026-10-25 02:00:00"
    assert wire_time(BEFORE, "Asia/Shanghai") != wire_time(AFTER, "Asia/Shanghai")
    # The names of pictures of the doubled hour may meet; the later picture then stands under the name, as on a real clock.
    assert picture_path("1", "crowd", "large", BEFORE, BERLIN) == picture_path("1", "crowd", "large", AFTER, BERLIN)
    assert clip_path("1", "crowd", AFTER + 3600, BERLIN).endswith("20261025033000000.mp4")


def test_a_day_has_23_or_25_hours_where_clocks_are_changed() -> None:
    day = local_day(BERLIN)
    midnight = int(datetime.fromisoformat("2026-10-25T00:00:00+02:00").timestamp())
    hours = [day(midnight + 3600 * n) - day(midnight) for n in range(26)]
    assert hours.index(1) == 25
    spring = int(datetime.fromisoformat("2026-03-29T00:00:00+01:00").timestamp())
    assert [day(spring + 3600 * n) - day(spring) for n in range(25)].index(1) == 23


def test_a_doubled_or_missing_local_time_of_a_request_is_one_moment() -> None:
    assert moment_of("2026-10-25 02:30:00", "startTime", BERLIN) == BEFORE, "the first of the two"
    assert start_time_s("2026-10-25 02:30:00", BERLIN) == BEFORE
    missing = moment_of("2026-03-29 02:30:00", "startTime", BERLIN)
    assert wire_time(missing, BERLIN) == "2026-03-29 03:30:00"


def test_a_login_throttle_and_tokens_do_not_follow_a_clock_that_is_set(services: ApiServices) -> None:
    token = services.tokens.make(1, "admin", 1, now_s=time.time() - 3590)
    assert services.tokens.read(token) is not None
    assert services.tokens.read(services.tokens.make(1, "admin", 1, now_s=time.time() - 3700)) is None
    assert services.tokens.read(services.tokens.make(1, "admin", 1, now_s=time.time() + 600)) is None, "from the future"
