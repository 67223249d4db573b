"""Receivers at addresses that are not allowed, by name, by redirect, by a name that changes its mind."""

import asyncio
import socket
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from actors.delivery.pinned import PinnedTransport
from actors.delivery.ports import InterfaceConfig
from actors.delivery.sender import Sender
from actors.outbound import OutboundPolicy
from tests.actors.delivery.servers import Request, raw_receiver
from tests.actors.delivery.support import HERE
from tests.actors.delivery.test_policy import RECEIVER
from tests.actors.delivery.test_sender import delivery
from tests.certificates import make_certificate


class Names:
    """A name server under the control of somebody else."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
        self.answers, self.asked = list(answers), 0
        real = asyncio.BaseEventLoop.getaddrinfo

        async def fake(loop: Any, host: str, port: int, **options: Any) -> Any:
            if host != "receiver.example":
                return await real(loop, host, port, **options)
            self.asked += 1
            text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port))]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", fake)


def interface(url: str) -> InterfaceConfig:
    return replace(RECEIVER, url=url)


async def fine(request: Request) -> None:
    await request.answer(200)


async def test_a_receiver_on_this_machine_is_refused_without_a_connection() -> None:
    async with raw_receiver(fine) as receiver:
        sender = Sender(None, timeout_s=5.0)
        attempt = await sender.send(delivery(), interface(receiver.url), 1)
        await sender.close()
    assert (attempt.status, receiver.connections) == (0, 0)
    assert "不允许连接 127.0.0.1" in attempt.excerpt
    assert "outbound_allow" in attempt.excerpt


async def test_a_name_that_points_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, "127.0.0.1")
    sender = Sender(None, timeout_s=5.0)
    attempt = await sender.send(delivery(), interface("http://receiver.example:9/push"), 1)
    await sender.close()
    assert "receiver.example (127.0.0.1)" in attempt.excerpt


async def test_the_address_that_was_judged_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the name is resolved once for a connection, so a second answer is never used."""
    names = Names(monkeypatch, "127.0.0.1", "169.254.169.254")
    async with raw_receiver(fine) as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        sender = Sender(None, timeout_s=5.0, outbound=HERE)
        attempt = await sender.send(delivery(), interface(f"http://receiver.example:{port}/push"), 1)
        await sender.close()
    assert (attempt.status, names.asked) == (200, 1)
    assert receiver.requests[0].headers["host"] == f"receiver.example:{port}"


async def test_a_redirect_is_a_failure_and_never_followed() -> None:
    async def away(request: Request) -> None:
        await request.answer(307, head="location: http://169.254.169.254/latest/meta-data\r\n")

    async with raw_receiver(away) as receiver:
        sender = Sender(None, timeout_s=5.0, outbound=HERE)
        attempt = await sender.send(delivery(), interface(receiver.url), 1)
        await sender.close()
    assert (attempt.status, receiver.connections) == (307, 1)


async def test_tls_asks_for_the_name_and_checks_its_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Names(monkeypatch, "127.0.0.1")
    certificate, key = make_certificate(tmp_path, "receiver.example")
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    names: list[str | None] = []
    served.sni_callback = lambda _, name, __: names.append(name)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=served)
    url = f"https://receiver.example:{server.sockets[0].getsockname()[1]}/push"
    trusted = ssl.create_default_context(cafile=str(certificate))
    try:
        async with httpx.AsyncClient(transport=PinnedTransport(HERE, httpx.Limits(), trusted)) as client:
            assert (await client.post(url, content=b"{}")).status_code == 200
        untrusting = PinnedTransport(HERE, httpx.Limits(), ssl.create_default_context())
        async with httpx.AsyncClient(transport=untrusting) as client:
            with pytest.raises(httpx.ConnectError, match="certificate"):
                await client.post(url, content=b"{}")
    finally:
        server.close()
    assert names[0] == "receiver.example"


async def test_names_without_any_address_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Sender(None, timeout_s=5.0, outbound=OutboundPolicy())
    attempt = await sender.send(delivery(), interface("http://no-such-name.invalid/push"), 1)
    await sender.close()
    assert "cannot be resolved" in attempt.excerpt
