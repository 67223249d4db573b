"""1.6 登录 / signing in."""

import time
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel import col, select

from api import errors
from api.errors import ApiError
from api.routes.common import Services, done
from api.schemas import Envelope, LoginData, LoginRequest
from api.tables import User

router = APIRouter(prefix="/api/account", tags=["account"])


@router.post("/login", response_model=Envelope[LoginData], summary="登录 / sign in")
def login(body: LoginRequest, request: Request, services: Services) -> Envelope[Any]:
    """Answers a token for the header ``token``. The answer to a wrong password and to an unknown user is the same."""
    key = f"{body.username}|{request.client.host if request.client else ''}"
    if not services.throttle.allowed(key, time.monotonic()):
        raise ApiError(errors.THROTTLED)
    with services.database.session() as session:
        user = session.exec(select(User).where(col(User.name) == body.username)).first()
    usable = user is not None and not user.disabled
    if not services.passwords.verify(body.password, user.password_hash if user and usable else None) or user is None:
        services.throttle.failed(key, time.monotonic())
        raise ApiError(errors.BAD_LOGIN)
    services.throttle.succeeded(key)
    token = services.tokens.make(user.id or 0, user.name, user.token_version)
    return done(LoginData(id=user.id or 0, name=user.name, pid=user.pid, token=token))
