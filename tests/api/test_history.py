"""History of parameters: kept by minute, read in buckets, as JSON and CSV; states of aggregators."""

import csv
import dataclasses
import io
import time

import httpx
import pytest

from api.parameter_store import SqlParameterStore
from api.services import ApiServices
from api.tables import Interface, Task
from tests.api.test_wire_parameters import DENSITY, FLOW, LANE, PEOPLE
from traffic.types import ObjectClass

OPEN = 1_542_598_140  # 2018-11-19 11:29:00 in Shanghai
MINUTE = dataclasses.replace(LANE, period_s=60, observed_s=60.0, queue_length_m=12.0, queue_num=2)


@pytest.fixture
def store(services: ApiServices) -> SqlParameterStore:
    with services.database.session() as session:
        session.add(Task(task_num="111", task_name="dss", src_address="x", time_zone="Asia/Shanghai"))
        session.commit()
    return SqlParameterStore(services.database.url)


def minute(index: int, road_num: int = 1, **changes: object):
    return dataclasses.replace(MINUTE, road_num=road_num, open_s=OPEN + 60 * index, close_s=OPEN + 60 * (index + 1), **changes)


async def ask(client: httpx.AsyncClient, what: str = "traffic", **body: object) -> httpx.Response:
    wanted = {"taskNum": "111", "startTime": "2018-11-19 11:29:00", "endTime": "2018-11-19 12:29:00"} | body
    return await client.post(f"/api/{what}/query", json=wanted)


async def test_minutes_are_read_back_in_buckets(store: SqlParameterStore, signed_in: httpx.AsyncClient) -> None:
    cars, buses = ((ObjectClass.CAR, 6),), ((ObjectClass.CAR, 2), (ObjectClass.BUS, 1))
    rows = [
        minute(0, counts=cars, time_occupancy_ratio=0.2, time_mean_speed_kmh=60.0, max_queue_num=9),
        minute(1, counts=buses, time_occupancy_ratio=0.5, time_mean_speed_kmh=30.0, observed_s=30.0, queue_num=5),
        minute(0, road_num=2),
    ]
    store.save({}, [("111", row) for row in rows])
    both = (await ask(signed_in, bucket=86_400, roadNums=[1])).json()["data"]
    assert len(both) == 1
    assert both[0]["vehicles"] == 9
    assert both[0]["counts"] == {"bus": 1, "car": 8}
    assert both[0]["timeOccupancyRatio"] == pytest.approx(0.3)
    assert both[0]["timeMeanSpeedKmh"] == pytest.approx(50.0)
    assert both[0]["flowRateVehH"] == pytest.approx(9 / 90 * 3600)
    assert (both[0]["queueNum"], both[0]["maxQueueNum"]) == (5, 9)
    assert (both[0]["startTime"], both[0]["endTime"]) == ("2018-11-19 00:00:00", "2018-11-20 00:00:00")
    hour = (await ask(signed_in, bucket=3600, roadNums=[2])).json()["data"]
    assert [(row["startTime"], row["endTime"]) for row in hour] == [("2018-11-19 11:00:00", "2018-11-19 12:00:00")]


async def test_a_minute_saved_again_replaces_the_old_one(store: SqlParameterStore, signed_in: httpx.AsyncClient) -> None:
    store.save({}, [("111", minute(0, counts=((ObjectClass.CAR, 3),)))])
    store.save({}, [("111", minute(0, counts=((ObjectClass.CAR, 4),))), ("111", minute(0, counts=((ObjectClass.CAR, 5),)))])
    rows = (await ask(signed_in)).json()["data"]
    assert [(row["startTime"], row["endTime"], row["vehicles"]) for row in rows] == [
        ("2018-11-19 11:29:00", "2018-11-19 11:30:00", 5)
    ]


