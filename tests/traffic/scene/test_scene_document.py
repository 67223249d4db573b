"""Scene documents: every fault is told with its place, nothing but SceneError comes out, schema and parser agree."""

import contextlib
import copy
import json
import re
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from traffic.errors import SceneError, SceneProblem
from traffic.scene.document import parse_scene, scene_json_schema, scene_to_document, scene_warnings

LANE: dict[str, Any] = {
    "roadNum": 1, "roadName": "直行", "turn": "straight",
    "polygon": [[0.45, 0.4], [0.55, 0.4], [0.8, 0.9], [0.2, 0.9]],
    "direction": [[0.5, 0.42], [0.5, 0.88]],
    "snapshotLine": [[0.25, 0.8], [0.75, 0.8]],
    "entryLine": [[0.4, 0.5], [0.6, 0.5]],
    "speedLimitKmh": 60,
}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "version": 1, "lanes": [LANE],
    "regions": [{"regionCode": 7, "name": "crossing", "kind": "people", "polygon": [[0, 0], [1, 0], [1, 0.2]], "areaM2": 12}],
    "countLines": [{"code": 3, "name": "kerb", "segment": [[0, 0.5], [1, 0.5]]}],
    "calibration": {
        "rectangle": {"image": [[0.2, 0.9], [0.8, 0.9], [0.55, 0.4], [0.45, 0.4]], "widthM": 3.5, "lengthM": 30},
    },
    "countedClasses": ["car", "bus"],
}  # fmt: skip
CHINESE = re.compile(r"[\u4e00-\u9fff]")
VALIDATOR = jsonschema.Draft202012Validator(scene_json_schema())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(deeper for key, child in children for deeper in _paths(child, (*path, key)))]


def _changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    node: Any = document
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return document


def _faults(document: Any) -> tuple[SceneProblem, ...]:
    with pytest.raises(SceneError) as caught:
        parse_scene(document)
    assert all(CHINESE.search(problem.chinese) and not CHINESE.search(problem.english) for problem in caught.value.problems)
    return caught.value.problems


def _problems(document: Any) -> str:
    return "; ".join(map(str, _faults(document)))


def test_a_document_survives_the_round_trip() -> None:
    scene = parse_scene(DOCUMENT)
    again = parse_scene(json.dumps(scene_to_document(scene)))
    assert (again.lanes, again.regions, again.count_lines) == (scene.lanes, scene.regions, scene.count_lines)
    assert again.counted_classes == scene.counted_classes
    assert scene.calibration is not None
    assert again.calibration is not None
    np.testing.assert_allclose(again.calibration.image_to_road, scene.calibration.image_to_road)
    VALIDATOR.validate(scene_to_document(scene))


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("version",), 2, "version: must be 1"),
        (("lanes", 0, "roadNum"), True, "lanes[0].roadNum: must be an integer"),
        (("lanes", 0, "roadNum"), 0, "lanes[0].roadNum: must be an integer from 1"),
        (("lanes", 0, "turn"), "ahead", "must be one of other, left, straight, right, uTurn"),
        (("lanes", 0, "polygon"), [[0, 0], [1, 1], [1, 0], [0, 1]], "lanes[0].polygon: crosses itself"),
        (("lanes", 0, "polygon"), [[0, 0], [1, 1]], "lanes[0].polygon: must be a list of 3"),
        (("lanes", 0, "polygon"), [[0, 0], [0.5, 0.5], [1, 1]], "lanes[0].polygon: has no area"),
        (("lanes", 0, "polygon", 0), [float("nan"), 0], "lanes[0].polygon[0]: must be a pair of finite"),
        (("lanes", 0, "polygon", 0), [1.01, 0], "from 0 to 1"),
        (("lanes", 0, "snapshotLine"), [[0, 0], [0.1, 0]], "lanes[0].snapshotLine: lies outside its lane"),
        (("lanes", 0, "snapshotLine"), [[0.5, 0.5], [0.5, 0.8]], "must cut across the direction"),
        (("lanes", 0, "entryLine"), [[0.25, 0.85], [0.75, 0.85]], "must lie upstream of the snapshotLine"),
        (("lanes", 0, "direction"), [[0.5, 0.42], [0.05, 0.05]], "must lie inside the lane's polygon"),
        (("calibration", "rectangle", "widthM"), 0.2, "m long by the calibration"),
        (("calibration", "rectangle", "image"), [[0.2, 0.9], [0.8, 0.9], [0.45, 0.4], [0.55, 0.4]], "both sides of the horizon"),
        (("calibration", "rectangle", "image"), [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3], [0.4, 0.4]], "degenerate"),
        (("calibration",), {"matrix": [["1", 0, 0], [0, 1, 0], [0, 0, 1]]}, "calibration.matrix: must be an invertible"),
        (("calibration",), {"matrix": [[10**400, 0, 0], [0, 1, 0], [0, 0, 1]]}, "calibration.matrix: must be an invertible"),
        (("countedClasses",), ["tram"], "countedClasses: must be a non-empty list of person"),
        (("lanes",), [LANE, LANE], "roadNum 1 is used more than once"),
        (("lanes",), [LANE] * 65, "at most 64 entries"),
    ],
)
def test_each_fault_is_told_with_its_place(path: tuple[Any, ...], value: Any, told: str) -> None:
    place, _, english = told.rpartition(": ")
    problems = _faults(_changed(path, value))
    assert any(problem.path.endswith(place) and english in problem.english for problem in problems), problems


def test_all_faults_are_told_at_once() -> None:
    document = _changed(("lanes", 0, "roadNum"), -1) | {"version": 9, "countedClasses": []}
    assert all(place in _problems(document) for place in ("version", "lanes[0].roadNum", "countedClasses"))


def test_a_lane_reaching_above_the_horizon_is_refused() -> None:
    document = _changed(("lanes", 0, "polygon"), [[0.45, 0.1], [0.55, 0.1], [0.8, 0.9], [0.2, 0.9]])
    document["lanes"][0]["entryLine"] = [[0.3, 0.5], [0.7, 0.5]]
    assert "beyond the horizon" in _problems(document)


def test_unknown_keys_and_overlaps_are_warnings_only() -> None:
    document = _changed(("lanes", 0, "colour"), "red")
    document["lanes"].append(LANE | {"roadNum": 2})
    told = " ".join(map(str, scene_warnings(document)))
    assert "lanes[0].colour: 未知字段" in told
    assert "overlaps lane 2" in told
    assert len(parse_scene(document).lanes) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "1" * 5000, "[" * 100_000, '{"version": 1e999}'])
def test_text_that_is_no_scene_is_told_readably(text: str) -> None:
    assert _problems(text)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from([path for path in _paths(DOCUMENT) if path]), JSON)
def test_any_change_is_accepted_or_a_scene_error_and_what_is_accepted_obeys_the_schema(path: tuple[Any, ...], value: Any) -> None:
    document = _changed(path, value)
    with contextlib.suppress(SceneError):  # anything else fails the test
        parse_scene(document)
        VALIDATOR.validate(document)
    scene_warnings(document)


def test_the_schema_is_itself_valid_and_accepts_the_example() -> None:
    jsonschema.Draft202012Validator.check_schema(scene_json_schema())
    VALIDATOR.validate(DOCUMENT)
