"""What a client is told about a wrong request: the field, and what is allowed, in Chinese and in English."""

import json
import re
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.test_api import INTERFACE, TASK

CHINESE = re.compile(r"[\u4e00-\u9fff]")
PERIOD = "1 至 120 的整数"


async def _faults(client: httpx.AsyncClient, path: str, body: Any) -> dict[str, str]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 400, answer.text
    told = answer.json()
    assert told["code"] == 4000
    chinese, english = told["resultMsg"].split(" / ", 1)
    for fault in told["data"]:
        zh, en = fault["message"].split(" / ", 1)
        assert CHINESE.search(zh)
        assert not CHINESE.search(en)
        assert fault["field"] in chinese
        assert zh in chinese
        assert f"{fault['field']} {en}" in english
    return {fault["field"]: fault["message"] for fault in told["data"]}


@pytest.mark.parametrize(
    ("change", "field", "chinese", "english"),
    [
        ({"name": 5}, "name", "须为 1 至 200 个字符的文本", "must be text of 1 to 200 characters"),
        ({"name": "x" * 201}, "name", "须为 1 至 200 个字符的文本", "must be text of 1 to 200 characters"),
        ({"name": " "}, "name", "不能为空白", "must not be blank"),
        ({"name": "a\x00b"}, "name", "控制字符", "control characters"),
        ({"businessType": 12}, "businessType", "整数 11、21、22、41 或 52", "the integer 11, 21, 22, 41 or 52"),
        ({"businessType": 21.0}, "businessType", "整数 11、21", "the integer 11, 21"),
        ({"businessType": "21"}, "businessType", "整数 11、21", "the integer 11, 21"),
        ({"method": True}, "method", "须为整数 1", "must be the integer 1"),
        ({"contentType": 1.0}, "contentType", "须为整数 1", "must be the integer 1"),
        ({"triggerCondition": 3}, "triggerCondition", "整数 1 或 2", "the integer 1 or 2"),
        ({"triggerCondition": 2, "businessType": 22}, "triggerCondition", "只支持周期触发", "periodic only"),
        ({"uploadPeriod": 121}, "uploadPeriod", PERIOD, "an integer from 1 to 120"),
        ({"uploadPeriod": 0}, "uploadPeriod", PERIOD, "an integer from 1 to 120"),
        ({"uploadPeriod": True}, "uploadPeriod", PERIOD, "an integer from 1 to 120"),
        ({"uploadPeriod": 10.0}, "uploadPeriod", PERIOD, "an integer from 1 to 120"),
        ({"uploadPeriod": "10"}, "uploadPeriod", PERIOD, "an integer from 1 to 120"),
        ({"uploadPeriod": None}, "uploadPeriod", "周期触发时必填", "required for periodic push"),
        ({"url": "ftp://x/y"}, "url", "http", "absolute http or https URL"),
        ({"uploadImgStatus": 2}, "uploadImgStatus", "整数 0 或 1 或 true 或 false", "the integer 0 or 1 or true or false"),
        ({"pushResponse": 1.0}, "pushResponse", "true 或 false", "true or false"),
        ({"enabled": 1}, "enabled", "true 或 false", "true or false"),
        ({"taskNums": "1"}, "taskNums", "列表", "a list"),
        ({"taskNums": ["1", 2]}, "taskNums.1", "1 至 64 个字符的文本", "text of 1 to 64 characters"),
        ({"taskNums": ["a\x00"]}, "taskNums.0", "控制字符", "control characters"),
    ],
)
async def test_a_bad_interface_field_is_told(
    signed_in: httpx.AsyncClient, change: dict[str, Any], field: str, chinese: str, english: str
) -> None:
    (fault,) = (await _faults(signed_in, "/api/interface/add", INTERFACE | change)).items()
    assert fault[0] == field
    assert chinese in fault[1].split(" / ")[0]
    assert english in fault[1].split(" / ")[1]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"taskNum": ""}, "taskNum"),
        ({"taskNum": "a/b"}, "taskNum"),
        ({"taskNum": 100}, "taskNum"),
        ({"taskNum": "\x00"}, "taskNum"),
        ({"taskName": "a\rb"}, "taskName"),
        ({"srcAddress": "gopher://x"}, "srcAddress"),
        ({"srcAddress": " "}, "srcAddress"),
        ({"srcAddress": "rtsp://a\x00b/"}, "srcAddress"),
        ({"srcAddress": "rtsp://admin:***@10.0.0.2/ch1"}, "srcAddress"),
        ({"analysedFps": True}, "analysedFps"),
        ({"analysedFps": "5"}, "analysedFps"),
        ({"analysedFps": 121}, "analysedFps"),
        ({"analysedFps": -1}, "analysedFps"),
        ({"rtspTransport": "quic"}, "rtspTransport"),
        ({"loop": 0}, "loop"),
        ({"site": "-north"}, "site"),
        ({"site": "north gate"}, "site"),
        ({"site": "a" * 64}, "site"),
        ({"site": None}, "site"),
        ({"startTime": "2019-02-30 00:00:00"}, "startTime"),
        ({"startTime": "0001-01-01 00:00:00"}, "startTime"),
        ({"timeZone": "../../etc/passwd"}, "timeZone"),
        ({"timeZone": "Mars/Phobos"}, "timeZone"),
        ({"timeZone": "a\x00b"}, "timeZone"),
        ({"scene": []}, "scene"),
        (
            {"scene": {"regions": [{"regionCode": 1, "name": "\x00", "polygon": [[0, 0], [1, 0], [1, 1]]}]}},
            "scene.regions[0].name",
        ),
    ],
)
async def test_a_bad_task_field_is_told(signed_in: httpx.AsyncClient, change: dict[str, Any], field: str) -> None:
    assert list(await _faults(signed_in, "/api/task/add", TASK | change)) == [field]


