"""One camera: a reader thread, an analysis loop and a publishing thread around ``CameraPipeline``.

``CameraRunner`` is plain and testable; ``CameraActor`` is the thin Ray shell that the supervisor starts, one per task.
"""

import dataclasses
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from actors.camera_config import CameraConfig, CameraServices
from actors.cells import CellSender
from actors.decoding import (
    QUEUE_FRAMES,
    DecodedFrame,
    ReconnectConfig,
    SourceOptions,
    StreamReader,
    crop_jpeg,
    mask_address,
)
from actors.errors import ArchiveError, SinkUnavailableError, SupersededError
from actors.evidence.clips import ClipKeeper
from actors.evidence.write_behind import WriteBehind
from actors.lease import Lease
from actors.logs import configure_logging
from actors.metrics import CameraMetrics
from actors.pipeline import AnalysedFrame, CameraPipeline
from actors.ports import CameraHealth, FactEnvelope, TaskSpec
from actors.recognition import ThreadedDesk
from actors.vital import end_process_with_any_thread, end_superseded_process
from actors.weather import WeatherWatch
from models.handles import DetectionFailedError, DetectorClient
from traffic.facts import TaskStatus, TaskStatusCode
from traffic.scene.crowd import CROWD_KIND
from traffic.scene.document import scene_to_document

if TYPE_CHECKING:
    from actors.viewing import CameraView

logger = logging.getLogger(__name__)
_RATE_WINDOW_S = 5.0
_PUBLISH_BATCH = 64
_OUTGOING_LIMIT = 10_000
_DETECTOR_RETRY_S = 1.0
_HOLD_S = 900.0  # pushers send an event whose clip they were not told of after this time
_RECALL_ATTEMPTS, _RECALL_RETRY_S = 10, 1.0
IN_FLIGHT = 2  # live: one frame in the detector while the next is decoded and scaled
SLOW_S = 0.25  # when a live frame takes longer the detector is overloaded: a second one would only wait behind it, and age
# Recordings go out in groups, one group in the detector while the next one gathers.
GROUP, RECORDING_IN_FLIGHT = 4, 8
_METRICS_PERIOD_S = 1.0


