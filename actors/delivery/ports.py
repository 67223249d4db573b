"""Values and ports of delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from actors.ports import FactEnvelope


@dataclass(frozen=True, kw_only=True, slots=True)
class InterfaceConfig:
    """A registered receiver as the pusher needs it.

    Attributes:
        trigger_condition: 1 periodic, 2 on trigger. upload_period_s: 1..120 when periodic.
        push_response: False: one attempt is enough, whatever the answer.
        task_nums: tasks whose facts it wants; None for all.
        headers: companyName, companyId, appId as stored.
    """

    interface_id: int
    name: str
    business_type: int
    trigger_condition: int
    upload_period_s: int
    url: str
    upload_pictures: bool
    push_response: bool
    task_nums: frozenset[str] | None
    headers: Mapping[str, str]

    @property
    def periodic(self) -> bool:
        """Whether it is served at ticks."""
        return self.trigger_condition == 1

    def wants(self, task_num: str) -> bool:
        """Whether facts of this task are for it."""
        return self.task_nums is None or task_num in self.task_nums


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedItem:
    """A body without its pictures, and which body field gets which archive path's picture ("" for an empty picture)."""

    body: dict[str, object]
    pictures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """A delivery to persist. ``pictures``: one map per element for an array body, else one map."""

    delivery_id: str
    interface_id: int
    fact_id: str
    order_key: str
    kind: int
    body: bytes
    pictures: str
    created_at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A persisted delivery whose time has come. ``attempts``: tries made so far."""

    outgoing: Outgoing
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try. ``status`` 0: no HTTP answer."""

    delivery_id: str
    at: float
    status: int
    latency_ms: float
    excerpt: str
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldItem:
    """An element held back for a periodic interface."""

    interface_id: int
    fact_id: str
    order_key: str
    body: bytes
    pictures: str
    created_at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownStatus:
    """Last known status of a task."""

    task_num: str
    task_name: str
    status: int
    at: float


class BodyEncoder(Protocol):
    """Makes wire bodies; implemented in ``api.wire``."""

    def encode(self, envelope: FactEnvelope, interface: InterfaceConfig) -> EncodedItem | None:
        """None when the interface does not want this fact."""

    def status(self, task_num: str, task_name: str, status: int) -> dict[str, object]:
        """Body of a task's status."""


class OutboxStore(Protocol):
    """The durable outbox. Every method commits before it returns and raises StoreUnavailableError when it cannot."""

    def interfaces(self) -> Sequence[InterfaceConfig]:
        """All enabled interfaces."""

    def enabled_tasks(self) -> frozenset[str]:
        """Numbers of all tasks in the table (for periodic status)."""

    def accept(self, deliveries: Sequence[Outgoing], held: Sequence[HeldItem], statuses: Sequence[KnownStatus]) -> int:
        """Persist everything in one transaction; what is there already (interface, fact) is skipped. Returns how many are new."""

    def due(self, interface_id: int, now_s: float, limit: int) -> Sequence[Due]:
        """Deliveries of an interface whose time has come, oldest first; a later one of an order key waits for the earlier."""

    def record(self, attempt: Attempt, state: str, next_attempt_at: float) -> None:
        """Note an attempt and what follows from it (state waiting, delivered, given_up)."""

    def close_period(self, interface_id: int, until_s: float, outgoing: Outgoing | None, item_ids: Sequence[str]) -> None:
        """Replace held items by the delivery composed of them, in one transaction."""

    def held(self, interface_id: int, until_s: float, limit: int) -> Sequence[HeldItem]:
        """Items held back before ``until_s``, oldest first."""

    def statuses(self) -> Sequence[KnownStatus]:
        """Last known status of every task."""

    def prune(self, now_s: float, keep_s: float, max_waiting: int) -> int:
        """Forget finished deliveries older than ``keep_s``, deliveries of deleted interfaces, and per interface the oldest
        waiting ones beyond ``max_waiting``. Returns how many waiting ones were dropped."""

    def waiting(self) -> Mapping[int, int]:
        """Number of waiting deliveries by interface."""
