"""Administration: accounts and the log of changes."""

import json
from typing import Any

from fastapi import APIRouter, Body
from sqlmodel import Session, col, select

from api import errors
from api.accounts import AccountError, add_user, change_user, delete_user, list_users, set_password
from api.errors import ApiError, field_fault
from api.routes.common import MayAdminister, Services, done
from api.schemas import Envelope, IdRequest, ListRequest
from api.schemas_accounts import AccountAdd, AccountData, AccountEdit, AuditData
from api.tables import User
from api.tables.accounts import AuditEntry
from api.wire.encode import wire_time

router = APIRouter(tags=["administration"])
_ENTRIES = 100


@router.post("/api/account/add", response_model=Envelope[AccountData], summary="创建账号 / add an account")
def add(body: AccountAdd, services: Services, actor: MayAdminister) -> Envelope[Any]:
    """Adds an account. Administrators only, as for everything here."""
    try:
        made = add_user(services.database, body.username, body.password, services.passwords, body.role, actor)
    except AccountError as error:
        raise _fault(error) from error
    return done(AccountData(id=made, username=body.username, role=body.role, disabled=False))


@router.post("/api/account/edit", response_model=Envelope[AccountData], summary="编辑账号 / edit an account")
def edit(body: AccountEdit, services: Services, actor: MayAdminister) -> Envelope[Any]:
    """Changes role and state, and the password when one is given. One enabled administrator always remains."""
    with services.database.session() as session:
        row = _get(session, body.id)
        try:
            change_user(session, row, body.role, body.disabled, actor)
        except AccountError as error:
            raise _fault(error) from error
        session.commit()
    if body.password is not None:
        set_password(services.database, row.name, body.password, services.passwords, actor)
    return done(to_data(row))


@router.post("/api/account/delete", response_model=Envelope[None], summary="删除账号 / delete an account")
def delete(body: IdRequest, services: Services, actor: MayAdminister) -> Envelope[Any]:
    """Deletes an account; its tokens end. One enabled administrator always remains."""
    with services.database.session() as session:
        try:
            delete_user(session, _get(session, body.id), actor)
        except AccountError as error:
            raise _fault(error) from error
        session.commit()
    return done()


@router.post("/api/account/list", response_model=Envelope[list[AccountData]], summary="账号列表 / accounts")
def list_all(services: Services, actor: MayAdminister) -> Envelope[Any]:
    """All accounts, by id."""
    return done([to_data(row) for row in list_users(services.database)])


@router.post("/api/audit/list", response_model=Envelope[list[AuditData]], summary="操作日志 / log of changes")
def audit(services: Services, actor: MayAdminister, body: ListRequest | None = Body(None)) -> Envelope[Any]:
    """Who changed what, newest first; the newest 100 without paging."""
    size = (body.pageSize if body else None) or _ENTRIES
    page = (body.page if body else None) or 1
    statement = select(AuditEntry).order_by(col(AuditEntry.id).desc()).offset((page - 1) * size).limit(size)
    with services.database.session() as session:
        return done([_entry(row, services.time_zone) for row in session.exec(statement).all()])


def to_data(row: User) -> AccountData:
    """Row → answer."""
    return AccountData(id=row.id or 0, username=row.name, role=row.role, disabled=row.disabled)


def _entry(row: AuditEntry, time_zone: str) -> AuditData:
    return AuditData(
        id=row.id or 0,
        time=wire_time(row.at, time_zone),
        username=row.user_name,
        address=row.address,
        action=row.action,
        target=row.target,
        changes=json.loads(row.detail) if row.detail else {},
    )


def _get(session: Session, record_id: int) -> User:
    row = session.get(User, record_id) if record_id < 2**31 else None
    if row is None:
        raise ApiError(errors.NOT_FOUND, f"账号 {record_id} 不存在", f"no account {record_id}")
    return row


def _fault(error: AccountError) -> ApiError:
    return field_fault(error.field, error.chinese, error.english, errors.CONFLICT if error.taken else errors.INVALID)
