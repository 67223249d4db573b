"""The archive in a folder: whole files, bounded space, no way out of it, and a reason when it cannot be written."""

import errno
import os
import threading
from pathlib import Path

import pytest

from actors.archive import FolderArchive, clip_path, open_archive, picture_path, safe_name
from actors.errors import ArchiveError

PATH = "image/2026_11/24/1/vehicle_snapshot/small/1.jpg"


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_what_is_written_can_be_read_and_is_replaced_whole(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path)
    archive.write(PATH, b"first")
    archive.write(PATH, b"second")
    assert archive.read(PATH) == b"second"
    assert files(tmp_path) == [PATH]
    assert archive.read("image/none.jpg") is None
    assert archive.read("image") is None


def test_a_file_and_its_name_are_durable_before_write_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    FolderArchive(tmp_path).write("a/b/x.jpg", b"data")
    assert synced[:2] == [str(tmp_path), str(tmp_path / "a")], "the folders that had to be made"
    assert synced[2].endswith(".part"), "the data before its name"
    assert synced[3] == str(tmp_path / "a" / "b"), "the name"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_what_was_there_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    archive = FolderArchive(tmp_path)
    archive.write(PATH, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if call == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ArchiveError, match="No space left"):
        archive.write(PATH, b"new")
    assert "No space left" in archive.check()
    monkeypatch.undo()
    assert archive.read(PATH) == b"old"
    assert files(tmp_path) == [PATH]
    assert archive.check() == ""


def test_an_archive_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    archive = FolderArchive(tmp_path / "file")
    with pytest.raises(ArchiveError):
        archive.write(PATH, b"x")
    assert archive.check().startswith("图片存储不可写 / archive cannot be written")
    assert archive.read(PATH) is None


