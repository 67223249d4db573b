"""The database: SQLite (one file, WAL) by default, PostgreSQL by URL; versioned migrations."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session, create_engine

from actors.errors import StoreUnavailableError

_BUSY_TIMEOUT_MS = 15_000
_MIGRATE_TRIES = 5


class Database:
    """Engine and sessions of one database. Made where it is used; holds no connection until asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session; commits are the caller's. Raises StoreUnavailableError when the database does not answer."""
        try:
            with Session(self.engine, expire_on_commit=False) as session:
                yield session
        except OperationalError as error:
            raise StoreUnavailableError(f"database does not answer: {error.orig}") from error

    def migrate(self) -> None:
        """Bring the tables to the newest version. Two processes may do this at once; the second finds it done."""
        from alembic import command
        from alembic.config import Config

        _make_folder(self.url)
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["engine"] = self.engine
        for attempt in range(_MIGRATE_TRIES):
            try:
                command.upgrade(config, "head")
                return
            except DBAPIError as error:
                if attempt == _MIGRATE_TRIES - 1:
                    raise StoreUnavailableError(f"tables cannot be brought up to date: {error.orig}") from error
                time.sleep(0.5 * (attempt + 1))  # somebody else is migrating


def _make_folder(url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)


@lru_cache(maxsize=8)
def _engine(url: str) -> Engine:
    """One engine (and pool) per process and URL."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        # WAL: readers and one writer at a time do not block each other. FULL: a commit acknowledged to a camera must
        # survive a power cut, not only a killed process.
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_TIMEOUT_MS}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
