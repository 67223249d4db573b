"""Mistakes of a user are one clear line on the terminal, whatever is in it, and no traceback."""

import sys
from pathlib import Path

import pytest

from cluster.cli import main


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints to standard error before it ends with a status other than 0."""
    monkeypatch.setenv("COLUMNS", "40")  # a narrow terminal breaks no line either
    monkeypatch.setattr(sys, "argv", ["wayside", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code not in (0, None)
    return capsys.readouterr().err.strip()


def test_a_scene_that_is_no_text_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "scene.json"
    file.write_bytes(b"\xff\xfe\x00")
    line = told(monkeypatch, capsys, "scene", "check", str(file))
    assert line == f"error {file}: not a text in UTF-8 (byte 1)"


def test_a_name_in_brackets_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    line = told(monkeypatch, capsys, "scene", "check", str(tmp_path / "[/a].json"))
    assert "\n" not in line
    assert "[/a].json" in line


def test_a_wrong_setting_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WAYSIDE_TIME_ZONE", "Mars/Base")
    line = told(monkeypatch, capsys, "models", "list")
    assert "\n" not in line
    assert "time_zone" in line
    assert "Asia/Shanghai" in line
