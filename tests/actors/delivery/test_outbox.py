"""The outbox over SQL: the same behaviour on SQLite and on a PostgreSQL server, and a cost that does not grow with it."""

import time
from dataclasses import replace

from sqlalchemy import text
from sqlmodel import select

from actors.delivery.outgoing import outgoing
from actors.delivery.ports import (
    DELIVERED,
    GIVEN_UP,
    RETRYING,
    WAITING,
    Attempt,
    Backlog,
    Bounds,
    Due,
    HeldItem,
    KnownStatus,
    KnownTask,
    Outcome,
    Outgoing,
    ReceiverState,
)
from api.database import Database
from api.outbox import LANE_HEADS, SqlOutboxStore
from api.tables import Delivery, DeliveryAttempt, HeldFact, Interface, Task, TaskStatusRow
from tests.actors.delivery.support import edit, register

HOUR, DAY = 3600.0, 86_400.0
NOW = 1_700_000_000.0
WIDE = Bounds()


def item(store: SqlOutboxStore, fact_id: str, order_key: str = "100", interface_id: int = 1, **changes: object) -> Outgoing:
    interface = next(row for row in store.interfaces() if row.interface_id == interface_id)
    return replace(outgoing(interface, fact_id, order_key, b'{"a":1}', "", NOW), **changes)


def put(store: SqlOutboxStore, *fact_ids: str, **changes: object) -> list[Outgoing]:
    made = [item(store, fact_id, **changes) for fact_id in fact_ids]
    assert store.accept(made, [], []) == len(made)
    return made


def note(store: SqlOutboxStore, delivery_id: str, state: str, next_at: float = 0.0, at: float = NOW) -> None:
    attempt = Attempt(delivery_id=delivery_id, at=at, status=500, latency_ms=3.5, excerpt="错 no")
    store.record([Outcome(attempt=attempt, state=state, next_attempt_at=next_at)])


def due(
    store: SqlOutboxStore, now_s: float = NOW, lanes: int = 8, per_lane: int = 32, busy: tuple = (), retries: int = 8
) -> list:
    return list(store.due(1, now_s, lanes, per_lane, frozenset(busy), retries))


def names(rows: list[Due]) -> list[str]:
    return [row.outgoing.fact_id for row in rows]


def test_what_is_accepted_twice_is_there_once(both: str) -> None:
    register(both, "http://r/")
    register(both, "http://s/")
    store = SqlOutboxStore(both)
    first = item(store, "f")
    assert store.accept([first, first], [], []) == 1
    assert store.accept([first, item(store, "f", interface_id=2)], [], []) == 1
    assert store.waiting() == {1: 1, 2: 1}


def test_a_delivery_comes_back_as_it_was_put_in(both: str) -> None:
    register(both, "http://r/")
    store = SqlOutboxStore(both)
    body = '{"taskName":"任务"}'.encode()
    (made,) = put(store, "f", body=body, pictures='{"imgBase64":"image/x.jpg"}')
    (row,) = due(store)
    assert row == Due(outgoing=made, attempts=0, age_from=NOW, in_lane=True)


def test_each_lane_is_offered_in_order_and_the_oldest_lane_first(both: str) -> None:
    register(both, "http://r/")
    store = SqlOutboxStore(both)
    for fact_id, task in (("b0", "b"), ("a0", "a"), ("b1", "b"), ("c0", "c"), ("a1", "a"), ("b2", "b")):
        put(store, fact_id, order_key=task)
    assert names(due(store)) == ["b0", "b1", "b2", "a0", "a1", "c0"]
    assert names(due(store, per_lane=2)) == ["b0", "b1", "a0", "a1", "c0"]
    assert names(due(store, lanes=1)) == ["b0", "b1", "b2"]
    assert names(due(store, lanes=1, busy=("b",))) == ["a0", "a1"]
    assert names(due(store, lanes=0)) == []


