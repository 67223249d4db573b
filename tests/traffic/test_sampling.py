"""One camera from boxes to parameters: the real tracker and passages, a known road."""

import dataclasses

import numpy as np
import pytest

from benchmarks.passages import LANE_WIDTH_M, Conditions, RoadCamera, frames, make_scene
from traffic.aggregation import TaskAggregator
from traffic.facts import CrowdAlarm, EventKind, LaneParameters, PeopleParameters
from traffic.parameters.config import ParameterConfig
from traffic.parameters.footprint import image_length
from traffic.parameters.memory import LaneMemory
from traffic.parameters.observation import LaneVehicle
from traffic.passages import PassageAnalyzer
from traffic.passages.dimensions import usual_dimensions
from traffic.people import CrowdRule
from traffic.people.crowd import durable_part
from traffic.sampling import SceneSampler
from traffic.scene.model import Region, Scene
from traffic.scene.rules import EventRule, Schedule
from traffic.tracking import Tracker
from traffic.types import Detections, ObjectClass, Track, TrackId, TrackState

START = 1_700_000_040.0
ROAD = Conditions(lanes=2, fps=10.0, height_m=9.0)
STOP_M = ROAD.line_m
LENGTHS = {ObjectClass.CAR: (4.4, 1.8, 1.5), ObjectClass.BUS: (11.5, 2.5, 3.1)}


def road(*, calibrated: bool = True) -> Scene:
    """Two lanes towards the camera with a stop line at the snapshot line."""
    scene = make_scene(ROAD, RoadCamera(ROAD))
    lanes = tuple(dataclasses.replace(lane, stop_line=lane.snapshot_line) for lane in scene.lanes)
    return dataclasses.replace(scene, lanes=lanes, calibration=scene.calibration if calibrated else None)


class Pipeline:
    """Boxes in, parameters out."""

    def __init__(self, scene: Scene, period: int) -> None:
        self.tracker, self.analyzer = Tracker(), PassageAnalyzer(scene)
        self.sampler, self.aggregator = SceneSampler(scene, "life"), TaskAggregator((period,))
        self.found: list[LaneParameters] = []

    def frame(self, time_s: float, detections: Detections, size: tuple[int, int] = ROAD.frame_size) -> None:
        tracks = self.tracker.update(time_s, detections)
        passages = self.analyzer.update(time_s, size, tracks)
        self.sampler.advance(time_s, size, tracks, self.analyzer, passages)
        batch = self.sampler.take()
        if batch is not None:
            self.found += [p for p in self.aggregator.accept(batch) if isinstance(p, LaneParameters)]

    def end(self) -> list[LaneParameters]:
        batch = self.sampler.finish()
        if batch is not None:
            self.aggregator.accept(batch)
        self.found += [p for p in self.aggregator.finish() if isinstance(p, LaneParameters)]
        return self.found


def queue_frames(camera: RoadCamera, seconds: float, hidden: tuple[float, float] = (1e9, 1e9)):
    """In lane 1 a bus and four cars drive up and wait; nothing in lane 2. The third vehicle is hidden for a while."""
    random = np.random.default_rng(5)
    for index in range(round(seconds * ROAD.fps)):
        time_s, boxes, classes, front = index / ROAD.fps, [], [], STOP_M + 1.5
        for number in range(5):
            object_class = ObjectClass.BUS if number == 1 else ObjectClass.CAR
            length, width, height = LENGTHS[object_class]
            y = max(front, STOP_M + 60 + 14 * number - 9 * time_s) + length / 2
            front += length + 2.5
            box = camera.box(-LANE_WIDTH_M / 2, y, length, width, height)
            if box is None or (number == 2 and hidden[0] <= time_s < hidden[1]):
                continue
            boxes.append(box + random.normal(0, 1.5, 4))
            classes.append(int(object_class))
        yield START + time_s, Detections(
            boxes=np.array(boxes, np.float32).reshape(-1, 4), scores=np.full(len(boxes), 0.9, np.float32),
            classes=np.array(classes, np.int64),
        )  # fmt: skip


