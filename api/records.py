"""Facts → rows of the history, in the transaction in which they are persisted for the pushers. Repeats change nothing."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlmodel import Session, col

from actors.delivery.ports import HistoryItem
from actors.ports import FactEnvelope
from api.tables import EventRow, VehicleRow
from traffic.facts import CrowdAlarm, EventKind, EventPhase, TaskStatus, TrafficEvent, VehiclePassage

BY_RESTART = "restart"
_CHUNK = 400


def record(session: Session, items: Sequence[HistoryItem], now_s: float) -> None:
    """Keep what facts say; the commit is the caller's."""
    _add_vehicles(session, [item.envelope for item in items if isinstance(item.envelope.fact, VehiclePassage)], now_s)
    for item in items:
        fact = item.envelope.fact
        if isinstance(fact, TrafficEvent):
            _keep_event(session, item, fact, now_s)
        elif isinstance(fact, CrowdAlarm):
            _keep_alarm(session, item, fact, now_s)
        elif isinstance(fact, TaskStatus) and fact.first:
            _close_orphans(session, item.envelope.task.task_num, fact.time_s)


def prune(sessions: Callable[[], AbstractContextManager[Session]], now_s: float, events_s: float, vehicles_s: float) -> int:
    """Forget events and vehicles recorded longer ago than that, in short transactions; returns how many."""
    gone = 0
    for table, before in ((EventRow, now_s - events_s), (VehicleRow, now_s - vehicles_s)):
        gone += _delete_before(sessions, table, col(table.recorded_at) < before)
    return gone


def _delete_before(sessions: Callable[[], AbstractContextManager[Session]], table: Any, old: ColumnElement[bool]) -> int:
    gone = 0
    while True:
        with sessions() as session:
            ids = session.scalars(select(table.id).where(old).limit(_CHUNK)).all()
            if ids:
                session.execute(delete(table).where(table.id.in_(ids)))
                session.commit()
        gone += len(ids)
        if len(ids) < _CHUNK:
            return gone


# -- events -----------------------------------------------------------------------------------------------------------


def _keep_event(session: Session, item: HistoryItem, event: TrafficEvent, now_s: float) -> None:
    row = _row(session, item.envelope.task.task_num, event.event_id)
    if event.phase is EventPhase.CLOSED:
        if row is not None and not row.closed_at:
            row.closed_at = max(event.time_s, row.raised_at)
            session.add(row)
    elif row is None:
        session.add(_event_row(item, event, now_s))
    elif event.phase is EventPhase.UPGRADED and event.time_s > max(row.upgraded_at, row.raised_at):
        _upgrade(row, item, event)
        session.add(row)
    elif not item.envelope.hold_s:
        _complete(row, item, event)
        session.add(row)
    session.flush()


def _event_row(item: HistoryItem, event: TrafficEvent, now_s: float) -> EventRow:
    envelope = item.envelope
    return EventRow(
        event_id=event.event_id,
        task_num=envelope.task.task_num,
        time_zone=envelope.task.time_zone,
        kind=int(event.kind),
        first_kind=int(event.kind),
        raised_at=event.time_s,
        start_at=event.start_s,
        peak_at=event.peak_s,
        confidence=event.confidence,
        box=_box(event.box),
        frame_width=event.frame_size[0],
        frame_height=event.frame_size[1],
        object_class=event.object_class.name.lower() if event.object_class is not None else "",
        road_num=event.road_num,
        region_code=event.region_code,
        detail=event.detail,
        body=item.body.decode(),
        recorded_at=now_s,
        **_shown(envelope),
    )


def _upgrade(row: EventRow, item: HistoryItem, event: TrafficEvent) -> None:
    row.kind, row.upgraded_at, row.peak_at = int(event.kind), event.time_s, event.peak_s
    row.confidence, row.box, row.upgraded_body = event.confidence, _box(event.box), item.body.decode()
    row.detail = event.detail or row.detail
    row.closed_at, row.closed_by = 0.0, ""  # graver than when somebody closed it: open again
    for name, value in _shown(item.envelope).items():
        setattr(row, name, value)


def _complete(row: EventRow, item: HistoryItem, event: TrafficEvent) -> None:
    """Stated again, now with its clip, or without the clip that could not be made."""
    if event.phase is EventPhase.RAISED and event.time_s == row.raised_at:
        row.body = item.body.decode()
    elif event.time_s == row.upgraded_at:
        row.upgraded_body = item.body.decode()
    if event.time_s == max(row.raised_at, row.upgraded_at):
        for name, value in _shown(item.envelope).items():
            setattr(row, name, value)


