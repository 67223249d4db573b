"""2 数据接收接口 / receivers."""

import json
import time
from typing import Any

from fastapi import APIRouter, Body
from sqlmodel import Session, col, select

from actors.decoding import mask_address
from actors.delivery.signing import new_secret
from api import deliveries, errors
from api.audit import differences, note
from api.errors import ApiError
from api.routes.common import MayChange, Services, SignedIn, done, refuse_forbidden_host
from api.schemas import Envelope, IdRequest, InterfaceData, InterfaceEdit, InterfaceFields, ListRequest
from api.schemas_deliveries import InterfaceMade, RotateRequest, SecretData
from api.tables import Interface

router = APIRouter(prefix="/api/interface", tags=["interface"])


@router.post("/add", response_model=Envelope[InterfaceMade], summary="2.1 创建数据接收接口 / add")
def add(body: InterfaceFields, services: Services, actor: MayChange) -> Envelope[Any]:
    """Registers a receiver; answers it with its id and, this once, the secret that signs its deliveries."""
    refuse_forbidden_host(body.url, "url", services.outbound)
    row = Interface(created_at=time.time(), secret=new_secret(), **_columns(body))
    with services.database.session() as session:
        session.add(row)
        session.flush()
        note(session, actor, "interface.add", f"{row.id} {row.name}", differences({}, _columns(body)))
        session.commit()
    services.control.interfaces_changed()
    return done(InterfaceMade(**to_data(row).model_dump(), secret=row.secret))


@router.post("/edit", response_model=Envelope[InterfaceData], summary="2.2 编辑数据接收接口 / edit")
def edit(body: InterfaceEdit, services: Services, actor: MayChange) -> Envelope[Any]:
    """Replaces the whole record; its signing secret stays."""
    refuse_forbidden_host(body.url, "url", services.outbound)
    with services.database.session() as session:
        row = get_interface(session, body.id)
        columns = _columns(body)
        note(session, actor, "interface.edit", f"{row.id} {row.name}", differences(row.model_dump(), columns))
        for name, value in columns.items():
            setattr(row, name, value)
        session.add(row)
        session.commit()
    services.control.interfaces_changed()
    return done(to_data(row))


@router.post("/delete", response_model=Envelope[None], summary="2.3 删除数据接收接口 / delete")
def delete(body: IdRequest, services: Services, actor: MayChange) -> Envelope[Any]:
    """Deletes a receiver; what was not delivered to it is dropped."""
    with services.database.session() as session:
        row = get_interface(session, body.id)
        session.delete(row)
        note(session, actor, "interface.delete", f"{row.id} {row.name}")
        session.commit()
    services.control.interfaces_changed()
    return done()


@router.post("/query", response_model=Envelope[InterfaceData], summary="2.4 获取数据接收接口信息 / query")
def query(body: IdRequest, services: Services, user: SignedIn) -> Envelope[Any]:
    """One receiver. Read-only accounts see passwords and secrets of its url masked."""
    with services.database.session() as session:
        return done(to_data(get_interface(session, body.id), masked=user.user.role == "readonly"))


@router.post("/list", response_model=Envelope[list[InterfaceData]], summary="2.5 获取数据接收接口列表 / list")
def list_all(services: Services, user: SignedIn, body: ListRequest | None = Body(None)) -> Envelope[Any]:
    """All receivers, by id. Read-only accounts see passwords and secrets of their urls masked."""
    statement = select(Interface).order_by(col(Interface.id))
    if body and (body.page or body.pageSize):
        size = body.pageSize or 100
        statement = statement.offset(((body.page or 1) - 1) * size).limit(size)
    with services.database.session() as session:
        rows = session.exec(statement).all()
    return done([to_data(row, masked=user.user.role == "readonly") for row in rows])


@router.post("/rotateSecret", response_model=Envelope[SecretData], summary="更换签名密钥 / rotate the signing secret")
def rotate_secret(body: RotateRequest, services: Services, actor: MayChange) -> Envelope[Any]:
    """A new signing secret, answered this once. The one before signs beside it for ``overlapSeconds``."""
    known = body.id < 2**31
    secret = deliveries.rotate_secret(services.database, body.id, body.overlapSeconds, actor=actor) if known else None
    if secret is None:
        raise _missing(body.id)
    services.control.interfaces_changed()
    return done(SecretData(id=body.id, secret=secret))


@router.post("/removeSecret", response_model=Envelope[None], summary="取消签名 / sign no more")
def remove_secret(body: IdRequest, services: Services, actor: MayChange) -> Envelope[Any]:
    """Removes the signing secrets of a receiver: its deliveries are no longer signed."""
    if body.id >= 2**31 or not deliveries.remove_secret(services.database, body.id, actor):
        raise _missing(body.id)
    services.control.interfaces_changed()
    return done()


def _missing(record_id: int) -> ApiError:
    return ApiError(errors.NOT_FOUND, f"接口 {record_id} 不存在", f"no interface {record_id}")


def get_interface(session: Session, record_id: int) -> Interface:
    """The row of a receiver. Raises NOT_FOUND."""
    row = session.get(Interface, record_id) if record_id < 2**31 else None
    if row is None:
        raise _missing(record_id)
    return row


def _columns(body: InterfaceFields) -> dict[str, Any]:
    return {
        "name": body.name,
        "business_type": body.businessType,
        "trigger_condition": body.triggerCondition,
        "upload_period": (body.uploadPeriod or 0) if body.triggerCondition == 1 else 0,
        "content_type": body.contentType,
        "method": body.method,
        "url": body.url,
        "upload_img_status": int(body.uploadImgStatus),
        "company_name": body.companyName,
        "company_id": body.companyId,
        "app_id": body.appId,
        "push_response": int(body.pushResponse),
        "accept_2xx": bool(body.acceptOther2xx),
        "task_nums": "" if body.taskNums is None else json.dumps(body.taskNums, ensure_ascii=False),
        "enabled": body.enabled,
        "updated_at": time.time(),
    }


def to_data(row: Interface, *, masked: bool = False) -> InterfaceData:
    """Row → answer; ``masked``: without secrets in its url."""
    return InterfaceData(
        id=row.id or 0,
        name=row.name,
        businessType=row.business_type,
        triggerCondition=row.trigger_condition,
        uploadPeriod=row.upload_period,
        contentType=row.content_type,
        method=row.method,
        url=mask_address(row.url) if masked else row.url,
        uploadImgStatus=row.upload_img_status,
        companyName=row.company_name,
        companyId=row.company_id,
        appId=row.app_id,
        pushResponse=row.push_response,
        taskNums=json.loads(row.task_nums) if row.task_nums else None,
        acceptOther2xx=int(row.accept_2xx),
        signed=bool(row.secret),
        enabled=row.enabled,
    )
