"""Serves one receiver: its own loop, its own connections, its own circuit breaker; no other receiver waits for it."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from actors.delivery.breaker import BreakerConfig, CircuitBreaker, Permit
from actors.delivery.health import HealthPolicy, Verdict
from actors.delivery.periods import PeriodComposer, Ticks, tick_offset_s
from actors.delivery.policy import Decision, DeliveryPolicy
from actors.delivery.ports import WAITING, Attempt, Due, InterfaceConfig, OutboxStore, Outcome, ReceiverState
from actors.delivery.recorder import Recorder
from actors.delivery.sender import Sender
from actors.errors import StoreUnavailableError

logger = logging.getLogger(__name__)
AttemptHook = Callable[[InterfaceConfig, Due, Attempt, str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerConfig:
    """Settings of one receiver's loop.

    Attributes:
        idle_s: longest pause between looks into the outbox.
        concurrency: POSTs under way, one per order key and the rest for what failed before.
        per_lane: deliveries of one order key read at once; after a crash at most so many of each are sent twice.
        drain_s: at the end, how long POSTs under way may take to finish.
        clock_step_s: a wall clock that departs from the monotonic one by more than this was set.
        save_state_s: how often a receiver's state is written while nothing comes of it.
    """

    idle_s: float = 1.0
    concurrency: int = 8
    per_lane: int = 32
    drain_s: float = 12.0
    clock_step_s: float = 5.0
    save_state_s: float = 60.0
    breaker: BreakerConfig = field(default_factory=BreakerConfig)


@dataclass(frozen=True, kw_only=True)
class WorkerParts:
    """What all receivers' loops of a pusher share."""

    store: OutboxStore
    sender: Sender
    recorder: Recorder
    composer: PeriodComposer
    policy: DeliveryPolicy
    health: HealthPolicy
    config: WorkerConfig
    clock: Callable[[], float] = time.time
    on_attempt: AttemptHook | None = None
    on_notice: Callable[[InterfaceConfig, str], None] | None = None


