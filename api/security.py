"""Passwords, tokens and the brake on guessing."""

import hashlib
import secrets
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from pathlib import Path

import jwt
from passlib.hash import argon2

_ALGORITHM = "HS256"
ARGON2_MEMORY_KIB = 47_104  # 46 MiB, OWASP's first choice for argon2id
_AT_ONCE = 4  # hashes computed at the same time: bounds the memory that a burst of logins takes
_MAX_TRACKED = 10_000


class Passwords:
    """Hashes and checks passwords with argon2id."""

    def __init__(self, memory_kib: int = ARGON2_MEMORY_KIB) -> None:
        self._hasher = argon2.using(type="ID", memory_cost=memory_kib, rounds=1, parallelism=1)
        self._decoy = self._hasher.hash(secrets.token_urlsafe(16))
        self._slots = threading.BoundedSemaphore(_AT_ONCE)

    def hash(self, password: str) -> str:
        """Hash of a password, with its own salt."""
        with self._slots:
            return str(self._hasher.hash(password))

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the password fits. Without a hash (no such user) the same work is done, so that the time tells nothing."""
        with self._slots:
            good = bool(self._hasher.verify(password, hashed or self._decoy))
        return good and hashed is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenClaims:
    """What a valid token says. ``version``: token version of the account when it was given."""

    user_id: int
    version: int
    token_id: str
    expires_at: float


class Tokens:
    """Signed login tokens: JWT, always HS256 whatever a token's own header says."""

    def __init__(self, secret: str, ttl_s: int) -> None:
        self._secret, self._ttl_s = secret, ttl_s

    def make(self, user_id: int, name: str, version: int, now_s: float | None = None) -> str:
        """A token for an account at its current token version."""
        now = int(time.time() if now_s is None else now_s)
        claims = {
            "sub": str(user_id), "name": name, "ver": version, "iat": now, "exp": now + self._ttl_s, "iss": "wayside",
            "jti": secrets.token_urlsafe(16),
        }  # fmt: skip
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def read(self, token: str) -> TokenClaims | None:
        """The claims of a token that is signed by us and has not expired, else None."""
        required = ["sub", "exp", "ver", "jti", "iss"]
        try:
            claims = jwt.decode(token, self._secret, algorithms=[_ALGORITHM], issuer="wayside", options={"require": required})
            return TokenClaims(
                user_id=int(claims["sub"]),
                version=int(claims["ver"]),
                token_id=str(claims["jti"]),
                expires_at=float(claims["exp"]),
            )
        except (jwt.InvalidTokenError, ValueError, TypeError):
            return None


class LoginThrottle:
    """At most ``per_minute`` and ``per_hour`` attempts per key (account and address) that did not succeed.

    An attempt counts from its beginning, so that attempts made at once cannot slip through together.
    """

    def __init__(self, per_minute: int = 5, per_hour: int = 20) -> None:
        self._per_minute, self._per_hour = per_minute, per_hour
        self._attempts: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, key: str, now_s: float) -> bool:
        """Whether an attempt may be made now; if so it is counted until ``succeeded``. ``now_s``: any monotonic clock."""
        with self._lock:
            attempts = self._attempts.setdefault(key, deque(maxlen=self._per_hour))
            self._attempts.move_to_end(key)
            while len(self._attempts) > _MAX_TRACKED:
                self._attempts.popitem(last=False)
            last_minute = sum(now_s - at < 60 for at in attempts)
            last_hour = sum(now_s - at < 3600 for at in attempts)
            allowed = last_minute < self._per_minute and last_hour < self._per_hour
            if allowed:
                attempts.append(now_s)
            return allowed

    def succeeded(self, key: str) -> None:
        """Forget the attempts of a key."""
        with self._lock:
            self._attempts.pop(key, None)


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
