"""The log of changes: written in the same transaction as the change it tells of, bounded, without secrets."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col

from actors.decoding import mask_address
from api.tables.accounts import AuditEntry

KEPT_ENTRIES = 100_000
_LONGEST_VALUE = 200
_ADDRESSES = ("src_address", "url")
_HIDDEN = ("password_hash", "secret", "scene")
_UNTOLD = ("id", "created_at", "updated_at", "revision", "token_version")


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who changes something, and from which address."""

    user_id: int
    name: str
    address: str = ""


COMMAND_LINE = Actor(user_id=0, name="wayside")


def note(session: Session, actor: Actor, action: str, target: str, changes: Mapping[str, Any] | None = None) -> None:
    """Add an entry; the caller commits it together with the change. ``changes`` as ``differences`` gives them."""
    entry = AuditEntry(
        at=time.time(),
        user_id=actor.user_id,
        user_name=actor.name,
        address=actor.address[:64],
        action=action,
        target=target[:200],
        detail=json.dumps(changes, ensure_ascii=False) if changes else "",
    )
    session.add(entry)
    session.flush()
    if entry.id and entry.id % 1000 == 0:
        session.execute(delete(AuditEntry).where(col(AuditEntry.id) <= entry.id - KEPT_ENTRIES))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Columns that differ, each as [old, new]: passwords in addresses masked, secrets and scenes only named."""
    names = [name for name in after if name not in _UNTOLD and before.get(name) != after[name]]
    return {name: [_shown(name, before.get(name)), _shown(name, after[name])] for name in names}


def _shown(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if any(part in name for part in _HIDDEN):
        return "***"
    text = mask_address(str(value)) if name in _ADDRESSES else str(value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
