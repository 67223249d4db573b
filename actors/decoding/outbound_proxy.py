"""The way of an HTTP camera's connections: FFmpeg asks this proxy, which connects where the outbound policy allows.

FFmpeg follows redirects and playlists by itself and resolves every name anew; a check of the first address alone would be
worth nothing. So every connection of an ``http(s)://`` source (redirects, HLS segments, keys) goes through a proxy in this
process, which resolves, judges and connects to the judged address. One per opened source, on the loopback, gone with it.
"""

import asyncio
import contextlib
import os
import threading
from urllib.parse import urlsplit

from actors.outbound import AddressRefusedError, OutboundPolicy

_HEAD_LIMIT = 64 * 1024
_HEAD_TIMEOUT_S, _CONNECT_TIMEOUT_S = 10.0, 10.0
_CHUNK = 256 * 1024


class OutboundProxy:
    """An HTTP proxy for one source. ``trouble``: the last refusal by the policy, else why the newest connection could not
    be made, None when it could."""

    def __init__(self, policy: OutboundPolicy) -> None:
        """Starts to listen. Raises OSError."""
        self.trouble: AddressRefusedError | OSError | None = None
        self._policy = policy
        self._loop = asyncio.new_event_loop()
        self._handlers: set[asyncio.Task[None]] = set()
        # FFmpeg would go past the proxy for hosts that the environment excepts.
        for name in ("no_proxy", "NO_PROXY"):
            os.environ.pop(name, None)
        try:
            self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_HEAD_LIMIT))
        except OSError:
            self._loop.close()
            raise
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, name="outbound-proxy", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every connection; safe to call twice."""
        with contextlib.suppress(RuntimeError):  # closed already
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._end())
            self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        await asyncio.sleep(0)  # connections accepted at this very moment become handlers
        for task in self._handlers:
            task.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._loop.shutdown_default_executor()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            await self._handle(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, asyncio.CancelledError):
            pass  # one side went away, or said nothing that is HTTP
        finally:
            self._handlers.discard(task)
            writer.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_TIMEOUT_S):
            head = await reader.readuntil(b"\r\n\r\n")
        try:
            host, port, forwarded = _understand(head)
        except ValueError:
            writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
            return
        try:
            camera_reader, camera_writer = await self._connect(host, port)
            if not isinstance(self.trouble, AddressRefusedError):
                self.trouble = None
        except AddressRefusedError as error:
            self.trouble = error
            writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            return
        except (OSError, UnicodeError) as error:
            self.trouble = error if isinstance(error, OSError) else OSError(str(error))
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            return
        try:
            if forwarded:
                camera_writer.write(forwarded)
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _both_ways(reader, writer, camera_reader, camera_writer)
        finally:
            camera_writer.close()

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        failure: OSError = OSError(f"{host} has no address")
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):  # TimeoutError is an OSError
            for address in await self._policy.resolve_async(host, port):
                try:
                    return await asyncio.open_connection(address, port, limit=_CHUNK)
                except OSError as error:
                    failure = error
        raise failure


def _understand(head: bytes) -> tuple[str, int, bytes]:
    """Host, port and what to send on (b"" for CONNECT: a tunnel). Raises ValueError for what is no proxy request."""
    line, _, rest = head.partition(b"\r\n")
    method, target, version = line.decode("latin-1").split(" ")
    parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
    host, port = parts.hostname, parts.port
    if not host or (method != "CONNECT" and parts.scheme != "http"):
        raise ValueError("no host")
    if method == "CONNECT":
        if not port:
            raise ValueError("no port")
        return host, port, b""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kept = [entry for entry in rest.split(b"\r\n") if not entry.lower().startswith(b"proxy-")]
    return host, port or 80, f"{method} {path} {version}\r\n".encode("latin-1") + b"\r\n".join(kept)


async def _both_ways(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    camera_reader: asyncio.StreamReader,
    camera_writer: asyncio.StreamWriter,
) -> None:
    """Pass bytes on until either side ends."""
    ways = {
        asyncio.ensure_future(_pass_on(reader, camera_writer)),
        asyncio.ensure_future(_pass_on(camera_reader, writer)),
    }
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
