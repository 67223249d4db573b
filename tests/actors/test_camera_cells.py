"""A camera runner hands its cells to the aggregator: the whole way in one process, without Ray."""

import threading
import time
from collections.abc import Sequence

import numpy as np

from actors.aggregator import Aggregator, AggregatorConfig
from actors.camera import CameraRunner
from actors.camera_config import CameraConfig, CameraServices
from actors.pipeline import PipelineConfig
from actors.ports import CellReceipt, TaskRef, TaskSpec
from tests.actors.test_aggregator import Outbox, Store
from tests.cluster.test_analyze_periods import LANE, REGION, Standing
from traffic.aggregation import CellBatch
from traffic.facts import CrowdAlarm, PeopleParameters, TaskStatus, TaskStatusCode
from traffic.people.crowd import CrowdState
from traffic.scene import Region, Scene
from traffic.scene.crowd import CrowdRule

START = 1_700_000_040.0


class Direct:
    """CellSink that calls the aggregator of this process."""

    def __init__(self, aggregator: Aggregator) -> None:
        self._aggregator, self.ended = aggregator, threading.Event()

    def send(self, task: TaskRef, batches: Sequence[CellBatch], *, ended: bool, life: str) -> CellReceipt:
        receipt = self._aggregator.take(task, batches, ended=ended, life=life)
        if ended:
            self.ended.set()
        return receipt

    def crowds(self, task: TaskRef) -> dict[int, CrowdState]:
        return self._aggregator.crowds(task)


class AtSourceSize(Standing):
    """Boxes in the network's input, which has the source's shape here."""

    input_size = (640, 384)


def test_a_recording_s_seconds_arrive_at_the_aggregator_and_the_last_period_is_closed_at_its_end() -> None:
    store, outbox = Store({2}), Outbox()
    sink = Direct(Aggregator(store, outbox, AggregatorConfig(save_s=1.0)))
    task = TaskRef(task_id=1, task_num="1", task_name="t", src_address="", time_zone="Asia/Shanghai")
    address = "sim://approach?seed=1&duration_s=5&width=640&height=384&fps=5&warmup_s=0"
    spec = TaskSpec(
        ref=TaskRef(task_id=1, task_num="1", task_name="t", src_address=address, time_zone=task.time_zone),
        scene=Scene(lanes=(LANE,), regions=(REGION,)), analysed_fps=0.0, rtsp_transport="tcp", loop=False, start_time_s=START,
        enabled=True, revision="1",
    )  # fmt: skip
    services = CameraServices(connect_detector=AtSourceSize, sink=outbox, archive=None, cells=sink)
    runner = CameraRunner(spec, services, CameraConfig(pipeline=PipelineConfig()))
    runner.start()
    try:
        assert sink.ended.wait(60)
    finally:
        runner.stop()
    lanes = outbox.lanes(2)
    assert lanes
    assert {lane.road_num for lane in lanes} == {3}
    assert sum(lane.observed_s for lane in lanes) > 3.0
    assert len({lane.close_s for lane in lanes}) == len(lanes)
    assert lanes[-1].queue_num == 1
    people = [e.fact for e in outbox.facts.values() if isinstance(e.fact, PeopleParameters)]
    assert np.isclose(people[-1].densities[0].people_mean, 1.0, atol=0.3)
    assert store.states


class Slow:
    """CellSink of a busy aggregator."""

    def __init__(self) -> None:
        self.batches = 0

    def send(self, task: TaskRef, batches: Sequence[CellBatch], *, ended: bool, life: str) -> CellReceipt:
        time.sleep(0.6)
        self.batches += len(batches)
        return CellReceipt(life="1", durable={batch.source: batch.sequence for batch in batches})

    def crowds(self, task: TaskRef) -> dict[int, CrowdState]:
        return {}


def test_a_stopped_camera_says_so_however_long_its_last_cells_take() -> None:
    outbox, cells = Outbox(), Slow()
    address = "sim://approach?seed=1&width=640&height=384&fps=5&warmup_s=0"
    spec = TaskSpec(
        ref=TaskRef(task_id=1, task_num="1", task_name="t", src_address=address, time_zone="Asia/Shanghai"),
        scene=Scene(lanes=(LANE,), regions=(REGION,)), analysed_fps=0.0, rtsp_transport="tcp", loop=False, start_time_s=START,
        enabled=True, revision="1",
    )  # fmt: skip
    services = CameraServices(connect_detector=AtSourceSize, sink=outbox, archive=None, cells=cells)
    runner = CameraRunner(spec, services, CameraConfig(pipeline=PipelineConfig()))
    runner.start()
    end = time.monotonic() + 60
    while not cells.batches:
        assert time.monotonic() < end
        time.sleep(0.05)
    runner.stop()
    told = [e.fact.status for e in outbox.facts.values() if isinstance(e.fact, TaskStatus)]
    assert told[-1] is TaskStatusCode.NOT_STARTED


CROWD = Region(
    region_code=4, name="", kind="crowd", polygon=REGION.polygon, crowd=CrowdRule(min_people=1, min_time_s=1.0, repeat_s=None)
)


def crowd_life(store: Store, outbox: Outbox, start_s: float, aggregator: Aggregator) -> None:
    """One life of a camera that looks at a standing crowd for five seconds."""
    sink = Direct(aggregator)
    address = "sim://approach?seed=1&duration_s=5&width=640&height=384&fps=5&warmup_s=0"
    spec = TaskSpec(
        ref=TaskRef(task_id=1, task_num="1", task_name="t", src_address=address, time_zone="Asia/Shanghai"),
        scene=Scene(regions=(CROWD,)), analysed_fps=0.0, rtsp_transport="tcp", loop=False, start_time_s=start_s, enabled=True,
        revision="1",
    )  # fmt: skip
    services = CameraServices(connect_detector=AtSourceSize, sink=outbox, archive=None, cells=sink)
    runner = CameraRunner(spec, services, CameraConfig(pipeline=PipelineConfig()))
    runner.start()
    try:
        assert sink.ended.wait(60)
    finally:
        runner.stop()


def test_a_camera_that_starts_anew_does_not_state_the_same_gathering_again_though_the_aggregator_was_killed_too() -> None:
    store, outbox = Store({2}), Outbox()
    for life in range(3):
        crowd_life(store, outbox, START + 8.0 * life, Aggregator(store, outbox, AggregatorConfig(save_s=1e9)))
    stated = [e.fact for e in outbox.facts.values() if isinstance(e.fact, CrowdAlarm)]
    assert [(alarm.region_code, alarm.repeat) for alarm in stated] == [(4, 0)]
