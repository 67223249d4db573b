"""Records the simulated camera: H.264 in MP4, truth as JSON lines beside it."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av

from actors.errors import SourceError
from actors.simulation.address import SimulationSettings
from actors.simulation.source import SimulatedCamera

Progress = Callable[[int, int], None]
CRF = "20"


def record(
    settings: SimulationSettings,
    out: Path,
    truth_out: Path | None,
    duration_s: float,
    progress: Progress | None = None,
    *,
    cache_dir: Path | None = None,
) -> int:
    """Record ``duration_s`` seconds of the film into ``out`` and its truth into ``truth_out`` (one JSON line per frame).

    Args:
        progress: called with frames done and frames in all after every frame.

    Returns:
        Number of frames written.

    Raises:
        SourceError: a file cannot be written, or the duration is not a positive number of seconds.
    """
    if duration_s <= 0:
        raise SourceError(f"duration must be more than 0 seconds, got {duration_s:g}", permanent=True)
    camera = SimulatedCamera(replace(settings, duration_s=duration_s), cache_dir)
    total = camera.settings.frame_count or 0
    rate = Fraction(settings.fps).limit_denominator(1001)
    try:
        with ExitStack() as stack:
            truth_file = stack.enter_context(truth_out.open("w", encoding="utf-8")) if truth_out else None
            container = stack.enter_context(av.open(str(out), "w", format="mp4"))
            stream = container.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": CRF})
            stream.width, stream.height, stream.pix_fmt = settings.width, settings.height, "yuv420p"
            for frame in camera.frames():
                picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24")
                picture.pts, picture.time_base = frame.index, 1 / rate
                container.mux(stream.encode(picture))
                if truth_file:
                    truth_file.write(json.dumps(frame.truth.to_json(frame.index, frame.time_s), ensure_ascii=False) + "\n")
                if progress:
                    progress(frame.index + 1, total)
            container.mux(stream.encode())
    except (OSError, av.FFmpegError) as error:
        raise SourceError(f"cannot write the recording: {error}", permanent=True) from error
    return total
