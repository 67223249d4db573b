"""Pictures are written beside the analysis; a fact leaves with the paths of those only that are there."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from actors.archive import FolderArchive
from actors.errors import ArchiveError
from actors.evidence.write_behind import WriteBehind
from tests.actors.evidence.test_clip_keeper import STATUS, event


class Gate:
    """An archive that writes when it is let, and refuses what is named bad."""

    def __init__(self) -> None:
        self.open, self.written = threading.Event(), []

    def write(self, path: str, data: bytes) -> None:
        assert self.open.wait(20)
        if "bad" in path:
            raise ArchiveError("disk full")
        if "odd" in path:
            raise RuntimeError("a driver's own error")
        self.written.append((path, data))


def pictured(large: str, small: str = "", plate: str = ""):
    return replace(event("a"), large_picture=large, small_picture=small, plate_picture=plate)


@pytest.fixture
def gate():
    return Gate()


def test_writing_never_waits_and_settling_waits_for_its_own_pictures(gate: Gate) -> None:
    told: list[ArchiveError] = []
    pictures = WriteBehind(gate, told.append)
    pictures.start()
    for name in ("1.jpg", "bad.jpg", "odd.jpg", "2.jpg"):
        pictures.write(name, name.encode())
    assert pictures.settled([STATUS]) == [STATUS], "a fact without pictures"
    threading.Timer(0.1, gate.open.set).start()
    settled = pictures.settled([pictured("1.jpg", "bad.jpg", "odd.jpg"), pictured("2.jpg")])
    assert [(e.large_picture, e.small_picture, e.plate_picture) for e in settled] == [("1.jpg", "", ""), ("2.jpg", "", "")]
    assert [path for path, _ in gate.written] == ["1.jpg", "2.jpg"]
    assert (pictures.failed, len(told)) == (2, 2)
    pictures.close(5.0)


def test_an_archive_that_hangs_holds_a_fact_up_for_a_bounded_time(gate: Gate) -> None:
    pictures = WriteBehind(gate, patience_s=0.1)
    pictures.start()
    pictures.write("1.jpg", b"x")
    begin = time.monotonic()
    assert pictures.settled([pictured("1.jpg")])[0].large_picture == ""
    assert time.monotonic() - begin < 10
    gate.open.set()
    pictures.close(5.0)


def test_what_waits_is_bounded(gate: Gate) -> None:
    pictures = WriteBehind(gate, max_bytes=100)
    pictures.start()
    for i in range(10):
        pictures.write(f"{i}.jpg", b"x" * 10)
    with pytest.raises(ArchiveError, match="too slow"):
        pictures.write("more.jpg", b"x")
    gate.open.set()
    pictures.close(5.0)
    assert len(gate.written) == 10
    pictures.write("after.jpg", b"x" * 100)


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path)
    pictures = WriteBehind(archive)
    pictures.start()
    for i in range(50):
        pictures.write(f"image/{i}.jpg", bytes([i]))
    pictures.close(20.0)
    assert [archive.read(f"image/{i}.jpg") for i in range(50)] == [bytes([i]) for i in range(50)]
