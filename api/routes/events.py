"""The history of events."""

import json
from typing import Any

from fastapi import APIRouter, Body

from actors.errors import ArchiveError
from api import errors, events
from api.errors import ApiError
from api.events import CLOSED, OPEN, EventFilter
from api.routes.common import MayChange, Services, SignedIn, done, local_time, time_range
from api.schemas import Envelope, IdRequest
from api.schemas_events import EventClose, EventData, EventDetail, EventListRequest, EventMark, EventPage
from api.services import ApiServices
from api.tables import EventRow
from traffic.events.kinds import KIND_TEXTS
from traffic.facts import EventKind

router = APIRouter(prefix="/api/event", tags=["event"])
_ROWS = 100


@router.post("/list", response_model=Envelope[EventPage], summary="事件列表 / events")
def list_page(services: Services, user: SignedIn, body: EventListRequest | None = Body(None)) -> Envelope[Any]:
    """A page of events, newest first."""
    body = body or EventListRequest.model_validate({})
    begin_s, end_s = time_range(body.startTime, body.endTime, services)
    wanted = EventFilter(
        task_num=body.taskNum,
        kinds=body.recordTypes,
        road_nums=body.roadNums,
        state=body.state,
        false_alarm=body.falseAlarm,
        since_s=begin_s,
        until_s=end_s,
    )
    total, rows = events.list_events(services.database, wanted, body.page or 1, body.pageSize or _ROWS)
    return done(EventPage(total=total, rows=[EventData(**_columns(row, services)) for row in rows]))


@router.post("/latest", response_model=Envelope[list[EventData]], summary="各任务最近事件 / newest event of each task")
def latest(services: Services, user: SignedIn) -> Envelope[Any]:
    """The newest event of each task, false alarms left out; tasks without events are not in it."""
    return done([EventData(**_columns(row, services)) for row in events.latest_events(services.database)])


@router.post("/query", response_model=Envelope[EventDetail], summary="事件详情 / one event")
def query(body: IdRequest, services: Services, user: SignedIn) -> Envelope[Any]:
    """One event with the bodies as they were pushed, without pictures."""
    return done(_detail(body.id, events.query_event(services.database, _known(body.id)), services))


@router.post("/close", response_model=Envelope[EventDetail], summary="结束事件 / end an event")
def close(body: EventClose, services: Services, actor: MayChange) -> Envelope[Any]:
    """Ends an open event by hand; one that has ended stays as it is.

    The camera goes on watching: it does not raise the same incident again while it lasts, and opens the event again should it
    become a graver kind.
    """
    return done(_detail(body.id, events.close_event(services.database, _known(body.id), actor, body.note), services))


@router.post("/mark", response_model=Envelope[EventDetail], summary="标记误报 / mark as false alarm")
def mark(body: EventMark, services: Services, actor: MayChange) -> Envelope[Any]:
    """Says whether an event was a false alarm. Nothing is pushed."""
    row = events.mark_event(services.database, _known(body.id), actor, body.falseAlarm, body.note)
    return done(_detail(body.id, row, services))


def _known(record_id: int) -> int:
    return record_id if record_id < 2**31 else 0


def _detail(record_id: int, row: EventRow | None, services: ApiServices) -> EventDetail:
    if row is None:
        raise ApiError(errors.NOT_FOUND, f"事件 {record_id} 不存在", f"no event {record_id}")
    bodies = {"body": _loaded(row.body), "upgradedBody": _loaded(row.upgraded_body)}
    there = {"pictureThere": _there(services, row.large_picture), "clipThere": _there(services, row.clip)}
    return EventDetail(**_columns(row, services), **bodies, **there)


def _there(services: ApiServices, path: str) -> bool:
    try:
        found = services.archive.open(path) if path else None
    except ArchiveError:
        return False
    if found is None:
        return False
    found.file.close()
    return True


def _loaded(text: str) -> dict[str, Any] | None:
    loaded: dict[str, Any] | None = json.loads(text) if text else None
    return loaded


def _columns(row: EventRow, services: ApiServices) -> dict[str, Any]:
    return {
        "id": row.id,
        "eventId": row.event_id,
        "taskNum": row.task_num,
        "recordType": row.kind,
        "recordContent": KIND_TEXTS[EventKind(row.kind)],
        "firstType": row.first_kind,
        "state": CLOSED if row.closed_at else OPEN,
        "startTime": local_time(row.start_at, services),
        "recordTime": local_time(row.raised_at, services),
        "upgradeTime": local_time(row.upgraded_at, services),
        "closeTime": local_time(row.closed_at, services),
        "closedBy": row.closed_by,
        "confidence": round(row.confidence, 3),
        "roadNum": row.road_num,
        "regionCode": row.region_code,
        "objectClass": row.object_class,
        "box": json.loads(row.box),
        "width": row.frame_width,
        "height": row.frame_height,
        "detail": row.detail,
        "recordLargePath": row.large_picture,
        "recordSmallPath": row.small_picture,
        "videoPath": f"/{row.clip}" if row.clip else "",
        "plate": row.plate_num,
        "plateColor": row.plate_color,
        "vehicleType": row.vehicle_type,
        "vehicleColor": row.vehicle_color,
        "weather": row.weather,
        "falseAlarm": row.false_alarm,
        "note": row.note,
        "markedBy": row.marked_by,
        "markTime": local_time(row.marked_at, services),
    }
