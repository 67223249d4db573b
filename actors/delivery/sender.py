"""Makes the POSTs with httpx: one client, keep-alive, pictures filled in from the archive."""

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from urllib.parse import quote

import httpx

from actors.delivery.ports import Attempt, InterfaceConfig, Outgoing
from actors.errors import ArchiveError
from actors.ports import Archive

_EXCERPT = 300
_CONTENT_TYPE = "application/json; charset=utf-8"


class Sender:
    """Sends deliveries; every outcome is an Attempt, nothing is raised for a receiver's fault."""

    def __init__(self, archive: Archive | None, timeout_s: float = 10.0, max_connections: int = 200) -> None:
        self._archive = archive
        limits = httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections)
        self._client = httpx.AsyncClient(timeout=timeout_s, limits=limits, follow_redirects=False, trust_env=False)

    async def send(self, outgoing: Outgoing, interface: InterfaceConfig, number: int) -> Attempt:
        """POST one delivery; ``number`` counts attempts from 1."""
        body = outgoing.body
        if outgoing.pictures:
            body = await asyncio.to_thread(fill_pictures, body, outgoing.pictures, self._archive)
        headers = request_headers(outgoing.delivery_id, number, interface.headers)
        begin, at = time.perf_counter(), time.time()
        status, excerpt, retry_after_s = 0, "", None
        try:
            response = await self._client.post(interface.url, content=body, headers=headers)
            status, excerpt = response.status_code, response.text[:_EXCERPT]
            retry_after_s = _retry_after(response.headers.get("retry-after"))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
            excerpt = f"{type(error).__name__}: {error}"[:_EXCERPT]
        return Attempt(
            delivery_id=outgoing.delivery_id,
            at=at,
            status=status,
            latency_ms=(time.perf_counter() - begin) * 1000,
            excerpt=excerpt.replace("\0", ""),
            retry_after_s=retry_after_s,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def request_headers(delivery_id: str, number: int, identity: Mapping[str, str]) -> dict[str, str]:
    """Headers of one attempt. Values beyond printable ASCII are percent-encoded UTF-8 (HTTP headers carry ASCII only)."""
    headers = {
        "content-type": _CONTENT_TYPE,
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(time.time())),
        "wayside-attempt": str(number),
    }
    for name, value in identity.items():
        if value:
            headers[name] = quote(value, safe=" !#$&'()*+,/:;=?@[]~.-_")
    return headers


def fill_pictures(body: bytes, pictures: str, archive: Archive | None) -> bytes:
    """Put base64 pictures into a body (an object or an array); a picture that is gone becomes an empty text."""
    content, wanted = json.loads(body), json.loads(pictures)
    elements = content if isinstance(content, list) else [content]
    for element, fields in zip(elements, wanted if isinstance(wanted, list) else [wanted], strict=True):
        for field, path in fields.items():
            element[field] = _picture(path, archive)
    return dump(content)


def dump(content: object) -> bytes:
    """JSON as it goes over the wire: UTF-8, no escapes for Chinese."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _picture(path: str, archive: Archive | None) -> str:
    if not path or archive is None:
        return ""
    try:
        data = archive.read(path)
    except ArchiveError:
        return ""
    return base64.b64encode(data).decode() if data else ""


def _retry_after(value: str | None) -> float | None:
    if value is None or not (value.strip().isascii() and value.strip().isdigit()):
        return None  # the date form is rare and its clock is not ours
    return float(value)
