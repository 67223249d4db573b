"""A camera read for ever: its own thread opens, reads, notices the loss, waits and opens again."""

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from actors.decoding.address import mask_address
from actors.decoding.frames import DecodedFrame, SourceCounters, SourceInfo
from actors.decoding.frozen import FreezeDetector, picture_checksum
from actors.decoding.interrupt import CancelToken
from actors.decoding.mailbox import FrameMailbox, RateMeter
from actors.decoding.opening import VideoOpener, open_source
from actors.decoding.options import SourceOptions
from actors.decoding.packets import ClipSpan, PacketClip, PacketRing
from actors.decoding.policy import ReconnectConfig, ReconnectPolicy, StatusChange
from actors.decoding.reasons import FINISHED, FROZEN
from actors.decoding.source import VideoSource
from actors.errors import SourceError
from traffic.facts import TaskStatusCode

log = logging.getLogger(__name__)

OnStatus = Callable[[TaskStatusCode, str, float], None]
QUEUE_FRAMES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class ReaderCounters:
    """Counters of a reader since it was started, over all connections.

    Attributes:
        decoded: pictures out of the decoder.
        skipped: decoded pictures left out by the rate setting.
        dropped: pictures the consumer was too slow for (live sources only).
        corrupt: damaged packets and pictures.
        connections: times the source was opened.
        fps_source: pictures per second the source delivers, over the last seconds.
    """

    decoded: int
    skipped: int
    dropped: int
    corrupt: int
    connections: int
    fps_source: float


