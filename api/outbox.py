"""The outbox over SQL. Picklable: holds the URL, connects when first used."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col

from actors.delivery.ports import Attempt, Due, HeldItem, InterfaceConfig, KnownStatus, Outgoing
from actors.errors import StoreUnavailableError
from api.database import Database
from api.tables import Delivery, DeliveryAttempt, HeldFact, Interface, Task, TaskStatusRow

_SQL_VARIABLES = 400


class SqlOutboxStore:
    """Implements ``actors.delivery.ports.OutboxStore``."""

    def __init__(self, url: str) -> None:
        self._url = url

    def _session(self) -> Any:
        return Database(self._url).session()

    def interfaces(self) -> Sequence[InterfaceConfig]:
        """See OutboxStore."""
        with self._session() as session:
            rows = session.scalars(select(Interface).where(col(Interface.enabled)).order_by(col(Interface.id))).all()
        return tuple(interface_config(row) for row in rows)

    def enabled_tasks(self) -> frozenset[str]:
        """See OutboxStore."""
        with self._session() as session:
            return frozenset(session.scalars(select(Task.task_num)).all())

    def accept(self, deliveries: Sequence[Outgoing], held: Sequence[HeldItem], statuses: Sequence[KnownStatus]) -> int:
        """See OutboxStore."""
        with self._session() as session:
            fresh = _unknown(session, Delivery, deliveries)
            if fresh:
                first = (session.scalar(select(func.max(Delivery.sequence))) or 0) + 1
                session.execute(insert(Delivery), [_delivery_row(item, first + i) for i, item in enumerate(fresh)])
            fresh_held = _unknown(session, HeldFact, held)
            if fresh_held:
                session.execute(insert(HeldFact), [_held_row(item) for item in fresh_held])
            for status in statuses:
                session.merge(
                    TaskStatusRow(task_num=status.task_num, task_name=status.task_name, status=status.status, at=status.at)
                )
            _commit(session)
        return len(fresh) + len(fresh_held)

    def due(self, interface_id: int, now_s: float, limit: int) -> Sequence[Due]:
        """See OutboxStore. Of each order key only the oldest waiting delivery is offered, so that order is kept."""
        waiting = select(func.min(Delivery.sequence)).where(
            col(Delivery.interface_id) == interface_id, col(Delivery.state) == "waiting"
        )
        heads = waiting.group_by(col(Delivery.order_key))
        query = (
            select(Delivery)
            .where(
                col(Delivery.interface_id) == interface_id,
                col(Delivery.state) == "waiting",
                col(Delivery.sequence).in_(heads),
                col(Delivery.next_attempt_at) <= now_s,
            )
            .order_by(col(Delivery.sequence))
            .limit(limit)
        )
        with self._session() as session:
            rows = session.scalars(query).all()
        return tuple(Due(outgoing=_outgoing(row), attempts=row.attempts) for row in rows)

    def record(self, attempt: Attempt, state: str, next_attempt_at: float) -> None:
        """See OutboxStore."""
        with self._session() as session:
            session.add(
                DeliveryAttempt(
                    delivery_id=attempt.delivery_id,
                    at=attempt.at,
                    status=attempt.status,
                    latency_ms=attempt.latency_ms,
                    excerpt=attempt.excerpt,
                )
            )
            values = {"state": state, "attempts": Delivery.attempts + 1, "next_attempt_at": next_attempt_at}
            if state != "waiting":
                values["finished_at"] = attempt.at
            session.execute(update(Delivery).where(col(Delivery.id) == attempt.delivery_id).values(**values))
            _commit(session)

    def close_period(self, interface_id: int, until_s: float, outgoing: Outgoing | None, item_ids: Sequence[str]) -> None:
        """See OutboxStore."""
        with self._session() as session:
            if outgoing is not None and _unknown(session, Delivery, [outgoing]):
                first = (session.scalar(select(func.max(Delivery.sequence))) or 0) + 1
                session.execute(insert(Delivery), [_delivery_row(outgoing, first)])
            for part in _parts(item_ids):
                session.execute(
                    delete(HeldFact).where(col(HeldFact.interface_id) == interface_id, col(HeldFact.fact_id).in_(part))
                )
            _commit(session)

    def held(self, interface_id: int, until_s: float, limit: int) -> Sequence[HeldItem]:
        """See OutboxStore."""
        query = (
            select(HeldFact)
            .where(col(HeldFact.interface_id) == interface_id, col(HeldFact.created_at) < until_s)
            .order_by(col(HeldFact.id))
            .limit(limit)
        )
        with self._session() as session:
            rows = session.scalars(query).all()
        return tuple(
            HeldItem(
                interface_id=row.interface_id,
                fact_id=row.fact_id,
                order_key=row.order_key,
                body=row.body,
                pictures=row.pictures,
                created_at=row.created_at,
            )
            for row in rows
        )

    def statuses(self) -> Sequence[KnownStatus]:
        """See OutboxStore."""
        with self._session() as session:
            rows = session.scalars(select(TaskStatusRow).order_by(col(TaskStatusRow.task_num))).all()
        return tuple(KnownStatus(task_num=r.task_num, task_name=r.task_name, status=r.status, at=r.at) for r in rows)

    def prune(self, now_s: float, keep_s: float, max_waiting: int) -> int:
        """See OutboxStore."""
        dropped = 0
        with self._session() as session:
            known = select(Interface.id)
            old = (col(Delivery.state) != "waiting") & (col(Delivery.finished_at) < now_s - keep_s)
            session.execute(delete(Delivery).where(old | col(Delivery.interface_id).not_in(known)))
            session.execute(delete(HeldFact).where(col(HeldFact.interface_id).not_in(known)))
            session.execute(delete(DeliveryAttempt).where(col(DeliveryAttempt.delivery_id).not_in(select(Delivery.id))))
            counts = session.execute(
                select(Delivery.interface_id, func.count())
                .where(col(Delivery.state) == "waiting")
                .group_by(col(Delivery.interface_id))
            ).all()
            for interface_id, count in counts:
                if count <= max_waiting:
                    continue
                mine = (col(Delivery.interface_id) == interface_id) & (col(Delivery.state) == "waiting")
                oldest = select(Delivery.id).where(mine).order_by(col(Delivery.sequence)).limit(count - max_waiting)
                ids = session.scalars(oldest).all()
                for part in _parts(ids):
                    session.execute(update(Delivery).where(col(Delivery.id).in_(part)).values(state="dropped", finished_at=now_s))
                dropped += len(ids)
            _commit(session)
        return dropped

    def waiting(self) -> Mapping[int, int]:
        """See OutboxStore."""
        query = select(Delivery.interface_id, func.count()).where(col(Delivery.state) == "waiting")
        with self._session() as session:
            return {row[0]: row[1] for row in session.execute(query.group_by(col(Delivery.interface_id))).all()}


def interface_config(row: Interface) -> InterfaceConfig:
    """A table row as the pusher's value."""
    return InterfaceConfig(
        interface_id=row.id or 0,
        name=row.name,
        business_type=row.business_type,
        trigger_condition=row.trigger_condition,
        upload_period_s=row.upload_period or 60,
        url=row.url,
        upload_pictures=bool(row.upload_img_status),
        push_response=bool(row.push_response),
        task_nums=frozenset(json.loads(row.task_nums)) if row.task_nums else None,
        headers={"companyName": row.company_name, "companyId": row.company_id, "appId": row.app_id},
    )


