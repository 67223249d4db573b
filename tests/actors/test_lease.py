"""A camera that nobody is in charge of stands still, and goes on when it is asked again."""

import threading
from dataclasses import replace

import pytest

from actors.lease import Lease
from tests.actors.test_camera_frames import CONFIG, runner


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
