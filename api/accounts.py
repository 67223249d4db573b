"""Accounts: the first administrator, adding users, passwords."""

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from api.database import Database
from api.security import Passwords, write_private
from api.tables import User

ADMIN = "admin"
MIN_PASSWORD = 8


class AccountError(Exception):
    """An account cannot be made or changed; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstLogin:
    """The login made at first start, to be shown once. ``file`` holds it, readable by the owner only."""

    name: str
    password: str
    file: Path


def ensure_admin(database: Database, data_dir: Path, password: str, passwords: Passwords) -> FirstLogin | None:
    """Make the administrator when there is no account yet.

    Args:
        password: the wanted password; "" makes one, stores it in ``data_dir/admin-password`` and returns it.
    """
    with database.session() as session:
        if session.exec(select(User)).first() is not None:
            return None
    path = data_dir / "admin-password"
    if password:
        made = password
    else:  # kept before the account is made: a crash in between must not lock everybody out
        write_private(path, secrets.token_urlsafe(12) + "\n")
        made = path.read_text().strip()
    try:
        add_user(database, ADMIN, made, passwords)
    except AccountError:
        return None  # another process was first, with the same file
    return None if password else FirstLogin(name=ADMIN, password=made, file=path)


def add_user(database: Database, name: str, password: str, passwords: Passwords, role: str = "admin") -> int:
    """Add an account; returns its id. Raises AccountError."""
    _check(name, password)
    row = User(name=name, password_hash=passwords.hash(password), role=role, created_at=time.time())
    with database.session() as session:
        session.add(row)
        try:
            session.commit()
        except IntegrityError as error:
            raise AccountError(f"user {name!r} exists already") from error
        return row.id or 0


def set_password(database: Database, name: str, password: str, passwords: Passwords) -> None:
    """Change a password; tokens given before end. Raises AccountError."""
    _check(name, password)
    with database.session() as session:
        row = session.exec(select(User).where(col(User.name) == name)).first()
        if row is None:
            raise AccountError(f"no user {name!r}")
        row.password_hash = passwords.hash(password)
        row.token_version += 1
        session.add(row)
        session.commit()


def _check(name: str, password: str) -> None:
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise AccountError("a user name has 1 to 64 printable characters")
    if not MIN_PASSWORD <= len(password) <= 256:
        raise AccountError(f"a password has {MIN_PASSWORD} to 256 characters")
