"""Accounts that may sign in."""

from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    """One account. ``token_version`` rises when the password changes, which ends every token given before."""

    __tablename__ = "user_account"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True, unique=True, max_length=64)
    password_hash: str
    role: str = "admin"
    pid: int = 0
    disabled: bool = False
    token_version: int = 0
    created_at: float = 0.0
