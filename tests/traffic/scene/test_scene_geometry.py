"""Scene documents whose JSON is right but whose drawing is not, and what may be drawn either way."""

import copy
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.traffic.scene.test_scene_document import CHINESE, DOCUMENT, LANE
from traffic.errors import SceneError, SceneProblem
from traffic.geometry import Homography
from traffic.scene import Scene
from traffic.scene.document import parse_scene, scene_to_document, scene_warnings

RECTANGLE = DOCUMENT["calibration"]["rectangle"]["image"]
BENT: dict[str, Any] = {  # up, then to the right, in the shape of an L
    "roadNum": 1,
    "polygon": [[0.1, 0.9], [0.1, 0.1], [0.9, 0.1], [0.9, 0.3], [0.3, 0.3], [0.3, 0.9]],
    "direction": [[0.2, 0.9], [0.2, 0.2], [0.9, 0.2]],
    "snapshotLine": [[0.8, 0.1], [0.8, 0.3]],
    "entryLine": [[0.1, 0.6], [0.3, 0.6]],
}


def _lane(**changes: Any) -> dict[str, Any]:
    return {"lanes": [copy.deepcopy(LANE) | changes]}


def _faults(document: dict[str, Any]) -> dict[str, SceneProblem]:
    with pytest.raises(SceneError) as caught:
        parse_scene(document)
    return {problem.path: problem for problem in caught.value.problems}


def _calibrated(calibration: dict[str, Any], lanes: list[dict[str, Any]] | None = None) -> Scene:
    return parse_scene({"lanes": [LANE] if lanes is None else lanes, "calibration": calibration})


def test_mirrored_corners_of_a_rectangle_are_told_as_such() -> None:
    mirrored = [RECTANGLE[1], RECTANGLE[0], RECTANGLE[3], RECTANGLE[2]]
    faults = _faults({"lanes": [LANE], "calibration": {"rectangle": {"image": mirrored, "widthM": 3.5, "lengthM": 30}}})
    assert "mirrored" in faults["calibration.rectangle.image"].english
    assert "镜像" in faults["calibration.rectangle.image"].chinese


def test_near_and_far_exchanged_is_a_warning_because_a_camera_may_look_straight_down() -> None:
    turned = [[0.7, 0.2], [0.3, 0.2], [0.3, 0.8], [0.7, 0.8]]
    document = {"calibration": {"rectangle": {"image": turned, "widthM": 3.5, "lengthM": 30}}}
    parse_scene(document)
    assert [warning.path for warning in scene_warnings(document)] == ["calibration.rectangle.image"]


def test_points_in_a_left_handed_road_frame_are_allowed_with_a_warning() -> None:
    def document(sign: int) -> dict[str, Any]:
        road = [[0, 0], [sign * 3.5, 0], [sign * 3.5, 30], [0, 30]]
        pairs = [{"image": a, "road": b} for a, b in zip(RECTANGLE, road, strict=True)]
        return {"lanes": [LANE], "calibration": {"points": pairs}}

    assert not scene_warnings(document(1))
    (warning,) = scene_warnings(document(-1))
    assert "left-handed" in warning.english
    assert CHINESE.search(warning.chinese)


@pytest.mark.parametrize("key", ["snapshotLine", "entryLine", "stopLine"])
def test_the_order_of_a_lines_ends_changes_nothing(key: str) -> None:
    line = {
        "snapshotLine": [[0.25, 0.8], [0.75, 0.8]],
        "entryLine": [[0.4, 0.5], [0.6, 0.5]],
        "stopLine": [[0.2, 0.7], [0.8, 0.71]],
    }
    drawn, reversed_ = _lane(**{key: line[key]}), _lane(**{key: line[key][::-1]})
    assert parse_scene(drawn) == parse_scene(reversed_)


def test_the_first_end_of_a_line_is_to_the_left_of_travel_both_ways() -> None:
    away = parse_scene(_lane(entryLine=[[0.25, 0.85], [0.75, 0.85]], direction=[[0.5, 0.88], [0.5, 0.42]])).lanes[0]
    towards = parse_scene(_lane()).lanes[0]
    assert away.snapshot_line == ((0.25, 0.8), (0.75, 0.8))
    assert towards.snapshot_line == ((0.75, 0.8), (0.25, 0.8))


@pytest.mark.parametrize("y", [0.5, 0.85])
def test_a_stop_line_may_lie_on_either_side_of_the_snapshot_line(y: float) -> None:
    assert parse_scene(_lane(stopLine=[[0.2, y], [0.8, y]])).lanes[0].stop_line is not None


@pytest.mark.parametrize(
    "line",
    [
        [[0.4, 0.8], [0.6, 0.8]],  # wholly inside
        [[0.1, 0.8], [0.6, 0.8]],  # one end outside, the other in the middle of the lane
    ],
)
@pytest.mark.parametrize("key", ["snapshotLine", "stopLine"])
def test_a_line_that_does_not_cut_its_lane_is_an_error(key: str, line: list[list[float]]) -> None:
    assert "edge to edge" in _faults(_lane(**{key: line}))[f"lanes[0].{key}"].english


