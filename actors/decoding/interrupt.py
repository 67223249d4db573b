"""Ending a blocked network read from another thread.

FFmpeg asks an interrupt callback some ten times a second whether to give up; PyAV's callback only compares clocks and
offers no way to say "now". The one thing it asks is ``time.monotonic()``, looked up in its own module, so that module is
given a clock that runs away for the thread whose token was cancelled. Every other thread and every other user of PyAV sees
the ordinary clock. Should a later PyAV look elsewhere, nothing breaks: the read then ends at its time limit.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import av.container.core


class CancelToken:
    """Tells a blocked PyAV call of one source to return. Cancelling is final."""

    __slots__ = ("_calls", "_event")

    # Far more than any timeout, so that one call after another looks overdue, whenever its own start was taken.
    _LEAP_S = 1e12

    def __init__(self) -> None:
        self._event = threading.Event()
        self._calls = 0

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel`` was called."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Make the guarded call return within about a tenth of a second, and every later one at once."""
        self._event.set()

    def wait(self, timeout_s: float) -> bool:
        """Sleep until cancelled or ``timeout_s`` have passed; whether it was cancelled."""
        return self._event.wait(timeout_s)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """PyAV calls made inside, in this thread, end when the token is cancelled."""
        clock = _installed_clock()
        clock.current.token = self
        try:
            yield
        finally:
            clock.current.token = None

    def monotonic(self) -> float:
        """The time as the guarded call sees it."""
        if not self._event.is_set():
            return time.monotonic()
        self._calls += 1
        return self._calls * self._LEAP_S


class _InterruptibleClock:
    """Stands in for the module ``time`` within ``av.container.core``."""

    def __init__(self) -> None:
        self.current = threading.local()

    def monotonic(self) -> float:
        token: CancelToken | None = getattr(self.current, "token", None)
        return time.monotonic() if token is None else token.monotonic()


def _installed_clock() -> _InterruptibleClock:
    clock = av.container.core.time
    if not isinstance(clock, _InterruptibleClock):
        clock = _InterruptibleClock()
        av.container.core.time = clock
    return clock
