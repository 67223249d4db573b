"""Camera tasks, in the style of the manual's interfaces."""

import json
import time
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Body, Response
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from actors.decoding import mask_address
from actors.ports import CameraHealth
from api import errors
from api.audit import Actor, differences, note
from api.errors import ApiError, field_fault
from api.routes.common import MayChange, Services, SignedIn, done, refuse_forbidden_host
from api.schemas import Envelope, IdRequest, ListRequest, TaskData, TaskEdit, TaskFields, is_masked, load_scene
from api.schemas_console import SnapshotRequest
from api.tables import Task
from api.wire.encode import STATUS_NAMES
from traffic.facts import TaskStatusCode

router = APIRouter(prefix="/api/task", tags=["task"])


@router.post("/add", response_model=Envelope[TaskData], summary="创建任务 / add")
def add(body: TaskFields, services: Services, actor: MayChange) -> Envelope[Any]:
    """Adds a camera; it starts at once when enabled."""
    columns = _columns(body, services.time_zone)
    refuse_forbidden_host(columns["src_address"], "srcAddress", services.outbound)
    row = Task(created_at=time.time(), revision=1, **columns)
    with services.database.session() as session:
        session.add(row)
        _flush(session, body.taskNum)
        note(session, actor, "task.add", row.task_num, differences({}, columns))
        session.commit()
    services.control.tasks_changed()
    return done(to_data(row, {}))


@router.post("/edit", response_model=Envelope[TaskData], summary="编辑任务 / edit")
def edit(body: TaskEdit, services: Services, actor: MayChange) -> Envelope[Any]:
    """Replaces the whole record. A srcAddress sent back masked keeps its password."""
    with services.database.session() as session:
        row = get_task(session, body.id)
        before = row.model_dump()
        columns = _columns(body, services.time_zone, kept=row.src_address)
        refuse_forbidden_host(columns["src_address"], "srcAddress", services.outbound)
        for name, value in columns.items():
            setattr(row, name, value)
        row.revision += 1
        session.add(row)
        _flush(session, body.taskNum)
        note(session, actor, "task.edit", row.task_num, differences(before, row.model_dump()))
        session.commit()
    services.control.tasks_changed()
    return done(to_data(row, services.control.task_health([row.task_num])))


@router.post("/delete", response_model=Envelope[None], summary="删除任务 / delete")
def delete(body: IdRequest, services: Services, actor: MayChange) -> Envelope[Any]:
    """Stops and deletes a task."""
    with services.database.session() as session:
        row = get_task(session, body.id)
        session.delete(row)
        note(session, actor, "task.delete", row.task_num)
        session.commit()
    services.control.tasks_changed()
    return done()


@router.post("/start", response_model=Envelope[TaskData], summary="启动任务 / start")
def start(body: IdRequest, services: Services, actor: MayChange) -> Envelope[Any]:
    """Starts a task; one that ended (a file) starts again."""
    return _switch(body.id, True, services, actor)


@router.post("/stop", response_model=Envelope[TaskData], summary="停止任务 / stop")
def stop(body: IdRequest, services: Services, actor: MayChange) -> Envelope[Any]:
    """Stops a task."""
    return _switch(body.id, False, services, actor)


@router.post("/query", response_model=Envelope[TaskData], summary="获取任务信息 / query")
def query(body: IdRequest, services: Services, user: SignedIn) -> Envelope[Any]:
    """One task with the state of its camera."""
    with services.database.session() as session:
        row = get_task(session, body.id)
    return done(to_data(row, services.control.task_health([row.task_num])))


@router.post("/list", response_model=Envelope[list[TaskData]], summary="获取任务列表 / list")
def list_all(services: Services, user: SignedIn, body: ListRequest | None = Body(None)) -> Envelope[Any]:
    """All tasks, by id."""
    statement = select(Task).order_by(col(Task.id))
    if body and (body.page or body.pageSize):
        size = body.pageSize or 100
        statement = statement.offset(((body.page or 1) - 1) * size).limit(size)
    with services.database.session() as session:
        rows = session.exec(statement).all()
    health = services.control.task_health([row.task_num for row in rows])
    return done([to_data(row, health) for row in rows])


