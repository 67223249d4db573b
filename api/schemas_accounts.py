"""Requests and answers about accounts, sign-in and the log of changes."""

from typing import Any, Literal

from pydantic import BaseModel, Field, StrictBool

from api.schemas import Id, Plain, Request

Role = Literal["admin", "operator", "readonly"]
_ROLES = "角色 admin 管理员 operator 操作员 readonly 只读 / role: admin, operator or readonly"


def _password(chinese: str, english: str, least: int = 8) -> Any:
    return Field(description=f"{chinese} / {english}", examples=["correct horse"], min_length=least, max_length=256)


class LoginRequest(Request):
    """1.6 登录 / sign in"""

    username: Plain = Field(description="用户名 / user name", examples=["admin"], min_length=1, max_length=64)
    password: Plain = Field(description="密码 / password", examples=["123456"], min_length=1, max_length=256)


class LoginData(BaseModel):
    """Answer to a sign-in."""

    id: int = Field(description="账号 id / id of the account", examples=[3])
    name: str = Field(description="登录名 / user name", examples=["admin"])
    pid: int = Field(description="父级 id / parent id", examples=[0])
    token: str = Field(description="访问令牌 / access token", examples=["eyJhbGciOiJIUzI1NiIs…"])


class PasswordRequest(Request):
    """A change of one's own password."""

    oldPassword: Plain = _password("原密码", "present password", 1)
    newPassword: Plain = _password("新密码, 8 至 256 个字符", "new password, 8 to 256 characters")


class AccountAdd(Request):
    """A new account."""

    username: Plain = Field(description="用户名, 唯一 / user name, unique", examples=["operator1"], min_length=1, max_length=64)
    password: Plain = _password("密码, 8 至 256 个字符", "password, 8 to 256 characters")
    role: Role = Field("operator", description=_ROLES, examples=["operator"])


class AccountEdit(Request):
    """What an account may do; with a password also its new password, which ends its tokens."""

    id: Id
    role: Role = Field(description=_ROLES, examples=["readonly"])
    disabled: StrictBool = Field(False, description="是否停用 / may not sign in", examples=[False])
    password: Plain | None = Field(
        None,
        description="新密码, 空为不变 / new password, null keeps it",
        min_length=8,
        max_length=256,
        examples=["battery staple"],
    )


class AccountData(BaseModel):
    """An account."""

    id: int = Field(description="账号 id / id of the account", examples=[3])
    username: str = Field(description="用户名 / user name", examples=["operator1"])
    role: str = Field(description=_ROLES, examples=["operator"])
    disabled: bool = Field(description="是否停用 / may not sign in", examples=[False])


class AuditData(BaseModel):
    """One entry of the log of changes."""

    id: int = Field(description="记录 id / id of the entry", examples=[1])
    time: str = Field(description="时间 yyyy-MM-dd HH:mm:ss / time", examples=["2019-03-04 08:00:00"])
    username: str = Field(description="操作人, wayside 为命令行 / who; wayside is the command line", examples=["admin"])
    address: str = Field(description="来源地址 / from which address", examples=["192.168.0.20"])
    action: str = Field(description="操作, 如 task.edit / what was done", examples=["task.edit"])
    target: str = Field(description="对象 / the record", examples=["100"])
    changes: dict[str, list[Any]] = Field(
        description="变更的字段 [旧值, 新值], 不含密码 / changed fields as [old, new], without secrets",
        examples=[{"enabled": [True, False]}],
    )
