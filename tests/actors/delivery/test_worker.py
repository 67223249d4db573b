"""A receiver's own loop: order, isolation, circuit breaker, edits, draining, what ends it."""

import asyncio
import json
import time
from pathlib import Path

from actors.delivery.breaker import BreakerConfig
from actors.delivery.health import HealthPolicy
from actors.delivery.policy import DeliveryPolicy
from actors.delivery.ports import DELIVERED, GIVEN_UP, RETRYING, WAITING, ReceiverState
from api.database import Database
from api.outbox import SqlOutboxStore
from api.tables import Interface
from tests.actors.delivery.servers import Request, raw_receiver
from tests.actors.delivery.support import (
    LATER,
    OPEN_NEVER,
    closed_port,
    edit,
    facts,
    moment,
    ok,
    pusher,
    register,
    rows,
    states,
    until,
)


async def test_order_within_a_task_is_kept_while_the_receiver_is_healthy(url: str, tmp_path: Path) -> None:
    async with raw_receiver(ok) as receiver:
        register(url, receiver.url)
        made = pusher(url, tmp_path, per_lane=3)
        await made.start()
        for first in range(0, 60, 10):
            await made.publish([fact for task in "abcde" for fact in facts(10, task, first)])
        await until(lambda: len(receiver.requests) == 300)
        await made.stop()
    for task in "abcde":
        times = [moment(r) for r in receiver.requests if json.loads(r.body)["taskNum"] == task]
        assert times == sorted(times)
        assert len(set(times)) == 60


async def test_a_body_that_is_always_refused_does_not_hold_up_its_task(url: str, tmp_path: Path) -> None:
    poison = "2018-01-01 12:09:18"

    async def refuse_one(request: Request) -> None:
        await request.answer(400 if moment(request) == poison else 200)

    async with raw_receiver(refuse_one) as receiver:
        register(url, receiver.url)
        made = pusher(url, tmp_path, policy=LATER)
        await made.start()
        await made.publish(facts(20))
        await until(lambda: states(url) == [RETRYING] + [DELIVERED] * 19)
        await made.stop()
    assert len(receiver.requests) == 20


async def test_a_body_that_makes_the_receiver_hang_does_not_hold_up_its_task(url: str, tmp_path: Path) -> None:
    poison = "2018-01-01 12:09:18"

    async def hang_on_one(request: Request) -> None:
        if moment(request) == poison:
            await asyncio.sleep(60)
        await request.answer(200)

    async with raw_receiver(hang_on_one) as receiver:
        register(url, receiver.url)
        policy = DeliveryPolicy(schedule_s=(0.01, 0.01, 3600.0))
        made = pusher(url, tmp_path, policy=policy, timeout_s=0.2)
        await made.start()
        await made.publish(facts(20))
        await until(lambda: states(url) == [RETRYING] + [DELIVERED] * 19)
        await made.stop()
    assert rows(url)[0].attempts == 3


async def test_a_receiver_that_is_away_for_a_moment_gets_everything_in_order(url: str, tmp_path: Path) -> None:
    away = [2]

    async def restart(request: Request) -> None:
        if away[0]:
            away[0] -= 1
            request.writer.close()
        else:
            await request.answer(200)

    async with raw_receiver(restart) as receiver:
        register(url, receiver.url)
        made = pusher(url, tmp_path)
        await made.start()
        await made.publish(facts(10))
        await until(lambda: states(url) == [DELIVERED] * 10)
        await made.stop()
    assert len(set(receiver.ids[:3])) == 1, "the head of the lane is tried again before anything else"
    assert [moment(r) for r in receiver.requests[2:]] == sorted(moment(r) for r in receiver.requests[2:])


async def test_a_dead_and_a_hanging_receiver_delay_no_other(url: str, tmp_path: Path) -> None:
    async def hang(request: Request) -> None:
        await asyncio.sleep(60)

    with closed_port() as nobody:
        async with raw_receiver(hang) as hanging, raw_receiver(ok) as healthy:
            register(url, hanging.url)
            register(url, nobody)
            fine = register(url, healthy.url)
            made = pusher(url, tmp_path, timeout_s=50.0, drain_s=0.2)
            await made.start()
            many = [fact for task in range(20) for fact in facts(20, f"t{task}")]
            await made.publish(many)
            await until(lambda: len(healthy.requests) == 400)  # while not one of the hanging ones has ended
            await until(lambda: fine not in SqlOutboxStore(url).waiting())
            assert 1 <= len(hanging.requests) <= 8
            await made.stop()
    assert SqlOutboxStore(url).waiting() == {1: 400, 2: 400}


