"""A small client of Wayside's own API, as any integrator would write one; the demo and the benchmarks use it."""

import ssl
from pathlib import Path
from typing import Any

import httpx

from cluster.settings import Settings

_PASSWORD_FILE = "admin-password"


class ApiClient:
    """Logged in as ``username``. Calls answer the envelope's ``data`` and raise OSError with the API's own message."""

    def __init__(self, url: str, password: str, username: str = "admin", verify: ssl.SSLContext | bool = True) -> None:
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False, verify=verify)
        self._client.headers["token"] = self.call("account/login", username=username, password=password)["token"]

    def call(self, path: str, **body: Any) -> Any:
        """POST ``/api/<path>`` with the body."""
        answer = self._client.post(f"/api/{path}", json=body).json()
        if answer["code"]:
            raise OSError(f"{path}: {answer['resultMsg']}")
        return answer["data"]

    def health(self) -> Any:
        """``data`` of ``/api/health``, whatever the state is."""
        return self._client.get("/api/health").json()["data"]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def local_client(settings: Settings) -> ApiClient:
    """A client of the Wayside that runs here with these settings; raises OSError when admin's password is not known."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    password = settings.admin_password or _read(settings.data_dir / _PASSWORD_FILE)
    return ApiClient(f"{settings.scheme}://{host}:{settings.port}", password, verify=_trust(settings))


def _trust(settings: Settings) -> ssl.SSLContext | bool:
    """The installation's own certificate, which need not name the loopback."""
    if not settings.tls_certificate:
        return True
    context = ssl.create_default_context(cafile=settings.tls_certificate)
    context.check_hostname = False
    return context


def _read(path: Path) -> str:
    if not path.exists():
        raise OSError(f"the password of admin was changed; give it in WAYSIDE_ADMIN_PASSWORD ({path} is gone)")
    return path.read_text().strip()
