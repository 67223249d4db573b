"""Fencing tokens in the database: the newest process under a name may act, an older one is refused whatever it believes.

Ray declares a machine dead that it does not hear from and starts its actors elsewhere, while the machine may live on and
still reach the database. So every start takes a token, one higher than the last under its name, and every write of an actor
is checked in its own transaction (technique: M. Kleppmann, "How to do distributed locking", 2016).
"""

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import select, text
from sqlmodel import Session, col

from actors.errors import SupersededError
from actors.ports import TaskRef, camera_name
from api.database import Database
from api.tables import FenceRow

# One statement, so that two who take at once get two tokens; SQLite (3.35) and PostgreSQL share it.
_TAKE = text(
    "INSERT INTO fence (name, token) VALUES (:name, 1) ON CONFLICT (name) DO UPDATE SET token = fence.token + 1 RETURNING token"
)


def take(session: Session, names: Iterable[str]) -> dict[str, int]:
    """New tokens by name; they hold from the commit, which is the caller's."""
    return {name: int(session.execute(_TAKE, {"name": name}).scalar_one()) for name in sorted(names)}


def newest(session: Session, names: Collection[str]) -> Mapping[str, int]:
    """The newest tokens of those names that ever had one."""
    rows = session.scalars(select(FenceRow).where(col(FenceRow.name).in_(names))).all()
    return {row.name: row.token for row in rows}


def check_cameras(session: Session, tasks: Iterable[TaskRef]) -> None:
    """Facts of a camera's earlier life are refused; those without a life (0) are not asked. Raises SupersededError."""
    lives: dict[str, int] = {}
    for task in tasks:
        if task.life:
            name = camera_name(task.task_num)
            lives[name] = min(task.life, lives.get(name, task.life))
    if lives:
        for name, token in newest(session, lives.keys()).items():
            if lives[name] < token:
                raise SupersededError(name)


class Office:
    """Sessions of an actor that there may be one of. Takes its token with the first of them; every other one checks it.

    ``name`` "": no office, nothing is taken or checked. Safe for several threads.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url, self.name = url, name
        self._token = 0
        self._taking = threading.Lock()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """See Database.session. Raises SupersededError besides: another process has taken the office over."""
        with Database(self._url).session() as session:
            if self.name:
                self._check(session)
            yield session

    def _check(self, session: Session) -> None:
        if not self._token:
            with self._taking:
                if not self._token:
                    token = take(session, [self.name])[self.name]
                    session.commit()
                    self._token = token
                    return
        if newest(session, [self.name]).get(self.name) != self._token:
            raise SupersededError(self.name)

    def __reduce__(self) -> tuple[type["Office"], tuple[str, str]]:
        return type(self), (self._url, self.name)  # whoever receives it takes a token of its own
