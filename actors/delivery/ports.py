"""Values and ports of delivery."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from actors.ports import FactEnvelope, TaskRef

WAITING = "waiting"  # in the lane of its order key
RETRYING = "retrying"  # failed before and out of its lane: sent when its time comes, whatever else waits
DELIVERED = "delivered"
GIVEN_UP = "given_up"

DROP_FIRST, DROP_NEXT, DROP_LAST = 0, 1, 2
_BUSINESS_EVENT, _BUSINESS_PEOPLE = 11, 41


@dataclass(frozen=True, kw_only=True, slots=True)
class InterfaceConfig:
    """A registered receiver as the pusher needs it.

    Attributes:
        trigger_condition: 1 periodic, 2 on trigger. upload_period_s: 1..120 when periodic.
        push_response: False: one attempt is enough, whatever the answer.
        task_nums: tasks whose facts it wants; None for all.
        headers: companyName, companyId, appId as stored.
        accept_2xx: every 2xx is success; otherwise exactly 200 is, as the manual has it.
        secrets: (secret, seconds since the epoch until which it signs) of those in use, newest first; empty: unsigned.
    """

    interface_id: int
    name: str
    business_type: int
    trigger_condition: int
    upload_period_s: int
    url: str = field(repr=False)
    upload_pictures: bool
    push_response: bool
    task_nums: frozenset[str] | None
    headers: Mapping[str, str]
    accept_2xx: bool = False
    secrets: tuple[tuple[str, float], ...] = field(default=(), repr=False)

    @property
    def periodic(self) -> bool:
        """Whether it is served at ticks."""
        return self.trigger_condition == 1

    @property
    def priority(self) -> int:
        """What is dropped first when the outbox is full: periodic data, then single data, events and alarms last."""
        if self.business_type == _BUSINESS_EVENT or (self.business_type == _BUSINESS_PEOPLE and not self.periodic):
            return DROP_LAST
        return DROP_FIRST if self.periodic else DROP_NEXT

    def wants(self, task_num: str) -> bool:
        """Whether facts of this task are for it."""
        return self.task_nums is None or task_num in self.task_nums


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedItem:
    """A body whose picture fields stand empty at their place, and which field gets which archive path's picture."""

    body: dict[str, object]
    pictures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """A delivery to persist. ``pictures``: one map per element for an array body, else one map; JSON, "" for none.
    ``not_before``: seconds since the epoch before which it is not sent, unless it is accepted again with 0."""

    delivery_id: str
    interface_id: int
    fact_id: str
    order_key: str
    kind: int
    priority: int
    body: bytes
    pictures: str
    created_at: float
    not_before: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A persisted delivery whose time has come.

    Attributes:
        attempts: tries made so far. age_from: seconds since the epoch from which its age counts (a replay starts anew).
        in_lane: it must not be sent before, or beside, an earlier one of its order key.
    """

    outgoing: Outgoing
    attempts: int
    age_from: float
    in_lane: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try. ``status`` 0: no HTTP answer. ``retry_after_s``: what the receiver asked for."""

    delivery_id: str
    at: float
    status: int
    latency_ms: float
    excerpt: str
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """An attempt and what follows from it. ``next_attempt_at``: seconds since the epoch, 0 when there is none."""

    attempt: Attempt
    state: str
    next_attempt_at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldItem:
    """An element held back for a periodic interface. ``not_before``: see Outgoing."""

    interface_id: int
    fact_id: str
    order_key: str
    body: bytes
    pictures: str
    created_at: float
    not_before: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownTask:
    """A task of the table."""

    task_num: str
    task_name: str
    enabled: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownStatus:
    """Last known status of a task."""

    task_num: str
    task_name: str
    status: int
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiverState:
    """How a receiver has been answering. Times in seconds since the epoch, 0 for never.

    Attributes:
        failing_since, last_failure_at, failures: the present row of failures without a success; 0 while it is well.
        last_success_at: kept to the minute. notice_at: when the operator was told that it will be disabled.
        disabled_at, disabled_reason: when and why Wayside disabled it; 0 and "" when it did not.
    """

    failing_since: float = 0.0
    failures: int = 0
    last_failure_at: float = 0.0
    last_success_at: float = 0.0
    notice_at: float = 0.0
    disabled_at: float = 0.0
    disabled_reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """What waits for one receiver. ``held``: items of the period that is open."""

    waiting: int = 0
    size_bytes: int = 0
    held: int = 0
    dropped: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Limits of the outbox.

    Attributes:
        max_waiting, max_bytes: unfinished deliveries of one interface, and their bodies.
        max_total_bytes: bodies of all unfinished deliveries.
        max_age_s: unfinished deliveries older than this are dropped.
        keep_s, keep_finished: finished ones are kept so long, and so many of one interface at most.
        keep_events_s, keep_vehicles_s: the history is kept so long.
    """

    max_waiting: int = 100_000
    max_bytes: int = 256 * 1024**2
    max_total_bytes: int = 2 * 1024**3
    max_age_s: float = 76 * 3600.0
    keep_s: float = 7 * 86_400.0
    keep_finished: int = 100_000
    keep_events_s: float = 365 * 86_400.0
    keep_vehicles_s: float = 90 * 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryItem:
    """A fact for the history. ``body``: 3.1 as it is pushed, without pictures, for what is pushed as an event; else b""."""

    envelope: FactEnvelope
    body: bytes = b""


class BodyEncoder(Protocol):
    """Makes wire bodies; implemented in ``api.wire``."""

    def encode(self, envelope: FactEnvelope, interface: InterfaceConfig) -> EncodedItem | None:
        """None when the interface does not want this fact."""

    def record(self, envelope: FactEnvelope) -> dict[str, object] | None:
        """Body of an event for the history, without pictures; None for a fact that is pushed as no event."""

    def status(self, task_num: str, task_name: str, status: int) -> dict[str, object]:
        """Body of a task's status."""


