"""The database: SQLite (one file, WAL) by default, PostgreSQL by URL; versioned migrations."""

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlmodel import Session, create_engine

from actors.errors import StoreUnavailableError

_BUSY_TIMEOUT_S = 15.0
_MIGRATION_WAIT_S = 60.0
_MIGRATION_LOCK = 0x57617973696465  # PostgreSQL advisory lock: "Wayside"
# Of our sessions, at the server (PostgreSQL 9.6 and newer).
_SERVER_LIMITS = (
    "-c idle_in_transaction_session_timeout=30000 "
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)
_OURS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)  # a statement of ours is wrong, not the database


class Database:
    """Engine and sessions of one database. Made where it is used; holds no connection until asked.

    ``busy_timeout_s``: how long a statement waits for another process's write (SQLite) or for a free connection.
    """

    def __init__(self, url: str, *, busy_timeout_s: float = _BUSY_TIMEOUT_S) -> None:
        self.url = url
        self.engine = _engine(url, busy_timeout_s)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session; commits are the caller's.

        Raises:
            StoreUnavailableError: the database is gone, locked, broken or full, or every connection is taken.
        """
        try:
            with Session(self.engine, expire_on_commit=False) as session:
                yield session
        except (DBAPIError, DisconnectionError, PoolTimeoutError) as error:
            if isinstance(error, _OURS):
                raise
            raise StoreUnavailableError(f"database does not answer: {_told(error)}") from error

    def write_trouble(self, patience_s: float = 2.0) -> str:
        """Why nothing can be written now, "" when it can: what holds a SQLite file lets readers through and stops writers.

        Only SQLite is asked; another server says so when it is written to.
        """
        file = self.engine.url.database
        if self.engine.dialect.name != "sqlite" or not file or file == ":memory:":
            return ""
        try:
            address = f"{Path(file).absolute().as_uri()}?mode=rw"
            with closing(sqlite3.connect(address, timeout=patience_s, isolation_level=None, uri=True)) as asking:
                asking.execute("BEGIN IMMEDIATE")
                asking.execute("ROLLBACK")
        except sqlite3.Error as error:
            return str(error)
        return ""

    def migrate(self, wait_s: float = _MIGRATION_WAIT_S) -> None:
        """Bring the tables to the newest version. Processes that do this at once take turns; the second finds it done.

        Raises:
            StoreUnavailableError: the database does not answer, or another process holds the turn for ``wait_s``.
        """
        from alembic import command
        from alembic.config import Config

        _make_folder(self.url)
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["engine"] = self.engine
        try:
            with _turn(self.engine, time.monotonic() + wait_s):
                command.upgrade(config, "heads")
        except SQLAlchemyError as error:
            raise StoreUnavailableError(f"tables cannot be brought up to date: {_told(error)}") from error


def _told(error: SQLAlchemyError) -> str:
    """The driver's own words: SQLAlchemy's hold the statement and its values."""
    return str(error.orig if isinstance(error, DBAPIError) else error).strip()[:300]


@contextmanager
def _turn(engine: Engine, until: float) -> Iterator[None]:
    """Only one process at a time is inside, over all processes that use this database."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            _wait(lambda: bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})), until)
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
        return
    file = engine.url.database
    if not file or file == ":memory:":
        yield
        return
    with Path(f"{file}.migrate").open("a") as lock:  # the lock ends with the process, however it ends
        _wait(lambda: _try_lock(lock.fileno()), until)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(taken: Any, until: float) -> None:
    while not taken():
        if time.monotonic() >= until:
            raise StoreUnavailableError("another process is changing the tables and does not finish")
        time.sleep(0.1)


def _make_folder(url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)


def _network_limits(url: str) -> dict[str, Any]:
    """A machine that vanished without a word holds neither us (a call that waits for ever) nor, by its open transaction, the
    rows that its successor needs. What the URL says itself is left alone. Only PostgreSQL has such limits here."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        return {}
    ours: dict[str, Any] = {"connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
    ours |= {"tcp_user_timeout": 20_000, "options": _SERVER_LIMITS}
    return {name: value for name, value in ours.items() if name not in parsed.query}


@lru_cache(maxsize=8)
def _engine(url: str, busy_timeout_s: float) -> Engine:
    """One engine (and pool) per process and URL."""
    if make_url(url).get_backend_name() != "sqlite":
        options: dict[str, Any] = {"pool_pre_ping": True, "pool_timeout": busy_timeout_s, "hide_parameters": True}
        return create_engine(url, connect_args=_network_limits(url), **options)
    arguments = {"check_same_thread": False, "timeout": busy_timeout_s}
    engine = create_engine(url, connect_args=arguments, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        # WAL: readers and one writer at a time do not block each other. FULL: a commit acknowledged to a camera must
        # survive a power cut, not only a killed process.
        cursor = connection.cursor()
        timeout = f"busy_timeout={round(busy_timeout_s * 1000)}"
        for pragma in (timeout, "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
