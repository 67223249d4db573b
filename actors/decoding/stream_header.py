"""What describes a compressed video stream beyond the life of its connection."""

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import av.error

# What browsers play from an MP4 file without encoding anew: 4:2:0 in eight bits, for H.265 in ten as well.
_PLAYABLE = {
    "h264": frozenset({"yuv420p", "yuvj420p"}),
    "hevc": frozenset({"yuv420p", "yuvj420p", "yuv420p10le"}),
}
_FRAGMENTED = {"movflags": "empty_moov+frag_keyframe+default_base_moof"}


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamHeader:
    """A stream's parameters. Two connections with equal headers carry the same video, and their packets can be joined.

    Attributes:
        codec: name of the decoder. extradata: what it must be told before the first packet.
        file: an MP4 file without a picture, with all that MP4 can say of the stream; b"" when it cannot carry the codec.
        time_base: seconds per unit of pts and dts.
        frame_s: nominal seconds between pictures.
        annex_b: packets of H.264 and H.265 have start codes, which MP4 does not know.
        playable: browsers play the packets from an MP4 file.
    """

    codec: str
    extradata: bytes
    file: bytes
    time_base: Fraction
    frame_s: float
    annex_b: bool
    playable: bool

    @staticmethod
    def of_stream(stream: Any, nominal_fps: float) -> "StreamHeader":
        """The header of a PyAV stream."""
        codec = stream.codec_context.name
        file, extradata = _empty_file(stream), bytes(stream.codec_context.extradata or b"")
        return StreamHeader(
            codec=codec,
            extradata=extradata,
            file=file,
            time_base=stream.time_base or Fraction(1, 90_000),
            frame_s=1.0 / nominal_fps,
            annex_b=extradata[:1] != b"\1",
            playable=bool(file and extradata) and stream.codec_context.pix_fmt in _PLAYABLE.get(codec, ()),
        )


def _empty_file(stream: Any) -> bytes:
    file = io.BytesIO()
    try:
        with av.open(file, "w", format="mp4", options=_FRAGMENTED) as out:
            out.add_stream_from_template(stream, opaque=True)
            out.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return b""
    return file.getvalue()