class ReceiverWorker:
    """Delivers what waits for one interface until ``stop``, or until the receiver is disabled."""

    def __init__(self, interface: InterfaceConfig, state: ReceiverState, parts: WorkerParts) -> None:
        self.interface, self.state = interface, state
        self._parts, self._config = parts, parts.config
        self._breaker = CircuitBreaker(parts.config.breaker)
        self._chance = random.Random(interface.interface_id)
        self._wake = asyncio.Event()
        self._stopping = self._draining = False
        self._disable_reason = ""
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._retrying: set[str] = set()
        self._ticks = self._make_ticks(interface)
        self._compose_last: InterfaceConfig | None = None
        self._clock_offset_s = parts.clock() - time.monotonic()
        self._saved, self._saved_at = state, time.monotonic()

    def wake(self) -> None:
        """Something new waits."""
        self._wake.set()

    def reconfigure(self, interface: InterfaceConfig) -> None:
        """The interface was edited: it holds from the next POST on; what is under way is not touched."""
        old, self.interface = self.interface, interface
        if old.url != interface.url:
            self._breaker.reset()
        if old.periodic and (not interface.periodic or old.business_type != interface.business_type):
            self._compose_last = old  # what was held back for it still goes out
        if (old.upload_period_s, old.business_type) != (interface.upload_period_s, interface.business_type) or not old.periodic:
            self._ticks = self._make_ticks(interface)
        self._wake.set()

    def stop(self) -> None:
        """Begin nothing new; ``run`` returns when what is under way has ended."""
        self._stopping = True
        self._wake.set()

    @property
    def breaker_state(self) -> str:
        """closed, open or half_open."""
        return self._breaker.state(time.monotonic())

    def knows_the_clock(self) -> bool:
        """Whether the times in the outbox have been moved along with the last step of the wall clock."""
        return abs(self._parts.clock() - time.monotonic() - self._clock_offset_s) <= self._config.clock_step_s

    def _make_ticks(self, interface: InterfaceConfig) -> Ticks:
        offset_s = tick_offset_s(interface.business_type)
        return Ticks(period_s=interface.upload_period_s, clock=self._parts.clock, offset_s=offset_s)

    async def run(self) -> None:
        """The loop. Raises what it does not expect, after what is under way has ended."""
        self._draining = False
        try:
            while not self._stopping:
                self._wake.clear()
                try:
                    await self._mind_the_clock()
                    if await self._mind_the_receiver():
                        return
                    await self._mind_the_period()
                    await self._begin_due()
                except StoreUnavailableError as error:
                    logger.error("outbox unavailable interface=%d error=%s", self.interface.interface_id, error)
                await self._pause()
                self._reap()
        finally:
            await self._drain()

    # -- what to do next ----------------------------------------------------------------------------------------------

    async def _mind_the_clock(self) -> None:
        offset_s = self._parts.clock() - time.monotonic()
        delta_s = offset_s - self._clock_offset_s
        if not self.knows_the_clock():
            logger.warning("wall clock was set interface=%d by_s=%.1f", self.interface.interface_id, delta_s)
            await asyncio.to_thread(self._parts.store.shift_times, self.interface.interface_id, delta_s)
            self.state = _shifted(self.state, delta_s)
            self._clock_offset_s = offset_s

    async def _mind_the_receiver(self) -> bool:
        """Write down how the receiver does; whether it is disabled from now on."""
        disable = bool(self._disable_reason)
        if disable:
            self.state = replace(self.state, disabled_at=self._parts.clock(), disabled_reason=self._disable_reason)
        worth = disable or self.state.notice_at != self._saved.notice_at
        rested = time.monotonic() - self._saved_at >= self._config.save_state_s
        if worth or (rested and self.state != self._saved):
            state = self.state
            await asyncio.to_thread(self._parts.store.save_receiver_state, self.interface.interface_id, state, disable)
            self._saved, self._saved_at = state, time.monotonic()
        if disable:
            self._tell(disabled_notice(self._disable_reason))
        return disable

    async def _mind_the_period(self) -> None:
        if self._compose_last is not None:
            await self._parts.composer.compose(self._compose_last, self._ticks.name, self._parts.clock())
            self._compose_last = None
        if self.interface.periodic and self._ticks.due():
            await self._parts.composer.compose(self.interface, self._ticks.name, self._parts.clock())
            self._ticks.advance()

    async def _begin_due(self) -> None:
        now_s = time.monotonic()
        free = self._config.concurrency - len(self._busy)
        if self._breaker.state(now_s) == "half_open":
            free = min(free, 1)
        if free <= 0 or self._breaker.probing or self._breaker.wakes_at(now_s) > now_s:
            return
        # What failed before gets a part of the connections: it must neither starve nor crowd out what is new.
        most = max(1, self._config.concurrency // 2)
        retries = max(0, min(max(1, free // 4), most - len(self._retrying)))
        interface_id, busy = self.interface.interface_id, frozenset(self._busy)
        rows = await asyncio.to_thread(
            self._parts.store.due, interface_id, self._parts.clock(), free, self._config.per_lane, busy, retries
        )
        again = [due for due in rows if not due.in_lane]
        lanes: dict[str, list[Due]] = {}
        for due in rows:
            if due.in_lane:
                lanes.setdefault(due.outgoing.order_key, []).append(due)
        room = free
        if again:
            room = max(0, min(free, self._config.concurrency - 1 - (len(self._busy) - len(self._retrying))))
        begun = list(lanes.items())[:room]
        for key, lane in begun:
            self._busy[key] = asyncio.create_task(self._deliver(lane))
        for due in again[: free - len(begun)]:
            key = due.outgoing.delivery_id
            self._retrying.add(key)
            self._busy[key] = asyncio.create_task(self._deliver([due]))

    async def _pause(self) -> None:
        pause_s, now_s = self._config.idle_s, time.monotonic()
        if self.interface.periodic:
            pause_s = min(pause_s, self._ticks.due_at - self._parts.clock())
        if (wakes_at := self._breaker.wakes_at(now_s)) > now_s:
            pause_s = min(pause_s, wakes_at - now_s)
        waiter = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({waiter, *self._busy.values()}, timeout=max(pause_s, 0.01), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()

    def _reap(self) -> None:
        """Forget tasks that ended; raise what one of them did not expect."""
        for key in [key for key, task in self._busy.items() if task.done()]:
            task = self._busy.pop(key)
            self._retrying.discard(key)
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def _drain(self) -> None:
        """Let POSTs under way end, for a bounded time; a delivery cut off is sent again under the same id."""
        self._draining = True
        if self._busy:
            _, late = await asyncio.wait(self._busy.values(), timeout=self._config.drain_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)
        self._busy.clear()
        self._retrying.clear()
        if self.state != self._saved:
            with contextlib.suppress(StoreUnavailableError):  # it is written again in time
                await asyncio.to_thread(self._parts.store.save_receiver_state, self.interface.interface_id, self.state, False)
                self._saved = self.state

    # -- one lane, or one delivery that failed before -------------------------------------------------------------------

    async def _deliver(self, rows: Sequence[Due]) -> None:
        """Send deliveries of one order key one after the other; what is not sent stays in the outbox."""
        noted: list[asyncio.Future[None]] = []
        for due in rows:
            ending = self._stopping or self._draining or self._disable_reason
            permit = None if ending else self._breaker.acquire(time.monotonic())
            if permit is None:
                break
            attempt = await self._send(due, permit)
            decision = self._judge(due, attempt)
            outcome = Outcome(
                attempt=attempt,
                state=decision.state,
                next_attempt_at=self._parts.clock() + decision.retry_after_s if decision.retry_after_s else 0.0,
            )
            # The commit runs beside the next POST; the lane counts as busy until all of them are done.
            noted.append(self._parts.recorder.submit(outcome))
            if decision.state == WAITING:
                break  # it keeps its place at the head of the lane
        for future in noted:
            await future

    async def _send(self, due: Due, permit: Permit) -> Attempt:
        attempt = None
        try:
            attempt = await self._parts.sender.send(due.outgoing, self.interface, due.attempts + 1)
        finally:
            if attempt is None:
                self._breaker.cancelled(permit)
            else:
                self._breaker.ended(permit, self._is_well(attempt), time.monotonic())
        return attempt

    def _is_well(self, attempt: Attempt) -> bool:
        """Whether the attempt speaks for the receiver. Where its answer does not decide, any answer does."""
        answered = attempt.status != 0 and not self.interface.push_response
        return answered or self._parts.policy.succeeded(attempt, self.interface)

    def _judge(self, due: Due, attempt: Attempt) -> Decision:
        interface, number = self.interface, due.attempts + 1
        age_s = self._parts.clock() - due.age_from
        decision = self._parts.policy.decide(attempt, number, age_s, interface, self._chance, due.in_lane)
        if decision.pause_s:
            self._breaker.pause(time.monotonic() + decision.pause_s)
        if decision.disable:
            self._disable_reason = "接收方返回 410 / the receiver answered 410 Gone"
        self._note_health(attempt)
        if not self._parts.policy.succeeded(attempt, interface):
            logger.warning(
                "delivery failed interface=%d delivery=%s attempt=%d status=%d next=%s in_s=%.0f",
                interface.interface_id,
                attempt.delivery_id,
                number,
                attempt.status,
                decision.state,
                decision.retry_after_s,
            )
        if self._parts.on_attempt:
            self._parts.on_attempt(interface, due, attempt, decision.state)
        return decision

    def _note_health(self, attempt: Attempt) -> None:
        now_s = self._parts.clock()
        if self._is_well(attempt):
            self.state = self._parts.health.after_success(self.state, now_s)
            return
        self.state, verdict = self._parts.health.after_failure(self.state, now_s)
        days = (now_s - self.state.failing_since) / 86_400
        if verdict is Verdict.NOTICE:
            self._tell(failing_notice(days, self._parts.health))
        elif verdict is Verdict.DISABLE and not self._disable_reason:
            self._disable_reason = f"连续失败 {days:.1f} 天 / failed for {days:.1f} days without a success"
            self._wake.set()

    def _tell(self, notice: str) -> None:
        logger.error("receiver interface=%d name=%r: %s", self.interface.interface_id, self.interface.name, notice)
        if self._parts.on_notice:
            self._parts.on_notice(self.interface, notice)


def failing_notice(days: float, policy: HealthPolicy) -> str:
    """What the operator is told of a receiver that has been failing for ``days``, before it is disabled."""
    left = max(0.0, policy.disable_after_s / 86_400 - days)
    return f"已连续失败 {days:.1f} 天, {left:.1f} 天后自动停用 / failing for {days:.1f} days, disabled in {left:.1f}"


def disabled_notice(reason: str) -> str:
    """What the operator is told of a receiver that was disabled."""
    return f"接口已自动停用 / interface disabled: {reason}"


def _shifted(state: ReceiverState, delta_s: float) -> ReceiverState:
    if not state.failing_since:
        return state
    return replace(state, failing_since=state.failing_since + delta_s, last_failure_at=state.last_failure_at + delta_s)
