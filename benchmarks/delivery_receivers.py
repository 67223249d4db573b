"""Receivers for the delivery benchmark, in a process of their own: many ports, a little HTTP/1.1, four ways to behave.

``python -m benchmarks.delivery_receivers`` reads one line from its input, a JSON list of behaviours ("ok", "hang", "flaky",
"closed"), prints the list of ports, answers each further line (any text) with a JSON object {delivery id: arrival time} of the
healthy receivers' new deliveries, and ends with its input.
"""

import asyncio
import json
import socket
import sys
import time

_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_ERROR = b"HTTP/1.1 500 Error\r\ncontent-length: 0\r\n\r\n"


class Receiver(asyncio.Protocol):
    """One connection. Arrival is when the whole body is here; seconds since the epoch."""

    def __init__(self, behaviour: str, seen: dict[str, float]) -> None:
        self._behaviour, self._seen, self._buffer, self._count = behaviour, seen, b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A sender came."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take whole requests out of what has come so far."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(_header(head, b"content-length") or 0)
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._take(_header(head, b"webhook-id").decode())

    def _take(self, delivery_id: str) -> None:
        self._count += 1
        if self._behaviour == "hang":
            return
        if self._behaviour == "flaky" and self._count % 2:
            self._transport.write(_ERROR)  # type: ignore[attr-defined]
            return
        if self._behaviour == "ok":
            self._seen.setdefault(delivery_id, time.time())
        self._transport.write(_OK)  # type: ignore[attr-defined]


def _header(head: bytes, name: bytes) -> bytes:
    begin = head.find(b"\r\n" + name + b":")
    if begin < 0:
        return b""
    end = head.find(b"\r\n", begin + 2)
    return head[begin + len(name) + 3 : end if end >= 0 else None].strip()


async def main() -> None:
    """Serve until the input ends."""
    loop, seen, ports, kept = asyncio.get_running_loop(), dict[str, float](), [], []
    for behaviour in json.loads(sys.stdin.readline()):
        if behaviour == "closed":  # bound but not listening: nobody else can take the port meanwhile
            holder = socket.socket()
            holder.bind(("127.0.0.1", 0))
            ports.append(holder.getsockname()[1])
            kept.append(holder)
            continue
        server = await loop.create_server(lambda behaviour=behaviour: Receiver(behaviour, seen), "127.0.0.1", 0, backlog=1024)
        ports.append(server.sockets[0].getsockname()[1])
        kept.append(server)  # type: ignore[arg-type]
    print(json.dumps(ports), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(seen), flush=True)
        seen.clear()


if __name__ == "__main__":
    asyncio.run(main())
