"""Speeds, headways, spacings and lengths of scripted traffic through the real tracker (``benchmarks.passages``)."""

import dataclasses

import numpy as np
import pytest

from benchmarks.passage_scores import score
from benchmarks.passages import Conditions, RoadCamera, make_scene, run
from tests.traffic.passages.scripted import lane
from traffic.facts import Heading
from traffic.passages.camera import recover_camera
from traffic.passages.config import PassageConfig
from traffic.passages.fit import fit_motion
from traffic.passages.gates import Gates
from traffic.passages.heading import heading_of
from traffic.passages.measurement import Measurer
from traffic.passages.size import SizeEstimate, estimate_size
from traffic.passages.stitching import find_predecessor
from traffic.passages.vehicle import Sample, Trajectory, Vehicle
from traffic.passages.view import GroundView
from traffic.types import ObjectClass, Track, TrackId, TrackState

QUICK = Conditions(vehicles=15, lanes=3, fps=12.5, seed=11)


@pytest.mark.parametrize(
    "conditions",
    [
        QUICK,
        dataclasses.replace(QUICK, speed_kmh=130.0, fps=8.0),
        dataclasses.replace(QUICK, toward=False, line_m=45.0),
        dataclasses.replace(QUICK, yaw_deg=-25.0, offset_m=12.0, line_m=26.0),
    ],
    ids=["toward", "fast at 8 fps", "away", "from the side"],
)
def test_none_lost_none_doubled_and_small_errors(conditions: Conditions) -> None:
    result = score(*run(conditions))
    assert (result.lost, result.extra, result.wrong_lane, result.unmeasured_speeds) == (0, 0, 0, 0)
    assert np.median(np.abs(result.speed_kmh)) < 1.5
    assert np.percentile(np.abs(result.speed_kmh), 95) < 4.0
    assert np.median(np.abs(result.headway_s)) < 0.05
    assert np.median(np.abs(result.spacing_m)) < 1.0


def test_broken_tracks_and_short_occlusions_lose_and_double_nothing() -> None:
    result = score(*run(dataclasses.replace(QUICK, cut_ids=0.5, occlusions=0.5, vehicles=30)))
    assert (result.lost, result.extra, result.wrong_lane) == (0, 0, 0)


def test_a_far_track_whose_jump_looks_like_360_km_h_does_not_take_a_new_vehicle_for_itself() -> None:
    camera = RoadCamera(QUICK)
    view = GroundView(make_scene(QUICK, camera).calibration, QUICK.frame_size)

    def sample(time_s: float, ahead_m: float) -> Sample:
        box = camera.box(0.0, ahead_m, 4.5, 1.8, 1.5)
        assert box is not None
        return Sample(time_s, tuple((box / np.array([1280, 720, 1280, 720])).tolist()), (0.0, ahead_m), (0.0, 4.5), True)

    def track(number: int, time_s: float) -> Track:
        return Track(
            track_id=TrackId(number), state=TrackState.CONFIRMED, box=(0, 0, 1, 1), velocity=(0.0, 0.0), moved=True,
            object_class=ObjectClass.CAR, class_share=1.0, score=0.9, time_s=time_s, first_time_s=time_s, hits=3,
            time_since_update_s=0.0, detection=None,
        )  # fmt: skip

    def found(places_m: tuple[float, ...], place_m: float) -> bool:
        far = Vehicle(track=track(1, 0.0), last_matched_s=0.2)
        for index, ahead_m in enumerate(places_m):
            far.trajectory.add(sample(0.1 * index, ahead_m))
        return find_predecessor(track(2, 1.0), sample(1.0, place_m), [far], view, PassageConfig()) is not None

    assert found((60.0, 58.0, 56.0), 40.0)  # 20 m/s towards the camera, found again where it must be
    assert not found((80.0, 70.0, 60.0), 25.0)


def test_twice_the_same_input_gives_the_same_passages() -> None:
    small = dataclasses.replace(QUICK, vehicles=6)
    assert run(small)[1] == run(small)[1]


def view_of(conditions: Conditions) -> tuple[RoadCamera, GroundView]:
    camera = RoadCamera(conditions)
    scene = make_scene(conditions, camera)
    return camera, GroundView(scene.calibration, conditions.frame_size, np.array(camera.relative(0.0, conditions.line_m)))


@pytest.mark.parametrize("yaw", [0.0, 20.0, -30.0])
def test_the_camera_is_recovered_from_the_homography(yaw: float) -> None:
    conditions = Conditions(yaw_deg=yaw, offset_m=3.0)
    _, view = view_of(conditions)
    assert view.camera is not None
    assert view.camera.height_m == pytest.approx(conditions.height_m, abs=1e-3)
    assert view.camera.foot == pytest.approx([3.0, 0.0], abs=1e-3)


