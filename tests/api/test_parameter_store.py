"""The parameter store on SQLite and on a real PostgreSQL server."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import Session, select

from actors.aggregator import Aggregator, AggregatorConfig
from api.database import Database
from api.history import lane_buckets, people_buckets
from api.parameter_store import SqlParameterStore
from api.tables import AggregatorState, Interface, LaneHistory, PeopleHistory, Task
from tests.actors.test_aggregator import START, TASK, Outbox, batch
from traffic.aggregation import TaskAggregator
from traffic.facts import LaneParameters, PeopleParameters

server = pytest.importorskip("tests.actors.delivery.postgres")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "postgresql":
        with server.server_url() as made:
            Database(made).migrate()
            yield made
        return
    made = f"sqlite:///{tmp_path_factory.mktemp('store') / Path('wayside.db')}"
    Database(made).migrate()
    yield made


@pytest.fixture(autouse=True)
def empty(url: str) -> None:
    with Database(url).session() as session:
        for table in (LaneHistory, PeopleHistory, AggregatorState, Interface, Task):
            for row in session.exec(select(table)).all():
                session.delete(row)
        session.commit()


def minutes(number: int) -> list[tuple[str, LaneParameters | PeopleParameters]]:
    aggregator = TaskAggregator((60,))
    found = [p for n in range(1, 60 * number + 1) for p in aggregator.accept(batch(n))]
    return [("7", p) for p in (*found, *aggregator.finish())]


def rows(session: Session, table: type) -> list:
    return list(session.exec(select(table)).all())


def test_a_state_comes_back_and_is_replaced(url: str) -> None:
    store = SqlParameterStore(url)
    assert store.load("7") is None
    store.save({"7": "first"}, [])
    store.save({"7": "second"}, [])
    assert store.load("7") == "second"


def test_a_minute_saved_twice_is_there_once_and_the_newest_counts(url: str) -> None:
    store = SqlParameterStore(url)
    found = minutes(2)
    store.save({}, found)
    store.save({}, [("7", replace(p, observed_s=30.0)) for _, p in found if isinstance(p, LaneParameters)])
    with Database(url).session() as session:
        lanes, people = rows(session, LaneHistory), rows(session, PeopleHistory)
        assert [(row.close_s - START, row.vehicles, row.observed_s) for row in lanes] == [(60, 60, 30.0), (120, 60, 30.0)]
        assert [(row.code, row.people_in) for row in people] == [(3, 60), (3, 60)]
        assert lane_buckets(lanes, 120)[0]["vehicles"] == 120
        assert people_buckets(people, 120)[0]["peopleIn"] == 120


def test_only_enabled_periodic_interfaces_of_parameters_and_people_name_periods(url: str) -> None:
    kinds = ((22, 1, 10, True), (41, 1, 30, True), (22, 1, 15, False), (21, 1, 20, True), (41, 2, 40, True))
    with Database(url).session() as session:
        for business, trigger, period, enabled in kinds:
            session.add(
                Interface(
                    name="x",
                    business_type=business,
                    trigger_condition=trigger,
                    upload_period=period,
                    url="http://x/",
                    enabled=enabled,
                )
            )
        session.commit()
    assert SqlParameterStore(url).periods() == {10, 30}


def test_old_history_and_states_of_deleted_tasks_are_forgotten(url: str) -> None:
    store = SqlParameterStore(url)
    with Database(url).session() as session:
        session.add(Task(task_num="8", task_name="", src_address="x"))
        session.commit()
    store.save({"7": "gone", "8": "kept"}, minutes(3))  # of 2023
    assert store.prune(90 * 86_400) == 6
    assert (store.load("7"), store.load("8")) == (None, "kept")


def test_an_aggregator_that_is_killed_goes_on_from_it(url: str) -> None:
    store, outbox, clock, pending = SqlParameterStore(url), Outbox(), [0.0], []
    with Database(url).session() as session:
        session.add(Task(task_num="7", task_name="", src_address="x"))
        session.add(Interface(name="x", business_type=22, trigger_condition=1, upload_period=10, url="http://x/", enabled=True))
        session.commit()
    aggregator = Aggregator(store, outbox, AggregatorConfig(save_s=3.0, history_days=1e5), lambda: clock[0])
    for sequence in range(1, 121):
        clock[0] += 1.0
        pending.append(batch(sequence))
        durable = aggregator.accept(TASK, pending, ended=sequence == 120)
        pending = [b for b in pending if b.sequence > durable]
        if sequence % 17 == 0:
            aggregator = Aggregator(store, outbox, AggregatorConfig(save_s=3.0, history_days=1e5), lambda: clock[0])
    assert [lane.vehicles for lane in outbox.lanes(10)] == [10] * 12
    with Database(url).session() as session:
        assert [row.vehicles for row in rows(session, LaneHistory)] == [60, 60]
