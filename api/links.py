"""Links to pictures and clips that hold for a while: the path, when it ends, and an HMAC-SHA256 over both."""

import hashlib
import hmac
import time

_PURPOSE = b"wayside archive link\n"


class LinkSigner:
    """Signs and checks links. The key is derived from the server's secret and is good for nothing else."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.new(secret.encode(), _PURPOSE, hashlib.sha256).digest()

    def sign(self, path: str, ttl_s: int, now_s: float | None = None) -> str:
        """``path`` (of the archive, no leading slash) with the query that opens it for ``ttl_s`` seconds."""
        expires = int((time.time() if now_s is None else now_s) + ttl_s)
        return f"{path}?expires={expires}&signature={self._signature(path, expires)}"

    def opens(self, path: str, expires: str, signature: str, now_s: float | None = None) -> bool:
        """Whether a link is signed by us and has not ended."""
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            return False
        good = hmac.compare_digest(self._signature(path, int(expires)).encode(), signature.encode("utf-8", "replace"))
        return good and int(expires) > (time.time() if now_s is None else now_s)

    def _signature(self, path: str, expires: int) -> str:
        return hmac.new(self._key, f"{expires}\n{path}".encode(), hashlib.sha256).hexdigest()
