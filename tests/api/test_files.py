"""Pictures and clips over HTTP: whole, in parts, as headers only, and not again when nothing changed."""

import tracemalloc
from typing import Any

import httpx
import pytest

from api.ranges import ByteRange, requested_range
from api.services import ApiServices

CLIP = "video/2026_01/02/1/x/1_x.mp4"
CONTENT = bytes(range(256)) * 4


@pytest.fixture
def clip(services: ApiServices) -> str:
    services.archive.write(CLIP, CONTENT)
    return f"/{CLIP}"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=10-19", ByteRange(10, 20)),
        ("bytes=10-", ByteRange(10, 100)),
        ("bytes=90-1000", ByteRange(90, 100)),
        ("bytes=-5", ByteRange(95, 100)),
        ("bytes=-500", ByteRange(0, 100)),
        (" Bytes = 1 - 2 ", ByteRange(1, 3)),
        ("bytes=100-", "unsatisfiable"),
        ("bytes=500-600", "unsatisfiable"),
        ("bytes=-0", "unsatisfiable"),
        ("bytes=5-2", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=1-2,5-6", None),
        ("lines=1-2", None),
        ("bytes=" + "9" * 30 + "-", None),
        ("bytes=١-٢", None),
    ],
)
def test_a_range_header_is_read_as_the_standard_says(header: str | None, expected: Any) -> None:
    assert requested_range(header, 100) == expected


def test_no_range_of_an_empty_file_can_be_satisfied() -> None:
    assert requested_range("bytes=0-", 0) == requested_range("bytes=-1", 0) == "unsatisfiable"


@pytest.mark.parametrize(
    ("header", "begin", "end"), [("bytes=10-19", 10, 20), ("bytes=-24", 1000, 1024), ("bytes=1000-", 1000, 1024)]
)
async def test_a_part_is_a_206_with_its_place(client: httpx.AsyncClient, clip: str, header: str, begin: int, end: int) -> None:
    answer = await client.get(clip, headers={"range": header})
    assert (answer.status_code, answer.content) == (206, CONTENT[begin:end])
    assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/1024"
    assert answer.headers["content-length"] == str(end - begin)


async def test_a_range_beyond_the_file_is_a_416_with_its_size(client: httpx.AsyncClient, clip: str) -> None:
    answer = await client.get(clip, headers={"range": "bytes=1024-"})
    assert (answer.status_code, answer.json()["code"]) == (416, 4160)
    assert answer.headers["content-range"] == "bytes */1024"


async def test_the_whole_file_says_that_parts_may_be_had(client: httpx.AsyncClient, clip: str) -> None:
    answer = await client.get(clip)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-type"] == "video/mp4"


async def test_head_is_get_without_the_body(client: httpx.AsyncClient, clip: str) -> None:
    head, get = await client.head(clip), await client.get(clip)
    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(get.headers)
    assert (await client.head("/video/none.mp4")).status_code == 404


async def test_an_unchanged_file_is_not_sent_again_and_a_changed_one_is_sent_whole(
    client: httpx.AsyncClient, clip: str, services: ApiServices
) -> None:
    tag = (await client.get(clip)).headers["etag"]
    assert (await client.get(clip, headers={"if-none-match": f'"other", W/{tag}'})).status_code == 304
    assert (await client.get(clip, headers={"range": "bytes=0-1", "if-range": tag})).status_code == 206
    services.archive.write(CLIP, b"another")
    assert (await client.get(clip, headers={"if-none-match": tag})).content == b"another"
    assert (await client.get(clip, headers={"range": "bytes=0-1", "if-range": tag})).status_code == 200


async def test_a_part_of_a_large_clip_does_not_take_its_size_in_memory(client: httpx.AsyncClient, services: ApiServices) -> None:
    path = services.archive.locate(CLIP)
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(200_000_000)  # sparse
    tracemalloc.start()
    try:
        answer = await client.get(f"/{CLIP}", headers={"range": "bytes=150000000-150000999"})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(answer.content) == 1000
    assert peak < 20_000_000


@pytest.mark.parametrize(
    "path", ["/image/%00.jpg", "/image/" + "a" * 400 + ".jpg", "/image/x.png", "/image/", "/video/%2e%2e/a.mp4"]
)
async def test_odd_paths_are_404s(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, 4040)
