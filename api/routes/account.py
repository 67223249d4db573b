"""1.6 登录 / signing in and out, one's own password."""

import logging
import time
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import delete
from sqlmodel import col, select

from actors.errors import StoreUnavailableError
from api import errors
from api.accounts import AccountError, set_password
from api.audit import Actor, note
from api.errors import ApiError, field_fault
from api.routes.common import Services, SignedIn, address_of, done
from api.schemas import Envelope
from api.schemas_accounts import LoginData, LoginRequest, PasswordRequest
from api.services import ApiServices
from api.tables import User
from api.tables.accounts import RevokedToken

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/api/account", tags=["account"])


@router.post("/login", response_model=Envelope[LoginData], summary="1.6 登录 / sign in")
def login(body: LoginRequest, request: Request, services: Services) -> Envelope[Any]:
    """Answers a token for the header ``token``. The answer to a wrong password and to an unknown user is the same."""
    user = _verified(services, body.username, body.password, address_of(request))
    if user is None:
        raise ApiError(errors.BAD_LOGIN)
    actor = Actor(user_id=user.id or 0, name=user.name, address=address_of(request))
    try:
        with services.database.session() as session:
            note(session, actor, "account.login", user.name)
            session.commit()
    except StoreUnavailableError as error:  # a full disk must not keep the operator out who comes to see what is wrong
        logger.warning("login not noted user=%r error=%s", user.name, error)
    token = services.tokens.make(user.id or 0, user.name, user.token_version)
    return done(LoginData(id=user.id or 0, name=user.name, pid=user.pid, token=token))


@router.post("/logout", response_model=Envelope[None], summary="退出登录 / sign out")
def logout(services: Services, user: SignedIn) -> Envelope[Any]:
    """Ends the token this is asked with; other tokens of the account stay."""
    with services.database.session() as session:
        session.execute(delete(RevokedToken).where(col(RevokedToken.expires_at) < time.time()))
        session.merge(RevokedToken(token_id=user.claims.token_id, expires_at=user.claims.expires_at))
        note(session, user.actor, "account.logout", user.user.name)
        session.commit()
    return done()


@router.post("/password", response_model=Envelope[None], summary="修改密码 / change one's own password")
def password(body: PasswordRequest, services: Services, user: SignedIn) -> Envelope[Any]:
    """Changes the password; every token of the account ends, the one this is asked with too."""
    if _verified(services, user.user.name, body.oldPassword, user.actor.address) is None:
        raise field_fault("oldPassword", "不正确", "is wrong")
    try:
        set_password(services.database, user.user.name, body.newPassword, services.passwords, user.actor)
    except AccountError as error:
        raise field_fault("newPassword", error.chinese, error.english) from error
    return done()


def _verified(services: ApiServices, name: str, password: str, address: str) -> User | None:
    """The account, if the password is its own. Every attempt costs the same time and counts. Raises THROTTLED."""
    key = f"{name}|{address}"
    if not services.throttle.begin(key, time.monotonic()):
        raise ApiError(errors.THROTTLED, headers={"retry-after": "60"})
    with services.database.session() as session:
        user = session.exec(select(User).where(col(User.name) == name)).first()
    usable = user is not None and not user.disabled
    if not services.passwords.verify(password, user.password_hash if user and usable else None):
        return None
    services.throttle.succeeded(key)
    return user