def test_a_head_that_has_to_wait_keeps_its_lane_and_no_other(both: str) -> None:
    register(both, "http://r/")
    store = SqlOutboxStore(both)
    head, _ = put(store, "a0", "a1", order_key="a")
    put(store, "b0", order_key="b")
    note(store, head.delivery_id, WAITING, NOW + 5)
    assert names(due(store)) == ["b0"]
    rows = due(store, NOW + 5)
    assert names(rows) == ["a0", "a1", "b0"]
    assert [row.attempts for row in rows] == [1, 0, 0]


def test_what_left_its_lane_comes_when_its_time_comes_and_delays_nothing(both: str) -> None:
    register(both, "http://r/")
    store = SqlOutboxStore(both)
    head, _ = put(store, "a0", "a1", order_key="a")
    note(store, head.delivery_id, RETRYING, NOW + 300)
    assert names(due(store)) == ["a1"]
    rows = due(store, NOW + 300)
    assert [(row.outgoing.fact_id, row.in_lane) for row in rows] == [("a1", True), ("a0", False)]
    assert names(due(store, NOW + 300, busy=(head.delivery_id,))) == ["a1"]
    assert names(due(store, NOW + 300, retries=0)) == ["a1"]


def test_attempts_are_kept_and_a_finished_delivery_stays_finished(both: str) -> None:
    register(both, "http://r/")
    store = SqlOutboxStore(both)
    (made,) = put(store, "f")
    note(store, made.delivery_id, RETRYING, NOW + 5)
    note(store, made.delivery_id, DELIVERED, at=NOW + 6)
    note(store, made.delivery_id, RETRYING, NOW + 9)
    note(store, "nobody's", DELIVERED)
    with Database(both).session() as session:
        row = session.scalars(select(Delivery)).one()
        attempts = session.scalars(select(DeliveryAttempt)).all()
    assert (row.state, row.attempts, row.finished_at) == (DELIVERED, 2, NOW + 6)
    assert {attempt.delivery_id for attempt in attempts} == {made.delivery_id}
    assert attempts[0].excerpt == "错 no"
    assert store.waiting() == {}


def test_an_older_status_does_not_replace_a_newer_one(both: str) -> None:
    store = SqlOutboxStore(both)

    def status(code: int, at: float) -> KnownStatus:
        return KnownStatus(task_num="1", task_name=f"n{code}", status=code, at=at)

    store.accept([], [], [status(2, NOW), status(1, NOW - 10)])
    store.accept([], [], [status(3, NOW - 1)])
    assert store.statuses() == (status(2, NOW),)
    store.accept([], [], [status(1, NOW), status(3, NOW + 1)])
    assert store.statuses() == (status(3, NOW + 1),)


def test_a_status_from_a_future_that_the_clock_took_back_is_replaced(both: str) -> None:
    store = SqlOutboxStore(both)
    ahead = KnownStatus(task_num="1", task_name="n", status=1, at=32_503_680_000.0)
    store.accept([], [], [ahead])
    store.accept([], [], [replace(ahead, status=3, at=NOW)])
    assert store.statuses()[0].status == 3


def test_held_items_become_deliveries_in_one_step(both: str) -> None:
    register(both, "http://r/", trigger_condition=1, upload_period=10)
    store = SqlOutboxStore(both)
    made = [
        HeldItem(interface_id=1, fact_id=f"h{i}", order_key="1", body=b"{}", pictures="", created_at=NOW - i) for i in range(5)
    ]
    assert store.accept([], made, []) == 5
    assert store.accept([], made, []) == 0
    assert list(store.held(1, 3)) == made[:3]
    store.close_period(1, [item(store, "p")], ["h0", "h1", "h2"])
    assert list(store.held(1, 9)) == made[3:]
    assert store.backlog() == {1: Backlog(waiting=1, size_bytes=7, held=2)}


