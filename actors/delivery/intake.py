"""Facts of many cameras into the outbox: what comes while a transaction is under way goes together into the next one.

A commit that survives a power cut costs the same for one fact as for a hundred, and the outbox has one writer at a time. So the
rate at which cameras publish is not bounded by the rate of commits.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from actors.delivery.ports import HeldItem, HistoryItem, KnownStatus, OutboxStore, Outgoing
from actors.errors import StoreUnavailableError
from actors.ports import TaskRef

logger = logging.getLogger(__name__)
_AT_ONCE = 64  # calls in one transaction: what the slowest of them waits for stays short


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Entry:
    """What one camera's facts become.

    Attributes:
        tasks: see OutboxStore.accept.
        done: how many deliveries and held items its transaction made, or why none.
    """

    deliveries: Sequence[Outgoing]
    held: Sequence[HeldItem]
    statuses: Sequence[KnownStatus]
    history: Sequence[HistoryItem]
    tasks: Sequence[TaskRef] = ()
    done: "asyncio.Future[int]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Intake:
    """The one writer of a pusher; transactions follow each other in the order in which facts came."""

    def __init__(self, store: OutboxStore) -> None:
        self._store = store
        self._waiting: deque[Entry] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def put(self, entry: Entry) -> int:
        """Persist; returns after the commit how many deliveries and held items are new in its transaction.

        A caller that is cancelled meanwhile changes nothing: its facts are kept as if it had waited.

        Raises:
            StoreUnavailableError: nothing of it was persisted.
        """
        self._waiting.append(entry)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        return await entry.done

    async def _write_all(self) -> None:
        while self._waiting:
            await self._write([self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))])

    async def _write(self, entries: Sequence[Entry]) -> None:
        try:
            new = await self._accept(entries)
        except StoreUnavailableError as error:
            _settle(entries, error)
        except Exception as error:  # whatever it is, callers must hear of it: they wait for their facts
            logger.warning("facts refused by the outbox calls=%d", len(entries), exc_info=True)
            if len(entries) == 1:
                _settle(entries, error)
                return
            for entry in entries:  # one camera's fact that cannot be kept must not cost the others theirs
                await self._write([entry])
        else:
            for entry in entries:
                if not entry.done.done():
                    entry.done.set_result(new)

    async def _accept(self, entries: Sequence[Entry]) -> int:
        return await asyncio.to_thread(
            self._store.accept,
            [item for entry in entries for item in entry.deliveries],
            [item for entry in entries for item in entry.held],
            [item for entry in entries for item in entry.statuses],
            [item for entry in entries for item in entry.history],
            {task for entry in entries for task in entry.tasks},
        )


def _settle(entries: Sequence[Entry], error: Exception) -> None:
    for entry in entries:
        if not entry.done.done():
            entry.done.set_exception(error)
