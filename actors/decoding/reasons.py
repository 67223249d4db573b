"""From the errors of the video library to reasons an operator understands, without any secret in them."""

import errno
import socket

import av.error as av_error

from actors.decoding.address import host_of
from actors.errors import SourceError

NO_VIDEO = "不是视频或没有视频画面 (not a video: there is no picture stream)"
STALLED = "视频流无数据超时 (no frame received in time)"
ENDED = "视频流被服务器结束 (the server ended the stream)"
CORRUPT = "视频码流损坏，无法解码 (the stream is corrupt)"
FROZEN = "画面冻结 (the picture is frozen)"
EMPTY_FILE = "视频文件为空 (the file is empty)"
FINISHED = "文件分析完毕 (the recording has been analysed to its end)"

_HTTP_REASONS: tuple[tuple[type[BaseException], str, bool], ...] = (
    (av_error.HTTPUnauthorizedError, "用户名或密码错误 (wrong user name or password, 401)", True),
    (av_error.HTTPForbiddenError, "没有访问权限 (access forbidden, 403)", True),
    (av_error.HTTPNotFoundError, "视频地址不存在 (stream not found, 404)", True),
    (av_error.HTTPBadRequestError, "服务器拒绝请求 (bad request, 400)", True),
    (av_error.HTTPTooManyRequestsError, "请求过于频繁 (too many requests, 429)", True),
    (av_error.HTTPOtherClientError, "服务器拒绝请求 (the server refused the request, 4xx)", True),
    (av_error.HTTPServerError, "视频服务器内部错误 (server error, 5xx)", False),
)
_LIBRARY_REASONS: tuple[tuple[type[BaseException], str, bool], ...] = (
    (av_error.DecoderNotFoundError, "不支持的视频编码 (unsupported codec)", True),
    (av_error.DemuxerNotFoundError, "不支持的视频格式 (unsupported container format)", True),
    (av_error.ProtocolNotFoundError, "不支持的传输协议 (unsupported protocol)", True),
    (av_error.PatchWelcomeError, "不支持的视频格式特性 (unsupported stream feature)", True),
    (av_error.InvalidDataError, "不是视频或文件已损坏 (not a video, or corrupt)", True),
    (av_error.EOFError, ENDED, False),
)
_ERRNO_REASONS: dict[int, tuple[str, bool]] = {
    errno.ECONNREFUSED: ("连接被拒绝 (connection refused)", False),
    errno.ECONNRESET: ("连接被重置 (connection reset by the server)", False),
    errno.ECONNABORTED: ("连接中断 (connection aborted)", False),
    errno.EIO: ("视频流中断 (the stream broke off)", False),
    errno.EPIPE: ("连接中断 (connection broken)", False),
    errno.ETIMEDOUT: ("连接超时 (connection timed out)", False),
    errno.EHOSTUNREACH: ("主机不可达 (no route to host)", False),
    errno.ENETUNREACH: ("网络不可达 (network unreachable)", False),
    errno.EPROTONOSUPPORT: ("不支持的传输方式 (transport not supported by the server)", True),
    errno.ENOENT: ("视频文件不存在 (no such file)", True),
    errno.EACCES: ("没有读取权限 (permission denied)", True),
    errno.EPERM: ("没有读取权限 (operation not permitted)", True),
    errno.EISDIR: ("这是目录，不是视频文件 (a directory, not a file)", True),
    errno.ENOMEM: ("内存不足 (out of memory)", False),
    errno.ENOSYS: ("不支持的视频编码或特性 (not supported)", True),
}


def open_failure(error: Exception, address: str, *, elapsed_s: float, timeout_s: float) -> SourceError:
    """Why opening ``address`` failed with ``error`` after ``elapsed_s``.

    An interrupted RTSP handshake surfaces as "invalid data", so the time that passed decides first.
    """
    if _is_network(address):
        if isinstance(error, av_error.ExitError) or (
            elapsed_s >= timeout_s and isinstance(error, av_error.InvalidDataError | av_error.EOFError)
        ):
            return SourceError("连接超时 (connection timed out)")
        if isinstance(error, av_error.EOFError):
            return SourceError("连接被服务器关闭 (the server closed the connection)")
        if isinstance(error, av_error.InvalidDataError):
            return SourceError("服务器应答无法识别为视频 (the answer of the server is not a video stream)", permanent=True)
        if getattr(error, "errno", None) == errno.EIO and not _resolves(host_of(address)):
            return SourceError(f"域名无法解析 (cannot resolve host name {host_of(address)})")
    if isinstance(error, av_error.EOFError):
        return SourceError("视频文件不完整 (the file ends before its first picture)", permanent=True)
    return classify(error)


def read_failure(error: Exception) -> SourceError:
    """Why reading an open stream failed."""
    if isinstance(error, av_error.ExitError):
        return SourceError(STALLED)
    return classify(error)


def classify(error: Exception) -> SourceError:
    """The reason for an error of the video library, judged by its type and number alone.

    The library's own message holds the address with its password and is never used.
    """
    for kind, reason, permanent in (*_HTTP_REASONS, *_LIBRARY_REASONS):
        if isinstance(error, kind):
            return SourceError(reason, permanent=permanent)
    number = getattr(error, "errno", None)
    if number in _ERRNO_REASONS:
        reason, permanent = _ERRNO_REASONS[number]
        return SourceError(reason, permanent=permanent)
    name = errno.errorcode.get(number, type(error).__name__) if isinstance(number, int) else type(error).__name__
    return SourceError(f"视频流读取错误 (stream error {name})")


def _is_network(address: str) -> bool:
    return bool(host_of(address))


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return False
    return True
