"""Bodies of types 22 and 41 and the crowd alarm, held against the schemas written from the manual."""

import dataclasses
import json

import pytest

from actors.delivery.bodies import dump
from actors.delivery.composing import compose
from actors.delivery.ports import InterfaceConfig
from actors.ports import FactEnvelope, TaskRef
from api.wire.bodies import CrowdAlarmBody, EventBody, PeopleBody, TrafficParameterItem
from api.wire.encode import WireEncoder
from api.wire.validate import kind_of, validate_body
from tests.api.test_wire import MANUAL
from traffic.facts import CrowdAlarm, Fact, LaneParameters, PeopleDensity, PeopleFlow, PeopleParameters
from traffic.types import ObjectClass

OPEN = 1_542_598_140  # 2018-11-19 11:29:00 in Shanghai
LANE = LaneParameters(
    road_num=1, period_s=30, open_s=OPEN, close_s=OPEN + 30, observed_s=29.9, counts=((ObjectClass.CAR, 7),),
    flow_rate_veh_h=840.0, time_occupancy_ratio=0.761239, space_occupancy_ratio=0.67, density_veh_km=20.0,
    time_mean_speed_kmh=40.0, harmonic_mean_speed_kmh=39.0, space_mean_speed_kmh=39.0, mean_time_headway_s=4.0,
    last_time_headway_s=3.0, mean_spacing_m=40.0, last_spacing_m=30.0, queue_length_m=56.237, queue_num=8,
    max_queue_length_m=60.0, max_queue_num=9,
)  # fmt: skip
FLOW = PeopleFlow(
    code=101, period_s=30, open_s=OPEN, close_s=OPEN + 30, observed_s=30.0, people_in=10, people_out=6, people_in_today=100,
    people_out_today=60,
)  # fmt: skip
DENSITY = PeopleDensity(
    region_code=101, period_s=30, open_s=OPEN, close_s=OPEN + 30, observed_s=30.0, people_mean=15.4, people_max=17, area_m2=15.4,
    density_per_m2=1.0,
)  # fmt: skip
PEOPLE = PeopleParameters(period_s=30, open_s=OPEN, close_s=OPEN + 30, flows=(FLOW,), densities=(DENSITY,))
CROWD = CrowdAlarm(
    region_code=100, region_name="广场", time_s=OPEN + 0.7, since_s=OPEN - 9.3, origin_s=OPEN - 9.3,
    people_num=10, area_m2=1.0, density_per_m2=10.0,
    repeat=0, box=(10.4, 20.0, 110.0, 220.6),
)  # fmt: skip
PICTURE = "image/2018_11/19/111/crowd/large/111_crowd_large_20181119112900700.jpg"


def interface(business: int, *, periodic: bool = True, period: int = 30, pictures: bool = False) -> InterfaceConfig:
    return InterfaceConfig(
        interface_id=1, name="i", business_type=business, trigger_condition=1 if periodic else 2, upload_period_s=period,
        url="http://x", upload_pictures=pictures, push_response=True, task_nums=None, headers={},
    )  # fmt: skip


def envelope(fact: Fact) -> FactEnvelope:
    source = "rtsp://admin:12345@192.168.1.96:554/h264"
    task = TaskRef(task_id=130, task_num="111", task_name="dss", src_address=source, time_zone="Asia/Shanghai")
    return FactEnvelope(fact_id="f", task=task, fact=fact, large_picture=PICTURE)


def encode(fact: Fact, to: InterfaceConfig):
    return WireEncoder().encode(envelope(fact), to)


def test_traffic_parameters_are_the_manuals_example_in_its_fields() -> None:
    item = encode(LANE, interface(22))
    assert item is not None
    body = item.body
    assert set(body) == set(MANUAL["traffic-parameters"][0])
    assert (body["taskId"], body["taskNum"], body["roadNum"]) == (130, "111", 1)
    assert (body["snapshotTime"], body["spacingPercent"], body["timePercent"]) == ("2018-11-19 11:29:30", 0.67, 0.7612)
    assert (body["queueLength"], body["queueNum"]) == (5624, 8)
    assert validate_body("traffic-parameters", [body]) == []
    assert kind_of([body]) == "traffic-parameters"
    TrafficParameterItem.model_validate(body)


