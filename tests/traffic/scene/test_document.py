"""Scene documents: every fault is told with its place; nothing but SceneError ever comes out."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic.errors import SceneError
from traffic.scene.document import parse_scene, scene_to_document, scene_warnings

GOOD: dict = {
    "version": 1,
    "lanes": [
        {
            "roadNum": 1, "roadName": "直行", "turn": "straight", "polygon": [[0.4, 0.3], [0.6, 0.3], [0.7, 0.9], [0.3, 0.9]],
            "direction": [[0.5, 0.35], [0.5, 0.85]], "snapshotLine": [[0.3, 0.7], [0.7, 0.7]],
            "entryLine": [[0.35, 0.5], [0.65, 0.5]], "stopLine": [[0.3, 0.8], [0.7, 0.8]], "speedLimitKmh": 60,
        }
    ],
    "calibration": {
        "rectangle": {"image": [[0.33, 0.8], [0.67, 0.8], [0.6, 0.4], [0.4, 0.4]], "widthM": 3.75, "lengthM": 30}
    },
}  # fmt: skip


def test_a_good_document_survives_the_round_trip() -> None:
    scene = parse_scene(GOOD)
    assert scene.lanes[0].road_name == "直行"
    assert parse_scene(scene_to_document(scene)).lanes == scene.lanes


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("lanes", 0, "polygon"), [[0.4, 0.3], [0.7, 0.9], [0.6, 0.3], [0.3, 0.9]], "lanes[0].polygon"),
        (("lanes", 0, "polygon"), [[0.1, 0.1], [0.2, 0.2]], "lanes[0].polygon"),
        (("lanes", 0, "roadNum"), True, "lanes[0].roadNum"),
        (("lanes", 0, "turn"), "up", "lanes[0].turn"),
        (("lanes", 0, "snapshotLine"), [[0.0, 0.1], [0.1, 0.1]], "lanes[0].snapshotLine"),
        (("lanes", 0, "snapshotLine"), [[0.5, 0.4], [0.5, 0.8]], "lanes[0].snapshotLine"),
        (("lanes", 0, "entryLine"), [[0.3, 0.75], [0.7, 0.75]], "lanes[0].entryLine"),
        (("lanes", 0, "direction"), [[0.5, 0.5], [0.5, 0.5]], "lanes[0].direction"),
        (("lanes", 0, "speedLimitKmh"), float("nan"), "lanes[0].speedLimitKmh"),
        (("calibration", "rectangle", "image"), [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3], [0.4, 0.4]], "calibration"),
        (("calibration", "rectangle", "widthM"), 400, "lanes[roadNum=1].snapshotLine"),
        (("version",), 2, "version"),
    ],
)
def test_each_fault_is_told_with_its_place(path: tuple, value: object, place: str) -> None:
    document = copy.deepcopy(GOOD)
    target = document
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(SceneError) as caught:
        parse_scene(document)
    assert place in [problem.path for problem in caught.value.problems]


def test_all_faults_are_told_at_once() -> None:
    document = copy.deepcopy(GOOD)
    document["lanes"].append({"roadNum": 0})
    document["regions"] = "none"
    with pytest.raises(SceneError) as caught:
        parse_scene(document)
    assert len(caught.value.problems) >= 4


def test_unknown_keys_and_overlaps_are_warnings() -> None:
    document = copy.deepcopy(GOOD)
    document["lanes"].append(document["lanes"][0] | {"roadNum": 2, "colour": "red"})
    places = [warning.path for warning in scene_warnings(document)]
    assert "lanes[1].colour" in places
    assert "lanes[roadNum=1].polygon" in places


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["lanes", "polygon", "calibration"]), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["lanes", "regions", "countLines", "calibration", "outline"]), JSON), JSON)
def test_no_document_makes_anything_but_a_scene_error(document: dict, lane: object) -> None:
    for candidate in (document, document | {"lanes": [GOOD["lanes"][0], lane]}, json.dumps(document)):
        try:
            parse_scene(candidate)
        except SceneError:
            continue
