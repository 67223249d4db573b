"""Errors of the API: one stable code per kind, Chinese then English text, never HTTP 200."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorKind:
    """``code`` on the wire, HTTP status, texts."""

    code: int
    status: int
    chinese: str
    english: str


INVALID = ErrorKind(code=4000, status=400, chinese="请求参数错误", english="invalid request")
BAD_JSON = ErrorKind(
    code=4001,
    status=400,
    chinese="请求体不是合法的 JSON 或有重复的字段",
    english="the body is not valid JSON, or names a field twice",
)
UNAUTHORIZED = ErrorKind(
    code=4010, status=401, chinese="未登录或令牌无效", english="no token, or the token is invalid or expired"
)
BAD_LOGIN = ErrorKind(code=4011, status=401, chinese="用户名或密码错误", english="wrong user name or password")
FORBIDDEN = ErrorKind(code=4030, status=403, chinese="没有权限", english="not allowed for this account")
NOT_FOUND = ErrorKind(code=4040, status=404, chinese="数据不存在", english="no such record")
NO_ROUTE = ErrorKind(code=4041, status=404, chinese="接口路径不存在", english="no such path")
BAD_METHOD = ErrorKind(
    code=4050,
    status=405,
    chinese="请求方法错误, 允许的方法见 Allow 头",
    english="wrong method; the Allow header names the right ones",
)
CONFLICT = ErrorKind(code=4090, status=409, chinese="数据冲突", english="conflict")
TIMED_OUT = ErrorKind(code=4080, status=408, chinese="请求体接收超时", english="the body did not arrive in time")
TOO_LARGE = ErrorKind(code=4130, status=413, chinese="请求体过大", english="the body is too large")
BAD_RANGE = ErrorKind(code=4160, status=416, chinese="请求的字节范围超出文件", english="the byte range lies beyond the file")
THROTTLED = ErrorKind(code=4290, status=429, chinese="请求过于频繁, 请稍后再试", english="too many attempts, try later")
INTERNAL = ErrorKind(code=5000, status=500, chinese="服务器内部错误", english="internal error")
UNAVAILABLE = ErrorKind(code=5030, status=503, chinese="数据库暂不可用", english="the database does not answer")

KINDS = (
    INVALID, BAD_JSON, UNAUTHORIZED, BAD_LOGIN, FORBIDDEN, NOT_FOUND, NO_ROUTE, BAD_METHOD, CONFLICT, TIMED_OUT, TOO_LARGE,
    BAD_RANGE, THROTTLED, INTERNAL, UNAVAILABLE,
)  # fmt: skip


class ApiError(Exception):
    """Answered as the envelope of its kind. ``fields``: faults by field, {"field": …, "message": …}."""

    def __init__(
        self,
        kind: ErrorKind,
        chinese: str = "",
        english: str = "",
        fields: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.fields = fields
        self.headers = headers or {}
        self.message = f"{chinese or kind.chinese} / {english or kind.english}"
        super().__init__(self.message)


def field_fault(field: str, chinese: str, english: str, kind: ErrorKind = INVALID) -> ApiError:
    """An error about one field."""
    return ApiError(
        kind,
        f"{kind.chinese}: {field} {chinese}",
        f"{kind.english}: {field} {english}",
        [{"field": field, "message": f"{chinese} / {english}"}],
    )
