"""Makes the POSTs with httpx: keep-alive, one small pool per receiver, everything bounded."""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx

from actors.delivery.bodies import fill_pictures, picture_size
from actors.delivery.pinned import PinnedTransport
from actors.delivery.ports import Attempt, HeldItem, InterfaceConfig, Outgoing
from actors.delivery.signing import signature_header
from actors.errors import ArchiveError
from actors.outbound import AddressRefusedError, OutboundPolicy
from actors.ports import Archive

_EXCERPT = 300
_CONTENT_TYPE = "application/json; charset=utf-8"
# Shorter than the idle times of common servers (5 s in Node and uvicorn): a connection that the server is just closing costs
# a failed attempt.
_KEEPALIVE_S = 4.0
_MAX_ANSWER = 64 * 1024
_MAX_BODY = 8 * 1024**2
_PICTURES_TIMEOUT_S = 5.0
logger = logging.getLogger(__name__)


class Sender:
    """Sends deliveries; every outcome is an Attempt, nothing is raised for a receiver's fault.

    Args:
        timeout_s: for a whole attempt, from connecting to the last byte of the answer.
        max_connections: per receiver. max_answer: bytes of an answer that are read. max_body: bytes of a body with pictures.
        outbound: where receivers may be.
    """

    def __init__(
        self,
        archive: Archive | None,
        timeout_s: float = 10.0,
        max_connections: int = 8,
        max_answer: int = _MAX_ANSWER,
        max_body: int = _MAX_BODY,
        outbound: OutboundPolicy | None = None,
    ) -> None:
        self._archive, self._timeout_s = archive, timeout_s
        self._outbound = outbound or OutboundPolicy()
        self._max_answer, self._max_body = max_answer, max_body
        self._limits = httpx.Limits(
            max_connections=max_connections, max_keepalive_connections=max_connections, keepalive_expiry=_KEEPALIVE_S
        )
        self._tls: ssl.SSLContext | None = None
        self._clients: dict[int, httpx.AsyncClient] = {}
        # Threads of their own: an archive on a hanging network drive must not hold up the outbox.
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="pictures")

    async def send(self, outgoing: Outgoing, interface: InterfaceConfig, number: int) -> Attempt:
        """POST one delivery; ``number`` counts attempts from 1."""
        begin, at = time.perf_counter(), time.time()
        status, excerpt, retry_after_s = 0, "", None
        try:
            body = await self._body(outgoing)
            async with asyncio.timeout(self._timeout_s):
                headers = request_headers(outgoing.delivery_id, number, interface, int(at), body)
                async with self._client(interface).stream("POST", interface.url, content=body, headers=headers) as response:
                    status = response.status_code
                    retry_after_s = retry_after(response.headers.get("retry-after"), at)
                    excerpt = await self._read(response)
        except TimeoutError:
            # A status without the end of its answer counts: the receiver has said what it thinks of the body.
            excerpt = excerpt or f"no complete answer within {self._timeout_s:g} s"
        except AddressRefusedError as error:
            excerpt = str(error)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
            excerpt = f"{type(error).__name__}: {error}"
        except (ValueError, KeyError, TypeError, AttributeError) as error:  # a row that nobody can send: only its own fault
            excerpt = f"cannot be prepared: {type(error).__name__}: {error}"
        return Attempt(
            delivery_id=outgoing.delivery_id,
            at=at,
            status=status,
            latency_ms=(time.perf_counter() - begin) * 1000,
            excerpt=excerpt[:_EXCERPT].replace("\0", ""),
            retry_after_s=retry_after_s,
        )

    async def sizes(self, items: list[HeldItem]) -> list[int]:
        """Bytes of each element with its pictures; without them while the archive hangs."""
        bare = [len(item.body) for item in items]
        if not any(item.pictures for item in items):
            return bare
        try:
            async with asyncio.timeout(_PICTURES_TIMEOUT_S):
                added: list[int] = await self._threaded(lambda: [picture_size(item.pictures, self._picture) for item in items])
        except TimeoutError:
            return bare
        return [size + more for size, more in zip(bare, added, strict=True)]

    async def release(self, interface_id: int) -> None:
        """Close the connections to one receiver."""
        if client := self._clients.pop(interface_id, None):
            await client.aclose()

    async def close(self) -> None:
        """Close all connections."""
        for interface_id in list(self._clients):
            await self.release(interface_id)
        self._readers.shutdown(wait=False, cancel_futures=True)

    def _client(self, interface: InterfaceConfig) -> httpx.AsyncClient:
        client = self._clients.get(interface.interface_id)
        if client is None:
            # A pool per receiver: one that hangs can use up its own connections only. The TLS context is costly and shared.
            self._tls = self._tls or httpx.create_ssl_context()
            # No timeouts per read: ``send`` bounds the whole attempt.
            transport = PinnedTransport(self._outbound, self._limits, self._tls)
            client = httpx.AsyncClient(timeout=None, follow_redirects=False, trust_env=False, transport=transport)
            self._clients[interface.interface_id] = client
        return client

    async def _body(self, outgoing: Outgoing) -> bytes:
        if not outgoing.pictures:
            return outgoing.body
        try:
            async with asyncio.timeout(_PICTURES_TIMEOUT_S):
                body: bytes = await self._threaded(fill_pictures, outgoing.body, outgoing.pictures, self._picture, self._max_body)
                return body
        except TimeoutError:  # the archive hangs: the facts go without their pictures, the paths are in the body
            logger.error("archive hangs, sent without pictures delivery=%s", outgoing.delivery_id)
            return outgoing.body

    async def _read(self, response: httpx.Response) -> str:
        """The head of the answer as text. Reads a bounded part of it, undecoded: a compressed answer may be a bomb."""
        head, seen = b"", 0
        async for chunk in response.aiter_raw():
            seen += len(chunk)
            if len(head) < 4 * _EXCERPT:
                head += chunk[: 4 * _EXCERPT]
            if seen > self._max_answer:
                break  # leaving the stream closes the connection
        return head.decode("utf-8", "replace")

    def _picture(self, path: str) -> bytes:
        try:
            return (self._archive.read(path) if self._archive else None) or b""
        except ArchiveError:
            return b""

    async def _threaded(self, call: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._readers, call, *arguments)


def request_headers(delivery_id: str, number: int, interface: InterfaceConfig, timestamp: int, body: bytes) -> dict[str, str]:
    """Headers of one attempt. Values beyond printable ASCII are percent-encoded UTF-8 (HTTP headers carry ASCII only)."""
    headers = {
        "content-type": _CONTENT_TYPE,
        "accept-encoding": "identity",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "wayside-attempt": str(number),
    }
    if signature := signature_header(interface.secrets, delivery_id, timestamp, body):
        headers["webhook-signature"] = signature
    for name, value in interface.headers.items():
        if value:
            headers[name] = quote(value, safe=" !#$&'()*+,/:;=?@[]~.-_")
    return headers


def retry_after(value: str | None, now_s: float) -> float | None:
    """Seconds of a Retry-After header (seconds, or a date of HTTP); None when there is none that can be read."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_s)
    except (ValueError, OverflowError):
        return None