TRUE_LENGTH_M = 1.5 + 4 * 4.4 + 11.5 + 4 * 2.5


@pytest.mark.parametrize("hidden", [(1e9, 1e9), (30.0, 55.0)], ids=["all seen", "one hidden for 25 s"])
def test_a_standing_queue_keeps_its_number_and_length_for_minutes(hidden: tuple[float, float]) -> None:
    camera, pipeline = RoadCamera(ROAD), Pipeline(road(), 10)
    for time_s, detections in queue_frames(camera, 120, hidden):
        pipeline.frame(time_s, detections)
    found = pipeline.end()
    waiting = [p for p in found if p.road_num == 1 and 20 <= p.open_s - START < 110]
    assert [p.queue_num for p in waiting] == [5] * 9
    for parameters in waiting:
        assert parameters.queue_length_m == pytest.approx(TRUE_LENGTH_M, abs=4.0)
        assert parameters.space_occupancy_ratio == pytest.approx((4 * 4.4 + 11.5) / 73, abs=0.06)
        assert parameters.vehicles == 0
    empty = [p for p in found if p.road_num == 2]
    assert len(empty) == 12
    assert all(p.queue_num == 0 and p.time_occupancy_ratio == 0 for p in empty)


@pytest.mark.parametrize("calibrated", [True, False])
def test_the_queue_of_the_newest_frame_is_known_with_its_place_in_the_picture(calibrated: bool) -> None:
    camera, pipeline = RoadCamera(ROAD), Pipeline(road(calibrated=calibrated), 10)
    assert pipeline.sampler.queue_outlines({}, pipeline.analyzer) == ()
    boxes = []
    for time_s, detections in queue_frames(camera, 40):
        pipeline.frame(time_s, detections)
        boxes = detections.boxes / np.array([*ROAD.frame_size] * 2)
    queues = pipeline.sampler.queues
    assert [(number, queue.number) for number, queue in queues.items()] == [(1, 5)]
    (drawn,) = pipeline.sampler.queue_outlines(queues, pipeline.analyzer)
    assert (drawn.number, drawn.length_m is not None) == (5, calibrated)
    # Seen from in front of the stop line, the rear is where the last vehicle stands: within its box or just above.
    rear = sum(y for _, y in drawn.rear) / 2
    last = min(boxes, key=lambda box: box[3])
    assert last[1] - 0.05 < rear < last[3]


def test_without_calibration_the_queue_is_counted_but_not_measured() -> None:
    camera, pipeline = RoadCamera(ROAD), Pipeline(road(calibrated=False), 10)
    for time_s, detections in queue_frames(camera, 60):
        pipeline.frame(time_s, detections)
    waiting = [p for p in pipeline.end() if p.road_num == 1 and 20 <= p.open_s - START < 60]
    assert [p.queue_num for p in waiting] == [5] * 4
    assert {p.queue_length_m for p in waiting} == {None}
    assert all(0.25 < p.space_occupancy_ratio < 0.9 for p in waiting)


def test_flow_is_the_passages_and_speeds_and_density_fit_together() -> None:
    conditions = dataclasses.replace(ROAD, vehicles=40, speed_kmh=50.0)
    camera, truth = RoadCamera(conditions), []
    pipeline = Pipeline(make_scene(conditions, camera), 120)
    for time_s, detections, _ in frames(conditions, camera, truth):
        pipeline.frame(time_s, detections)
    found = pipeline.end()
    assert sum(p.vehicles for p in found) == len(truth) == 40
    busy = max(found, key=lambda p: p.vehicles)
    mine = [t for t in truth if t.road_num == busy.road_num and busy.open_s <= t.time_s < busy.close_s]
    assert busy.vehicles == len(mine)
    assert busy.time_mean_speed_kmh == pytest.approx(np.mean([t.speed_kmh for t in mine]), rel=0.02)
    dwell_s = sum((t.length_m + 2.0) / (t.speed_kmh / 3.6) for t in mine)
    assert busy.time_occupancy_ratio * busy.observed_s == pytest.approx(dwell_s, rel=0.15)
    assert busy.space_mean_speed_kmh == pytest.approx(busy.harmonic_mean_speed_kmh, rel=0.05)
    flow = busy.density_veh_km * busy.space_mean_speed_kmh  # q = k v
    assert flow == pytest.approx(busy.flow_rate_veh_h, rel=0.25)