def test_two_writers_of_one_path_leave_one_whole_file(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path)
    contents = [bytes([65 + i]) * 50_000 for i in range(8)]
    threads = [threading.Thread(target=archive.write, args=(PATH, data)) for data in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert archive.read(PATH) in contents
    assert files(tmp_path) == [PATH]


def test_a_folder_that_prune_takes_away_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = FolderArchive(tmp_path)
    real, taken = Path.open, []

    def racing(path: Path, *arguments: object, **options: object):
        if not taken:
            taken.append(path)
            archive.prune(1e9, 10**9)
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", racing)
    archive.write(PATH, b"data")
    assert archive.read(PATH) == b"data"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../x", "a//b", "./a", "a\\b", "a\0b", "link/x"])
def test_no_path_leads_out_of_the_archive(tmp_path: Path, path: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "archive"
    root.mkdir()
    (root / "link").symlink_to(outside)
    archive = FolderArchive(root)
    with pytest.raises(ArchiveError):
        archive.write(path, b"x")
    with pytest.raises(ArchiveError):
        archive.read(path)
    assert files(outside) == []


def aged(archive: FolderArchive, path: str, age_s: float, now_s: float, size: int = 100) -> None:
    archive.write(path, b"x" * size)
    os.utime(archive.locate(path), (now_s - age_s, now_s - age_s))


def test_prune_deletes_by_age_then_the_oldest_by_size_and_empty_folders(tmp_path: Path) -> None:
    archive, now_s = FolderArchive(tmp_path), 1_800_000_000.0
    for i, age_s in enumerate((5000, 4000, 300, 200, 100)):
        aged(archive, f"image/d{i}/x.jpg", age_s, now_s)
    assert archive.prune(1000, 10_000, now_s) == 2
    assert files(tmp_path) == [f"image/d{i}/x.jpg" for i in (2, 3, 4)]
    assert sorted(path.name for path in (tmp_path / "image").iterdir()) == ["d2", "d3", "d4"]
    assert archive.prune(1000, 250, now_s) == 1
    assert files(tmp_path) == ["image/d3/x.jpg", "image/d4/x.jpg"]
    assert archive.prune(1000, 0, now_s) == 2
    assert list(tmp_path.iterdir()) == []


def test_prune_takes_what_a_killed_process_left_but_not_what_is_being_written(tmp_path: Path) -> None:
    archive, now_s = FolderArchive(tmp_path), 1_800_000_000.0
    for name, age_s in ((".old.part", 4000), (".new.part", 10), ("fine.jpg", 4000)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (now_s - age_s, now_s - age_s))
    assert archive.prune(1e9, 10**9, now_s) == 1
    assert files(tmp_path) == [".new.part", "fine.jpg"]


def test_names_of_tasks_stay_apart_and_fit_a_file_system() -> None:
    assert safe_name("任务_1-a") == "任务_1-a"
    names = [safe_name(text) for text in ("a/b", "a.b", "a-b", "", "..", "x" * 64, "x" * 65, "x" * 66)]
    assert len(set(names)) == len(names)
    assert all(0 < len(name) <= 64 and "/" not in name and "." not in name for name in names)
    longest = picture_path("任" * 64, "vehicle_snapshot", "small", 1_800_000_000.123, "Asia/Shanghai")
    assert max(len(part.encode()) for part in longest.split("/")) <= 255


def test_paths_are_the_protocols() -> None:
    at_s = 1_551_629_011.532  # 2019-03-04 00:03:31.532 in Shanghai
    assert picture_path("2", "lower_speed", "small", at_s, "Asia/Shanghai") == (
        "image/2019_03/04/2/lower_speed/small/2_lower_speed_small_20190304000331532.jpg"
    )
    assert (
        clip_path("2", "lower_speed", at_s, "Asia/Shanghai")
        == "video/2019_03/04/2/lower_speed/2_lower_speed_20190304000331532.mp4"
    )


def test_only_folders_and_known_stores_are_archives(tmp_path: Path) -> None:
    assert open_archive(f"file://{tmp_path}").root == tmp_path
    with pytest.raises(ArchiveError, match="use a folder or a URL"):
        open_archive("http://bucket")


def test_a_finished_file_is_adopted_whole_and_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = FolderArchive(tmp_path / "archive")
    with archive.scratch() as folder:
        file = folder / ".x.part"
        file.write_bytes(b"clip")
        archive.adopt("video/a/1.mp4", file)
    assert archive.read("video/a/1.mp4") == b"clip"
    assert files(archive.root) == ["video/a/1.mp4"]
    other = tmp_path / "elsewhere.mp4"
    other.write_bytes(b"from another disk")
    monkeypatch.setattr("actors.archive.folder._same_disk", lambda *_: False)
    archive.adopt("video/a/2.mp4", other)
    assert archive.read("video/a/2.mp4") == b"from another disk"
    assert files(archive.root) == ["video/a/1.mp4", "video/a/2.mp4"]


def test_a_disk_with_too_little_free_space_is_not_written_and_says_so(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path, min_free_bytes=10**18)
    with pytest.raises(ArchiveError, match="磁盘剩余空间不足"):
        archive.write(PATH, b"x")
    with pytest.raises(ArchiveError, match="磁盘剩余空间不足"), archive.scratch():
        pass
    assert "磁盘剩余空间不足" in archive.check()
    assert files(tmp_path) == []


def test_prune_frees_what_the_disk_lacks_oldest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, now_s = FolderArchive(tmp_path), 1_800_000_000.0
    for i in range(10):
        aged(archive, f"image/d{i % 3}/{i}.jpg", 100.0 * (10 - i), now_s)
    monkeypatch.setattr(FolderArchive, "_free_bytes", lambda _: 5_000)
    assert archive.prune(1e9, 10**9, now_s, min_free_bytes=5_350) == 4
    assert files(tmp_path) == sorted(f"image/d{i % 3}/{i}.jpg" for i in range(4, 10))
    assert archive.prune(1e9, 10**9, now_s, min_free_bytes=4_000) == 0
    usage = archive.usage()
    assert (usage.files, usage.size_bytes, usage.free_bytes) == (6, 600, 5_000)


def test_a_look_reads_only_folders_that_changed(tmp_path: Path) -> None:
    archive, now_s = FolderArchive(tmp_path), 1_800_000_000.0
    for i in range(60):
        aged(archive, f"image/d{i % 20}/{i}.jpg", 100.0, now_s)
    old_s = now_s - 50
    for folder in [tmp_path, *tmp_path.rglob("*/")]:
        os.utime(folder, (old_s, old_s))
    archive.prune(1e9, 10**9, now_s)
    first = archive._retention.folders_read
    assert first == 22
    archive.prune(1e9, 10**9, now_s)
    assert archive._retention.folders_read == first, "nothing changed, nothing is read"
    archive.write("image/d7/new.jpg", b"x" * 50)
    archive.prune(1e9, 10**9, now_s)
    assert archive._retention.folders_read == first + 1
    assert archive.usage().size_bytes == 6050


def test_the_bytes_stay_within_their_bound_while_files_come(tmp_path: Path) -> None:
    archive, now_s = FolderArchive(tmp_path), 1_800_000_000.0
    for i in range(200):
        aged(archive, f"image/d{i // 20}/{i}.jpg", 0.0, now_s + i)
        if i % 10 == 9:
            archive.prune(1e9, 3_000, now_s + i)
            assert archive.usage().size_bytes <= 3_000
    assert files(tmp_path) == sorted(f"image/d{i // 20}/{i}.jpg" for i in range(170, 200))
