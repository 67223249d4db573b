"""Rights to act: the newest process under a name has them, on SQLite and on a PostgreSQL server."""

import pickle
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from actors.delivery.outgoing import outgoing
from actors.errors import SupersededError
from actors.ports import TaskRef
from api.database import Database
from api.fences import Office
from api.outbox import SqlOutboxStore
from api.parameter_store import SqlParameterStore
from api.receiver import Receiver
from api.task_store import SqlTaskStore
from tests.actors.delivery.support import facts, pusher, register, until

TASK = TaskRef(task_id=1, task_num="17", task_name="t", src_address="x", time_zone="Asia/Shanghai")


def test_the_newest_of_an_office_acts_and_the_older_one_is_told(both: str) -> None:
    one = SqlOutboxStore(both, "pusher-0")
    register(both, "http://r.example/")
    assert len(one.interfaces()) == 1
    two = SqlOutboxStore(both, "pusher-0")
    assert len(one.interfaces()) == 1, "it is the newest until the other one does something"
    assert len(two.interfaces()) == 1
    for act in (one.interfaces, lambda: one.due(1, 0.0, 1, 1, frozenset(), 1), lambda: one.record([]), one.backlog):
        with pytest.raises(SupersededError, match="pusher-0"):
            act()
    assert len(two.interfaces()) == 1
    assert SqlOutboxStore(both, "pusher-1").backlog() == {}, "offices do not touch each other"
    assert SqlOutboxStore(both).backlog() == {}, "without an office nothing is checked"


def test_an_office_that_is_sent_to_another_process_is_another_holder(both: str) -> None:
    one = Office(both, "aggregator-0")
    with one.session():
        pass
    two = pickle.loads(pickle.dumps(one))
    with two.session():
        pass
    with pytest.raises(SupersededError), one.session():
        pass


def test_threads_of_one_process_hold_one_token(both: str) -> None:
    office, failures = Office(both, "supervisor"), []

    def act() -> None:
        try:
            with office.session():
                pass
        except SupersededError as error:
            failures.append(error)

    threads = [threading.Thread(target=act) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_facts_of_an_earlier_life_are_refused_whole(both: str) -> None:
    register(both, "http://r.example/")
    tasks, outbox, parameters = SqlTaskStore(both, "supervisor"), SqlOutboxStore(both, "pusher-0"), SqlParameterStore(both)
    interface = outbox.interfaces()[0]

    def accept(fact_id: str, life: int) -> int:
        made = [outgoing(interface, fact_id, "17", b"{}", "", 1.0)]
        return outbox.accept(made, [], [], [], {replace(TASK, life=life)})

    assert tasks.begin_lives(["17", "18"]) == {"17": 1, "18": 1}
    assert accept("a", 1) == 1
    assert tasks.begin_lives(["17"]) == {"17": 2}
    assert (parameters.life("17"), parameters.life("18"), parameters.life("19")) == (2, 1, 0)
    with pytest.raises(SupersededError, match="camera-17"):
        accept("b", 1)
    assert accept("b", 2) == 1, "nothing of the refused call is there"
    assert accept("c", 0) == 1, "a camera without a life is not asked"


def test_a_supervisor_that_was_superseded_starts_no_camera(both: str) -> None:
    one, two = SqlTaskStore(both, "supervisor"), SqlTaskStore(both, "supervisor")
    one.load_tasks()
    two.load_tasks()
    with pytest.raises(SupersededError, match="supervisor"):
        one.begin_lives(["17"])
    with pytest.raises(SupersededError, match="supervisor"):
        one.load_tasks()
    assert two.begin_lives(["17"]) == {"17": 1}


async def test_a_pusher_that_was_superseded_ends_and_leaves_its_deliveries_to_the_other(url: str, tmp_path: Path) -> None:
    told: list[str] = []
    with Receiver() as receiver:
        register(url, receiver.url)
        old = pusher(url, tmp_path, SqlOutboxStore(url, "pusher-0"), on_superseded=told.append)
        await old.start()
        await old.publish(facts(2))
        await until(lambda: not SqlOutboxStore(url).waiting())  # what it has sent is noted, or the other would send it again
        new = pusher(url, tmp_path, SqlOutboxStore(url, "pusher-0"))
        await new.start()
        await new.publish(facts(4))
        await until(lambda: "pusher-0" in told)
        with pytest.raises(SupersededError, match="pusher-0"):
            await old.publish(facts(5))
        await until(lambda: len(receiver.pushes) >= 4)
        await old.stop()
        await new.stop()
    assert len({push.headers["webhook-id"] for push in receiver.pushes}) == len(receiver.pushes) == 4


async def test_a_pusher_refuses_an_earlier_life_of_a_camera_and_goes_on(url: str, tmp_path: Path) -> None:
    told: list[str] = []
    with Receiver() as receiver:
        register(url, receiver.url)
        made = pusher(url, tmp_path, SqlOutboxStore(url, "pusher-0"), on_superseded=told.append)
        await made.start()
        num = facts(1)[0].task.task_num
        SqlTaskStore(url).begin_lives([num])
        SqlTaskStore(url).begin_lives([num])
        first, second = facts(2)
        with pytest.raises(SupersededError, match=f"camera-{num}"):
            await made.publish([replace(first, task=replace(first.task, life=1))])
        assert await made.publish([replace(second, task=replace(second.task, life=2))]) == 1
        await until(lambda: len(receiver.pushes) == 1)
        await made.stop()
    assert told == []


def test_a_server_does_not_hold_rows_for_a_machine_that_vanished(postgres: str) -> None:
    with Database(postgres).session() as session:
        shown = [session.scalar(text(f"SHOW {name}")) for name in ("idle_in_transaction_session_timeout", "tcp_keepalives_idle")]
    assert shown == ["30s", "10"]
