"""Pushers: persist facts for every interested receiver, acknowledge, then POST until the receiver has them.

``Pusher`` is plain asyncio; ``PusherActor`` is its Ray shell. Interfaces are spread over the pushers by id.
"""

import asyncio
import contextlib
import json
import logging
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from actors.delivery.composing import compose
from actors.delivery.policy import DeliveryPolicy, next_tick
from actors.delivery.ports import (
    Attempt,
    BodyEncoder,
    Due,
    HeldItem,
    InterfaceConfig,
    KnownStatus,
    OutboxStore,
    Outgoing,
)
from actors.delivery.sender import Sender, dump
from actors.errors import SinkUnavailableError, StoreUnavailableError
from actors.ports import Archive, FactEnvelope
from traffic.facts import TaskStatus

logger = logging.getLogger(__name__)
_NAMESPACE = uuid.UUID("0e1d5b7c-8c8e-45a7-a1c3-6b3f7a4d9e20")
STATUS_BUSINESS = 52


@dataclass(frozen=True, kw_only=True, slots=True)
class PusherConfig:
    """Settings.

    Attributes:
        idle_s: longest pause between looks into the outbox. refresh_s: how often interfaces are read again.
        concurrency: POSTs under way per receiver (one per task, so the order within a task is kept).
        batch: deliveries read at once. held_limit: elements of one periodic body at most.
        keep_s: finished deliveries are kept this long. max_waiting: per interface.
    """

    idle_s: float = 1.0
    refresh_s: float = 30.0
    concurrency: int = 8
    batch: int = 64
    held_limit: int = 2000
    keep_s: float = 7 * 86_400.0
    max_waiting: int = 100_000
    prune_s: float = 300.0


