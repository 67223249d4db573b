"""Aggregators: cells of cameras in, parameters of the periods in use out to the pushers, each exactly once.

``Aggregator`` is plain; ``AggregatorActor`` is its Ray shell, ``AggregatorSink`` the cameras' way to it. Tasks are spread over
the aggregators by a hash of their number. Nothing is acknowledged before it is durable: a camera repeats what it is not sure
of, repeated batches change nothing, and a fact stated again is recognised by its id.
"""

import json
import logging
import os
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from actors.errors import SinkUnavailableError, StoreUnavailableError, SupersededError
from actors.logs import configure_logging
from actors.ports import CellReceipt, FactEnvelope, FactSink, ParameterStore, TaskRef, camera_name
from actors.vital import end_superseded_process
from traffic.aggregation import CellBatch, Parameters, TaskAggregator, TrafficAggregator
from traffic.facts import LaneParameters
from traffic.people.crowd import CrowdState

logger = logging.getLogger(__name__)
HISTORY_PERIOD_S = 60
_HEALTH_PATIENCE_S = 1.0
_TASKS_A_ROUND = 64  # written together: what waits for the round stays short
_BUSY = "数据库或推送未答复 / waits for the database or the pushers"
_FACT_NAMESPACE = uuid.UUID("3c0a4bb2-4f5e-4e0e-8f6d-7f6d9f0b7a55")


@dataclass(frozen=True, kw_only=True, slots=True)
class AggregatorConfig:
    """Settings.

    Attributes:
        save_s: how often a task's state is made durable; a camera repeats at most this much after a restart.
        saves_per_s: states made durable per second at most: many tasks are saved less often.
        refresh_s: how often the periods in use are read again. history_days: retention of the history. prune_s: how often.
    """

    save_s: float = 5.0
    saves_per_s: float = 50.0
    refresh_s: float = 10.0
    history_days: float = 90.0
    prune_s: float = 3600.0


@dataclass(slots=True)
class _Task:
    """One task here.

    Attributes:
        task_id: of the row; a task made anew under an old number begins anew.
        life: newest life of its camera that is known here.
        envelopes, history: made and not yet published, saved. saved_at: monotonic time of the newest save.
        durable: by source, the newest batch in the saved state. crowds_saved: ``crowds_stated`` of it.
        ended: the source has ended, which is not saved yet. new: something came in since the newest save.
    """

    task_id: int
    life: int
    aggregator: TaskAggregator
    envelopes: list[FactEnvelope]
    history: list[Parameters]
    saved_at: float
    durable: dict[str, int]
    crowds_saved: tuple[object, ...] = ()
    ended: bool = False
    new: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Saving:
    """A task's state at the moment a round began, and what led to it."""

    task_num: str
    known: _Task
    state: str
    history: tuple[Parameters, ...]
    durable: dict[str, int]
    crowds: tuple[object, ...]
    ended: bool


