"""What the API works with; all Ray access is behind these protocols."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from actors.archive import ArchiveKeeper
from actors.decoding import ProbeResult, SourceOptions
from actors.outbound import OutboundPolicy
from actors.ports import Archive, CameraHealth
from actors.viewing import CameraView
from api.database import Database
from api.links import LinkSigner
from api.security import LoginThrottle, Passwords, Tokens


class Control(Protocol):
    """The running system as the API sees it. No method but ``probe`` raises; an actor that is away is caught up by its own
    polling."""

    def tasks_changed(self) -> None:
        """The task table changed."""

    def interfaces_changed(self) -> None:
        """The interface table changed."""

    def task_health(self, task_nums: Collection[str] | None = None) -> Mapping[str, CameraHealth]:
        """Health of running cameras by task number; of these tasks only, None: of all."""

    def snapshot(self, task_num: str) -> bytes | None:
        """Newest annotated picture as JPEG."""

    def view(self, task_num: str, max_width: int, drawn: bool, after: int = -1) -> CameraView | None:
        """Newest analysed frame with what was found in it; None: none yet, or still number ``after``."""

    def probe(self, address: str, options: SourceOptions) -> ProbeResult:
        """First picture of a source. The one method that raises: SourceError with the reason."""

    def machines(self) -> Sequence[Mapping[str, Any]]:
        """Nodes of the cluster: address, alive, cpus, gpus, memory_bytes."""

    def component_health(self) -> Mapping[str, str]:
        """ "ok" or what is wrong, by component."""

    def notices(self) -> Sequence[str]:
        """What operators should know though nothing of ours is wrong: receivers that fail, deliveries that were dropped."""


@dataclass(frozen=True, kw_only=True)
class ApiServices:
    """Everything the routes use. ``archive_protected``: pictures and clips need a token or a link signed by ``links``.
    ``about``: what runs here, for the system page (detector, database, archive)."""

    database: Database
    control: Control
    archive: Archive
    passwords: Passwords
    tokens: Tokens
    throttle: LoginThrottle = field(default_factory=LoginThrottle)
    time_zone: str = "Asia/Shanghai"
    max_body_bytes: int = 4 * 1024 * 1024
    about: Mapping[str, str] = field(default_factory=dict)
    archive_keeper: ArchiveKeeper | None = None
    archive_protected: bool = False
    links: LinkSigner = field(default_factory=lambda: LinkSigner(secrets.token_hex(32)))
    outbound: OutboundPolicy = field(default_factory=OutboundPolicy)
    cors_origins: tuple[str, ...] = ()
