"""Signatures of the Standard Webhooks specification (github.com/standard-webhooks/standard-webhooks): HMAC-SHA256 over
``{webhook-id}.{webhook-timestamp}.{body}``, base64, with the version ``v1``."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
_KEY_BYTES = 32  # the specification: 24 to 64


def new_secret() -> str:
    """A fresh signing secret, ``whsec_`` and base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def secret_key(secret: str) -> bytes:
    """The key bytes of a secret. Raises ValueError when it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a signing secret is whsec_ and base64") from error
    if len(key) < 16:
        raise ValueError("a signing secret holds at least 16 bytes")
    return key


def sign(secret: str, delivery_id: str, timestamp: int, body: bytes) -> str:
    """One signature, ``v1,…``. ``timestamp``: seconds since the epoch. Raises ValueError for what is no secret."""
    message = f"{delivery_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret_key(secret), message, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def signature_header(active: Sequence[tuple[str, float]], delivery_id: str, timestamp: int, body: bytes) -> str:
    """Signatures with every secret that is still active at ``timestamp``, separated by spaces; "" without any."""
    return " ".join(sign(secret, delivery_id, timestamp, body) for secret, until_s in active if timestamp <= until_s)


def verify(secret: str, header: str, delivery_id: str, timestamp: int, body: bytes) -> bool:
    """Whether one of the signatures in ``header`` was made with ``secret``: the receiver's side."""
    expected = sign(secret, delivery_id, timestamp, body)
    return any(hmac.compare_digest(expected.encode(), given.encode()) for given in header.split(" "))
