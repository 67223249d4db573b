"""Media that is broken, odd or endless: a reason or pictures, never a crash, never a hang."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from broken_media import make_corpus
from decoding_servers import http_server

from actors.decoding import SourceOptions, StreamReader, open_source
from actors.errors import SourceError
from tests.conftest import ROOT

# What must come through although something is odd about it, and what cannot.
READ = {
    "good.mp4": 30, "whole.ts": 30, "mp4-inside.avi": 30, "no-extension": 30, "1x1.mkv": 10, "2x2.mp4": 10, "8k.mp4": 3,
    "wide.mkv": 5, "zero-rate.avi": 10,
}  # fmt: skip
REFUSED = [
    "empty.mp4", "text.mp4", "random.mp4", "sound.mp4", "concat.mp4", "reads-files.m3u8", "playlist.m3u8", "truncated-0.02.mp4",
    "giant-atom.mp4", "head-only.mp4",
]  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("broken")
    make_corpus(folder)
    here = Path(__file__).parent
    path = os.pathsep.join([str(ROOT), str(here), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(here / "broken_media.py"), str(folder)],
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path}, timeout=280,
    )  # fmt: skip
    told = {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, f"crashed after {list(told)[-1:]}: {done.stderr[-2000:]}"
    assert len(told) == len(list(folder.iterdir())) > 80
    return told


def test_no_file_crashes_the_process_or_hangs(results: dict[str, dict]) -> None:
    assert {name: line["stuck"] for name, line in results.items() if line["stuck"]} == {}


def test_every_file_gives_pictures_or_a_reason_in_both_languages(results: dict[str, dict]) -> None:
    silent = [name for name, line in results.items() if not line["frames"] and not line["reason"]]
    assert silent == []
    assert [line for line in results.values() if line["reason"] and "(" not in line["reason"]] == []
    assert [line for line in results.values() if "internal error" in line["reason"]] == []


@pytest.mark.parametrize("name", READ)
def test_odd_but_whole_files_are_read(results: dict[str, dict], name: str) -> None:
    assert (results[name]["frames"], results[name]["reason"]) == (READ[name], "")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_video_is_refused(results: dict[str, dict], name: str) -> None:
    assert results[name]["frames"] == 0
    assert results[name]["reason"]


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/urandom", "/dev/null"])
def test_endless_devices_are_refused(name: str) -> None:
    with pytest.raises(SourceError):
        open_source(name)


def test_a_pipe_nobody_writes_to_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(SourceError):
        open_source(str(tmp_path / "pipe.mp4"))


def endless(chunk: bytes, pause_s: float = 0.0):
    def handle(request) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "video/mp4")
        request.end_headers()
        while True:
            request.wfile.write(chunk)
            time.sleep(pause_s)

    return handle


@pytest.mark.parametrize(("chunk", "pause_s"), [(bytes(65536), 0.0), (os.urandom(65536), 0.0), (b"\0", 0.2)])
def test_a_server_that_never_ends_is_left_in_time(chunk: bytes, pause_s: float) -> None:
    options = SourceOptions(open_timeout_s=1.0, stall_timeout_s=1.0)
    failed = threading.Event()

    def read() -> None:
        with pytest.raises(SourceError):
            open_source(f"{url}/x.mp4", options)
        failed.set()

    with http_server({"/x.mp4": endless(chunk, pause_s)}) as url:
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        assert failed.wait(30), "the attempt to open hangs"
        with StreamReader(f"{url}/x.mp4", options) as reader:
            reader.latest(0.2)
        assert reader.close(5)
