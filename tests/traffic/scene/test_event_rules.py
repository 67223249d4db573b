"""The ``events`` block and the other things events need in scene documents."""

import copy
import datetime as dt
import json

import jsonschema
import pytest

from tests.traffic.scene.test_document import GOOD
from traffic.errors import SceneError
from traffic.facts import EventKind
from traffic.scene import Boundary, LaneUse, Schedule
from traffic.scene.document import parse_scene, scene_json_schema, scene_to_document, scene_warnings

EVENTS = {
    "vehicle_stopped": {"minDurationS": 15, "schedules": [{"days": ["mon", "sun"], "from": "22:00", "to": "06:30"}]},
    "speeding": {"enabled": False, "toleranceRatio": 0.2},
}


def full() -> dict:
    document = copy.deepcopy(GOOD)
    document["lanes"][0] |= {
        "minSpeedKmh": 40, "leftBoundary": "solid", "use": "emergency", "disabledEvents": ["accident", "debris"],
    }  # fmt: skip
    document["regions"] = [
        {"regionCode": 3, "kind": "restricted", "polygon": [[0, 0], [0.2, 0], [0.2, 0.2]], "classes": ["truck"],
         "disabledEvents": ["debris"]},
    ]  # fmt: skip
    document |= {"highway": True, "events": EVENTS}
    return document


def test_everything_is_read_and_survives_the_round_trip() -> None:
    scene = parse_scene(full())
    lane, rules = scene.lanes[0], {rule.kind: rule for rule in scene.events}
    assert (lane.min_speed_kmh, lane.left_boundary, lane.right_boundary) == (40, Boundary.SOLID, Boundary.DASHED)
    assert lane.use is LaneUse.EMERGENCY
    assert lane.disabled_events == {EventKind.ACCIDENT, EventKind.DEBRIS}
    assert scene.highway is True
    assert rules[EventKind.VEHICLE_STOPPED].min_duration_s == 15
    assert rules[EventKind.SPEEDING].enabled is False
    assert rules[EventKind.SPEEDING].value("tolerance_ratio") == 0.2
    again = parse_scene(json.dumps(scene_to_document(scene)))
    assert (again.lanes, again.regions, again.events, again.highway) == (scene.lanes, scene.regions, scene.events, scene.highway)


def test_the_schema_allows_what_the_parser_reads_and_what_it_writes() -> None:
    jsonschema.validate(full(), scene_json_schema())
    jsonschema.validate(scene_to_document(parse_scene(full())), scene_json_schema())


@pytest.mark.parametrize(
    ("events", "place"),
    [
        ([], "events"),
        ({"explosion": {}}, "events.explosion"),
        ({"speeding": {"toleranceRatio": -1}}, "events.speeding.toleranceRatio"),
        ({"speeding": {"minConfidence": 1.1}}, "events.speeding.minConfidence"),
        ({"speeding": {"enabled": "yes"}}, "events.speeding.enabled"),
        ({"speeding": {"schedules": [{"from": "25:00"}]}}, "events.speeding.schedules[0].from"),
        ({"speeding": {"schedules": [{"days": ["monday"]}]}}, "events.speeding.schedules[0].days"),
    ],
)
def test_each_fault_of_a_rule_is_told_in_both_languages(events: object, place: str) -> None:
    with pytest.raises(SceneError) as caught:
        parse_scene(GOOD | {"events": events})
    (problem,) = caught.value.problems
    assert problem.path == place
    assert problem.chinese
    assert problem.english


def test_a_least_speed_above_the_limit_and_unknown_texts_are_faults() -> None:
    document = full()
    document["lanes"][0] |= {"minSpeedKmh": 80, "leftBoundary": "dotted", "disabledEvents": ["nothing"]}
    with pytest.raises(SceneError) as caught:
        parse_scene(document)
    places = {problem.path for problem in caught.value.problems}
    assert places == {"lanes[0].minSpeedKmh", "lanes[0].leftBoundary", "lanes[0].disabledEvents"}


def test_unknown_purposes_and_thresholds_of_other_kinds_are_warnings() -> None:
    document = full()
    document["regions"][0]["kind"] = "lawn"
    document["events"] = {"speeding": {"minCones": 3}}
    assert {warning.path for warning in scene_warnings(document)} >= {"regions[regionCode=3].kind", "events.speeding.minCones"}


def test_a_schedule_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    monday_night = Schedule(days=frozenset({1}), begin_min=22 * 60, end_min=6 * 60)
    assert monday_night.holds(dt.datetime(2026, 11, 23, 23, 0))  # a Monday
    assert monday_night.holds(dt.datetime(2026, 11, 24, 5, 59))
    assert not monday_night.holds(dt.datetime(2026, 11, 24, 6, 0))
    assert not monday_night.holds(dt.datetime(2026, 11, 23, 5, 0))
    assert Schedule(begin_min=0, end_min=0).holds(dt.datetime(2026, 11, 24, 12, 0))
