"""Chores of the ingress, and what is checked before Wayside starts."""

import threading
from pathlib import Path

import pytest

from actors.errors import ArchiveError
from cluster.generation import generation
from cluster.housekeeping import Housekeeping
from cluster.settings import Settings
from cluster.up import http_options, ready_weights
from models.errors import WeightsDownloadError
from models.store import WeightsStore


def test_a_chore_that_fails_is_tried_again_and_holds_up_no_other() -> None:
    done, failed = threading.Event(), threading.Event()
    runs: list[str] = []

    def bad() -> None:
        runs.append("bad")
        if runs.count("bad") > 2:
            failed.set()
        raise ArchiveError("unwritable")

    chores = Housekeeping({"bad": (0.01, bad), "good": (0.01, done.set)}).start()
    assert done.wait(10)
    assert failed.wait(10)
    assert chores.alive
    chores.stop()
    assert not chores.alive


def test_code_and_settings_make_the_generation(tmp_path: Path) -> None:
    one = generation(Settings(data_dir=tmp_path))
    assert one == generation(Settings(data_dir=tmp_path))
    assert one != generation(Settings(data_dir=tmp_path, analysed_fps=3))


def test_damaged_weights_are_one_clear_line_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights_store: WeightsStore
) -> None:
    folder = tmp_path / "picodet-s"
    folder.mkdir()
    for path in (weights_store.root / "picodet-s").glob("model.*"):
        (folder / path.name).write_bytes(path.read_bytes()[:-100])

    def offline(*_: object) -> None:
        raise WeightsDownloadError("no network")

    monkeypatch.setattr("models.store._download_wheel", offline)
    with pytest.raises(WeightsDownloadError, match=r"are damaged.*fetching them failed: no network"):
        ready_weights(Settings(models_dir=tmp_path))
    ready_weights(Settings(models_dir=weights_store.root))


def test_tls_options_reach_serve() -> None:
    options = http_options(Settings(tls_certificate="/c.pem", tls_key="/k.pem"))
    assert (options["ssl_certfile"], options["ssl_keyfile"]) == ("/c.pem", "/k.pem")
    assert "ssl_certfile" not in http_options(Settings())
