"""The last seconds of compressed video, kept for clips of an event."""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

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
        codec: name of the codec ("h264").
        extradata: the codec's global header, b"" when it is in the packets.
        width, height: coded size in pixels.
        time_base: seconds per unit of pts and dts.
        packets: in decoding order.
    """

    codec: str
    extradata: bytes
    width: int
    height: int
    time_base: Fraction
    packets: tuple[CompressedPacket, ...]


class PacketRing:
    """Keeps whole groups of pictures: at least the last ``seconds``, never more than ``max_bytes``."""

    def __init__(
        self, *, seconds: float, max_bytes: int, codec: str, extradata: bytes, width: int, height: int, time_base: Fraction
    ) -> None:
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._header = (codec, extradata, width, height, time_base)
        self._span = int(seconds / time_base) if time_base else 0
        self._groups: deque[list[CompressedPacket]] = deque()
        self._bytes = 0
        self._overflowed = False

    @staticmethod
    def of_stream(stream: Any, options: SourceOptions) -> "PacketRing":
        """An empty ring for the packets of a PyAV stream."""
        context = stream.codec_context
        return PacketRing(
            seconds=options.packet_seconds,
            max_bytes=options.packet_bytes,
            codec=context.name,
            extradata=bytes(context.extradata or b""),
            width=context.width,
            height=context.height,
            time_base=stream.time_base or Fraction(1, 90_000),
        )

    @property
    def size_bytes(self) -> int:
        """Compressed bytes held."""
        return self._bytes

    def append(self, packet: Any) -> None:
        """Keep a copy of a PyAV packet; forget the oldest groups that are no longer needed."""
        if self._seconds <= 0 or not packet.size:
            return
        self.add(CompressedPacket(data=bytes(packet), pts=packet.pts, dts=packet.dts, key_frame=bool(packet.is_keyframe)))

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
        """A snapshot of what is held."""
        codec, extradata, width, height, time_base = self._header
        packets = tuple(packet for group in self._groups for packet in group)
        return PacketClip(codec=codec, extradata=extradata, width=width, height=height, time_base=time_base, packets=packets)

    def _forget_old(self, newest: CompressedPacket) -> None:
        while len(self._groups) > 1 and (self._bytes > self._max_bytes or self._age(self._groups[1][0], newest) >= self._span):
            self._forget_group()
        if self._bytes > self._max_bytes:
            # One group larger than all the memory allowed: it cannot be cut, so it goes, and the wait is for the next.
            self._forget_group()
            self._overflowed = True

    def _forget_group(self) -> None:
        self._bytes -= sum(len(packet.data) for packet in self._groups.popleft())

    @staticmethod
    def _age(old: CompressedPacket, new: CompressedPacket) -> int:
        first = old.dts if old.dts is not None else old.pts
        last = new.dts if new.dts is not None else new.pts
        return last - first if first is not None and last is not None else 0