def test_tasks_and_interfaces_are_read_with_what_delivery_needs(both: str) -> None:
    register(both, "http://r/", accept_2xx=True, secret="whsec_a", previous_secret="whsec_b", previous_secret_until=NOW)
    register(both, "http://s/", enabled=False)
    with Database(both).session() as session:
        session.add(Task(task_num="2", task_name="二", src_address="x", enabled=False))
        session.add(Task(task_num="1", task_name="一", src_address="x"))
        session.commit()
    store = SqlOutboxStore(both)
    (interface,) = store.interfaces()
    assert (interface.accept_2xx, interface.secrets) == (True, (("whsec_a", float("inf")), ("whsec_b", NOW)))
    assert "whsec" not in repr(interface)
    first, second = store.tasks()
    assert first == KnownTask(task_num="1", task_name="一", enabled=True)
    assert second == KnownTask(task_num="2", task_name="二", enabled=False)


def test_a_disabled_interface_keeps_what_waits_for_it(both: str) -> None:
    register(both, "http://r/")
    store = SqlOutboxStore(both)
    put(store, "f")
    state = ReceiverState(failing_since=1.0, failures=20, last_failure_at=2.0, disabled_at=NOW, disabled_reason="连续失败")
    store.save_receiver_state(1, state, disable=True)
    assert store.interfaces() == ()
    assert store.receiver_states() == {1: state}
    assert store.waiting() == {1: 1}
    edit(both, 1, enabled=True)
    assert names(due(store)) == ["f"]


def test_times_move_with_the_clock(both: str) -> None:
    register(both, "http://r/")
    store = SqlOutboxStore(both)
    first, second, third = put(store, "a", "b", "c")
    note(store, first.delivery_id, RETRYING, NOW + 100)
    note(store, third.delivery_id, DELIVERED)
    store.shift_times(1, -HOUR)
    rows = {row.outgoing.fact_id: row for row in due(store, NOW + 100 - HOUR)}
    assert rows["a"].age_from == NOW - HOUR
    assert rows["b"].outgoing == second
    assert names(due(store, NOW + 99 - HOUR)) == ["b"]


def test_an_outbox_over_its_number_drops_the_oldest(both: str) -> None:
    register(both, "http://r/")
    store = SqlOutboxStore(both)
    put(store, *(f"f{i}" for i in range(10)))
    assert store.prune(NOW, replace(WIDE, max_waiting=4)) == {1: 6}
    assert names(due(store)) == ["f6", "f7", "f8", "f9"]
    assert store.backlog()[1].dropped == 6
    assert store.prune(NOW, replace(WIDE, max_waiting=4)) == {}


def test_an_outbox_over_its_bytes_drops_until_it_fits(both: str) -> None:
    register(both, "http://r/")
    store = SqlOutboxStore(both)
    put(store, *(f"f{i}" for i in range(10)), body=b"x" * 100)
    assert store.prune(NOW, replace(WIDE, max_bytes=350)) == {1: 7}
    assert store.backlog() == {1: Backlog(waiting=3, size_bytes=300, dropped=7)}


def test_periodic_data_goes_first_and_events_last(both: str) -> None:
    events = register(both, "http://r/", business_type=11)
    periodic = register(both, "http://r/", trigger_condition=1, upload_period=10)
    single = register(both, "http://r/")
    store = SqlOutboxStore(both)
    for interface_id in (events, periodic, single):
        put(store, *(f"f{i}" for i in range(4)), interface_id=interface_id, body=b"x" * 100)
    assert store.prune(NOW, replace(WIDE, max_total_bytes=900)) == {periodic: 3}
    assert store.prune(NOW, replace(WIDE, max_total_bytes=600)) == {periodic: 1, single: 2}
    assert store.prune(NOW, replace(WIDE, max_total_bytes=300)) == {single: 2, events: 1}
    assert store.waiting() == {events: 3}


def test_what_is_too_old_is_dropped_and_counted(both: str) -> None:
    register(both, "http://r/")
    store = SqlOutboxStore(both)
    put(store, "old", created_at=NOW - 77 * HOUR)
    put(store, "young", created_at=NOW - 75 * HOUR)
    assert store.prune(NOW, WIDE) == {1: 1}
    assert names(due(store)) == ["young"]


