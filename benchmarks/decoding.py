"""What video input costs: decoding by threads, the network's input by method, JPEG crops, kept packets.

    OMP_NUM_THREADS=1 python -m benchmarks.decoding [CLIP …] [--frames 120]

Figures are CPU time of the whole process (all its threads) per picture, the best of three runs; "fps" is wall clock. The error
is the mean absolute difference, in grey levels, from the reference: full-size RGB by swscale, averaged by area in OpenCV.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from actors.decoding import SourceOptions, crop_jpeg, frame_rgb, letterbox, open_source

Image = NDArray[np.uint8]
INPUT_SIZE = (640, 384)
DATA = Path(os.environ.get("WAYSIDE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")) / "video"
DEFAULT_CLIPS = ("towncentre_1080p_10s.mp4", "motorway_both_directions_720p30s.mp4")
RUNS = 3


def best_ms(work: Callable[[Any], object], items: list[Any]) -> float:
    """CPU milliseconds per item, the best of three runs."""
    work(items[0])
    best = float("inf")
    for _ in range(RUNS):
        started = time.process_time()
        for item in items:
            work(item)
        best = min(best, time.process_time() - started)
    return best / len(items) * 1e3


def measure_decoding(clip: Path, frames: int) -> None:
    """Decoding alone, by number and type of threads."""
    print(f"\ndecoding, {frames} pictures\n  threads           fps   CPU ms per picture")
    settings = [("1", {}), ("2 SLICE", {"threads": 2}), ("2 FRAME", {"threads": 2, "thread_type": "FRAME"})]
    settings += [("1 skip non-ref", {"skip_non_reference": True}), ("1 + 10 s packets", {"packet_seconds": 10.0})]
    for name, options in settings:
        wall = cpu = float("inf")
        pictures = 1
        for _ in range(RUNS):
            with open_source(str(clip), SourceOptions(**options)) as source:
                started, started_cpu = time.perf_counter(), time.process_time()
                for frame in source:
                    if frame.index + 1 >= frames:
                        break
                pictures = source.counters.decoded
                wall, cpu = min(wall, time.perf_counter() - started), min(cpu, time.process_time() - started_cpu)
        print(f"  {name:17s}{pictures / wall:6.0f}   {cpu / pictures * 1e3:8.2f}")


def scaling_methods(size: tuple[int, int]) -> dict[str, Callable[[av.VideoFrame], Image]]:
    """The candidates for shrinking a picture to ``size``; each keeps its scaler contexts."""

    def direct(method: Interpolation) -> Callable[[av.VideoFrame], Image]:
        scaler = VideoReformatter()
        return lambda f: scaler.reformat(f, *size, "rgb24", interpolation=method, threads=1).to_ndarray()

    def two_steps(method: Interpolation, middle: str) -> Callable[[av.VideoFrame], Image]:
        first, second = VideoReformatter(), VideoReformatter()

        def work(f: av.VideoFrame) -> Image:
            small = first.reformat(f, *size, middle, interpolation=method, threads=1)
            return second.reformat(small, format="rgb24", threads=1).to_ndarray()

        return work

    def full_rgb(f: av.VideoFrame) -> Image:
        return cv2.resize(frame_rgb(f), size, interpolation=cv2.INTER_AREA)

    methods = {f"swscale {m.name} to RGB": direct(m) for m in _METHODS}
    methods |= {f"swscale {m.name} to 4:2:0, then RGB": two_steps(m, "yuv420p") for m in _METHODS}
    methods["swscale AREA to 4:2:2, then RGB"] = two_steps(Interpolation.AREA, "yuv422p")
    methods["swscale AREA to 4:4:4, then RGB"] = two_steps(Interpolation.AREA, "yuv444p")
    methods |= {f"cv2 {name} of planes, cvtColor": _planes(size, code) for name, code in _CV2.items()}
    return methods | {"full RGB, cv2 INTER_AREA (reference)": full_rgb}


_METHODS = (Interpolation.POINT, Interpolation.FAST_BILINEAR, Interpolation.BILINEAR, Interpolation.BICUBIC, Interpolation.AREA)
_CV2 = {"INTER_LINEAR": cv2.INTER_LINEAR, "INTER_AREA": cv2.INTER_AREA}


def _planes(size: tuple[int, int], code: int) -> Callable[[av.VideoFrame], Image]:
    """OpenCV on the planes of a 4:2:0 picture; its colour conversion knows BT.601 limited only."""
    width, height = size

    def work(f: av.VideoFrame) -> Image:
        planes = [np.frombuffer(p, np.uint8).reshape(-1, p.line_size)[: p.height, : p.width] for p in f.planes]
        small = [cv2.resize(planes[0], size, interpolation=code)]
        small += [cv2.resize(plane, (width // 2, height // 2), interpolation=code) for plane in planes[1:]]
        packed = np.concatenate([plane.reshape(-1) for plane in small]).reshape(height * 3 // 2, width)
        return cv2.cvtColor(packed, cv2.COLOR_YUV2RGB_I420)

    return work


def measure_scaling(frames: list[av.VideoFrame]) -> None:
    """Methods of shrinking to the network's input."""
    width, height = frames[0].width, frames[0].height
    scale = min(INPUT_SIZE[0] / width, INPUT_SIZE[1] / height)
    size = (round(width * scale / 2) * 2, round(height * scale / 2) * 2)
    print(f"\n{width}x{height} to {size[0]}x{size[1]}\n  method                                    ms   error")
    methods = scaling_methods(size)
    reference = methods["full RGB, cv2 INTER_AREA (reference)"]
    methods["letterbox()"] = lambda f: letterbox(f, size)[0]
    for name, work in methods.items():
        error = np.mean([np.abs(work(f).astype(int) - reference(f)).mean() for f in frames[:5]])
        print(f"  {name:38s}{best_ms(work, frames):6.2f}  {error:6.2f}")
    crop = (0.2, 0.2, 0.8, 0.8)
    print(f"  {'letterbox() of the middle 60 %':38s}{best_ms(lambda f: letterbox(f, size, crop), frames):6.2f}")


def measure_pictures(frames: list[av.VideoFrame]) -> None:
    """JPEG of a vehicle's crop and of the whole picture."""
    width, height = frames[0].width, frames[0].height
    box = (width * 0.4, height * 0.4, width * 0.4 + 160, height * 0.4 + 120)
    print(f"  crop of 160x120 as JPEG  {best_ms(lambda f: crop_jpeg(f, box), frames):6.2f} ms")
    print(f"  whole picture as JPEG    {best_ms(crop_jpeg, frames):6.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what video input costs.")
    parser.add_argument("clips", nargs="*", type=Path, default=[DATA / name for name in DEFAULT_CLIPS])
    parser.add_argument("--frames", type=int, default=120)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}, OpenCV {cv2.__version__}, {os.cpu_count()} cores")
    for clip in arguments.clips:
        print(f"\n== {clip.name}")
        measure_decoding(clip, arguments.frames)
        with open_source(str(clip), SourceOptions()) as source:
            frames = [frame.frame for frame, _ in zip(source, range(30), strict=False)]
        measure_scaling(frames)
        measure_pictures(frames)


if __name__ == "__main__":
    main()
