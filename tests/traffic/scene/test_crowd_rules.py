"""Crowd rules of regions in the scene document."""

import jsonschema
import pytest

from traffic.errors import SceneError
from traffic.scene.crowd import CrowdRule
from traffic.scene.document import parse_scene, scene_json_schema, scene_to_document, scene_warnings

SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]


def document(crowd: object, **region: object) -> dict[str, object]:
    whole = {"regionCode": 3, "kind": "crowd", "polygon": SQUARE, "areaM2": 40, "crowd": crowd} | region
    return {"version": 1, "regions": [{key: value for key, value in whole.items() if value is not None}]}


def rule(crowd: object, **region: object) -> CrowdRule | None:
    given = document(crowd, **region)
    jsonschema.validate(given, scene_json_schema())
    scene = parse_scene(given)
    assert parse_scene(scene_to_document(scene)) == scene
    return scene.regions[0].crowd


def test_what_is_not_given_is_the_usual_rule() -> None:
    assert rule({}) == CrowdRule()
    assert rule(None) is None
    assert rule({"minPeople": 25, "minTimeS": 30}) == CrowdRule(min_people=25, min_time_s=30.0)


def test_a_density_alone_is_no_number_and_no_repetition_is_zero() -> None:
    assert rule({"minDensityPerM2": 0.5}) == CrowdRule(min_people=None, min_density_per_m2=0.5)
    assert rule({"minPeople": 8, "minDensityPerM2": 0.5, "repeatS": 0}) == CrowdRule(
        min_people=8, min_density_per_m2=0.5, repeat_s=None
    )


@pytest.mark.parametrize(
    ("crowd", "region", "path"),
    [
        ({"minPeople": 0}, {}, "regions[0].crowd.minPeople"),
        ({"minPeople": 2.5}, {}, "regions[0].crowd.minPeople"),
        ({"minDensityPerM2": -1}, {}, "regions[0].crowd.minDensityPerM2"),
        ({"minDensityPerM2": 1}, {"areaM2": None}, "regions[0].crowd.minDensityPerM2"),
        ({"minTimeS": "long"}, {}, "regions[0].crowd.minTimeS"),
        ({"repeatS": 1e9}, {}, "regions[0].crowd.repeatS"),
        ([], {}, "regions[0].crowd"),
        ({}, {"kind": "people"}, "regions[0].crowd"),
    ],
)
def test_a_fault_is_told_with_its_place_in_both_languages(crowd: object, region: dict[str, object], path: str) -> None:
    with pytest.raises(SceneError) as told:
        parse_scene(document(crowd, **region))
    (problem,) = told.value.problems
    assert problem.path == path
    assert any("\u4e00" <= letter <= "\u9fff" for letter in problem.chinese)
    assert problem.english.isascii()


def test_an_unknown_key_is_a_warning() -> None:
    assert [problem.path for problem in scene_warnings(document({"minPersons": 3}))] == ["regions[0].crowd.minPersons"]
