"""Settings of a video source."""

from dataclasses import dataclass
from typing import Literal

from actors.outbound import UNRESTRICTED, OutboundPolicy

RtspTransport = Literal["tcp", "udp"]
HardwareDecoder = Literal["none", "cuda"]
ThreadType = Literal["SLICE", "FRAME", "AUTO"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceOptions:
    """How a video source is opened and read. All durations are seconds.

    Attributes:
        rtsp_transport: transport asked of an RTSP server.
        loop: a file or a directory starts again at its end; media time goes on.
        start_time_s: wall clock of a recording's first frame (seconds since the epoch); None: the recording's own
            creation time when it has a plausible one, else the moment it is opened.
        open_timeout_s: limit of each of the two steps of opening (connect and describe; probe the streams).
        stall_timeout_s: a live stream without a frame for this long is lost.
        analysed_fps: upper bound of delivered frames per second of video, 0 for every frame. Frames left out are
            decoded (later frames need them) but never converted.
        hardware: "cuda" decodes on an NVIDIA card; software is used instead when there is none or it refuses the codec.
        threads: decoder threads of this source. With one camera per core, 1 is the cheapest in total (docs/sources.md).
        thread_type: "FRAME" scales best but holds back ``threads - 1`` pictures; only matters for ``threads > 1``.
        skip_non_reference: the decoder skips pictures no other picture needs (most B pictures): cheaper, uneven rate.
        realtime: a recording or simulation is paced by the wall clock and treated as a live camera.
        frozen_after_s: identical pictures for this long make a live stream "frozen" (lost); 0: never.
        max_corrupt_run: consecutive undecodable packets after which a live stream is lost.
        packet_seconds: length of compressed video kept for clips, 0: none.
        packet_bytes: upper bound of the memory of the kept packets.
        packet_lag_frames: so many handed out frames may wait for analysis when a clip is asked for: packets are kept longer by
            the time between so many frames.
        outbound: where a camera may be.
    """

    rtsp_transport: RtspTransport = "tcp"
    loop: bool = False
    start_time_s: float | None = None
    open_timeout_s: float = 10.0
    stall_timeout_s: float = 20.0
    analysed_fps: float = 0.0
    hardware: HardwareDecoder = "none"
    threads: int = 1
    thread_type: ThreadType = "SLICE"
    skip_non_reference: bool = False
    realtime: bool = False
    frozen_after_s: float = 60.0
    max_corrupt_run: int = 250
    packet_seconds: float = 0.0
    packet_bytes: int = 32 * 1024 * 1024
    packet_lag_frames: int = 0
    outbound: OutboundPolicy = UNRESTRICTED

    def __post_init__(self) -> None:
        if self.rtsp_transport not in ("tcp", "udp"):
            raise ValueError(f"rtsp_transport must be 'tcp' or 'udp', not {self.rtsp_transport!r}")
        if self.hardware not in ("none", "cuda"):
            raise ValueError(f"hardware must be 'none' or 'cuda', not {self.hardware!r}")
        for name in ("open_timeout_s", "stall_timeout_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be greater than 0")
        for name in ("analysed_fps", "frozen_after_s", "packet_seconds", "packet_bytes", "packet_lag_frames", "threads"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative")
        if self.max_corrupt_run < 1:
            raise ValueError("max_corrupt_run must be at least 1")