def _keep_alarm(session: Session, item: HistoryItem, alarm: CrowdAlarm, now_s: float) -> None:
    """A crowd alarm is a statement of one moment: closed as soon as it is made."""
    envelope = item.envelope
    known = _row(session, envelope.task.task_num, envelope.fact_id)
    if known is not None:
        if not envelope.hold_s:
            known.clip, known.large_picture, known.body = envelope.clip, envelope.large_picture, item.body.decode()
            session.add(known)
            session.flush()
        return
    session.add(
        EventRow(
            event_id=envelope.fact_id,
            task_num=envelope.task.task_num,
            time_zone=envelope.task.time_zone,
            kind=int(EventKind.CROWD),
            first_kind=int(EventKind.CROWD),
            raised_at=alarm.time_s,
            closed_at=alarm.time_s,
            start_at=alarm.since_s,
            peak_at=alarm.time_s,
            confidence=1.0,
            box=_box(alarm.box),
            frame_width=0,
            frame_height=0,
            object_class="person",
            region_code=alarm.region_code,
            detail=f"{alarm.people_num} 人",
            body=item.body.decode(),
            recorded_at=now_s,
            **_shown(envelope),
        )
    )
    session.flush()


def _close_orphans(session: Session, task_num: str, began_s: float) -> None:
    """A camera process begins: what the one before left open has no one to close it."""
    left = (col(EventRow.task_num) == task_num) & (col(EventRow.closed_at) == 0) & (col(EventRow.recorded_at) < began_s)
    last = col(EventRow.raised_at)
    session.execute(update(EventRow).where(left).values(closed_at=last, closed_by=BY_RESTART))


def _row(session: Session, task_num: str, event_id: str) -> EventRow | None:
    mine = (col(EventRow.task_num) == task_num) & (col(EventRow.event_id) == event_id)
    return session.scalars(select(EventRow).where(mine)).first()


def _shown(envelope: FactEnvelope) -> dict[str, Any]:
    looks = envelope.looks
    return {
        "large_picture": envelope.large_picture,
        "small_picture": envelope.small_picture,
        "clip": envelope.clip,
        "plate_num": looks.plate_num,
        "plate_color": looks.plate_color,
        "vehicle_type": looks.vehicle_type,
        "vehicle_color": looks.vehicle_color,
        "weather": envelope.weather,
    }


def _box(box: tuple[float, float, float, float]) -> str:
    return json.dumps([round(edge, 1) for edge in box])


# -- vehicles ---------------------------------------------------------------------------------------------------------


def _add_vehicles(session: Session, envelopes: Sequence[FactEnvelope], now_s: float) -> None:
    wanted = {envelope.fact_id: envelope for envelope in envelopes}
    for begin in range(0, len(wanted), _CHUNK):
        ids = list(wanted)[begin : begin + _CHUNK]
        known = set(session.scalars(select(VehicleRow.fact_id).where(col(VehicleRow.fact_id).in_(ids))).all())
        rows = [_vehicle_row(wanted[fact_id], now_s) for fact_id in ids if fact_id not in known]
        if rows:
            session.execute(insert(VehicleRow), rows)


def _vehicle_row(envelope: FactEnvelope, now_s: float) -> dict[str, Any]:
    passage, looks = envelope.fact, envelope.looks
    assert isinstance(passage, VehiclePassage)
    return {
        "fact_id": envelope.fact_id,
        "task_num": envelope.task.task_num,
        "time_zone": envelope.task.time_zone,
        "time_s": passage.time_s,
        "road_num": passage.road_num,
        "road_name": passage.road_name,
        "turn": int(passage.turn),
        "object_class": passage.object_class.name.lower(),
        "speed_kmh": passage.speed_kmh,
        "spacing_m": passage.spacing_m,
        "time_headway_s": passage.time_headway_s,
        "running_time_s": passage.running_time_s,
        "length_m": passage.length_m,
        "heading": int(passage.heading),
        "plate_num": looks.plate_num,
        "plate_color": looks.plate_color,
        "vehicle_type": looks.vehicle_type,
        "vehicle_color": looks.vehicle_color,
        "weather": envelope.weather,
        "small_picture": envelope.small_picture,
        "plate_picture": envelope.plate_picture,
        "recorded_at": now_s,
    }
