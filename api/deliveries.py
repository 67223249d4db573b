"""What operators do with deliveries: look at them, send them again, give an interface a signing secret.

Plain functions over the database, for the routes. After ``replay`` and ``rotate_secret`` the routes call
``control.interfaces_changed()``, so that the pushers look at once.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import CursorResult, func, select, update
from sqlmodel import col

from actors.delivery.ports import DELIVERED, GIVEN_UP, RETRYING, WAITING, Backlog, ReceiverState
from actors.delivery.signing import new_secret
from api import outbox_bounds
from api.audit import COMMAND_LINE, Actor, note
from api.database import Database
from api.outbox_bounds import parts
from api.outbox_rows import receiver_state
from api.tables import Delivery, DeliveryAttempt, Interface, ReceiverStateRow

STATES = (WAITING, RETRYING, DELIVERED, GIVEN_UP)
FAILED = (GIVEN_UP, RETRYING)
_REPLAY_AT_ONCE = 10_000
DEFAULT_OVERLAP_S = 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryFilter:
    """Which deliveries. Every field that is None lets everything pass.

    Attributes:
        states: of STATES. since_s, until_s: bounds of the moment of acceptance, seconds since the epoch; the second exclusive.
    """

    interface_id: int | None = None
    order_key: str | None = None
    states: Sequence[str] | None = None
    since_s: float | None = None
    until_s: float | None = None
    ids: Sequence[str] | None = None

    def conditions(self) -> list[Any]:
        """As conditions on the table."""
        found: list[Any] = []
        if self.interface_id is not None:
            found.append(col(Delivery.interface_id) == self.interface_id)
        if self.order_key is not None:
            found.append(col(Delivery.order_key) == self.order_key)
        if self.states is not None:
            found.append(col(Delivery.state).in_(self.states))
        if self.since_s is not None:
            found.append(col(Delivery.created_at) >= self.since_s)
        if self.until_s is not None:
            found.append(col(Delivery.created_at) < self.until_s)
        return found

    def told(self) -> dict[str, list[Any]]:
        """For the log of changes: what is asked for, each as [None, value]."""
        named = {name: getattr(self, name) for name in ("order_key", "states", "since_s", "until_s")}
        return {name: [None, list(value) if name == "states" else value] for name, value in named.items() if value is not None}


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryView:
    """One delivery as an operator sees it. Times in seconds since the epoch, 0 for none; ``attempts`` oldest first."""

    delivery_id: str
    interface_id: int
    order_key: str
    business_type: int
    state: str
    tries: int
    size_bytes: int
    created_at: float
    next_attempt_at: float
    finished_at: float
    body: bytes = b""
    attempts: tuple[DeliveryAttempt, ...] = field(default=())


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiverView:
    """How one receiver does."""

    state: ReceiverState
    backlog: Backlog


_SHOWN = (
    Delivery.id,
    Delivery.interface_id,
    Delivery.order_key,
    Delivery.kind,
    Delivery.state,
    Delivery.attempts,
    Delivery.size,
    Delivery.created_at,
    Delivery.next_attempt_at,
    Delivery.finished_at,
)


def list_deliveries(database: Database, wanted: DeliveryFilter, page: int = 1, page_size: int = 100) -> list[DeliveryView]:
    """A page of deliveries, newest first, without bodies and attempts. ``page`` counts from 1."""
    query = select(*_SHOWN).where(*wanted.conditions()).order_by(col(Delivery.sequence).desc())
    with database.session() as session:
        rows = session.execute(query.offset((page - 1) * page_size).limit(page_size)).all()
    return [_view(row) for row in rows]


def count_deliveries(database: Database, wanted: DeliveryFilter) -> int:
    """How many deliveries there are of this kind."""
    with database.session() as session:
        return int(session.scalar(select(func.count()).select_from(Delivery).where(*wanted.conditions())) or 0)


def query_delivery(database: Database, delivery_id: str) -> DeliveryView | None:
    """One delivery with its body (without pictures) and its attempts; None when there is none of this id."""
    attempts = select(DeliveryAttempt).where(col(DeliveryAttempt.delivery_id) == delivery_id).order_by(col(DeliveryAttempt.id))
    with database.session() as session:
        row = session.execute(select(*_SHOWN, Delivery.body).where(col(Delivery.id) == delivery_id)).first()
        if row is None:
            return None
        tried = tuple(session.scalars(attempts).all())
    return _view(row, body=row[-1], attempts=tried)


def replay(database: Database, wanted: DeliveryFilter, now_s: float | None = None, actor: Actor = COMMAND_LINE) -> int:
    """Send deliveries again, delivered ones too: at once, under their ids, with a fresh schedule; returns how many.

    They are sent beside what waits in their lanes: order is not promised. Deliveries of interfaces that are disabled wait until
    they are enabled. What is waiting already is sent at once as well but keeps its place. Noted in the log of changes, an
    entry for every transaction (10,000 deliveries).
    """
    now_s = time.time() if now_s is None else now_s
    total = 0
    if wanted.ids is not None:
        for part in parts(list(wanted.ids)):
            total += _again(database, wanted, col(Delivery.id).in_(part), now_s, actor)
        return total
    # In pieces, each its own transaction: nobody waits long for the database.
    with database.session() as session:
        last = session.scalar(select(func.max(Delivery.sequence)).where(*wanted.conditions())) or 0
        first = session.scalar(select(func.min(Delivery.sequence)).where(*wanted.conditions())) or 0
    for begin in range(first, last + 1, _REPLAY_AT_ONCE):
        piece = (col(Delivery.sequence) >= begin) & (col(Delivery.sequence) < min(begin + _REPLAY_AT_ONCE, last + 1))
        total += _again(database, wanted, piece, now_s, actor)
    return total


def replay_failed(database: Database, interface_id: int | None = None, now_s: float | None = None) -> int:
    """Send again all that was given up or waits for its next attempt, of one interface or of all; returns how many."""
    return replay(database, DeliveryFilter(interface_id=interface_id, states=FAILED), now_s)


def rotate_secret(
    database: Database,
    interface_id: int,
    overlap_s: float = DEFAULT_OVERLAP_S,
    now_s: float | None = None,
    actor: Actor = COMMAND_LINE,
) -> str | None:
    """Give an interface a new signing secret and return it: show it once, nothing shows it again.

    The one before signs beside it for ``overlap_s`` seconds. None when there is no such interface.
    """
    now_s = time.time() if now_s is None else now_s
    with database.session() as session:
        row = session.get(Interface, interface_id)
        if row is None:
            return None
        row.previous_secret, row.previous_secret_until = row.secret, now_s + overlap_s if row.secret else 0.0
        row.secret = new_secret()
        session.add(row)
        note(session, actor, "interface.rotateSecret", f"{row.id} {row.name}")
        session.commit()
        return row.secret


def remove_secret(database: Database, interface_id: int, actor: Actor = COMMAND_LINE) -> bool:
    """Sign deliveries of an interface no more; whether there is such an interface."""
    with database.session() as session:
        row = session.get(Interface, interface_id)
        if row is None:
            return False
        row.secret, row.previous_secret, row.previous_secret_until = "", "", 0.0
        session.add(row)
        note(session, actor, "interface.removeSecret", f"{row.id} {row.name}")
        session.commit()
        return True


def receivers(database: Database) -> Mapping[int, ReceiverView]:
    """How receivers do, by interface: since when they fail, why they were disabled, what waits, what was dropped."""
    backlog = outbox_bounds.backlog(database.session)
    with database.session() as session:
        states = {row.interface_id: receiver_state(row) for row in session.scalars(select(ReceiverStateRow)).all()}
        ids = session.scalars(select(Interface.id)).all()
    return {key: ReceiverView(state=states.get(key, ReceiverState()), backlog=backlog.get(key, Backlog())) for key in ids if key}


def _again(database: Database, wanted: DeliveryFilter, piece: Any, now_s: float, actor: Actor) -> int:
    conditions = [*wanted.conditions(), piece]
    finished = col(Delivery.state).in_((DELIVERED, GIVEN_UP, RETRYING))
    waiting = col(Delivery.state) == WAITING
    fresh = {"attempts": 0, "next_attempt_at": 0.0, "finished_at": 0.0, "age_from": now_s}
    with database.session() as session:
        put_back = session.execute(update(Delivery).where(*conditions, finished).values(state=RETRYING, **fresh))
        hurried = session.execute(update(Delivery).where(*conditions, waiting).values(**fresh))
        count = sum(cast("CursorResult[Any]", result).rowcount for result in (put_back, hurried))
        if count:
            of = "" if wanted.interface_id is None else str(wanted.interface_id)
            note(session, actor, "delivery.replay", of, {"replayed": [None, count], **wanted.told()})
        session.commit()
    return count


def _view(row: Any, **more: Any) -> DeliveryView:
    return DeliveryView(
        delivery_id=row[0],
        interface_id=row[1],
        order_key=row[2],
        business_type=row[3],
        state=row[4],
        tries=row[5],
        size_bytes=row[6],
        created_at=row[7],
        next_attempt_at=row[8],
        finished_at=row[9],
        **more,
    )
