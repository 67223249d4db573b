"""Delivery without Ray: a real outbox, a real receiver."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from actors.archive import FolderArchive
from actors.delivery.policy import DeliveryPolicy, next_tick
from actors.delivery.ports import Attempt
from actors.delivery.sender import Sender
from actors.ports import FactEnvelope
from actors.pusher import Pusher, PusherConfig
from api.database import Database
from api.outbox import SqlOutboxStore
from api.receiver import Receiver
from api.tables import Interface
from api.wire.encode import WireEncoder
from tests.api.test_wire import envelope, passage
from traffic.facts import TaskStatus, TaskStatusCode

FAST = DeliveryPolicy(schedule_s=(0.05,))


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path}/outbox.sqlite3"
    Database(address).migrate()
    return address


def register(url: str, receiver: str, **changes: object) -> int:
    values: dict = {"name": "r", "business_type": 21, "trigger_condition": 2, "url": receiver, "push_response": 1}
    row = Interface(**(values | changes))
    with Database(url).session() as session:
        session.add(row)
        session.commit()
        return row.id or 0


def pusher(url: str, tmp_path: Path) -> Pusher:
    sender = Sender(FolderArchive(tmp_path / "archive"), timeout_s=2)
    return Pusher(0, 1, SqlOutboxStore(url), WireEncoder(), sender, PusherConfig(idle_s=0.02), FAST)


def facts(count: int) -> list[FactEnvelope]:
    made = [passage(time_s=1_514_779_758.0 + i, road_num=1 + i % 2) for i in range(count)]
    return [replace(envelope(fact), fact_id=f"fact-{i}") for i, fact in enumerate(made)]


async def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        await asyncio.sleep(0.01)


async def test_each_passage_is_pushed_once_in_order_although_published_twice(url: str, tmp_path: Path) -> None:
    with Receiver() as receiver:
        register(url, receiver.url, company_name="通甲")
        made = pusher(url, tmp_path)
        await made.start()
        assert await made.publish(facts(5)) == 5
        assert await made.publish(facts(5)) == 0
        await until(lambda: len(receiver.pushes) >= 5)
        await made.stop()
    assert [push.body["snapshotTime"][-2:] for push in receiver.pushes] == ["18", "19", "20", "21", "22"]
    assert all(push.kind == "vehicle-snapshot" and not push.problems for push in receiver.pushes)
    assert receiver.pushes[0].headers["companyname"] == "%E9%80%9A%E7%94%B2"
    assert receiver.pushes[0].headers["content-type"] == "application/json; charset=utf-8"


async def test_a_failing_receiver_gets_it_again_with_the_same_id(url: str, tmp_path: Path) -> None:
    answers = iter([500, 302, 200])
    with Receiver(status=lambda _: next(answers, 200)) as receiver:
        register(url, receiver.url)
        made = pusher(url, tmp_path)
        await made.start()
        await made.publish(facts(1))
        await until(lambda: len(receiver.pushes) == 3)
        await until(lambda: not SqlOutboxStore(url).waiting())
        await made.stop()
    assert len({push.headers["webhook-id"] for push in receiver.pushes}) == 1
    assert [push.headers["wayside-attempt"] for push in receiver.pushes] == ["1", "2", "3"]


async def test_without_push_response_one_attempt_is_enough(url: str, tmp_path: Path) -> None:
    with Receiver(status=500) as receiver:
        register(url, receiver.url, push_response=0)
        made = pusher(url, tmp_path)
        await made.start()
        await made.publish(facts(2))
        await until(lambda: len(receiver.pushes) == 2)
        await until(lambda: not SqlOutboxStore(url).waiting())
        await made.stop()


async def test_what_was_accepted_survives_the_pusher(url: str, tmp_path: Path) -> None:
    register(url, "http://127.0.0.1:9/nobody")
    first = pusher(url, tmp_path)
    await first.publish(facts(3))
    await first.stop()
    with Receiver() as receiver:
        with Database(url).session() as session:
            row = session.get(Interface, 1)
            row.url = receiver.url
            session.add(row)
            session.commit()
        second = pusher(url, tmp_path)
        await second.start()
        await until(lambda: len(receiver.pushes) == 3)
        await second.stop()


async def test_a_period_is_one_array_and_pictures_only_when_asked(url: str, tmp_path: Path) -> None:
    picture = "image/2019_03/04/2/lower_speed/small/2_lower_speed_small_20190304000008506.jpg"
    FolderArchive(tmp_path / "archive").write(picture, b"jpeg")
    with Receiver() as receiver:
        register(url, receiver.url, trigger_condition=1, upload_period=1, upload_img_status=1)
        made = pusher(url, tmp_path)
        await made.start()
        await made.publish(facts(4))
        await until(lambda: sum(len(push.body) for push in receiver.pushes) == 4)
        await made.stop()
    assert all(push.kind == "vehicle-batch" and not push.problems for push in receiver.pushes)
    item = receiver.pushes[0].body[0]
    assert (item["imgBase64"], item["imgBase64Type"]) == ("", "anBlZw==")


async def test_status_changes_and_the_task_filter(url: str, tmp_path: Path) -> None:
    status = TaskStatus(status=TaskStatusCode.RECONNECTING, reason="x", time_s=1.0)
    fact = FactEnvelope(fact_id="s", task=envelope(passage()).task, fact=status)
    with Receiver() as receiver:
        register(url, receiver.url, business_type=52)
        register(url, receiver.url, business_type=52, task_nums='["other"]')
        made = pusher(url, tmp_path)
        await made.start()
        await made.publish([fact, *facts(1)])
        await until(lambda: len(receiver.pushes) == 1)
        await made.stop()
    assert receiver.pushes[0].body == {"taskNum": "100", "taskName": "测试任务", "taskStatus": 2, "taskStatusName": "重连中"}


def test_the_policy_backs_off_honours_retry_after_and_gives_up() -> None:
    import random

    policy, chance = DeliveryPolicy(), random.Random(1)
    failed = Attempt(delivery_id="d", at=0.0, status=503, latency_ms=1.0, excerpt="")
    waits = [policy.decide(failed, n, 0.0, True, chance).retry_after_s for n in range(1, 12)]
    assert 4 <= waits[0] <= 6
    assert 34_560 <= waits[-1] <= 51_840
    assert policy.decide(replace(failed, retry_after_s=100.0), 1, 0.0, True, chance).retry_after_s >= 100
    assert policy.decide(failed, 12, 75 * 3600.0, True, chance).state == "given_up"
    assert policy.decide(replace(failed, status=204), 1, 0.0, True, chance).state == "waiting"
    assert policy.decide(replace(failed, status=200), 1, 0.0, True, chance).state == "delivered"


def test_ticks_are_aligned_and_strictly_later() -> None:
    assert next_tick(100.0, 10) == 110.0
    assert next_tick(109.9, 10) == 110.0
