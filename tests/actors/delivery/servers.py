"""Receivers that misbehave, as small asyncio servers: they answer what a test tells them, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Behaviour = Callable[["Request"], Awaitable[None]]


@dataclass
class Request:
    """One POST as received; ``write`` sends raw bytes back."""

    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter

    async def answer(self, status: int = 200, head: str = "", body: bytes = b"") -> None:
        """A complete answer."""
        lines = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{head}\r\n"
        await self.write(lines.encode() + body)

    async def write(self, data: bytes) -> None:
        """Raw bytes."""
        self.writer.write(data)
        await self.writer.drain()


@dataclass
class RawReceiver:
    """What a server saw."""

    url: str
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def ids(self) -> list[str]:
        """Delivery ids in the order of arrival."""
        return [request.headers["webhook-id"] for request in self.requests]


@asynccontextmanager
async def raw_receiver(behave: Behaviour) -> AsyncIterator[RawReceiver]:
    """A server on a free port of this machine."""
    seen = RawReceiver(url="")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        try:
            while request := await _read(reader, writer):
                seen.requests.append(request)
                await behave(request)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the sender went away, as some tests mean it to
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    seen.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/push"
    try:
        yield seen
    finally:
        server.close()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    lines = head.split("\r\n")[1:]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}
    return Request(headers, await reader.readexactly(int(headers.get("content-length", "0"))), writer)
