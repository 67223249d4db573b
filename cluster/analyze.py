"""``wayside analyze``: a recorded file through the same pipeline and models, whole and as fast as the machine can."""

import json
import queue
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from actors.aggregator import fact_id, local_day
from actors.decoding import SourceInfo, SourceOptions, VideoSource, open_source
from actors.errors import SourceError
from actors.evidence.clips import ClipKeeper
from actors.evidence.config import EvidenceConfig
from actors.pipeline import AnalysedFrame, CameraPipeline, PipelineConfig
from actors.ports import Archive, FactEnvelope, TaskRef, TaskSpec
from actors.recognition import InlineDesk, RecognitionConfig, RecognitionServices
from actors.weather import WeatherWatch
from api.wire.encode import DEFAULT_DATA_SOURCE, snapshot_body
from api.wire.events import stated_body
from api.wire.parameters import crowd_body, parameter_item, people_body
from models.handles import DetectorClient, WeatherClient
from traffic.aggregation import CellBatch, Parameters, TaskAggregator
from traffic.facts import CrowdAlarm, EventKind, EventPhase, LaneParameters, PeopleParameters, TrafficEvent, VehiclePassage
from traffic.scene import Scene

_PATIENCE_S = 600.0
OnFrame = Callable[[AnalysedFrame, CameraPipeline], None]


@dataclass(slots=True)
class SeenEvent:
    """One event of the recording; times are seconds from its beginning, ``closed_s`` None while it was open at the end."""

    kind: EventKind
    raised_s: float
    closed_s: float | None
    road_num: int
    region_code: int
    confidence: float
    detail: str
    picture: str
    clip: str


@dataclass(slots=True)
class Summary:
    """Totals of one analysis: vehicles by (lane, class), speeds by lane in km/h, frames, events by id."""

    frames: int = 0
    counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    speeds: dict[int, list[float]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    events: dict[str, SeenEvent] = field(default_factory=dict)

    def add(self, passage: VehiclePassage) -> None:
        """Count one passage."""
        self.counts[passage.road_num, passage.object_class.name.lower()] += 1
        self.names[passage.road_num] = passage.road_name
        if passage.speed_kmh is not None:
            self.speeds.setdefault(passage.road_num, []).append(passage.speed_kmh)


@dataclass(frozen=True, kw_only=True)
class AnalyzeOptions:
    """What to analyse and how. ``analysed_fps`` 0: every frame. ``archive`` None: no pictures and clips are kept. ``period_s``
    1..120: bodies of traffic parameters and people of every period are written too; 0: none. ``recognition`` None: vehicles are
    not recognised."""

    video: str
    scene: Scene | None
    time_zone: str
    start_time_s: float | None = None
    analysed_fps: float = 0.0
    archive: Archive | None = None
    max_frames: int = 0
    period_s: int = 0
    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)
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
    config = PipelineConfig(recognition=options.recognition_config, evidence=options.evidence)
    weather = WeatherWatch(options.connect_weather, threaded=False) if options.connect_weather else None
    pipeline = CameraPipeline(spec, detector, options.archive, config, desk=desk, weather=weather)
    periods = _Periods(task, options.period_s)
    summary = Summary()
    evidence = options.evidence if options.archive else EvidenceConfig(clips=False)
    source_options = SourceOptions(
        start_time_s=start_s,
        analysed_fps=options.analysed_fps,
        packet_seconds=evidence.packet_seconds,
        packet_bytes=evidence.memory_bytes,
        packet_lag_frames=16,
    )
    with open_source(options.video, source_options) as source:
        if options.video.startswith("sim://") and source.info.total_frames is None and not options.max_frames:
            raise SourceError(
                "模拟相机没有结尾, 请给出 duration_s (this simulated camera never ends; add duration_s, as in sim://approach?duration_s=60)",
                permanent=True,
            )
        facts = _Facts(options.archive, source, evidence, summary)
        for frame in source:
            pipeline.begin(frame)
            result = pipeline.finish()
            summary.frames += 1
            if on_frame:
                on_frame(result, pipeline)
            facts.take(result.envelopes)
            for line in (*facts.lines(), *periods.lines(result.cells)):
                write(line)
            if progress:
                progress(frame.index + 1, source.info)
            if options.max_frames and summary.frames >= options.max_frames:
                break
        facts.take(pipeline.end())
    for line in (*facts.end(), *periods.end(pipeline.last_cells())):
        write(line)
    return summary


class _Facts:
    """Facts to lines, those of events when their clip is there."""

    def __init__(self, archive: Archive | None, source: VideoSource, evidence: EvidenceConfig, summary: Summary) -> None:
        self._summary, self._start_s = summary, source.info.start_time_s or 0.0
        self._done: queue.SimpleQueue[FactEnvelope] = queue.SimpleQueue()
        self._clips: ClipKeeper | None = None
        if archive is not None and source.packets is not None:
            self._clips = ClipKeeper(archive, source.packets.request, self._put, evidence)
            self._clips.start()

    def take(self, envelopes: Sequence[FactEnvelope]) -> None:
        if self._clips:
            self._clips.take(envelopes)
        else:
            self._put(envelopes)

    def lines(self) -> Iterator[str]:
        """Of what is ready."""
        while not self._done.empty():
            yield from self._lines(self._done.get())

    def end(self) -> Iterator[str]:
        """Of all that is left; the source has been closed."""
        if self._clips:
            self._clips.finish(_PATIENCE_S)
        yield from self.lines()

    def _put(self, envelopes: Sequence[FactEnvelope]) -> None:
        for envelope in envelopes:
            self._done.put(envelope)

    def _lines(self, envelope: FactEnvelope) -> Iterator[str]:
        fact = envelope.fact
        if isinstance(fact, VehiclePassage):
            self._summary.add(fact)
            yield _line("vehicle-snapshot", snapshot_body(envelope, fact, DEFAULT_DATA_SOURCE))
        elif isinstance(fact, CrowdAlarm):
            self._summary.events[envelope.fact_id] = self._seen(envelope, fact, EventKind.CROWD, 0, 1.0)
            yield _line("crowd-alarm", crowd_body(envelope, fact))
        elif isinstance(fact, TrafficEvent):
            seen = self._summary.events.get(fact.event_id)
            if fact.phase is not EventPhase.CLOSED:
                self._summary.events[fact.event_id] = self._seen(envelope, fact, fact.kind, fact.road_num, fact.confidence)
            elif seen is not None:
                seen.closed_s = fact.time_s - self._start_s
        if (body := stated_body(envelope)) is not None:
            yield _line("event", body)

    def _seen(
        self, envelope: FactEnvelope, fact: TrafficEvent | CrowdAlarm, kind: EventKind, road_num: int, confidence: float
    ) -> SeenEvent:
        closed_s = fact.time_s - self._start_s if isinstance(fact, CrowdAlarm) else None
        detail = fact.detail if isinstance(fact, TrafficEvent) else f"{fact.people_num} 人"
        return SeenEvent(
            kind, fact.time_s - self._start_s, closed_s, road_num, fact.region_code, confidence, detail,
            envelope.large_picture, envelope.clip,
        )  # fmt: skip


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
