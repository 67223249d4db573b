"""A SQLite file that is damaged: put aside, never deleted; accounts, receivers and tasks come back from their copy."""

import sqlite3
from pathlib import Path

import pytest
from sqlmodel import select

from actors.errors import StoreUnavailableError
from api.accounts import add_user
from api.database import Database
from api.rescue import copy_path, damage, keep_copy, notice, rescue
from api.security import Passwords
from api.tables import Interface, Task, User


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "wayside.sqlite3"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    add_user(database, "admin", "correct horse", Passwords(memory_kib=64))
    with database.session() as session:
        for n in range(200):  # enough pages that damage in the middle hits something
            session.add(Task(task_num=str(n), task_name="t" * 200, src_address="rtsp://u:p@h/x", scene='{"version": 1}'))
        session.add(Interface(name="r", business_type=21, trigger_condition=2, url="http://h/x", secret="whsec_x"))
        session.commit()
    database.engine.dispose()
    return path


def url(file: Path) -> str:
    return f"sqlite:///{file}"


def break_in_the_middle(file: Path) -> None:
    with contextlib_closing(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(file.read_bytes())
    data[4096 * 5 : 4096 * 12] = b"\xa5" * (4096 * 7)
    file.write_bytes(data)


def contextlib_closing(file: Path):
    import contextlib

    return contextlib.closing(sqlite3.connect(file))


def break_the_head(file: Path) -> None:
    with contextlib_closing(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with file.open("r+b") as opened:
        opened.write(b"this is no database any more ....")


@pytest.mark.parametrize("destroy", [break_in_the_middle, break_the_head])
def test_the_configuration_comes_back_and_the_damaged_file_is_kept(file: Path, destroy) -> None:
    keep_copy(url(file))
    destroy(file)
    assert damage(file)
    told = rescue(url(file))
    assert "202 records" in told
    assert notice(url(file)).endswith(told)
    with Database(url(file)).session() as session:
        assert len(session.exec(select(Task)).all()) == 200
        assert session.exec(select(User)).one().name == "admin"
        assert session.exec(select(Interface)).one().secret == "whsec_x"
        session.add(Task(task_num="new", task_name="t", src_address="x"))
        session.commit()
    assert len(list(file.parent.glob("wayside.sqlite3.damaged-*"))) >= 1
    assert rescue(url(file)) == "", "once is enough"


def test_without_a_copy_nothing_is_touched_and_the_operator_is_told(file: Path) -> None:
    break_the_head(file)
    before = file.read_bytes()
    with pytest.raises(StoreUnavailableError, match="no copy of the configuration"):
        rescue(url(file))
    assert file.read_bytes() == before


def test_a_copy_is_whole_private_and_no_older_than_asked(file: Path) -> None:
    keep_copy(url(file))
    copy = copy_path(file)
    assert copy.stat().st_mode & 0o777 == 0o600, "it holds camera passwords and signing secrets"
    with Database(url(file)).session() as session:
        session.add(Task(task_num="new", task_name="t", src_address="x"))
        session.commit()
    keep_copy(url(file))
    with contextlib_closing(copy) as connection:
        assert connection.execute("SELECT count(*) FROM camera_task").fetchone() == (201,)
    assert list(file.parent.glob("*.part")) == []


def test_a_damaged_database_does_not_overwrite_a_good_copy(file: Path) -> None:
    keep_copy(url(file))
    good = copy_path(file).read_bytes()
    break_the_head(file)
    with pytest.raises(StoreUnavailableError):
        keep_copy(url(file))
    assert copy_path(file).read_bytes() == good


def test_a_locked_an_empty_and_a_missing_database_are_not_damaged(file: Path, tmp_path: Path) -> None:
    assert damage(tmp_path / "none.sqlite3") == ""
    (tmp_path / "empty.sqlite3").touch()
    assert damage(tmp_path / "empty.sqlite3") == ""
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    assert damage(file) == ""
    holder.close()
    assert rescue("postgresql://h/x") == ""


def test_the_program_says_in_one_line_what_is_wrong(file: Path, capsys: pytest.CaptureFixture, monkeypatch) -> None:
    from cluster.cli import main

    break_the_head(file)
    monkeypatch.setattr("sys.argv", ["wayside", "repair", "--data-dir", str(file.parent)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "is damaged" in capsys.readouterr().err.replace("\n", " ")