def test_finished_deliveries_go_with_age_and_number_and_take_their_attempts_along(both: str) -> None:
    register(both, "http://r/")
    store = SqlOutboxStore(both)
    made = put(store, *(f"f{i}" for i in range(6)))
    for i, row in enumerate(made[:5]):
        note(store, row.delivery_id, GIVEN_UP, at=NOW - i * DAY)
    assert store.prune(NOW, replace(WIDE, keep_s=3.5 * DAY)) == {}
    assert store.prune(NOW, replace(WIDE, keep_finished=2)) == {}
    with Database(both).session() as session:
        left = set(session.scalars(select(Delivery.fact_id)).all())
        attempts = session.scalars(select(DeliveryAttempt.delivery_id)).all()
    assert left == {"f0", "f1", "f5"}
    assert set(attempts) == {made[0].delivery_id, made[1].delivery_id}


def test_a_deleted_interface_takes_everything_along(both: str) -> None:
    register(both, "http://r/")
    store = SqlOutboxStore(both)
    put(store, "f")
    store.accept([], [HeldItem(interface_id=1, fact_id="h", order_key="1", body=b"{}", pictures="", created_at=NOW)], [])
    store.save_receiver_state(1, ReceiverState(failures=1), disable=False)
    with Database(both).session() as session:
        session.delete(session.get(Interface, 1))
        session.commit()
    assert store.prune(NOW, WIDE) == {}
    with Database(both).session() as session:
        assert session.scalars(select(Delivery)).all() == []
        assert session.scalars(select(HeldFact)).all() == []
    assert store.receiver_states() == {}


def test_held_items_of_a_period_that_never_ends_are_bounded(both: str) -> None:
    register(both, "http://r/", trigger_condition=1, upload_period=10)
    store = SqlOutboxStore(both)
    held = [HeldItem(interface_id=1, fact_id=f"h{i}", order_key="1", body=b"{}", pictures="", created_at=NOW) for i in range(9)]
    store.accept([], held, [])
    assert store.prune(NOW, replace(WIDE, max_waiting=4)) == {1: 5}
    assert list(store.held(1, 99)) == held[5:]


def test_an_item_that_is_stated_again_after_its_period_was_composed_is_known_for_a_while(both: str) -> None:
    register(both, "http://r/", trigger_condition=1, upload_period=10)
    store = SqlOutboxStore(both)
    held = [HeldItem(interface_id=1, fact_id=f"h{i}", order_key="1", body=b"{}", pictures="", created_at=NOW) for i in range(3)]
    assert store.accept([], held[:2], []) == 2
    store.close_period(1, [item(store, "period")], ["h0", "h1"])
    assert store.accept([], held, []) == 1, "the first two have gone out"
    assert [kept.fact_id for kept in store.held(1, 9)] == ["h2"]
    other = [replace(kept, interface_id=2) for kept in held]
    assert store.accept([], other, []) == 3, "another interface has not had them"
    store.prune(time.time() + 800, WIDE)
    assert store.accept([], held, []) == 0
    store.prune(time.time() + 1000, replace(WIDE, max_age_s=1e12, keep_s=1e12))
    assert store.accept([], held[:2], []) == 2, "forgotten, so that nothing grows for ever"


# -- cost -----------------------------------------------------------------------------------------------------------------


