"""Keeps the outbox within its bounds, in short transactions so that nobody waits long for the database."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import ColumnElement, delete, func, select
from sqlmodel import Session, col

from actors.delivery.ports import RETRYING, WAITING, Backlog, Bounds
from api.tables import ComposedFact, Delivery, DeliveryAttempt, HeldFact, Interface, ReceiverStateRow

OPEN_STATES = (WAITING, RETRYING)
_CHUNK = 400
_DROP_CHUNK = 2000
_KEEP_COMPOSED_S = 900.0  # a camera repeats at most ten minutes of what its aggregator did not acknowledge
Sessions = Callable[[], AbstractContextManager[Session]]


def prune(sessions: Sessions, now_s: float, bounds: Bounds) -> dict[int, int]:
    """See OutboxStore.prune."""
    unfinished = col(Delivery.state).in_(OPEN_STATES)
    orphaned = col(Delivery.interface_id).not_in(select(Interface.id))
    _delete_all(sessions, orphaned)
    with sessions() as session:
        session.execute(delete(HeldFact).where(col(HeldFact.interface_id).not_in(select(Interface.id))))
        session.execute(delete(ComposedFact).where(col(ComposedFact.at) < now_s - _KEEP_COMPOSED_S))
        session.execute(delete(ReceiverStateRow).where(col(ReceiverStateRow.interface_id).not_in(select(Interface.id))))
        session.commit()
    old = (col(Delivery.finished_at) > 0) & (col(Delivery.finished_at) < now_s - bounds.keep_s)
    _delete_all(sessions, old & ~unfinished)
    _bound_finished(sessions, bounds.keep_finished)
    dropped = Counter(_drop(sessions, unfinished & (col(Delivery.age_from) < now_s - bounds.max_age_s)))
    for interface_id, held in backlog(sessions).items():
        mine = unfinished & (col(Delivery.interface_id) == interface_id)
        dropped += Counter(_drop(sessions, mine, held.waiting - bounds.max_waiting, held.size_bytes - bounds.max_bytes))
        dropped += Counter(_drop_held(sessions, interface_id, held.held - bounds.max_waiting))
    excess = sum(held.size_bytes for held in backlog(sessions).values()) - bounds.max_total_bytes
    dropped += Counter(_drop(sessions, unfinished, 0, excess))
    return dict(dropped)


def backlog(sessions: Sessions) -> dict[int, Backlog]:
    """See OutboxStore.backlog."""
    waiting = select(Delivery.interface_id, func.count(), func.coalesce(func.sum(Delivery.size), 0))
    waiting = waiting.where(col(Delivery.state).in_(OPEN_STATES)).group_by(col(Delivery.interface_id))
    held = select(HeldFact.interface_id, func.count()).group_by(col(HeldFact.interface_id))
    with sessions() as session:
        open_rows = {row[0]: (int(row[1]), int(row[2])) for row in session.execute(waiting).all()}
        held_rows = {row[0]: int(row[1]) for row in session.execute(held).all()}
        states = session.execute(select(ReceiverStateRow.interface_id, ReceiverStateRow.dropped)).all()
    lost = {row[0]: int(row[1]) for row in states if row[1]}
    return {
        key: Backlog(
            waiting=open_rows.get(key, (0, 0))[0],
            size_bytes=open_rows.get(key, (0, 0))[1],
            held=held_rows.get(key, 0),
            dropped=lost.get(key, 0),
        )
        for key in {*open_rows, *held_rows, *lost}
    }


def parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Few enough at a time for one statement's variables."""
    return (values[i : i + _CHUNK] for i in range(0, len(values), _CHUNK))


def _delete_all(
    sessions: Sessions, condition: ColumnElement[bool], order: ColumnElement[float] | None = None, n: int = -1
) -> None:
    """Delete deliveries with their attempts; the first ``n`` by ``order``, all when negative."""
    while n:
        query = select(Delivery.id).where(condition).limit(_CHUNK if n < 0 else min(n, _CHUNK))
        with sessions() as session:
            ids = session.scalars(query if order is None else query.order_by(order)).all()
            _delete(session, ids)
            session.commit()
        if len(ids) < _CHUNK:
            return
        n -= len(ids) if n > 0 else 0


def _delete(session: Session, ids: Sequence[str]) -> None:
    for part in parts(ids):
        session.execute(delete(DeliveryAttempt).where(col(DeliveryAttempt.delivery_id).in_(part)))
        session.execute(delete(Delivery).where(col(Delivery.id).in_(part)))


def _bound_finished(sessions: Sessions, keep: int) -> None:
    finished = col(Delivery.state).not_in(OPEN_STATES)
    query = select(Delivery.interface_id, func.count()).where(finished).group_by(col(Delivery.interface_id))
    with sessions() as session:
        counts = session.execute(query).all()
    for interface_id, count in counts:
        if count > keep:
            mine = finished & (col(Delivery.interface_id) == interface_id)
            _delete_all(sessions, mine, col(Delivery.finished_at), count - keep)


def _drop(sessions: Sessions, condition: ColumnElement[bool], excess: int | None = None, excess_bytes: int = 0) -> dict[int, int]:
    """Delete unfinished deliveries, the least important and among them the oldest first, and count them as dropped.

    So many that at least ``excess`` deliveries and ``excess_bytes`` bytes are gone; all that ``condition`` means when
    ``excess`` is None.
    """
    dropped: Counter[int] = Counter()
    while excess is None or excess > 0 or excess_bytes > 0:
        query = select(Delivery.id, Delivery.interface_id, Delivery.size).where(condition)
        order = (col(Delivery.priority), col(Delivery.sequence))
        with sessions() as session:
            rows, now = session.execute(query.order_by(*order).limit(_DROP_CHUNK)).all(), []
            for row in rows:
                if excess is not None and excess <= 0 and excess_bytes <= 0:
                    break
                now.append(row)
                excess = None if excess is None else excess - 1
                excess_bytes -= row[2]
            _delete(session, [row[0] for row in now])
            counts = Counter(row[1] for row in now)
            _count_dropped(session, counts)
            session.commit()
        dropped += counts
        if len(rows) < _DROP_CHUNK:
            break
    return dict(dropped)


def _drop_held(sessions: Sessions, interface_id: int, excess: int) -> dict[int, int]:
    if excess <= 0:
        return {}
    mine = select(HeldFact.id).where(col(HeldFact.interface_id) == interface_id).order_by(col(HeldFact.id)).limit(excess)
    with sessions() as session:
        last = max(session.scalars(mine).all(), default=None)
        session.execute(delete(HeldFact).where(col(HeldFact.interface_id) == interface_id, col(HeldFact.id) <= last))
        _count_dropped(session, Counter({interface_id: excess}))
        session.commit()
    return {interface_id: excess}


def _count_dropped(session: Session, counts: Counter[int]) -> None:
    for interface_id, count in counts.items():
        row = session.get(ReceiverStateRow, interface_id) or ReceiverStateRow(interface_id=interface_id)
        row.dropped += count
        session.add(row)


__all__ = ["OPEN_STATES", "Sessions", "backlog", "parts", "prune"]