class Aggregator:
    """The share of one aggregator process. Safe for several threads."""

    def __init__(
        self,
        store: ParameterStore,
        sink: FactSink,
        config: AggregatorConfig | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        prunes: bool = True,
    ) -> None:
        """``prunes``: this one of all aggregators forgets old history."""
        self._store, self._sink, self._config, self._clock = store, sink, config or AggregatorConfig(), clock
        self._prunes = prunes
        self._traffic = TrafficAggregator()
        self._tasks: dict[str, _Task] = {}
        self._in_use: frozenset[int] = frozenset()
        self._refreshed_at = self._pruned_at = float("-inf")
        self._lock = threading.Lock()  # of all that is in memory; never held while the database or a pusher is waited for
        self._writing = threading.Lock()  # held by the one thread that makes things durable, for all tasks
        self._refreshing = threading.Lock()
        self._round_began = float("inf")  # of the round under way
        self._error = ""
        self._cells_taken = 0
        self._life = uuid.uuid4().hex

    def accept(self, task: TaskRef, batches: Sequence[CellBatch], *, ended: bool = False) -> int:
        """Take batches in, those known already changing nothing; returns the sequence up to which those of the newest one's
        source are durable.

        Raises:
            StoreUnavailableError, SinkUnavailableError: something could not be made durable; send the same batches again.
            SupersededError: the batches' camera is another process now, or this aggregator is; nothing of theirs is taken.
        """
        try:
            self._refresh()
            durable = self._accept(task, batches, ended)
            self._error = ""
        except (StoreUnavailableError, SinkUnavailableError) as error:
            self._error = str(error)
            raise
        return durable

    def take(self, task: TaskRef, batches: Sequence[CellBatch], *, ended: bool, life: str) -> CellReceipt:
        """See CellSink.send. Raises StoreUnavailableError, SinkUnavailableError, see ``accept``."""
        if life not in ("", self._life):
            return CellReceipt(life=self._life, durable={}, refused=True)
        self.accept(task, batches, ended=ended)
        return CellReceipt(life=self._life, durable=self._known(task).durable)

    def crowds(self, task: TaskRef) -> dict[int, CrowdState]:
        """See CellSink.crowds. Raises StoreUnavailableError."""
        return self._known(task).aggregator.crowds

    def interfaces_changed(self) -> None:
        """Read the periods in use again with the next batch."""
        self._refreshed_at = float("-inf")

    def health(self) -> dict[str, Any]:
        """For health pages; ``error`` is "" when all is well, ``cells`` are held now, ``cellsTaken`` came since the start."""
        with self._lock:
            late = {num: task.aggregator.late for num, task in self._tasks.items()}
            cells = sum(task.aggregator.held for task in self._tasks.values())
        return {
            "tasks": len(late),
            "cells": cells,
            "cellsTaken": self._cells_taken,
            "late": late,
            "periods": sorted(self._in_use),
            "error": _BUSY if time.monotonic() - self._round_began > _HEALTH_PATIENCE_S else self._error,
        }

    # -- parts --------------------------------------------------------------------------------------------------------

    def _accept(self, task: TaskRef, batches: Sequence[CellBatch], ended: bool) -> int:
        known = self._known(task)
        if known.envelopes:  # what an earlier call could not hand over, before anything new is made
            self._write(task.task_num, known)
        with self._lock:
            if task.life < known.life:  # what it saw, the camera that runs now has seen too
                raise SupersededError(camera_name(task.task_num))
            known.life = task.life
            for batch in batches:
                if batch.sequence > known.aggregator.sequence(batch.source):
                    known.new = True
                    self._cells_taken += len(batch.lanes) + len(batch.people)
                self._collect(task, known, known.aggregator.accept(batch))
            if ended:
                known.ended = True
                self._collect(task, known, known.aggregator.finish())
            wanted = bool(known.envelopes) or self._due(known)
        if wanted:
            self._write(task.task_num, known)
        return known.durable.get(batches[-1].source, 0) if batches else 0

    def _known(self, task: TaskRef) -> _Task:
        with self._lock:
            known = self._tasks.get(task.task_num)
        if known is not None and known.task_id == task.task_id:
            return known
        text = self._store.load(task.task_num)
        saved = json.loads(text) if text is not None else {}
        state = saved["state"] if saved.get("taskId") == task.task_id else None
        newest = self._store.life(task.task_num)
        with self._lock:
            known = self._tasks.get(task.task_num)
            if known is not None and known.task_id == task.task_id:  # another thread was faster
                return known
            logger.info("aggregation begins task=%s resumed=%s", task.task_num, state is not None)
            aggregator = self._traffic.begin(task.task_num, state, local_day(task.time_zone))
            begun = _Task(task.task_id, newest, aggregator, [], [], self._clock(), {}, aggregator.crowds_stated)
            self._tasks[task.task_num] = begun
            return begun

    def _collect(self, task: TaskRef, known: _Task, found: Sequence[Parameters]) -> None:
        for parameters in found:
            if parameters.period_s in self._in_use:
                # Of no life: what was taken in stands, whichever life of the camera filled the window.
                of = replace(task, life=0)
                known.envelopes.append(FactEnvelope(fact_id=fact_id(task, parameters), task=of, fact=parameters))
            if parameters.period_s == HISTORY_PERIOD_S:
                known.history.append(parameters)

    def _due(self, known: _Task) -> bool:
        """Whether the task's state is to be saved now. A gathering stated once must never be forgotten."""
        alarmed = known.aggregator.crowds_stated != known.crowds_saved
        return known.ended or alarmed or (known.new and known.saved_at <= self._save_before())

    def _save_before(self) -> float:
        """What was saved at this time or earlier is to be saved again."""
        return self._clock() - max(self._config.save_s, len(self._tasks) / self._config.saves_per_s)

    def _write(self, task_num: str, known: _Task) -> None:
        """Make durable what waits for it, of ``known`` and of other tasks along with it, until nothing of ``known`` waits.

        A commit costs the same for one task as for many, and a database has one writer: whoever comes first writes for all.
        """
        while True:
            with self._writing:
                with self._lock:
                    if not known.envelopes and not self._due(known):
                        return  # somebody else's round had it
                    envelopes, savings = self._round(task_num, known)
                self._round_began = time.monotonic()
                try:
                    self._publish(envelopes)
                    if savings:
                        self._save(savings)
                finally:
                    self._round_began = float("inf")

    def _round(self, task_num: str, known: _Task) -> tuple[list[tuple[_Task, list[FactEnvelope]]], list[_Saving]]:
        """What one round writes: ``known``, and other tasks for which something waits, those saved longest ago first."""
        before = self._save_before()
        others = [
            (num, task)
            for num, task in self._tasks.items()
            if (task.envelopes or task.ended or (task.new and task.saved_at <= before)) and task is not known
        ]
        others.sort(key=lambda item: item[1].saved_at)
        envelopes, savings = [], []
        for num, task in ((task_num, known), *others[: _TASKS_A_ROUND - 1]):
            envelopes.append((task, list(task.envelopes)))
            if self._due(task):
                content = {"taskId": task.task_id, "state": task.aggregator.snapshot()}
                savings.append(
                    _Saving(
                        task_num=num,
                        known=task,
                        state=json.dumps(content, separators=(",", ":")),
                        history=tuple(task.history),
                        durable=task.aggregator.sequences,
                        crowds=task.aggregator.crowds_stated,
                        ended=task.ended,
                    )
                )
        return envelopes, savings

    def _publish(self, envelopes: Sequence[tuple[_Task, list[FactEnvelope]]]) -> None:
        together = [envelope for _, some in envelopes for envelope in some]
        if together:
            self._sink.publish(together)
            with self._lock:
                for task, some in envelopes:
                    del task.envelopes[: len(some)]

    def _save(self, savings: Sequence[_Saving]) -> None:
        """States and history in one transaction, after all that follows from the states was published."""
        history = [(item.task_num, parameters) for item in savings for parameters in item.history]
        self._store.save({item.task_num: item.state for item in savings}, history)
        with self._lock:
            for item in savings:
                known = item.known
                del known.history[: len(item.history)]
                known.durable, known.crowds_saved, known.saved_at = item.durable, item.crowds, self._clock()
                known.ended, known.new = known.ended and not item.ended, known.aggregator.sequences != item.durable

    def _refresh(self) -> None:
        """Read the periods in use and forget old history, when it is time. Whoever comes meanwhile waits: a task that began
        without the periods would lose its open windows."""
        with self._refreshing:
            now = self._clock()
            if now - self._refreshed_at >= self._config.refresh_s:
                in_use = self._store.periods()
                with self._lock:
                    self._in_use = in_use
                    self._traffic.set_periods({*in_use, HISTORY_PERIOD_S})
                self._refreshed_at = now
            if self._prunes and now - self._pruned_at >= self._config.prune_s:
                self._store.prune(self._config.history_days * 86_400)
                self._pruned_at = now