async def test_an_open_circuit_spares_the_receiver_and_probes_close_it(url: str, tmp_path: Path) -> None:
    answer = [500]

    async def behave(request: Request) -> None:
        await request.answer(answer[0])

    async with raw_receiver(behave) as receiver:
        register(url, receiver.url)
        breaker = BreakerConfig(first_pause_s=0.2, longest_pause_s=0.4)
        made = pusher(url, tmp_path, breaker=breaker)
        await made.start()
        await made.publish([fact for task in range(30) for fact in facts(5, f"t{task}")])
        await until(lambda: made.health()["receivers"]["1"]["circuit"] != "closed")
        seen = len(receiver.requests)
        assert seen <= 10 + 8, "ten decide, and as many as were under way"
        await until(lambda: len(receiver.requests) >= seen + 3)
        assert len(set(receiver.ids[-3:])) == 3, "probes try fresh deliveries: one bad body cannot keep the circuit open"
        answer[0] = 200
        await until(lambda: states(url) == [DELIVERED] * 150)
        assert made.health()["receivers"]["1"]["circuit"] == "closed"
        await made.stop()


async def test_retry_after_silences_the_whole_receiver(url: str, tmp_path: Path) -> None:
    async def busy(request: Request) -> None:
        await request.answer(429, "retry-after: 30\r\n")

    async with raw_receiver(busy) as receiver:
        register(url, receiver.url)
        made = pusher(url, tmp_path, concurrency=1)
        await made.start()
        await made.publish(facts(20))
        await until(lambda: rows(url)[0].attempts == 1)
        await made.publish(facts(20, "other"))
        await until(lambda: made.health()["receivers"]["1"]["circuit"] == "open")
        await made.stop()
    assert len(receiver.requests) == 1
    assert rows(url)[0].next_attempt_at > time.time() + 20


