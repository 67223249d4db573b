"""The FastAPI application: routes, the envelope of errors, the published webhooks."""

import json
import logging
import math
from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from actors.errors import StoreUnavailableError
from api import errors
from api.errors import ApiError, ErrorKind
from api.routes import account, files, interfaces, parameters, tasks
from api.schemas import Envelope
from api.services import ApiServices
from api.wire import bodies

logger = logging.getLogger(__name__)
_DESCRIPTION = "视频交通信息分析服务器接口 / Wayside, an open video traffic analysis server"


def product_version() -> str:
    """Version of the installed distribution."""
    try:
        return version("wayside")
    except PackageNotFoundError:
        return "0+source"


def create_app(services: ApiServices) -> FastAPI:
    """The application over the given services."""
    answers: dict[int | str, dict[str, Any]] = {
        status: {"model": Envelope[Any]} for status in (400, 401, 403, 404, 405, 409, 413, 429, 500, 503)
    }
    app = FastAPI(
        title="Wayside",
        version=product_version(),
        description=_DESCRIPTION,
        responses=answers,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    for router in (account.router, interfaces.router, tasks.router, parameters.router, files.router):
        app.include_router(router)
    _publish_webhooks(app)
    _serve_pages(app)
    _handle_errors(app)
    app.middleware("http")(_body_guard(services.max_body_bytes))
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _serve_pages(app: FastAPI) -> None:
    """The API's pages from files of the installed package: nothing is loaded from another server."""
    app.mount("/docs/assets", StaticFiles(packages=[("fastapi_offline", "static")]))

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Wayside API",
            swagger_js_url="/docs/assets/swagger-ui-bundle.js",
            swagger_css_url="/docs/assets/swagger-ui.css",
            swagger_favicon_url="/docs/assets/favicon.png",
        )


def _publish_webhooks(app: FastAPI) -> None:
    def hook(name: str, model: Any, summary: str) -> None:
        def receive(body: Any) -> None:
            """The receiver's side."""

        receive.__annotations__ = {"body": model, "return": None}
        app.webhooks.post(name, summary=summary)(receive)

    hook("event", bodies.EventBody, "3.1 事件告警 / event")
    hook("vehicle-snapshot", bodies.VehicleSnapshotBody, "3.2 单条车流量 / one vehicle")
    hook("vehicle-batch", list[bodies.VehicleBatchItem], "3.3 批量车流量 / vehicles of a period")
    hook("traffic-parameters", list[bodies.TrafficParameterItem], "3.4 综合交通参数 / traffic parameters")
    hook("people", bodies.PeopleBody, "3.5 人流量 / people")
    hook("crowd-alarm", bodies.CrowdAlarmBody, "3.6 人员聚集告警 / crowd alarm")
    hook("task-status", bodies.TaskStatusBody, "3.6 任务状态 / task status")


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document without its own 422, which this API never answers."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        for path in document["paths"].values():
            for operation in path.values():
                operation.get("responses", {}).pop("422", None)
        app.openapi_schema = document
    return app.openapi_schema


def _answer(kind: ErrorKind, message: str, data: Any = None) -> JSONResponse:
    return JSONResponse({"code": kind.code, "resultMsg": message, "data": data}, kind.status)


def _plain(kind: ErrorKind) -> JSONResponse:
    return _answer(kind, f"{kind.chinese} / {kind.english}")


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def api_error(_: Request, error: ApiError) -> JSONResponse:
        return _answer(error.kind, error.message, error.fields)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        faults = error.errors()
        if any(fault["type"] == "json_invalid" for fault in faults):
            return _plain(errors.BAD_JSON)
        fields = [{"field": _place(fault["loc"]), "message": _clean(fault["msg"])} for fault in faults[:20]]
        told = "; ".join(f"{item['field']}: {item['message']}" if item["field"] else item["message"] for item in fields)
        return _answer(errors.INVALID, f"{errors.INVALID.chinese} / {errors.INVALID.english}: {told}", fields)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        known = {400: errors.BAD_JSON, 404: errors.NO_ROUTE, 405: errors.BAD_METHOD, 413: errors.TOO_LARGE}
        return _plain(known.get(error.status_code, errors.INVALID if error.status_code < 500 else errors.INTERNAL))

    @app.exception_handler(StoreUnavailableError)
    async def unavailable(_: Request, error: StoreUnavailableError) -> JSONResponse:
        logger.error("database unavailable error=%s", error)
        return _plain(errors.UNAVAILABLE)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        logger.error("request failed path=%s", request.url.path, exc_info=error)
        return _plain(errors.INTERNAL)


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location if part not in ("body", "header", "int", "bool"))


def _clean(message: str) -> str:
    return message.removeprefix("Value error, ")[:500]


def _body_guard(limit: int) -> Callable[[Request, Callable[[Request], Awaitable[Any]]], Awaitable[Any]]:
    """Refuses bodies over ``limit`` bytes, declared or not, and bodies that are not JSON or not UTF-8."""

    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Any]]) -> Any:
        if request.method != "POST":
            return await call_next(request)
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > limit:
            return _plain(errors.TOO_LARGE)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                return _plain(errors.TOO_LARGE)
        if body and not _is_json(bytes(body)):
            return _plain(errors.BAD_JSON)
        if body:  # clients of many years forget the content type; what is JSON is taken as JSON
            kept = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
            request.scope["headers"] = [*kept, (b"content-type", b"application/json")]
        request._body = bytes(body)  # what Request.body() keeps once the stream is read
        return await call_next(request)

    return guard


def _is_json(body: bytes) -> bool:
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()  # half characters (lone surrogates) are no text
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("number out of range")
    return value
