"""The outbox: what waits to be delivered, what was tried, what periodic interfaces hold back."""

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel


class Delivery(SQLModel, table=True):
    """One POST to be made. ``state``: waiting (in its lane), retrying (failed and out of its lane), delivered or given_up.

    ``order_key`` groups deliveries that must keep their order (one task and interface). ``pictures`` is a JSON object
    body field → archive path, filled into the body when it is sent. ``priority``: what is dropped first when the outbox is
    full (0 before 1 before 2). ``size``: bytes of the body. ``age_from``: moment from which its age counts.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("interface_id", "fact_id", name="uq_delivery_fact"),
        Index("ix_delivery_lane", "interface_id", "state", "order_key", "sequence"),
        Index("ix_delivery_retry", "interface_id", "state", "next_attempt_at"),
        # Covers the sums of ``prune`` and ``backlog``: without it they would read every body.
        Index("ix_delivery_bound", "state", "interface_id", "priority", "sequence", "size", "age_from"),
    )

    id: str = Field(primary_key=True, max_length=64)
    sequence: int = Field(default=0, index=True)
    interface_id: int
    fact_id: str = Field(max_length=200)
    order_key: str = Field(max_length=100)
    kind: int
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    pictures: str = ""
    state: str = Field(default="waiting", max_length=16)
    attempts: int = 0
    next_attempt_at: float = 0.0
    created_at: float = 0.0
    finished_at: float = Field(default=0.0, index=True)
    priority: int = 1
    size: int = 0
    age_from: float = 0.0


class DeliveryAttempt(SQLModel, table=True):
    """One try: HTTP status (0: no answer), latency, the head of the answer or the error."""

    __tablename__ = "delivery_attempt"

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: str = Field(index=True, max_length=64)
    at: float
    status: int
    latency_ms: float
    excerpt: str = ""


class HeldFact(SQLModel, table=True):
    """An item a periodic interface holds back until its tick, and at least until ``not_before``."""

    __tablename__ = "held_fact"
    __table_args__ = (UniqueConstraint("interface_id", "fact_id", name="uq_held_fact"),)

    id: int | None = Field(default=None, primary_key=True)
    interface_id: int = Field(index=True)
    fact_id: str = Field(max_length=200)
    order_key: str = Field(max_length=100)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    pictures: str = ""
    created_at: float = 0.0
    not_before: float = 0.0


class ComposedFact(SQLModel, table=True):
    """An item that has gone into a periodic delivery: stated again soon after, by an aggregator or a camera that was not told, it
    is known. Forgotten after a while."""

    __tablename__ = "composed_fact"

    interface_id: int = Field(primary_key=True)
    fact_id: str = Field(primary_key=True, max_length=200)
    at: float = Field(index=True)


class TaskStatusRow(SQLModel, table=True):
    """The last known status of every task, for periodic interfaces of type 52."""

    __tablename__ = "task_status"

    task_num: str = Field(primary_key=True, max_length=64)
    task_name: str = Field(max_length=200)
    status: int
    at: float


class ReceiverStateRow(SQLModel, table=True):
    """How a receiver has been answering; see ``actors.delivery.health``. ``dropped``: deliveries lost to the outbox's bounds."""

    __tablename__ = "receiver_state"

    interface_id: int = Field(primary_key=True)
    failing_since: float = 0.0
    failures: int = 0
    last_failure_at: float = 0.0
    last_success_at: float = 0.0
    notice_at: float = 0.0
    disabled_at: float = 0.0
    disabled_reason: str = Field(default="", max_length=500)
    dropped: int = 0
