"""Which address FFmpeg is given: one that the outbound policy has judged."""

import socket
from urllib.parse import urlsplit

from actors.decoding.address import host_of, network_url
from actors.errors import SourceError
from actors.outbound import UNRESTRICTED, AddressRefusedError, OutboundPolicy

_PORTS = {"rtsp": 554, "rtsps": 322}
_PROBE_TIMEOUT_S = 2.0


def judged_url(address: str, policy: OutboundPolicy) -> str:
    """``address`` as FFmpeg needs it; the host of ``rtsp://`` replaced by an address that was judged and is to be used.

    ``rtsps://`` and ``http(s)://`` keep their names: for certificates, and because the proxy judges those again.

    Raises:
        SourceError: the policy refuses the host. Names that cannot be resolved are left to the library and its reasons.
    """
    url, host = network_url(address), host_of(address)
    if not host or policy == UNRESTRICTED:
        return url
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme.lower(), 80)
    try:
        policy.check_host(host)
        found = policy.resolve(host, port)
    except AddressRefusedError as error:
        raise refused(error) from None
    except (OSError, UnicodeError):
        return url
    if parts.scheme.lower() != "rtsp" or host in found:
        return url
    chosen = next((text for text in found if _answers(text, port)), found[0]) if len(found) > 1 else found[0]
    userinfo, at, _ = parts.netloc.rpartition("@")
    shown = f"[{chosen}]" if ":" in chosen else chosen
    return parts._replace(netloc=f"{userinfo}{at}{shown}" + (f":{parts.port}" if parts.port else "")).geturl()


def refused(error: AddressRefusedError) -> SourceError:
    """The reason an operator reads."""
    return SourceError(f"{error.chinese} ({error.english})", permanent=True)


def _answers(address: str, port: int) -> bool:
    """FFmpeg would try one address of a name after the other; given one address, it needs the one that works."""
    try:
        with socket.create_connection((address, port), _PROBE_TIMEOUT_S):
            return True
    except OSError:
        return False