async def test_every_problem_of_a_scene_is_a_fault_of_its_own(signed_in: httpx.AsyncClient) -> None:
    faults = await _faults(signed_in, "/api/task/add", TASK | {"scene": {"lanes": [{"roadNum": 0}], "version": 2}})
    assert {"scene.version", "scene.lanes[0].roadNum", "scene.lanes[0].polygon"} <= set(faults)


async def test_missing_fields_and_bodies_are_told(signed_in: httpx.AsyncClient) -> None:
    faults = await _faults(signed_in, "/api/interface/add", {})
    assert {"name", "businessType", "triggerCondition", "url", "companyName", "companyId", "appId"} == set(faults)
    assert all("必填" in text and "is missing" in text for text in faults.values())
    assert list(await _faults(signed_in, "/api/interface/query", [])) == ["body"]
    assert (await signed_in.post("/api/interface/query")).json()["data"][0]["field"] == "body"


async def test_the_period_is_ignored_on_trigger(signed_in: httpx.AsyncClient) -> None:
    for period in ("", "ten", 500, None, [1]):
        answer = await signed_in.post("/api/interface/add", json=INTERFACE | {"triggerCondition": 2, "uploadPeriod": period})
        assert answer.json()["data"]["uploadPeriod"] == 0


@pytest.mark.parametrize("record", [2**31, 2**63 - 1])
async def test_an_unknown_int64_is_a_404(signed_in: httpx.AsyncClient, record: int) -> None:
    answer = await signed_in.post("/api/task/query", json={"id": record})
    assert (answer.status_code, answer.json()["code"]) == (404, 4040)


@pytest.mark.parametrize("depth", [65, 500, 5000])
async def test_a_body_nested_too_deeply_is_a_400(signed_in: httpx.AsyncClient, depth: int) -> None:
    notes = "[" * depth + "]" * depth
    body = json.dumps(TASK)[:-1] + f', "scene": {{"notes": {notes}}}}}'
    assert (await signed_in.post("/api/task/add", content=body)).json()["code"] == 4001


async def test_a_body_as_deep_as_allowed_is_stored_and_answered(signed_in: httpx.AsyncClient) -> None:
    notes: Any = "deep"
    for _ in range(60):
        notes = [notes]
    answer = await signed_in.post("/api/task/add", json=TASK | {"scene": {"notes": notes}})
    assert answer.json()["data"]["scene"] == {"notes": notes}


VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=9),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_whatever_is_wrong_is_told_in_both_languages(signed_in: httpx.AsyncClient, data: st.DataObject) -> None:
    path, good = data.draw(
        st.sampled_from([("interface/add", INTERFACE), ("task/add", TASK), ("account/add", {"username": "u"})])
    )
    changed = good | data.draw(
        st.dictionaries(st.sampled_from([*good, "scene", "taskNums", "role", "password"]), VALUE, min_size=1)
    )
    answer = await signed_in.post(f"/api/{path}", content=json.dumps(changed))
    assert answer.status_code in (200, 400, 409)
    if answer.status_code != 200:
        assert CHINESE.search(answer.json()["resultMsg"].split(" / ")[0])
        assert all(fault["field"] and CHINESE.search(fault["message"]) for fault in answer.json()["data"] or [])


async def test_a_site_is_kept_and_empty_without_one(signed_in: httpx.AsyncClient) -> None:
    answers = [
        (await signed_in.post("/api/task/add", json=TASK | {"taskNum": num, **site})).json()["data"]["site"]
        for num, site in (("s1", {}), ("s2", {"site": "north-1"}))
    ]
    assert answers == ["", "north-1"]
    listed = (await signed_in.post("/api/task/list", json={})).json()["data"]
    assert {task["taskNum"]: task["site"] for task in listed}.items() >= {"s1": "", "s2": "north-1"}.items()
