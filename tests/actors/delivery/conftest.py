"""Databases for the outbox: SQLite always, PostgreSQL where its programs are installed."""

from pathlib import Path

import pytest

from api.database import Database


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A fresh SQLite outbox."""
    address = f"sqlite:///{tmp_path}/outbox.sqlite3"
    Database(address).migrate()
    return address