def _unknown(session: Session, table: Any, items: Sequence[Any]) -> list[Any]:
    """Those of ``items`` whose (interface, fact) is not in ``table`` yet; doubles within ``items`` are left out too."""
    known: set[tuple[int, str]] = set()
    for part in _parts([item.fact_id for item in items]):
        found = session.execute(select(table.interface_id, table.fact_id).where(table.fact_id.in_(part))).all()
        known |= {(row[0], row[1]) for row in found}
    fresh = []
    for item in items:
        key = (item.interface_id, item.fact_id)
        if key not in known:
            known.add(key)
            fresh.append(item)
    return fresh


def _parts(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[i : i + _SQL_VARIABLES] for i in range(0, len(values), _SQL_VARIABLES)]


def _commit(session: Session) -> None:
    try:
        session.commit()
    except OperationalError as error:
        raise StoreUnavailableError(f"database does not answer: {error.orig}") from error


def _delivery_row(item: Outgoing, sequence: int) -> dict[str, Any]:
    return {
        "id": item.delivery_id,
        "sequence": sequence,
        "interface_id": item.interface_id,
        "fact_id": item.fact_id,
        "order_key": item.order_key,
        "kind": item.kind,
        "body": item.body,
        "pictures": item.pictures,
        "state": "waiting",
        "attempts": 0,
        "next_attempt_at": 0.0,
        "created_at": item.created_at,
        "finished_at": 0.0,
    }


def _held_row(item: HeldItem) -> dict[str, Any]:
    return {
        "interface_id": item.interface_id,
        "fact_id": item.fact_id,
        "order_key": item.order_key,
        "body": item.body,
        "pictures": item.pictures,
        "created_at": item.created_at,
    }


def _outgoing(row: Delivery) -> Outgoing:
    return Outgoing(
        delivery_id=row.id,
        interface_id=row.interface_id,
        fact_id=row.fact_id,
        order_key=row.order_key,
        kind=row.kind,
        body=row.body,
        pictures=row.pictures,
        created_at=row.created_at,
    )