def fill(url: str, count: int, tasks: int) -> None:
    """``count`` waiting deliveries of one interface, spread over tasks, and some that failed or are delivered."""
    rows = [
        {
            "id": f"{state}-{i}", "sequence": i, "interface_id": 1, "fact_id": f"{state}-{i}", "order_key": f"task-{i % tasks}",
            "kind": 21, "body": b"x" * 300, "size": 300, "pictures": "", "state": state, "attempts": 0, "priority": 1,
            "next_attempt_at": NOW + i if state == RETRYING else 0.0, "created_at": NOW, "age_from": NOW,
            "finished_at": NOW if state == DELIVERED else 0.0,
        }
        for state, number in ((WAITING, count), (RETRYING, count // 5), (DELIVERED, count // 5))
        for i in range(number)
    ]  # fmt: skip
    with Database(url).session() as session:
        session.execute(Delivery.__table__.insert(), rows)
        session.commit()
        session.execute(text("ANALYZE"))
        session.commit()


def sqlite_steps(url: str, call) -> int:
    """Instructions of SQLite's virtual machine that ``call`` takes, in thousands: work without a clock."""
    engine, counted = Database(url).engine, [0]

    def tick() -> int:
        counted[0] += 1
        return 0

    with engine.connect() as connection:  # the pool hands the same connection to the call
        driver = connection.connection.driver_connection
    driver.set_progress_handler(tick, 1000)
    try:
        call()
    finally:
        driver.set_progress_handler(None, 1000)
    return counted[0]


def test_a_look_into_a_full_outbox_costs_no_more_than_into_a_small_one(url: str, tmp_path) -> None:
    register(url, "http://r/")
    fill(url, 100_000, 50)
    small = f"sqlite:///{tmp_path}/small.sqlite3"
    Database(small).migrate()
    register(small, "http://r/")
    fill(small, 1000, 50)

    def look(address: str) -> int:
        store = SqlOutboxStore(address)
        store.interfaces()
        return sqlite_steps(address, lambda: store.due(1, NOW + 10, 8, 32, frozenset(), 4))

    few, many = look(small), look(url)
    assert many <= few + 3, f"{many} thousand steps in a full outbox, {few} in a small one"
    known = SqlOutboxStore(url)
    again = [item(known, f"waiting-{i}") for i in range(20)]
    assert sqlite_steps(url, lambda: known.accept(again, [], [])) <= 20
    plan = explain(url, "EXPLAIN QUERY PLAN ")
    assert "ix_delivery_lane" in plan
    assert "SCAN delivery" not in plan


def test_postgresql_finds_lanes_by_index_as_well(postgres: str) -> None:
    register(postgres, "http://r/")
    fill(postgres, 20_000, 50)
    plan = explain(postgres, "EXPLAIN ")
    assert "ix_delivery_lane" in plan
    assert "Seq Scan on delivery" not in plan


def explain(url: str, prefix: str) -> str:
    with Database(url).session() as session:
        rows = session.execute(text(prefix + LANE_HEADS), {"interface_id": 1, "now_s": NOW, "lanes": 8}).all()
    return "\n".join(" ".join(map(str, row)) for row in rows)


def test_the_first_version_of_the_tables_is_brought_up_to_date(tmp_path) -> None:
    from alembic import command
    from alembic.config import Config

    url = f"sqlite:///{tmp_path}/old.sqlite3"
    database, config = Database(url), Config()
    config.set_main_option("script_location", "api/migrations")
    config.attributes["engine"] = database.engine
    command.upgrade(config, "0001")
    with database.session() as session:
        session.execute(text("INSERT INTO push_interface VALUES (1,'r',21,2,0,1,1,'http://r/',0,'','','',1,'',1,0,0)"))
        session.execute(text("INSERT INTO delivery VALUES ('d',1,1,'f','100',21,x'7b7d','','waiting',0,0,:now,0)"), {"now": NOW})
        session.commit()
    database.migrate()
    (row,) = SqlOutboxStore(url).due(1, NOW, 8, 8, frozenset(), 8)
    assert (row.outgoing.body, row.age_from) == (b"{}", NOW)
    assert SqlOutboxStore(url).backlog() == {1: Backlog(waiting=1, size_bytes=2)}


def test_a_status_row_is_one_per_task(both: str) -> None:
    store = SqlOutboxStore(both)
    store.accept([], [], [KnownStatus(task_num=str(i), task_name="n", status=1, at=NOW) for i in range(3)] * 2)
    with Database(both).session() as session:
        assert len(session.scalars(select(TaskStatusRow)).all()) == 3
