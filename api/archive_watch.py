"""Whether the archive can be written, for health pages: asked seldom, and never waited for long."""

import threading
import time
from collections.abc import Callable

from actors.ports import Archive

TIMEOUT_S, FRESH_S = 2.0, 10.0
_HANGS = "图片存储无响应 / archive does not answer"
_BROKEN = "图片存储检查失败, 见日志 / archive check failed, see the log"


class ArchiveWatch:
    """Runs an archive's ``check()`` in one thread of its own, so that an archive that hangs holds up nobody who asks.

    An archive without ``check`` is taken to be well. Thread-safe.
    """

    def __init__(self, archive: Archive, timeout_s: float = TIMEOUT_S, fresh_s: float = FRESH_S) -> None:
        """``timeout_s``: how long a caller waits for an answer. ``fresh_s``: for how long an answer is given again."""
        self._check: Callable[[], str] | None = getattr(archive, "check", None)
        self._timeout_s, self._fresh_s = timeout_s, fresh_s
        self._lock = threading.Lock()
        self._running: threading.Event | None = None
        self._answer, self._answered_at = "", float("-inf")

    def state(self) -> str:
        """ "ok", or one line that says what is wrong."""
        with self._lock:
            if self._check is None or time.monotonic() - self._answered_at < self._fresh_s:
                return self._answer or "ok"
            running = self._running or self._start(self._check)
        if not running.wait(self._timeout_s):
            return _HANGS
        with self._lock:
            return self._answer or "ok"

    def _start(self, check: Callable[[], str]) -> threading.Event:
        done = self._running = threading.Event()

        def run() -> None:
            answer = _BROKEN
            try:
                answer = check()
            finally:  # an error nobody expected is told by the thread's own trace
                with self._lock:
                    self._answer, self._answered_at, self._running = answer, time.monotonic(), None
                done.set()

        threading.Thread(target=run, name="archive-check", daemon=True).start()
        return done
