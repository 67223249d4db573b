"""A disk that is full: nothing acknowledged is lost, nothing is half written, and it goes on by itself once there is room."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.archive import FolderArchive
from actors.errors import ArchiveError, StoreUnavailableError
from api.database import Database
from api.rescue import copy_path, keep_copy
from cluster.actors import disk_state
from tests.actors.delivery.servers import Request, raw_receiver
from tests.actors.delivery.support import facts, pusher, register, until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB of its own; skipped where this account may not mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this account may not mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(folder: Path, leave: int = 0) -> Path:
    """A file that takes all the room there is but ``leave`` bytes."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        status = os.statvfs(folder)
        file.write(bytes(max(0, status.f_bavail * status.f_frsize - leave)))
        try:
            while not leave:
                file.write(bytes(4096))
                file.flush()
        except OSError:
            pass
    return ballast


async def test_facts_wait_for_room_and_all_arrive(small_disk: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{small_disk}/outbox.sqlite3"
    Database(url).migrate()

    async def ok(request: Request) -> None:
        await request.answer(200)

    async with raw_receiver(ok) as receiver:
        register(url, receiver.url)
        made = pusher(url, tmp_path, refresh_s=0.2)
        await made.start()
        await made.publish(facts(20))
        await until(lambda: len(receiver.requests) == 20)
        ballast = fill(small_disk)
        refused: list[str] = []
        first = 20
        for _ in range(60):  # SQLite reuses pages of its log; in the end there is no room
            try:
                await made.publish(facts(20, first=first))
            except StoreUnavailableError as error:
                refused.append(str(error))
                if len(refused) == 3:
                    break
            else:
                first += 20
        assert len(refused) == 3, "the disk must have been full"
        assert "full" in refused[0]
        ballast.unlink()
        await made.publish(facts(20, first=first))  # the same facts again, as a camera repeats them
        await until(lambda: len(set(receiver.ids)) == first + 20)
        await until(lambda: made.health()["storeError"] == "")
        await made.stop()
    Database(url).engine.dispose()


def test_a_picture_is_whole_or_not_there_and_old_ones_make_room(small_disk: Path) -> None:
    archive = FolderArchive(small_disk / "archive")
    archive.write("image/1/a.jpg", bytes(400_000))
    ballast = fill(small_disk, leave=200_000)
    with pytest.raises(ArchiveError):
        archive.write("image/1/b.jpg", bytes(400_000))
    assert archive.read("image/1/b.jpg") is None
    assert [path.name for path in (small_disk / "archive").rglob("*.part")] == []
    assert archive.prune(1e9, 10**9, min_free_bytes=100_000) == 0, "enough is free"
    assert archive.prune(1e9, 10**9, min_free_bytes=500_000) == 1
    archive.write("image/1/b.jpg", bytes(400_000))
    ballast.unlink()


def test_the_health_line_says_how_little_is_left_and_the_copy_of_the_configuration_stays(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk}/wayside.sqlite3"
    Database(url).migrate()
    keep_copy(url)
    good = copy_path(small_disk / "wayside.sqlite3").read_bytes()
    fill(small_disk)
    assert "disk almost full, 0 MiB left" in disk_state(small_disk)
    with pytest.raises(StoreUnavailableError, match="not copied"):
        keep_copy(url)
    assert copy_path(small_disk / "wayside.sqlite3").read_bytes() == good
    assert "data folder" in disk_state(small_disk / "gone")
    Database(url).engine.dispose()
