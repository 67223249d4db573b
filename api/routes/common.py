"""Shared by the routes: who asks, what is answered."""

from typing import Annotated, Any

from fastapi import Depends, Header, Request

from api import errors
from api.errors import ApiError
from api.schemas import Envelope
from api.services import ApiServices
from api.tables import User


def services_of(request: Request) -> ApiServices:
    """The services the app was made with."""
    services: ApiServices = request.app.state.services
    return services


Services = Annotated[ApiServices, Depends(services_of)]


def signed_in(
    services: Services,
    token: Annotated[str | None, Header(description="登录接口返回的 token / token of the login answer")] = None,
    authorization: Annotated[str | None, Header(description="Bearer <token>")] = None,
) -> User:
    """The account behind the token. Raises UNAUTHORIZED."""
    if not token and authorization and authorization.lower().startswith("bearer "):
        token = authorization[7:].strip()
    claims = services.tokens.read(token) if token else None
    if claims is None:
        raise ApiError(errors.UNAUTHORIZED)
    with services.database.session() as session:
        user = session.get(User, claims[0])
    if user is None or user.disabled or user.token_version != claims[1]:
        raise ApiError(errors.UNAUTHORIZED)
    return user


def may_change(user: Annotated[User, Depends(signed_in)]) -> User:
    """An account that may change things (not read-only)."""
    if user.role == "readonly":
        raise ApiError(errors.FORBIDDEN)
    return user


SignedIn = Annotated[User, Depends(signed_in)]
MayChange = Annotated[User, Depends(may_change)]


def done(data: Any = None) -> Envelope[Any]:
    """The envelope of success."""
    return Envelope(code=0, resultMsg="操作成功", data=data)


def field_error(field: str, chinese: str, english: str) -> ApiError:
    """A 400 about one field."""
    return ApiError(
        errors.INVALID, f"{field}: {chinese}", f"{field}: {english}", [{"field": field, "message": f"{chinese} / {english}"}]
    )