def test_learned_lanes_are_sampled_from_the_moment_they_are_known() -> None:
    conditions = dataclasses.replace(ROAD, vehicles=60)
    camera = RoadCamera(conditions)
    pipeline = Pipeline(Scene(), 60)
    for time_s, detections, _ in frames(conditions, camera, []):
        pipeline.frame(time_s, detections)
    found = pipeline.end()
    assert found
    assert all(p.queue_num is None and p.density_veh_km is None and p.observed_s > 0 for p in found)
    assert sum(p.vehicles for p in found) + pipeline.sampler.late_passings <= 60


def test_people_and_crowds_of_a_scene() -> None:
    square = Region(
        region_code=7, name="广场", kind="crowd", polygon=((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)), area_m2=50.0
    )
    scene = Scene(regions=(square,))
    sampler = SceneSampler(scene, "life", crowd=CrowdRule(min_people=4, min_time_s=3.0, repeat_s=None))
    analyzer, aggregator = PassageAnalyzer(scene), TaskAggregator((10,))
    alarms: list[CrowdAlarm] = []
    found, told = [], {}
    for index in range(250):
        time_s = START + index / 10
        people = [standing(n, 300.0 + 60 * n, time_s) for n in range(5 if index >= 50 else 2)]
        analyzer.update(time_s, (1000, 500), people)
        alarms += sampler.advance(time_s, (1000, 500), people, analyzer, ())
        if batch := sampler.take():
            told.update({durable_part(crowd): index for _, crowd in batch.crowds if durable_part(crowd) not in told})
            found += aggregator.accept(batch)
    assert [(a.region_code, a.people_num, round(a.time_s - START, 1)) for a in alarms] == [(7, 5, 8.0)]
    assert alarms[0].box == (100.0, 50.0, 900.0, 450.0)
    assert [index for state, index in told.items() if state[2] is not None] == [50, 80]  # formed and stated: told in that frame
    first = found[0]
    assert isinstance(first, PeopleParameters)
    assert first.densities[0].people_mean == pytest.approx(3.5, abs=0.1)
    assert first.densities[0].density_per_m2 == pytest.approx(0.07, abs=0.002)
    again = SceneSampler(scene, "next life", crowd=CrowdRule(min_people=4, min_time_s=3.0, repeat_s=None))
    again.restore_crowds(sampler.crowds())
    for index in range(100):
        time_s = START + 26 + index / 10
        people = [standing(n, 300.0 + 60 * n, time_s) for n in range(5)]
        assert again.advance(time_s, (1000, 500), people, analyzer, ()) == ()


@pytest.mark.parametrize(
    ("rule", "disabled", "alarms"),
    [
        (EventRule(kind=EventKind.CROWD), frozenset(), 1),
        (EventRule(kind=EventKind.CROWD, enabled=False), frozenset(), 0),
        (EventRule(kind=EventKind.CROWD), frozenset({EventKind.CROWD}), 0),
        # START is 06:14 on a Wednesday in China, 22:14 on Tuesday in UTC.
        (EventRule(kind=EventKind.CROWD, schedules=(Schedule(begin_min=360, end_min=420),)), frozenset(), 1),
        (EventRule(kind=EventKind.CROWD, schedules=(Schedule(days=frozenset({2})),)), frozenset(), 0),
    ],
)
def test_gatherings_are_stated_only_when_the_rule_of_the_kind_wants_them(
    rule: EventRule, disabled: frozenset[EventKind], alarms: int
) -> None:
    square = Region(
        region_code=7, name="", kind="crowd", polygon=((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)), disabled_events=disabled
    )
    scene = Scene(regions=(square,), events=(rule,))
    sampler = SceneSampler(scene, "life", crowd=CrowdRule(min_people=4, min_time_s=1.0, repeat_s=None))
    analyzer, found = PassageAnalyzer(scene), 0
    for index in range(50):
        time_s = START + index / 10
        people = [standing(n, 300.0 + 60 * n, time_s) for n in range(5)]
        analyzer.update(time_s, (1000, 500), people)
        found += len(sampler.advance(time_s, (1000, 500), people, analyzer, ()))
    assert found == alarms


