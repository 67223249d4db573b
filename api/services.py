"""What the API works with; all Ray access is behind these protocols."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from actors.archive import ArchiveKeeper
from actors.outbound import OutboundPolicy
from actors.ports import Archive, CameraHealth
from api.database import Database
from api.links import LinkSigner
from api.security import LoginThrottle, Passwords, Tokens


class Control(Protocol):
    """The running system as the API sees it. No method raises; an actor that is away is caught up by its own polling."""

    def tasks_changed(self) -> None:
        """The task table changed."""

    def interfaces_changed(self) -> None:
        """The interface table changed."""

    def task_health(self) -> Mapping[str, CameraHealth]:
        """Health of running cameras by task number."""

    def snapshot(self, task_num: str) -> bytes | None:
        """Newest annotated picture as JPEG."""

    def component_health(self) -> Mapping[str, str]:
        """ "ok" or what is wrong, by component."""

    def notices(self) -> Sequence[str]:
        """What operators should know though nothing of ours is wrong: receivers that fail, deliveries that were dropped."""


@dataclass(frozen=True, kw_only=True)
class ApiServices:
    """Everything the routes use. ``archive_protected``: pictures and clips need a token or a link signed by ``links``."""

    database: Database
    control: Control
    archive: Archive
    passwords: Passwords
    tokens: Tokens
    throttle: LoginThrottle = field(default_factory=LoginThrottle)
    time_zone: str = "Asia/Shanghai"
    max_body_bytes: int = 4 * 1024 * 1024
    outbound: OutboundPolicy = field(default_factory=OutboundPolicy)
    cors_origins: tuple[str, ...] = ()
    archive_keeper: ArchiveKeeper | None = None
    archive_protected: bool = False
    links: LinkSigner = field(default_factory=lambda: LinkSigner(secrets.token_hex(32)))
