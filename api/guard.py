"""What stands before every route: limits on bodies, and headers that tell browsers to be careful."""

import asyncio
import json
import math
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors
from api.errors import ErrorKind

BODY_TIMEOUT_S = 30.0
ANONYMOUS_LIMIT = 64 * 1024  # a body of somebody who shows no token: enough for a login, too little to keep a core busy
_AT_ONCE = 64 * 1024  # larger bodies are judged beside the event loop
DEEPEST = 64  # levels of nesting in a body: more than any scene needs, less than any parser minds
_PAGES = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}

API_HEADERS = _HEADERS | {"cache-control": "no-store", "content-security-policy": "default-src 'none'; frame-ancestors 'none'"}


def envelope(kind: ErrorKind, message: str = "", data: Any = None, headers: dict[str, str] | None = None) -> JSONResponse:
    """The answer of an error."""
    text = message or f"{kind.chinese} / {kind.english}"
    return JSONResponse({"code": kind.code, "resultMsg": text, "data": data}, kind.status, headers)


class SecurityHeaders:
    """Adds the headers to every answer; one that a route sets itself is kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = API_HEADERS if scope["path"].startswith("/api/") else _HEADERS | {"content-security-policy": _PAGES}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in wanted.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)


class BodyGuard:
    """Refuses bodies of POST that are over ``limit`` bytes (declared or not), late, no UTF-8 JSON, nested too deeply, or name
    a field twice."""

    def __init__(self, app: ASGIApp, limit: int, timeout_s: float = BODY_TIMEOUT_S) -> None:
        self._app, self._limit, self._timeout_s = app, limit, timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = self._limit if "token" in headers or "authorization" in headers else min(self._limit, ANONYMOUS_LIMIT)
        declared = headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
            await envelope(errors.TOO_LARGE)(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                body = await _read(receive, limit)
        except TimeoutError:
            await envelope(errors.TIMED_OUT, headers={"connection": "close"})(scope, receive, send)
            return
        except ConnectionError:
            return  # the client went away; nobody is left to answer
        refused = errors.TOO_LARGE if body is None else errors.BAD_JSON if body and not await _judge(body) else None
        if refused is not None:
            await envelope(refused)(scope, receive, send)
            return
        if body:  # clients of many years forget the content type; what is JSON is taken as JSON
            kept = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
            scope = {**scope, "headers": [*kept, (b"content-type", b"application/json")]}
        unread = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return unread.pop() if unread else await receive()

        await self._app(scope, replay, send)


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The whole body; None when it is over ``limit`` bytes. Raises ConnectionError when the client goes away."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(body)


async def _judge(body: bytes) -> bool:
    return _is_json(body) if len(body) <= _AT_ONCE else await asyncio.to_thread(_is_json, body)


def _is_json(body: bytes) -> bool:
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_unique)
        if not _is_shallow(value):
            return False
        json.dumps(value, ensure_ascii=False).encode()  # half characters (lone surrogates) are no text
    except (ValueError, RecursionError):
        return False
    return True


def _is_shallow(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for item in level
            for inner in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
        ]
        if not level:
            return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Parsers do not agree on which of two equal names counts; what one judges another would use."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return made


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("number out of range")
    return value