async def test_an_edit_neither_sends_again_nor_cuts_off_what_is_under_way(url: str, tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def slow(request: Request) -> None:
        await gate.wait()
        await request.answer(200)

    async with raw_receiver(slow) as old, raw_receiver(ok) as new:
        interface = register(url, old.url)
        made = pusher(url, tmp_path, drain_s=10.0)
        await made.start()
        await made.publish(facts(3))
        await until(lambda: len(old.requests) == 1)
        edit(url, interface, url=new.url, name="edited")
        made.interfaces_changed()
        await until(lambda: made._workers[interface].interface.url == new.url)
        gate.set()
        await until(lambda: states(url) == [DELIVERED] * 3)
        await made.stop()
    assert (len(old.requests), len(new.requests)) == (1, 2)
    assert all(row.attempts == 1 for row in rows(url))


async def test_stopping_waits_for_what_is_under_way_and_notes_it(url: str, tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def slow(request: Request) -> None:
        await gate.wait()
        await request.answer(200)

    async with raw_receiver(slow) as receiver:
        register(url, receiver.url)
        made = pusher(url, tmp_path, drain_s=30.0)
        await made.start()
        await made.publish(facts(5))
        await until(lambda: len(receiver.requests) == 1)
        stopping = asyncio.create_task(made.stop())
        await asyncio.sleep(0.1)
        assert not stopping.done()
        gate.set()
        await stopping
    assert states(url) == [DELIVERED] + [WAITING] * 4
    assert len(receiver.requests) == 1


async def test_stopping_is_bounded_and_what_was_cut_off_comes_again_with_its_id(url: str, tmp_path: Path) -> None:
    hang = [True]

    async def behave(request: Request) -> None:
        if hang[0]:
            await asyncio.sleep(60)
        await request.answer(200)

    async with raw_receiver(behave) as receiver:
        register(url, receiver.url)
        made = pusher(url, tmp_path, timeout_s=50.0, drain_s=0.2)
        await made.start()
        await made.publish(facts(1))
        await until(lambda: len(receiver.requests) == 1)
        await asyncio.wait_for(made.stop(), 10)
        hang[0] = False
        again = pusher(url, tmp_path)
        await again.start()
        await until(lambda: states(url) == [DELIVERED])
        await again.stop()
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


async def test_deleting_an_interface_ends_its_loop_and_its_connections(url: str, tmp_path: Path) -> None:
    async with raw_receiver(ok) as receiver:
        interface = register(url, receiver.url)
        made = pusher(url, tmp_path, refresh_s=0.05)
        await made.start()
        await made.publish(facts(1))
        await until(lambda: states(url) == [DELIVERED])
        with Database(url).session() as session:
            session.delete(session.get(Interface, interface))
            session.commit()
        made.interfaces_changed()
        await until(lambda: not made._running and not made._sender._clients)
        assert made.health()["receivers"] == {}
        await made.stop()


async def test_a_probe_that_hangs_costs_no_work(url: str, tmp_path: Path) -> None:
    answer = [500]

    async def behave(request: Request) -> None:
        if answer[0] == 0:
            hanging.append(request)
            await asyncio.sleep(60)
        await request.answer(answer[0])

    class Counting(SqlOutboxStore):
        def due(self, *arguments: object) -> object:
            looks.append(arguments)
            return super().due(*arguments)

    looks: list[object] = []
    hanging: list[Request] = []
    async with raw_receiver(behave) as receiver:
        register(url, receiver.url)
        breaker = BreakerConfig(first_pause_s=0.1, longest_pause_s=0.1)
        made = pusher(url, tmp_path, Counting(url), breaker=breaker, timeout_s=50.0, drain_s=0.1, idle_s=10.0)
        await made.start()
        await made.publish([fact for task in range(30) for fact in facts(5, f"t{task}")])
        await until(lambda: made.health()["receivers"]["1"]["circuit"] != "closed")
        opened = len(receiver.requests)
        await until(lambda: len(receiver.requests) >= opened + 10)  # by now only probes are under way
        answer[0] = 0
        await until(lambda: len(hanging) == 1)
        seen = len(looks)
        made.interfaces_changed()  # wakes the loop
        await asyncio.sleep(0.5)
        assert len(looks) - seen <= 2
        await made.stop()


async def test_410_disables_the_interface_and_keeps_what_waits(url: str, tmp_path: Path) -> None:
    async def gone(request: Request) -> None:
        await request.answer(410)

    async with raw_receiver(gone) as receiver:
        interface = register(url, receiver.url)
        made = pusher(url, tmp_path, concurrency=1, refresh_s=0.05)
        await made.start()
        await made.publish(facts(5))
        await until(lambda: SqlOutboxStore(url).interfaces() == ())
        await until(lambda: not made._running)
        assert states(url) == [GIVEN_UP] + [WAITING] * 4
        assert "410" in SqlOutboxStore(url).receiver_states()[interface].disabled_reason
        assert any("410" in notice for notice in made.health()["notices"])
        assert len(receiver.requests) == 1
        await made.stop()


async def test_a_receiver_that_fails_for_too_long_is_disabled_after_a_notice(url: str, tmp_path: Path) -> None:
    async def broken(request: Request) -> None:
        await request.answer(500)

    health = HealthPolicy(notice_after_s=0.1, disable_after_s=0.5, least_failures=3, longest_gap_s=60)
    async with raw_receiver(broken) as receiver:
        interface = register(url, receiver.url)
        made = pusher(url, tmp_path, health=health, breaker=OPEN_NEVER, refresh_s=0.05)
        await made.start()
        await made.publish(facts(1))
        await until(lambda: SqlOutboxStore(url).interfaces() == ())
        await until(lambda: not made._running)
        first, last = made.health()["notices"]
        assert "自动停用" in first
        assert "已自动停用" in last
        await made.stop()
        made = pusher(url, tmp_path, health=health, breaker=OPEN_NEVER, refresh_s=0.05)
        await made.start()
        await until(lambda: any("已自动停用" in notice for notice in made.health()["notices"]))  # a restart does not forget it
        # Enabled again by an operator, it starts anew instead of being disabled by its next failure.
        edit(url, interface, enabled=True)
        made.interfaces_changed()
        await until(lambda: interface in made._workers)
        assert made._workers[interface].state.disabled_at == 0
        await made.stop()


async def test_failures_survive_a_restart_of_the_pusher(url: str, tmp_path: Path) -> None:
    async def broken(request: Request) -> None:
        await request.answer(500)

    async with raw_receiver(broken) as receiver:
        register(url, receiver.url)
        made = pusher(url, tmp_path, breaker=OPEN_NEVER)
        await made.start()
        await made.publish(facts(1))
        await until(lambda: len(receiver.requests) >= 3)
        await made.stop()
        before = SqlOutboxStore(url).receiver_states()[1]
        again = pusher(url, tmp_path, breaker=OPEN_NEVER)
        await again.start()
        await until(lambda: len(receiver.requests) >= 6)
        await again.stop()
    after = SqlOutboxStore(url).receiver_states()[1]
    assert before.failing_since == after.failing_since > 0
    assert after.failures > before.failures >= 3


async def test_a_notice_is_told_again_by_the_next_pusher_while_it_holds(url: str, tmp_path: Path) -> None:
    with closed_port() as address:
        failing, well = register(url, address), register(url, address)
        now_s, day_s = time.time(), 86_400.0
        state = ReceiverState(failing_since=now_s - 4.5 * day_s, failures=99, last_failure_at=now_s, notice_at=now_s - day_s / 2)
        SqlOutboxStore(url).save_receiver_state(failing, state, False)
        SqlOutboxStore(url).save_receiver_state(well, ReceiverState(last_success_at=now_s), False)
        made = pusher(url, tmp_path)
        await made.start()
        await until(lambda: bool(made.health()["notices"]))
        (notice,) = made.health()["notices"]
        assert f"接口 {failing}" in notice
        assert "disabled in 0.5" in notice
        await made.stop()
