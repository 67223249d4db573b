"""Passwords, tokens and the brake on guessing."""

import hashlib
import secrets
import time
from collections import OrderedDict, deque
from pathlib import Path

import jwt
from passlib.hash import argon2

_ALGORITHM = "HS256"
ARGON2_MEMORY_KIB = 47_104  # 46 MiB, OWASP's first choice for argon2id
_MAX_TRACKED = 10_000


class Passwords:
    """Hashes and checks passwords with argon2id."""

    def __init__(self, memory_kib: int = ARGON2_MEMORY_KIB) -> None:
        self._hasher = argon2.using(type="ID", memory_cost=memory_kib, rounds=1, parallelism=1)
        self._decoy = self._hasher.hash(secrets.token_urlsafe(16))

    def hash(self, password: str) -> str:
        """Hash of a password, with its own salt."""
        return str(self._hasher.hash(password))

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the password fits. Without a hash (no such user) the same work is done, so that the time tells nothing."""
        good = bool(self._hasher.verify(password, hashed or self._decoy))
        return good and hashed is not None


class Tokens:
    """Signed login tokens (JWT, HS256)."""

    def __init__(self, secret: str, ttl_s: int) -> None:
        self._secret, self._ttl_s = secret, ttl_s

    def make(self, user_id: int, name: str, version: int, now_s: float | None = None) -> str:
        """A token for an account at its current token version."""
        now = int(time.time() if now_s is None else now_s)
        claims = {"sub": str(user_id), "name": name, "ver": version, "iat": now, "exp": now + self._ttl_s, "iss": "wayside"}
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def read(self, token: str) -> tuple[int, int] | None:
        """(user id, token version) of a valid token, else None."""
        try:
            claims = jwt.decode(
                token, self._secret, algorithms=[_ALGORITHM], issuer="wayside", options={"require": ["sub", "exp", "ver"]}
            )
            return int(claims["sub"]), int(claims["ver"])
        except (jwt.InvalidTokenError, ValueError, TypeError):
            return None


class LoginThrottle:
    """At most ``per_minute`` and ``per_hour`` failed attempts per key (account and address)."""

    def __init__(self, per_minute: int = 5, per_hour: int = 20) -> None:
        self._per_minute, self._per_hour = per_minute, per_hour
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def allowed(self, key: str, now_s: float) -> bool:
        """Whether another attempt may be made now."""
        failures = self._failures.get(key, deque())
        return (
            sum(now_s - at < 60 for at in failures) < self._per_minute
            and sum(now_s - at < 3600 for at in failures) < self._per_hour
        )

    def failed(self, key: str, now_s: float) -> None:
        """Note a failed attempt."""
        self._failures.setdefault(key, deque(maxlen=self._per_hour)).append(now_s)
        self._failures.move_to_end(key)
        while len(self._failures) > _MAX_TRACKED:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the failures of a key."""
        self._failures.pop(key, None)


def load_secret(data_dir: Path, configured: str) -> str:
    """The key that signs tokens: the configured one (hashed to full length), or one made once and kept in ``data_dir``."""
    if configured:
        return hashlib.sha256(configured.encode()).hexdigest()
    path = data_dir / "token.key"
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; an existing one is kept when two processes start at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    partial.touch(mode=0o600)
    partial.write_text(text)
    try:
        path.hardlink_to(partial)
    except FileExistsError:
        pass  # the other process was first; both use its file
    finally:
        partial.unlink()
