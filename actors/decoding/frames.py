"""What a video source hands out: frames, what is known about the stream, counters."""

from dataclasses import dataclass
from typing import Literal

import av

Rotation = Literal[0, 90, 180, 270]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DecodedFrame:
    """One decoded picture with its times.

    Attributes:
        index: number of the picture among all decoded ones of this source, from 0; skipped pictures count.
        pts_s: media seconds since the source's first picture; strictly increasing.
        time_s: seconds since the epoch; strictly increasing. Recordings: start time + pts_s. Live: anchored to the
            arrival of the first picture and led by the stream's own clock, so that network jitter does not show.
        frame: the picture as decoded (not rotated), any pixel format.
        width, height: of the upright picture in pixels (after rotation).
        key_frame: whether the picture is decodable on its own.
        rotation: degrees the decoded picture is to be turned counter-clockwise to stand upright.
    """

    index: int
    pts_s: float
    time_s: float
    frame: av.VideoFrame
    width: int
    height: int
    key_frame: bool
    rotation: Rotation


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceInfo:
    """What is known about a source once it is open.

    Attributes:
        codec: name of the decoder ("h264", "hevc", "mjpeg", "rawvideo" for the simulation).
        nominal_fps: frames per second the stream states, 25.0 when it states none.
        duration_s: of one pass through a recording; None for endless sources or when unknown.
        total_frames: of one pass through a recording, possibly estimated from duration and rate; None when unknown.
        live: the picture comes whether it is read or not; only the newest matters.
        width, height: coded size in pixels as the stream states it; a frame's own size (turned upright, or changed in
            mid-stream) is in the frame.
        start_time_s: wall clock of the first picture of a recording, None for live sources.
        hardware: the decoder runs on a card.
    """

    codec: str
    nominal_fps: float
    duration_s: float | None
    total_frames: int | None
    live: bool
    width: int
    height: int
    start_time_s: float | None = None
    hardware: bool = False


@dataclass(slots=True)
class SourceCounters:
    """Counters of one source since it was opened.

    Attributes:
        decoded: pictures out of the decoder.
        skipped: decoded pictures left out by ``analysed_fps``.
        corrupt: packets the decoder refused and pictures it marked as damaged; never handed out.
        time_jumps: breaks of the stream's clock that were bridged.
        files_skipped: unreadable files of a directory.
    """

    decoded: int = 0
    skipped: int = 0
    corrupt: int = 0
    time_jumps: int = 0
    files_skipped: int = 0


def upright_size(width: int, height: int, rotation: int) -> tuple[int, int]:
    """(width, height) after turning by ``rotation`` degrees."""
    return (height, width) if rotation % 180 else (width, height)


def frame_rotation(frame: av.VideoFrame) -> Rotation:
    """Counter-clockwise turn that makes the picture stand upright, from its display matrix, to the nearest quarter."""
    quarters = round(float(frame.rotation) / 90.0) % 4
    return (0, 90, 180, 270)[quarters]  # type: ignore[return-value]
