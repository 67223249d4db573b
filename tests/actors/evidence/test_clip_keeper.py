"""Events wait for their clips, in order and not for ever; a clip that cannot be made costs only the clip."""

import threading
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from actors.archive import FolderArchive
from actors.decoding import ClipSpan, SourceOptions, open_source
from actors.decoding.packets import PacketClip
from actors.errors import ArchiveError
from actors.evidence.clips import ClipKeeper
from actors.evidence.config import EvidenceConfig
from actors.ports import FactEnvelope, TaskRef
from traffic.facts import EventKind, EventPhase, TaskStatus, TaskStatusCode, TrafficEvent

TASK = TaskRef(task_id=1, task_num="1", task_name="t", src_address="", time_zone="Asia/Shanghai")
EVENT = TrafficEvent(
    event_id="e", phase=EventPhase.RAISED, kind=EventKind.WRONG_WAY, time_s=100.0, start_s=99.0, peak_s=100.0, confidence=0.9,
    box=(0, 0, 10, 10), frame_size=(100, 100), track_ids=(1,),
)  # fmt: skip


def event(name: str, phase: EventPhase = EventPhase.RAISED, clip: bool = True) -> FactEnvelope:
    path = f"video/2026_11/24/1/wrong_way/{name}.mp4" if clip and phase is not EventPhase.CLOSED else ""
    return FactEnvelope(fact_id=f"{name}-{phase}", task=TASK, fact=replace(EVENT, event_id=name, phase=phase), clip=path)


STATUS = FactEnvelope(fact_id="s", task=TASK, fact=TaskStatus(status=TaskStatusCode.ANALYSING, reason="", time_s=1.0))


@pytest.fixture(scope="module")
def packets() -> PacketClip:
    """Two seconds of a simulated camera."""
    address = "sim://approach?seed=1&duration_s=2&width=320&height=192&fps=5&warmup_s=0"
    with open_source(address, SourceOptions(start_time_s=0.0, packet_seconds=10.0)) as source:
        list(source)
        return source.packets.clip()


class Camera:
    """Hands out packets when the test says so, and collects what leaves."""

    def __init__(self, archive: FolderArchive, **settings: object) -> None:
        self.asked: list[ClipSpan] = []
        self.answers: list[Future[PacketClip]] = []
        self.left: list[FactEnvelope] = []
        self.changed = threading.Condition()
        self.keeper = ClipKeeper(archive, self._ask, self._emit, EvidenceConfig(**settings))
        self.keeper.start()

    def _ask(self, span: ClipSpan) -> "Future[PacketClip]":
        self.asked.append(span)
        self.answers.append(Future())
        return self.answers[-1]

    def _emit(self, envelopes) -> None:
        with self.changed:
            self.left += envelopes
            self.changed.notify_all()

    def wait_for(self, count: int) -> list[str]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.left) >= count, 20)
            return [envelope.fact_id for envelope in self.left]


@pytest.fixture
def archive(tmp_path: Path) -> FolderArchive:
    return FolderArchive(tmp_path / "archive")


def test_an_event_leaves_with_a_whole_clip_and_nothing_else_waits_for_it(archive: FolderArchive, packets: PacketClip) -> None:
    camera = Camera(archive, before_s=3.0, after_s=4.0)
    camera.keeper.take([event("a"), STATUS])
    assert camera.wait_for(1) == ["s"]
    assert camera.asked == [ClipSpan(moment_s=100.0, before_s=3.0, after_s=4.0)]
    camera.answers[0].set_result(packets)
    assert camera.wait_for(2) == ["s", "a-raised"]
    data = archive.read(camera.left[1].clip)
    assert data[4:8] == b"ftyp"
    assert camera.keeper.finish(1.0)
    assert camera.keeper.counters.copied == 1


def test_the_end_of_an_event_never_overtakes_its_beginning(archive: FolderArchive, packets: PacketClip) -> None:
    camera = Camera(archive)
    camera.keeper.take([event("a"), event("b")])
    camera.keeper.take([event("a", EventPhase.CLOSED)])
    camera.answers[1].set_result(packets)
    camera.answers[0].set_result(packets)
    assert camera.wait_for(3) == ["a-raised", "b-raised", "a-closed"]
    assert camera.keeper.finish(1.0)


def test_two_events_of_one_moment_have_each_a_file_of_work_done_once(archive: FolderArchive, packets: PacketClip) -> None:
    camera = Camera(archive)
    camera.keeper.take([event("a"), event("b")])
    for answer in camera.answers:
        answer.set_result(packets)
    camera.wait_for(2)
    first, second = (archive.read(envelope.clip) for envelope in camera.left)
    assert first == second
    assert camera.left[0].clip != camera.left[1].clip
    assert camera.keeper.counters.copied == 1
    assert camera.keeper.finish(1.0)


