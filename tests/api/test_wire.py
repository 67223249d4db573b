"""Bodies as the manual has them."""

import copy
import dataclasses
from datetime import datetime

import pytest

from actors.delivery.ports import InterfaceConfig
from actors.ports import FactEnvelope, TaskRef
from api.wire.bodies import VehicleBatchItem, VehicleSnapshotBody
from api.wire.encode import WireEncoder, batch_item, snapshot_body, status_body
from api.wire.validate import kind_of, validate_body
from traffic.facts import Heading, Turn, VehicleLooks, VehiclePassage
from traffic.types import ObjectClass, TrackId

IMAGE = "image/2019_03/04/2/lower_speed/small/2_lower_speed_small_20190304000008506.jpg"
# The manual's own examples (chapter 3), with its slips read as the decisions say.
MANUAL = {
    "event": {
        "taskNum": "3", "taskName": "事件检测任务", "srcAddress": "rtsp://admin:12345@192.168.1.96:554/h264/ch1/main/av_stream",
        "recordLargePath": IMAGE, "recordType": 1001, "recordContent": "车辆违停", "recordTime": "2018-01-01 12:09:18",
        "videoPath": "/video/2019_08/02/111/illegal_park/111_illegal_park_20190802144301451.mp4", "vehicleType": 3,
        "vehicleColor": 4, "plate": "川A66666", "plateColor": 1, "weather": 1,
        "Pos": '{"height":140,"width":95,"x":182,"y":225}',
    },
    "vehicle-snapshot": {
        "taskNum": "100", "taskName": "测试任务", "snapshotPath": IMAGE, "vehicleTypePath": IMAGE, "roadNum": 2,
        "roadName": "左转", "trunDirNo": "1", "plateNum": "川A888AB", "vehicleType": 1, "vehicleColor": 255,
        "vehicleSpeed": 92, "snapshotTime": "2018-01-01 12:09:18", "runningTime": 105, "vehicleSpacing": 2565,
        "timeDistance": 1015, "vehicleDirection": 4, "date": "2018/01/01 12:09", "dataSource": "通甲优博", "weather": 1,
    },
    "vehicle-batch": [
        {
            "taskNum": "100", "taskName": "测试任务", "snapshotPath": IMAGE, "vehicleTypePath": IMAGE, "roadNum": 2,
            "plateNum": "川A888AB", "vehicleType": 1, "vehicleColor": 255, "vehicleSpeed": 92, "plateColor": 1,
            "snapshotTime": "2018-01-01 12:09:18", "runningTime": 105, "vehicleSpacing": 2565, "timeDistance": 1015,
            "vehicleDirection": 4,
        }
    ],
    "traffic-parameters": [
        {
            "id": 11, "taskId": 130, "taskNum": "111", "taskName": "dss", "snapshotTime": "2018-11-19 11:29:27",
            "spacingPercent": 0.67, "timePercent": 0.76, "queueLength": 56, "queueNum": 32, "roadNum": 1,
        }
    ],
    "people": {
        "peopleFlowToday": [
            {
                "taskNum": "2", "taskName": "任务2", "regionCode": 101, "peopleIn": 10, "peopleOut": 6,
                "uploadTime": "2018-10-10 03:08:46", "lastUploadTime": "2018-10-10 03:08:41",
            }
        ],
        "peopleDensityToday": [
            {
                "taskNum": "1", "taskName": "任务1", "regionCode": 101, "gatherTime": "2018-09-28 07:27:21",
                "peopleNum": 15, "area": 15, "density": 1,
            }
        ],
    },
    "crowd-alarm": {
        "taskNum": "1", "taskName": "测试任务", "regionCode": 100, "peopleNum": 10, "area": 1.0, "density": 10.0,
        "srcAddress": "image/2019_02/28/9/crowd/large/9_crowd_large_20190228181911532.jpg",
        "alarmTime": "2018-01-01 12:09:18", "imgBase64": None,
    },
    "task-status": {"taskNum": "1", "taskName": "测试任务", "taskStatus": 0, "taskStatusName": "未启动"},
}  # fmt: skip


def passage(**changes: object) -> VehiclePassage:
    values: dict = {
        "track_id": TrackId(7), "time_s": 1_514_779_758.0, "road_num": 2, "road_name": "左转", "turn": Turn.LEFT,
        "object_class": ObjectClass.CAR, "box": (1.0, 2.0, 3.0, 4.0), "frame_size": (1280, 720), "speed_kmh": 91.6,
        "spacing_m": 25.649, "time_headway_s": 1.0151, "running_time_s": 0.105, "heading": Heading.FRONT,
    }  # fmt: skip
    return VehiclePassage(**(values | changes))


def envelope(fact: VehiclePassage) -> FactEnvelope:
    task = TaskRef(task_id=1, task_num="100", task_name="测试任务", src_address="x", time_zone="Asia/Shanghai")
    return FactEnvelope(fact_id="f", task=task, fact=fact, small_picture=IMAGE)


def interface(trigger: int) -> InterfaceConfig:
    return InterfaceConfig(
        interface_id=1, name="r", business_type=21, trigger_condition=trigger, upload_period_s=10, url="http://r",
        upload_pictures=True, push_response=True, task_nums=None, headers={},
    )  # fmt: skip


