"""Pictures written beside the analysis: a slow disk or a distant object store costs it nothing."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace

from actors.errors import ArchiveError
from actors.ports import Archive, FactEnvelope

logger = logging.getLogger(__name__)
_REMEMBERED = 10_000
_PICTURES = ("large_picture", "small_picture", "plate_picture")


class WriteBehind:
    """Takes pictures at once and writes them in a thread of its own, in their order, within bounded memory.

    ``settled`` tells what became of them: an envelope leaves with the paths of those pictures only that are in the archive.

    Attributes:
        failed: pictures that could not be kept.
    """

    def __init__(
        self,
        archive: Archive,
        on_error: Callable[[ArchiveError], None] | None = None,
        *,
        max_bytes: int = 64 * 1024 * 1024,
        patience_s: float = 15.0,
    ) -> None:
        """``patience_s``: how long ``settled`` waits for one batch while the archive hangs."""
        self._archive, self._on_error = archive, on_error
        self._max_bytes, self._patience_s = max_bytes, patience_s
        self._waiting: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lost: OrderedDict[str, None] = OrderedDict()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
        self.failed = 0

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def write(self, path: str, data: bytes) -> None:
        """Take a picture in; never waits. Raises ArchiveError when the archive is so slow that too much waits already."""
        with self._changed:
            if self._bytes + len(data) > self._max_bytes:
                raise ArchiveError(f"cannot write {path}: the archive is too slow, {self._bytes} bytes wait")
            self._waiting[path] = data
            self._bytes += len(data)
            self._changed.notify_all()

    def settled(self, envelopes: Sequence[FactEnvelope]) -> list[FactEnvelope]:
        """The envelopes without the paths of pictures that could not be kept (or not in time)."""
        paths = {path for envelope in envelopes for name in _PICTURES if (path := getattr(envelope, name))}
        if not paths:
            return list(envelopes)
        deadline = time.monotonic() + self._patience_s
        with self._changed:
            while any(path in self._waiting for path in paths) and (left_s := deadline - time.monotonic()) > 0:
                self._changed.wait(left_s)
            lost = {path for path in paths if path in self._lost or path in self._waiting}
        return [_without(envelope, lost) for envelope in envelopes] if lost else list(envelopes)

    def close(self, within_s: float) -> None:
        """Write what waits and end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(within_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                path, data = next(iter(self._waiting.items()))
            error: ArchiveError | None = None
            try:
                self._archive.write(path, data)
            except ArchiveError as failure:
                error = failure
            except Exception as failure:
                # A library's fault must not end the writing for good: the picture is lost, told and counted.
                logger.exception("picture not written path=%s", path)
                error = ArchiveError(f"cannot write {path}: {type(failure).__name__}")
            with self._changed:
                self._bytes -= len(data)
                if self._waiting.get(path) is data:
                    del self._waiting[path]
                if error is not None:
                    self.failed += 1
                    self._lost[path] = None
                    while len(self._lost) > _REMEMBERED:
                        self._lost.popitem(last=False)
                self._changed.notify_all()
            if error is not None and self._on_error:
                self._on_error(error)


def _without(envelope: FactEnvelope, lost: set[str]) -> FactEnvelope:
    def kept(path: str) -> str:
        return "" if path in lost else path

    return replace(
        envelope,
        large_picture=kept(envelope.large_picture),
        small_picture=kept(envelope.small_picture),
        plate_picture=kept(envelope.plate_picture),
    )