class OutboxStore(Protocol):
    """The durable outbox. Every method commits before it returns, raises StoreUnavailableError when it cannot, and
    SupersededError when another process is this pusher now."""

    def interfaces(self) -> Sequence[InterfaceConfig]:
        """All enabled interfaces."""

    def tasks(self) -> Sequence[KnownTask]:
        """All tasks in the table, by number (for the periodic status)."""

    def accept(
        self,
        deliveries: Sequence[Outgoing],
        held: Sequence[HeldItem],
        statuses: Sequence[KnownStatus],
        history: Sequence[HistoryItem] = (),
        tasks: Collection[TaskRef] = (),
    ) -> int:
        """Persist everything in one transaction; what is there already (interface, fact) is skipped, and so is a status older
        than the known one. ``tasks``: whose facts these are; SupersededError, and nothing is persisted, when a camera of them has
        begun another life. An event that was kept with ``not_before`` and comes without it is replaced and may be sent. Returns
        how many deliveries and held items are new."""

    def due(
        self, interface_id: int, now_s: float, lanes: int, per_lane: int, busy: Collection[str], retries: int
    ) -> Sequence[Due]:
        """Deliveries of an interface whose time has come.

        Of at most ``lanes`` order keys that are not in ``busy``, those with the oldest head first, the first ``per_lane``
        deliveries in their order, none when the head has to wait; and the ``retries`` that are due longest, except those
        whose delivery id is in ``busy``.
        """

    def record(self, outcomes: Sequence[Outcome]) -> None:
        """Note attempts and what follows from them, in one transaction. A delivery that is finished stays as it is."""

    def held(self, interface_id: int, limit: int) -> Sequence[HeldItem]:
        """Items held back, oldest first."""

    def close_period(self, interface_id: int, composed: Sequence[Outgoing], item_ids: Sequence[str]) -> None:
        """Replace held items (fact ids) by the deliveries composed of them, in one transaction."""

    def statuses(self) -> Sequence[KnownStatus]:
        """Last known status of every task."""

    def receiver_states(self) -> Mapping[int, ReceiverState]:
        """What is known of receivers, by interface."""

    def save_receiver_state(self, interface_id: int, state: ReceiverState, disable: bool) -> None:
        """Keep a receiver's state; with ``disable`` its interface is disabled as well."""

    def shift_times(self, interface_id: int, delta_s: float) -> None:
        """The wall clock was set by ``delta_s``: move the times of what waits along, so that its schedule stays."""

    def prune(self, now_s: float, bounds: Bounds) -> Mapping[int, int]:
        """Keep the outbox within ``bounds`` (least important and oldest first), forget finished deliveries and what belongs to
        deleted interfaces. Returns how many unfinished deliveries were dropped, by interface."""

    def backlog(self) -> Mapping[int, Backlog]:
        """What waits, by interface."""

    def waiting(self) -> Mapping[int, int]:
        """Number of unfinished deliveries by interface."""
