"""What every camera of an installation is given besides its task: settings, and what it works with."""

from collections.abc import Callable
from dataclasses import dataclass, field

from actors.decoding import HardwareDecoder, VideoOpener, open_source
from actors.outbound import OutboundPolicy
from actors.pipeline import PipelineConfig
from actors.ports import Archive, CellSink, FactSink
from actors.recognition import RecognitionServices
from models.handles import DetectorClient, WeatherClient


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraConfig:
    """Settings of one camera besides its task.

    Attributes:
        default_analysed_fps: for live tasks that name no rate.
        disconnected_after_s, stall_timeout_s: see docs/sources.md.
        hardware: "cuda": decode on an NVIDIA card where there is one and it takes the codec.
        flush_s: how long a stopping camera tries to hand over its last facts.
        outbound: where cameras may be.
        lease_s: analysis stands still when no supervisor has asked for so long, see ``actors.lease``; 0: never.
    """

    pipeline: PipelineConfig
    default_analysed_fps: float = 12.5
    disconnected_after_s: float = 60.0
    stall_timeout_s: float = 20.0
    hardware: HardwareDecoder = "none"
    flush_s: float = 5.0
    outbound: OutboundPolicy = field(default_factory=OutboundPolicy)
    lease_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class CameraServices:
    """What a camera works with; every member is picklable and connects lazily inside the actor.

    Attributes:
        connect_detector: makes the client; raises DetectionFailedError while the detector is not up.
        cells: takes the one-second cells of lanes and people; None: nobody wants them.
        recognition: of vehicles; None: facts go out without looks.
        connect_weather: makes the client of the weather network; None: the weather stays unknown.
        open_video: opens the source of a task.
    """

    connect_detector: Callable[[], DetectorClient]
    sink: FactSink
    archive: Archive | None
    cells: CellSink | None = None
    recognition: RecognitionServices | None = None
    connect_weather: Callable[[], WeatherClient] | None = None
    open_video: VideoOpener = open_source
