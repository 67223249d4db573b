"""The history over both databases: kept with the facts, once, in all their phases, for as long as it is wanted."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from actors.delivery.ports import Bounds
from actors.ports import FactEnvelope
from api import events, vehicles
from api.audit import COMMAND_LINE
from api.database import Database
from api.events import EventFilter
from api.outbox import SqlOutboxStore
from api.records import BY_RESTART
from api.tables import EventRow, VehicleRow
from api.vehicles import VehicleFilter
from tests.actors.delivery.conftest import both, postgres, postgres_url, url
from tests.actors.delivery.support import facts, pusher, register
from tests.api.test_wire_events import EVENT, envelope
from tests.api.test_wire_parameters import CROWD
from tests.api.test_wire_parameters import envelope as wrapped
from traffic.facts import EventKind, EventPhase, TaskStatus, TaskStatusCode, VehicleLooks, VehiclePassage

__all__ = ["both", "postgres", "postgres_url", "url"]  # fixtures
T = EVENT.time_s


def stated(phase: EventPhase, name: str = "e1", at_s: float = 0.0, **changes: object) -> FactEnvelope:
    fact = replace(EVENT, event_id=name, phase=phase, time_s=T + at_s, **changes)
    return replace(envelope(fact), fact_id=f"{name}-{phase}")


RAISED, CLOSED = stated(EventPhase.RAISED), stated(EventPhase.CLOSED, at_s=60)
UPGRADED = stated(EventPhase.UPGRADED, at_s=20, kind=EventKind.ACCIDENT, confidence=0.99)


def status(time_s: float, first: bool) -> FactEnvelope:
    fact = TaskStatus(status=TaskStatusCode.ANALYSING, reason="", time_s=time_s, first=first)
    return replace(wrapped(fact), fact_id=f"status-{time_s}")


def rows(address: str) -> list[EventRow]:
    with Database(address).session() as session:
        return list(session.exec(select(EventRow).order_by(EventRow.id)).all())


@pytest.fixture
async def publish(both: str, tmp_path: Path):
    """Persists facts as a pusher does, but sends nothing."""
    made, store = pusher(both, tmp_path), SqlOutboxStore(both)

    async def call(*envelopes: FactEnvelope) -> Sequence[EventRow]:
        made._interfaces = {row.interface_id: row for row in store.interfaces()}
        store.accept(*made._encode(envelopes), made._history(envelopes))
        return rows(both)

    return call


async def test_an_event_is_kept_through_all_its_phases_with_the_bodies_as_pushed(publish) -> None:
    (row,) = await publish(RAISED)
    assert (row.kind, row.raised_at, row.closed_at, row.plate_num) == (1001, T, 0.0, "川A66666")
    assert json.loads(row.body)["recordContent"] == "车辆违停"
    assert json.loads(row.box) == [182.4, 224.6, 276.6, 365.2]
    (row,) = await publish(UPGRADED)
    assert (row.kind, row.first_kind, row.upgraded_at, row.confidence) == (1013, 1001, T + 20, 0.99)
    assert json.loads(row.upgraded_body)["recordType"] == 1013
    assert json.loads(row.body)["recordType"] == 1001
    (row,) = await publish(CLOSED)
    assert (row.closed_at, row.closed_by) == (T + 60, "")


async def test_repeats_change_nothing(publish, both: str) -> None:
    await publish(RAISED, UPGRADED, CLOSED)
    (before,) = [row.model_dump() for row in rows(both)]
    await publish(RAISED, UPGRADED, CLOSED)
    await publish(UPGRADED)
    await publish(CLOSED)
    (after,) = [row.model_dump() for row in rows(both)]
    assert after == before


async def test_events_of_different_tasks_and_incidents_are_different(publish) -> None:
    other = replace(RAISED, task=replace(RAISED.task, task_num="112"), fact_id="x")
    assert len(await publish(RAISED, other, stated(EventPhase.RAISED, "e2"))) == 3
    assert len(await publish(CLOSED)) == 3, "an end of nothing is nothing"


async def test_a_camera_process_that_begins_anew_ends_what_the_one_before_left_open(publish, both: str) -> None:
    await publish(RAISED)
    (row,) = await publish(status(time.time() + 1, first=False))
    assert not row.closed_at, "a reconnection ends nothing"
    began = status(time.time() + 1, first=True)
    (row,) = await publish(began)
    assert (row.closed_at, row.closed_by) == (T, BY_RESTART)
    with Database(both).session() as session:
        session.add(EventRow(**rows(both)[0].model_dump() | {"id": 99, "event_id": "late", "closed_at": 0.0,
                                                              "recorded_at": time.time() + 5}))  # fmt: skip
        session.commit()
    assert not (await publish(began))[-1].closed_at, "the statement said again ends nothing of its own process"


async def test_what_an_operator_ended_stays_so_unless_it_becomes_graver(publish, both: str) -> None:
    await publish(RAISED)
    database = Database(both)
    row = events.close_event(database, rows(both)[0].id or 0, COMMAND_LINE, "已处理")
    assert row is not None
    assert (row.closed_by, row.note) == ("wayside", "已处理")
    ended = row.closed_at
    (row,) = await publish(CLOSED)
    assert row.closed_at == ended
    (row,) = await publish(UPGRADED)
    assert (row.closed_at, row.closed_by) == (0.0, "")


async def test_a_crowd_alarm_is_an_event_that_has_ended(publish) -> None:
    alarm = wrapped(CROWD)
    (row,) = await publish(alarm, alarm)
    assert (row.kind, row.raised_at, row.closed_at, row.start_at) == (1008, CROWD.time_s, CROWD.time_s, CROWD.since_s)
    assert json.loads(row.body)["recordType"] == 1008


async def test_vehicles_are_kept_once_with_what_was_read_of_them(publish, both: str) -> None:
    passages = facts(700)
    read = VehicleLooks(plate_num="川A888AB", plate_color=1, vehicle_type=3, vehicle_color=10)
    passages[5] = replace(passages[5], looks=read, plate_picture="image/p.jpg", weather=2)
    await publish(*passages[:300])
    await publish(*passages, passages[0])
    total, found = vehicles.list_vehicles(Database(both), VehicleFilter())
    assert total == 700
    assert [row.fact_id for row in found[:2]] == ["100-699", "100-698"], "newest first"
    total, found = vehicles.list_vehicles(Database(both), VehicleFilter(plate="a888"))
    assert (total, found[0].fact_id, found[0].plate_picture, found[0].weather) == (1, "100-5", "image/p.jpg", 2)
    first = passages[0].fact
    assert isinstance(first, VehiclePassage)
    wanted = VehicleFilter(task_num="100", road_nums=[2], since_s=first.time_s + 10, until_s=first.time_s + 20)
    assert vehicles.list_vehicles(Database(both), wanted)[0] == 5
    assert vehicles.list_vehicles(Database(both), VehicleFilter(vehicle_types=[3], vehicle_colors=[10]))[0] == 1
    assert vehicles.list_vehicles(Database(both), VehicleFilter(plate="%"))[0] == 0


async def test_events_are_found_by_their_filters(publish, both: str) -> None:
    await publish(RAISED, stated(EventPhase.RAISED, "e2", at_s=100, road_num=5), CLOSED, wrapped(CROWD))
    database = Database(both)

    def count(**wanted: object) -> int:
        return events.list_events(database, EventFilter(**wanted))[0]

    assert count() == 3
    assert count(state="open") == 1
    assert count(state="closed", kinds=[1001]) == 1
    assert count(road_nums=[5]) == 1
    assert count(since_s=T + 1) == 2
    assert count(until_s=T + 1) == 1
    assert count(task_num="none") == 0
    first = events.list_events(database, EventFilter(kinds=[1001]))[1][-1]
    events.mark_event(database, first.id or 0, COMMAND_LINE, True, "阴影")
    assert count(false_alarm=True) == 1
    assert count(false_alarm=False) == 2
    assert [row.event_id for row in events.list_events(database, EventFilter(kinds=[1001]), 2, 1)[1]] == ["e1"]


async def test_old_history_is_forgotten_by_when_it_was_recorded(publish, both: str) -> None:
    await publish(RAISED, *facts(900))
    store, now_s = SqlOutboxStore(both), time.time()
    store.prune(now_s + 50, Bounds(keep_events_s=100, keep_vehicles_s=100))
    assert len(rows(both)) == 1
    store.prune(now_s + 200, Bounds(keep_events_s=1000, keep_vehicles_s=100))
    assert (len(rows(both)), vehicles.list_vehicles(Database(both), VehicleFilter())[0]) == (1, 0)
    store.prune(now_s + 2000, Bounds(keep_events_s=1000, keep_vehicles_s=100))
    assert rows(both) == []


async def test_history_and_deliveries_are_one_transaction(both: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(both, "http://127.0.0.1:9/", business_type=11)
    made = pusher(both, tmp_path)
    await made.start()

    def fails(*_: object) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr("api.outbox.records.record", fails)
    with pytest.raises(RuntimeError):
        await made.publish([RAISED])
    assert SqlOutboxStore(both).waiting() == {}
    monkeypatch.undo()
    assert await made.publish([RAISED]) == 1
    assert len(rows(both)) == 1
    await made.stop()


def test_every_column_of_the_rows_has_its_table(both: str) -> None:
    from sqlalchemy import inspect

    found = inspect(Database(both).engine)
    for table in (EventRow, VehicleRow):
        assert {c["name"] for c in found.get_columns(table.__tablename__)} == set(table.model_fields)


async def test_an_event_waits_in_the_outbox_for_its_clip_and_stands_in_the_history_at_once(publish, both: str) -> None:
    interface_id = register(both, "http://127.0.0.1:9/", business_type=11)
    store = SqlOutboxStore(both)
    held = replace(RAISED, hold_s=900.0)
    (row,) = await publish(held)
    assert row.clip == RAISED.clip
    await publish(held)

    def due(at_s: float) -> list[dict]:
        return [json.loads(d.outgoing.body) for d in store.due(interface_id, at_s, 8, 32, (), 8)]

    assert due(time.time() + 800) == []
    assert len(due(time.time() + 901)) == 1, "at the latest then"
    (row,) = await publish(replace(RAISED, clip=""))
    assert (row.clip, json.loads(row.body)["videoPath"]) == ("", "")
    (body,) = due(time.time())
    assert body["videoPath"] == ""
    (row,) = await publish(held)
    assert row.clip == "", "the first statement said again takes nothing back"
    assert len(due(time.time())) == 1


async def test_events_that_wait_keep_their_order_and_hold_up_nobody_before_them(publish, both: str) -> None:
    interface_id = register(both, "http://127.0.0.1:9/", business_type=11)
    store = SqlOutboxStore(both)
    second, third = stated(EventPhase.RAISED, "e2", at_s=1), stated(EventPhase.RAISED, "e3", at_s=2)
    await publish(RAISED, replace(second, hold_s=900.0), replace(third, hold_s=900.0))

    def due() -> list[str]:
        return [d.outgoing.fact_id for d in store.due(interface_id, time.time(), 8, 32, (), 8)]

    assert due() == ["e1-raised"]
    await publish(second)
    assert due() == ["e1-raised", "e2-raised"]


async def test_a_camera_that_begins_anew_lets_go_of_what_the_one_before_held(publish, both: str) -> None:
    interface_id = register(both, "http://127.0.0.1:9/", business_type=11)
    periodic = register(both, "http://127.0.0.1:9/", business_type=11, trigger_condition=1, upload_period=60)
    store = SqlOutboxStore(both)
    await publish(replace(RAISED, hold_s=900.0))
    assert list(store.held(periodic, 10)) == []
    await publish(status(time.time() - 100, first=True))
    assert list(store.due(interface_id, time.time(), 8, 32, (), 8)) == [], "not those of its own process"
    await publish(status(time.time() + 1, first=True))
    assert len(store.due(interface_id, time.time(), 8, 32, (), 8)) == 1
    assert len(store.held(periodic, 10)) == 1


async def test_a_periodic_interface_waits_for_the_clip_too(publish, both: str) -> None:
    periodic = register(both, "http://127.0.0.1:9/", business_type=11, trigger_condition=1, upload_period=60)
    store = SqlOutboxStore(both)
    await publish(replace(RAISED, hold_s=900.0))
    assert list(store.held(periodic, 10)) == []
    await publish(RAISED)
    assert [item.fact_id for item in store.held(periodic, 10)] == ["e1-raised"]


async def test_a_crowd_alarm_of_people_does_not_wait_for_the_clip_of_event_1008(publish, both: str) -> None:
    people = register(both, "http://127.0.0.1:9/", business_type=41)
    store = SqlOutboxStore(both)
    alarm = replace(wrapped(CROWD), clip="video/c.mp4")
    (row,) = await publish(replace(alarm, hold_s=900.0))
    assert len(store.due(people, time.time(), 8, 32, (), 8)) == 1
    (row,) = await publish(replace(alarm, clip=""))
    assert row.clip == ""


async def test_an_upgrade_while_the_clips_are_made_ends_with_its_own_evidence(publish) -> None:
    upgraded = replace(UPGRADED, clip="video/u.mp4", large_picture="image/u.jpg")
    await publish(replace(RAISED, hold_s=900.0), replace(upgraded, hold_s=900.0))
    await publish(replace(RAISED, clip=""))
    (row,) = await publish(upgraded)
    assert (row.kind, row.clip, row.large_picture) == (1013, "video/u.mp4", "image/u.jpg")
    assert json.loads(row.body)["videoPath"] == ""
    assert json.loads(row.upgraded_body)["videoPath"] == "/video/u.mp4"
