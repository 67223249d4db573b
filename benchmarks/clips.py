"""What evidence costs a camera: CPU time of keeping packets, of a clip copied and encoded, of pictures.

    python -m benchmarks.clips [--seconds 20]

Makes noisy moving pictures of its own (1920x1080 H.264 at about 8 Mbit/s; 1280x720 MPEG-4 part 2), reads them with and without a
packet ring, and prints CPU milliseconds (process time, one thread): they hold while other programs use the machine.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from actors.decoding import DecodedFrame, PacketRing, SourceOptions, open_source, save_clip
from actors.decoding.own_packets import PictureEncoder
from actors.evidence.pictures import large_picture


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="CPU time of evidence.")
    parser.add_argument("--seconds", type=int, default=20, help="length of the clips")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="wayside-clips-") as folder:
        full = _film(
            Path(folder) / "full.mp4",
            (1920, 1080),
            "libx264",
            seconds,
            {"preset": "ultrafast", "b": "8M", "maxrate": "8M", "bufsize": "8M"},
        )
        old = _film(Path(folder) / "old.avi", (1280, 720), "mpeg4", seconds, {"b": "4M"})
        _reading(full, seconds)
        for video, name in ((full, "copied, H.264 1920x1080"), (old, "encoded, MPEG-4 part 2 1280x720")):
            clip, frame = _kept(video, seconds)
            target = Path(folder) / "event.mp4"
            spent_ms = _cpu_ms(lambda clip=clip, target=target: save_clip(clip, target))
            print(f"clip of {seconds} s, {name}: {spent_ms:.0f} ms, {target.stat().st_size / 1e6:.1f} MB")
            spent_ms = _cpu_ms(lambda frame=frame: large_picture(frame, (100, 100, 400, 300), 85, boxed=True), 10)
            print(f"large picture {frame.width}x{frame.height}: {spent_ms:.1f} ms")
        _own_packets(frame)


def _film(path: Path, size: tuple[int, int], codec: str, seconds: int, options: dict[str, str]) -> Path:
    generator = np.random.default_rng(1)
    ground = generator.integers(0, 255, (size[1] // 8, size[0] // 8 + 200, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.gop_size = 50
        for number in range(25 * seconds):
            shift = number * 3 % 1500
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(ground[: size[1], shift : shift + size[0]]), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def _reading(video: Path, seconds: int) -> None:
    def read(packet_seconds: float) -> None:
        with open_source(str(video), SourceOptions(start_time_s=0.0, packet_seconds=packet_seconds)) as source:
            for _ in source:
                pass

    bare, kept = min(_cpu_ms(lambda: read(0.0)) for _ in range(2)), min(_cpu_ms(lambda: read(20.0)) for _ in range(2))
    print(f"reading {seconds} s of 1920x1080: {bare:.0f} ms bare, {kept:.0f} ms with its packets kept ({kept / bare:.2f})")


def _kept(video: Path, seconds: int) -> tuple[Any, DecodedFrame]:
    options = SourceOptions(start_time_s=0.0, packet_seconds=float(seconds), packet_bytes=10**9)
    with open_source(str(video), options) as source:
        frame = list(source)[-1]
        return source.recent_packets(), frame


def _own_packets(frame: DecodedFrame) -> None:
    encoder = PictureEncoder(PacketRing(seconds=20, max_bytes=10**8), frame.width, frame.height, 12.5)
    count = 50
    begin = time.process_time()
    for number in range(count):
        encoder.add(frame.frame, number / 12.5)
    spent_ms = (time.process_time() - begin) * 1e3 / count
    print(f"packets of a source that has none, {frame.width}x{frame.height}: {spent_ms:.1f} ms a picture")
    encoder.close()


def _cpu_ms(call: Callable[[], object], times: int = 1) -> float:
    begin = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - begin) * 1e3 / times


if __name__ == "__main__":
    main()
