"""Cameras whose analysis was done once and is told again, for the parts behind a thousand cameras on a machine of two cores.

The film goes through the product's ``CameraPipeline`` once; its facts and cells are kept by their second. A ``RecordedCamera``
is the product's ``CameraActor`` whose pipeline answers each picture with what is due, moved to now and to its own task.
Reading, queues, cells, pictures of vehicles (of the grey picture), publishing and health are the product's.
"""

import dataclasses
import pickle
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from actors.camera import CameraActor, CameraConfig, CameraRunner, CameraServices
from actors.decoding import DecodedFrame
from actors.logs import configure_logging
from actors.metrics import CameraMetrics
from actors.pipeline import AnalysedFrame, CameraPipeline, PipelineConfig
from actors.ports import TaskRef, TaskSpec
from benchmarks.replay import HEIGHT, WIDTH, ReplayDetector, load, numbered
from models.handles import DetectorClient
from traffic.aggregation import CellBatch
from traffic.facts import VehiclePassage
from traffic.parameters.cell import LaneCell
from traffic.people.cell import PeopleCell
from traffic.scene.document import parse_scene
from traffic.types import Detections

_START_S = 1_700_000_000
_RATE = 2.0  # pictures/s of the one analysis: every vehicle but a few is counted at it


@dataclass(frozen=True, kw_only=True)
class Second:
    """What one second of the film gave: passages, cells of lanes and people."""

    passages: tuple[VehiclePassage, ...]
    lanes: tuple[LaneCell, ...]
    people: tuple[PeopleCell, ...]


def kept(film: Path) -> Path:
    """Where the results of a film are."""
    return film.with_suffix(".results")


@lru_cache(maxsize=1)
def results(film: Path) -> tuple[Second, ...]:
    """The results of a film, by second; ``keep`` has made them. One copy per process."""
    found: tuple[Second, ...] = pickle.loads(kept(film).read_bytes())
    return found


def keep(path: Path) -> None:
    """Send the film once through the real pipeline and keep what it gives."""
    film = load(path)
    task = TaskRef(task_id=1, task_num="recorded", task_name="", src_address="", time_zone="Asia/Shanghai")
    spec = TaskSpec(
        ref=task, scene=parse_scene(film.scene), analysed_fps=0.0, rtsp_transport="tcp", loop=False, start_time_s=None,
        enabled=True, revision="",
    )  # fmt: skip
    pipeline = CameraPipeline(spec, ReplayDetector(path), None, PipelineConfig())
    length = int(film.frames / film.fps)
    found = [Second(passages=(), lanes=(), people=()) for _ in range(length)]
    for number in range(0, film.frames, round(film.fps / _RATE)):
        pts_s = number / film.fps
        pipeline.begin(_frame(number, pts_s))
        made = pipeline.finish()
        here = found[min(int(pts_s), length - 1)]
        cells = made.cells
        found[min(int(pts_s), length - 1)] = Second(
            passages=here.passages + tuple(e.fact for e in made.envelopes if isinstance(e.fact, VehiclePassage)),
            lanes=here.lanes + (cells.lanes if cells else ()),
            people=here.people + (cells.people if cells else ()),
        )
    kept(path).write_bytes(pickle.dumps(tuple(found)))


def _frame(number: int, pts_s: float) -> DecodedFrame:
    return DecodedFrame(
        index=number, pts_s=pts_s, time_s=_START_S + pts_s, frame=numbered(number), width=WIDTH, height=HEIGHT, key_frame=True,
        rotation=0,
    )  # fmt: skip


class RecordedPipeline(CameraPipeline):
    """Says of each picture what the film's seconds since the last one gave."""

    def __init__(self, path: Path, spec: TaskSpec, *arguments: object, **named: object) -> None:
        super().__init__(spec, *arguments, **named)  # type: ignore[arg-type]
        self._seconds = results(path)
        self._place = zlib.crc32(spec.ref.task_num.encode()) % len(self._seconds)
        self._told_s: int | None = None
        self._sequence = 0
        self._life = f"{spec.ref.task_num}-{id(self)}"
        self._vehicles = 0

    def _analyse(self, frame: DecodedFrame, detections: Detections) -> AnalysedFrame:
        now_s = int(frame.time_s)
        told_s = now_s - 1 if self._told_s is None else self._told_s
        passages: list[VehiclePassage] = []
        lanes: list[LaneCell] = []
        people: list[PeopleCell] = []
        for second in range(told_s + 1, now_s + 1):
            self._place = (self._place + 1) % len(self._seconds)
            there = self._seconds[self._place]
            later = second - (_START_S + self._place)
            passages += [self._moved(item, later) for item in there.passages]
            lanes += [_lane(cell, second - 1) for cell in there.lanes]
            people += [dataclasses.replace(cell, second=second - 1) for cell in there.people]
        self._told_s = max(told_s, now_s)
        self.counters.frames_analysed += 1
        self._last_frame = frame
        batch = None
        if lanes or people:
            self._sequence += 1
            batch = CellBatch(
                source=self._life, sequence=self._sequence, watermark=now_s, lanes=tuple(lanes), people=tuple(people)
            )
        return AnalysedFrame(frame=frame, tracks=(), envelopes=self._wrap(tuple(passages), frame), cells=batch)

    def last_cells(self) -> None:
        """Nothing is open."""

    def _moved(self, passage: VehiclePassage, later_s: int) -> VehiclePassage:
        self._vehicles += 1
        return dataclasses.replace(passage, time_s=passage.time_s + later_s, track_id=self._vehicles)  # type: ignore[arg-type]


def _lane(cell: LaneCell, second: int) -> LaneCell:
    """The cell, moved to ``second``."""
    moved_us = (second - cell.second) * 1_000_000
    queue = dataclasses.replace(cell.queue, time_us=cell.queue.time_us + moved_us) if cell.queue else cell.queue
    return dataclasses.replace(
        cell, second=second, last_us=cell.last_us + moved_us if cell.last_us else cell.last_us, queue=queue
    )


class _RecordedRunner(CameraRunner):
    film: Path

    def _make_pipeline(self, detector: DetectorClient) -> CameraPipeline:
        return RecordedPipeline(self.film, self._spec, detector, self._pictures, self._config.pipeline, self._on_picture_error)


class RecordedCamera(CameraActor):
    """``CameraActor`` around a ``RecordedPipeline``."""

    def __init__(self, spec: TaskSpec, services: CameraServices, config: CameraConfig, log_level: str = "INFO") -> None:
        configure_logging(log_level)
        self._spec = spec
        self._runner = _RecordedRunner(spec, services, config, CameraMetrics(spec.ref.task_num))
        self._runner.film = services.connect_detector.args[0]  # type: ignore[attr-defined]
        self._runner.start()
