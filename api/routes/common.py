"""Shared by the routes: who asks, what is answered."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Header, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from actors.decoding import host_of
from actors.outbound import AddressRefusedError, OutboundPolicy
from api import errors
from api.audit import Actor
from api.errors import ApiError, field_fault
from api.schemas import Envelope
from api.security import TokenClaims
from api.services import ApiServices
from api.tables import User
from api.tables.accounts import RevokedToken
from api.task_store import START_TIME_FORMAT
from api.wire.times import wire_time

_TOKEN = APIKeyHeader(
    name="token", scheme_name="token", description="登录接口返回的 token / token of the login answer", auto_error=False
)
_BEARER = HTTPBearer(
    scheme_name="bearer", description="同一 token, 标准写法 / the same token, the standard way", auto_error=False
)
_CHALLENGE = {"www-authenticate": "Bearer"}


def services_of(request: Request) -> ApiServices:
    """The services the app was made with."""
    services: ApiServices = request.app.state.services
    return services


Services = Annotated[ApiServices, Depends(services_of)]


class Session:
    """Who is signed in, by which token, from where."""

    def __init__(self, user: User, claims: TokenClaims, address: str) -> None:
        self.user, self.claims = user, claims
        self.actor = Actor(user_id=user.id or 0, name=user.name, address=address)


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


def signed_in(
    request: Request,
    services: Services,
    token: Annotated[str | None, Security(_TOKEN)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)] = None,
) -> Session:
    """The account behind the token. Raises UNAUTHORIZED."""
    given = token or (bearer.credentials if bearer else None)
    claims = services.tokens.read(given) if given else None
    if claims is None:
        raise ApiError(errors.UNAUTHORIZED, headers=_CHALLENGE)
    with services.database.session() as session:
        user = session.get(User, claims.user_id)
        revoked = session.get(RevokedToken, claims.token_id)
    if user is None or user.disabled or user.token_version != claims.version or revoked is not None:
        raise ApiError(errors.UNAUTHORIZED, headers=_CHALLENGE)
    return Session(user, claims, address_of(request))


def maybe_signed_in(
    request: Request,
    services: Services,
    token: Annotated[str | None, Header(description="登录 token, 归档受保护时需要 / token, for protected archives")] = None,
    authorization: Annotated[str | None, Header(description="Bearer token, 标准写法 / the standard way")] = None,
) -> Session | None:
    """For the archive: the account behind the token; None without one, and where it is open to everybody. Raises UNAUTHORIZED for
    a bad one."""
    if not services.archive_protected:
        return None
    scheme, _, bearer = (authorization or "").partition(" ")
    given = token or (bearer.strip() if scheme.lower() == "bearer" else "")
    if not given:
        return None
    return signed_in(request, services, given, None)


def may_change(session: Annotated[Session, Depends(signed_in)]) -> Actor:
    """An account that may change things (not read-only)."""
    if session.user.role not in ("admin", "operator"):
        raise ApiError(errors.FORBIDDEN)
    return session.actor


def may_administer(session: Annotated[Session, Depends(signed_in)]) -> Actor:
    """An administrator."""
    if session.user.role != "admin":
        raise ApiError(errors.FORBIDDEN)
    return session.actor


MaybeSignedIn = Annotated[Session | None, Depends(maybe_signed_in)]
SignedIn = Annotated[Session, Depends(signed_in)]
MayChange = Annotated[Actor, Depends(may_change)]
MayAdminister = Annotated[Actor, Depends(may_administer)]


def done(data: Any = None) -> Envelope[Any]:
    """The envelope of success."""
    return Envelope(code=0, resultMsg="操作成功", data=data)


def refuse_forbidden_host(address: str, field: str, policy: OutboundPolicy) -> None:
    """Raises INVALID for ``field`` when it can be told without a name server that Wayside may not connect to its host.

    What a name resolves to is judged at every connection.
    """
    host = host_of(address)
    try:
        if host:
            policy.check_host(host)
    except AddressRefusedError as error:
        raise field_fault(field, error.chinese, error.english) from error


def moment_of(text: str, field: str, time_zone: str) -> int:
    """Seconds since the epoch of a local ``yyyy-MM-dd HH:mm:ss``. Raises INVALID for ``field``."""
    try:
        return int(datetime.strptime(text, START_TIME_FORMAT).replace(tzinfo=ZoneInfo(time_zone)).timestamp())
    except (ValueError, OverflowError):
        raise field_fault(field, "格式须为 yyyy-MM-dd HH:mm:ss", "must have the form yyyy-MM-dd HH:mm:ss") from None


def time_range(start: str | None, end: str | None, services: ApiServices) -> tuple[int | None, int | None]:
    """``startTime`` and ``endTime`` in the server's zone as seconds since the epoch. Raises INVALID."""
    begin, until = (
        None if text is None else moment_of(text, name, services.time_zone)
        for name, text in (("startTime", start), ("endTime", end))
    )
    if begin is not None and until is not None and begin >= until:
        raise field_fault("endTime", "必须晚于 startTime", "must be later than startTime")
    return begin, until


def local_time(time_s: float, services: ApiServices) -> str:
    """A moment in the server's zone; "" for 0."""
    return wire_time(time_s, services.time_zone) if time_s else ""
