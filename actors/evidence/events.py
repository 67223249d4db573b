"""The detectors of events of one camera, and the envelopes of what they state."""

import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from actors.archive import clip_path, picture_path
from actors.decoding import DecodedFrame
from actors.evidence.config import EvidenceConfig
from actors.evidence.pictures import large_picture, small_picture
from actors.ports import FactEnvelope, TaskRef
from traffic.events.kinds import KIND_SLUGS
from traffic.events.observations import FaintPerson, FrameEvidence
from traffic.facts import CrowdAlarm, EventKind, EventPhase, TrafficEvent, VehiclePassage
from traffic.passages import PassageAnalyzer
from traffic.types import Track

_NAMESPACE = uuid.UUID("7b0f4c1e-52c8-4a2b-9b35-0a8a9be1d3c4")
_REMEMBERED = 64
Save = Callable[[str, Callable[[], bytes]], str]


class Detectors(Protocol):
    """``traffic.events.analyzer.EventAnalyzer`` as a camera uses it."""

    @property
    def active(self) -> tuple[TrafficEvent, ...]:
        """Events that are open."""

    @property
    def paused_reason(self) -> str:
        """Why nothing is detected now, "" when all is well."""

    def update(
        self,
        time_s: float,
        frame_size: tuple[int, int],
        tracks: tuple[Track, ...],
        analyzer: PassageAnalyzer,
        passages: tuple[VehiclePassage, ...],
        evidence: FrameEvidence,
    ) -> tuple[TrafficEvent, ...]:
        """What one frame makes known."""

    def finish(self) -> tuple[TrafficEvent, ...]:
        """The video ends: what is open is closed."""


class PixelLooker(Protocol):
    """``actors.vision.PixelWatcher`` as a camera uses it."""

    def look(self, frame: DecodedFrame, tracks: tuple[Track, ...]) -> FrameEvidence:
        """What the pixels of a frame say."""


class EventStage:
    """Events of one camera in frame order."""

    def __init__(
        self,
        task: TaskRef,
        detectors: Detectors,
        watcher: PixelLooker | None,
        save: Save,
        config: EvidenceConfig,
        *,
        jpeg_quality: int,
        crop_margin: float,
    ) -> None:
        """``save``: keeps a picture; answers its path, or "" when it could not be kept."""
        self._task, self._detectors, self._watcher, self._save, self._config = task, detectors, watcher, save, config
        self._quality, self._margin = jpeg_quality, crop_margin
        self._paths: deque[str] = deque(maxlen=_REMEMBERED)
        self._ended = False
        self.stated = 0

    @property
    def active(self) -> tuple[TrafficEvent, ...]:
        """Events that are open."""
        return self._detectors.active

    @property
    def paused_reason(self) -> str:
        """Why events are not detected now, "" when they are."""
        return self._detectors.paused_reason

    def advance(
        self,
        frame: DecodedFrame,
        tracks: tuple[Track, ...],
        analyzer: PassageAnalyzer,
        passages: tuple[VehiclePassage, ...],
        faint: tuple[FaintPerson, ...] = (),
    ) -> tuple[FactEnvelope, ...]:
        """What one frame makes known, with its pictures and the path of its clip."""
        evidence = self._watcher.look(frame, tracks) if self._watcher else FrameEvidence()
        evidence = replace(evidence, faint=faint) if faint else evidence
        size = (frame.width, frame.height)
        found = self._detectors.update(frame.time_s, size, tracks, analyzer, passages, evidence)
        return tuple(self._wrap(event, frame) for event in found)

    def end(self) -> tuple[FactEnvelope, ...]:
        """Nothing more will be analysed: what is open is closed. May be called again."""
        if self._ended:
            return ()
        self._ended = True
        return tuple(self._wrap(event, None) for event in self._detectors.finish())

    def wrap_alarm(self, alarm: CrowdAlarm, frame: DecodedFrame) -> FactEnvelope:
        """A crowd alarm with the picture and the clip of event 1008."""
        key = f"{self._task.task_num}|crowd|{alarm.region_code}|{alarm.origin_s:.4f}|{alarm.repeat}"
        slug, moment_s = self._place(EventKind.CROWD, alarm.time_s)
        path = picture_path(self._task.task_num, slug, "large", moment_s, self._task.time_zone)
        return FactEnvelope(
            fact_id=str(uuid.uuid5(_NAMESPACE, key)),
            task=self._task,
            fact=alarm,
            large_picture=self._save(path, lambda: large_picture(frame, alarm.box, self._quality, boxed=self._config.boxed)),
            clip=self._clip(slug, moment_s),
        )

    def _wrap(self, event: TrafficEvent, frame: DecodedFrame | None) -> FactEnvelope:
        key = f"{self._task.task_num}|event|{event.event_id}|{event.phase}|{int(event.kind)}"
        fact_id = str(uuid.uuid5(_NAMESPACE, key))
        if event.phase is EventPhase.CLOSED or frame is None:
            return FactEnvelope(fact_id=fact_id, task=self._task, fact=event)
        self.stated += 1
        (slug, moment_s), task = self._place(event.kind, event.time_s), self._task
        quality, margin, boxed = self._quality, self._margin, self._config.boxed
        large = picture_path(task.task_num, slug, "large", moment_s, task.time_zone)
        small = picture_path(task.task_num, slug, "small", moment_s, task.time_zone)
        return FactEnvelope(
            fact_id=fact_id,
            task=task,
            fact=event,
            large_picture=self._save(large, lambda: large_picture(frame, event.box, quality, boxed=boxed)),
            small_picture=self._save(small, lambda: small_picture(frame, event.box, quality, margin)),
            clip=self._clip(slug, moment_s),
        )

    def _place(self, kind: EventKind, moment_s: float) -> tuple[str, float]:
        """Name of the kind, and a moment (some milliseconds later at most) that no other event of the kind has in its path."""
        slug = KIND_SLUGS[kind]
        while (path := clip_path(self._task.task_num, slug, moment_s, self._task.time_zone)) in self._paths:
            moment_s += 1e-3
        self._paths.append(path)
        return slug, moment_s

    def _clip(self, slug: str, moment_s: float) -> str:
        return clip_path(self._task.task_num, slug, moment_s, self._task.time_zone) if self._config.clips else ""
