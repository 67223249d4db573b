"""Periodic interfaces: what a tick sends, in how many bodies, and what survives a clock, a crash and an edit."""

import json
import time
from dataclasses import replace
from pathlib import Path

from actors.archive import FolderArchive
from actors.delivery.bodies import dump
from actors.delivery.periods import PeriodComposer, PeriodConfig
from actors.delivery.ports import HeldItem
from actors.delivery.sender import Sender
from actors.ports import FactEnvelope
from actors.pusher import Pusher
from api.database import Database
from api.outbox import SqlOutboxStore
from api.receiver import Receiver
from api.tables import Task
from api.wire.encode import WireEncoder
from tests.actors.delivery.support import edit, facts, pusher, register, until
from tests.api.test_wire import envelope, passage
from traffic.facts import TaskStatus, TaskStatusCode


def add_task(url: str, task_num: str, name: str, enabled: bool = True) -> None:
    with Database(url).session() as session:
        session.add(Task(task_num=task_num, task_name=name, src_address="x", enabled=enabled))
        session.commit()


def status(task_num: str, code: TaskStatusCode, at_s: float) -> FactEnvelope:
    fact = TaskStatus(status=code, reason="", time_s=at_s)
    task = replace(envelope(passage()).task, task_num=task_num)
    return FactEnvelope(fact_id=f"{task_num}-{at_s}", task=task, fact=fact)


async def test_the_periodic_status_names_every_task_of_the_table(url: str, tmp_path: Path) -> None:
    now_s = time.time()
    for number, name, enabled in (("1", "一", True), ("2", "二", True), ("3", "三", False), ("4", "四", True)):
        add_task(url, number, name, enabled)
    with Receiver() as receiver:
        register(url, receiver.url, business_type=52, trigger_condition=1, upload_period=1)
        made = pusher(url, tmp_path)
        await made.publish([status("1", TaskStatusCode.RECONNECTING, now_s), status("1", TaskStatusCode.ANALYSING, now_s - 9)])
        await made.publish([status("3", TaskStatusCode.ANALYSING, now_s), status("gone", TaskStatusCode.ANALYSING, now_s)])
        await made.publish([status("4", TaskStatusCode.DISCONNECTED, now_s - 1)])
        await made.start()
        await until(lambda: len(receiver.pushes) >= 8)
        await made.stop()
    assert all(not push.problems for push in receiver.pushes)
    seen = {json.dumps(push.body, ensure_ascii=False) for push in receiver.pushes}
    assert [json.loads(text) for text in sorted(seen)] == [
        {"taskNum": "1", "taskName": "一", "taskStatus": 2, "taskStatusName": "重连中"},
        {"taskNum": "2", "taskName": "二", "taskStatus": 0, "taskStatusName": "未启动"},
        {"taskNum": "3", "taskName": "三", "taskStatus": 0, "taskStatusName": "未启动"},
        {"taskNum": "4", "taskName": "四", "taskStatus": 3, "taskStatusName": "已断开"},
    ]


async def test_the_task_filter_holds_for_the_periodic_status(url: str, tmp_path: Path) -> None:
    add_task(url, "1", "一")
    add_task(url, "2", "二")
    with Receiver() as receiver:
        register(url, receiver.url, business_type=52, trigger_condition=1, upload_period=1, task_nums='["2"]')
        made = pusher(url, tmp_path)
        await made.start()
        await until(lambda: len(receiver.pushes) >= 2)
        await made.stop()
    assert {push.body["taskNum"] for push in receiver.pushes} == {"2"}


def periodic(url: str, receiver: str, tmp_path: Path, periods: PeriodConfig | None = None, **changes: object) -> Pusher:
    register(url, receiver, **({"trigger_condition": 1, "upload_period": 1} | changes))
    return pusher(url, tmp_path, periods=periods or PeriodConfig())


async def test_an_empty_period_sends_nothing(url: str, tmp_path: Path) -> None:
    with Receiver() as receiver:
        made = periodic(url, receiver.url, tmp_path)
        await made.start()
        first = made_ticks(made)
        await until(lambda: made_ticks(made) != first)
        await made.publish(facts(1))
        await until(lambda: len(receiver.pushes) == 1)
        await made.stop()
    assert [len(push.body) for push in receiver.pushes] == [1]


def made_ticks(made: Pusher) -> str:
    return made._workers[1]._ticks.name if 1 in made._workers else ""


async def test_a_long_period_is_several_arrays_in_order(url: str, tmp_path: Path) -> None:
    with Receiver() as receiver:
        made = periodic(url, receiver.url, tmp_path, PeriodConfig(max_items=10))
        await made.publish(facts(95))
        await made.start()
        await until(lambda: sum(len(push.body) for push in receiver.pushes) == 95)
        await made.stop()
    assert [len(push.body) for push in receiver.pushes] == [10] * 9 + [5]
    assert all(push.kind == "vehicle-batch" and not push.problems for push in receiver.pushes)
    times = [item["snapshotTime"] for push in receiver.pushes for item in push.body]
    assert times == sorted(times)
    assert len({push.headers["webhook-id"] for push in receiver.pushes}) == 10


