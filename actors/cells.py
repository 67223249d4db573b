"""A camera's way to its aggregator: keeps batches of cells until they are durable there."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from actors.errors import SinkUnavailableError, SupersededError
from actors.ports import CellReceipt, CellSink, TaskRef
from traffic.aggregation import CellBatch

logger = logging.getLogger(__name__)
_KEPT = 600  # batches: ten minutes of an aggregator that is away
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 10.0


class CellSender:
    """A thread that sends each batch as it comes, and keeps it until it is durable. All that are kept are sent again, oldest
    first, when the aggregator has begun anew or did not answer.

    Attributes:
        dropped: batches given up because the aggregator was away for too long.
    """

    def __init__(self, task: TaskRef, sink: CellSink, on_superseded: Callable[[str], None] = lambda _: None) -> None:
        """``on_superseded``: called once when the camera has been started elsewhere; nothing is sent after it."""
        self._task, self._sink, self._on_superseded = task, sink, on_superseded
        self._batches: deque[CellBatch] = deque()
        self._fresh = threading.Condition()
        self._new = self._ended = self._stopping = False
        self._gone = self._sent = 0  # batches taken off the front so far; batches sent so far, those that are gone included
        self._life = ""  # of the aggregator that has what was sent
        self._thread = threading.Thread(target=self._run, name="cells", daemon=True)
        self.dropped = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, batch: CellBatch | None, *, ended: bool = False) -> None:
        """Take a batch in; None: there is none. ``ended``: the source has ended for good. Never blocks."""
        with self._fresh:
            if batch is not None:
                self._batches.append(batch)
                if len(self._batches) > _KEPT:
                    self._forget_oldest()
                    self.dropped += 1
            self._ended |= ended
            self._new |= batch is not None or ended
            self._fresh.notify()

    def stop(self, within_s: float) -> None:
        """Send what is new, once more, and end."""
        with self._fresh:
            self._stopping = True
            self._fresh.notify()
        if self._thread.is_alive():
            self._thread.join(within_s)

    @property
    def pending(self) -> int:
        """Batches that are not durable yet."""
        return len(self._batches)

    def _run(self) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            with self._fresh:
                self._fresh.wait_for(lambda: self._new or self._stopping)
                if not self._new:
                    return
                first = max(self._sent - self._gone, 0) if self._life else 0
                batches, ended, until = tuple(self._batches)[first:], self._ended, self._gone + len(self._batches)
                self._new = False
            try:
                receipt = self._sink.send(self._task, batches, ended=ended, life=self._life)
            except SupersededError as error:
                logger.error("cells refused task=%s superseded=%s", self._task.task_num, error.name)
                self._on_superseded(error.name)
                return
            except SinkUnavailableError as error:
                logger.warning("cells waiting task=%s batches=%d error=%s", self._task.task_num, len(batches), error)
                with self._fresh:
                    self._new, self._life = True, ""
                    if self._stopping:
                        return
                    self._fresh.wait_for(lambda: self._stopping, wait_s)
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
                continue
            wait_s = _FIRST_WAIT_S
            with self._fresh:
                self._take_receipt(receipt, until)

    def _take_receipt(self, receipt: CellReceipt, until: int) -> None:
        """``until``: batches sent so far, if they were taken."""
        if receipt.refused:  # another life of the aggregator: it needs all that is not durable
            self._life, self._new = "", True
            return
        self._life, self._sent = receipt.life, until
        while self._batches and self._batches[0].sequence <= receipt.durable.get(self._batches[0].source, 0):
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        self._batches.popleft()
        self._gone += 1