@pytest.mark.parametrize("line", [[[0.25, 0.8], [0.75, 0.8]], [[0.26, 0.8], [0.74, 0.8]], [[0, 0.8], [1, 0.8]]])
def test_a_line_from_edge_to_edge_or_a_little_short_of_it_is_accepted(line: list[list[float]]) -> None:
    parse_scene(_lane(snapshotLine=line))


def test_a_line_between_two_corners_of_its_lane_may_be_drawn_either_way_round() -> None:
    left = [[0.3508, 0.2083], [0.4797, 0.4583], [0.5914, 0.6667], [0.6508, 0.7778], [0.7477, 0.9583]]
    right = [[0.9727, 0.9583], [0.8328, 0.7778], [0.7602, 0.6667], [0.6, 0.4583], [0.4164, 0.2083]]
    lane = {"roadNum": 1, "polygon": left + right, "direction": [[0.3836, 0.2083], [0.8602, 0.9583]]}
    for line in zip(left[1:-1], right[-2:0:-1], strict=True):
        for ends in (line, line[::-1]):
            parse_scene({"lanes": [lane | {"snapshotLine": list(ends)}]})


@pytest.mark.parametrize("key", ["stopLine", "entryLine"])
def test_every_line_must_cut_across_the_direction(key: str) -> None:
    assert "across" in _faults(_lane(**{key: [[0.5, 0.1], [0.5, 0.95]]}))[f"lanes[0].{key}"].english


def test_a_bent_lane_is_judged_by_its_direction_where_the_line_is() -> None:
    lane = parse_scene({"lanes": [BENT]}).lanes[0]
    assert lane.snapshot_line == ((0.8, 0.1), (0.8, 0.3))


def test_a_direction_that_cuts_the_corner_of_a_bent_lane_is_outside_the_real_polygon() -> None:
    cut = BENT | {"direction": [[0.2, 0.9], [0.85, 0.25]]}  # both ends and the polygon's middle are fine, the way is not
    assert "lanes[0].direction" in _faults({"lanes": [cut]})


def test_a_direction_may_overshoot_its_lane_by_a_hands_tremor_only() -> None:
    parse_scene(_lane(direction=[[0.5, 0.385], [0.5, 0.915]]))
    assert "lanes[0].direction" in _faults(_lane(direction=[[0.5, 0.42], [0.5, 0.95]]))


def test_lanes_that_cross_without_a_corner_in_each_other_are_warned_of() -> None:
    upright = {
        "roadNum": 1, "polygon": [[0.45, 0.1], [0.55, 0.1], [0.55, 0.9], [0.45, 0.9]], "direction": [[0.5, 0.1], [0.5, 0.9]],
        "snapshotLine": [[0.45, 0.8], [0.55, 0.8]],
    }  # fmt: skip
    flat = {
        "roadNum": 2, "polygon": [[0.1, 0.45], [0.9, 0.45], [0.9, 0.55], [0.1, 0.55]], "direction": [[0.1, 0.5], [0.9, 0.5]],
        "snapshotLine": [[0.8, 0.45], [0.8, 0.55]],
    }  # fmt: skip
    (warning,) = scene_warnings({"lanes": [upright, flat]})
    assert "overlaps lane 2" in warning.english
    beside = flat | {"polygon": [[0.55, 0.45], [0.9, 0.45], [0.9, 0.55], [0.55, 0.55]], "direction": [[0.56, 0.5], [0.9, 0.5]]}
    assert not scene_warnings({"lanes": [upright, beside]})


@pytest.mark.parametrize("scale", [1, -1, 250, -1e-6])
def test_a_matrix_is_the_same_calibration_whatever_its_sign_and_scale(scale: float) -> None:
    given = _calibrated({"rectangle": DOCUMENT["calibration"]["rectangle"]}).calibration
    assert given is not None
    again = _calibrated({"matrix": (given.image_to_road * scale).tolist()}).calibration
    assert again is not None
    np.testing.assert_allclose(again.image_to_road, given.image_to_road, rtol=1e-12)


def test_a_matrix_without_lanes_has_the_lower_edge_in_front() -> None:
    given = parse_scene({"calibration": DOCUMENT["calibration"]}).calibration
    assert given is not None
    again = parse_scene({"calibration": {"matrix": (-given.image_to_road).tolist()}}).calibration
    assert again is not None
    np.testing.assert_allclose(again.image_to_road, given.image_to_road)


def test_lanes_on_both_sides_of_the_horizon_are_refused() -> None:
    given = _calibrated({"rectangle": DOCUMENT["calibration"]["rectangle"]}).calibration
    assert given is not None
    horizon = -given.image_to_road[2, 2] / given.image_to_road[2, 1]  # symmetric view: the horizon is level
    assert 0.2 < horizon < 0.4
    sky = {
        "roadNum": 2, "polygon": [[0.4, 0], [0.6, 0], [0.6, horizon - 0.05], [0.4, horizon - 0.05]],
        "direction": [[0.5, 0], [0.5, horizon - 0.05]], "snapshotLine": [[0.4, 0.1], [0.6, 0.1]],
    }  # fmt: skip
    faults = _faults({"lanes": [LANE, sky], "calibration": {"matrix": given.image_to_road.tolist()}})
    assert "horizon" in faults["lanes[roadNum=2].polygon"].english


