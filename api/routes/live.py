"""Live streams for the console (server-sent events): one camera with its picture, and the state of all tasks.

Each message is one line of JSON after ``data:``. A stream ends with its client; nothing is computed while nobody looks.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from sqlmodel import col, select

from actors.errors import StoreUnavailableError
from actors.viewing import CameraView
from api.routes.common import Services, SignedIn
from api.routes.tasks import get_task, to_data
from api.schemas_console import LiveRequest
from api.services import ApiServices
from api.tables import Task

router = APIRouter()
_STATE_PERIOD_S = 1.0
_BEAT_S = 10.0  # a comment keeps proxies from closing a quiet stream
_LONGEST_S = 1800.0  # the client connects again; its token is looked at again
_EVENTS = {200: {"description": "事件流 / event stream", "content": {"text/event-stream": {"schema": {}}}}}


def _message(value: Any) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n\n"


def view_data(view: CameraView) -> dict[str, Any]:
    """A view as the console gets it."""
    return {
        "sequence": view.sequence,
        "time": view.time_s,
        "width": view.width,
        "height": view.height,
        "picture": base64.b64encode(view.jpeg).decode(),
        "objects": [
            {
                "id": item.track_id,
                "name": item.name,
                "lane": item.road_num,
                "box": [round(value, 5) for value in item.box],
                "speed": None if item.speed_kmh is None else round(item.speed_kmh, 1),
                "moved": item.moved,
            }
            for item in view.objects
        ],
        "laneCounts": {str(lane): count for lane, count in view.lane_counts},
        "events": [{"id": name, "kind": kind, "box": [round(value, 5) for value in box]} for name, kind, box in view.events],
        "queues": [
            {
                "roadNum": queue.road_num,
                "number": queue.number,
                "lengthM": None if queue.length_m is None else round(queue.length_m, 1),
                "outline": [[round(x, 5), round(y, 5)] for x, y in queue.outline],
                "rear": [[round(x, 5), round(y, 5)] for x, y in queue.rear],
            }
            for queue in view.queues
        ],
        "learnedLanes": [{"roadNum": number, "polygon": polygon} for number, polygon in view.learned_lanes],
    }


@router.post(
    "/api/task/live",
    tags=["task"],
    summary="实时画面 / live view of a camera",
    response_class=StreamingResponse,
    responses=_EVENTS,
)
def live(body: LiveRequest, request: Request, services: Services, user: SignedIn) -> StreamingResponse:
    """Pictures of a camera with boxes, ids, speeds and counts in step, as server-sent events."""
    with services.database.session() as session:
        task_num = get_task(session, body.id).task_num
    return _stream(_views(request, services, task_num, body))


@router.post(
    "/api/stream", tags=["task"], summary="任务状态流 / states of all tasks", response_class=StreamingResponse, responses=_EVENTS
)
def states(request: Request, services: Services, user: SignedIn) -> StreamingResponse:
    """The tasks as ``/api/task/list`` answers them (without scenes), each second in which something changed."""
    return _stream(_states(request, services))


def _stream(messages: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(messages, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _views(request: Request, services: ApiServices, task_num: str, body: LiveRequest) -> AsyncIterator[str]:
    begin = beat = time.monotonic()
    sequence = -1
    while time.monotonic() - begin < _LONGEST_S and not await request.is_disconnected():
        started = time.monotonic()
        view = await run_in_threadpool(services.control.view, task_num, body.maxWidth, False, sequence)
        if view is not None:
            sequence, beat = view.sequence, started
            yield _message(view_data(view))
        elif started - beat > _BEAT_S:
            beat = started
            yield ": nothing new\n\n"
        await asyncio.sleep(max(0.02, 1 / body.maxFps - (time.monotonic() - started)))


async def _states(request: Request, services: ApiServices) -> AsyncIterator[str]:
    begin = beat = time.monotonic()
    before = ""
    while time.monotonic() - begin < _LONGEST_S and not await request.is_disconnected():
        now = await run_in_threadpool(_tasks, services)
        if now != before:
            before, beat = now, time.monotonic()
            yield now
        elif time.monotonic() - beat > _BEAT_S:
            beat = time.monotonic()
            yield ": nothing new\n\n"
        await asyncio.sleep(_STATE_PERIOD_S)


def _tasks(services: ApiServices) -> str:
    try:
        with services.database.session() as session:
            rows = session.exec(select(Task).order_by(col(Task.id))).all()
    except StoreUnavailableError:
        return _message({"tasks": None})
    health = services.control.task_health()
    return _message({"tasks": [to_data(row, health, scene=False).model_dump(exclude={"scene"}) for row in rows]})