def standing(number: int, x: float, time_s: float) -> Track:
    box = (x - 15, 200.0, x + 15, 280.0)
    return Track(
        track_id=TrackId(number), state=TrackState.CONFIRMED, box=box, velocity=(0.0, 0.0), object_class=ObjectClass.PERSON,
        class_share=1.0, score=0.9, time_s=time_s, first_time_s=START, hits=9, time_since_update_s=0.0, moved=True, detection=box,
    )  # fmt: skip


@pytest.mark.parametrize(("way", "true"), [((0.0, 1.0), 90.0), ((1.0, 0.0), 180.0)])
def test_the_length_in_the_picture_leaves_the_vehicles_height_out(way: tuple[float, float], true: float) -> None:
    """A car at 40 units per metre: driving into the picture half its length is seen, across it all of it."""
    car = usual_dimensions(ObjectClass.CAR)
    width = 40 * car.width_m if way[1] else true
    height = true + 40 * car.height_m if way[1] else 40 * (car.height_m + 0.4 * car.width_m)
    assert image_length(width, height, way, car) == pytest.approx(true, rel=0.1)


def hidden_car(number: int, front: float) -> LaneVehicle:
    return LaneVehicle(track_id=TrackId(number), object_class=ObjectClass.CAR, front=front, rear=front - 4.5)


def test_a_hidden_standing_vehicle_is_held_until_another_takes_its_place() -> None:
    memory = LaneMemory(ParameterConfig(hold_s=30.0))
    for tenth in range(20):
        memory.complete(tenth / 10, [hidden_car(1, 50), hidden_car(2, 42)], {TrackId(1), TrackId(2)})
    assert len(memory.complete(20.0, [hidden_car(1, 50)], {TrackId(1)})) == 2
    assert [v.track_id for v in memory.complete(21.0, [hidden_car(1, 50), hidden_car(3, 43)], {TrackId(1), TrackId(3)})] == [1, 3]
    assert memory.complete(60.0, [], set()) == []


def test_a_hidden_moving_vehicle_drives_on_for_a_moment_only() -> None:
    memory = LaneMemory(ParameterConfig(coast_s=0.6))
    for tenth in range(11):
        memory.complete(tenth / 10, [hidden_car(1, 10 + tenth)], {TrackId(1)})
    (carried,) = memory.complete(1.5, [], set())
    assert carried.front == pytest.approx(25)
    assert memory.complete(1.7, [], set()) == []


def test_a_standing_vehicle_at_the_pictures_edge_is_soon_taken_for_gone() -> None:
    memory = LaneMemory(ParameterConfig(hold_s=30.0, edge_hold_s=2.0))
    for tenth in range(20):
        memory.complete(tenth / 10, [hidden_car(1, 50)], {TrackId(1)}, {TrackId(1)})
    assert len(memory.complete(3.0, [], set())) == 1
    assert memory.complete(4.5, [], set()) == []


def test_a_vehicle_seen_anywhere_else_is_hidden_nowhere() -> None:
    memory = LaneMemory(ParameterConfig())
    for tenth in range(20):
        memory.complete(tenth / 10, [hidden_car(1, 50)], {TrackId(1)})
    assert memory.complete(2.0, [], {TrackId(1)}) == []
