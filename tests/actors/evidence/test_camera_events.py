"""A camera runner from its source to the sink, without Ray: events with clips, ends of streams, what operators are told."""

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from actors.archive import FolderArchive
from actors.camera import CameraRunner
from actors.camera_config import CameraConfig, CameraServices
from actors.decoding import SourceOptions, open_source
from actors.errors import SinkUnavailableError
from actors.evidence.config import EvidenceConfig
from actors.pipeline import PipelineConfig
from actors.ports import FactEnvelope, TaskRef, TaskSpec
from models.handles import InputFit
from tests.actors.evidence.test_clip_keeper import EVENT
from traffic.facts import EventPhase, TaskStatus, TrafficEvent
from traffic.types import Detections

sys.path.insert(0, str(Path(__file__).parents[1] / "decoding"))
from decoding_clips import number_of, write_clip

START = 1_700_000_000.0


class Blind:
    """A detector that sees nothing."""

    input_size, input_fit = (128, 96), InputFit()

    def submit(self, image: object) -> "Blind":
        return self

    def gather(self, pictures: int) -> None:
        """Answers are there at once."""

    def result(self, timeout_s: float) -> Detections:
        return Detections(boxes=np.zeros((0, 4), np.float32), scores=np.zeros(0, np.float32), classes=np.zeros(0, np.int64))


class Scripted:
    """Detectors that raise an event in each of the given frames (counted from 0); the end of the video closes them."""

    frames: tuple[int, ...] = ()
    reason = ""

    def __init__(self, *_: object, **__: object) -> None:
        self._seen = -1
        self.active: tuple[TrafficEvent, ...] = ()

    @property
    def paused_reason(self) -> str:
        return self.reason

    def update(self, time_s, frame_size, tracks, analyzer, passages, evidence):
        self._seen += 1
        if self._seen not in self.frames:
            return ()
        event = replace(
            EVENT, event_id=str(self._seen), time_s=time_s, start_s=time_s, box=(10, 10, 60, 60), frame_size=frame_size
        )
        self.active = (*self.active, event)
        return (event,)

    def finish(self):
        closed, self.active = self.active, ()
        return tuple(replace(event, phase=EventPhase.CLOSED) for event in closed)


class Sink:
    """Keeps what is published; away for the first ``faults`` calls."""

    def __init__(self, faults: int = 0) -> None:
        self.facts: list[FactEnvelope] = []
        self.faults, self.changed = faults, threading.Condition()

    def publish(self, envelopes: Sequence[FactEnvelope]) -> None:
        with self.changed:
            if self.faults:
                self.faults -= 1
                raise SinkUnavailableError("away")
            self.facts += envelopes
            self.changed.notify_all()

    def events(self) -> list[FactEnvelope]:
        """Without those that are only to be kept for now."""
        return [envelope for envelope in self.facts if isinstance(envelope.fact, TrafficEvent) and not envelope.hold_s]

    def wait_for(self, count: int) -> list[FactEnvelope]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.events()) >= count, 40), [e.fact for e in self.events()]
            return self.events()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    class Mine(Scripted):
        pass

    monkeypatch.setattr("actors.pipeline.EventAnalyzer", Mine)
    return Mine


def runner(address: str, sink: Sink, archive: FolderArchive | None, **evidence: object) -> CameraRunner:
    task = TaskRef(task_id=1, task_num="1", task_name="t", src_address=address, time_zone="Asia/Shanghai")
    spec = TaskSpec(
        ref=task, scene=None, analysed_fps=0.0, rtsp_transport="tcp", loop=False, start_time_s=START, enabled=True, revision="1",
    )  # fmt: skip
    services = CameraServices(connect_detector=Blind, sink=sink, archive=archive)
    pipeline = PipelineConfig(evidence=EvidenceConfig(**({"before_s": 1.0, "after_s": 1.0} | evidence)))
    return CameraRunner(spec, services, CameraConfig(pipeline=pipeline, default_analysed_fps=100.0))


