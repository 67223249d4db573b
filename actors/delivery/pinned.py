"""httpx that connects only where the outbound policy allows, and to the very address that was judged.

Host header, SNI and certificate check keep the receiver's name: only the TCP connection goes to the judged address.
"""

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from actors.outbound import OutboundPolicy


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Opens httpcore's connections. Raises AddressRefusedError for an address that is not allowed."""

    def __init__(self, policy: OutboundPolicy) -> None:
        self._policy = policy
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, judge, connect: the first allowed address that answers."""
        try:
            addresses = await self._policy.resolve_async(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                failure = error
        raise failure

    async def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Receivers are never files."""
        raise httpcore.UnsupportedProtocol("sockets in the file system are not used")

    async def sleep(self, seconds: float) -> None:
        """See httpcore."""
        await self._inner.sleep(seconds)


class PinnedTransport(httpx.AsyncHTTPTransport):
    """An httpx transport over ``PinnedBackend``."""

    def __init__(self, policy: OutboundPolicy, limits: httpx.Limits, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, limits=limits, trust_env=False)
        # httpx has no argument for the backend of its pool; a test holds that no connection goes past it.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=PinnedBackend(policy),
        )
