"""``wayside analyze --period``: parameter bodies of a recording, without Ray and without a network."""

import json

import numpy as np
import pytest

from api.wire.validate import validate_body
from cluster.analyze import AnalyzeOptions, analyze
from models.handles import InputFit
from traffic.facts import Turn
from traffic.parameters import PeriodError
from traffic.scene import Scene
from traffic.scene.model import Lane, Region
from traffic.types import Detections, ObjectClass

START = 1_700_000_040.0
LANE = Lane(
    road_num=3, road_name="", polygon=((0.2, 0.1), (0.6, 0.1), (0.6, 0.9), (0.2, 0.9)), direction=((0.4, 0.1), (0.4, 0.9)),
    turn=Turn.STRAIGHT, snapshot_line=((0.2, 0.7), (0.6, 0.7)), stop_line=((0.2, 0.8), (0.6, 0.8)),
)  # fmt: skip
REGION = Region(region_code=9, name="", kind="people", polygon=((0.6, 0.1), (0.9, 0.1), (0.9, 0.9), (0.6, 0.9)), area_m2=4.0)


class Standing:
    """A detector that always sees a car waiting at the stop line and a person in the region."""

    input_size = (640, 384)
    input_fit = InputFit()

    def submit(self, image: object) -> "Standing":
        return self

    def gather(self, pictures: int) -> None:
        """Answers are there at once."""

    def result(self, timeout_s: float) -> Detections:
        boxes = np.array([[200, 190, 300, 300], [470, 100, 500, 200]], np.float32)
        return Detections(
            boxes=boxes, scores=np.full(2, 0.9, np.float32), classes=np.array([ObjectClass.CAR, ObjectClass.PERSON], np.int64)
        )


def run(period_s: int) -> list[dict]:
    lines: list[str] = []
    options = AnalyzeOptions(
        video="sim://approach?seed=1&duration_s=12&width=640&height=384&fps=5&warmup_s=0",
        scene=Scene(lanes=(LANE,), regions=(REGION,)),
        time_zone="Asia/Shanghai", start_time_s=START, period_s=period_s,
    )  # fmt: skip
    analyze(options, Standing(), lines.append)
    return [json.loads(line) for line in lines]


def test_every_period_has_its_bodies() -> None:
    found = run(5)
    for item in found:
        assert validate_body(item["kind"], item["body"]) == []
    lanes = [item["body"] for item in found if item["kind"] == "traffic-parameters"]
    people = [item["body"] for item in found if item["kind"] == "people"]
    assert [body[0]["snapshotTime"][-8:] for body in lanes] == ["06:14:05", "06:14:10", "06:14:15"]
    assert [(body[0]["roadNum"], body[0]["queueLength"], body[0]["queueNum"]) for body in lanes] == [(3, -1, 1)] * 3
    assert [body["peopleDensityToday"][0]["peopleNum"] for body in people] == [1] * 3


def test_no_period_no_parameters() -> None:
    assert {item["kind"] for item in run(0)} <= {"vehicle-snapshot"}


def test_a_period_that_cannot_be_is_refused() -> None:
    with pytest.raises(PeriodError):
        run(121)