def fact_id(task: TaskRef, parameters: Parameters) -> str:
    """The same for the same task, lane, period and time: what is stated again after a restart is recognised."""
    what = f"lane {parameters.road_num}" if isinstance(parameters, LaneParameters) else "people"
    return str(uuid.uuid5(_FACT_NAMESPACE, f"{task.task_id}|{task.task_num}|{what}|{parameters.period_s}|{parameters.close_s}"))


def local_day(time_zone: str) -> Callable[[int], int]:
    """Number of the local day by seconds since the epoch."""
    zone = ZoneInfo(time_zone)
    return lambda second: datetime.fromtimestamp(second, zone).toordinal()


class AggregatorActor:
    """Ray shell of an Aggregator."""

    def __init__(
        self,
        index: int,
        store_factory: Callable[[str], ParameterStore],
        sink: FactSink,
        config: AggregatorConfig | None = None,
        generation: str = "",
    ) -> None:
        configure_logging("INFO")
        self._index, self._generation = index, generation
        self._name = f"aggregator-{index}"
        self._aggregator = Aggregator(store_factory(self._name), sink, config, prunes=index == 0)

    def generation(self) -> str:
        """Code and settings this runs with."""
        return self._generation

    def process_id(self) -> int:
        """Process this runs in."""
        return os.getpid()

    def take(self, task: TaskRef, batches: Sequence[CellBatch], ended: bool, life: str) -> CellReceipt:
        """See Aggregator.take."""
        try:
            return self._aggregator.take(task, batches, ended=ended, life=life)
        except SupersededError as error:
            self._end_if_me(error)
            raise

    def crowds(self, task: TaskRef) -> dict[int, CrowdState]:
        """See Aggregator.crowds."""
        try:
            return self._aggregator.crowds(task)
        except SupersededError as error:
            self._end_if_me(error)
            raise

    def _end_if_me(self, error: SupersededError) -> None:
        if error.name == self._name:
            end_superseded_process(error.name)

    def interfaces_changed(self) -> None:
        """See Aggregator.interfaces_changed."""
        self._aggregator.interfaces_changed()

    def health(self) -> dict[str, Any]:
        """See Aggregator.health."""
        return self._aggregator.health()

    def stop(self) -> None:
        """Nothing to hand over: what is not durable is the cameras'."""

    def __repr__(self) -> str:
        return f"Aggregator({self._index})"


