"""The outbox over SQL. Picklable: holds the URL, connects when first used."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import takewhile
from typing import Any

from sqlalchemy import bindparam, case, delete, func, insert, select, text, update
from sqlmodel import Session, col

from actors.delivery.ports import (
    RETRYING,
    WAITING,
    Backlog,
    Bounds,
    Due,
    HeldItem,
    HistoryItem,
    InterfaceConfig,
    KnownStatus,
    KnownTask,
    Outcome,
    Outgoing,
    ReceiverState,
)
from actors.ports import TaskRef
from api import outbox_bounds, outbox_holding, records
from api.fences import Office, check_cameras
from api.outbox_bounds import OPEN_STATES, parts
from api.outbox_rows import delivery_row, due, held_item, held_row, interface_config, receiver_state
from api.tables import ComposedFact, Delivery, DeliveryAttempt, HeldFact, Interface, ReceiverStateRow, Task, TaskStatusRow

# The oldest waiting delivery of every order key, by a loose index scan: one step of the index ix_delivery_lane per order key,
# however many deliveries wait (technique: wiki.postgresql.org/wiki/Loose_indexscan; the same text runs on SQLite).
LANE_HEADS = """
WITH RECURSIVE lane(order_key) AS (
  SELECT MIN(order_key) FROM delivery WHERE interface_id = :interface_id AND state = 'waiting'
  UNION ALL
  SELECT (SELECT MIN(d.order_key) FROM delivery d
          WHERE d.interface_id = :interface_id AND d.state = 'waiting' AND d.order_key > lane.order_key)
  FROM lane WHERE lane.order_key IS NOT NULL
)
SELECT head.order_key FROM lane
JOIN delivery head ON head.interface_id = :interface_id AND head.state = 'waiting' AND head.order_key = lane.order_key
  AND head.sequence = (SELECT MIN(f.sequence) FROM delivery f
                       WHERE f.interface_id = :interface_id AND f.state = 'waiting' AND f.order_key = lane.order_key)
