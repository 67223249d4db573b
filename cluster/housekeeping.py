"""What the ingress does beside answering: missing actors, the copy of the configuration."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from ray.exceptions import RayError

from actors.errors import ActorError
from api.rescue import keep_copy
from cluster.settings import Settings

logger = logging.getLogger(__name__)
MEND_PERIOD_S, COPY_PERIOD_S = 15.0, 300.0


class Mendable(Protocol):
    """The actors as far as they are of interest here."""

    def mend(self) -> None:
        """Start what is missing."""


class Housekeeping:
    """A thread that repeats each chore after its own period, for ever. A chore that fails is logged and tried again."""

    def __init__(self, chores: dict[str, tuple[float, Callable[[], None]]]) -> None:
        """``chores``: by name (seconds between the end of one run and the next, what to do)."""
        self._chores = chores
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> "Housekeeping":
        """Begin; the first runs come after their periods."""
        self._thread.start()
        return self

    def stop(self, timeout_s: float = 5.0) -> None:
        """End after the chore under way."""
        self._stop.set()
        self._thread.join(timeout_s)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        due = {name: time.monotonic() + period_s for name, (period_s, _) in self._chores.items()}
        while not self._stop.wait(max(0.0, min(due.values()) - time.monotonic())):
            name = min(due, key=lambda key: due[key])
            period_s, work = self._chores[name]
            try:
                work()
            except (OSError, ActorError, RayError, ValueError) as error:
                logger.error("chore failed name=%s error=%s", name, error)
            due[name] = time.monotonic() + period_s


def housekeeping(settings: Settings, system: Mendable) -> Housekeeping:
    """The chores of one installation; the archive has a keeper of its own (``actors.archive.keeping``)."""
    return Housekeeping(
        {
            "mend": (MEND_PERIOD_S, system.mend),
            "copy": (COPY_PERIOD_S, lambda: keep_copy(settings.resolved_database_url)),
        }
    )
