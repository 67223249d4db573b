"""What is done about a SQLite file that is damaged: a copy of the configuration is kept beside it and put back.

Accounts, receivers, tasks and ended tokens are copied every few minutes into one small file. A damaged database is never
deleted: it is moved aside. What it held besides (deliveries not sent yet, history) is lost to this installation; the file
remains for whoever wants to dig in it. PostgreSQL has its own means.
"""

import contextlib
import logging
import os
import sqlite3
import time
from pathlib import Path

from sqlalchemy.engine import make_url

from actors.errors import StoreUnavailableError
from api.database import Database

logger = logging.getLogger(__name__)
KEPT_TABLES = ("user_account", "revoked_token", "push_interface", "camera_task")
NOTICE_DAYS = 7.0
_QUICK_BYTES = 512 * 1024**2  # a file up to this size is checked whole in a few seconds
_DAMAGED = ("malformed", "not a database", "database corruption")


def database_file(url: str) -> Path | None:
    """The file of a SQLite URL; None for another database or one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def copy_path(file: Path) -> Path:
    """Where the copy of the configuration stands."""
    return file.with_name(f"{file.stem}-config{file.suffix}")


def keep_copy(url: str) -> None:
    """Copy the configuration; appears whole or not at all.

    Raises:
        StoreUnavailableError: it cannot be read or written (locked, damaged, disk full); an older copy stays.
    """
    file = database_file(url)
    if file is None or not file.exists():
        return
    target = copy_path(file)
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)  # it will hold passwords of cameras and signing secrets
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as source:
            source.execute("ATTACH DATABASE ? AS copy", (str(partial),))
            known = {name for (name,) in source.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")}
            for table in KEPT_TABLES:
                if table in known:
                    source.execute(f"CREATE TABLE copy.{table} AS SELECT * FROM main.{table}")
            source.commit()
        partial.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailableError(f"configuration not copied: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def damage(file: Path) -> str:
    """ "" when the file can be read (or is not there), otherwise SQLite's word for what is wrong.

    A file that is merely locked or cannot be opened is not damaged.
    """
    if not file.exists() or file.stat().st_size == 0:
        return ""
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=5)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if file.stat().st_size <= _QUICK_BYTES:
                (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                return "" if told == "ok" else str(told)
            for table in KEPT_TABLES:
                with contextlib.suppress(sqlite3.OperationalError):  # a table that is made by a later migration
                    connection.execute(f"SELECT * FROM {table}").fetchall()
    except sqlite3.DatabaseError as error:
        told = str(error)
        return told if any(word in told.lower() for word in _DAMAGED) else ""
    return ""


def rescue(url: str) -> str:
    """Put a damaged database aside and begin a new one with the copied configuration; no process may be using it.

    Returns:
        "" when nothing is damaged, otherwise one line that says what was done.

    Raises:
        StoreUnavailableError: it is damaged and there is no copy. The message says what the operator can do.
    """
    file = database_file(url)
    wrong = damage(file) if file is not None else ""
    if file is None or not wrong:
        return ""
    copy = copy_path(file)
    if not copy.exists() or damage(copy):
        raise StoreUnavailableError(
            f"数据库文件已损坏, 且没有配置副本 / the database {file} is damaged ({wrong}) and there is no copy of the "
            "configuration; put a backup in its place, or move it away to begin anew"
        )
    aside = file.with_name(f"{file.name}.damaged-{time.strftime('%Y%m%d%H%M%S')}")
    for suffix in ("-wal", "-shm", ""):  # the file itself last: a rescue that is cut off begins again
        part = file.with_name(file.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    Database(url).engine.dispose()
    Database(url).migrate()
    rows = _put_back(file, copy)
    told = f"数据库损坏, 已由副本恢复配置 {rows} 条, 原文件 {aside.name} / "
    told += f"the database was damaged ({wrong}), {rows} records of the configuration were put back"
    logger.error("%s file=%s", told, aside)
    _notice(file).write_text(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {told}", encoding="utf-8")
    return told


def notice(url: str) -> str:
    """What ``rescue`` did within the last days, for operators; "" for nothing."""
    file = database_file(url)
    if file is None:
        return ""
    path = _notice(file)
    try:
        return path.read_text(encoding="utf-8") if time.time() - path.stat().st_mtime < NOTICE_DAYS * 86_400 else ""
    except OSError:
        return ""


def _notice(file: Path) -> Path:
    return file.with_name(f"{file.stem}-restored.txt")


def _put_back(file: Path, copy: Path) -> int:
    """Rows copied, column by column of those both know."""
    rows = 0
    with contextlib.closing(sqlite3.connect(file)) as target:
        target.execute("ATTACH DATABASE ? AS copy", (str(copy),))
        for table in KEPT_TABLES:
            columns = [name for name in _columns(target, "copy", table) if name in _columns(target, "main", table)]
            if columns:
                names = ", ".join(f'"{name}"' for name in columns)
                rows += target.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM copy.{table}").rowcount
        target.commit()
    return rows


def _columns(connection: sqlite3.Connection, schema: str, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA {schema}.table_info({table})")]
