"""The simulated camera: addresses, determinism, traffic that behaves, truth that fits the view."""

import json
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from actors.errors import SourceError
from actors.simulation import SimulatedCamera, SimulationSettings, parse_address, record
from actors.simulation.people import PeopleModel
from actors.simulation.road import SNAPSHOT_Y, build_camera, build_road
from actors.simulation.signals import SignalPlan
from actors.simulation.sprites import default_cache_dir
from actors.simulation.traffic_model import TrafficModel
from traffic.scene.document import parse_scene

SMALL = "sim://approach?seed=3&width=320&height=180&warmup_s=100&fps=5"


def _traffic(address: str) -> TrafficModel:
    settings = parse_address(address)
    return TrafficModel(settings, build_road(settings), SignalPlan(cycle_s=settings.cycle_s, green_s=settings.green_s))


def test_address_without_parameters_gives_the_defaults() -> None:
    assert parse_address("sim://approach") == SimulationSettings()


def test_address_reads_numbers_names_and_incidents() -> None:
    settings = parse_address("sim://approach?seed=9&light=night&incident=stopped_vehicle:at=5:for=20:lane=2")
    assert (settings.seed, settings.light) == (9, "night")
    assert (settings.incidents[0].kind, settings.incidents[0].lane) == ("stopped_vehicle", 2)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("lanes=9", "lanes"),
        ("light=noon", "day, dusk, night"),
        ("fps=abc", "fps"),
        ("fps=nan", "fps"),
        ("colour=red", "colour"),
        ("seed=1&seed=2", "seed"),
        ("incident=fire", "stopped_vehicle"),
        ("incident=wrong_way:lane=4", "incident lane"),
        ("green_s=55", "green_s"),
        ("width=641", "even"),
    ],
)
def test_bad_parameters_name_themselves(query: str, named: str) -> None:
    with pytest.raises(SourceError, match=named) as caught:
        parse_address(f"sim://approach?{query}")
    assert caught.value.permanent


def test_frames_are_the_same_from_cold_warm_and_damaged_cache(tmp_path: Path) -> None:
    def film() -> list[tuple[bytes, dict[str, object]]]:
        frames = islice(SimulatedCamera(parse_address(SMALL), tmp_path).frames(), 4)
        return [(f.image.tobytes(), f.truth.to_json(f.index, f.time_s)) for f in frames]

    cold = film()
    kept = sorted(tmp_path.glob("*.sprite"))
    assert kept
    warm = film()
    kept[0].write_bytes(b"damaged")
    kept[-1].write_bytes(kept[-1].read_bytes()[:-3])
    assert cold == warm == film()


def test_frames_have_the_promised_form(tmp_path: Path) -> None:
    frame = next(SimulatedCamera(parse_address(SMALL), tmp_path).frames())
    assert frame.image.shape == (180, 320, 3)
    assert frame.image.dtype == np.uint8
    assert frame.image.flags.c_contiguous
    assert frame.image.flags.writeable


def test_vehicles_of_a_lane_never_overlap() -> None:
    traffic = _traffic(
        "sim://approach?seed=5&flow=3000&incident=stopped_vehicle:at=20:for=30:lane=2&incident=wrong_way:at=90:lane=1"
    )
    seen = set()
    for tick in range(1500):
        traffic.advance(tick / 5)
        seen |= {incident.kind for incident in traffic.incidents()}
        lanes: dict[int, list[tuple[float, float]]] = {}
        for v in traffic.vehicles():
            lanes.setdefault(v.lane.road_num, []).append(tuple(sorted((v.front_y, v.front_y - v.heading * v.model.length_m))))  # type: ignore[arg-type]
        for spans in lanes.values():
            spans.sort()
            assert all(b[0] > a[1] for a, b in pairwise(spans))
    assert seen == {"stopped_vehicle", "wrong_way"}


def test_queues_form_at_red_and_dissolve_at_green() -> None:
    traffic = _traffic("sim://approach?seed=2&flow=1800")
    lengths = {}
    for second in range(121):
        traffic.advance(float(second))
        lengths[second] = sum(q.vehicles for q in traffic.queues() if q.road_num <= 3)
    assert max(lengths[s] for s in range(50, 61)) >= 4
    assert min(lengths[s] for s in range(75, 91)) == 0


def test_nobody_drives_over_the_stop_line_at_red() -> None:
    settings = parse_address("sim://approach?seed=4&flow=2400")
    traffic = _traffic("sim://approach?seed=4&flow=2400")
    plan = SignalPlan(cycle_s=settings.cycle_s, green_s=settings.green_s)
    before: dict[int, float] = {}
    for tick in range(1200):
        traffic.advance(tick / 10)
        for v in traffic.vehicles():
            if v.lane.signalled and plan.vehicle(tick / 10) == "red" and plan.vehicle(tick / 10 - 1) == "red":
                assert not (before.get(v.track_id, 0.0) < 42.0 <= v.front_y)
            before[v.track_id] = v.front_y


def test_passages_come_once_per_vehicle_with_consistent_headways() -> None:
    traffic = _traffic("sim://approach?seed=6")
    passages = traffic.advance(200.0)
    assert len({p.track_id for p in passages}) == len(passages) > 20
    lane = [p for p in passages if p.road_num == 1]
    for first, second in pairwise(lane):
        assert second.headway_s == pytest.approx(second.time_s - first.time_s)
        assert second.spacing_m is not None
        assert second.spacing_m > 3.5


def test_people_start_only_while_they_may_walk() -> None:
    settings = parse_address("sim://approach?seed=1&pedestrians=1500")
    plan, road = SignalPlan(cycle_s=60, green_s=30), build_road(settings)
    people = PeopleModel(settings, road, plan)
    started: set[int] = set()
    for tick in range(2400):
        people.advance(tick / 20)
        now = {p.track_id for p in people.people if p.crossing}
        assert not (now - started) or plan.walk_left_s(tick / 20) > 0 or tick == 0
        started |= now
    assert len(started) > 10


def test_scene_document_is_valid_and_maps_the_road_exactly() -> None:
    camera = SimulatedCamera(parse_address("sim://approach"), default_cache_dir())
    scene = parse_scene(json.dumps(camera.scene_document()))
    assert [lane.road_num for lane in scene.lanes] == [1, 2, 3, 4, 5]
    assert scene.calibration is not None
    pinhole = build_camera(camera.settings)
    u, v, _ = pinhole.project(np.array([2.25, SNAPSHOT_Y, 0.0]))
    x, y, w = scene.calibration.image_to_road @ np.array([u / pinhole.width, v / pinhole.height, 1.0])
    assert (x / w, y / w) == pytest.approx((2.25, SNAPSHOT_Y), abs=0.01)


def test_recording_writes_video_and_truth_line_for_line(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    out, truth = tmp_path / "clip.mp4", tmp_path / "truth.jsonl"
    record(parse_address(SMALL), out, truth, 1.0, lambda done, total: steps.append((done, total)), cache_dir=tmp_path)
    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5
    lines = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    assert [line["index"] for line in lines] == [0, 1, 2, 3, 4]
    assert steps[-1] == (5, 5)


def test_warm_up_leaves_a_queue_at_the_end_of_red() -> None:
    traffic = _traffic("sim://approach?seed=1&flow=1800")
    traffic.advance(-0.1)
    assert sum(q.vehicles for q in traffic.queues()) >= 3
