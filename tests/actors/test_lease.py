"""A camera that nobody is in charge of stands still, and goes on when it is asked again."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from actors.cells import CellSender
from actors.errors import SupersededError
from actors.lease import Lease
from actors.ports import CellReceipt, FactEnvelope, TaskRef
from tests.actors.test_camera_frames import CONFIG, Nowhere, runner
from traffic.aggregation import CellBatch
from traffic.facts import TaskStatusCode
from traffic.people.crowd import CrowdState
from traffic.scene import Scene


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_lease_lasts_from_the_last_question() -> None:
    clock = Clock()
    lease = Lease(60.0, clock)
    clock.now_s += 59.0
    assert not lease.over
    lease.renew()
    clock.now_s += 60.0
    assert not lease.over
    assert lease.reason == ""
    clock.now_s += 0.1
    assert lease.over
    assert "60 s" in lease.reason
    lease.renew()
    assert not lease.over


def test_a_lease_of_nothing_never_ends() -> None:
    clock = Clock()
    lease = Lease(0.0, clock)
    clock.now_s += 1e9
    assert not lease.over


def test_a_camera_whose_lease_is_over_takes_no_frames_until_it_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, frame = Clock(), object()
    camera = runner(replace(CONFIG, lease_s=60.0))
    camera.lease = Lease(60.0, clock)
    monkeypatch.setattr(camera._reader, "latest", lambda timeout_s: frame)
    monkeypatch.setattr(camera, "_stopping", _NoWait())
    assert camera._next_frame() is frame
    clock.now_s += 61.0
    assert camera._next_frame() is None
    assert "analysis paused" in camera.health().reason
    camera.lease.renew()
    assert camera._next_frame() is frame
    assert camera.health().reason == ""


class _NoWait(threading.Event):
    def wait(self, timeout: float | None = None) -> bool:
        return False


class Elsewhere(Nowhere):
    """A FactSink that has seen a later life of the camera."""

    def publish(self, envelopes: Sequence[FactEnvelope]) -> None:
        raise SupersededError("camera-1")


def test_a_camera_whose_facts_are_refused_says_so_and_analyses_no_more() -> None:
    told: list[str] = []
    camera = runner(sink=Elsewhere(), on_superseded=told.append)
    camera._on_status(TaskStatusCode.ANALYSING, "", 1.0)
    camera._publish_loop()
    assert told == ["camera-1"]
    assert camera._stopping.is_set()


def test_a_camera_whose_cells_are_refused_is_told_once() -> None:
    class Refusing:
        def send(self, task: TaskRef, batches: Sequence[CellBatch], *, ended: bool, life: str) -> CellReceipt:
            raise SupersededError("camera-1")

        def crowds(self, task: TaskRef) -> dict[int, CrowdState]:
            return {}

    told: list[str] = []
    task = TaskRef(task_id=1, task_num="1", task_name="t", src_address="x", time_zone="UTC", life=1)
    sender = CellSender(task, Refusing(), told.append)
    sender.start()
    sender.put(CellBatch(source="s", sequence=1, watermark=1))
    sender.stop(within_s=10.0)
    assert told == ["camera-1"]


def test_a_change_of_the_scene_leaves_a_camera_its_life() -> None:
    camera = runner()
    camera._spec = replace(camera._spec, ref=replace(camera._spec.ref, life=4))
    assert camera.apply(replace(camera._spec, scene=Scene(), revision="2", ref=replace(camera._spec.ref, life=0)))
    assert (camera.revision, camera._wanted.ref.life) == ("2", 4)
