"""Health, the scene schema, and the archive under the protocol's paths."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from actors.errors import ArchiveError, StoreUnavailableError
from api import errors
from api.errors import ApiError
from api.routes.common import Services
from traffic.scene.document import scene_json_schema

router = APIRouter()
_TYPES = {"jpg": "image/jpeg", "mp4": "video/mp4"}


@router.get("/api/scene/schema", tags=["task"], summary="场景文档格式 / JSON Schema of scene documents")
@router.post("/api/scene/schema", include_in_schema=False)
def scene_schema() -> dict[str, Any]:
    """What ``scene`` of a task may hold. Needs no token."""
    return {"code": 0, "resultMsg": "操作成功", "data": scene_json_schema()}


@router.get("/api/health", tags=["health"], summary="健康状态 / health")
@router.post("/api/health", include_in_schema=False)
def health(services: Services) -> JSONResponse:
    """ "ok" or what is wrong, by component; 503 when anything is wrong. Needs no token."""
    components = dict(services.control.component_health())
    try:
        with services.database.session() as session:
            session.connection()
        components["database"] = "ok"
    except StoreUnavailableError as error:
        components["database"] = str(error)
    good = all(state == "ok" for state in components.values())
    body: dict[str, Any] = {"code": 0, "resultMsg": "操作成功", "data": {"status": "ok", "components": components}}
    if not good:
        body = {"code": 5030, "resultMsg": "部分组件异常 / degraded", "data": {"status": "degraded", "components": components}}
    return JSONResponse(body, 200 if good else 503)


@router.get("/image/{path:path}", tags=["archive"], summary="图片 / pictures", response_class=Response)
def image(path: str, request: Request, services: Services) -> Response:
    """A picture under the relative path of a push."""
    return _file(f"image/{path}", request, services)


@router.get("/video/{path:path}", tags=["archive"], summary="录像 / clips", response_class=Response)
def video(path: str, request: Request, services: Services) -> Response:
    """A clip under the relative path of a push; byte ranges are served."""
    return _file(f"video/{path}", request, services)


def _file(path: str, request: Request, services: Services) -> Response:
    kind = _TYPES.get(path.rsplit(".", 1)[-1])
    try:
        data = services.archive.read(path) if kind else None
    except ArchiveError:
        data = None  # a path that leaves the archive is answered like one that does not exist
    if data is None or kind is None:
        raise ApiError(errors.NOT_FOUND, "文件不存在", "no such file")
    headers = {"accept-ranges": "bytes", "cache-control": "private, max-age=86400", "x-content-type-options": "nosniff"}
    part = _range(request.headers.get("range"), len(data))
    if part is None:
        return Response(data, media_type=kind, headers=headers)
    begin, end = part
    headers["content-range"] = f"bytes {begin}-{end}/{len(data)}"
    return Response(data[begin : end + 1], 206, media_type=kind, headers=headers)


def _range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte of a single-range request that can be served; None: send everything."""
    if not header or not header.startswith("bytes=") or "," in header:
        return None
    first, _, last = header[6:].partition("-")
    if (first and not first.isdigit()) or (last and not last.isdigit()) or not (first or last):
        return None
    begin = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    return (begin, end) if begin <= end else None