@router.post("/snapshot", response_class=Response, summary="当前画面 / picture of a camera now (JPEG)")
def snapshot(body: SnapshotRequest, services: Services, user: SignedIn) -> Response:
    """The newest analysed picture, with lanes, boxes and counts drawn over it unless ``drawn`` is false."""
    with services.database.session() as session:
        row = get_task(session, body.id)
    view = services.control.view(row.task_num, body.maxWidth, body.drawn)
    if view is None:
        raise ApiError(errors.NOT_FOUND, "暂无画面", "no picture yet")
    return Response(view.jpeg, media_type="image/jpeg")


def _switch(record_id: int, enabled: bool, services: Services, actor: Actor) -> Envelope[Any]:
    with services.database.session() as session:
        row = get_task(session, record_id)
        row.enabled, row.updated_at = enabled, time.time()
        row.revision += 1
        session.add(row)
        note(session, actor, "task.start" if enabled else "task.stop", row.task_num)
        session.commit()
    services.control.tasks_changed()
    return done(to_data(row, services.control.task_health([row.task_num])))


def get_task(session: Session, record_id: int) -> Task:
    """The row of a task. Raises NOT_FOUND."""
    row = session.get(Task, record_id) if record_id < 2**31 else None
    if row is None:
        raise ApiError(errors.NOT_FOUND, f"任务 {record_id} 不存在", f"no task {record_id}")
    return row


def _flush(session: Session, task_num: str) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise field_fault("taskNum", f"任务编号 {task_num} 已存在", f"{task_num} is taken", errors.CONFLICT) from error


def _columns(body: TaskFields, default_zone: str, kept: str | None = None) -> dict[str, Any]:
    """The row's columns. ``kept``: the stored address; sent back masked it stays, and a mask anywhere else is no password."""
    address = kept if kept is not None and body.srcAddress == mask_address(kept) else body.srcAddress
    if address == body.srcAddress and is_masked(address):
        raise field_fault("srcAddress", "密码为 ***, 请填写真实密码", "holds *** for a password; give the password itself")
    return {
        "task_num": body.taskNum,
        "task_name": body.taskName,
        "src_address": address,
        "scene": None if body.scene is None else json.dumps(body.scene, ensure_ascii=False),
        "analysed_fps": float(body.analysedFps),
        "rtsp_transport": body.rtspTransport,
        "loop": body.loop,
        "start_time": body.startTime,
        "time_zone": body.timeZone or default_zone,
        "enabled": body.enabled,
        "site": body.site,
        "updated_at": time.time(),
    }


def to_data(row: Task, health: Mapping[str, CameraHealth], *, scene: bool = True) -> TaskData:
    """Row and camera state → answer. ``scene``: with the scene; to read a thousand of them takes longer than all the rest."""
    camera = health.get(row.task_num)
    status = camera.status if camera else TaskStatusCode.NOT_STARTED
    return TaskData(
        id=row.id or 0,
        taskNum=row.task_num,
        taskName=row.task_name,
        srcAddress=mask_address(row.src_address),
        scene=load_scene(row.scene) if scene else None,
        analysedFps=row.analysed_fps,
        rtspTransport=row.rtsp_transport,
        loop=row.loop,
        startTime=row.start_time,
        timeZone=row.time_zone,
        enabled=row.enabled,
        site=row.site,
        status=int(status),
        statusName=STATUS_NAMES[status],
        reason=camera.reason if camera else "",
        framesDecoded=camera.frames_decoded if camera else 0,
        framesAnalysed=camera.frames_analysed if camera else 0,
        framesDropped=camera.frames_dropped if camera else 0,
        fpsSource=camera.fps_source if camera else 0.0,
        fpsAnalysed=camera.fps_analysed if camera else 0.0,
        passages=camera.passages if camera else 0,
        events=camera.events if camera else 0,
        openEvents=camera.events_open if camera else 0,
        clipsFailed=camera.clips_failed if camera else 0,
        clipError=camera.clip_error if camera else "",
        picturesFailed=camera.pictures_failed if camera else 0,
        laneCounts={str(lane): count for lane, count in camera.lane_counts} if camera else {},
        width=camera.width if camera else 0,
        height=camera.height if camera else 0,
        codec=camera.codec if camera else "",
    )
