"""A reference receiver: takes pushes, holds each against the protocol, shows it and writes it down."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from api.wire.schemas import BUSINESS
from api.wire.validate import kind_of, validate_body

_MAX_BODY = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Push:
    """One push as received. ``problems`` is empty when it keeps to the protocol."""

    received_at: float
    path: str
    headers: dict[str, str]
    kind: str | None
    body: Any
    problems: list[str]

    def record(self) -> dict[str, Any]:
        """As a JSON line."""
        business = BUSINESS[self.kind] if self.kind else None
        return {
            "receivedAt": self.received_at, "path": self.path, "headers": self.headers, "kind": self.kind,
            "businessType": business, "valid": not self.problems, "problems": self.problems, "body": self.body,
        }  # fmt: skip


class Receiver:
    """An HTTP server in a thread. ``status`` is what it answers (200 is success); ``strict`` answers 400 to a wrong body."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        on_push: Callable[[Push], None] | None = None,
        status: Callable[[Push], int] | int = 200,
        strict: bool = False,
        out: Path | None = None,
    ) -> None:
        self.pushes: list[Push] = []
        self._keep = on_push is None
        self._on_push, self._status, self._strict, self._out = on_push, status, strict, out
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer((host, port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True)

    @property
    def url(self) -> str:
        """Where to push."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/push"

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _take(self, path: str, headers: dict[str, str], raw: bytes) -> int:
        push = _judge(path, headers, raw)
        answer = self._status(push) if callable(self._status) else self._status
        if self._strict and push.problems:
            answer = 400
        with self._lock:
            if self._keep:
                self.pushes.append(push)
            if self._out:
                with self._out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(push.record(), ensure_ascii=False) + "\n")
            if self._on_push:
                self._on_push(push)
        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = self.headers.get("content-length", "")
                if not length.isdigit() or int(length) > _MAX_BODY:
                    self.send_error(411 if not length.isdigit() else 413)
                    return
                raw = self.rfile.read(int(length))
                if len(raw) < int(length):  # the sender died on the way; the whole body comes again under its id
                    self.close_connection = True
                    return
                status = receiver._take(self.path, {k.lower(): v for k, v in self.headers.items()}, raw)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Pushes are shown by ``on_push``."""

        return Handler


def _judge(path: str, headers: dict[str, str], raw: bytes) -> Push:
    problems: list[str] = []
    body: Any = None
    try:
        body = json.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, ValueError) as error:
        problems.append(f"(body): not UTF-8 JSON: {error}")
    kind = kind_of(body)
    if not problems:
        problems = validate_body(kind, body) if kind else ["(body): none of the manual's bodies"]
    if not headers.get("content-type", "").startswith("application/json"):
        problems.append("content-type: must be application/json")
    return Push(received_at=time.time(), path=path, headers=headers, kind=kind, body=body, problems=problems)
