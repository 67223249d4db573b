"""The analysis of one camera as plain code: frame → detections → tracks → facts. No Ray, no threads, no clock.

``CameraPipeline.begin`` starts the detection of a frame, ``finish`` completes the oldest one begun; keeping two frames in
flight overlaps decoding with detection. Frames are finished in the order they were begun, so the result does not depend
on how many are in flight.
"""

import math
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from actors.archive import picture_path
from actors.decoding import DecodedFrame, LetterboxTransform, crop_jpeg, letterbox
from actors.errors import ArchiveError
from actors.evidence.config import EvidenceConfig
from actors.evidence.events import EventStage
from actors.ports import FactEnvelope, PictureSink, TaskRef, TaskSpec
from actors.recognition import RecognitionConfig, RecognitionCounters, RecognitionDesk, Recognizer
from actors.vision import PixelWatcher, VisionConfig
from actors.vision.stillness import Stillness
from actors.weather import WeatherWatch
from models.handles import DetectorClient, PendingDetections, VehicleContext
from traffic.aggregation import CellBatch
from traffic.events.analyzer import EventAnalyzer
from traffic.events.faint import FaintPeople
from traffic.facts import EventPhase, Heading, TrafficEvent, VehicleLooks, VehiclePassage
from traffic.parameters.queue_shape import QueueOutline
from traffic.parameters.queueing import Queue
from traffic.passages import PassageAnalyzer
from traffic.people.crowd import CrowdState
from traffic.sampling import SceneSampler
from traffic.scene import Lane, Scene
from traffic.tracking import Tracker
from traffic.types import Box, Detections, ObjectClass, Track, TrackId, TrackState
from traffic.vehicle_types import coarse_type

SNAPSHOT_KIND, PLATE_KIND = "vehicle_snapshot", "plate"
_FACT_NAMESPACE = uuid.UUID("5a5b1c7e-9d0f-4c34-9e5c-2a8a1f0c6d11")


@dataclass(frozen=True, kw_only=True, slots=True)
class PipelineConfig:
    """Settings of one pipeline.

    Attributes:
        jpeg_quality: 10..100, of pictures in the archive.
        crop_margin: share of the box added on each side of a vehicle's crop.
        detector_timeout_s: patience with one detection.
        evidence: pictures and clips of events.
        vision: what is looked for in the pixels.
        recognition: of plates and looks.
        still_s: a picture that looks like the last detected one gets its detections, for so many seconds of video at most (see
            ``actors.vision.stillness``); 0: every picture is detected.
    """

    jpeg_quality: int = 85
    crop_margin: float = 0.08
    detector_timeout_s: float = 30.0
    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)
    vision: VisionConfig = field(default_factory=VisionConfig)
    recognition: RecognitionConfig = field(default_factory=RecognitionConfig)
    still_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class AnalysedFrame:
    """What the pipeline knows after one frame; the base of overlays and counters. ``cells``: of the seconds closed with it.
    ``queues``: those of this frame, by roadNum."""

    frame: DecodedFrame
    tracks: tuple[Track, ...]
    envelopes: tuple[FactEnvelope, ...]
    cells: CellBatch | None = None
    queues: Mapping[int, Queue] = field(default_factory=dict)


@dataclass(slots=True)
class _InFlight:
    frame: DecodedFrame
    transform: LetterboxTransform
    pending: PendingDetections


@dataclass(slots=True)
class PipelineCounters:
    """Counters since the pipeline was made. ``frames_still``: of those analysed, frames that needed no detection of their own."""

    frames_analysed: int = 0
    frames_still: int = 0
    passages: int = 0
    pictures_failed: int = 0
    lane_counts: dict[int, int] = field(default_factory=dict)