def numbers(archive: FolderArchive, path: str) -> list[int]:
    with open_source(str(archive.locate(path)), SourceOptions(start_time_s=0.0)) as source:
        return [number_of(frame) for frame in source]


def test_a_recording_s_events_have_clips_of_their_moment_and_its_end_ends_them(tmp_path: Path, scripted) -> None:
    clip = write_clip(tmp_path / "a.mp4", 150, gop=10)
    scripted.frames = (60, 145)
    archive, sink = FolderArchive(tmp_path / "archive"), Sink(faults=2)
    camera = runner(str(clip), sink, archive)
    camera.start()
    try:
        events = sink.wait_for(4)
        health = camera.health()
    finally:
        camera.stop()
    assert [(e.fact.event_id, e.fact.phase) for e in events] == [
        ("60", "raised"), ("145", "raised"), ("60", "closed"), ("145", "closed"),
    ]  # fmt: skip
    first, second = (numbers(archive, event.clip) for event in events[:2])
    assert (first[0] <= 35, 60 in first, 84 <= first[-1] <= 88) == (True, True, True)
    assert (second[0] <= 120, second[-1]) == (True, 149), "shorter, to the end of the recording"
    assert all(archive.read(event.large_picture) for event in events[:2])
    assert (health.events, health.clips_failed, health.pictures_failed) == (2, 0, 0)


def test_a_camera_that_stops_in_the_after_window_sends_its_event_with_a_shorter_clip(tmp_path: Path, scripted) -> None:
    scripted.frames = (4,)
    archive, sink = FolderArchive(tmp_path / "archive"), Sink()
    camera = runner("sim://approach?seed=1&width=320&height=192&fps=5&warmup_s=0", sink, archive, after_s=60.0)
    camera.start()
    until = time.monotonic() + 40
    while camera.health().events_open == 0:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert sink.events() == []
    camera.stop()
    raised, closed = sink.events()
    assert (raised.fact.phase, closed.fact.phase) == ("raised", "closed")
    with open_source(str(archive.locate(raised.clip)), SourceOptions()) as source:
        assert len(list(source)) >= 5
    assert [e.fact.reason for e in sink.facts if isinstance(e.fact, TaskStatus)][-1] == ""
    assert isinstance(sink.facts[0].fact, TaskStatus)
    assert sink.facts[0].fact.first
    assert not any(e.fact.first for e in sink.facts[1:] if isinstance(e.fact, TaskStatus))


def test_an_archive_that_cannot_be_written_costs_the_evidence_and_no_event(tmp_path: Path, scripted) -> None:
    (tmp_path / "file").write_bytes(b"")
    scripted.frames = (10,)
    sink = Sink()
    clip = write_clip(tmp_path / "a.mp4", 50, gop=10)
    camera = runner(str(clip), sink, FolderArchive(tmp_path / "file"))
    camera.start()
    try:
        raised, _ = sink.wait_for(2)
        health = camera.health()
    finally:
        camera.stop()
    assert (raised.large_picture, raised.small_picture, raised.clip) == ("", "", "")
    assert health.clips_failed == 1
    assert health.clip_error
    assert health.pictures_failed == 2


def test_without_an_archive_events_go_out_bare(tmp_path: Path, scripted) -> None:
    scripted.frames = (10,)
    sink = Sink()
    camera = runner(str(write_clip(tmp_path / "a.mp4", 30, gop=10)), sink, None)
    camera.start()
    try:
        raised, _ = sink.wait_for(2)
    finally:
        camera.stop()
    assert (raised.large_picture, raised.clip) == ("", "")


def test_the_task_says_why_events_pause(tmp_path: Path, scripted) -> None:
    scripted.reason = "画面移动"
    camera = runner("sim://approach?seed=1&width=320&height=192&fps=5&warmup_s=0", Sink(), None)
    camera.start()
    try:
        until = time.monotonic() + 40
        while camera.health().reason != "画面移动":
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        camera.stop()
