"""The last seconds of compressed video, kept for clips of an event."""

import io
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import av.error

from actors.decoding.options import SourceOptions


@dataclass(frozen=True, kw_only=True, slots=True)
class CompressedPacket:
    """One packet as it came from the stream; a copy, independent of the stream's life.

    Attributes:
        data: compressed bytes.
        pts, dts: in units of the clip's time base, None when the stream does not state them.
        key_frame: decoding can begin here.
    """

    data: bytes
    pts: int | None
    dts: int | None
    key_frame: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PacketClip:
    """The kept packets with what a muxer needs. ``packets`` begins with a key frame or is empty.

    Attributes:
        header: an MP4 file without a picture that describes the stream; b"" when MP4 cannot carry the codec.
        time_base: seconds per unit of pts and dts.
        frame_s: nominal seconds between pictures.
        packets: in decoding order.
    """

    header: bytes
    time_base: Fraction
    frame_s: float
    packets: tuple[CompressedPacket, ...]

    def mp4(self) -> bytes:
        """The clip as an MP4 file, nothing decoded or encoded anew, beginning at time 0.

        Raises:
            ValueError: there are no packets, or MP4 cannot carry the codec.
        """
        if not self.packets or not self.header:
            raise ValueError("nothing to write: no packets were kept, or MP4 cannot carry their codec")
        target = io.BytesIO()
        with av.open(io.BytesIO(self.header)) as described, av.open(target, "w", format="mp4") as out:
            stream = out.add_stream_from_template(described.streams.video[0], opaque=True)
            for packet, (pts, dts) in zip(self.packets, self._stamps(), strict=True):
                compressed = av.Packet(packet.data)
                compressed.pts, compressed.dts, compressed.time_base = pts, dts, self.time_base
                compressed.duration = self._frame_units
                compressed.is_keyframe = packet.key_frame
                compressed.stream = stream
                out.mux(compressed)
        return target.getvalue()

    @property
    def _frame_units(self) -> int:
        return max(1, round(self.frame_s / self.time_base))

    def _stamps(self) -> list[tuple[int, int]]:
        """(pts, dts) from 0 with strictly increasing dts, over gaps and jumps of the stream's clock."""
        stamps: list[tuple[int, int]] = []
        offset = last = None
        for packet in self.packets:
            dts = packet.dts if packet.dts is not None else packet.pts
            due = 0 if last is None else last + self._frame_units
            if dts is None:
                dts = due - (offset or 0)
            if offset is None or dts + offset <= (last if last is not None else -1):
                offset = due - dts
            last = dts + offset
            stamps.append((max(last, packet.pts + offset) if packet.pts is not None else last, last))
        return stamps


class PacketRing:
    """Keeps whole groups of pictures: at least the last ``seconds``, never more than ``max_bytes``."""

    def __init__(self, *, seconds: float, max_bytes: int, header: bytes, time_base: Fraction, frame_s: float) -> None:
        self._max_bytes = max_bytes
        self._header = header
        self._time_base = time_base
        self._frame_s = frame_s
        self._span = int(seconds / time_base)
        self._groups: deque[list[CompressedPacket]] = deque()
        self._bytes = 0
        self._overflowed = False

    @staticmethod
    def of_stream(stream: Any, options: SourceOptions, nominal_fps: float) -> "PacketRing | None":
        """An empty ring for the packets of a PyAV stream; None when none are to be kept."""
        if options.packet_seconds <= 0:
            return None
        return PacketRing(
            seconds=options.packet_seconds,
            max_bytes=options.packet_bytes,
            header=_describe(stream),
            time_base=stream.time_base or Fraction(1, 90_000),
            frame_s=1.0 / nominal_fps,
        )

    @property
    def size_bytes(self) -> int:
        """Compressed bytes held."""
        return self._bytes

    def append(self, packet: Any) -> None:
        """Keep a copy of a PyAV packet; forget the oldest groups that are no longer needed."""
        if packet.size:
            key_frame = bool(packet.is_keyframe)
            self.add(CompressedPacket(data=bytes(packet), pts=packet.pts, dts=packet.dts, key_frame=key_frame))

    def add(self, packet: CompressedPacket) -> None:
        """Keep ``packet``."""
        if packet.key_frame:
            self._groups.append([])
            self._overflowed = False
        elif not self._groups or self._overflowed:
            return  # nothing to decode it from
        self._groups[-1].append(packet)
        self._bytes += len(packet.data)
        self._forget_old(packet)

    def clip(self) -> PacketClip:
        """A snapshot of what is held; may be called from another thread."""
        packets = tuple(packet for group in tuple(self._groups) for packet in tuple(group))
        return PacketClip(header=self._header, time_base=self._time_base, frame_s=self._frame_s, packets=packets)

    def _forget_old(self, newest: CompressedPacket) -> None:
        while len(self._groups) > 1 and (self._bytes > self._max_bytes or self._age(self._groups[1][0], newest) >= self._span):
            self._forget_group()
        if self._bytes > self._max_bytes:
            # One group larger than all the memory allowed: it cannot be cut, so it goes, and the wait is for the next.
            self._forget_group()
            self._overflowed = True

    def _forget_group(self) -> None:
        self._bytes -= sum(len(packet.data) for packet in self._groups.popleft())

    def _age(self, old: CompressedPacket, new: CompressedPacket) -> int:
        first = old.dts if old.dts is not None else old.pts
        last = new.dts if new.dts is not None else new.pts
        pictures = sum(len(group) for group in tuple(self._groups)[1:]) - 1
        counted = int(pictures * self._frame_s / float(self._time_base))
        if first is None or last is None:
            return counted
        # A clock that keeps jumping back never ages; the number of pictures then bounds the ring, with a wide margin for
        # streams faster than they say.
        return max(last - first, counted // 4)


def _describe(stream: Any) -> bytes:
    """An MP4 file that holds the stream's parameters and no picture: a template that outlives the connection."""
    header = io.BytesIO()
    try:
        with av.open(header, "w", format="mp4", options={"movflags": "empty_moov+frag_keyframe+default_base_moof"}) as out:
            out.add_stream_from_template(stream, opaque=True)
            out.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return b""
    return header.getvalue()
