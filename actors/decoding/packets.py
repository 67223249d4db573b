"""The last seconds of compressed video, kept for clips of an event."""

import math
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from actors.decoding.options import SourceOptions
from actors.decoding.stream_header import StreamHeader

_LATEST_BEGIN_S = 1.0  # a clip that begins later than this after its moment does not show it


@dataclass(frozen=True, kw_only=True, slots=True)
class CompressedPacket:
    """One packet as it came from the stream; a copy, independent of the stream's life.

    Attributes:
        data: compressed bytes.
        pts, dts: in units of the header's time base, None when the stream does not state them.
        key_frame: decoding can begin here.
    """

    data: bytes
    pts: int | None
    dts: int | None
    key_frame: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PacketClip:
    """Packets with what a muxer or decoder needs. ``packets`` begins with a key frame or is empty.

    Attributes:
        header: describes the stream they are of; None when there never was one.
        packets: in decoding order.
    """

    header: StreamHeader | None
    packets: tuple[CompressedPacket, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipSpan:
    """Which part of the video is wanted: from ``before_s`` before to ``after_s`` after ``moment_s`` (video time, epoch)."""

    moment_s: float
    before_s: float
    after_s: float

    @property
    def begin_s(self) -> float:
        """First moment wanted."""
        return self.moment_s - self.before_s

    @property
    def end_s(self) -> float:
        """Last moment wanted."""
        return self.moment_s + self.after_s


class _Group:
    """A key frame and what depends on it. ``times_s``: by packet, video time of the newest picture known when it was read;
    not a number before the first picture of a connection."""

    __slots__ = ("connection", "header", "packets", "size", "times_s")

    def __init__(self, header: StreamHeader, connection: int) -> None:
        self.header, self.connection, self.size = header, connection, 0
        self.packets: list[CompressedPacket] = []
        self.times_s: list[float] = []

    @property
    def begin_s(self) -> float:
        """Video time at which the group begins, not a number when not known."""
        return self.times_s[0] if self.times_s else math.nan


class PacketRing:
    """Keeps whole groups of pictures over all connections of a source: at least the last ``seconds``, never more than
    ``max_bytes``.

    The reading thread adds packets and tells the time of every picture that comes out of the decoder; any thread may ask for a
    part of the video that is still to come. Such a request is answered when its end has passed, when the stream ends or becomes
    another one, or when the bytes allowed would otherwise take the moment itself away.
    """

    def __init__(self, *, seconds: float, max_bytes: int, lag_frames: int = 0, analysed_fps: float = 0.0) -> None:
        """``lag_frames``: kept longer by the time between so many frames, of which at most ``analysed_fps`` are analysed."""
        self._seconds, self._max_bytes = seconds, max_bytes
        self._lag_frames, self._least_s = lag_frames, 1.0 / analysed_fps if analysed_fps > 0 else 0.0
        self._groups: deque[_Group] = deque()
        self._waiting: list[tuple[ClipSpan, Future[PacketClip]]] = []
        self._header: StreamHeader | None = None
        self._connection = self._bytes = 0
        self._now_s = math.nan
        self._open = self._overflowed = False
        self._lock = threading.Lock()

    # -- the reading thread -------------------------------------------------------------------------------------------

    def begin(self, header: StreamHeader) -> None:
        """A connection, or the next file, begins. With the same header as before its packets continue the same video."""
        with self._lock:
            if self._header is not None and header != self._header:
                self._answer_all()
            self._header, self._open, self._overflowed = header, True, False
            self._connection += 1
            self._now_s = math.nan

    def append(self, packet: Any) -> None:
        """Keep a copy of a PyAV packet."""
        if packet.size:
            key_frame = bool(packet.is_keyframe)
            self.add(CompressedPacket(data=bytes(packet), pts=packet.pts, dts=packet.dts, key_frame=key_frame))

    def add(self, packet: CompressedPacket) -> None:
        """Keep ``packet``; forget the oldest groups that are no longer needed."""
        with self._lock:
            if self._header is None:
                return
            if packet.key_frame:
                self._groups.append(_Group(self._header, self._connection))
                self._overflowed = False
            elif not self._groups or self._overflowed or self._groups[-1].connection != self._connection:
                return  # nothing to decode it from
            group = self._groups[-1]
            group.packets.append(packet)
            group.times_s.append(self._now_s)
            group.size += len(packet.data)
            self._bytes += len(packet.data)
            self._forget()

    def note_time(self, time_s: float) -> None:
        """A picture of this video time came out of the decoder."""
        with self._lock:
            if math.isnan(self._now_s):
                for group in self._groups:
                    if group.connection == self._connection:
                        group.times_s = [time_s] * len(group.packets)
            self._now_s = time_s
            if self._waiting:
                self._answer(lambda span: span.end_s <= time_s)

    def end(self) -> None:
        """The connection is lost or the recording has ended: whoever waits gets what there is."""
        with self._lock:
            self._open = False
            self._answer_all()

    # -- any thread ---------------------------------------------------------------------------------------------------

    @property
    def size_bytes(self) -> int:
        """Compressed bytes held."""
        return self._bytes

    def request(self, span: ClipSpan) -> "Future[PacketClip]":
        """The packets of ``span``, from the last key frame at or before its begin; as much as there is of it, none when not
        even its moment is held."""
        future: Future[PacketClip] = Future()
        with self._lock:
            if not self._open or self._now_s >= span.end_s:
                future.set_result(self._cut(span))
            else:
                self._waiting.append((span, future))
        return future

    def clip(self) -> PacketClip:
        """Everything held of the stream that runs now."""
        with self._lock:
            groups = [group for group in self._groups if group.header == self._header]
            return PacketClip(header=self._header, packets=tuple(packet for group in groups for packet in group.packets))

    # -- parts --------------------------------------------------------------------------------------------------------

    def _answer_all(self) -> None:
        self._answer(lambda _: True)

    def _answer(self, due: Any) -> None:
        waiting, self._waiting = self._waiting, []
        for span, future in waiting:
            if due(span):
                future.set_result(self._cut(span))
            else:
                self._waiting.append((span, future))

    def _cut(self, span: ClipSpan) -> PacketClip:
        groups = list(self._groups)
        at = max((i for i, group in enumerate(groups) if group.begin_s <= span.moment_s), default=0)
        if not groups or groups[at].begin_s > span.moment_s + _LATEST_BEGIN_S:
            return PacketClip(header=self._header, packets=())
        header, first = groups[at].header, at
        while first > 0 and groups[first].begin_s + header.frame_s > span.begin_s and groups[first - 1].header == header:
            first -= 1
        packets: list[CompressedPacket] = []
        for group in groups[first:]:
            if group.header != header:
                break
            packets += [p for p, time_s in zip(group.packets, group.times_s, strict=True) if not time_s > span.end_s]
        return PacketClip(header=header, packets=tuple(packets))

    def _forget(self) -> None:
        while len(self._groups) > 1 and (self._bytes > self._max_bytes or self._age_s(self._groups[1]) >= self._wanted_s()):
            self._forget_group()
        if self._bytes > self._max_bytes:
            # One group larger than all the memory allowed: it cannot be cut, so it goes, and the wait is for the next.
            self._forget_group()
            self._overflowed = True

    def _forget_group(self) -> None:
        if self._waiting:
            # Memory runs out before the clip's end has come: it ends now, rather than lose what came before its moment.
            left_s = self._groups[1].begin_s if len(self._groups) > 1 else math.inf
            self._answer(lambda span: left_s > span.moment_s - span.before_s / 2)
        self._bytes -= self._groups.popleft().size

    def _wanted_s(self) -> float:
        frame_s = self._header.frame_s if self._header is not None else 0.0
        return self._seconds + self._lag_frames * max(frame_s, self._least_s)

    @staticmethod
    def of_options(options: SourceOptions) -> "PacketRing | None":
        """An empty ring; None when no packets are to be kept."""
        if options.packet_seconds <= 0:
            return None
        return PacketRing(
            seconds=options.packet_seconds,
            max_bytes=options.packet_bytes,
            lag_frames=options.packet_lag_frames,
            analysed_fps=options.analysed_fps,
        )

    def _age_s(self, old: _Group) -> float:
        """How long ago a group began: by the pictures' times; by their number where nothing was decoded, and with a wide margin
        where time does not advance."""
        pictures = sum(len(group.packets) for group in tuple(self._groups)[1:]) - 1
        counted_s = pictures * old.header.frame_s
        age_s = self._now_s - old.begin_s
        return counted_s if math.isnan(age_s) else max(age_s, counted_s / 4)
