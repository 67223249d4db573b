"""Pushers: persist facts for every interested receiver, acknowledge, then POST until the receiver has them.

``Pusher`` is plain asyncio; ``PusherActor`` is its Ray shell. Interfaces are spread over the pushers by id.
"""

import asyncio
import contextlib
import json
import logging
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from actors.delivery.bodies import dump
from actors.delivery.composing import EVENT_BUSINESS, STATUS_BUSINESS
from actors.delivery.health import HealthPolicy
from actors.delivery.intake import Entry, Intake
from actors.delivery.keeping import keep_running
from actors.delivery.outgoing import outgoing
from actors.delivery.periods import PeriodComposer, PeriodConfig
from actors.delivery.policy import DeliveryPolicy
from actors.delivery.ports import (
    Attempt,
    Backlog,
    BodyEncoder,
    Bounds,
    Due,
    EncodedItem,
    HeldItem,
    HistoryItem,
    InterfaceConfig,
    KnownStatus,
    OutboxStore,
    Outgoing,
    ReceiverState,
)
from actors.delivery.recorder import Recorder
from actors.delivery.sender import Sender
from actors.delivery.worker import ReceiverWorker, WorkerConfig, WorkerParts, disabled_notice, failing_notice
from actors.errors import SinkUnavailableError, StoreUnavailableError, SupersededError
from actors.logs import configure_logging
from actors.outbound import OutboundPolicy
from actors.ports import Archive, FactEnvelope, camera_name
from actors.vital import end_superseded_process
from traffic.facts import CrowdAlarm, TaskStatus, TrafficEvent, VehiclePassage

logger = logging.getLogger(__name__)
_NOTICES = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class PusherConfig:
    """Settings.

    Attributes:
        refresh_s: how often interfaces are read again. prune_s: how often the outbox is brought within its bounds.
        timeout_s: of one attempt. backoff_s: first pause after a loop failed in a way nobody expected.
        outbound: where receivers may be.
    """

    refresh_s: float = 30.0
    prune_s: float = 60.0
    timeout_s: float = 10.0
    backoff_s: float = 1.0
    worker: WorkerConfig = field(default_factory=WorkerConfig)
    periods: PeriodConfig = field(default_factory=PeriodConfig)
    bounds: Bounds = field(default_factory=Bounds)
    policy: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    health: HealthPolicy = field(default_factory=HealthPolicy)
    outbound: OutboundPolicy = field(default_factory=OutboundPolicy)


