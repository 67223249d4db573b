"""Health, the scene schema, and the archive under the protocol's paths."""

from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from sqlmodel import select

from actors.errors import ArchiveError, StoreUnavailableError
from actors.ports import ArchiveFile
from api import errors
from api.errors import ApiError
from api.ranges import ByteRange, requested_range
from api.routes.common import MaybeSignedIn, Services, SignedIn, done
from api.schemas import Envelope, HealthData
from api.schemas_events import LinkData, SignRequest
from api.tables import User
from traffic.scene.document import scene_json_schema

router = APIRouter()
_TYPES = {"jpg": "image/jpeg", "mp4": "video/mp4"}
_CHUNK = 256 * 1024
ArchivePath = Annotated[
    str, Path(description="推送中的相对路径 / the relative path of a push", examples=["2019_03/04/1/crowd/large/1.jpg"])
]

Expires = Annotated[str, Query(description="链接失效时间, 纪元秒 / end of a signed link, seconds since the epoch", max_length=12)]
Signature = Annotated[str, Query(description="链接签名 / signature of the link", max_length=64)]


@router.get(
    "/api/scene/schema",
    tags=["task"],
    summary="场景文档格式 / JSON Schema of scene documents",
    response_model=Envelope[dict[str, Any]],
)
@router.post("/api/scene/schema", tags=["task"], summary="同 GET / the same as GET", response_model=Envelope[dict[str, Any]])
def scene_schema() -> dict[str, Any]:
    """What ``scene`` of a task may hold. Needs no token."""
    return {"code": 0, "resultMsg": "操作成功", "data": scene_json_schema()}


@router.get("/api/health", tags=["health"], summary="健康状态 / health", response_model=Envelope[HealthData])
@router.post("/api/health", tags=["health"], summary="同 GET / the same as GET", response_model=Envelope[HealthData])
def health(services: Services, request: Request) -> JSONResponse:
    """ "ok" or what is wrong, by component; 503 when anything is wrong. Needs no token.

    ``notices`` are about receivers and leave the status as it is.
    """
    components = dict(services.control.component_health())
    try:
        with services.database.session() as session:
            session.exec(select(User.id).limit(1)).first()
        wrong = services.database.write_trouble()
        components["database"] = f"数据库不可写 / database cannot be written: {wrong}" if wrong else "ok"
    except StoreUnavailableError as error:
        components["database"] = f"数据库暂不可用 / {error}"
    components["archive"] = request.app.state.archive_watch.state()
    good = all(state == "ok" for state in components.values())
    data: dict[str, Any] = {
        "status": "ok" if good else "degraded",
        "components": components,
        "notices": list(services.control.notices()),
        "archive": None,
    }
    if usage := services.archive_keeper.usage if services.archive_keeper else None:
        data["archive"] = {
            "files": usage.files,
            "bytes": usage.size_bytes,
            "freeBytes": usage.free_bytes,
            "complete": usage.complete,
        }
    body: dict[str, Any] = {"code": 0, "resultMsg": "操作成功", "data": data}
    if not good:
        body |= {"code": 5030, "resultMsg": "部分组件异常 / degraded"}
    return JSONResponse(body, 200 if good else 503)


@router.post("/api/archive/sign", tags=["archive"], response_model=Envelope[list[LinkData]], summary="签名链接 / signed links")
def sign(body: SignRequest, services: Services, user: SignedIn) -> Envelope[Any]:
    """Links that open pictures and clips without a token for a while; the paths as pushed. They need not exist yet."""
    paths = [path.removeprefix("/") for path in body.paths]
    return done(
        [
            LinkData(path=given, url=f"/{services.links.sign(path, body.ttlSeconds)}")
            for given, path in zip(body.paths, paths, strict=True)
        ]
    )


