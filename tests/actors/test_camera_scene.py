"""A changed scene reaches a running camera without a restart."""

import dataclasses
import time
from collections.abc import Callable

from actors.camera import CameraRunner
from actors.camera_config import CameraConfig, CameraServices
from actors.pipeline import PipelineConfig
from actors.ports import TaskRef, TaskSpec
from tests.actors.test_aggregator import Outbox
from tests.actors.test_camera_cells import START, AtSourceSize
from tests.cluster.test_analyze_periods import LANE
from traffic.scene import Scene

ADDRESS = "sim://approach?seed=1&width=640&height=384&fps=5&warmup_s=0"


def spec(scene: Scene | None, revision: str, **changes: object) -> TaskSpec:
    ref = TaskRef(task_id=1, task_num="1", task_name="t", src_address=ADDRESS, time_zone="Asia/Shanghai")
    made = TaskSpec(
        ref=ref, scene=scene, analysed_fps=0.0, rtsp_transport="tcp", loop=False, start_time_s=START, enabled=True,
        revision=revision,
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_new_scene_is_taken_over_while_the_stream_goes_on() -> None:
    services = CameraServices(connect_detector=AtSourceSize, sink=Outbox(), archive=None)
    runner = CameraRunner(spec(None, "1"), services, CameraConfig(pipeline=PipelineConfig()))
    runner.start()
    try:
        until(lambda: runner.health().frames_analysed > 2)
        assert runner.apply(spec(Scene(lanes=(LANE,)), "2"))
        assert runner.health().revision == "2"
        seen = runner.health().frames_analysed
        until(lambda: runner.health().frames_analysed > seen + 2)
        assert [lane.road_num for lane in runner._pipeline.lanes] == [LANE.road_num]
        assert runner.health().frames_decoded >= runner.health().frames_analysed > seen
    finally:
        runner.stop()


def test_anything_but_a_new_scene_wants_a_new_start() -> None:
    services = CameraServices(connect_detector=AtSourceSize, sink=Outbox(), archive=None)
    runner = CameraRunner(spec(Scene(lanes=(LANE,)), "1"), services, CameraConfig(pipeline=PipelineConfig()))
    assert not runner.apply(spec(Scene(lanes=(LANE,)), "2"))  # the same scene: somebody asked for a restart
    assert not runner.apply(spec(None, "2", analysed_fps=5.0))
    assert runner.revision == "1"


def test_a_view_is_given_once_by_its_number() -> None:
    services = CameraServices(connect_detector=AtSourceSize, sink=Outbox(), archive=None)
    runner = CameraRunner(spec(None, "1"), services, CameraConfig(pipeline=PipelineConfig()))
    assert runner.view(320, True) is None
    runner.start()
    try:
        until(lambda: runner.view(320, True) is not None)
        view = runner.view(320, True)
        assert view.jpeg.startswith(b"\xff\xd8")
        assert (view.width, view.height) == (640, 384)
        until(lambda: runner.view(320, False, view.sequence) is not None)
    finally:
        runner.stop()
