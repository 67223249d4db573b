"""Makes deliveries with their stable ids."""

import uuid

from actors.delivery.ports import InterfaceConfig, Outgoing

_NAMESPACE = uuid.UUID("0e1d5b7c-8c8e-45a7-a1c3-6b3f7a4d9e20")


def outgoing(
    interface: InterfaceConfig, fact_id: str, order_key: str, body: bytes, pictures: str, now_s: float, not_before: float = 0.0
) -> Outgoing:
    """A delivery of ``body``. Its id follows from interface and fact: the same fact published twice is the same delivery."""
    return Outgoing(
        delivery_id=str(uuid.uuid5(_NAMESPACE, f"{interface.interface_id}|{fact_id}")),
        interface_id=interface.interface_id,
        fact_id=fact_id,
        order_key=order_key,
        kind=interface.business_type,
        priority=interface.priority,
        body=body,
        pictures=pictures,
        created_at=now_s,
        not_before=not_before,
    )