@pytest.mark.parametrize(
    "calibration", [{}, [], "matrix", {"matrix": None}, DOCUMENT["calibration"] | {"matrix": np.eye(3).tolist()}]
)
def test_a_calibration_has_exactly_one_form(calibration: Any) -> None:
    assert "exactly one" in _faults({"calibration": calibration})["calibration"].english


@pytest.mark.parametrize("name", ["a\x00b", "a\nb", "\ud800"])
def test_control_characters_in_names_are_refused(name: str) -> None:
    assert "lanes[0].roadName" in _faults(_lane(roadName=name))


ANGLE = st.floats(-math.pi, math.pi)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    height=st.floats(3, 30), pitch=st.floats(0.15, 1.5), roll=st.floats(-0.2, 0.2), turn=ANGLE, focal=st.floats(0.6, 3),
    width=st.floats(2, 12), length=st.floats(5, 60),
)  # fmt: skip
def test_what_a_camera_sees_of_a_rectangle_calibrates_it(
    height: float, pitch: float, roll: float, turn: float, focal: float, width: float, length: float
) -> None:
    """A pinhole camera over a plane: the rectangle's corners give back the plane's metres, mirrored ones are refused."""
    up = np.array([0, 0, 1.0])
    forward = np.array([np.sin(turn) * np.cos(pitch), np.cos(turn) * np.cos(pitch), -np.sin(pitch)])
    right = np.cross(forward, up) / np.linalg.norm(np.cross(forward, up))
    down = np.cross(forward, right)
    right, down = right * np.cos(roll) + down * np.sin(roll), down * np.cos(roll) - right * np.sin(roll)
    centre = np.array([0.0, 0.0, height])
    aim = forward * height / np.sin(pitch)
    corners = np.array([[0, 0, 0], [width, 0, 0], [width, length, 0], [0, length, 0]]) - [width / 2, length / 2, 0]
    corners[:, :2] += aim[:2]
    seen = (corners - centre) @ np.stack([right, down, forward]).T
    assume(seen[:, 2].min() >= 0.5)
    image = 0.5 + focal * seen[:, :2] / seen[:, 2:]
    assume(image.min() >= 0 and image.max() <= 1 and np.ptp(image, axis=0).min() >= 0.05)
    rectangle = {"image": image.tolist(), "widthM": width, "lengthM": length}
    calibration = parse_scene({"calibration": {"rectangle": rectangle}}).calibration
    assert calibration is not None
    road = Homography(calibration.image_to_road).apply(image)
    np.testing.assert_allclose(road, [[0, 0], [width, 0], [width, length], [0, length]], atol=1e-3)
    assert "mirrored" in str(_faults({"calibration": {"rectangle": rectangle | {"image": image[::-1].tolist()}}}))


NUMBER = st.floats(allow_nan=True, allow_infinity=True) | st.integers() | st.floats(0, 1)
POINT = st.lists(NUMBER, min_size=2, max_size=2)
INSIDE = st.lists(st.floats(0, 1), min_size=2, max_size=2)
LANES = st.fixed_dictionaries(
    {
        "roadNum": st.integers(0, 5), "polygon": st.lists(INSIDE | POINT, min_size=3, max_size=7),
        "direction": st.lists(INSIDE, min_size=2, max_size=4), "snapshotLine": st.lists(INSIDE, min_size=2, max_size=2),
    },
    optional={"stopLine": st.lists(INSIDE, min_size=2, max_size=2), "entryLine": st.lists(INSIDE, min_size=2, max_size=2)},
)  # fmt: skip
CALIBRATIONS = st.one_of(
    st.fixed_dictionaries({"matrix": st.lists(st.lists(NUMBER, min_size=3, max_size=3), min_size=3, max_size=3)}),
    st.fixed_dictionaries(
        {
            "rectangle": st.fixed_dictionaries(
                {"image": st.lists(INSIDE, min_size=4, max_size=4), "widthM": NUMBER, "lengthM": st.just(10)}
            )
        }
    ),
    st.fixed_dictionaries({"points": st.lists(st.fixed_dictionaries({"image": INSIDE, "road": POINT}), min_size=4, max_size=6)}),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LANES | st.just(LANE), max_size=3), st.none() | CALIBRATIONS)
def test_no_drawing_makes_anything_but_a_scene_error_and_what_is_accepted_survives(
    lanes: list[dict[str, Any]], calibration: dict[str, Any] | None
) -> None:
    document = {"lanes": lanes, "calibration": calibration}
    scene_warnings(document)
    try:
        scene = parse_scene(document)
    except SceneError:  # anything else fails the test
        return
    again = parse_scene(scene_to_document(scene))
    assert again.lanes == scene.lanes
    if scene.calibration is not None:
        assert np.isfinite(scene.calibration.image_to_road).all()
        assert again.calibration is not None