def _content(kind: str) -> dict[int | str, dict[str, Any]]:
    content = {kind: {"schema": {"type": "string", "format": "binary"}}}
    return {
        200: {"description": "整个文件 / the whole file", "content": content},
        206: {"description": "文件的一段 / a part of the file", "content": content},
        304: {"description": "未修改 / not modified"},
        416: {"description": f"{errors.BAD_RANGE.chinese} / {errors.BAD_RANGE.english}"},
    }


@router.head(
    "/image/{path:path}",
    tags=["archive"],
    summary="同 GET, 无内容 / the headers of GET",
    response_class=Response,
    responses=_content("image/jpeg"),
)
@router.get(
    "/image/{path:path}", tags=["archive"], summary="图片 / pictures", response_class=Response, responses=_content("image/jpeg")
)
def image(
    path: ArchivePath,
    request: Request,
    services: Services,
    user: MaybeSignedIn,
    expires: Expires = "",
    signature: Signature = "",
) -> Response:
    """A picture under the relative path of a push. Protected archives ask for a token or a signed link."""
    return _file(f"image/{path}", request, services, user, expires, signature)


@router.head(
    "/video/{path:path}",
    tags=["archive"],
    summary="同 GET, 无内容 / the headers of GET",
    response_class=Response,
    responses=_content("video/mp4"),
)
@router.get(
    "/video/{path:path}", tags=["archive"], summary="录像 / clips", response_class=Response, responses=_content("video/mp4")
)
def video(
    path: ArchivePath,
    request: Request,
    services: Services,
    user: MaybeSignedIn,
    expires: Expires = "",
    signature: Signature = "",
) -> Response:
    """A clip under the relative path of a push; a single byte range is served. Protected archives ask as for pictures."""
    return _file(f"video/{path}", request, services, user, expires, signature)


def _file(path: str, request: Request, services: Services, user: MaybeSignedIn, expires: str, signature: str) -> Response:
    if services.archive_protected and user is None and not services.links.opens(path, expires, signature):
        raise ApiError(errors.UNAUTHORIZED, headers={"www-authenticate": "Bearer"})
    kind = _TYPES.get(path.rsplit(".", 1)[-1])
    try:
        file = services.archive.open(path) if kind else None
    except ArchiveError:
        file = None  # a path that leaves the archive is answered like one that does not exist
    if file is None or kind is None:
        raise ApiError(errors.NOT_FOUND, "文件不存在", "no such file")
    try:
        return _answer(file, kind, request)
    except BaseException:
        file.file.close()
        raise


def _answer(found: ArchiveFile, kind: str, request: Request) -> Response:
    """Takes over ``found.file``: it is closed when the answer has been sent."""
    file, size, tag = found.file, found.size, f'"{found.tag}"'
    headers = {"accept-ranges": "bytes", "cache-control": "private, max-age=86400", "etag": tag, "content-type": kind}
    known = request.headers.get("if-none-match", "")
    if known and (known.strip() == "*" or tag in [item.strip().removeprefix("W/") for item in known.split(",")]):
        file.close()
        return Response(status_code=304, headers=headers)
    wanted = request.headers.get("range") if request.headers.get("if-range", tag) == tag else None
    part = requested_range(wanted, size) if request.method == "GET" else None
    if part == "unsatisfiable":
        raise ApiError(errors.BAD_RANGE, headers={"content-range": f"bytes */{size}"})
    code, span = 200, ByteRange(0, size)
    if isinstance(part, ByteRange):
        code, span = 206, part
        headers["content-range"] = f"bytes {part.begin}-{part.end - 1}/{size}"
    headers["content-length"] = str(span.end - span.begin)
    if request.method == "HEAD":
        file.close()
        return Response(status_code=code, headers=headers)
    return StreamingResponse(_chunks(file, span), code, headers, kind)


def _chunks(file: BinaryIO, span: ByteRange) -> Iterator[bytes]:
    with file:
        file.seek(span.begin)
        left = span.end - span.begin
        while left > 0:
            chunk = file.read(min(_CHUNK, left))
            if not chunk:
                return  # the file was cut while it was sent; the server sees the missing bytes and ends the connection
            left -= len(chunk)
            yield chunk
