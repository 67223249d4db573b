"""Addresses of video sources: which kind they are, how they look without their secrets."""

import os
import re
from enum import Enum
from urllib.parse import quote, unquote, urlsplit

from actors.errors import SourceError


class SourceKind(Enum):
    """What stands behind an address."""

    FILE = "file"
    DIRECTORY = "directory"
    RTSP = "rtsp"
    HTTP = "http"
    SIMULATION = "sim"


_SCHEMES = {
    "rtsp": SourceKind.RTSP,
    "rtsps": SourceKind.RTSP,
    "http": SourceKind.HTTP,
    "https": SourceKind.HTTP,
    "sim": SourceKind.SIMULATION,
}
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_SECRET_QUERY = re.compile(
    r"([?&;](?:[^=&;]*?(?:passw(?:or)?d|pwd|passwd|token|secret|auth|signature|api_?key|access_?key))=)[^&;#]*", re.IGNORECASE
)


def mask_address(address: str) -> str:
    """The address with its password and secret query values replaced by ``***``; fit for logs and reasons."""
    scheme = _SCHEME.match(address)
    if scheme is None:
        return _SECRET_QUERY.sub(r"\1***", address)
    userinfo, rest = _split_userinfo(address[scheme.end() :])
    if userinfo is not None:
        user, colon, _ = userinfo.partition(":")
        rest = f"{user}{':***' if colon else ''}@{rest}"
    return scheme.group(0) + _SECRET_QUERY.sub(r"\1***", rest)


def address_kind(address: str) -> SourceKind:
    """Which kind of source ``address`` names.

    Raises:
        SourceError: empty, unknown scheme, or a path that does not exist (permanent).
    """
    address = address.strip()
    if not address:
        raise SourceError("视频地址为空 (the source address is empty)", permanent=True)
    scheme = _SCHEME.match(address)
    if scheme is not None and scheme.group(1).lower() != "file":
        kind = _SCHEMES.get(scheme.group(1).lower())
        if kind is None:
            raise SourceError(
                f"不支持的视频地址类型 {scheme.group(1)}:// (unsupported address scheme; "
                "use rtsp, http, https, sim, a file or a directory)",
                permanent=True,
            )
        return kind
    path = local_path(address)
    if os.path.isdir(path):
        return SourceKind.DIRECTORY
    if not os.path.exists(path):
        raise SourceError(f"视频文件不存在 (no such file or directory): {path}", permanent=True)
    return SourceKind.FILE


def local_path(address: str) -> str:
    """The path of a file or directory address (``file://`` or plain)."""
    address = address.strip()
    if address.lower().startswith("file://"):
        return unquote(urlsplit(address).path)
    return os.path.expanduser(address)


def network_url(address: str) -> str:
    """The address as the network library needs it: reserved characters in user and password percent-encoded.

    Operators type passwords as they are ("p@ss/1#"); a parser would end the host at the slash.
    """
    address = address.strip()
    scheme = _SCHEME.match(address)
    if scheme is None:
        return address
    userinfo, rest = _split_userinfo(address[scheme.end() :])
    if userinfo is None:
        return address
    user, colon, password = userinfo.partition(":")
    encoded = quote(unquote(user), safe="") + colon + quote(unquote(password), safe="")
    return f"{scheme.group(0)}{encoded}@{rest}"


def host_of(address: str) -> str:
    """Host name of a network address; "" when there is none."""
    try:
        return urlsplit(network_url(address)).hostname or ""
    except ValueError:
        return ""


def _split_userinfo(rest: str) -> tuple[str | None, str]:
    """Split what follows ``scheme://`` into user info (None: none) and the remainder."""
    end = len(rest)
    for mark in "/?#":
        found = rest.find(mark)
        if found >= 0:
            end = min(end, found)
    authority = rest[:end]
    if "@" in authority:
        userinfo, _, host = authority.rpartition("@")
        return userinfo, host + rest[end:]
    port = authority.rpartition(":")[2] if ":" in authority and not authority.startswith("[") else ""
    if "@" in rest and port and not port.isdigit():
        # "user:pa/ss@host": what looks like a port is the head of a password that holds a separator.
        head, _, tail = rest[end:].rpartition("@")
        return authority + head, tail
    return None, rest
