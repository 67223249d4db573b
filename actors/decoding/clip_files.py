"""Clips as MP4 files that play in browsers: copied where the codec allows, encoded to H.264 otherwise."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import av.error
import numpy as np

from actors.decoding.frames import frame_rotation, upright_size
from actors.decoding.packets import CompressedPacket, PacketClip
from actors.decoding.regions import to_array, turned
from actors.decoding.stream_header import StreamHeader
from actors.errors import ClipError

_FASTSTART = {"movflags": "faststart"}  # the index first: a browser begins to play before it has the whole file
_LONGEST_GAP_S = 2.0
_CLOCK = Fraction(1, 90_000)
_DAMAGED = (av.error.InvalidDataError, av.error.PatchWelcomeError, av.error.UnknownError, av.error.EOFError)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipEncoding:
    """How clips that must be encoded are encoded.

    Attributes:
        max_width, max_height: pixels; larger pictures are shrunk. max_fps: pictures beyond this rate are left out.
        crf: quality of x264, 0 (best) to 51. preset: speed of x264.
    """

    max_width: int = 1280
    max_height: int = 720
    max_fps: float = 25.0
    crf: int = 26
    preset: str = "superfast"


def save_clip(clip: PacketClip, path: Path, encoding: ClipEncoding | None = None) -> Literal["copied", "encoded"]:
    """Write the clip as an MP4 file that begins with a key frame at time 0.

    Raises:
        ClipError: there is nothing to write, or it cannot be read or written; nothing is left at ``path``.
    """
    header = clip.header
    if header is None or not clip.packets:
        raise ClipError("no video of that moment was kept")
    try:
        if header.playable:
            _copy(clip, header, path)
            return "copied"
        _encode(clip, header, path, encoding or ClipEncoding())
    except (av.error.FFmpegError, OSError, ValueError) as error:
        path.unlink(missing_ok=True)
        raise ClipError(f"{type(error).__name__}: {error}"[:300]) from error
    return "encoded"


def _copy(clip: PacketClip, header: StreamHeader, path: Path) -> None:
    duration = _units(header)
    with (
        av.open(io.BytesIO(header.file), format="mp4") as described,
        av.open(str(path), "w", format="mp4", options=_FASTSTART) as out,
    ):
        stream = out.add_stream_from_template(described.streams.video[0], opaque=True)
        for packet, (pts, dts) in _stamped(clip, header):
            compressed = av.Packet(_with_lengths(packet.data) if header.annex_b else packet.data)
            compressed.pts, compressed.dts, compressed.time_base = pts, dts, header.time_base
            compressed.duration = duration
            compressed.is_keyframe = packet.key_frame
            compressed.stream = stream
            out.mux(compressed)


def _with_lengths(data: bytes) -> bytes:
    """Start codes (ITU-T H.264, Annex B) replaced by the four-byte lengths of MP4 (ISO/IEC 14496-15)."""
    units = (unit.rstrip(b"\0") for unit in data.split(b"\0\0\1")[1:])
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units if unit)


def _encode(clip: PacketClip, header: StreamHeader, path: Path, encoding: ClipEncoding) -> None:
    stream: Any = None
    with av.open(str(path), "w", format="mp4", options=_FASTSTART) as out:
        for frame, pts in _pictures(clip, header, encoding.max_fps):
            if stream is None:
                stream = _encoder(out, *_fitting(frame.width, frame.height, encoding), header, encoding)
            picture = frame.reformat(width=stream.width, height=stream.height, format="yuv420p")
            picture.pts, picture.time_base, picture.pict_type = pts, _CLOCK, 0
            out.mux(stream.encode(picture))
        if stream is None:
            raise ValueError("no picture of it can be decoded")
        out.mux(stream.encode(None))


def _encoder(out: Any, width: int, height: int, header: StreamHeader, encoding: ClipEncoding) -> Any:
    fps = min(encoding.max_fps, 1.0 / header.frame_s)
    stream = out.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.time_base = _CLOCK
    stream.codec_context.gop_size = max(1, round(2 * fps))
    stream.codec_context.thread_count = 1
    stream.options = {"preset": encoding.preset, "crf": str(encoding.crf)}
    return stream


def _pictures(clip: PacketClip, header: StreamHeader, max_fps: float) -> Iterator[tuple[av.VideoFrame, int]]:
    """Decoded upright pictures with strictly increasing times in units of ``_CLOCK``, at most ``max_fps``."""
    step, last = 0.9 / max_fps / _CLOCK, -1.0e18
    with _decoder(header) as decoder:
        decoder.thread_count = 1
        for packet in _decodable(clip, header):
            try:
                frames = decoder.decode(packet)
            except _DAMAGED:
                continue  # damaged on the way: the pictures around it are still worth showing
            for frame in frames:
                at = last + 1 if frame.pts is None else float(frame.pts * header.time_base / _CLOCK)
                if at - last < step and frame.pts is not None:
                    continue
                last = at
                yield _upright(frame), round(at)


@contextmanager
def _decoder(header: StreamHeader) -> Iterator[Any]:
    if header.file:
        with av.open(io.BytesIO(header.file), format="mp4") as described:
            yield described.streams.video[0].codec_context
        return
    decoder = av.CodecContext.create(header.codec, "r")
    if header.extradata:
        decoder.extradata = header.extradata
    yield decoder


def _decodable(clip: PacketClip, header: StreamHeader) -> Iterator[av.Packet | None]:
    for packet, (pts, dts) in _stamped(clip, header):
        compressed = av.Packet(packet.data)
        compressed.pts, compressed.dts, compressed.time_base = pts, dts, header.time_base
        yield compressed
    yield None


def _upright(frame: av.VideoFrame) -> av.VideoFrame:
    rotation = frame_rotation(frame)
    if not rotation:
        return frame
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(turned(to_array(frame, "rgb24"), rotation)), format="rgb24")


def _fitting(width: int, height: int, encoding: ClipEncoding) -> tuple[int, int]:
    """Even size within the bounds, in the same shape; portrait pictures get the bounds turned."""
    bounds = upright_size(encoding.max_width, encoding.max_height, 90 if height > width else 0)
    scale = min(1.0, bounds[0] / width, bounds[1] / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _units(header: StreamHeader) -> int:
    return max(1, round(header.frame_s / header.time_base))


def _stamped(clip: PacketClip, header: StreamHeader) -> Iterator[tuple[CompressedPacket, tuple[int, int]]]:
    """Packets with (pts, dts) from 0, dts strictly increasing, over gaps and jumps of the stream's clock.

    Pictures shown before the first key frame need pictures that are not in the clip: they are left out.
    """
    unit = _units(header)
    longest = max(unit, int(_LONGEST_GAP_S / header.time_base))
    offset = last = None
    leading = clip.packets[0].pts
    for number, packet in enumerate(clip.packets):
        if number and packet.key_frame:
            leading = None
        if leading is not None and packet.pts is not None and packet.pts < leading:
            continue
        dts = packet.dts if packet.dts is not None else packet.pts
        due = 0 if last is None else last + unit
        if dts is None:
            dts = due - (offset or 0)
        if offset is None or last is None or not last < dts + offset <= last + longest:
            offset = due - dts
        last = dts + offset
        yield packet, (max(last, packet.pts + offset) if packet.pts is not None else last, last)
