"""Delivery without Ray: a real outbox, a real receiver."""

from dataclasses import replace
from pathlib import Path

import pytest

from actors.archive import FolderArchive
from actors.ports import FactEnvelope
from api.database import Database
from api.outbox import SqlOutboxStore
from api.receiver import Receiver
from api.wire.bodies import VehicleBatchItem, VehicleSnapshotBody
from api.wire.encode import WireEncoder
from tests.actors.delivery.support import edit, facts, pusher, register, until
from tests.actors.delivery.test_policy import RECEIVER
from tests.api.test_wire import envelope, passage
from traffic.facts import TaskStatus, TaskStatusCode


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path}/outbox.sqlite3"
    Database(address).migrate()
    return address


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
        edit(url, 1, url=receiver.url)
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
    assert list(item)[2:6] == ["snapshotPath", "vehicleTypePath", "imgBase64", "imgBase64Type"]
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


@pytest.mark.parametrize(("trigger", "manual"), [(2, VehicleSnapshotBody), (1, VehicleBatchItem)], ids=["3.2", "3.3"])
@pytest.mark.parametrize("pictures", [True, False])
def test_fields_stand_in_the_order_of_the_manual(trigger: int, manual: type, pictures: bool) -> None:
    interface = replace(RECEIVER, trigger_condition=trigger, upload_pictures=pictures)
    item = WireEncoder().encode(facts(1)[0], interface)
    assert item is not None
    expected = [name for name in manual.model_fields if pictures or not name.startswith("imgBase64")]
    assert list(item.body) == expected
    assert item.pictures.keys() == {name for name in item.body if name.startswith("imgBase64")}
