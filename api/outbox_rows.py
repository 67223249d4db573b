"""Rows of the outbox ↔ the values of delivery."""

import json
import math
from typing import Any

from actors.delivery.ports import WAITING, Due, HeldItem, InterfaceConfig, Outgoing, ReceiverState
from api.tables import Delivery, HeldFact, Interface, ReceiverStateRow


def interface_config(row: Interface) -> InterfaceConfig:
    """A table row as the pusher's value."""
    secrets = [(row.secret, math.inf), (row.previous_secret, row.previous_secret_until)]
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
        accept_2xx=row.accept_2xx,
        secrets=tuple((secret, until_s) for secret, until_s in secrets if secret),
    )


def delivery_row(item: Outgoing, sequence: int) -> dict[str, Any]:
    """A new delivery as columns."""
    return {
        "id": item.delivery_id,
        "sequence": sequence,
        "interface_id": item.interface_id,
        "fact_id": item.fact_id,
        "order_key": item.order_key,
        "kind": item.kind,
        "priority": item.priority,
        "body": item.body,
        "size": len(item.body),
        "pictures": item.pictures,
        "state": WAITING,
        "attempts": 0,
        "next_attempt_at": item.not_before,
        "created_at": item.created_at,
        "age_from": item.created_at,
        "finished_at": 0.0,
    }


def due(row: Delivery) -> Due:
    """A delivery that may be sent."""
    outgoing = Outgoing(
        delivery_id=row.id,
        interface_id=row.interface_id,
        fact_id=row.fact_id,
        order_key=row.order_key,
        kind=row.kind,
        priority=row.priority,
        body=row.body,
        pictures=row.pictures,
        created_at=row.created_at,
    )
    return Due(outgoing=outgoing, attempts=row.attempts, age_from=row.age_from, in_lane=row.state == WAITING)


def held_row(item: HeldItem) -> dict[str, Any]:
    """A held item as columns."""
    return {
        "interface_id": item.interface_id,
        "fact_id": item.fact_id,
        "order_key": item.order_key,
        "body": item.body,
        "pictures": item.pictures,
        "created_at": item.created_at,
        "not_before": item.not_before,
    }


def held_item(row: HeldFact) -> HeldItem:
    """A row as a held item."""
    return HeldItem(
        interface_id=row.interface_id,
        fact_id=row.fact_id,
        order_key=row.order_key,
        body=row.body,
        pictures=row.pictures,
        created_at=row.created_at,
    )


def receiver_state(row: ReceiverStateRow) -> ReceiverState:
    """A row as a receiver's state."""
    return ReceiverState(
        failing_since=row.failing_since,
        failures=row.failures,
        last_failure_at=row.last_failure_at,
        last_success_at=row.last_success_at,
        notice_at=row.notice_at,
        disabled_at=row.disabled_at,
        disabled_reason=row.disabled_reason,
    )