async def test_csv_has_a_head_line_and_one_line_per_row(store: SqlParameterStore, signed_in: httpx.AsyncClient) -> None:
    store.save({}, [("111", minute(n, road_num=road)) for n in range(3) for road in (1, 2)])
    answer = await ask(signed_in, format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(lines) == 6
    assert (lines[0]["roadNum"], lines[0]["counts"], lines[0]["queueNum"]) == ("1", "car:7", "2")
    assert len((await ask(signed_in, format="csv", startTime="2017-01-01 00:00:00", endTime="2017-01-02 00:00:00")).text) <= 1


async def test_people_are_read_back_by_region_and_line(store: SqlParameterStore, signed_in: httpx.AsyncClient) -> None:
    def people(index: int):
        times = {"period_s": 60, "open_s": OPEN + 60 * index, "close_s": OPEN + 60 * (index + 1), "observed_s": 60.0}
        flow, density = dataclasses.replace(FLOW, **times), dataclasses.replace(DENSITY, people_mean=10.0 * index, **times)
        line = dataclasses.replace(flow, is_line=True, people_in=1)
        del times["observed_s"]
        return dataclasses.replace(PEOPLE, flows=(flow, line), densities=(density,), **times)

    store.save({}, [("111", people(0)), ("111", people(1))])
    line, region = sorted((await ask(signed_in, "people", bucket=86_400)).json()["data"], key=lambda row: row["kind"])
    assert (region["regionCode"], region["peopleIn"], region["peopleOut"], region["peopleMean"]) == (101, 20, 12, 5.0)
    assert (line["kind"], line["peopleIn"], line["peopleMean"], line["areaM2"]) == ("countLine", 2, None, None)
    assert (await ask(signed_in, "people", regionCodes=[5])).json()["data"] == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"taskNum": "nobody"}, 404, None),
        ({"startTime": "2018-11-19"}, 400, "startTime"),
        ({"endTime": "2018-11-19 11:29:00"}, 400, "endTime"),
        ({"bucket": 90}, 400, "bucket"),
        ({"bucket": 0}, 400, "bucket"),
        ({"format": "xml"}, 400, "format"),
        ({"roadNums": [0]}, 400, "roadNums.0"),
        ({"unknown": 1}, 200, None),
    ],
)
async def test_a_wrong_question_is_answered_with_what_is_wrong(
    store: SqlParameterStore, signed_in: httpx.AsyncClient, body: dict, status: int, field: str | None
) -> None:
    answer = await ask(signed_in, **body)
    assert answer.status_code == status
    assert field is None or answer.json()["data"][0]["field"] == field


async def test_history_needs_a_token(store: SqlParameterStore, client: httpx.AsyncClient) -> None:
    assert (await ask(client)).status_code == 401
    assert (await ask(client, "people")).status_code == 401


def test_states_are_kept_and_forgotten_with_their_tasks(store: SqlParameterStore) -> None:
    store.save({"111": "old", "gone": "x"}, [])
    store.save({"111": "new"}, [])
    assert (store.load("111"), store.load("gone"), store.load("never")) == ("new", "x", None)
    store.prune(86_400)
    assert (store.load("111"), store.load("gone")) == ("new", None)


def test_old_history_is_forgotten(store: SqlParameterStore) -> None:
    now = int(time.time()) // 60 * 60
    store.save({}, [("111", dataclasses.replace(MINUTE, open_s=now - 60 - age, close_s=now - age)) for age in (0, 7200)])
    assert store.prune(3600) == 1
    assert store.prune(3600) == 0


def test_periods_are_those_of_enabled_periodic_interfaces_of_types_22_and_41(
    store: SqlParameterStore, services: ApiServices
) -> None:
    def interface(business: int, condition: int, period: int, enabled: bool = True) -> Interface:
        return Interface(
            name="i", business_type=business, trigger_condition=condition, upload_period=period, url="http://x", enabled=enabled
        )

    with services.database.session() as session:
        for row in (
            interface(22, 1, 30), interface(41, 1, 45), interface(41, 2, 99), interface(21, 1, 98),
            interface(22, 1, 97, enabled=False),
        ):  # fmt: skip
            session.add(row)
        session.commit()
    assert store.periods() == {30, 45}


def test_a_full_installation_saves_its_minute_quickly_enough(store: SqlParameterStore) -> None:
    """100 cameras of 8 lanes: 800 rows a minute in few transactions."""
    rows = [(f"{camera}", minute(0, road_num=lane)) for camera in range(100) for lane in range(1, 9)]
    begin = time.process_time()
    store.save({f"{camera}": "x" * 50_000 for camera in range(100)}, rows)
    assert time.process_time() - begin < 10.0
