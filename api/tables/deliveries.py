"""The outbox: what waits to be delivered, what was tried, what periodic interfaces hold back."""

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel


class Delivery(SQLModel, table=True):
    """One POST to be made. ``state``: waiting, delivered, given_up or dropped.

    ``order_key`` groups deliveries that must keep their order (one task and interface). ``pictures`` is a JSON object
    body field → archive path, filled into the body when it is sent.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("interface_id", "fact_id", name="uq_delivery_fact"),
        Index("ix_delivery_due", "state", "interface_id", "next_attempt_at"),
    )

    id: str = Field(primary_key=True, max_length=64)
    sequence: int = Field(default=0, index=True)
    interface_id: int = Field(index=True)
    fact_id: str = Field(max_length=200)
    order_key: str = Field(max_length=100)
    kind: int
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    pictures: str = ""
    state: str = Field(default="waiting", max_length=16)
    attempts: int = 0
    next_attempt_at: float = 0.0
    created_at: float = 0.0
    finished_at: float = 0.0


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
    """An item a periodic interface holds back until its tick."""

    __tablename__ = "held_fact"
    __table_args__ = (UniqueConstraint("interface_id", "fact_id", name="uq_held_fact"),)

    id: int | None = Field(default=None, primary_key=True)
    interface_id: int = Field(index=True)
    fact_id: str = Field(max_length=200)
    order_key: str = Field(max_length=100)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    pictures: str = ""
    created_at: float = 0.0


class TaskStatusRow(SQLModel, table=True):
    """The last known status of every task, for periodic interfaces of type 52."""

    __tablename__ = "task_status"

    task_num: str = Field(primary_key=True, max_length=64)
    task_name: str = Field(max_length=200)
    status: int
    at: float
