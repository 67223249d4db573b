"""3.1 of events, held against the manual's example and the schema."""

import json
from dataclasses import replace

import pytest

from actors.ports import FactEnvelope
from api.wire.bodies import EventBody
from api.wire.encode import WireEncoder
from api.wire.validate import kind_of, validate_body
from tests.api.test_wire import MANUAL
from tests.api.test_wire_parameters import CROWD, interface
from tests.api.test_wire_parameters import envelope as wrapped
from traffic.facts import EventKind, EventPhase, TrafficEvent, VehicleLooks
from traffic.types import ObjectClass

LARGE = "image/2019_03/04/111/illegal_parking/large/111_illegal_parking_large_20190304000220050.jpg"
CLIP = "video/2019_08/02/111/illegal_parking/111_illegal_parking_20190802144301451.mp4"
EVENT = TrafficEvent(
    event_id="e1", phase=EventPhase.RAISED, kind=EventKind.ILLEGAL_PARKING, time_s=1_514_779_758.0, start_s=1_514_779_700.0,
    peak_s=1_514_779_758.0, confidence=0.91, box=(182.4, 224.6, 276.6, 365.2), frame_size=(1920, 1080), track_ids=(4,),
    object_class=ObjectClass.CAR, road_num=2, detail="停车 58 秒",
)  # fmt: skip


def envelope(event: TrafficEvent = EVENT, **changes: object) -> FactEnvelope:
    looks = VehicleLooks(plate_num="川A66666", plate_color=1, vehicle_type=3, vehicle_color=4)
    shown: dict = {"large_picture": LARGE, "clip": CLIP, "looks": looks, "weather": 1}
    return replace(wrapped(event), **(shown | changes))


def encode(fact: FactEnvelope, business: int = 11, **kind: bool):
    return WireEncoder().encode(fact, interface(business, **kind))


def test_an_event_is_the_manuals_example_field_by_field() -> None:
    item = encode(envelope(), periodic=False)
    assert item is not None
    body, example = item.body, MANUAL["event"]
    assert list(body) == list(example), "names and order"
    assert {name: type(value) for name, value in body.items()} == {name: type(value) for name, value in example.items()}
    for name in ("recordType", "recordContent", "recordTime", "vehicleType", "vehicleColor", "plate", "plateColor", "weather"):
        assert body[name] == example[name], name
    assert body["srcAddress"] == "rtsp://admin:***@192.168.1.96:554/h264"
    assert (body["recordLargePath"], body["videoPath"]) == (LARGE, f"/{CLIP}")
    assert body["Pos"] == '{"height":140,"width":95,"x":182,"y":225}'
    assert validate_body("event", body) == []
    assert kind_of(body) == "event"
    EventBody.model_validate(body)


def test_what_is_not_known_has_the_unknown_codes_and_empty_paths() -> None:
    item = encode(wrapped(EVENT), periodic=False)
    assert item is not None
    body = item.body
    assert (body["vehicleType"], body["vehicleColor"], body["plate"], body["plateColor"], body["weather"]) == (0, 255, "", 0, 0)
    assert body["videoPath"] == ""
    assert validate_body("event", body) == []


def test_the_picture_stands_at_its_place_when_it_is_asked_for() -> None:
    item = encode(envelope(), periodic=False, pictures=True)
    assert item is not None
    assert list(item.body).index("imgBase64") == list(item.body).index("recordContent") + 1
    assert item.pictures == {"imgBase64": LARGE}
    assert validate_body("event", item.body) == []


def test_raised_and_upgraded_are_pushed_and_an_end_is_not() -> None:
    upgraded = replace(EVENT, phase=EventPhase.UPGRADED, kind=EventKind.ACCIDENT)
    item = encode(envelope(upgraded), periodic=True)
    assert item is not None
    assert (item.body["recordType"], item.body["recordContent"]) == (1013, "交通事故")
    closed = envelope(replace(EVENT, phase=EventPhase.CLOSED))
    assert encode(closed, periodic=False) is None
    assert WireEncoder().record(closed) is None
    assert WireEncoder().record(envelope()) == encode(envelope(), periodic=False).body


@pytest.mark.parametrize("business", [21, 22, 41, 52])
def test_other_business_types_get_no_events(business: int) -> None:
    assert encode(envelope(), business, periodic=False) is None


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_has_its_text_and_is_valid(kind: EventKind) -> None:
    item = encode(envelope(replace(EVENT, kind=kind)), periodic=False)
    assert item is not None
    assert item.body["recordContent"]
    assert validate_body("event", item.body) == []


def test_the_position_lies_in_the_picture() -> None:
    item = encode(envelope(replace(EVENT, box=(-20.0, 1000.0, 100.0, 1300.0))), periodic=False)
    assert item is not None
    assert json.loads(str(item.body["Pos"])) == {"height": 80, "width": 100, "x": 0, "y": 1000}


def test_a_crowd_alarm_is_event_1008_with_its_clip() -> None:
    item = encode(replace(wrapped(CROWD), clip=CLIP), periodic=False)
    assert item is not None
    assert (item.body["recordType"], item.body["videoPath"]) == (1008, f"/{CLIP}")
    assert validate_body("event", item.body) == []


def test_the_password_of_the_source_goes_out_only_where_it_was_asked_for() -> None:
    body = WireEncoder(source_secrets=True).record(envelope())
    assert body is not None
    assert body["srcAddress"] == "rtsp://admin:12345@192.168.1.96:554/h264"


@pytest.mark.parametrize("position", ["", "{}", "[1]", '{"height":1.5,"width":1,"x":1,"y":1}', '{"height":1,"width":1,"x":1}'])
def test_a_position_of_another_form_is_found(position: str) -> None:
    assert any(problem.startswith("Pos:") for problem in validate_body("event", MANUAL["event"] | {"Pos": position}))
