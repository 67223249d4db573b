"""The history of events: looking for them, ending them, marking false alarms."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from api.audit import Actor, note
from api.database import Database
from api.tables import EventRow, Task

OPEN, CLOSED = "open", "closed"


@dataclass(frozen=True, kw_only=True, slots=True)
class EventFilter:
    """Which events; None lets everything pass. ``since_s`` inclusive, ``until_s`` exclusive, of the moment they were raised."""

    task_num: str | None = None
    kinds: Sequence[int] | None = None
    road_nums: Sequence[int] | None = None
    state: str | None = None
    false_alarm: bool | None = None
    since_s: float | None = None
    until_s: float | None = None

    def conditions(self) -> list[Any]:
        """SQL conditions."""
        wanted: list[Any] = []
        if self.task_num is not None:
            wanted.append(col(EventRow.task_num) == self.task_num)
        if self.kinds is not None:
            wanted.append(col(EventRow.kind).in_(self.kinds))
        if self.road_nums is not None:
            wanted.append(col(EventRow.road_num).in_(self.road_nums))
        if self.state is not None:
            wanted.append(col(EventRow.closed_at) == 0 if self.state == OPEN else col(EventRow.closed_at) > 0)
        if self.false_alarm is not None:
            wanted.append(col(EventRow.false_alarm).is_(self.false_alarm))
        if self.since_s is not None:
            wanted.append(col(EventRow.raised_at) >= self.since_s)
        if self.until_s is not None:
            wanted.append(col(EventRow.raised_at) < self.until_s)
        return wanted


def list_events(database: Database, wanted: EventFilter, page: int = 1, page_size: int = 100) -> tuple[int, list[EventRow]]:
    """(how many there are, a page of them, newest first). ``page`` counts from 1."""
    conditions = wanted.conditions()
    query = select(EventRow).where(*conditions).order_by(col(EventRow.raised_at).desc(), col(EventRow.id).desc())
    with database.session() as session:
        total = int(session.scalar(select(func.count()).select_from(EventRow).where(*conditions)) or 0)
        rows = list(session.scalars(query.offset((page - 1) * page_size).limit(page_size)).all())
    return total, rows


def latest_events(database: Database) -> list[EventRow]:
    """The newest event of each task that was not a false alarm."""
    with database.session() as session:
        found = []
        for task_num in session.scalars(select(col(Task.task_num)).order_by(col(Task.id))).all():
            of_task = select(EventRow).where(col(EventRow.task_num) == task_num, col(EventRow.false_alarm).is_(False))
            row = session.scalars(of_task.order_by(col(EventRow.raised_at).desc()).limit(1)).first()  # the index serves it
            if row is not None:
                found.append(row)
        return found


def query_event(database: Database, record_id: int) -> EventRow | None:
    """One event; None when there is none of this id."""
    with database.session() as session:
        return session.get(EventRow, record_id)


def close_event(database: Database, record_id: int, actor: Actor, text: str | None = None) -> EventRow | None:
    """End an open event by hand, now; one that has ended stays as it is. None when there is none of this id.

    The camera goes on watching the incident and does not raise it again while it lasts; should it become a graver kind, the
    event is pushed and open again.
    """
    with database.session() as session:
        row = session.get(EventRow, record_id)
        if row is not None and not row.closed_at:
            row.closed_at, row.closed_by = max(time.time(), row.raised_at), actor.name
            row.note = row.note if text is None else text
            session.add(row)
            note(session, actor, "event.close", f"{row.id} {row.task_num} {row.kind}")
            session.commit()
        return row


def mark_event(database: Database, record_id: int, actor: Actor, false_alarm: bool, text: str | None = None) -> EventRow | None:
    """Say whether an event was a false alarm. None when there is none of this id."""
    with database.session() as session:
        row = session.get(EventRow, record_id)
        if row is not None:
            before = row.false_alarm
            row.false_alarm, row.note = false_alarm, row.note if text is None else text
            row.marked_by, row.marked_at = actor.name, time.time()
            session.add(row)
            change = {"false_alarm": [before, false_alarm]}
            note(session, actor, "event.mark", f"{row.id} {row.task_num} {row.kind}", change)
            session.commit()
        return row