def test_a_view_straight_down_has_no_camera_and_uses_the_box_s_foot() -> None:
    metres = np.diag([40.0, 22.5, 1.0])
    assert recover_camera(metres, 16 / 9, np.array([0.5, 0.5])) is None


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_centre_of_a_block_is_found_from_its_box(mirrored: bool) -> None:
    conditions = Conditions(yaw_deg=-25.0, offset_m=12.0)
    camera, view = view_of(conditions)
    if mirrored:  # a road frame of the other handedness
        matrix = np.diag([-1.0, 1.0, 1.0]) @ view._matrix
        view = GroundView(dataclasses.replace(make_scene(conditions, camera).calibration, image_to_road=matrix), (1280, 720))  # type: ignore[type-var]
    size = (4.5, 1.8, 1.5)
    box = camera.box(2.0, 30.0, *size)
    assert box is not None
    found = view.centres(view.relative(box[None]), np.array([[0.0, -1.0]]), np.array([size]))[0]
    assert found == pytest.approx([-2.0 if mirrored else 2.0, 30.0], abs=0.02)
    foot = view.contacts(view.relative(box[None]))[0]
    assert np.hypot(*(foot - found)) > 1.0, "the uncorrected contact point is far off, else this test shows nothing"


def test_a_length_comes_with_an_error_that_shows_whether_the_view_told_it() -> None:
    def estimate(conditions: Conditions, x: float) -> SizeEstimate:
        camera, view = view_of(conditions)
        boxes = [camera.box(x, y, 12.0, 2.5, 3.0) for y in (50.0, 45.0, 40.0, 35.0)]
        return estimate_size(view, view.relative(np.array(boxes)), np.tile([0.0, -1.0], (4, 1)), ObjectClass.TRUCK)

    beside = estimate(Conditions(yaw_deg=-25.0, offset_m=12.0), 2.0)
    assert beside.length_m == pytest.approx(12.0, abs=1.0)
    assert beside.length_std_m < 1.5
    low_ahead = estimate(Conditions(height_m=3.5, pitch_deg=5.0), 0.0)
    assert low_ahead.length_std_m > 2.0, "straight ahead and low, the length is hidden behind the front"
    assert abs(low_ahead.length_m - 12.0) < 2 * low_ahead.length_std_m


def test_the_fit_shrugs_off_wild_boxes() -> None:
    random = np.random.default_rng(1)
    times = np.arange(0, 2.0, 0.04)
    points = np.column_stack([np.zeros_like(times), 20.0 * times]) + random.normal(0, 0.1, (len(times), 2))
    points[::9] += [1.0, 6.0]
    motion = fit_motion(times, points, np.full(len(times), 0.1), 2.0, 0.5)
    assert motion.speed == pytest.approx(20.0, abs=0.3)


def test_the_fit_follows_braking() -> None:
    times = np.arange(0, 2.5, 0.04)
    points = np.column_stack([np.zeros_like(times), 15.0 * times - 1.5 * times**2])
    motion = fit_motion(times, points, np.full(len(times), 0.1), 2.4, 0.5)
    assert motion.speed == pytest.approx(15.0 - 3.0 * 2.4, abs=0.2)


@pytest.mark.parametrize(
    ("direction", "heading"),
    [
        ((0, 1), Heading.FRONT),
        ((1, 1), Heading.FRONT_RIGHT),
        ((1, 0), Heading.RIGHT),
        ((1, -1), Heading.REAR_RIGHT),
        ((0, -1), Heading.REAR),
        ((-1, -1), Heading.REAR_LEFT),
        ((-1, 0), Heading.LEFT),
        ((-1, 1), Heading.FRONT_LEFT),
    ],
)
def test_heading_codes_in_the_picture(direction: tuple[float, float], heading: Heading) -> None:
    view = GroundView(None, (1000, 1000))
    assert heading_of(np.array(direction, float), np.array([0.5, 0.5]), view) is heading


@pytest.mark.parametrize(("toward", "heading"), [(True, Heading.FRONT), (False, Heading.REAR)])
def test_heading_on_a_calibrated_road_is_that_of_the_road_not_of_the_picture(toward: bool, heading: Heading) -> None:
    # Far to the side the picture shows a lane obliquely, while the camera looks along it.
    conditions = Conditions(toward=toward, line_m=40.0)
    _, view = view_of(conditions)
    gates = Gates(make_scene(conditions, RoadCamera(conditions)).lanes, view)
    for gate in gates.gates:
        assert heading_of(gate.direction, view.to_image(gate.line.origin), view) is heading
        assert gate.seen_end == (0.5 if toward else -0.5)


def test_a_vehicle_that_stands_at_the_line_keeps_the_heading_of_its_way() -> None:
    view = GroundView(None, (1000, 1000))
    gates = Gates((lane(1, 0.2, 0.8),), view)
    trajectory = Trajectory()
    for index in range(120):  # comes obliquely, from the left, then stands and trembles mostly to the left
        time_s = index / 10
        x, y = (0.2 + 0.1 * time_s, 0.4 + 0.1 * time_s) if time_s <= 3 else (0.5 - 0.003 * (index % 2), 0.7)
        trajectory.add(Sample(time_s, (x - 0.04, y - 0.06, x + 0.04, y), (x, y), (0.0, 0.0), True))
    heading = Measurer(view, gates, PassageConfig())._heading(trajectory, gates.gates[0], 11.0, None)
    assert heading is Heading.FRONT_RIGHT
