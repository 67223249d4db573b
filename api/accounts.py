"""Accounts: the first administrator, adding, changing and listing users, passwords. Every change is noted in the audit log."""

import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from api.audit import COMMAND_LINE, Actor, differences, note
from api.database import Database
from api.security import Passwords, write_private
from api.tables.accounts import User

ADMIN = "admin"
ROLES = ("admin", "operator", "readonly")
MIN_PASSWORD = 8
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class AccountError(Exception):
    """An account cannot be made or changed; the message says why, in English. ``field``: the request field at fault.

    ``taken``: not the value is wrong but the present state forbids it.
    """

    def __init__(self, field: str, chinese: str, english: str, *, taken: bool = False) -> None:
        self.field, self.chinese, self.english, self.taken = field, chinese, english, taken
        super().__init__(english)


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
    except AccountError as error:
        if not error.taken:
            raise
        return None  # another process was first, with the same file
    return None if password else FirstLogin(name=ADMIN, password=made, file=path)


def list_users(database: Database) -> Sequence[User]:
    """All accounts, by id."""
    with database.session() as session:
        return session.exec(select(User).order_by(col(User.id))).all()


def add_user(
    database: Database, name: str, password: str, passwords: Passwords, role: str = "admin", actor: Actor = COMMAND_LINE
) -> int:
    """Add an account; returns its id. Raises AccountError."""
    _check_name(name)
    _check_password(password)
    _check_role(role)
    # A random first version: databases give the id of a deleted account out again, and its tokens must not fit.
    version = secrets.randbelow(2**30)
    row = User(name=name, password_hash=passwords.hash(password), role=role, token_version=version, created_at=time.time())
    with database.session() as session:
        session.add(row)
        try:
            session.flush()
        except IntegrityError as error:
            raise AccountError("username", "用户名已存在", f"user {name!r} exists already", taken=True) from error
        note(session, actor, "account.add", name, {"role": [None, role]})
        session.commit()
        return row.id or 0


def set_password(database: Database, name: str, password: str, passwords: Passwords, actor: Actor = COMMAND_LINE) -> None:
    """Change a password; tokens given before end. Raises AccountError."""
    _check_password(password)
    hashed = passwords.hash(password)
    with database.session() as session:
        row = session.exec(select(User).where(col(User.name) == name)).first()
        if row is None:
            raise AccountError("username", "没有这个用户", f"no user {name!r}")
        row.password_hash = hashed
        row.token_version += 1
        session.add(row)
        note(session, actor, "account.password", name)
        session.commit()


def change_user(session: Session, row: User, role: str, disabled: bool, actor: Actor) -> None:
    """Change what an account may do; the caller commits. Raises AccountError for the last administrator."""
    _check_role(role)
    if role != "admin" or disabled:
        _keep_an_admin(session, row)
    before = row.model_dump()
    row.role, row.disabled = role, disabled
    session.add(row)
    note(session, actor, "account.edit", row.name, differences(before, row.model_dump()))


def delete_user(session: Session, row: User, actor: Actor) -> None:
    """Delete an account, which ends its tokens; the caller commits. Raises AccountError for the last administrator."""
    _keep_an_admin(session, row)
    session.delete(row)
    note(session, actor, "account.delete", row.name)


def _keep_an_admin(session: Session, row: User) -> None:
    others = select(func.count()).where(col(User.role) == "admin", ~col(User.disabled), col(User.id) != row.id)
    if row.role == "admin" and not row.disabled and not session.scalar(others):
        raise AccountError("role", "至少保留一个可用的管理员", "at least one enabled administrator must remain", taken=True)


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise AccountError("username", "须为 1 至 64 个可打印字符", "a user name has 1 to 64 printable characters")


def _check_password(password: str) -> None:
    if not MIN_PASSWORD <= len(password) <= 256 or _CONTROL.search(password):
        raise AccountError(
            "password",
            f"密码须为 {MIN_PASSWORD} 至 256 个字符, 不含控制字符",
            f"a password has {MIN_PASSWORD} to 256 characters and no control characters",
        )


def _check_role(role: str) -> None:
    if role not in ROLES:
        names = ", ".join(ROLES)
        raise AccountError("role", f"须为 {names} 之一", f"a role is one of {names}")