@pytest.mark.parametrize("kind", MANUAL)
def test_the_manuals_own_examples_are_valid_and_recognised(kind: str) -> None:
    assert kind_of(MANUAL[kind]) == kind
    assert validate_body(kind, MANUAL[kind]) == []


@pytest.mark.parametrize("kind", MANUAL)
def test_a_missing_an_extra_and_a_null_field_are_found(kind: str) -> None:
    def element(body):
        return body[0] if isinstance(body, list) else body

    for name in element(MANUAL[kind]):
        body = copy.deepcopy(MANUAL[kind])
        del element(body)[name]
        assert validate_body(kind, body), name
        body = copy.deepcopy(MANUAL[kind])
        element(body)[name] = {}
        assert validate_body(kind, body), name
    body = copy.deepcopy(MANUAL[kind])
    element(body)["extra"] = 1
    assert validate_body(kind, body)


@pytest.mark.parametrize("kind", MANUAL)
def test_a_float_or_text_for_an_integer_is_found(kind: str) -> None:
    first = MANUAL[kind][0] if isinstance(MANUAL[kind], list) else MANUAL[kind]
    floats = {"spacingPercent", "timePercent", "area", "density"}
    for name in [name for name, value in first.items() if type(value) is int and name not in floats]:
        for wrong in (float(first[name]), str(first[name]), True):
            body = copy.deepcopy(MANUAL[kind])
            (body[0] if isinstance(body, list) else body)[name] = wrong
            assert validate_body(kind, body), (name, wrong)


@pytest.mark.parametrize("wrong", ["2018-02-31 12:09:18", "2018-01-01 12:09:18\n", "2018/01/01 12:09:18", ""])
def test_a_time_that_is_none_is_found(wrong: str) -> None:
    assert validate_body("vehicle-snapshot", MANUAL["vehicle-snapshot"] | {"snapshotTime": wrong})


def test_a_snapshot_is_the_manuals_example_in_its_order() -> None:
    body = snapshot_body(envelope(passage()), passage(), "通甲优博")
    assert list(body) == list(MANUAL["vehicle-snapshot"])
    assert validate_body("vehicle-snapshot", body) == []
    assert (body["vehicleSpeed"], body["vehicleSpacing"], body["timeDistance"], body["runningTime"]) == (92, 2565, 1015, 105)
    assert (body["snapshotTime"], body["date"], body["trunDirNo"]) == ("2018-01-01 12:09:18", "2018/01/01 12:09", "1")
    assert datetime.strptime(str(body["date"]), "%Y/%m/%d %H:%M").minute == 9
    assert all(type(body[name]) is int for name in ("vehicleSpeed", "runningTime", "vehicleSpacing", "timeDistance"))
    VehicleSnapshotBody.model_validate(body)


LOOKS = VehicleLooks(plate_num="川A888AB", plate_color=1, plate_confidence=0.9, vehicle_type=2, vehicle_color=5)
PLATE = "image/2019_03/04/2/plate/small/2_plate_small_20190304000008506.jpg"


def test_bodies_carry_what_was_recognised() -> None:
    seen = dataclasses.replace(envelope(passage()), looks=LOOKS, plate_picture=PLATE, weather=3)
    single, item = snapshot_body(seen, passage(), "x"), batch_item(seen, passage())
    assert validate_body("vehicle-snapshot", single) == validate_body("vehicle-batch", [item]) == []
    for body in (single, item):
        assert [body[n] for n in ("plateNum", "vehicleType", "vehicleColor", "snapshotPath")] == ["川A888AB", 2, 5, PLATE]
    assert (item["plateColor"], single["weather"]) == (1, 3)
    assert "plateColor" not in single


def test_what_is_not_recognised_has_the_unknown_codes() -> None:
    body, item = snapshot_body(envelope(passage()), passage(), "x"), batch_item(envelope(passage()), passage())
    assert [body[n] for n in ("plateNum", "vehicleType", "vehicleColor", "weather", "snapshotPath")] == ["", 0, 255, 0, ""]
    assert item["plateColor"] == 0


@pytest.mark.parametrize("trigger", [1, 2])
def test_the_plates_picture_travels_in_imgbase64(trigger: int) -> None:
    seen = dataclasses.replace(envelope(passage()), looks=LOOKS, plate_picture=PLATE)
    item = WireEncoder().encode(seen, interface(trigger))
    assert item is not None
    assert item.pictures == {"imgBase64": PLATE, "imgBase64Type": IMAGE}


def test_not_measured_is_minus_one() -> None:
    fact = passage(speed_kmh=None, spacing_m=None, time_headway_s=None, running_time_s=None)
    body = batch_item(envelope(fact), fact)
    assert [body[n] for n in ("vehicleSpeed", "vehicleSpacing", "timeDistance", "runningTime")] == [-1] * 4
    assert validate_body("vehicle-batch", [body]) == []
    VehicleBatchItem.model_validate(body)


def test_status_names_are_the_manuals() -> None:
    assert [status_body("1", "t", code)["taskStatusName"] for code in range(4)] == ["未启动", "分析中", "重连中", "已断开"]
    assert validate_body("task-status", {"taskNum": "1", "taskName": "t", "taskStatus": 1, "taskStatusName": "未启动"})
