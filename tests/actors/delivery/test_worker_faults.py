"""A receiver's own loop while stores break, clocks are set and the outbox fills up."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from actors.delivery.policy import DeliveryPolicy
from actors.delivery.ports import DELIVERED, Bounds
from actors.errors import StoreUnavailableError
from actors.pusher import Pusher
from api.database import Database
from api.outbox import SqlOutboxStore
from api.tables import ReceiverStateRow
from tests.actors.delivery.servers import Request, raw_receiver
from tests.actors.delivery.support import LATER, closed_port, facts, ok, pusher, register, rows, states, until


class BreakingStore(SqlOutboxStore):
    """Raises what nobody expects, or says that the database is away, as often as it is told."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.faults: dict[str, list[Exception]] = {}

    def _fault(self, name: str) -> None:
        if self.faults.get(name):
            raise self.faults[name].pop()

    def due(self, *arguments: object) -> object:
        self._fault("due")
        return super().due(*arguments)

    def record(self, outcomes: object) -> None:
        self._fault("record")
        super().record(outcomes)

    def interfaces(self) -> object:
        self._fault("interfaces")
        return super().interfaces()

    def accept(self, *arguments: object) -> int:
        self._fault("accept")
        return super().accept(*arguments)


@pytest.mark.parametrize("fault", [RuntimeError("surprise"), StoreUnavailableError("away")], ids=["unexpected", "away"])
@pytest.mark.parametrize("method", ["due", "record", "interfaces"])
async def test_loops_come_back_from_any_error_of_the_store(
    url: str, tmp_path: Path, method: str, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    store = BreakingStore(url)
    async with raw_receiver(ok) as receiver:
        register(url, receiver.url)
        made = pusher(url, tmp_path, store, refresh_s=0.05)
        if method != "interfaces":
            await made.publish(facts(3))
        store.faults[method] = [fault] * 2
        await made.start()
        made.interfaces_changed()
        await until(lambda: not store.faults[method])
        await until(lambda: made._loaded)
        if method == "interfaces":
            await made.publish(facts(3))
        await until(lambda: states(url) == [DELIVERED] * 3)
        await until(lambda: made.health()["storeError"] == made.health()["failure"] == "")
        await made.stop()
    assert str(fault) in caplog.text
    assert set(receiver.ids) == {row.id for row in rows(url)}


async def test_a_receiver_whose_loop_breaks_harms_no_other(url: str, tmp_path: Path) -> None:
    class OneBroken(SqlOutboxStore):
        def due(self, interface_id: int, *arguments: object) -> object:
            if interface_id == 1:
                raise RuntimeError("always")
            return super().due(interface_id, *arguments)

    async with raw_receiver(ok) as receiver:
        register(url, receiver.url)
        fine = register(url, receiver.url)
        made = pusher(url, tmp_path, OneBroken(url))
        await made.start()
        await made.publish(facts(5))
        await until(lambda: SqlOutboxStore(url).waiting() == {1: 5})
        assert "RuntimeError" in made.health()["failure"]
        await made.stop()
    assert fine == 2


async def test_publishing_says_when_nothing_was_persisted(url: str, tmp_path: Path) -> None:
    store = BreakingStore(url)
    register(url, "http://127.0.0.1:9/")
    made = pusher(url, tmp_path, store)
    store.faults["accept"] = [StoreUnavailableError("away")]
    with pytest.raises(StoreUnavailableError):
        await made.publish(facts(1))
    assert await made.publish(facts(1)) == 1
    await made.stop()


async def test_a_fact_without_a_body_is_counted_and_stops_nobody(url: str, tmp_path: Path) -> None:
    async with raw_receiver(ok) as receiver:
        register(url, receiver.url)
        made = pusher(url, tmp_path)
        await made.start()
        good, odd = facts(2)
        odd = replace(odd, task=replace(odd.task, time_zone="Nowhere/Land"))
        assert await made.publish([odd, good]) == 1
        await until(lambda: len(receiver.requests) == 1)
        assert made.health()["unencodable"] == 1
        await made.stop()


class Clock:
    """A wall clock that can be set."""

    def __init__(self) -> None:
        self.shift_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.shift_s


@pytest.mark.parametrize("step_s", [-3600.0, 40 * 86_400.0], ids=["back", "far ahead"])
async def test_a_step_of_the_clock_changes_no_schedule_and_drops_nothing(url: str, tmp_path: Path, step_s: float) -> None:
    answer = [503]

    async def behave(request: Request) -> None:
        await request.answer(answer[0])

    clock = Clock()
    async with raw_receiver(behave) as receiver:
        register(url, receiver.url)
        policy = DeliveryPolicy(schedule_s=(50.0,), jitter=0.0)
        made = pusher(url, tmp_path, policy=policy, clock=clock, clock_step_s=1000.0)
        await made.start()
        await made.publish(facts(1))
        await until(lambda: rows(url)[0].attempts == 1)
        planned = rows(url)[0].next_attempt_at
        clock.shift_s = step_s
        await until(lambda: abs(rows(url)[0].next_attempt_at - planned - step_s) < 5)
        assert SqlOutboxStore(url).prune(clock(), made._config.bounds) == {}
        answer[0] = 200
        clock.shift_s += 60  # a minute passes
        await until(lambda: states(url) == [DELIVERED])
        await made.stop()
    assert len(receiver.requests) == 2


async def test_nothing_is_dropped_for_its_age_before_the_step_of_the_clock_is_known(url: str, tmp_path: Path) -> None:
    pruned: list[float] = []

    class Watching(SqlOutboxStore):
        def shift_times(self, interface_id: int, delta_s: float) -> None:
            time.sleep(0.3)  # the pusher's own look comes first
            super().shift_times(interface_id, delta_s)

        def prune(self, now_s: float, bounds: Bounds) -> object:
            pruned.append(now_s)
            return super().prune(now_s, bounds)

    clock, store = Clock(), Watching(url)
    with closed_port() as nobody:
        register(url, nobody)
        made = pusher(url, tmp_path, store, policy=LATER, clock=clock, prune_s=0.0, refresh_s=0.02)
        await made.start()
        await made.publish(facts(5))
        await until(lambda: len(pruned) > 2)
        clock.shift_s = 400 * 86_400.0
        before = len(pruned)
        await until(lambda: len(pruned) > before + 3)
        assert pruned[-1] > time.time() + 399 * 86_400
        await made.stop()
    assert SqlOutboxStore(url).waiting() == {1: 5}


async def test_the_outbox_is_kept_within_its_bounds_while_running(url: str, tmp_path: Path) -> None:
    with closed_port() as nobody:
        register(url, nobody)
        made: Pusher = pusher(url, tmp_path, prune_s=0.0, refresh_s=0.05, bounds=Bounds(max_waiting=5))
        await made.start()
        await made.publish(facts(50))
        await until(lambda: SqlOutboxStore(url).waiting() == {1: 5})
        await until(lambda: made.health()["receivers"]["1"]["dropped"] == 45)
        assert any("丢弃" in notice for notice in made.health()["notices"])
        await made.stop()
    with Database(url).session() as session:
        assert session.get(ReceiverStateRow, 1).dropped == 45
