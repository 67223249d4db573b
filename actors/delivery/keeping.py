"""Keeps an endless coroutine running: what it did not expect is logged and it is started again, later each time."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)
_FIRST_S, _LONGEST_S = 1.0, 60.0


async def keep_running(
    what: str,
    run: Callable[[], Awaitable[None]],
    on_failure: Callable[[str], None] | None = None,
    first_s: float = _FIRST_S,
    longest_s: float = _LONGEST_S,
) -> None:
    """Run ``run()`` until it returns; after an exception wait ``first_s``, doubled up to ``longest_s``, and run it again.

    A run that lasted longer than ``longest_s`` starts the pauses anew. ``on_failure`` gets one line about each failure.
    """
    pause_s = first_s
    while True:
        begin = time.monotonic()
        task = asyncio.ensure_future(run())
        try:
            await asyncio.wait({task})
        finally:  # cancelled from outside: take the run along
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        if time.monotonic() - begin > longest_s:
            pause_s = first_s
        logger.error("%s failed, again in %.1f s error=%r", what, pause_s, error, exc_info=error)
        if on_failure:
            on_failure(f"{type(error).__name__}: {error}"[:200])
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, longest_s)
