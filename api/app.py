"""The FastAPI application: routes, the envelope of errors, the published webhooks."""

import logging
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from actors.errors import StoreUnavailableError
from api import errors
from api.archive_watch import ArchiveWatch
from api.errors import ApiError
from api.guard import API_HEADERS, BodyGuard, SecurityHeaders, envelope
from api.openapi import openapi, publish_webhooks
from api.pages import serve_console
from api.reference import serve_reference
from api.routes import (
    account,
    accounts,
    console,
    deliveries,
    events,
    files,
    interfaces,
    live,
    parameters,
    system,
    tasks,
    vehicles,
)
from api.schemas import ErrorEnvelope
from api.services import ApiServices
from api.validation import tell

logger = logging.getLogger(__name__)
_DESCRIPTION = """视频交通信息分析服务器接口 / Wayside, an open video traffic analysis server.

1. `POST /api/account/login` 取得 `token`, 之后放在请求头 `token` 中 / answers a `token`, to be sent in the header `token`.
2. 应答均为 `{"code": 0, "resultMsg": "操作成功", "data": …}`; 出错时 HTTP 状态不是 200, `code` 不为 0 /
   every answer is this envelope; errors are never HTTP 200 and have a `code` of their own.
3. `POST /api/interface/add` 登记接收方, 数据按下列 webhook 的格式推送 /
   registers a receiver; what it is sent stands under the webhooks.

[调试页 / try it](/docs) · [阅读页 / read it](/redoc) · [OpenAPI](/openapi.json)"""


def product_version() -> str:
    """Version of the installed distribution."""
    try:
        return version("wayside")
    except PackageNotFoundError:
        return "0+source"


def create_app(services: ApiServices) -> FastAPI:
    """The application over the given services."""
    answers: dict[int | str, dict[str, Any]] = {}
    for kind in errors.KINDS:
        told = f"{kind.code} {kind.chinese} / {kind.english}"
        if kind.status in answers:
            told = f"{answers[kind.status]['description']}; {told}"
        answers[kind.status] = {"model": ErrorEnvelope, "description": told}
    app = FastAPI(
        title="Wayside",
        version=product_version(),
        description=_DESCRIPTION,
        responses=answers,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.state.archive_watch = ArchiveWatch(services.archive)
    for module in (account, accounts, interfaces, deliveries, tasks, events, vehicles, parameters, files, live, console, system):
        app.include_router(module.router)
    publish_webhooks(app)
    serve_reference(app)
    serve_console(app)
    _handle_errors(app)
    app.add_middleware(BodyGuard, limit=services.max_body_bytes)
    app.add_middleware(SecurityHeaders)
    if services.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(services.cors_origins),
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["authorization", "content-type", "token"],
            max_age=600,
        )
    app.openapi = lambda: openapi(app)  # type: ignore[method-assign]
    return app


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def api_error(_: Request, error: ApiError) -> JSONResponse:
        return envelope(error.kind, error.message, error.fields, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        faults = error.errors()
        if any(fault["type"] == "json_invalid" for fault in faults):
            return envelope(errors.BAD_JSON)
        document = app.openapi()
        message, fields = tell(faults, _body_schema(request, document), document["components"]["schemas"])
        return envelope(errors.INVALID, message, [field.model_dump() for field in fields])

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        known = {400: errors.BAD_JSON, 404: errors.NO_ROUTE, 405: errors.BAD_METHOD, 413: errors.TOO_LARGE}
        kind = known.get(error.status_code, errors.INVALID if error.status_code < 500 else errors.INTERNAL)
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        if "allow" in headers:  # Starlette names the methods of one route; a path may have several
            documented = app.openapi()["paths"].get(getattr(request.scope.get("route"), "path_format", ""), {})
            headers["allow"] = ", ".join(sorted({headers["allow"], *(method.upper() for method in documented)}))
        return envelope(kind, headers=headers)

    @app.exception_handler(StoreUnavailableError)
    async def unavailable(_: Request, error: StoreUnavailableError) -> JSONResponse:
        logger.error("database unavailable error=%s", error)
        return envelope(errors.UNAVAILABLE, headers={"retry-after": "5"})

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        logger.error("request failed path=%r", request.url.path, exc_info=error)
        return envelope(errors.INTERNAL, headers=API_HEADERS)  # sent outside every middleware


def _body_schema(request: Request, document: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of the body that the request's route takes; {} when it takes none."""
    path = getattr(request.scope.get("route"), "path_format", "")
    operation = document["paths"].get(path, {}).get(request.method.lower(), {})
    schema: dict[str, Any] = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return schema
