"""Databases for the outbox: SQLite always, PostgreSQL where its programs are installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from api.database import Database
from tests.actors.delivery.postgres import server_url


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A fresh SQLite outbox."""
    address = f"sqlite:///{tmp_path}/outbox.sqlite3"
    Database(address).migrate()
    return address


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with server_url() as url:
        yield url


@pytest.fixture
def postgres(postgres_url: str) -> str:
    """An empty outbox on PostgreSQL."""
    database = Database(postgres_url)
    database.migrate()
    tables = (
        "delivery, delivery_attempt, held_fact, task_status, receiver_state, push_interface, camera_task, "
        "traffic_event, vehicle_passage, fence, composed_fact"
    )
    with database.session() as session:
        session.execute(text(f"TRUNCATE TABLE {tables} RESTART IDENTITY"))
        session.commit()
    return postgres_url


@pytest.fixture(params=["url", "postgres"], ids=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest) -> str:
    """An empty outbox on each kind of database."""
    return request.getfixturevalue(request.param)
