"""The reverse proxy of docs/security.md, its own lines run by nginx in front of the API, over https."""

import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from api.services import ApiServices
from api.tables.accounts import AuditEntry
from tests.api.serving import served
from tests.certificates import make_certificate
from tests.conftest import ROOT
from tests.ports import free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@pytest.fixture
def proxied(services: ApiServices, tmp_path: Path) -> Iterator[httpx.Client]:
    if NGINX is None:
        pytest.skip("nginx is not installed")
    certificate, key = make_certificate(tmp_path, "wayside.example")
    (server,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "security.md").read_text(encoding="utf-8"), re.DOTALL)
    port = free_port()
    with served(services) as url:
        changes = {
            "listen 443": f"listen 127.0.0.1:{port}", "http://127.0.0.1:8000": url,
            "/etc/ssl/wayside.pem": str(certificate), "/etc/ssl/wayside.key": str(key),
        }  # fmt: skip
        for there, here in changes.items():
            assert there in server
            server = server.replace(there, here)
        paths = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        head = f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\nevents {{}}\n"
        (tmp_path / "nginx.conf").write_text(f"{head}http {{\naccess_log off;\n{paths}{server}}}\n")
        process = subprocess.Popen([NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")], stderr=subprocess.PIPE)
        try:
            with httpx.Client(
                base_url=f"https://127.0.0.1:{port}",
                verify=ssl.create_default_context(cafile=certificate),
                trust_env=False,
                timeout=20,
            ) as client:
                _wait(client, process)
                yield client
        finally:
            process.terminate()
            process.wait(20)
            process.stderr.close()


def _wait(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            client.get("/api/health")
            return
        except httpx.HTTPError:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < until, "nginx does not answer"
            time.sleep(0.05)


def test_the_api_works_behind_the_proxy_of_the_docs(proxied: httpx.Client, services: ApiServices) -> None:
    login = {"username": "admin", "password": "correct horse"}
    answer = proxied.post("/api/account/login", json=login, headers={"x-forwarded-for": "6.6.6.6"})
    assert answer.json()["code"] == 0
    with services.database.session() as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "account.login")).one()
    assert entry.address == "127.0.0.1", "the client cannot choose its address"
    assert proxied.post("/api/task/list", json={}, headers={"token": answer.json()["data"]["token"]}).status_code == 200
    assert proxied.get("/docs").status_code == 200
    assert proxied.post("/api/task/list", content=b"x" * 5_000_000).status_code == 413
