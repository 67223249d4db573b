"""Periodic interfaces: composes what was held back into bodies at each tick."""

import asyncio
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from actors.delivery.bodies import cut, dump
from actors.delivery.composing import EVENT_BUSINESS, PARAMETER_BUSINESS, PEOPLE_BUSINESS, STATUS_BUSINESS, compose
from actors.delivery.outgoing import outgoing
from actors.delivery.policy import next_tick
from actors.delivery.ports import BodyEncoder, HeldItem, InterfaceConfig, OutboxStore, Outgoing
from actors.delivery.sender import Sender

NOT_STARTED = 0
MEASURED_AFTER_S = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PeriodConfig:
    """Bounds of one composed body.

    Attributes:
        max_items: elements. max_bytes: with pictures; the default is below 1 MiB, what nginx lets through unless told otherwise.
    """

    max_items: int = 500
    max_bytes: int = 1_000_000


def tick_offset_s(business_type: int) -> float:
    """How long after the end of a period it is composed.

    Parameters and people of a period are known when the cameras' last second of it is closed (a second after its end) and has
    been through the aggregator. A tick right at the period's end would hold them back for a whole period more.
    """
    return MEASURED_AFTER_S if business_type in (PARAMETER_BUSINESS, PEOPLE_BUSINESS) else 0.0


@dataclass(kw_only=True, slots=True)
class Ticks:
    """When an interface's next period is composed. Survives a clock that is set back: it never waits longer than one period.

    ``offset_s``: later than the period's end, see ``tick_offset_s``.
    """

    period_s: int
    clock: Callable[[], float]
    offset_s: float = 0.0
    due_at: float = field(init=False)
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.advance()

    def advance(self) -> None:
        """The period has been composed: go to the next."""
        self.due_at = next_tick(self.clock() - self.offset_s, self.period_s) + self.offset_s
        # Not the time alone: after a step of the clock the same time comes again and must not look like the same period.
        self.name = f"{self.due_at:.0f}:{uuid.uuid4().hex[:12]}"

    def due(self) -> bool:
        """Whether the period has ended."""
        now_s = self.clock()
        if self.due_at - now_s > self.period_s:
            self.advance()
        return now_s >= self.due_at


class PeriodComposer:
    """Turns held items, or the known statuses, into deliveries."""

    def __init__(self, store: OutboxStore, encoder: BodyEncoder, sender: Sender, config: PeriodConfig | None = None) -> None:
        self._store, self._encoder, self._sender = store, encoder, sender
        self._config = config or PeriodConfig()

    async def compose(self, interface: InterfaceConfig, tick: str, now_s: float) -> None:
        """Persist the bodies of the period that ends now. Raises StoreUnavailableError; compose the same ``tick`` again then."""
        if interface.business_type == STATUS_BUSINESS:
            await asyncio.to_thread(self._compose_statuses, interface, tick, now_s)
        else:
            await self._compose_items(interface, now_s)

    def _compose_statuses(self, interface: InterfaceConfig, tick: str, now_s: float) -> None:
        known = {status.task_num: status.status for status in self._store.statuses()}
        made = []
        for task in self._store.tasks():
            if interface.wants(task.task_num):
                status = known.get(task.task_num, NOT_STARTED) if task.enabled else NOT_STARTED
                body = dump(self._encoder.status(task.task_num, task.task_name, status))
                made.append(outgoing(interface, f"tick:{tick}:{task.task_num}", task.task_num, body, "", now_s))
        self._store.accept(made, [], [])

    async def _compose_items(self, interface: InterfaceConfig, now_s: float) -> None:
        limit = 4 * self._config.max_items
        while True:
            items = list(await asyncio.to_thread(self._store.held, interface.interface_id, limit))
            if not items:
                return
            if interface.business_type == EVENT_BUSINESS:  # each event is a body of its own
                composed = [outgoing(interface, i.fact_id, i.order_key, i.body, i.pictures, now_s) for i in items]
            else:
                sizes = await self._sender.sizes(items)
                ranges = cut(sizes, self._config.max_items, self._config.max_bytes)
                composed = [_composed(interface, [items[i] for i in part], now_s) for part in ranges]
            ids = [item.fact_id for item in items]
            await asyncio.to_thread(self._store.close_period, interface.interface_id, composed, ids)
            if len(items) < limit:
                return


def _composed(interface: InterfaceConfig, items: Sequence[HeldItem], now_s: float) -> Outgoing:
    pictures = ""
    if interface.business_type != PEOPLE_BUSINESS and any(item.pictures for item in items):  # 3.5 has no place for pictures
        pictures = json.dumps([json.loads(item.pictures) if item.pictures else {} for item in items])
    # Named by what is in it: the same items never make two deliveries, other items always another one.
    name = uuid.uuid5(uuid.NAMESPACE_OID, "|".join(item.fact_id for item in items))
    body = compose(interface.business_type, [item.body for item in items])
    return outgoing(interface, f"period:{name}", "period", body, pictures, now_s)
