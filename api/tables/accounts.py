"""Accounts that may sign in, tokens that were ended early, and the log of who changed what."""

from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    """One account. ``role``: admin, operator or readonly. ``token_version`` rises when the password changes, which ends
    every token given before."""

    __tablename__ = "user_account"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True, unique=True, max_length=64)
    password_hash: str
    role: str = "admin"
    pid: int = 0
    disabled: bool = False
    token_version: int = 0
    created_at: float = 0.0


class RevokedToken(SQLModel, table=True):
    """A token that was signed out before it expired; kept until it would have expired anyway."""

    __tablename__ = "revoked_token"

    token_id: str = Field(primary_key=True, max_length=64)
    expires_at: float = Field(index=True)


class AuditEntry(SQLModel, table=True):
    """One change: who (``user_id`` 0 for the command line), from where, what (``task.edit``), on which record, and the
    changed fields as JSON without secrets."""

    __tablename__ = "audit_entry"

    id: int | None = Field(default=None, primary_key=True)
    at: float
    user_id: int
    user_name: str = Field(max_length=64)
    address: str = Field(default="", max_length=64)
    action: str = Field(max_length=64)
    target: str = Field(default="", max_length=200)
    detail: str = ""
