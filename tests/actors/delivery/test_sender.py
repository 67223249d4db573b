"""One POST against receivers that misbehave: every answer is bounded in time and size, no fault is raised."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from actors.archive import FolderArchive
from actors.delivery.outgoing import outgoing
from actors.delivery.ports import HeldItem, Outgoing
from actors.delivery.sender import Sender
from actors.delivery.signing import new_secret, verify
from actors.errors import ArchiveError
from tests.actors.delivery.servers import Request, raw_receiver
from tests.actors.delivery.support import HERE, closed_port
from tests.actors.delivery.test_policy import RECEIVER


@pytest.fixture
async def sender(tmp_path: Path) -> AsyncIterator[Sender]:
    made = Sender(FolderArchive(tmp_path), timeout_s=0.5, max_answer=10_000, outbound=HERE)
    yield made
    await made.close()


def delivery(body: bytes = b'{"a":1}', pictures: str = "") -> Outgoing:
    return outgoing(RECEIVER, "f", "100", body, pictures, 0.0)


async def ok(request: Request) -> None:
    await request.answer(200)


async def test_headers_and_body_are_as_promised_and_the_signature_verifies(sender: Sender) -> None:
    secret = new_secret()
    async with raw_receiver(ok) as receiver:
        interface = replace(
            RECEIVER, url=receiver.url, headers={"companyName": "通甲", "appId": "", "companyId": "a\r\nb"},
            secrets=((secret, float("inf")),),
        )  # fmt: skip
        attempt = await sender.send(delivery(), interface, 3)
        (request,) = receiver.requests
    assert (attempt.status, attempt.excerpt) == (200, "")
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.headers["wayside-attempt"] == "3"
    assert request.headers["companyname"] == "%E9%80%9A%E7%94%B2"
    assert request.headers["companyid"] == "a%0D%0Ab", "no header can be smuggled in"
    assert "appid" not in request.headers
    stamp = int(request.headers["webhook-timestamp"])
    assert abs(stamp - time.time()) < 10
    assert verify(secret, request.headers["webhook-signature"], attempt.delivery_id, stamp, request.body)
    assert request.headers["webhook-id"] == attempt.delivery_id


async def test_without_a_secret_there_is_no_signature(sender: Sender) -> None:
    async with raw_receiver(ok) as receiver:
        await sender.send(delivery(), replace(RECEIVER, url=receiver.url), 1)
    assert "webhook-signature" not in receiver.requests[0].headers


async def test_connections_are_kept(sender: Sender) -> None:
    async with raw_receiver(ok) as receiver:
        for _ in range(5):
            await sender.send(delivery(), replace(RECEIVER, url=receiver.url), 1)
    assert (len(receiver.requests), receiver.connections) == (5, 1)


async def test_an_endless_answer_is_cut_off(sender: Sender) -> None:
    async def endless(request: Request) -> None:
        await request.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            await request.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    async with raw_receiver(endless) as receiver:
        attempt = await asyncio.wait_for(sender.send(delivery(), replace(RECEIVER, url=receiver.url), 1), 5)
    assert attempt.status == 200
    assert attempt.excerpt == "x" * 300


async def test_a_compressed_answer_is_not_inflated(sender: Sender) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)

    async def answer(request: Request) -> None:
        assert request.headers["accept-encoding"] == "identity"
        await request.answer(500, "content-encoding: gzip\r\n", bomb)

    async with raw_receiver(answer) as receiver:
        attempt = await sender.send(delivery(), replace(RECEIVER, url=receiver.url), 1)
    assert attempt.status == 500
    assert len(attempt.excerpt) <= 300
    assert "\0" not in attempt.excerpt


async def test_an_answer_that_drips_is_cut_off_by_the_overall_timeout(sender: Sender) -> None:
    async def drip(request: Request) -> None:
        await request.write(b"HTTP/1.1 200 OK\r\n")
        while True:  # each single read is quick: a timeout per read would wait for ever
            await asyncio.sleep(0.05)
            await request.write(b"x-drip: 1\r\n")

    async with raw_receiver(drip) as receiver:
        begin = time.monotonic()
        attempt = await asyncio.wait_for(sender.send(delivery(), replace(RECEIVER, url=receiver.url), 1), 5)
    assert attempt.status == 0
    assert "0.5 s" in attempt.excerpt
    assert time.monotonic() - begin < 4


async def test_a_status_whose_body_never_ends_counts(sender: Sender) -> None:
    async def half(request: Request) -> None:
        await request.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhello")
        await asyncio.sleep(30)

    async with raw_receiver(half) as receiver:
        attempt = await sender.send(delivery(), replace(RECEIVER, url=receiver.url), 1)
    assert attempt.status == 200


async def test_a_redirect_is_not_followed(sender: Sender) -> None:
    async def redirect(request: Request) -> None:
        await request.answer(302, f"location: {receiver.url}\r\n")

    async with raw_receiver(redirect) as receiver:
        attempt = await sender.send(delivery(), replace(RECEIVER, url=receiver.url), 1)
    assert (attempt.status, len(receiver.requests)) == (302, 1)


async def test_retry_after_reaches_the_policy(sender: Sender) -> None:
    async def later(request: Request) -> None:
        await request.answer(503, "retry-after: 77\r\n", "稍后".encode())

    async with raw_receiver(later) as receiver:
        attempt = await sender.send(delivery(), replace(RECEIVER, url=receiver.url), 1)
    assert (attempt.retry_after_s, attempt.excerpt) == (77.0, "稍后")


async def test_nobody_there_nonsense_and_bad_addresses_are_attempts_without_status(sender: Sender) -> None:
    async def nonsense(request: Request) -> None:
        await request.write(b"SSH-2.0-OpenSSH\r\n\r\n")

    with closed_port() as nobody:
        attempts = [await sender.send(delivery(), replace(RECEIVER, url=nobody), 1)]
    async with raw_receiver(nonsense) as receiver:
        attempts.append(await sender.send(delivery(), replace(RECEIVER, url=receiver.url), 1))
    for address in ("http://", "http://[::1", "ftp://x/", "http://\udcff/"):
        attempts.append(await sender.send(delivery(), replace(RECEIVER, url=address), 1))
    assert [attempt.status for attempt in attempts] == [0] * 6
    assert all(attempt.excerpt for attempt in attempts)


async def test_a_row_that_nobody_can_send_is_its_own_fault_only(sender: Sender) -> None:
    async with raw_receiver(ok) as receiver:
        interface = replace(RECEIVER, url=receiver.url)
        spoiled = [
            await sender.send(delivery(pictures="not json"), interface, 1),
            await sender.send(delivery(b"not json", '{"a":"x"}'), interface, 1),
            await sender.send(delivery(b"[{},{}]", '[{"a":"x"}]'), interface, 1),
            await sender.send(delivery(), replace(interface, secrets=(("whsec_?", 1e12),)), 1),
        ]
        fine = await sender.send(delivery(), interface, 1)
    assert [attempt.status for attempt in spoiled] == [0] * 4
    assert all("cannot be prepared" in attempt.excerpt for attempt in spoiled)
    assert fine.status == 200


class Archive:
    """Answers slowly, or fails."""

    def __init__(self, wait_s: float = 0.0) -> None:
        self.wait_s = wait_s

    def write(self, path: str, data: bytes) -> None: ...

    def read(self, path: str) -> bytes | None:
        if not self.wait_s:
            raise ArchiveError("gone")
        time.sleep(self.wait_s)
        return b"late"


@pytest.mark.parametrize("archive", [Archive(), Archive(wait_s=0.4), None], ids=["broken", "hanging", "none"])
async def test_facts_go_without_their_pictures_when_the_archive_fails(
    archive: Archive | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.delivery.sender._PICTURES_TIMEOUT_S", 0.1)
    sender = Sender(archive, timeout_s=5.0, outbound=HERE)
    item = HeldItem(interface_id=1, fact_id="h", order_key="1", body=b"{}", pictures='{"i":"x.jpg"}', created_at=0.0)
    async with raw_receiver(ok) as receiver:
        attempt = await sender.send(delivery(b'{"i":""}', '{"i":"image/x.jpg"}'), replace(RECEIVER, url=receiver.url), 1)
        assert await sender.sizes([item]) == [2]
    await sender.close()
    assert (attempt.status, receiver.requests[0].body) == (200, b'{"i":""}')