class CameraPipeline:
    """Detection, tracking and facts of one camera, in frame order."""

    def __init__(
        self,
        spec: TaskSpec,
        detector: DetectorClient,
        archive: PictureSink | None,
        config: PipelineConfig,
        on_picture_error: Callable[[ArchiveError], None] | None = None,
        life: str | None = None,
        desk: RecognitionDesk | None = None,
        weather: WeatherWatch | None = None,
    ) -> None:
        """``life``: name of this pipeline among all that ever analyse the task; None makes one. ``desk``: does the recognition of
        vehicles; None: facts go out at once, without looks. ``weather``: watches the weather; None: it stays unknown."""
        self._task = spec.ref
        self._scene = spec.scene
        self._detector = detector
        self._archive = archive
        self._config = config
        self._on_picture_error = on_picture_error
        self._tracker = Tracker()
        self._passages = PassageAnalyzer(spec.scene)
        self._sampler = SceneSampler(spec.scene, life or uuid.uuid4().hex, time_zone=spec.ref.time_zone)
        self._events = EventStage(
            spec.ref,
            EventAnalyzer(spec.scene, time_zone=spec.ref.time_zone, life=life or ""),
            PixelWatcher(spec.scene, config.vision),
            self._save,
            config.evidence if archive is not None else replace(config.evidence, clips=False),
            jpeg_quality=config.jpeg_quality,
            crop_margin=config.crop_margin,
        )
        # Where nobody may walk, even those of whom the detector is never sure are followed.
        self._faint = FaintPeople() if spec.scene is not None and spec.scene.highway else None
        self._in_flight: deque[_InFlight] = deque()
        self._stillness = Stillness(config.still_s)
        self._crop = _outline_crop(spec.scene)
        self._last_frame: DecodedFrame | None = None
        self._recognizer = Recognizer(desk, config.recognition, self._save_plate) if desk is not None else None
        self._weather = weather
        self.counters = PipelineCounters()

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The lanes in force: the scene's or, without a scene, the learned ones."""
        return self._passages.lanes

    @property
    def detector(self) -> DetectorClient:
        """The detector it was made with."""
        return self._detector

    @property
    def has_scene_lanes(self) -> bool:
        """Whether the lanes are the scene's, not learned ones."""
        return self._scene is not None and bool(self._scene.lanes)

    @property
    def in_flight(self) -> int:
        """Frames begun and not yet finished."""
        return len(self._in_flight)

    def speed_kmh(self, track: Track) -> float | None:
        """Current speed of a track; None when not measured."""
        return self._passages.speed_kmh(track.track_id)

    def lane_of(self, track: Track) -> int:
        """roadNum of the lane the track is in; 0 for none."""
        return self._passages.lane_of(track.track_id)

    def queue_outlines(self, queues: Mapping[int, Queue]) -> tuple[QueueOutline, ...]:
        """Where the queues of an analysed frame lie in the picture."""
        return self._sampler.queue_outlines(queues, self._passages)

    @property
    def open_events(self) -> tuple[TrafficEvent, ...]:
        """Events that are open now."""
        return self._events.active

    @property
    def paused_reason(self) -> str:
        """Why events are not detected now, "" when they are."""
        return self._events.paused_reason

    @property
    def events_stated(self) -> int:
        """Events raised or upgraded since the pipeline was made."""
        return self._events.stated

    def looks_of(self, track_id: TrackId) -> VehicleLooks:
        """What recognition knows of a vehicle by now; unknown codes when it knows nothing."""
        return self._recognizer.looks_of(track_id) if self._recognizer else VehicleLooks()

    @property
    def recognition_counters(self) -> RecognitionCounters:
        """What recognition has done since the pipeline was made."""
        return self._recognizer.counters if self._recognizer else RecognitionCounters()

    @property
    def recognition_bytes(self) -> int:
        """Bytes of the pictures kept for recognition."""
        return self._recognizer.bytes_held if self._recognizer else 0

    @property
    def people(self) -> Mapping[int, int]:
        """People in each region of kind ``people`` or ``crowd`` in the newest frame, by region code."""
        return self._sampler.people

    def crowds(self) -> dict[int, CrowdState]:
        """State of the gatherings by region, for ``restore_crowds`` of the pipeline that follows."""
        return self._sampler.crowds()

    def restore_crowds(self, crowds: Mapping[int, CrowdState]) -> None:
        """Before the first frame: gatherings that a former pipeline of the task has stated."""
        self._sampler.restore_crowds(crowds)

    def set_task(self, task: TaskRef) -> None:
        """Rename the task; tracks and counts go on."""
        self._task = task

    def gather(self, frames: int) -> None:
        """See DetectorClient."""
        self._detector.gather(frames)

    def begin(self, frame: DecodedFrame) -> None:
        """Start the detection of ``frame``."""
        fit = self._detector.input_fit
        image, transform = letterbox(
            frame,
            self._detector.input_size,
            self._crop,
            max_stretch=fit.max_stretch,
            max_enlargement=fit.max_enlargement,
        )
        pending: PendingDetections | None = self._stillness.known(image, frame.time_s)
        if pending is None:
            pending = self._stillness.detected(self._detector.submit(image))
        else:
            self.counters.frames_still += 1
        self._in_flight.append(_InFlight(frame, transform, pending))

    def finish(self) -> AnalysedFrame:
        """Complete the oldest frame begun.

        Raises:
            DetectionFailedError: the detector failed or did not answer in time; the frame is given up.
        """
        item = self._in_flight.popleft()
        found = item.pending.result(self._config.detector_timeout_s)
        detections = Detections(
            boxes=np.asarray(item.transform.to_frame(found.boxes), np.float32), scores=found.scores, classes=found.classes
        )
        return self._analyse(item.frame, detections)

    def abandon(self) -> None:
        """Forget the frames in flight (the detector is gone)."""
        self._in_flight.clear()
        self._stillness.forget()

    def ready(self) -> tuple[FactEnvelope, ...]:
        """Facts whose looks have come in the meantime; to be asked while no frames come, when no better picture is to be had."""
        return self._recognizer.release(math.inf) if self._recognizer else ()

    def flush(self) -> tuple[FactEnvelope, ...]:
        """Every fact that still waits for looks: no more frames come. May take the patience of recognition."""
        if self._weather:
            self._weather.close()
        if self._recognizer is None:
            return ()
        last = self._recognizer.finish(self._config.recognition.patience_s)
        self._recognizer.close()
        return last

    def end(self) -> tuple[FactEnvelope, ...]:
        """The stream ended for good: facts that were still pending (lanes learned only now, looks on the way), and the end of
        open events."""
        last = self._with_looks(self._wrap(self._passages.finish(), self._last_frame), self._last_frame)
        return (*last, *self.flush(), *self.end_events())

    def end_events(self) -> tuple[FactEnvelope, ...]:
        """Nothing more will be analysed: the end of open events. May be called again."""
        return self._events.end()

    def last_cells(self) -> CellBatch | None:
        """The cells of the seconds that are still open: nothing more will be analysed."""
        return self._sampler.finish()

    def _analyse(self, frame: DecodedFrame, detections: Detections) -> AnalysedFrame:
        tracks = self._tracker.update(frame.time_s, detections)
        passages = self._passages.update(frame.time_s, (frame.width, frame.height), tracks)
        size = (frame.width, frame.height)
        alarms = self._sampler.advance(frame.time_s, size, tracks, self._passages, passages, detections)
        self.counters.frames_analysed += 1
        self._last_frame = frame
        if self._weather:
            self._weather.observe(frame)
        if self._recognizer:
            self._recognizer.observe(frame, tracks)
            for track_id, since_s in self._passages.renewed.items():
                self._recognizer.renew(track_id, since_s)
        faint = self._faint.update(frame.time_s, detections) if self._faint else ()
        events = self._events.advance(frame, tracks, self._passages, passages, faint)
        crowds = (self._events.wrap_alarm(alarm, frame) for alarm in alarms)
        envelopes = self._with_looks((*self._wrap(passages, frame), *crowds, *events), frame)
        return AnalysedFrame(
            frame=frame, tracks=tracks, envelopes=envelopes, cells=self._sampler.take(), queues=self._sampler.queues
        )

    def _with_looks(self, stated: tuple[FactEnvelope, ...], frame: DecodedFrame | None) -> tuple[FactEnvelope, ...]:
        """Facts wait for the looks of their vehicle; returns those that are ready now, earlier ones first."""
        stated = self._weather.stamp(stated) if self._weather else stated
        if self._recognizer is None or frame is None:
            return stated
        for envelope in stated:
            fact = envelope.fact
            if isinstance(fact, VehiclePassage):
                context = VehicleContext(object_class=fact.object_class, length_m=fact.length_m, heading=fact.heading)
                self._recognizer.hold(envelope, frame.time_s, fact.track_id, context)
            elif isinstance(fact, TrafficEvent) and fact.phase is not EventPhase.CLOSED and _is_vehicle(fact):
                context = VehicleContext(object_class=fact.object_class or ObjectClass.CAR, heading=Heading.FRONT)
                self._recognizer.hold(envelope, frame.time_s, fact.track_ids[0], context)
            else:
                self._recognizer.hold(envelope, frame.time_s)
        return self._recognizer.release(frame.time_s)

    def _wrap(self, passages: tuple[VehiclePassage, ...], frame: DecodedFrame | None) -> tuple[FactEnvelope, ...]:
        envelopes = []
        for passage in passages:
            self.counters.passages += 1
            lanes = self.counters.lane_counts
            lanes[passage.road_num] = lanes.get(passage.road_num, 0) + 1
            envelopes.append(
                FactEnvelope(
                    fact_id=self._fact_id(passage),
                    task=self._task,
                    fact=passage,
                    small_picture=self._save_crop(passage, frame),
                    # What holds until a picture tells more, and for good where there is none.
                    looks=VehicleLooks(vehicle_type=int(coarse_type(passage.object_class, passage.length_m))),
                )
            )
        return tuple(envelopes)

    def _fact_id(self, passage: VehiclePassage) -> str:
        # From the fact itself, not from chance: a recorded file analysed twice states the same facts.
        key = f"{self._task.task_num}|{passage.road_num}|{passage.track_id}|{passage.time_s:.4f}"
        return str(uuid.uuid5(_FACT_NAMESPACE, key))

    def _save_crop(self, passage: VehiclePassage, frame: DecodedFrame | None) -> str:
        if self._archive is None or frame is None or passage.late:
            return ""
        # Passages of one moment would share a file name; the track number, as some milliseconds, tells them apart.
        moment = passage.time_s + (passage.track_id % 10) / 1e3
        path = picture_path(self._task.task_num, SNAPSHOT_KIND, "small", moment, self._task.time_zone)
        quality, margin = self._config.jpeg_quality, self._config.crop_margin
        return self._save(path, lambda: crop_jpeg(frame, passage.box, quality=quality, margin=margin))

    def _save_plate(self, envelope: FactEnvelope, jpeg: bytes) -> str:
        fact = envelope.fact
        assert isinstance(fact, VehiclePassage | TrafficEvent)
        number = fact.track_id if isinstance(fact, VehiclePassage) else next(iter(fact.track_ids), 0)
        moment = fact.time_s + (number % 10) / 1e3
        return self._save(picture_path(self._task.task_num, PLATE_KIND, "small", moment, self._task.time_zone), lambda: jpeg)

    def _save(self, path: str, encode: Callable[[], bytes]) -> str:
        """Keep a picture; its path, or "" when it could not be kept."""
        if self._archive is None:
            return ""
        try:
            self._archive.write(path, encode())
        except ArchiveError as error:  # a full disk must not cost the count: the fact goes out without its picture
            self.counters.pictures_failed += 1
            if self._on_picture_error:
                self._on_picture_error(error)
            return ""
        return path


def visible_tracks(tracks: tuple[Track, ...]) -> tuple[Track, ...]:
    """Tracks seen in this very frame."""
    return tuple(track for track in tracks if track.state is TrackState.CONFIRMED)


def _is_vehicle(event: TrafficEvent) -> bool:
    return bool(event.track_ids) and event.object_class not in (None, ObjectClass.PERSON)


def _outline_crop(scene: Scene | None) -> Box | None:
    """Bounding box of the scene's outline, relative (x1, y1, x2, y2); None: the whole frame."""
    if scene is None or scene.outline is None:
        return None
    points: NDArray[np.float64] = np.asarray(scene.outline, np.float64)
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    return (float(x1), float(y1), float(x2), float(y2))
