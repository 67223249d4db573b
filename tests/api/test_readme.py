"""The README's walk through the API, its own lines run by a shell with curl against the API."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from api.receiver import Receiver
from api.services import ApiServices
from api.tables import Task
from tests.api.serving import served
from tests.conftest import ROOT

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


def _walk() -> str:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (walk,) = [block for block in blocks if "/api/account/login" in block]
    return walk


def _answers(output: str) -> list[dict[str, Any]]:
    """The JSON answers in what the shell printed, one after the other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(output):
        if output[at].isspace():
            at += 1
            continue
        value, at = decoder.raw_decode(output, at)
        found.append(value)
    return found


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="needs curl and bash")
def test_every_curl_line_of_the_readme_works(services: ApiServices, tmp_path: Path) -> None:
    private = tmp_path / ".local/share/wayside"
    private.mkdir(parents=True)
    (private / "admin-password").write_text("correct horse\n")
    with services.database.session() as session:  # the demo camera, which is there when the README's reader comes to this
        session.add(Task(task_num="1", task_name="demo", src_address="sim://approach"))
        session.commit()
    services.control.picture = JPEG
    walk = _walk()
    calls = walk.count("curl ")
    with served(services) as url, Receiver() as receiver:
        script = walk.replace("http://127.0.0.1:8000", url).replace("http://127.0.0.1:9000/push", receiver.url)
        assert "127.0.0.1:8000" not in script
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", script.replace("curl -s", "curl -sS --fail-with-body")],
            cwd=tmp_path, env=os.environ | {"HOME": str(tmp_path), "no_proxy": "127.0.0.1"}, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0, (done.stdout, done.stderr)
    answers = _answers(done.stdout)
    assert len(answers) == calls - 2, "every call prints an answer but the login (kept) and the snapshot (a file)"
    assert all((answer["code"], answer["resultMsg"]) == (0, "操作成功") for answer in answers)
    assert (tmp_path / "now.jpg").read_bytes() == JPEG
    interface = answers[0]["data"]
    assert (interface["businessType"], interface["triggerCondition"]) == (21, 2)
    assert "second camera" in done.stdout


def test_the_walk_covers_login_interface_task_and_health() -> None:
    assert all(f"/api/{path}" in _walk() for path in ("account/login", "interface/add", "task/add", "task/list", "health"))