def test_a_clip_without_packets_costs_only_the_clip_and_says_so(archive: FolderArchive, packets: PacketClip) -> None:
    camera = Camera(archive)
    camera.keeper.take([event("a"), event("b")])
    camera.answers[0].set_result(PacketClip(header=packets.header, packets=()))
    camera.answers[1].set_result(packets)
    camera.wait_for(2)
    assert [bool(envelope.clip) for envelope in camera.left] == [False, True]
    assert (camera.keeper.counters.failed, camera.keeper.counters.copied) == (1, 1)
    assert "no video" in camera.keeper.counters.last_error
    assert camera.keeper.finish(1.0)


class Full(FolderArchive):
    """A disk that is full."""

    def adopt(self, path: str, file: Path) -> None:
        raise ArchiveError("cannot write: No space left on device")


class Broken(FolderArchive):
    """An archive with a fault of ours."""

    @contextmanager
    def scratch(self):
        raise RuntimeError("surprise")
        yield


@pytest.mark.parametrize("kind", [Full, Broken])
def test_an_archive_that_fails_costs_only_the_clip_and_leaves_no_rest(tmp_path: Path, packets: PacketClip, kind: type) -> None:
    camera = Camera(kind(tmp_path / "archive"))
    camera.keeper.take([event("a"), event("b")])
    for answer in camera.answers:
        answer.set_result(packets)
    camera.wait_for(2)
    assert [envelope.clip for envelope in camera.left] == ["", ""]
    assert camera.keeper.counters.failed == 2
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert camera.keeper.finish(1.0)


def test_a_camera_that_stops_sends_its_events_without_the_clips_that_do_not_come(archive: FolderArchive) -> None:
    camera = Camera(archive)
    camera.keeper.take([event("a"), event("a", EventPhase.CLOSED), event("b")])
    assert camera.keeper.finish(0.0)
    assert camera.wait_for(3) == ["a-raised", "a-closed", "b-raised"]
    assert {envelope.clip for envelope in camera.left} == {""}
    assert camera.keeper.counters.failed == 2


def test_where_speed_counts_the_event_leaves_at_once_and_its_clip_follows(archive: FolderArchive, packets: PacketClip) -> None:
    camera = Camera(archive, wait=False)
    camera.keeper.take([event("a"), event("a", EventPhase.CLOSED)])
    assert camera.wait_for(2) == ["a-raised", "a-closed"]
    path = camera.left[0].clip
    assert path
    assert archive.read(path) is None
    camera.answers[0].set_result(packets)
    assert camera.keeper.finish(5.0)
    assert archive.read(path)


def test_a_storm_of_events_holds_a_bounded_number_of_clips(archive: FolderArchive) -> None:
    camera = Camera(archive)
    camera.keeper.take([event(str(i)) for i in range(100)])
    assert len(camera.asked) == 64
    assert camera.keeper.counters.failed == 36
    assert camera.keeper.finish(0.0)
    assert camera.wait_for(100) == [f"{i}-raised" for i in range(100)], "none is lost, the order is kept"


def test_a_source_that_keeps_no_video_costs_the_clip(archive: FolderArchive) -> None:
    left: list[FactEnvelope] = []
    keeper = ClipKeeper(archive, lambda _: None, left.extend, EvidenceConfig())
    keeper.start()
    keeper.take([event("a"), event("b", clip=False)])
    assert keeper.finish(1.0)
    assert [(envelope.fact_id, envelope.clip) for envelope in left] == [("a-raised", ""), ("b-raised", "")]
    assert keeper.counters.failed == 1


class Hanging(FolderArchive):
    """A network drive that does not answer."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.entered, self.free = threading.Event(), threading.Event()

    def adopt(self, path: str, file: Path) -> None:
        self.entered.set()
        self.free.wait(30)
        super().adopt(path, file)


def test_an_archive_that_hangs_while_the_camera_stops_holds_no_event_back(tmp_path: Path, packets: PacketClip) -> None:
    archive = Hanging(tmp_path / "archive")
    camera = Camera(archive)
    camera.keeper.take([event("a"), event("b"), event("a", EventPhase.CLOSED)])
    for answer in camera.answers:
        answer.set_result(packets)
    assert archive.entered.wait(20)
    assert not camera.keeper.finish(0.0)
    assert [(e.fact_id, e.clip) for e in camera.left] == [("a-raised", ""), ("b-raised", ""), ("a-closed", "")]
    archive.free.set()
    camera.keeper._thread.join(20)
    assert len(camera.left) == 3, "nothing leaves twice"


def test_with_a_time_to_hold_an_event_is_stated_at_once_and_again_when_its_clip_is_whole(
    archive: FolderArchive, packets: PacketClip
) -> None:
    camera = Camera(archive)
    camera.keeper._hold_s = 900.0
    camera.keeper.take([event("a"), event("b", clip=False)])
    assert camera.wait_for(1) == ["a-raised"]
    assert (camera.left[0].hold_s, camera.left[0].clip != "") == (900.0, True)
    camera.answers[0].set_result(packets)
    assert camera.wait_for(3) == ["a-raised", "a-raised", "b-raised"]
    assert [envelope.hold_s for envelope in camera.left[1:]] == [0.0, 0.0]
    assert camera.keeper.finish(1.0)