def test_the_record_id_is_stable_and_differs_by_lane_and_period_and_fits_a_double() -> None:
    def identity(fact: LaneParameters) -> int:
        item = encode(fact, interface(22))
        assert item is not None
        return int(str(item.body["id"]))

    others = [dataclasses.replace(LANE, road_num=2), dataclasses.replace(LANE, open_s=OPEN + 30, close_s=OPEN + 60)]
    assert identity(LANE) == identity(dataclasses.replace(LANE, queue_num=3))
    assert len({identity(LANE), *map(identity, others)}) == 3
    assert 0 <= identity(LANE) < 2**53


@pytest.mark.parametrize(("length", "number"), [(None, 4), (None, None)])
def test_a_queue_that_is_not_measured_has_length_minus_one(length: float | None, number: int | None) -> None:
    item = encode(dataclasses.replace(LANE, queue_length_m=length, queue_num=number), interface(22))
    assert item is not None
    assert (item.body["queueLength"], item.body["queueNum"]) == (-1, number or 0)
    assert validate_body("traffic-parameters", [item.body]) == []


def test_parameters_go_to_interfaces_of_their_own_period_only() -> None:
    assert encode(LANE, interface(22, period=60)) is None
    assert encode(LANE, interface(22, periodic=False)) is None
    assert encode(LANE, interface(21)) is None
    assert encode(PEOPLE, interface(41, period=31)) is None
    assert encode(PEOPLE, interface(22)) is None
    assert encode(PEOPLE, interface(41)) is not None


def test_people_are_the_manuals_example_in_its_fields() -> None:
    item = encode(PEOPLE, interface(41))
    assert item is not None
    body: dict = item.body  # type: ignore[assignment]
    for part in ("peopleFlowToday", "peopleDensityToday"):
        assert list(body[part][0]) == list(MANUAL["people"][part][0])
    assert body["peopleFlowToday"][0]["uploadTime"] == "2018-11-19 11:29:30"
    assert body["peopleFlowToday"][0]["lastUploadTime"] == "2018-11-19 11:29:00"
    assert body["peopleDensityToday"][0]["peopleNum"] == 15
    assert body["peopleDensityToday"][0]["density"] == 1.0
    joined = json.loads(compose(41, [dump(body), dump(body)]))
    assert len(joined["peopleFlowToday"]) == len(joined["peopleDensityToday"]) == 2
    for whole in (body, joined):
        assert validate_body("people", whole) == []
        PeopleBody.model_validate(whole)


def test_an_unknown_area_is_minus_one() -> None:
    unknown = dataclasses.replace(DENSITY, area_m2=None, density_per_m2=None)
    item = encode(dataclasses.replace(PEOPLE, densities=(unknown,)), interface(41))
    assert item is not None
    assert item.body["peopleDensityToday"][0]["area"] == -1  # type: ignore[index]
    assert validate_body("people", item.body) == []
    item.body["peopleDensityToday"][0]["area"] = -2  # type: ignore[index]
    assert validate_body("people", item.body)


def test_a_crowd_alarm_is_the_manuals_example_and_its_pictures_key_is_always_there() -> None:
    for pictures in (False, True):
        item = encode(CROWD, interface(41, periodic=False, pictures=pictures))
        assert item is not None
        assert list(item.body) == list(MANUAL["crowd-alarm"])
        assert item.body["imgBase64"] is None
        assert item.pictures == ({"imgBase64": PICTURE} if pictures else {})
        assert validate_body("crowd-alarm", item.body) == []
        CrowdAlarmBody.model_validate(item.body)
    assert encode(CROWD, interface(41)) is None


def test_a_crowd_is_event_1008_too_and_tells_no_password() -> None:
    item = encode(CROWD, interface(11, periodic=False))
    assert item is not None
    assert list(item.body) == list(MANUAL["event"])
    assert (item.body["recordType"], item.body["recordContent"]) == (1008, "人员聚集 广场")
    assert item.body["Pos"] == '{"height":201,"width":100,"x":10,"y":20}'
    assert "12345" not in str(item.body["srcAddress"])
    assert validate_body("event", item.body) == []
    EventBody.model_validate(item.body)
