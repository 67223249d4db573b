"""The history of traffic parameters and people, for operators."""

import csv
import io
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col, select

from api import errors
from api.errors import ApiError, field_fault
from api.history import MINUTE_S, Row, lane_buckets, people_buckets
from api.routes.common import Services, SignedIn, done, moment_of
from api.schemas import Envelope
from api.tables import LaneHistory, PeopleHistory, Task
from api.wire.times import wire_time

router = APIRouter()
_MAX_ROWS = 200_000
_MAX_BUCKET_S = 86_400
Rows = Envelope[list[dict[str, Any]]]
Code = Annotated[int, Field(ge=1, le=2**31 - 1)]


class HistoryRequest(BaseModel):
    """What to read. Times are local to the task's zone; ``bucket`` is seconds, a multiple of 60."""

    model_config = ConfigDict(str_strip_whitespace=True)

    taskNum: str = Field(min_length=1, max_length=64, description="任务编号 / task number", examples=["1"])  # noqa: N815
    startTime: str = Field(description="开始时间(含) yyyy-MM-dd HH:mm:ss / from, inclusive", examples=["2026-11-24 08:00:00"])  # noqa: N815
    endTime: str = Field(description="结束时间(不含) / to, exclusive", examples=["2026-11-24 09:00:00"])  # noqa: N815
    bucket: int = Field(MINUTE_S, ge=MINUTE_S, le=_MAX_BUCKET_S, multiple_of=MINUTE_S, description="汇总秒数 / seconds per row")
    format: Literal["json", "csv"] = Field("json", description="返回格式: json 或 csv / form of the answer: json or csv")


class LaneHistoryRequest(HistoryRequest):
    """Of which lanes; none: all."""

    roadNums: list[Code] = Field(default_factory=list, max_length=64, description="车道编号, 空为全部 / lanes, empty: all")  # noqa: N815


class PeopleHistoryRequest(HistoryRequest):
    """Of which regions and count lines; none: all."""

    regionCodes: list[Code] = Field(default_factory=list, max_length=128, description="区域编号, 空为全部 / empty: all")  # noqa: N815


@router.post(
    "/api/traffic/query",
    tags=["history"],
    response_model=Rows,
    summary="交通参数历史 / history of lanes",
)
def traffic(body: LaneHistoryRequest, services: Services, user: SignedIn) -> Any:
    """Traffic parameters of a task by lane and bucket. Units are in the names; null: not measured."""
    with services.database.session() as session:
        zone, begin, end = _range(session, body)
        where = [col(LaneHistory.task_num) == body.taskNum, col(LaneHistory.close_s) > begin, col(LaneHistory.close_s) <= end]
        if body.roadNums:
            where.append(col(LaneHistory.road_num).in_(body.roadNums))
        rows = _bounded(session.exec(select(LaneHistory).where(*where).limit(_MAX_ROWS + 1)).all())
    return _answer(lane_buckets(rows, body.bucket, _offset_s(zone, begin)), zone, body.format)


@router.post("/api/people/query", tags=["history"], response_model=Rows, summary="人流历史 / history of people")
def people(body: PeopleHistoryRequest, services: Services, user: SignedIn) -> Any:
    """People of a task by region (or count line) and bucket; null: not measured."""
    with services.database.session() as session:
        zone, begin, end = _range(session, body)
        where = [
            col(PeopleHistory.task_num) == body.taskNum,
            col(PeopleHistory.close_s) > begin,
            col(PeopleHistory.close_s) <= end,
        ]
        if body.regionCodes:
            where.append(col(PeopleHistory.code).in_(body.regionCodes))
        rows = _bounded(session.exec(select(PeopleHistory).where(*where).limit(_MAX_ROWS + 1)).all())
    return _answer(people_buckets(rows, body.bucket, _offset_s(zone, begin)), zone, body.format)


def _range(session: Session, body: HistoryRequest) -> tuple[str, int, int]:
    """The task's zone, and the range in seconds since the epoch."""
    task = session.exec(select(Task).where(col(Task.task_num) == body.taskNum)).first()
    if task is None:
        raise ApiError(errors.NOT_FOUND, f"任务 {body.taskNum} 不存在", f"no task {body.taskNum}")
    begin, end = (moment_of(getattr(body, name), name, task.time_zone) for name in ("startTime", "endTime"))
    if begin >= end:
        raise field_fault("endTime", "必须晚于 startTime", "must be later than startTime")
    return task.time_zone, begin, end


def _offset_s(time_zone: str, moment: int) -> int:
    """How far the zone is ahead of UTC at the beginning of the range: buckets of a day are local days."""
    offset = datetime.fromtimestamp(moment, ZoneInfo(time_zone)).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _bounded(rows: Any) -> Any:
    if len(rows) > _MAX_ROWS:
        raise field_fault(
            "endTime", f"范围过大, 超过 {_MAX_ROWS} 行", f"the range holds more than {_MAX_ROWS} minutes; narrow it"
        )
    return rows


def _answer(rows: list[Row], zone: str, kind: str) -> Any:
    timed = [
        {"startTime": wire_time(row["open_s"], zone), "endTime": wire_time(row["close_s"], zone)}
        | {name: value for name, value in row.items() if name not in ("open_s", "close_s")}
        for row in rows
    ]
    if kind == "json":
        return done(timed)
    text = io.StringIO()
    writer = csv.writer(text)
    if timed:
        writer.writerow(timed[0])
    for row in timed:
        writer.writerow([_csv_cell(value) for value in row.values()])
    # The byte order mark tells spreadsheet programs that this is UTF-8.
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8")


def _csv_cell(value: Any) -> Any:
    """``car:3 bus:1`` for counts."""
    return " ".join(f"{name}:{number}" for name, number in value.items()) if isinstance(value, dict) else value
