"""Long-lived actors that are there and do not answer, frozen or stuck. Ray only notices processes that end."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cluster.handover import find

logger = logging.getLogger(__name__)
# Threads of an actor only for the question whether it answers: calls that wait for a database must not look like a hung process.
ASK_GROUP = "ask"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Question:
    answer: Any
    asked_at: float


class HangWatch:
    """Keeps one question open to each actor and ends those that answered before and do not for too long; Ray starts them again.

    Looked at every 15 s that takes 30 to 45 s, less than the lease of the cameras (``actors.lease``), which a frozen supervisor
    does not renew. One that has not answered since it was started is left alone: on a machine that is too busy a start takes
    its time.
    """

    def __init__(self, namespace: str, after_s: float = 20.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._namespace, self._after_s, self._clock = namespace, after_s, clock
        self._open: dict[str, _Question] = {}
        self._answered: set[str] = set()

    def look(self, names: Iterable[str]) -> list[str]:
        """Ask, or look for the answer; to be called again and again. Returns the names of those it ended."""
        import ray

        ended = []
        for name in names:
            handle, question = find(name, self._namespace), self._open.pop(name, None)
            if handle is None:
                continue  # the chore that starts what is missing sees to it
            if question is not None and not self._has_answered(name, question):
                silent_s = self._clock() - question.asked_at
                if silent_s <= self._after_s or name not in self._answered:
                    self._open[name] = question
                    continue
                logger.error("actor hangs, killed name=%s silent_s=%.0f", name, silent_s)
                ray.kill(handle, no_restart=False)
                self._answered.discard(name)
                ended.append(name)
                continue
            asked = handle.generation.options(concurrency_group=ASK_GROUP).remote()
            self._open[name] = _Question(answer=asked, asked_at=self._clock())
        return ended

    def _has_answered(self, name: str, question: _Question) -> bool:
        """Whether the question is no longer open: answered, or ended with the process."""
        import ray
        from ray.exceptions import RayError

        if not ray.wait([question.answer], timeout=0)[0]:
            return False
        try:
            ray.get(question.answer, timeout=1)
            self._answered.add(name)
        except RayError:
            self._answered.discard(name)
        return True