@dataclass(frozen=True)
class AggregatorSink:
    """CellSink of camera actors: a task's cells always go to the same aggregator."""

    names: tuple[str, ...]
    namespace: str
    timeout_s: float = 30.0

    def send(self, task: TaskRef, batches: Sequence[CellBatch], *, ended: bool, life: str) -> CellReceipt:
        """See CellSink."""
        receipt: CellReceipt = self._ask(task, "take", task, tuple(batches), ended, life)
        return receipt

    def crowds(self, task: TaskRef) -> dict[int, CrowdState]:
        """See CellSink."""
        found: dict[int, CrowdState] = self._ask(task, "crowds", task)
        return found

    def _ask(self, task: TaskRef, method: str, *arguments: object) -> Any:
        import ray
        from ray.exceptions import RayError

        name = self.names[zlib.crc32(task.task_num.encode()) % len(self.names)]
        try:
            actor = ray.get_actor(name, namespace=self.namespace)
            return ray.get(getattr(actor, method).remote(*arguments), timeout=self.timeout_s)
        except SupersededError as error:
            if error.name == camera_name(task.task_num):
                raise SupersededError(error.name) from error
            raise SinkUnavailableError(f"{error.name} has moved") from error
        except (RayError, ValueError, StoreUnavailableError, SinkUnavailableError) as error:
            raise SinkUnavailableError(f"aggregator does not answer: {type(error).__name__}") from error