async def test_bodies_with_pictures_keep_their_bound(url: str, tmp_path: Path) -> None:
    made_facts = []
    for i, fact in enumerate(facts(12)):
        path = f"image/2018_01/01/100/vehicle_snapshot/small/{i}.jpg"
        FolderArchive(tmp_path / "archive").write(path, bytes([i]) * 30_000)
        made_facts.append(replace(fact, small_picture=path))
    with Receiver() as receiver:
        made = periodic(url, receiver.url, tmp_path, PeriodConfig(max_bytes=100_000), upload_img_status=1)
        await made.publish(made_facts)
        await made.start()
        await until(lambda: sum(len(push.body) for push in receiver.pushes) == 12)
        await made.stop()
    assert [len(push.body) for push in receiver.pushes] == [2] * 6
    assert all(int(push.headers["content-length"]) <= 100_000 and not push.problems for push in receiver.pushes)
    assert all(len(item["imgBase64Type"]) == 40_000 for push in receiver.pushes for item in push.body)


class Clock:
    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


async def test_a_clock_that_is_set_back_loses_no_held_item(url: str, tmp_path: Path) -> None:
    clock = Clock(1_700_000_000.5)
    with Receiver() as receiver:
        register(url, receiver.url, trigger_condition=1, upload_period=60)
        made = pusher(url, tmp_path, clock=clock)
        await made.start()
        for first in (0, 1, 2):
            clock.now_s = 1_700_000_000.5  # the same minute again and again
            await until(lambda: 1 in made._workers and made._workers[1]._ticks.due_at - clock.now_s <= 60)
            await made.publish(facts(1, first=first))
            clock.now_s += 60
            await until(lambda first=first: len(receiver.pushes) == first + 1)
        await made.stop()
    assert len({push.body[0]["snapshotTime"] for push in receiver.pushes}) == 3
    assert len({push.headers["webhook-id"] for push in receiver.pushes}) == 3
    assert list(SqlOutboxStore(url).held(1, 9)) == []


async def test_what_is_held_survives_the_pusher(url: str, tmp_path: Path) -> None:
    with Receiver() as receiver:
        register(url, receiver.url, trigger_condition=1, upload_period=1)
        made = pusher(url, tmp_path, clock=Clock(1_700_000_000.5))  # it stands still: no tick comes
        await made.publish(facts(3))
        await made.stop()
        assert receiver.pushes == []
        again = pusher(url, tmp_path)
        await again.start()
        await until(lambda: sum(len(push.body) for push in receiver.pushes) == 3)
        await again.stop()


async def test_an_edit_from_periodic_to_trigger_still_sends_what_was_held(url: str, tmp_path: Path) -> None:
    with Receiver() as receiver:
        register(url, receiver.url, trigger_condition=1, upload_period=120)
        made = pusher(url, tmp_path, clock=Clock(1_700_000_000.5))  # it stands still: no tick comes
        await made.start()
        await made.publish(facts(3))
        assert len(SqlOutboxStore(url).held(1, 9)) == 3
        edit(url, 1, trigger_condition=2)
        made.interfaces_changed()
        await until(lambda: any(isinstance(push.body, list) for push in receiver.pushes))
        await made.publish(facts(1, first=3))
        await until(lambda: len(receiver.pushes) == 2)
        await made.stop()
    assert [len(push.body) for push in receiver.pushes if push.kind == "vehicle-batch"] == [3]
    assert [push.kind for push in receiver.pushes] == ["vehicle-batch", "vehicle-snapshot"]


async def composed(url: str, tmp_path: Path, bodies: list[dict], **interface: object) -> list:
    """What one tick makes of held bodies: (order key, body, pictures) of each delivery."""
    register(url, "http://r/", trigger_condition=1, upload_period=10, **interface)
    store = SqlOutboxStore(url)
    empty = HeldItem(interface_id=1, fact_id="", order_key="", body=b"", pictures="", created_at=0.0)
    held = [
        replace(empty, fact_id=f"h{i}", order_key=f"t{i}", body=dump(body), pictures=f'{{"imgBase64":"p{i}"}}')
        for i, body in enumerate(bodies)
    ]
    store.accept([], held, [])
    sender = Sender(None)
    await PeriodComposer(store, WireEncoder(), sender).compose(store.interfaces()[0], "tick", 1.0)
    await sender.close()
    assert list(store.held(1, 9)) == []
    rows = store.due(1, 2.0, 8, 8, frozenset(), 8)
    return [(row.outgoing.order_key, json.loads(row.outgoing.body), row.outgoing.pictures) for row in rows]


async def test_events_of_a_period_are_one_post_each(url: str, tmp_path: Path) -> None:
    rows = await composed(url, tmp_path, [{"recordType": 1001}, {"recordType": 1002}], business_type=11)
    assert rows == [("t0", {"recordType": 1001}, '{"imgBase64":"p0"}'), ("t1", {"recordType": 1002}, '{"imgBase64":"p1"}')]


async def test_people_of_a_period_are_one_object_of_arrays(url: str, tmp_path: Path) -> None:
    bodies = [{"peopleFlowToday": [1], "peopleDensityToday": [2]}, {"peopleFlowToday": [], "peopleDensityToday": [3, 4]}]
    rows = await composed(url, tmp_path, bodies, business_type=41)
    assert rows == [("period", {"peopleFlowToday": [1], "peopleDensityToday": [2, 3, 4]}, "")]


async def test_parameters_of_a_period_are_one_array(url: str, tmp_path: Path) -> None:
    ((key, body, _),) = await composed(url, tmp_path, [{"id": 1}, {"id": 2}], business_type=22)
    assert (key, body) == ("period", [{"id": 1}, {"id": 2}])