class CameraRunner:
    """Runs one task until stopped."""

    def __init__(
        self,
        spec: TaskSpec,
        services: CameraServices,
        config: CameraConfig,
        metrics: CameraMetrics | None = None,
        on_superseded: Callable[[str], None] | None = None,
    ) -> None:
        """``on_superseded``: called when the camera's facts are refused because it has been started elsewhere since."""
        self._on_superseded = on_superseded
        self._spec, self._services, self._config = spec, services, config
        self._wanted = spec  # differs from the spec in force until the analysis has taken a new scene over
        self._metrics = metrics
        self.lease = Lease(config.lease_s)
        self._stopping = threading.Event()
        self._told = threading.Event()  # the last fact, 未启动, is on its way
        self._outgoing: queue.Queue[FactEnvelope] = queue.Queue(_OUTGOING_LIMIT)
        self._status = TaskStatus(status=TaskStatusCode.NOT_STARTED, reason="", time_s=time.time())
        self._pipeline: CameraPipeline | None = None
        self._latest: AnalysedFrame | None = None
        self._viewed: tuple[tuple[int, int, bool], CameraView] | None = None  # the newest picture made for a console
        self._analysed_at: deque[float] = deque(maxlen=512)
        self._lost_analyses = 0
        self._fenced = False
        self._delay_s = 0.0  # live: age of the newest frame when its analysis was done
        self._measured_s = 0.0  # monotonic time of the last metrics
        self._sequence = 0
        self._pictures = WriteBehind(services.archive, self._on_picture_error) if services.archive else None
        self._cells = CellSender(spec.ref, services.cells, self._superseded) if services.cells else None
        reconnect = ReconnectConfig(disconnected_after_s=config.disconnected_after_s)
        self._reader = StreamReader(
            spec.ref.src_address, self._options(), reconnect, on_status=self._on_status, open_video=services.open_video
        )
        self._clips: ClipKeeper | None = None
        if services.archive:
            evidence = config.pipeline.evidence
            self._clips = ClipKeeper(services.archive, self._reader.request_clip, self._emit, evidence, _HOLD_S)
        self._threads = [
            threading.Thread(target=self._publish_loop, name="publish", daemon=True),
            threading.Thread(target=self._analyse_loop, name="analyse", daemon=True),
        ]

    def start(self) -> None:
        """Begin; returns at once."""
        logger.info("camera started task=%s source=%s", self._spec.ref.task_num, mask_address(self._spec.ref.src_address))
        for part in (*self._threads, self._pictures, self._clips):
            if part is not None:
                part.start()
        if self._cells:
            self._cells.start()
        self._reader.start()

    def stop(self) -> None:
        """End reading, hand over what is left, state 未启动."""
        self._stopping.set()
        self._reader.close()
        self._threads[1].join(self._config.flush_s)  # frames that a detector holds for longer are lost
        try:
            pipeline = None if self._threads[1].is_alive() else self._pipeline
            if pipeline:
                self._take(pipeline.end_events())
            if self._clips:
                self._clips.finish(self._config.flush_s)
            if self._cells:
                if pipeline:
                    self._cells.put(pipeline.last_cells())
                self._cells.stop(self._config.flush_s)
        finally:
            self._on_status(TaskStatusCode.NOT_STARTED, "", time.time())
            self._told.set()
        self._threads[0].join(self._config.flush_s)
        if self._pictures:
            self._pictures.close(self._config.flush_s)

    def health(self) -> CameraHealth:
        """How the camera is right now."""
        counters, latest = self._pipeline.counters if self._pipeline else None, self._latest
        info, read = self._reader.info, self._reader.counters
        pipeline, clips = self._pipeline, self._clips
        return CameraHealth(
            task_num=self._spec.ref.task_num,
            status=self._status.status,
            reason=self.lease.reason or self._status.reason or (pipeline.paused_reason if pipeline else ""),
            frames_decoded=read.decoded,
            frames_analysed=counters.frames_analysed if counters else 0,
            frames_still=counters.frames_still if counters else 0,
            frames_dropped=read.dropped + self._lost_analyses,
            fps_source=read.fps_source,
            fps_analysed=self._fps(),
            passages=counters.passages if counters else 0,
            last_frame_time_s=latest.frame.time_s if latest else None,
            width=latest.frame.width if latest else 0,
            height=latest.frame.height if latest else 0,
            codec=info.codec if info else "",
            lane_counts=tuple(sorted(counters.lane_counts.items())) if counters else (),
            revision=self.revision,
            events=pipeline.events_stated if pipeline else 0,
            events_open=len(pipeline.open_events) if pipeline else 0,
            clips_failed=clips.counters.failed if clips else 0,
            clip_error=clips.counters.last_error if clips else "",
            pictures_failed=(counters.pictures_failed if counters else 0) + (self._pictures.failed if self._pictures else 0),
            analysis_delay_s=self._delay_s,
            live=info is not None and info.live,
        )

    def snapshot(self, max_width: int = 1280) -> bytes | None:
        """The newest analysed picture as JPEG with what was found drawn over it; None before the first."""
        latest, pipeline = self._latest, self._pipeline
        if latest is None or pipeline is None:
            return None
        from actors.drawing import annotated_jpeg

        return annotated_jpeg(latest, pipeline, max_width)

    def apply(self, spec: TaskSpec) -> bool:
        """Take a changed task over without a restart; False when anything but its scene has changed, or nothing at all (somebody
        wants it to start again), and it must start anew.

        The stream goes on; the next frame is analysed with the new scene, and what the old one had open is stated first.
        """
        spec = dataclasses.replace(spec, ref=dataclasses.replace(spec.ref, life=self._spec.ref.life))
        before, after = (dataclasses.replace(item, scene=None, revision="") for item in (self._spec, spec))
        if before != after or self._reader.finished or _document(spec) == _document(self._spec):
            return False
        self._wanted = spec
        return True

    @property
    def revision(self) -> str:
        """Revision of the task that is wanted here."""
        return self._wanted.revision

    def view(self, max_width: int, drawn: bool, after: int = -1) -> "CameraView | None":
        """The newest analysed frame for a console; None before the first and while it is still number ``after``."""
        latest, pipeline = self._latest, self._pipeline
        if latest is None or pipeline is None:
            return None
        sequence = round(latest.frame.time_s * 1000)
        if sequence == after:
            return None
        wanted = (sequence, max_width, drawn)
        if self._viewed is not None and self._viewed[0] == wanted:
            return self._viewed[1]  # several who look at the same moment cost as much as one
        from actors.viewing import view_of

        view = view_of(latest, pipeline, sequence, max_width, drawn=drawn)
        self._viewed = (wanted, view)
        return view

    def _options(self) -> SourceOptions:
        return SourceOptions(
            rtsp_transport=self._spec.rtsp_transport,
            loop=self._spec.loop,
            start_time_s=self._spec.start_time_s,
            stall_timeout_s=self._config.stall_timeout_s,
            hardware=self._config.hardware,
            analysed_fps=self._spec.analysed_fps or self._config.default_analysed_fps,
            realtime=self._spec.ref.src_address.startswith("sim://"),
            packet_seconds=self._config.pipeline.evidence.packet_seconds if self._services.archive else 0.0,
            packet_bytes=self._config.pipeline.evidence.memory_bytes,
            packet_lag_frames=QUEUE_FRAMES + RECORDING_IN_FLIGHT + GROUP,
            outbound=self._config.outbound,
        )

    # -- analysis ---------------------------------------------------------------------------------------------------

    def _analyse_loop(self) -> None:
        pipeline = self._connect()
        if pipeline is None:
            return
        self._pipeline = pipeline
        try:
            self._analyse_frames(pipeline)
        finally:
            self._take((self._pipeline or pipeline).flush())  # what waits for looks goes out with what is known

    def _analyse_frames(self, pipeline: CameraPipeline) -> None:
        while not self._stopping.is_set():
            if self._wanted is not self._spec:
                pipeline = self._take_scene(pipeline)
            frame = self._next_frame()
            if frame is not None:
                pipeline.begin(frame)
            # Without a new frame the ones in flight are finished, so that a pause never holds results back.
            while pipeline.in_flight >= (self._depth(pipeline) if frame is not None else 1):
                self._finish_one(pipeline)
            if frame is None:
                self._take(pipeline.ready())
            if frame is None and self._reader.finished:
                self._take(pipeline.end())
                if self._cells:
                    self._cells.put(pipeline.last_cells(), ended=True)
                return

    def _next_frame(self) -> DecodedFrame | None:
        """The next frame to analyse; None when there is none within a quarter of a second, or none may be analysed."""
        if not self.lease.over:
            self._fenced = False
            return self._reader.latest(0.25)
        if not self._fenced:
            self._fenced = True
            logger.error("analysis stands still task=%s reason=%s", self._spec.ref.task_num, self.lease.reason)
        self._stopping.wait(0.25)
        return None

    def _depth(self, pipeline: CameraPipeline) -> int:
        """Frames in flight from which the oldest is waited for."""
        info = self._reader.info
        if info is not None and not info.live:
            pipeline.gather(GROUP)
            return RECORDING_IN_FLIGHT
        return 1 if self._delay_s > SLOW_S else IN_FLIGHT

    def _connect(self) -> CameraPipeline | None:
        while not self._stopping.is_set():
            try:
                detector = self._services.connect_detector()
            except DetectionFailedError as error:
                logger.warning("detector not ready task=%s error=%s", self._spec.ref.task_num, error)
                self._stopping.wait(_DETECTOR_RETRY_S)
                continue
            pipeline = self._make_pipeline(detector)
            self._recall_crowds(pipeline)
            return pipeline
        return None

    def _make_pipeline(self, detector: DetectorClient) -> CameraPipeline:
        config, services = self._config.pipeline, self._services.recognition
        desk = ThreadedDesk(services, config.recognition) if services else None
        connect = self._services.connect_weather
        weather = WeatherWatch(connect, threaded=True) if connect else None
        return CameraPipeline(self._spec, detector, self._pictures, config, self._on_picture_error, desk=desk, weather=weather)

    def _take_scene(self, pipeline: CameraPipeline) -> CameraPipeline:
        """Finish with the old scene, then a pipeline with the new one."""
        while pipeline.in_flight:
            self._finish_one(pipeline)
        self._take((*pipeline.end(), *pipeline.flush()))
        if self._cells:
            self._cells.put(pipeline.last_cells())
        self._spec = self._wanted
        fresh = self._make_pipeline(pipeline.detector)
        fresh.restore_crowds(pipeline.crowds())
        fresh.counters = pipeline.counters
        kept = {lane.road_num for lane in fresh.lanes} if pipeline.has_scene_lanes else set()
        counts = fresh.counters.lane_counts
        fresh.counters.lane_counts = {number: count for number, count in counts.items() if number in kept}
        self._pipeline = fresh
        logger.info("scene changed task=%s revision=%s", self._spec.ref.task_num, self._spec.revision)
        return fresh

    def _recall_crowds(self, pipeline: CameraPipeline) -> None:
        """Gatherings this camera's former life has stated. An aggregator that is away for long must not keep it from looking."""
        regions = self._spec.scene.regions if self._spec.scene else ()
        if self._services.cells is None or not any(region.kind == CROWD_KIND for region in regions):
            return
        for _ in range(_RECALL_ATTEMPTS):
            try:
                pipeline.restore_crowds(self._services.cells.crowds(self._spec.ref))
                return
            except SinkUnavailableError as error:
                logger.warning("gatherings not known yet task=%s error=%s", self._spec.ref.task_num, error)
            if self._stopping.wait(_RECALL_RETRY_S):
                return

    def _finish_one(self, pipeline: CameraPipeline) -> None:
        try:
            result = pipeline.finish()
        except DetectionFailedError as error:
            self._lost_analyses += 1
            logger.warning("frame lost task=%s error=%s", self._spec.ref.task_num, error)
            self._stopping.wait(0.2)
            return
        self._latest = result
        now_s = time.monotonic()
        self._analysed_at.append(now_s)
        if self._reader.info is not None and self._reader.info.live:
            self._delay_s = max(0.0, time.time() - result.frame.time_s)
        if self._cells:
            self._cells.put(result.cells)  # before the facts: the state of a gathering goes ahead of its alarm
        self._take(result.envelopes)
        if self._metrics and now_s - self._measured_s >= _METRICS_PERIOD_S:
            self._measured_s = now_s
            self._metrics.observe(self.health())
            self._metrics.observe_recognition(pipeline.recognition_counters)

    def _fps(self) -> float:
        now = time.monotonic()
        return sum(1 for at in self._analysed_at.copy() if now - at <= _RATE_WINDOW_S) / _RATE_WINDOW_S

    def _on_picture_error(self, error: ArchiveError) -> None:
        logger.error("picture not kept task=%s error=%s", self._spec.ref.task_num, error)

    # -- facts out --------------------------------------------------------------------------------------------------

    def _on_status(self, status: TaskStatusCode, reason: str, time_s: float) -> None:
        if (status, reason) == (self._status.status, self._status.reason):
            return
        changed = status is not self._status.status or self._sequence == 0
        self._status = TaskStatus(status=status, reason=reason, time_s=time_s, first=self._sequence == 0)
        if self._metrics:
            self._metrics.told(int(status))
        logger.info("status task=%s status=%s reason=%s", self._spec.ref.task_num, status.name, reason)
        if changed:
            self._sequence += 1
            fact_id = f"{self._spec.ref.task_num}:status:{time_s:.6f}:{self._sequence}"
            self._emit([FactEnvelope(fact_id=fact_id, task=self._spec.ref, fact=self._status)])

    def _take(self, envelopes: Sequence[FactEnvelope]) -> None:
        if self._clips:
            self._clips.take(envelopes)
        else:
            self._emit(envelopes)

    def _emit(self, envelopes: Sequence[FactEnvelope]) -> None:
        for envelope in envelopes:
            self._outgoing.put(envelope)  # blocks when the pushers are down for long: back-pressure, nothing is lost

    def _superseded(self, name: str) -> None:
        """This camera runs elsewhere now; what this one has to say is no longer wanted."""
        logger.error("camera superseded, stands still task=%s", self._spec.ref.task_num)
        self._stopping.set()
        if self._on_superseded:
            self._on_superseded(name)

    def _publish_loop(self) -> None:
        wait_s = 0.1
        pending: list[FactEnvelope] = []
        while pending or not (self._told.is_set() and self._outgoing.empty() and not self._threads[1].is_alive()):
            try:
                pending.append(self._outgoing.get(timeout=0.25))
                while len(pending) < _PUBLISH_BATCH:
                    pending.append(self._outgoing.get_nowait())
            except queue.Empty:
                pass
            if not pending:
                continue
            if self._pictures:
                pending = self._pictures.settled(pending)
            try:
                self._services.sink.publish(pending)
                pending, wait_s = [], 0.1
            except SupersededError as error:
                self._superseded(error.name)
                return
            except SinkUnavailableError as error:
                logger.warning("facts waiting task=%s count=%d error=%s", self._spec.ref.task_num, len(pending), error)
                time.sleep(wait_s)
                wait_s = min(wait_s * 2, 5.0)