class StreamReader:
    """Owns the thread that reads one source until ``close``.

    Live sources hand over only the newest frame; recordings hand over every frame in order and end with status
    NOT_STARTED. ``on_status`` is called from the reader's threads, in order, only when the status changes; it must be
    quick and must not call ``close``.
    """

    def __init__(
        self,
        address: str,
        options: SourceOptions | None = None,
        config: ReconnectConfig | None = None,
        on_status: OnStatus | None = None,
        *,
        rng: random.Random | None = None,
        name: str = "",
        open_video: VideoOpener = open_source,
    ) -> None:
        self._address = address
        self._options = options if options is not None else SourceOptions()
        self._policy = ReconnectPolicy(config or ReconnectConfig(), rng or random.Random())
        self._on_status = on_status
        self._open_video = open_video
        self._name = name or mask_address(address)
        self._lock = threading.RLock()  # policy and the order of on_status
        self._cancel = CancelToken()
        self._mailbox = FrameMailbox(QUEUE_FRAMES)
        self._meter = RateMeter()
        patience_s = self._options.frozen_after_s
        self._freeze = FreezeDetector(frozen_after_s=patience_s, check_interval_s=min(1.0, patience_s / 4))
        # One for all connections: an event just before a loss is cut from what came before it.
        self._packets = PacketRing.of_options(self._options)
        self._source: VideoSource | None = None
        self._info: SourceInfo | None = None
        self._past = SourceCounters()
        self._connections = 0
        self._last_time_s = 0.0
        self._last_pts_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"reader {self._name}", daemon=True)
        self._watch = threading.Thread(target=self._watch_silence, name=f"watch {self._name}", daemon=True)
        self._wake_watch = threading.Event()
        self._ended = threading.Event()

    def start(self) -> "StreamReader":
        """Begin reading; returns at once."""
        self._thread.start()
        self._watch.start()
        return self

    def close(self, timeout_s: float = 15.0) -> bool:
        """Stop reading and release everything; whether the threads ended within ``timeout_s``.

        Only a name server that does not answer can keep a thread longer (some seconds); it ends by itself then.
        """
        self._cancel.cancel()
        self._mailbox.close(forget=True)
        self._wake_watch.set()
        deadline = time.monotonic() + timeout_s
        for thread in (self._thread, self._watch):
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not (self._thread.is_alive() or self._watch.is_alive())

    def __enter__(self) -> "StreamReader":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def latest(self, timeout_s: float) -> DecodedFrame | None:
        """The newest frame of a live source not taken yet, the next frame of a recording; None when none came in time.

        Returns None at once when no more can come (see ``finished``).
        """
        return self._mailbox.take(timeout_s)

    @property
    def status(self) -> TaskStatusCode:
        """The status in force."""
        return self._policy.status

    @property
    def reason(self) -> str:
        """Why, "" when all is well; the newest reason even while the status stays the same."""
        return self._policy.reason

    @property
    def finished(self) -> bool:
        """Whether no frame will ever come again: the recording ended (and all was taken) or the reader was closed."""
        return self._thread.ident is not None and not self._thread.is_alive() and not self._mailbox.waiting

    @property
    def info(self) -> SourceInfo | None:
        """What is known about the source; None before it was opened once."""
        return self._info

    @property
    def counters(self) -> ReaderCounters:
        """A snapshot of the counters."""
        source = self._source
        current = source.counters if source is not None else SourceCounters()
        return ReaderCounters(
            decoded=self._past.decoded + current.decoded,
            skipped=self._past.skipped + current.skipped,
            corrupt=self._past.corrupt + current.corrupt,
            dropped=self._mailbox.dropped,
            connections=self._connections,
            fps_source=self._meter.rate(time.monotonic()),
        )

    def recent_packets(self) -> PacketClip | None:
        """The last ``packet_seconds`` of compressed video; None when none is kept."""
        return self._packets.clip() if self._packets is not None else None

    def request_clip(self, span: ClipSpan) -> "Future[PacketClip] | None":
        """See PacketRing.request; None when no packets are kept."""
        return self._packets.request(span) if self._packets is not None else None

    def _run(self) -> None:
        try:
            while not self._cancel.cancelled:
                try:
                    self._read_once()
                except SourceError as error:
                    failure = error
                except Exception as error:
                    # A fault of ours in one connection must not end a camera for good: shown, logged, tried again.
                    log.exception("reading failed source=%s", self._name)
                    failure = SourceError(f"内部错误 (internal error: {type(error).__name__})")
                else:
                    break
                if self._cancel.cancelled or not self._wait_after(failure):
                    return
            if not self._cancel.cancelled:
                self._announce(lambda: self._policy.ended(FINISHED))
        finally:
            self._mailbox.close(forget=False)
            self._ended.set()
            self._wake_watch.set()

    def _wait_after(self, error: SourceError) -> bool:
        """Announce the loss and wait for the next attempt; False when the reader was closed meanwhile."""
        self._announce(lambda: self._policy.lost(error.reason, time.monotonic()))
        delay_s = self._policy.next_delay_s(permanent=error.permanent)
        log.info("lost source=%s reason=%s retry_in_s=%.1f", self._name, error.reason, delay_s)
        return not self._cancel.wait(delay_s)

    def _read_once(self) -> None:
        """One connection from opening to loss (``SourceError``) or to the end of a recording (returns)."""
        source = self._open_video(
            self._address,
            self._session_options(),
            cancel=self._cancel,
            start_pts_s=self._last_pts_s,
            time_floor_s=self._last_time_s,
            packets=self._packets,
        )
        self._connections += 1
        self._info, self._source = source.info, source
        self._mailbox.newest_only = source.info.live
        try:
            for frame in source:
                self._accept(frame, source)
        finally:
            self._retire(source)

    def _session_options(self) -> SourceOptions:
        """A recording that broke off goes on where it was, on the same time axis."""
        info = self._info
        if info is None or info.live or info.start_time_s is None:
            return self._options
        return replace(self._options, start_time_s=info.start_time_s)

    def _accept(self, frame: DecodedFrame, source: VideoSource) -> None:
        now_s = time.monotonic()
        self._meter.record(now_s, source.counters.decoded)
        if source.info.live and self._frozen(frame, now_s):
            raise SourceError(FROZEN)
        self._announce(lambda: self._policy.picture(now_s))
        self._last_time_s = frame.time_s
        if not source.info.live and not self._options.loop:
            self._last_pts_s = frame.pts_s
        self._mailbox.put(frame)

    def _frozen(self, frame: DecodedFrame, now_s: float) -> bool:
        return self._freeze.wants(now_s) and self._freeze.check(picture_checksum(frame.frame), now_s)

    def _retire(self, source: VideoSource) -> None:
        counters, self._source = source.counters, None
        self._past = SourceCounters(
            decoded=self._past.decoded + counters.decoded,
            skipped=self._past.skipped + counters.skipped,
            corrupt=self._past.corrupt + counters.corrupt,
        )
        source.release()

    def _announce(self, decide: Callable[[], StatusChange | None]) -> None:
        with self._lock:
            change = decide()
            if change is None:
                return
            log.info("status source=%s status=%s reason=%s", self._name, change.status.name, change.reason)
            if self._on_status is not None:
                self._on_status(change.status, change.reason, time.time())
        self._wake_watch.set()

    def _watch_silence(self) -> None:
        """States DISCONNECTED on time even while the reading thread is blocked in an attempt to connect."""
        while not self._ended.is_set():
            due_s = self._policy.disconnected_at_s
            self._wake_watch.wait(None if due_s is None else max(0.0, due_s - time.monotonic()))
            self._wake_watch.clear()
            if self._cancel.cancelled:
                return
            self._announce(lambda: self._policy.tick(time.monotonic()))
