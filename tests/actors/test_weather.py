"""The weather watch: few pictures, never in the way of the analysis, facts carry the code in force."""

import threading
from dataclasses import replace

import av
import numpy as np
import pytest

from actors.decoding import DecodedFrame
from actors.ports import FactEnvelope, TaskRef
from actors.weather import PICTURE_PX, WeatherWatch
from models.handles import RecognitionFailedError
from traffic.facts import TaskStatus, TaskStatusCode

TASK = TaskRef(task_id=1, task_num="1", task_name="", src_address="", time_zone="Asia/Shanghai")
FACT = FactEnvelope(fact_id="1", task=TASK, fact=TaskStatus(status=TaskStatusCode.ANALYSING, reason="", time_s=0.0))
RAIN = np.array([0.02, 0.02, 0.94, 0.02])


def frame(time_s: float) -> DecodedFrame:
    picture = av.VideoFrame.from_ndarray(np.full((360, 640, 3), 90, np.uint8), format="rgb24")
    return DecodedFrame(index=0, pts_s=time_s, time_s=time_s, frame=picture, width=640, height=360, key_frame=True, rotation=0)


class Network:
    """Answers rain; counts pictures."""

    def __init__(self) -> None:
        self.pictures: list[tuple[int, ...]] = []
        self.gate: threading.Event | None = None
        self.failing = False

    def submit(self, picture: np.ndarray) -> "Network":
        self.pictures.append(picture.shape)
        if self.failing:
            raise RecognitionFailedError("down")
        return self

    def result(self, timeout_s: float) -> np.ndarray:
        if self.gate is not None:
            self.gate.wait(timeout_s)
        return RAIN


def test_a_picture_every_ten_seconds_and_facts_are_stamped() -> None:
    network = Network()
    watch = WeatherWatch(lambda: network, threaded=False)
    assert watch.stamp((FACT,)) == (FACT,)
    for index in range(250):
        watch.observe(frame(index / 10))
    assert len(network.pictures) == 3
    assert max(network.pictures[0]) == PICTURE_PX
    assert watch.stamp((FACT,)) == (replace(FACT, weather=3),)


def test_a_network_that_is_down_leaves_the_weather_as_it_was() -> None:
    network = Network()
    watch = WeatherWatch(lambda: network, threaded=False)
    watch.observe(frame(0.0))
    network.failing = True
    for index in range(1, 100):
        watch.observe(frame(index * 10.0))
    assert int(watch.code) == 3

    def refuse() -> Network:
        raise RecognitionFailedError("not up yet")

    unreachable = WeatherWatch(refuse, threaded=False)
    unreachable.observe(frame(0.0))
    assert int(unreachable.code) == 0


def test_a_slow_network_never_holds_the_analysis_up_and_gets_one_picture_at_a_time() -> None:
    network = Network()
    network.gate = threading.Event()
    watch = WeatherWatch(lambda: network, threaded=True)
    for index in range(20):
        watch.observe(frame(index * 10.0))
    assert int(watch.code) == 0
    network.gate.set()
    pending = watch._pending
    assert pending is not None
    pending[1].result(10)
    watch.observe(frame(201.0))
    assert int(watch.code) == 3
    assert len(network.pictures) <= 2
    watch.close()


@pytest.mark.parametrize("back_s", [-5.0, 4000.0])
def test_a_source_that_starts_again_is_looked_at_at_once(back_s: float) -> None:
    network = Network()
    watch = WeatherWatch(lambda: network, threaded=False)
    watch.observe(frame(1000.0))
    watch.observe(frame(1000.0 + back_s))
    assert len(network.pictures) == 2
