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
from actors.ports import FactEnvelope, FactSink, ParameterStore, TaskRef, camera_name
from actors.vital import end_superseded_process
from traffic.aggregation import CellBatch, Parameters, TaskAggregator, TrafficAggregator
from traffic.facts import LaneParameters
from traffic.people.crowd import CrowdState

logger = logging.getLogger(__name__)
HISTORY_PERIOD_S = 60
_HEALTH_PATIENCE_S = 1.0
_BUSY = "数据库或推送未答复 / waits for the database or the pushers"
_FACT_NAMESPACE = uuid.UUID("3c0a4bb2-4f5e-4e0e-8f6d-7f6d9f0b7a55")


@dataclass(frozen=True, kw_only=True, slots=True)
class AggregatorConfig:
    """Settings.

    Attributes:
        save_s: how often a task's state is made durable; a camera repeats at most this much after a restart.
        refresh_s: how often the periods in use are read again. history_days: retention of the history. prune_s: how often.
    """

    save_s: float = 5.0
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
    """

    task_id: int
    life: int
    aggregator: TaskAggregator
    envelopes: list[FactEnvelope]
    history: list[Parameters]
    saved_at: float
    durable: dict[str, int]
    crowds_saved: tuple[object, ...] = ()


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
        self._lock = threading.Lock()
        self._error = ""

    def accept(self, task: TaskRef, batches: Sequence[CellBatch], *, ended: bool = False) -> int:
        """See CellSink.send.

        Raises:
            StoreUnavailableError, SinkUnavailableError: something could not be made durable; send the same batches again.
            SupersededError: the batches' camera is another process now, or this aggregator is; nothing of theirs is taken.
        """
        with self._lock:
            try:
                durable = self._accept(task, batches, ended)
                self._error = ""
            except (StoreUnavailableError, SinkUnavailableError) as error:
                self._error = str(error)
                raise
            return durable

    def crowds(self, task: TaskRef) -> dict[int, CrowdState]:
        """See CellSink.crowds. Raises StoreUnavailableError."""
        with self._lock:
            known = self._tasks.get(task.task_num)
            if known is None or known.task_id != task.task_id:
                known = self._begin(task)
            return known.aggregator.crowds

    def interfaces_changed(self) -> None:
        """Read the periods in use again with the next batch."""
        self._refreshed_at = float("-inf")

    def health(self) -> dict[str, Any]:
        """For health pages; ``error`` is "" when all is well."""
        if not self._lock.acquire(timeout=_HEALTH_PATIENCE_S):
            return {"tasks": len(self._tasks), "cells": 0, "late": {}, "periods": [], "error": _BUSY}
        try:
            tasks = {num: task.aggregator for num, task in self._tasks.items()}
            late = {num: aggregator.late for num, aggregator in tasks.items()}
            cells = sum(aggregator.held for aggregator in tasks.values())
            return {"tasks": len(tasks), "cells": cells, "late": late, "periods": sorted(self._in_use), "error": self._error}
        finally:
            self._lock.release()

    # -- parts --------------------------------------------------------------------------------------------------------

    def _accept(self, task: TaskRef, batches: Sequence[CellBatch], ended: bool) -> int:
        self._refresh()
        known = self._tasks.get(task.task_num)
        if known is None or known.task_id != task.task_id:
            known = self._begin(task)
        if task.life < known.life:  # what it saw, the camera that runs now has seen too
            raise SupersededError(camera_name(task.task_num))
        known.life = task.life
        self._flush(task, known)  # what an earlier call could not hand over, before anything new is made
        for batch in batches:
            self._collect(task, known, known.aggregator.accept(batch))
        if ended:
            self._collect(task, known, known.aggregator.finish())
        self._flush(task, known)
        alarmed = known.aggregator.crowds_stated != known.crowds_saved  # a gathering stated once must never be forgotten
        if ended or alarmed or self._clock() - known.saved_at >= self._config.save_s:
            self._save(task.task_num, known, {batch.source for batch in batches})
        return known.durable.get(batches[-1].source, 0) if batches else 0

    def _begin(self, task: TaskRef) -> _Task:
        text = self._store.load(task.task_num)
        saved = json.loads(text) if text is not None else {}
        state = saved["state"] if saved.get("taskId") == task.task_id else None
        logger.info("aggregation begins task=%s resumed=%s", task.task_num, state is not None)
        aggregator = self._traffic.begin(task.task_num, state, local_day(task.time_zone))
        known = _Task(
            task.task_id, self._store.life(task.task_num), aggregator, [], [], self._clock(), {}, aggregator.crowds_stated
        )
        self._tasks[task.task_num] = known
        return known

    def _collect(self, task: TaskRef, known: _Task, found: Sequence[Parameters]) -> None:
        for parameters in found:
            if parameters.period_s in self._in_use:
                known.envelopes.append(FactEnvelope(fact_id=fact_id(task, parameters), task=task, fact=parameters))
            if parameters.period_s == HISTORY_PERIOD_S:
                known.history.append(parameters)

    def _flush(self, task: TaskRef, known: _Task) -> None:
        if known.envelopes:
            # In the name of the camera that sends now: windows that an earlier life has filled are not refused.
            self._sink.publish([replace(envelope, task=task) for envelope in known.envelopes])
            known.envelopes = []

    def _save(self, task_num: str, known: _Task, sources: set[str]) -> None:
        """State and history in one transaction, after all that follows from the state was published."""
        content = {"taskId": known.task_id, "state": known.aggregator.snapshot()}
        state = json.dumps(content, separators=(",", ":"))
        self._store.save({task_num: state}, [(task_num, parameters) for parameters in known.history])
        known.history, known.saved_at = [], self._clock()
        known.crowds_saved = known.aggregator.crowds_stated
        known.durable = {source: known.aggregator.sequence(source) for source in sources}

    def _refresh(self) -> None:
        now = self._clock()
        if now - self._refreshed_at >= self._config.refresh_s:
            self._in_use = self._store.periods()
            self._traffic.set_periods({*self._in_use, HISTORY_PERIOD_S})
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

    def accept(self, task: TaskRef, batches: Sequence[CellBatch], ended: bool) -> int:
        """See Aggregator.accept."""
        try:
            return self._aggregator.accept(task, batches, ended=ended)
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

    def send(self, task: TaskRef, batches: Sequence[CellBatch], *, ended: bool) -> int:
        """See CellSink."""
        durable: int = self._ask(task, "accept", task, tuple(batches), ended)
        return durable

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
