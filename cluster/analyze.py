"""``wayside analyze``: a recorded file through the same pipeline and models, whole and as fast as the machine can."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from actors.decoding import SourceInfo, SourceOptions, open_source
from actors.pipeline import AnalysedFrame, CameraPipeline, PipelineConfig
from actors.ports import Archive, FactEnvelope, TaskRef, TaskSpec
from api.wire.encode import DEFAULT_DATA_SOURCE, snapshot_body
from models.handles import DetectorClient
from traffic.facts import VehiclePassage
from traffic.scene import Scene

OnFrame = Callable[[AnalysedFrame, CameraPipeline], None]


@dataclass(slots=True)
class Summary:
    """Totals of one analysis: vehicles by (lane, class), speeds by lane in km/h, frames."""

    frames: int = 0
    counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    speeds: dict[int, list[float]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    def add(self, passage: VehiclePassage) -> None:
        """Count one passage."""
        self.counts[passage.road_num, passage.object_class.name.lower()] += 1
        self.names[passage.road_num] = passage.road_name
        if passage.speed_kmh is not None:
            self.speeds.setdefault(passage.road_num, []).append(passage.speed_kmh)


@dataclass(frozen=True, kw_only=True)
class AnalyzeOptions:
    """What to analyse and how. ``analysed_fps`` 0: every frame. ``archive`` None: no pictures are kept."""

    video: str
    scene: Scene | None
    time_zone: str
    start_time_s: float | None = None
    analysed_fps: float = 0.0
    archive: Archive | None = None
    max_frames: int = 0


def default_start_s(video: str) -> float | None:
    """Start of a recording without one of its own: the file's time of change, so that two runs agree."""
    path = Path(video)
    return path.stat().st_mtime if path.is_file() else 0.0


def analyze(
    options: AnalyzeOptions,
    detector: DetectorClient,
    write: Callable[[str], None],
    progress: Callable[[int, SourceInfo], None] | None = None,
    on_frame: OnFrame | None = None,
) -> Summary:
    """Analyse a recording, writing one JSON line per result.

    Raises:
        SourceError: the video cannot be read.
    """
    start_s = options.start_time_s if options.start_time_s is not None else default_start_s(options.video)
    name = Path(options.video.split("?")[0]).stem or "video"
    task = TaskRef(task_id=1, task_num="1", task_name=name, src_address=options.video, time_zone=options.time_zone)
    spec = TaskSpec(
        ref=task, scene=options.scene, analysed_fps=options.analysed_fps, rtsp_transport="tcp", loop=False,
        start_time_s=start_s, enabled=True, revision="1",
    )  # fmt: skip
    pipeline = CameraPipeline(spec, detector, options.archive, PipelineConfig())
    summary = Summary()
    source_options = SourceOptions(start_time_s=start_s, analysed_fps=options.analysed_fps)
    with open_source(options.video, source_options) as source:
        for frame in source:
            pipeline.begin(frame)
            result = pipeline.finish()
            summary.frames += 1
            if on_frame:
                on_frame(result, pipeline)
            for line in _lines(result.envelopes, summary):
                write(line)
            if progress:
                progress(frame.index + 1, source.info)
            if options.max_frames and summary.frames >= options.max_frames:
                break
    for line in _lines(pipeline.end(), summary):
        write(line)
    return summary


def _lines(envelopes: tuple[FactEnvelope, ...], summary: Summary) -> Iterator[str]:
    for envelope in envelopes:
        if isinstance(envelope.fact, VehiclePassage):
            summary.add(envelope.fact)
            body = snapshot_body(envelope, envelope.fact, DEFAULT_DATA_SOURCE)
            yield json.dumps({"kind": "vehicle-snapshot", "body": body}, ensure_ascii=False)