class CameraActor:
    """Ray shell of a CameraRunner (made an actor by the supervisor with ``ray.remote``)."""

    def __init__(self, spec: TaskSpec, services: CameraServices, config: CameraConfig, log_level: str = "INFO") -> None:
        import ray

        configure_logging(log_level)
        end_process_with_any_thread()
        self._spec, self._node = spec, str(ray.get_runtime_context().get_node_id())
        self._runner = CameraRunner(spec, services, config, CameraMetrics(spec.ref.task_num), end_superseded_process)
        self._runner.start()

    def revision(self) -> str:
        """Revision of the task that runs here."""
        return self._runner.revision

    def apply(self, spec: TaskSpec) -> bool:
        """See CameraRunner.apply."""
        return self._runner.apply(spec)

    def process_id(self) -> int:
        """Process that runs this camera."""
        return os.getpid()

    def health(self) -> CameraHealth:
        """See CameraRunner.health. Only the supervisor asks; its questions are what keeps the camera's lease."""
        self._runner.lease.renew()
        return dataclasses.replace(self._runner.health(), node=self._node)

    def snapshot(self) -> bytes | None:
        """See CameraRunner.snapshot."""
        return self._runner.snapshot()

    def view(self, max_width: int, drawn: bool, after: int = -1) -> "CameraView | None":
        """See CameraRunner.view."""
        return self._runner.view(max_width, drawn, after)

    def stop(self) -> None:
        """See CameraRunner.stop."""
        self._runner.stop()

    def __repr__(self) -> str:
        spec = getattr(self, "_spec", None)  # Ray asks for it even when the arguments could not be read
        return f"Camera({spec.ref.task_num})" if spec else "Camera"


def _document(spec: TaskSpec) -> dict[str, object]:
    return scene_to_document(spec.scene) if spec.scene else {}


def frame_jpeg(frame: DecodedFrame, quality: int) -> bytes:
    """The whole frame as JPEG."""
    return crop_jpeg(frame, None, quality=quality)
