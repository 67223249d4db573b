"""The archive in an object store: in memory, and in a real S3 server over HTTP (moto)."""

import pickle
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.archive import ArchiveKeeper, ArchiveLimits, ObjectArchive, open_archive
from actors.errors import ArchiveError

PATH = "image/2026_11/24/1/vehicle_snapshot/small/1.jpg"
CLIP = "video/2026_11/24/1/wrong_way/1.mp4"


@pytest.fixture(scope="module")
def s3() -> Iterator[tuple[str, dict]]:
    """A bucket of a server of our own, and how to reach it."""
    server = pytest.importorskip("moto.server", reason="no moto: pip install 'moto[s3,server]'")
    boto3 = pytest.importorskip("boto3")
    pytest.importorskip("s3fs", reason="no s3fs: pip install 'wayside[s3]'")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
    client.create_bucket(Bucket="archive")
    try:
        yield "s3://archive", {"endpoint_url": endpoint, "key": "k", "secret": "s"}
    finally:
        running.stop()


@pytest.fixture(params=["memory", "s3"])
def archive(request: pytest.FixtureRequest) -> ObjectArchive:
    name = uuid.uuid4().hex
    if request.param == "memory":
        return ObjectArchive(f"memory://{name}")
    url, options = request.getfixturevalue("s3")
    return ObjectArchive(f"{url}/{name}/deep", options)


def test_what_is_written_can_be_read_replaced_and_read_in_parts(archive: ObjectArchive, tmp_path: Path) -> None:
    archive.write(PATH, b"first")
    archive.write(PATH, b"second")
    assert archive.read(PATH) == b"second"
    assert archive.read("image/none.jpg") is None
    content = bytes(range(256)) * 12_000
    with archive.scratch() as folder:
        file = folder / "clip.part"
        file.write_bytes(content)
        archive.adopt(CLIP, file)
    found = archive.open(CLIP)
    assert found is not None
    with found.file as opened:
        assert (found.size, found.tag != "") == (len(content), True)
        opened.seek(2_000_000)
        assert opened.read(300_000) == content[2_000_000:2_300_000]
        opened.seek(-5, 2)
        assert opened.read() == content[-5:]
    assert archive.open("video/none.mp4") is None
    assert archive.check() == ""


def test_a_tag_changes_with_the_content(archive: ObjectArchive) -> None:
    tags = set()
    for content in (b"one", b"two"):
        archive.write(PATH, content)
        found = archive.open(PATH)
        assert found is not None
        found.file.close()
        tags.add(found.tag)
    assert len(tags) == 2


def test_it_travels_to_other_processes(archive: ObjectArchive) -> None:
    archive.write(PATH, b"x")
    assert pickle.loads(pickle.dumps(archive)).read(PATH) == b"x"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../x", "a//b"])
def test_no_path_leads_out_of_the_archive(archive: ObjectArchive, path: str) -> None:
    with pytest.raises(ArchiveError, match="not an archive path"):
        archive.write(path, b"x")


def test_what_is_too_old_goes_and_then_the_oldest_days(archive: ObjectArchive) -> None:
    for day in range(1, 13):
        archive.write(f"image/2026_11/{day:02d}/1/x/large/1.jpg", b"x" * 100)
        archive.write(f"video/2026_11/{day:02d}/1/x/1.mp4", b"x" * 100)
    for _ in range(4):  # a few days a pass
        assert archive.prune(1e9, 10**9) == 0
    usage = archive.usage()
    assert (usage.files, usage.size_bytes, usage.complete) == (24, 2400, True)
    assert archive.prune(1e9, 1_950) == 5
    assert archive.usage().size_bytes == 1_900
    import time

    assert archive.prune(10.0, 10**9, time.time() + 1000) == 19
    assert archive.usage().files == 0


def test_a_store_that_is_away_is_told_in_one_line_and_raises_only_our_error() -> None:
    pytest.importorskip("s3fs")
    options = {"endpoint_url": "http://127.0.0.1:9", "key": "k", "secret": "s", "config_kwargs": {"retries": {"max_attempts": 0}}}
    archive = ObjectArchive("s3://none", options)
    assert archive.check().startswith("图片存储不可写 / archive cannot be written")
    for call in (lambda: archive.read(PATH), lambda: archive.open(PATH), lambda: archive.write(PATH, b"x")):
        with pytest.raises(ArchiveError):
            call()
    keeper = ArchiveKeeper(archive, ArchiveLimits(max_age_s=1, max_bytes=1))
    with pytest.raises(ArchiveError):
        keeper.once()
    assert keeper.usage is None


def test_a_setting_opens_the_right_archive(tmp_path: Path) -> None:
    assert isinstance(open_archive("memory://x"), ObjectArchive)
    assert isinstance(open_archive("s3://bucket/folder", {"key": "k"}), ObjectArchive)
    with pytest.raises(ArchiveError, match="use a folder or a URL"):
        open_archive("ftp://x")
