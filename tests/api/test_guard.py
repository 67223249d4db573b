"""What stands before every route: bodies that are late, endless, cut off or announced wrongly."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.types import Message

from api.guard import BodyGuard


class Asked:
    """An application that remembers what it was given, and the messages that were sent."""

    def __init__(self, chunks: list[bytes], *, hang: bool = False, leave: bool = False, timeout_s: float = 30.0) -> None:
        self.body: bytes | None = None
        self.sent: list[Message] = []
        self._chunks, self._hang, self._leave = chunks, hang, leave
        self.guard = BodyGuard(self._application, limit=100, timeout_s=timeout_s)

    async def _application(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        assert not message["more_body"]
        self.body = message["body"]

    async def _receive(self) -> Message:
        if self._chunks:
            chunk = self._chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(self._chunks) or self._hang or self._leave}
        if self._hang:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    async def post(self, headers: dict[str, str] | None = None) -> int | None:
        """The status that was answered; None when the application was reached or nobody was answered."""
        raw = [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        await self.guard({"type": "http", "method": "POST", "path": "/", "headers": raw}, self._receive, self._send)
        return self.sent[0]["status"] if self.sent else None


async def test_a_body_in_pieces_reaches_the_application_whole() -> None:
    asked = Asked([b'{"a"', b": ", b"1}"])
    assert await asked.post() is None
    assert asked.body == b'{"a": 1}'


async def test_a_body_that_never_ends_is_a_408() -> None:
    asked = Asked([b"{"], hang=True, timeout_s=0.05)
    assert await asked.post() == 408
    assert asked.body is None


async def test_a_client_that_leaves_is_not_answered() -> None:
    asked = Asked([b"{"], leave=True)
    assert await asked.post() is None
    assert asked.body is None


@pytest.mark.parametrize("declared", ["101", "9" * 100])
async def test_a_body_that_announces_itself_too_large_is_refused_unread(declared: str) -> None:
    asked = Asked([b"{}"], hang=True)
    assert await asked.post({"content-length": declared}) == 413


@pytest.mark.parametrize("declared", ["\u00b2", "-1", "1e3", ""])
async def test_an_odd_announcement_is_not_believed(declared: str) -> None:
    assert await Asked([b"{}"]).post({"content-length": declared}) is None
    assert await Asked([b"x" * 101]).post({"content-length": declared}) == 413


async def test_errors_of_the_program_are_told_without_their_cause(signed_in: httpx.AsyncClient, services: Any) -> None:
    services.control.task_health = None
    answer = await signed_in.post("/api/task/list")
    assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (500, 5000, None)
    assert "NoneType" not in answer.text
