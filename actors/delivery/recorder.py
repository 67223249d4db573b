"""Writes outcomes into the outbox, many in one transaction: what comes in during a commit makes up the next one."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from actors.delivery.ports import OutboxStore, Outcome
from actors.errors import StoreUnavailableError

logger = logging.getLogger(__name__)
_AT_ONCE = 500


class Recorder:
    """Group commit of outcomes. ``on_error`` gets "" or what is wrong with the store."""

    def __init__(self, store: OutboxStore, on_error: Callable[[str], None] | None = None, retry_s: float = 1.0) -> None:
        self._store, self._on_error, self._retry_s = store, on_error, retry_s
        self._waiting: list[tuple[Outcome, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None

    def submit(self, outcome: Outcome) -> "asyncio.Future[None]":
        """Hand over one outcome; the future is done once it is committed, with the exception when it cannot be."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((outcome, future))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        return future

    async def close(self, within_s: float) -> None:
        """Wait until everything is committed, at most ``within_s``."""
        if self._flusher and not self._flusher.done():
            await asyncio.wait({self._flusher}, timeout=within_s)
            self._flusher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._flusher

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            error = await self._commit([outcome for outcome, _ in batch])
            for _, future in batch:
                if not future.done():
                    if error is None:
                        future.set_result(None)
                    else:
                        future.set_exception(error)

    async def _commit(self, outcomes: list[Outcome]) -> BaseException | None:
        while True:
            commit = asyncio.ensure_future(asyncio.to_thread(self._store.record, outcomes))
            await asyncio.wait({commit})
            error = commit.exception()
            if not isinstance(error, StoreUnavailableError):
                return error
            # The receivers have these; only our notes wait.
            logger.error("attempts not recorded count=%d error=%s", len(outcomes), error)
            if self._on_error:
                self._on_error(str(error))
            await asyncio.sleep(self._retry_s)