WHERE lane.order_key IS NOT NULL AND head.next_attempt_at <= :now_s
ORDER BY head.sequence LIMIT :lanes
"""

_CLOCK_SLACK_S = 5.0


class SqlOutboxStore:
    """Implements ``actors.delivery.ports.OutboxStore``."""

    def __init__(self, url: str, office: str = "") -> None:
        """``office``: name of the pusher (see ``api.fences``)."""
        self._office = Office(url, office)

    def _session(self) -> AbstractContextManager[Session]:
        return self._office.session()

    def interfaces(self) -> Sequence[InterfaceConfig]:
        """See OutboxStore."""
        with self._session() as session:
            rows = session.scalars(select(Interface).where(col(Interface.enabled)).order_by(col(Interface.id))).all()
        return tuple(interface_config(row) for row in rows)

    def tasks(self) -> Sequence[KnownTask]:
        """See OutboxStore."""
        query = select(Task.task_num, Task.task_name, Task.enabled).order_by(col(Task.task_num))
        with self._session() as session:
            return tuple(KnownTask(task_num=r[0], task_name=r[1], enabled=r[2]) for r in session.execute(query).all())

    def accept(
        self,
        deliveries: Sequence[Outgoing],
        held: Sequence[HeldItem],
        statuses: Sequence[KnownStatus],
        history: Sequence[HistoryItem] = (),
        tasks: Collection[TaskRef] = (),
    ) -> int:
        """See OutboxStore."""
        with self._session() as session:
            check_cameras(session, tasks)
            fresh = _insert_deliveries(session, deliveries)
            fresh_held = _unknown(session, ComposedFact, _unknown(session, HeldFact, held))
            outbox_holding.let_go(session, deliveries, held)
            if fresh_held:
                session.execute(insert(HeldFact), [held_row(item) for item in fresh_held])
            for status in statuses:
                _keep_newest(session, status)
            records.record(session, history, time.time())
            outbox_holding.let_go_of_begun(session, history)
            session.commit()
        return fresh + len(fresh_held)

    def due(
        self, interface_id: int, now_s: float, lanes: int, per_lane: int, busy: Collection[str], retries: int
    ) -> Sequence[Due]:
        """See OutboxStore."""
        found: list[Delivery] = []
        with self._session() as session:
            if lanes > 0:
                values = {"interface_id": interface_id, "now_s": now_s, "lanes": lanes + len(busy)}
                keys = [row[0] for row in session.execute(text(LANE_HEADS), values).all() if row[0] not in busy]
                for key in keys[:lanes]:
                    lane = session.scalars(_lane(interface_id, key, per_lane)).all()
                    found += takewhile(lambda row: row.next_attempt_at <= now_s, lane)
            if retries > 0:
                rows = session.scalars(_retries(interface_id, now_s, retries + len(busy))).all()
                found += [row for row in rows if row.id not in busy][:retries]
        return tuple(due(row) for row in found)

    def record(self, outcomes: Sequence[Outcome]) -> None:
        """See OutboxStore."""
        table: Any = Delivery.__table__  # type: ignore[attr-defined]
        change = (
            update(table)
            .where(table.c.id == bindparam("delivery_id"), (table.c.state == WAITING) | (table.c.state == RETRYING))
            .values(
                state=bindparam("new_state"),
                attempts=table.c.attempts + 1,
                next_attempt_at=bindparam("next_at"),
                finished_at=bindparam("finished"),
            )
        )
        with self._session() as session:
            known = _known_ids(session, [outcome.attempt.delivery_id for outcome in outcomes])
            kept = [outcome for outcome in outcomes if outcome.attempt.delivery_id in known]
            if kept:
                session.execute(insert(DeliveryAttempt), [_attempt_row(outcome) for outcome in kept])
                session.connection().execute(change, [_change(outcome) for outcome in kept])
            session.commit()

    def held(self, interface_id: int, limit: int) -> Sequence[HeldItem]:
        """See OutboxStore."""
        ready = (col(HeldFact.interface_id) == interface_id) & (col(HeldFact.not_before) <= time.time())
        query = select(HeldFact).where(ready).order_by(col(HeldFact.id)).limit(limit)
        with self._session() as session:
            rows = session.scalars(query).all()
        return tuple(held_item(row) for row in rows)

    def close_period(self, interface_id: int, composed: Sequence[Outgoing], item_ids: Sequence[str]) -> None:
        """See OutboxStore."""
        mine = col(HeldFact.interface_id) == interface_id
        with self._session() as session:
            _insert_deliveries(session, composed)
            for part in parts(item_ids):
                session.execute(delete(HeldFact).where(mine, col(HeldFact.fact_id).in_(part)))
                known = {"interface_id": interface_id, "at": time.time()}
                session.execute(
                    delete(ComposedFact).where(
                        col(ComposedFact.interface_id) == interface_id, col(ComposedFact.fact_id).in_(part)
                    )
                )
                session.execute(insert(ComposedFact), [known | {"fact_id": fact_id} for fact_id in part])
            session.commit()

    def statuses(self) -> Sequence[KnownStatus]:
        """See OutboxStore."""
        with self._session() as session:
            rows = session.scalars(select(TaskStatusRow).order_by(col(TaskStatusRow.task_num))).all()
        return tuple(KnownStatus(task_num=r.task_num, task_name=r.task_name, status=r.status, at=r.at) for r in rows)

    def receiver_states(self) -> Mapping[int, ReceiverState]:
        """See OutboxStore."""
        with self._session() as session:
            rows = session.scalars(select(ReceiverStateRow)).all()
        return {row.interface_id: receiver_state(row) for row in rows}

    def save_receiver_state(self, interface_id: int, state: ReceiverState, disable: bool) -> None:
        """See OutboxStore."""
        with self._session() as session:
            row = session.get(ReceiverStateRow, interface_id) or ReceiverStateRow(interface_id=interface_id)
            row.failing_since, row.failures, row.last_failure_at = state.failing_since, state.failures, state.last_failure_at
            row.last_success_at, row.notice_at = state.last_success_at, state.notice_at
            row.disabled_at, row.disabled_reason = state.disabled_at, state.disabled_reason
            session.add(row)
            if disable:
                mine = col(Interface.id) == interface_id
                session.execute(update(Interface).where(mine).values(enabled=False, updated_at=time.time()))
            session.commit()

    def shift_times(self, interface_id: int, delta_s: float) -> None:
        """See OutboxStore."""
        later = case((col(Delivery.next_attempt_at) > 0, col(Delivery.next_attempt_at) + delta_s), else_=0.0)
        change = update(Delivery).where(col(Delivery.interface_id) == interface_id, col(Delivery.state).in_(OPEN_STATES))
        with self._session() as session:
            session.execute(change.values(next_attempt_at=later, age_from=col(Delivery.age_from) + delta_s))
            session.commit()

    def prune(self, now_s: float, bounds: Bounds) -> Mapping[int, int]:
        """See OutboxStore."""
        dropped = outbox_bounds.prune(self._session, now_s, bounds)
        records.prune(self._session, now_s, bounds.keep_events_s, bounds.keep_vehicles_s)
        return dropped

    def backlog(self) -> Mapping[int, Backlog]:
        """See OutboxStore."""
        return outbox_bounds.backlog(self._session)

    def waiting(self) -> Mapping[int, int]:
        """See OutboxStore."""
        return {key: value.waiting for key, value in self.backlog().items() if value.waiting}


def _lane(interface_id: int, order_key: str, limit: int) -> Any:
    lane = (
        (col(Delivery.interface_id) == interface_id) & (col(Delivery.state) == WAITING) & (col(Delivery.order_key) == order_key)
    )
    return select(Delivery).where(lane).order_by(col(Delivery.sequence)).limit(limit)


def _retries(interface_id: int, now_s: float, limit: int) -> Any:
    ripe = (
        (col(Delivery.interface_id) == interface_id)
        & (col(Delivery.state) == RETRYING)
        & (col(Delivery.next_attempt_at) <= now_s)
    )
    return select(Delivery).where(ripe).order_by(col(Delivery.next_attempt_at)).limit(limit)


def _insert_deliveries(session: Session, deliveries: Sequence[Outgoing]) -> int:
    fresh = _unknown(session, Delivery, deliveries)
    if fresh:
        first = (session.scalar(select(func.max(Delivery.sequence))) or 0) + 1
        session.execute(insert(Delivery), [delivery_row(item, first + i) for i, item in enumerate(fresh)])
    return len(fresh)


def _unknown(session: Session, table: Any, items: Sequence[Any]) -> list[Any]:
    """Those of ``items`` whose (interface, fact) is not in ``table`` yet; doubles within ``items`` are left out too."""
    known: set[tuple[int, str]] = set()
    interfaces = {item.interface_id for item in items}
    for part in parts([item.fact_id for item in items]):
        # The interfaces lead the index of (interface, fact): without them this would read the whole table.
        ours = table.interface_id.in_(interfaces) & table.fact_id.in_(part)
        known |= {(row[0], row[1]) for row in session.execute(select(table.interface_id, table.fact_id).where(ours)).all()}
    fresh = []
    for item in items:
        key = (item.interface_id, item.fact_id)
        if key not in known:
            known.add(key)
            fresh.append(item)
    return fresh


def _keep_newest(session: Session, status: KnownStatus) -> None:
    mine = col(TaskStatusRow.task_num) == status.task_num
    row = session.scalar(select(TaskStatusRow).where(mine).with_for_update())
    if row is None:
        session.add(TaskStatusRow(task_num=status.task_num, task_name=status.task_name, status=status.status, at=status.at))
        session.flush()
    elif row.at <= status.at or row.at > time.time() + _CLOCK_SLACK_S:  # the clock was set back since
        row.task_name, row.status, row.at = status.task_name, status.status, status.at
        session.flush()


def _known_ids(session: Session, ids: Iterable[str]) -> set[str]:
    known: set[str] = set()
    for part in parts(list(ids)):
        known |= set(session.scalars(select(Delivery.id).where(col(Delivery.id).in_(part))).all())
    return known


def _attempt_row(outcome: Outcome) -> dict[str, Any]:
    attempt = outcome.attempt
    return {
        "delivery_id": attempt.delivery_id,
        "at": attempt.at,
        "status": attempt.status,
        "latency_ms": attempt.latency_ms,
        "excerpt": attempt.excerpt,
    }


def _change(outcome: Outcome) -> dict[str, Any]:
    unfinished = outcome.state in OPEN_STATES
    return {
        "delivery_id": outcome.attempt.delivery_id,
        "new_state": outcome.state,
        "next_at": outcome.next_attempt_at,
        "finished": 0.0 if unfinished else outcome.attempt.at,
    }
