"""Video sources: one address in, decoded frames with strictly increasing times out."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from actors.decoding.frames import DecodedFrame, SourceCounters, SourceInfo
from actors.decoding.interrupt import CancelToken
from actors.decoding.packets import PacketClip, PacketRing


class VideoSource(ABC):
    """An opened source: a context manager and an iterator of ``DecodedFrame``.

    One thread iterates; ``close`` may be called from any thread and makes a blocked ``next`` end the iteration. The
    iteration ends (``StopIteration``) after the last picture of a recording or after ``close``, and raises ``SourceError``
    when the source is lost.
    """

    def __init__(
        self,
        info: SourceInfo,
        cancel: CancelToken,
        counters: SourceCounters | None = None,
        packets: PacketRing | None = None,
    ) -> None:
        """``packets``: where the compressed video is kept, None for nowhere."""
        self.info = info
        self.counters = counters if counters is not None else SourceCounters()
        self.packets = packets
        self._cancel = cancel
        self._iterator: Iterator[DecodedFrame] | None = None

    def __iter__(self) -> Iterator[DecodedFrame]:
        return self

    def __next__(self) -> DecodedFrame:
        if self._iterator is None:
            self._iterator = self._frames()
        try:
            return next(self._iterator)
        except BaseException:  # the end, a loss or an abort: whoever waits for more of the video has waited for all of it
            if self.packets is not None:
                self.packets.end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Cancel the token and release everything; safe to call twice and from any thread."""
        self._cancel.cancel()
        self.release()

    def release(self) -> None:
        """Release what the source holds, without cancelling the token it may share with its successors."""
        if self._iterator is None:
            self._iterator = iter(())
        elif isinstance(self._iterator, Generator):
            # An abandoned generator would keep the library's buffers until the garbage collector finds it. One that runs
            # in another thread right now cannot be closed from here; it ends by itself when its stream is closed.
            with suppress(ValueError):
                self._iterator.close()
        if self.packets is not None:
            self.packets.end()

    def recent_packets(self) -> PacketClip | None:
        """The last ``packet_seconds`` of compressed video; None when none is kept."""
        return self.packets.clip() if self.packets is not None else None

    @abstractmethod
    def _frames(self) -> Iterator[DecodedFrame]:
        """The frames, once."""
