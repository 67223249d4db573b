"""Small clips made for the tests, each with one peculiarity. Every picture carries its number as grey bars.

A picture's number n can be read back with ``number_of``: the upper half holds eight bars, black or white, lowest bit
first, so that a test can tell exactly which pictures came through.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from actors.decoding import DecodedFrame, frame_rgb

BITS = 8


def picture(number: int, width: int = 128, height: int = 96) -> NDArray[np.uint8]:
    """RGB picture that shows ``number`` modulo 256 as bars, and moves a little below them."""
    image = np.full((height, width, 3), 90, np.uint8)
    for bit in range(BITS):
        left, right = bit * width // BITS, (bit + 1) * width // BITS
        image[: height // 2, left:right] = 255 if number >> bit & 1 else 0
    x = (number * 3) % max(1, width - 8)
    image[height * 3 // 4 :, x : x + 8] = (200, 60, 30)
    return image


def number_of(frame: DecodedFrame) -> int:
    """The number ``picture`` has drawn, modulo 256."""
    image = frame_rgb(frame)
    height, width = image.shape[:2]
    middles = [(2 * bit + 1) * width // (2 * BITS) for bit in range(BITS)]
    return sum(1 << bit for bit, x in enumerate(middles) if image[height // 4, x].mean() > 127)


def write_clip(
    path: Path,
    frames: int = 20,
    *,
    size: tuple[int, int] = (128, 96),
    fps: int = 25,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    times: list[int] | None = None,
    b_frames: int = 0,
    gop: int = 10,
    options: dict[str, str] | None = None,
    container_format: str | None = None,
    first_number: int = 0,
    rotation: int = 0,
    container_options: dict[str, str] | None = None,
) -> Path:
    """A clip of numbered pictures. ``times``: presentation times in units of 1/fps instead of 0, 1, 2…"""
    with av.open(str(path), "w", format=container_format, options=container_options or {}) as container:
        stream: Any = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        stream.codec_context.time_base = Fraction(1, fps)
        stream.codec_context.gop_size = gop
        stream.codec_context.max_b_frames = b_frames
        stream.codec_context.thread_count = 1
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "bf": str(b_frames), "crf": "18"} | (options or {})
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(first_number + number, *size), format="rgb24")
            frame.pts = times[number] if times is not None else number
            frame.time_base = Fraction(1, fps)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    if rotation:
        turn_display_matrix(path, rotation)
    return path


def turn_display_matrix(path: Path, clockwise: int) -> None:
    """Write a display matrix into the track header of an MP4: show the picture turned clockwise by 90, 180 or 270."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd")
    # version 0: 4 version/flags, 20 times and ids, 8 reserved, 8 layer/volume, then nine 32-bit matrix entries
    assert data[at + 4] == 0, "the muxer wrote a version 1 track header"
    start = at + 4 + 4 + 20 + 8 + 8
    one, minus, unit = 0x00010000, 0xFFFF0000, 0x40000000
    matrix = {90: (0, one, 0, minus, 0, 0), 180: (minus, 0, 0, 0, minus, 0), 270: (0, minus, 0, one, 0, 0)}[clockwise]
    entries = (*matrix, 0, 0, unit)
    data[start : start + 36] = b"".join(value.to_bytes(4, "big") for value in entries)
    path.write_bytes(bytes(data))


def elementary_stream(path: Path, frames: int = 50, **settings: Any) -> Path:
    """An Annex B stream with access unit delimiters, as the RTSP server and raw-stream tests want it."""
    options = {"aud": "1", "repeat-headers": "1"}
    return write_clip(path, frames, container_format="h264", options=options, **settings)
