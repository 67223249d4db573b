"""Events whose clip is still being made: kept in the outbox, durable, but not sent before the camera says so again."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col

from actors.delivery.composing import EVENT_BUSINESS
from actors.delivery.ports import WAITING, HeldItem, HistoryItem, Outgoing
from api.tables import Delivery, HeldFact
from traffic.facts import TaskStatus


def let_go(session: Session, deliveries: Sequence[Outgoing], held: Sequence[HeldItem]) -> None:
    """What comes again without a time to wait for replaces what was kept with one, and may be sent."""
    for item in deliveries:
        if item.kind == EVENT_BUSINESS and not item.not_before:
            mine = col(Delivery.id) == item.delivery_id
            fresh = {"body": item.body, "size": len(item.body), "pictures": item.pictures, "next_attempt_at": 0.0}
            session.execute(update(Delivery).where(mine, *_waiting()).values(**fresh))
    for kept in held:
        if not kept.not_before:
            mine = (col(HeldFact.interface_id) == kept.interface_id) & (col(HeldFact.fact_id) == kept.fact_id)
            waits = mine & (col(HeldFact.not_before) > 0)
            session.execute(update(HeldFact).where(waits).values(body=kept.body, pictures=kept.pictures, not_before=0.0))


def let_go_of_begun(session: Session, history: Sequence[HistoryItem]) -> None:
    """A camera process that begins anew makes no clip of the one before: its events are sent as they are."""
    for item in history:
        fact, task_num = item.envelope.fact, item.envelope.task.task_num
        if isinstance(fact, TaskStatus) and fact.first:
            before = (col(Delivery.order_key) == task_num) & (col(Delivery.created_at) < fact.time_s)
            events = before & (col(Delivery.kind) == EVENT_BUSINESS)
            session.execute(update(Delivery).where(events, *_waiting()).values(next_attempt_at=0.0))
            kept = (col(HeldFact.order_key) == task_num) & (col(HeldFact.created_at) < fact.time_s)
            session.execute(update(HeldFact).where(kept, col(HeldFact.not_before) > 0).values(not_before=0.0))


def _waiting() -> tuple[Any, ...]:
    return (
        col(Delivery.state) == WAITING,
        col(Delivery.attempts) == 0,
        col(Delivery.next_attempt_at) > 0,
    )