class DeliveryObserver(Protocol):
    """Watches deliveries, for metrics."""

    def attempt(self, interface: InterfaceConfig, due: Due, attempt: Attempt, state: str) -> None:
        """One attempt ended; ``state`` is what became of the delivery."""

    def backlog(self, backlog: dict[int, Backlog], breakers: dict[int, str]) -> None:
        """What waits, and the circuit breakers, by interface of this pusher."""


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
        observer: DeliveryObserver | None = None,
        clock: Callable[[], float] = time.time,
        on_superseded: Callable[[str], None] | None = None,
    ) -> None:
        """``on_superseded``: called with this pusher's name once another process is this pusher; it must do nothing more."""
        self._index, self._count = index, count
        self._on_superseded = on_superseded
        self._store, self._encoder, self._sender = store, encoder, sender
        self._config, self._observer, self._clock = config or PusherConfig(), observer, clock
        self._recorder = Recorder(store, self._note_store_error)
        self._parts = WorkerParts(
            store=store,
            sender=sender,
            recorder=self._recorder,
            composer=PeriodComposer(store, encoder, sender, self._config.periods),
            policy=self._config.policy,
            health=self._config.health,
            config=self._config.worker,
            clock=clock,
            on_attempt=observer.attempt if observer else None,
            on_notice=self._note_notice,
        )
        self._interfaces: dict[int, InterfaceConfig] = {}
        self._workers: dict[int, ReceiverWorker] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._refresh = asyncio.Event()
        self._main: asyncio.Task[None] | None = None
        self._store_error, self._failure = "", ""
        self._notices: deque[str] = deque(maxlen=_NOTICES)
        self._unencodable = 0
        self._backlog: dict[int, Backlog] = {}
        self._loaded, self._pruned_at = False, time.monotonic()
        self._intake, self._loading = Intake(store), asyncio.Lock()

    async def start(self) -> None:
        """Begin to deliver what is in the outbox."""
        self._main = self._keep("pusher", self._supervise)

    def _keep(self, what: str, run: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
        async def unless_superseded() -> None:
            try:
                await run()
            except SupersededError as error:
                self._end(error)

        return asyncio.create_task(keep_running(what, unless_superseded, self._note_failure, self._config.backoff_s))

    def _end(self, error: SupersededError) -> None:
        self._failure = f"superseded: {error.name}"
        if self._on_superseded:
            self._on_superseded(error.name)

    async def stop(self) -> None:
        """Let POSTs under way end, note them, and end; what is not delivered stays in the outbox. Bounded in time."""
        if self._main:
            self._main.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._main
        for worker in self._workers.values():
            worker.stop()
        await self._drain(list(self._running.values()))
        await self._recorder.close(within_s=5.0)
        await self._sender.close()

    def interfaces_changed(self) -> None:
        """Read the interfaces again now, and look into the outbox (something may have been put back into it)."""
        self._refresh.set()
        for worker in self._workers.values():
            worker.wake()

    def health(self) -> dict[str, Any]:
        """For health pages: ``storeError`` and ``failure`` are "" when all is well; ``notices`` are for the operator."""
        receivers = {
            str(key): {
                "circuit": worker.breaker_state,
                "failingSince": worker.state.failing_since,
                "waiting": self._backlog.get(key, Backlog()).waiting,
                "dropped": self._backlog.get(key, Backlog()).dropped,
            }
            for key, worker in self._workers.items()
        }
        return {
            "interfaces": len(self._interfaces),
            "storeError": self._store_error,
            "failure": self._failure,
            "notices": list(self._notices),
            "unencodable": self._unencodable,
            "receivers": receivers,
        }

    # -- taking facts ---------------------------------------------------------------------------------------------------

    async def publish(self, envelopes: Sequence[FactEnvelope]) -> int:
        """Persist facts for this pusher's interfaces, together with those of other callers; returns after the commit how many
        deliveries and held items are new with it.

        Raises:
            StoreUnavailableError: nothing was persisted; publish again.
            SupersededError: nothing was persisted: the facts' camera is another process now, or this pusher is.
        """
        if not self._loaded:  # facts may come before the first look at the table
            async with self._loading:
                await self._load()
        deliveries, held, statuses = self._encode(envelopes)
        history = self._history(envelopes) if self._index == 0 else []
        tasks = {envelope.task for envelope in envelopes}
        try:
            entry = Entry(deliveries=deliveries, held=held, statuses=statuses, history=history, tasks=tuple(tasks))
            new = await self._intake.put(entry)
        except SupersededError as error:
            if error.name not in {camera_name(task.task_num) for task in tasks}:
                self._end(error)
            raise
        for interface_id in {delivery.interface_id for delivery in deliveries}:
            if worker := self._workers.get(interface_id):
                worker.wake()
        return new

    def _encode(self, envelopes: Sequence[FactEnvelope]) -> tuple[list[Outgoing], list[HeldItem], list[KnownStatus]]:
        deliveries, held, statuses = [], [], []
        now_s = self._clock()
        for envelope in envelopes:
            task, fact = envelope.task, envelope.fact
            if isinstance(fact, TaskStatus) and self._index == 0:
                statuses.append(
                    KnownStatus(task_num=task.task_num, task_name=task.task_name, status=int(fact.status), at=fact.time_s)
                )
            for interface in self._interfaces.values():
                if not interface.wants(task.task_num) or (interface.periodic and interface.business_type == STATUS_BUSINESS):
                    continue  # the periodic status is made of the known statuses at each tick
                item = self._body(envelope, interface)
                if item is None:
                    continue
                pictures = json.dumps(item.pictures) if any(item.pictures.values()) else ""
                # Only the body of an event has a clip; a crowd alarm (3.6) need not wait for one.
                held_back = envelope.hold_s > 0 and interface.business_type == EVENT_BUSINESS
                not_before = now_s + envelope.hold_s if held_back else 0.0
                if interface.periodic:
                    held.append(
                        HeldItem(
                            interface_id=interface.interface_id,
                            fact_id=envelope.fact_id,
                            order_key=task.task_num,
                            body=dump(item.body),
                            pictures=pictures,
                            created_at=now_s,
                            not_before=not_before,
                        )
                    )
                else:
                    body, key = dump(item.body), task.task_num
                    deliveries.append(outgoing(interface, envelope.fact_id, key, body, pictures, now_s, not_before))
        return deliveries, held, statuses

    def _history(self, envelopes: Sequence[FactEnvelope]) -> list[HistoryItem]:
        items = []
        for envelope in envelopes:
            if isinstance(envelope.fact, TrafficEvent | CrowdAlarm | VehiclePassage | TaskStatus):
                try:
                    body = self._encoder.record(envelope)
                except (ValueError, KeyError, TypeError, OverflowError) as error:
                    logger.error("fact has no body for the history fact=%s error=%r", envelope.fact_id, error)
                    body = None
                items.append(HistoryItem(envelope=envelope, body=b"" if body is None else dump(body)))
        return items

    def _body(self, envelope: FactEnvelope, interface: InterfaceConfig) -> EncodedItem | None:
        try:
            return self._encoder.encode(envelope, interface)
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            # It could never be sent; refusing it would stop its camera for ever.
            self._unencodable += 1
            logger.error("fact has no body fact=%s interface=%d error=%r", envelope.fact_id, interface.interface_id, error)
            return None

    # -- interfaces and their workers -------------------------------------------------------------------------------------

    async def _load(self) -> None:
        rows = await asyncio.to_thread(self._store.interfaces)
        mine = {row.interface_id: row for row in rows if row.interface_id % self._count == self._index}
        new = mine.keys() - self._running.keys()
        states = await asyncio.to_thread(self._store.receiver_states) if new or not self._loaded else {}
        if not self._loaded:
            self._recall_notices(mine, states)
        self._interfaces, self._loaded = mine, True
        for interface_id in self._running.keys() - mine.keys():
            self._workers[interface_id].stop()
        for interface_id, interface in mine.items():
            if interface_id in new:
                self._begin(interface, states.get(interface_id, ReceiverState()))
            elif self._workers[interface_id].interface != interface:
                self._workers[interface_id].reconfigure(interface)

    def _recall_notices(self, mine: Mapping[int, InterfaceConfig], states: Mapping[int, ReceiverState]) -> None:
        """What operators were told before this process began, and still holds: of receivers that fail and of disabled ones."""
        for key, state in sorted(states.items()):
            if key % self._count != self._index:
                continue
            if key in mine and state.notice_at and state.failing_since:
                days = (self._clock() - state.failing_since) / 86_400
                self._note_notice(mine[key], failing_notice(days, self._config.health))
            elif key not in mine and state.disabled_at:
                self._notices.append(f"接口 {key}: {disabled_notice(state.disabled_reason)}")

    def _begin(self, interface: InterfaceConfig, state: ReceiverState) -> None:
        if state.disabled_at:  # somebody enabled it again: its failures start anew
            state = ReceiverState(last_success_at=state.last_success_at)
        worker = ReceiverWorker(interface, state, self._parts)
        interface_id, name = interface.interface_id, f"receiver loop interface={interface.interface_id}"
        self._workers[interface_id] = worker
        self._running[interface_id] = self._keep(name, worker.run)

    async def _reap(self) -> None:
        """Take leave of workers that ended: deleted, disabled, or edited away."""
        for interface_id in [key for key, task in self._running.items() if task.done()]:
            del self._running[interface_id], self._workers[interface_id]
            await self._sender.release(interface_id)
            if interface_id in self._interfaces:  # enabled again in the meantime
                self._refresh.set()

    async def _drain(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        if tasks:
            await asyncio.wait(tasks, timeout=self._config.worker.drain_s + 2.0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _supervise(self) -> None:
        while True:
            self._refresh.clear()
            try:
                await self._reap()
                async with self._loading:
                    await self._load()
                await self._bound()
                self._store_error = self._failure = ""
            except StoreUnavailableError as error:
                self._note_store_error(str(error))
                logger.error("outbox unavailable error=%s", error)
            waiter = asyncio.create_task(self._refresh.wait())
            try:
                pause_s = self._config.refresh_s if self._loaded else 1.0
                watched = {waiter, *self._running.values()}
                await asyncio.wait(watched, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiter.cancel()

    async def _bound(self) -> None:
        rested = time.monotonic() - self._pruned_at >= self._config.prune_s
        # Not while ages are those of another clock: a step ahead would make everything look too old.
        if self._index == 0 and rested and all(worker.knows_the_clock() for worker in self._workers.values()):
            self._pruned_at = time.monotonic()
            dropped = await asyncio.to_thread(self._store.prune, self._clock(), self._config.bounds)
            for interface_id, count in dropped.items():
                notice = f"接口 {interface_id}: 发件箱超限, 丢弃 {count} 条 / outbox over its bounds, {count} dropped"
                self._notices.append(notice)
                logger.warning("outbox over its bounds interface=%d dropped=%d", interface_id, count)
        self._backlog = dict(await asyncio.to_thread(self._store.backlog))
        if self._observer:
            breakers = {key: worker.breaker_state for key, worker in self._workers.items()}
            self._observer.backlog({key: self._backlog.get(key, Backlog()) for key in breakers}, breakers)

    def _note_store_error(self, text: str) -> None:
        self._store_error = text

    def _note_failure(self, text: str) -> None:
        self._failure = text

    def _note_notice(self, interface: InterfaceConfig, notice: str) -> None:
        self._notices.append(f"接口 {interface.interface_id} {interface.name}: {notice}")


class PusherActor:
    """Ray shell of a Pusher (an async actor)."""

    def __init__(
        self,
        index: int,
        count: int,
        outbox_factory: Callable[[str], OutboxStore],
        encoder: BodyEncoder,
        archive: Archive,
        config: PusherConfig | None = None,
        generation: str = "",
    ) -> None:
        from actors.delivery.metrics import DeliveryMetrics

        configure_logging("INFO")
        logging.getLogger("httpx").setLevel(
            "WARNING"
        )  # its line about every request holds the receiver's address, secrets included
        config = config or PusherConfig()
        self._index, self._generation = index, generation
        sender = Sender(archive, config.timeout_s, config.worker.concurrency, outbound=config.outbound)
        store = outbox_factory(f"pusher-{index}")
        self._pusher = Pusher(
            index, count, store, encoder, sender, config, DeliveryMetrics(), on_superseded=end_superseded_process
        )
        self._starting = asyncio.get_running_loop().create_task(self._pusher.start())

    async def generation(self) -> str:
        """Code and settings this runs with."""
        return self._generation

    async def process_id(self) -> int:
        """Process this runs in."""
        return os.getpid()

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
        except SupersededError as error:
            if error.name in {camera_name(envelope.task.task_num) for envelope in envelopes}:
                raise SupersededError(error.name) from error
            raise SinkUnavailableError(f"{error.name} has moved") from error
        except (RayError, ValueError, StoreUnavailableError) as error:
            raise SinkUnavailableError(f"pushers do not answer: {type(error).__name__}") from error
