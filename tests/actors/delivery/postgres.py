"""A PostgreSQL server of our own, for one test session."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port


def _program(name: str) -> str | None:
    """Debian keeps initdb and pg_ctl outside the PATH."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or (str(places[0]) if places else None)


@contextmanager
def server_url() -> Iterator[str]:
    """Start a server in a temporary folder; skips where its programs, its driver or an account to run it are missing."""
    initdb, control = _program("initdb"), _program("pg_ctl")
    if not initdb or not control:
        pytest.skip("no PostgreSQL programs (initdb, pg_ctl) on this machine")
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("no driver for PostgreSQL: pip install 'wayside[postgres]'")
    with tempfile.TemporaryDirectory(prefix="wayside-pg-", dir="/tmp") as folder:
        run = _as_ordinary_user(Path(folder))
        data, port = f"{folder}/data", free_port()
        run([initdb, "-D", data, "-U", "wayside", "--auth=trust", "--encoding=UTF8", "--no-sync"])
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        run([control, "-D", data, "-l", f"{folder}/log", "-w", "-o", options, "start"])
        try:
            yield f"postgresql+psycopg://wayside@127.0.0.1:{port}/postgres"
        finally:
            run([control, "-D", data, "-w", "-m", "immediate", "stop"])


def _as_ordinary_user(folder: Path):
    """A runner of commands; PostgreSQL refuses to run as root, so root steps down to the account postgres or nobody."""
    account = {}
    if os.geteuid() == 0:
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            os.chown(folder, entry.pw_uid, entry.pw_gid)
            account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            break
        else:
            pytest.skip("PostgreSQL does not run as root and there is no other account")

    def run(command: list[str]) -> None:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False, **account
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run
