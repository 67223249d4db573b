"""Cameras whose analysis was done once and is told again, for the parts behind a thousand cameras on two cores.

The film goes through the product's ``CameraPipeline`` once; its passages and cells are kept by their second. A ``ToldCamera``
hands what is due each second, moved to now and to its own task, to the product's sinks, with the calls a camera makes: one a
second with cells, one whenever there are passages. It answers the supervisor like a camera. It is a load and no camera: no
reading, no pictures, and a few threads per process instead of eight per camera.
"""

import dataclasses
import heapq
import pickle
import threading
import time
import uuid
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from actors.camera import CameraActor
from actors.camera_config import CameraConfig, CameraServices
from actors.decoding import DecodedFrame
from actors.errors import SinkUnavailableError
from actors.pipeline import CameraPipeline, PipelineConfig
from actors.ports import CameraHealth, FactEnvelope, TaskRef, TaskSpec
from benchmarks.replay import HEIGHT, WIDTH, ReplayDetector, load, numbered
from traffic.aggregation import CellBatch
from traffic.facts import Fact, TaskStatus, TaskStatusCode, VehiclePassage
from traffic.parameters.cell import LaneCell
from traffic.people.cell import PeopleCell
from traffic.scene.document import parse_scene
from traffic.types import TrackId

_THREADS = 16
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


class Teller:
    """The threads of one process that tell for its cameras, each second of each."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, ToldCamera]] = []
        self._changed = threading.Condition()
        for number in range(_THREADS):
            threading.Thread(target=self._run, name=f"teller {number}", daemon=True).start()

    def put(self, at_s: float, camera: "ToldCamera") -> None:
        """Tell for ``camera`` at that time, seconds since the epoch."""
        with self._changed:
            heapq.heappush(self._due, (at_s, id(camera), camera))
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > time.time():
                    self._changed.wait(max(0.001, self._due[0][0] - time.time()) if self._due else None)
                at_s, _, camera = heapq.heappop(self._due)
            if camera.tell(at_s):
                self.put(max(at_s + 1.0, time.time()), camera)


@lru_cache(maxsize=1)
def teller() -> Teller:
    """The one of this process."""
    return Teller()


class ToldCamera(CameraActor):
    """A load like that of a camera, with a camera's methods."""

    def __init__(self, spec: TaskSpec, services: CameraServices, config: CameraConfig, log_level: str = "INFO") -> None:
        self._spec, self._services = spec, services
        film = services.connect_detector.args[0]  # type: ignore[attr-defined]
        self._seconds = results(film)
        key = zlib.crc32(spec.ref.task_num.encode())
        self._place, self._source = key % len(self._seconds), f"{spec.ref.task_num}-{time.time()}"
        self._told_s: int | None = None
        self._sequence = self._vehicles = self._analysed = self._failed = 0
        self._life, self._taken, self._late_s = "", 0, 0.0
        self._kept: list[CellBatch] = []
        self._unsent: list[FactEnvelope] = []
        self._stopped = False
        self._unsent.append(self._wrapped(TaskStatus(status=TaskStatusCode.ANALYSING, reason="", time_s=time.time(), first=True)))
        teller().put(time.time() + key % 1000 / 1000, self)

    def tell(self, at_s: float) -> bool:
        """Tell what has come since the last time; whether there will be more."""
        if self._stopped:
            return False
        now_s = int(time.time())
        self._collect(now_s)
        try:
            if self._unsent:
                self._services.sink.publish(self._unsent)
                self._unsent = []
            self._send_cells()
        except SinkUnavailableError:
            self._failed += 1
        self._late_s = max(0.0, time.time() - at_s)
        return True

    def _collect(self, now_s: int) -> None:
        for second in range(now_s if self._told_s is None else self._told_s + 1, now_s + 1):
            self._place = (self._place + 1) % len(self._seconds)
            there, later_s = self._seconds[self._place], second - (_START_S + self._place)
            for passage in there.passages:
                self._vehicles += 1
                moved = dataclasses.replace(passage, time_s=passage.time_s + later_s, track_id=TrackId(self._vehicles))
                self._unsent.append(self._wrapped(moved))
            self._sequence += 1
            self._kept.append(
                CellBatch(
                    source=self._source,
                    sequence=self._sequence,
                    watermark=second,
                    lanes=tuple(_lane(cell, second - 1) for cell in there.lanes),
                    people=tuple(dataclasses.replace(cell, second=second - 1) for cell in there.people),
                )
            )
        self._told_s, self._analysed = now_s, self._analysed + 1

    def _send_cells(self) -> None:
        """As ``CellSender`` does: new ones once, all that are not durable after a fault."""
        assert self._services.cells is not None
        batches = self._kept if not self._life else [item for item in self._kept if item.sequence > self._taken]
        if not batches:
            return
        life, self._life = self._life, ""
        receipt = self._services.cells.send(self._spec.ref, batches, ended=False, life=life)
        if receipt.refused:
            return
        self._life, self._taken = receipt.life, self._sequence
        durable = receipt.durable.get(self._source, 0)
        self._kept = [item for item in self._kept if item.sequence > durable]

    def _wrapped(self, fact: Fact) -> FactEnvelope:
        return FactEnvelope(fact_id=str(uuid.uuid4()), task=self._spec.ref, fact=fact)

    def health(self) -> CameraHealth:
        """Like a camera's; the delay is how late the newest telling ended."""
        return CameraHealth(
            task_num=self._spec.ref.task_num, status=TaskStatusCode.ANALYSING, reason="", frames_decoded=self._analysed,
            frames_analysed=self._analysed, frames_dropped=self._failed, fps_source=1.0, fps_analysed=1.0,
            passages=self._vehicles, last_frame_time_s=self._told_s, width=WIDTH, height=HEIGHT, codec="",
            revision=self._spec.revision, analysis_delay_s=self._late_s,
        )  # fmt: skip

    def revision(self) -> str:
        """Of the task."""
        return self._spec.revision

    def apply(self, spec: TaskSpec) -> bool:
        """Never without a restart."""
        return False

    def stop(self) -> None:
        """Tell no more."""
        self._stopped = True


def _lane(cell: LaneCell, second: int) -> LaneCell:
    """The cell, moved to ``second``."""
    moved_us = (second - cell.second) * 1_000_000
    queue = dataclasses.replace(cell.queue, time_us=cell.queue.time_us + moved_us) if cell.queue else None
    last_us = cell.last_us + moved_us if cell.last_us >= 0 else cell.last_us
    return dataclasses.replace(cell, second=second, last_us=last_us, queue=queue)
