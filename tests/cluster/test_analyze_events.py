"""``wayside analyze`` with events: a line each, pictures and clips in the archive, a table at the end."""

import json
import sys
from pathlib import Path

import pytest

from actors.archive import FolderArchive
from actors.evidence.config import EvidenceConfig
from api.wire.validate import validate_body
from cluster.analyze import AnalyzeOptions, Summary, analyze
from tests.actors.evidence.test_camera_events import START, Blind, Scripted, numbers

sys.path.insert(0, str(Path(__file__).parents[1] / "actors" / "decoding"))
from decoding_clips import write_clip


def run(tmp_path: Path, archive: FolderArchive | None, **options: object) -> tuple[list[dict], Summary]:
    clip = write_clip(tmp_path / "a.mp4", 100, gop=10)
    lines: list[str] = []
    settings = AnalyzeOptions(
        video=str(clip), scene=None, time_zone="Asia/Shanghai", start_time_s=START, archive=archive,
        evidence=EvidenceConfig(before_s=1.0, after_s=1.0), **options,
    )  # fmt: skip
    summary = analyze(settings, Blind(), lines.append)
    return [json.loads(line) for line in lines], summary


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    class Mine(Scripted):
        frames = (50, 95)

    monkeypatch.setattr("actors.pipeline.EventAnalyzer", Mine)
    return Mine


def test_every_event_is_a_valid_line_with_its_clip_and_a_row_of_the_table(tmp_path: Path, scripted) -> None:
    archive = FolderArchive(tmp_path / "archive")
    lines, summary = run(tmp_path, archive)
    bodies = [line["body"] for line in lines if line["kind"] == "event"]
    assert [validate_body("event", body) for body in bodies] == [[], []]
    for body, moment in zip(bodies, (50, 95), strict=True):
        assert archive.read(body["recordLargePath"])
        assert moment in numbers(archive, body["videoPath"].removeprefix("/"))
    first, second = sorted(summary.events.values(), key=lambda event: event.raised_s)
    assert (first.raised_s, second.raised_s) == (pytest.approx(2.0), pytest.approx(3.8))
    assert first.closed_s is not None
    assert all(event.clip for event in (first, second))


def test_without_an_archive_there_are_no_paths(tmp_path: Path, scripted) -> None:
    lines, summary = run(tmp_path, None)
    assert [(line["body"]["videoPath"], line["body"]["recordLargePath"]) for line in lines] == [("", "")] * 2
    assert len(summary.events) == 2


def test_breaking_off_early_loses_no_event(tmp_path: Path, scripted) -> None:
    archive = FolderArchive(tmp_path / "archive")
    lines, _ = run(tmp_path, archive, max_frames=60)
    (body,) = [line["body"] for line in lines if line["kind"] == "event"]
    assert 50 in numbers(archive, body["videoPath"].removeprefix("/"))


def test_the_command_prints_the_table(tmp_path: Path, scripted, capsys: pytest.CaptureFixture[str]) -> None:
    from cluster.cli_analyze import _print_events

    _, summary = run(tmp_path, FolderArchive(tmp_path / "archive"))
    _print_events(summary)
    printed = capsys.readouterr().out
    assert "1002" in printed
    _print_events(Summary())
    assert "no event" in capsys.readouterr().out
