"""How a camera reads its source and paces its questions to the detector."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from actors.camera import GROUP, IN_FLIGHT, RECORDING_IN_FLIGHT, SLOW_S, CameraRunner
from actors.camera_config import CameraConfig, CameraServices
from actors.decoding import SourceInfo
from actors.pipeline import PipelineConfig
from actors.ports import FactEnvelope, FactSink, TaskRef, TaskSpec
from tests.cluster.test_analyze_periods import Standing

CONFIG = CameraConfig(pipeline=PipelineConfig())
INFO = SourceInfo(codec="h264", nominal_fps=25.0, duration_s=None, total_frames=None, live=True, width=640, height=360)


class Nowhere:
    """A FactSink."""

    def publish(self, envelopes: Sequence[FactEnvelope]) -> None:
        """Nobody listens."""


class Pipeline:
    """What the depth of a camera touches of its pipeline."""

    gathered = 0

    def gather(self, frames: int) -> None:
        self.gathered = frames


def runner(
    config: CameraConfig = CONFIG, sink: FactSink | None = None, on_superseded: Callable[[str], None] | None = None
) -> CameraRunner:
    ref = TaskRef(task_id=1, task_num="1", task_name="t", src_address="/nowhere.mp4", time_zone="Asia/Shanghai")
    spec = TaskSpec(
        ref=ref, scene=None, analysed_fps=0.0, rtsp_transport="tcp", loop=False, start_time_s=None, enabled=True, revision="1"
    )
    services = CameraServices(connect_detector=Standing, sink=sink or Nowhere(), archive=None)
    return CameraRunner(spec, services, config, on_superseded=on_superseded)


def test_decoding_on_a_card_is_handed_on_to_the_source() -> None:
    assert runner()._options().hardware == "none"
    assert runner(replace(CONFIG, hardware="cuda"))._options().hardware == "cuda"


@pytest.mark.parametrize(("delay_s", "depth"), [(0.05, IN_FLIGHT), (2 * SLOW_S, 1)])
def test_a_live_camera_asks_for_one_frame_at_a_time_when_answers_are_late(delay_s: float, depth: int) -> None:
    camera, pipeline = runner(), Pipeline()
    camera._reader._info, camera._delay_s = INFO, delay_s
    assert camera._depth(pipeline) == depth
    assert pipeline.gathered == 0


def test_a_recording_goes_out_in_groups() -> None:
    camera, pipeline = runner(), Pipeline()
    camera._reader._info = replace(INFO, live=False, duration_s=30.0)
    assert camera._depth(pipeline) == RECORDING_IN_FLIGHT >= 2 * GROUP
    assert pipeline.gathered == GROUP
