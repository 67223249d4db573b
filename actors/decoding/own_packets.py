"""Packets for sources that have none: their pictures encoded as they come."""

import io
from fractions import Fraction
from typing import Any

import av

from actors.decoding.clock import RateLimiter
from actors.decoding.packets import CompressedPacket, PacketRing
from actors.decoding.stream_header import StreamHeader

_CLOCK = Fraction(1, 90_000)
_MAX_FPS = 12.5
_OPTIONS = {"preset": "ultrafast", "tune": "zerolatency", "crf": "27"}


class PictureEncoder:
    """Encodes pictures to H.264 into a ring, a key frame every second, at most 12.5 pictures per second of video."""

    def __init__(self, packets: PacketRing, width: int, height: int, fps: float) -> None:
        """``width``, ``height``: pixels of every picture; odd ones lose a row or column."""
        self._packets = packets
        self._limiter = RateLimiter(_MAX_FPS)
        fps = min(fps, _MAX_FPS)
        head = io.BytesIO()
        self._out: Any = av.open(head, "w", format="mp4", options={"movflags": "empty_moov+frag_keyframe+default_base_moof"})
        self._stream = self._out.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        self._stream.width, self._stream.height, self._stream.pix_fmt = width // 2 * 2, height // 2 * 2, "yuv420p"
        self._stream.codec_context.time_base = _CLOCK
        self._stream.codec_context.gop_size = max(1, round(fps))
        self._stream.codec_context.thread_count = 1
        self._stream.options = _OPTIONS
        self._out.start_encoding()
        packets.begin(
            StreamHeader(
                codec="h264",
                extradata=b"",
                file=head.getvalue(),
                time_base=_CLOCK,
                frame_s=1.0 / fps,
                annex_b=True,
                playable=True,
            )
        )

    def add(self, frame: av.VideoFrame, pts_s: float) -> None:
        """Encode a picture of this media time."""
        if not self._limiter.due(pts_s):
            return
        picture = frame.reformat(width=self._stream.width, height=self._stream.height, format="yuv420p")
        picture.pts, picture.time_base, picture.pict_type = round(pts_s / _CLOCK), _CLOCK, 0
        for packet in self._stream.encode(picture):
            pts, dts = (round(stamp * packet.time_base / _CLOCK) for stamp in (packet.pts, packet.dts))
            self._packets.add(CompressedPacket(data=bytes(packet), pts=pts, dts=dts, key_frame=bool(packet.is_keyframe)))

    def close(self) -> None:
        """Free the encoder."""
        self._out.close()
