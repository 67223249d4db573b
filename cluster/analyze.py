"""``wayside analyze``: a recorded file through the same pipeline and models, whole and as fast as the machine can."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from actors.aggregator import fact_id, local_day
from actors.decoding import SourceInfo, SourceOptions, open_source
from actors.pipeline import AnalysedFrame, CameraPipeline, PipelineConfig
from actors.ports import Archive, FactEnvelope, TaskRef, TaskSpec
from actors.recognition import InlineDesk, RecognitionConfig, RecognitionServices
from actors.weather import WeatherWatch
from api.wire.encode import DEFAULT_DATA_SOURCE, snapshot_body
from api.wire.parameters import crowd_body, parameter_item, people_body
from models.handles import DetectorClient, WeatherClient
from traffic.aggregation import CellBatch, Parameters, TaskAggregator
from traffic.facts import CrowdAlarm, LaneParameters, PeopleParameters, VehiclePassage
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
    """What to analyse and how. ``analysed_fps`` 0: every frame. ``archive`` None: no pictures are kept. ``period_s`` 1..120:
    bodies of traffic parameters and people of every period are written too; 0: none. ``recognition`` None: vehicles are not
    recognised."""

    video: str
    scene: Scene | None
    time_zone: str
    start_time_s: float | None = None
    analysed_fps: float = 0.0
    archive: Archive | None = None
    max_frames: int = 0
    period_s: int = 0
    recognition: RecognitionServices | None = None
    connect_weather: Callable[[], WeatherClient] | None = None
    recognition_config: RecognitionConfig = field(default_factory=RecognitionConfig)


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
        PeriodError: the period is not 0..120.
    """
    start_s = options.start_time_s if options.start_time_s is not None else default_start_s(options.video)
    name = Path(options.video.split("?")[0]).stem or "video"
    task = TaskRef(task_id=1, task_num="1", task_name=name, src_address=options.video, time_zone=options.time_zone)
    spec = TaskSpec(
        ref=task, scene=options.scene, analysed_fps=options.analysed_fps, rtsp_transport="tcp", loop=False,
        start_time_s=start_s, enabled=True, revision="1",
    )  # fmt: skip
    desk = InlineDesk(options.recognition, options.recognition_config) if options.recognition else None
    config = PipelineConfig(recognition=options.recognition_config)
    weather = WeatherWatch(options.connect_weather, threaded=False) if options.connect_weather else None
    pipeline = CameraPipeline(spec, detector, options.archive, config, desk=desk, weather=weather)
    periods = _Periods(task, options.period_s)
    summary = Summary()
    source_options = SourceOptions(start_time_s=start_s, analysed_fps=options.analysed_fps)
    with open_source(options.video, source_options) as source:
        for frame in source:
            pipeline.begin(frame)
            result = pipeline.finish()
            summary.frames += 1
            if on_frame:
                on_frame(result, pipeline)
            for line in (*_lines(result.envelopes, summary), *periods.lines(result.cells)):
                write(line)
            if progress:
                progress(frame.index + 1, source.info)
            if options.max_frames and summary.frames >= options.max_frames:
                break
    for line in (*_lines(pipeline.end(), summary), *periods.end(pipeline.last_cells())):
        write(line)
    return summary


def _lines(envelopes: tuple[FactEnvelope, ...], summary: Summary) -> Iterator[str]:
    for envelope in envelopes:
        if isinstance(envelope.fact, VehiclePassage):
            summary.add(envelope.fact)
            body = snapshot_body(envelope, envelope.fact, DEFAULT_DATA_SOURCE)
            yield _line("vehicle-snapshot", body)
        elif isinstance(envelope.fact, CrowdAlarm):
            yield _line("crowd-alarm", crowd_body(envelope, envelope.fact))


def _line(kind: str, body: object) -> str:
    return json.dumps({"kind": kind, "body": body}, ensure_ascii=False)


class _Periods:
    """Cells of the recording to the bodies of its periods."""

    def __init__(self, task: TaskRef, period_s: int) -> None:
        self._task = task
        self._aggregator = TaskAggregator((period_s,), local_day(task.time_zone)) if period_s else None

    def lines(self, cells: CellBatch | None) -> Iterator[str]:
        """Of the periods that ``cells`` close."""
        if self._aggregator is not None and cells is not None:
            yield from self._bodies(self._aggregator.accept(cells))

    def end(self, cells: CellBatch | None) -> Iterator[str]:
        """Of the last period, which may be cut short."""
        yield from self.lines(cells)
        if self._aggregator is not None:
            yield from self._bodies(self._aggregator.finish())

    def _bodies(self, found: tuple[Parameters, ...]) -> Iterator[str]:
        lanes: dict[int, list[object]] = {}
        for parameters in found:
            if isinstance(parameters, LaneParameters):
                envelope = FactEnvelope(fact_id=fact_id(self._task, parameters), task=self._task, fact=parameters)
                lanes.setdefault(parameters.close_s, []).append(parameter_item(envelope, parameters))
        for _, items in sorted(lanes.items()):
            yield _line("traffic-parameters", items)
        for parameters in found:
            if isinstance(parameters, PeopleParameters):
                envelope = FactEnvelope(fact_id=fact_id(self._task, parameters), task=self._task, fact=parameters)
                yield _line("people", people_body(envelope, parameters))