class Pusher:
    """The share ``index`` of ``count`` of all interfaces."""

    def __init__(
        self,
        index: int,
        count: int,
        store: OutboxStore,
        encoder: BodyEncoder,
        sender: Sender,
        config: PusherConfig | None = None,
        policy: DeliveryPolicy | None = None,
        on_attempt: Callable[[InterfaceConfig, Attempt, str], None] | None = None,
    ) -> None:
        self._index, self._count = index, count
        self._store, self._encoder, self._sender = store, encoder, sender
        self._config, self._policy = config or PusherConfig(), policy or DeliveryPolicy()
        self._on_attempt = on_attempt
        self._chance = random.Random(index)
        self._interfaces: dict[int, InterfaceConfig] = {}
        self._workers: dict[int, asyncio.Task[None]] = {}
        self._wake: dict[int, asyncio.Event] = {}
        self._refresh = asyncio.Event()
        self._main: asyncio.Task[None] | None = None
        self._store_error = ""
        self._loaded = False
        self._accepting = asyncio.Lock()

    async def start(self) -> None:
        """Begin to deliver what is in the outbox."""
        self._main = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """End; what is not delivered stays in the outbox."""
        tasks = [task for task in (self._main, *self._workers.values()) if task]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._sender.close()

    def interfaces_changed(self) -> None:
        """Read the interfaces again now."""
        self._refresh.set()

    def health(self) -> dict[str, Any]:
        """For health pages."""
        return {"interfaces": len(self._interfaces), "storeError": self._store_error}

    async def publish(self, envelopes: Sequence[FactEnvelope]) -> int:
        """Persist facts for this pusher's interfaces; returns after the commit how many deliveries and held items are new.

        Raises:
            StoreUnavailableError: nothing was persisted; publish again.
        """
        if not self._loaded:  # facts may come before the first look at the table
            await self._load()
        deliveries, held, statuses = self._encode(envelopes)
        async with self._accepting:  # one writer at a time keeps the order of a task's facts
            new: int = await asyncio.to_thread(self._store.accept, deliveries, held, statuses)
        for interface_id in {delivery.interface_id for delivery in deliveries}:
            if interface_id in self._wake:
                self._wake[interface_id].set()
        return new

    def _encode(self, envelopes: Sequence[FactEnvelope]) -> tuple[list[Outgoing], list[HeldItem], list[KnownStatus]]:
        deliveries, held, statuses = [], [], []
        now_s = time.time()
        for envelope in envelopes:
            if isinstance(envelope.fact, TaskStatus) and self._index == 0:
                task, fact = envelope.task, envelope.fact
                status = KnownStatus(task_num=task.task_num, task_name=task.task_name, status=int(fact.status), at=fact.time_s)
                statuses.append(status)
            for interface in self._interfaces.values():
                if not interface.wants(envelope.task.task_num):
                    continue
                if interface.periodic and interface.business_type == STATUS_BUSINESS:
                    continue  # served from the known statuses at each tick
                item = self._encoder.encode(envelope, interface)
                if item is None:
                    continue
                pictures = json.dumps(item.pictures) if item.pictures else ""
                if interface.periodic:
                    held.append(
                        HeldItem(
                            interface_id=interface.interface_id,
                            fact_id=envelope.fact_id,
                            order_key=envelope.task.task_num,
                            body=dump(item.body),
                            pictures=pictures,
                            created_at=now_s,
                        )
                    )
                else:
                    body = dump(item.body)
                    deliveries.append(_outgoing(interface, envelope.fact_id, envelope.task.task_num, body, pictures, now_s))
        return deliveries, held, statuses

    # -- interfaces ---------------------------------------------------------------------------------------------------

    async def _load(self) -> None:
        rows = await asyncio.to_thread(self._store.interfaces)
        mine = {row.interface_id: row for row in rows if row.interface_id % self._count == self._index}
        for interface_id in self._interfaces.keys() - mine.keys():
            if task := self._workers.pop(interface_id, None):
                task.cancel()
            self._wake.pop(interface_id, None)
        changed = {i for i in mine.keys() & self._interfaces.keys() if mine[i] != self._interfaces[i]}
        self._interfaces, self._loaded = mine, True
        for interface_id in mine:
            if interface_id in changed and (task := self._workers.pop(interface_id, None)):
                task.cancel()
            old = self._workers.get(interface_id)
            if old is not None and old.done():  # it failed: say so and start again
                reason = None if old.cancelled() else old.exception()
                logger.error("receiver loop ended interface=%d error=%r", interface_id, reason)
                del self._workers[interface_id]
            if interface_id not in self._workers:
                self._wake[interface_id] = asyncio.Event()
                self._workers[interface_id] = asyncio.create_task(self._serve(interface_id))

    async def _supervise(self) -> None:
        pruned_at = time.monotonic()
        while True:
            self._refresh.clear()
            try:
                await self._load()
                self._store_error = ""
                if time.monotonic() - pruned_at > self._config.prune_s and self._index == 0:
                    pruned_at = time.monotonic()
                    dropped = await asyncio.to_thread(
                        self._store.prune, time.time(), self._config.keep_s, self._config.max_waiting
                    )
                    if dropped:
                        logger.warning("outbox over its limit dropped=%d", dropped)
            except StoreUnavailableError as error:
                self._store_error = str(error)
                logger.error("outbox unavailable error=%s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._refresh.wait(), self._config.refresh_s if self._loaded else 1.0)

    # -- delivering ---------------------------------------------------------------------------------------------------

    async def _serve(self, interface_id: int) -> None:
        """One receiver's own loop: no other receiver waits for it."""
        interface, wake = self._interfaces[interface_id], self._wake[interface_id]
        tick_s = next_tick(time.time(), interface.upload_period_s) if interface.periodic else float("inf")
        busy: dict[str, asyncio.Task[None]] = {}
        while True:
            wake.clear()
            try:
                if time.time() >= tick_s:
                    await self._compose(interface, tick_s)
                    tick_s = next_tick(time.time(), interface.upload_period_s)
                rows = await asyncio.to_thread(self._store.due, interface_id, time.time(), self._config.batch)
                for due in rows:
                    key = due.outgoing.order_key
                    if key not in busy and len(busy) < self._config.concurrency:
                        busy[key] = asyncio.create_task(self._deliver(interface, due))
            except StoreUnavailableError as error:
                self._store_error = str(error)
                logger.error("outbox unavailable interface=%d error=%s", interface_id, error)
                await asyncio.sleep(self._config.idle_s)
            pause_s = max(0.01, min(self._config.idle_s, tick_s - time.time()))
            waiter = asyncio.create_task(wake.wait())
            done, _ = await asyncio.wait({waiter, *busy.values()}, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
            waiter.cancel()
            busy = {key: task for key, task in busy.items() if task not in done}

    async def _deliver(self, interface: InterfaceConfig, due: Due) -> None:
        number = due.attempts + 1
        attempt = await self._sender.send(due.outgoing, interface, number)
        age_s = time.time() - due.outgoing.created_at
        decision = self._policy.decide(attempt, number, age_s, interface.push_response, self._chance)
        next_s = attempt.at + decision.retry_after_s
        while True:
            try:
                await asyncio.to_thread(self._store.record, attempt, decision.state, next_s)
                break
            except StoreUnavailableError as error:  # the receiver has it; only our note waits
                logger.error("attempt not recorded delivery=%s error=%s", attempt.delivery_id, error)
                await asyncio.sleep(1.0)
        if attempt.status != 200:
            logger.warning(
                "delivery failed interface=%d delivery=%s attempt=%d status=%d next=%s",
                interface.interface_id,
                attempt.delivery_id,
                number,
                attempt.status,
                decision.state,
            )
        if self._on_attempt:
            self._on_attempt(interface, attempt, decision.state)

    async def _compose(self, interface: InterfaceConfig, tick_s: float) -> None:
        """Make the periodic body of the period that ends at ``tick_s``."""
        fact_id = f"tick:{interface.interface_id}:{tick_s:.0f}"
        if interface.business_type == STATUS_BUSINESS:
            tasks = await asyncio.to_thread(self._store.enabled_tasks)
            known = await asyncio.to_thread(self._store.statuses)
            made = []
            for status in known:
                if status.task_num in tasks and interface.wants(status.task_num):
                    body = dump(self._encoder.status(status.task_num, status.task_name, status.status))
                    made.append(_outgoing(interface, f"{fact_id}:{status.task_num}", status.task_num, body, "", tick_s))
            await asyncio.to_thread(self._store.accept, made, [], [])
            return
        items = await asyncio.to_thread(self._store.held, interface.interface_id, tick_s, self._config.held_limit)
        if not items:
            return
        body = compose(interface.business_type, [item.body for item in items])
        pictures = ""
        if any(item.pictures for item in items):
            pictures = json.dumps([json.loads(item.pictures) if item.pictures else {} for item in items])
        outgoing = _outgoing(interface, fact_id, "period", body, pictures, tick_s)
        ids = [item.fact_id for item in items]
        await asyncio.to_thread(self._store.close_period, interface.interface_id, tick_s, outgoing, ids)


def _outgoing(interface: InterfaceConfig, fact_id: str, order_key: str, body: bytes, pictures: str, now_s: float) -> Outgoing:
    # The delivery id follows from interface and fact: the same fact published twice is the same delivery.
    delivery_id = str(uuid.uuid5(_NAMESPACE, f"{interface.interface_id}|{fact_id}"))
    return Outgoing(
        delivery_id=delivery_id,
        interface_id=interface.interface_id,
        fact_id=fact_id,
        order_key=order_key,
        kind=interface.business_type,
        body=body,
        pictures=pictures,
        created_at=now_s,
    )


class PusherActor:
    """Ray shell of a Pusher (an async actor)."""

    def __init__(
        self,
        index: int,
        count: int,
        outbox_factory: Callable[[], OutboxStore],
        encoder: BodyEncoder,
        archive: Archive,
        config: PusherConfig | None = None,
    ) -> None:
        from actors.delivery.metrics import DeliveryMetrics

        logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s %(message)s")
        self._index = index
        metrics = DeliveryMetrics()
        self._pusher = Pusher(index, count, outbox_factory(), encoder, Sender(archive), config, on_attempt=metrics.observe)
        self._starting = asyncio.get_running_loop().create_task(self._pusher.start())

    async def publish(self, envelopes: Sequence[FactEnvelope]) -> int:
        """See Pusher.publish."""
        return await self._pusher.publish(envelopes)

    async def interfaces_changed(self) -> None:
        """See Pusher.interfaces_changed."""
        self._pusher.interfaces_changed()

    async def health(self) -> dict[str, Any]:
        """See Pusher.health."""
        return self._pusher.health()

    async def stop(self) -> None:
        """See Pusher.stop."""
        await self._pusher.stop()

    def __repr__(self) -> str:
        return f"Pusher({self._index})"


@dataclass(frozen=True)
class PusherSink:
    """FactSink of camera actors: every pusher gets every fact and keeps its own interfaces' share."""

    names: tuple[str, ...]
    namespace: str
    timeout_s: float = 15.0

    def publish(self, envelopes: Sequence[FactEnvelope]) -> None:
        """See FactSink. Safe to repeat: a pusher skips what it has."""
        import ray
        from ray.exceptions import RayError

        try:
            pushers = [ray.get_actor(name, namespace=self.namespace) for name in self.names]
            batch = ray.put(list(envelopes)) if len(pushers) > 1 else list(envelopes)
            ray.get([pusher.publish.remote(batch) for pusher in pushers], timeout=self.timeout_s)
        except (RayError, ValueError, StoreUnavailableError) as error:
            raise SinkUnavailableError(f"pushers do not answer: {type(error).__name__}") from error
