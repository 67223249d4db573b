"""The console in a real Chromium against the whole application on a local Ray."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.pages import FILES
from cluster.settings import Settings
from tests.conftest import ROOT
from tests.ports import free_port

PASSWORD = "a browser's password"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def chromium_path() -> str | None:
    """Where Chromium is; None without it."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def chromium() -> str:
    """Where Chromium is; skips without it."""
    found = chromium_path()
    if found is None:
        pytest.skip("no Chromium (Debian: apt-get install chromium)")
    return found


def until(condition: Callable[[], Any], timeout_s: float = 60.0) -> Any:
    """The first true value of ``condition``."""
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.2)
    return value


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all tests."""
    if not (FILES / "index.html").is_file():
        pytest.skip("the console is not built (make console)")
    where = chromium()
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=where, args=ARGUMENTS)
        yield made
        made.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory, browser: Any, weights_store: Any) -> Iterator[str]:
    """A running Wayside without cameras."""
    from cluster.ingress import prepare
    from cluster.up import Running

    port = free_port()
    settings = Settings(
        host="127.0.0.1",
        port=port,
        data_dir=tmp_path_factory.mktemp("wayside"),
        models_dir=weights_store.root,
        admin_password=PASSWORD,
        analysed_fps=6,
        clip_before_s=3,
        clip_after_s=3,
        outbound_allow=("127.0.0.1",),
        plates=False,
        attributes=False,
        archive_min_free_bytes=0,
    )
    prepare(settings)
    running = Running(settings, None, dashboard_port=0)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.close()


class Watched:
    """A page that remembers what went wrong in it. A camera that has no picture yet (404 of its still) is nothing wrong."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _said(self, message: Any) -> None:
        url = message.location.get("url", "")
        if message.type == "error" and not ("404" in message.text and "/api/task/snapshot" in url):
            self.errors.append(f"{message.text} {url}")


@pytest.fixture(scope="module")
def watched(browser: Any, address: str) -> Iterator[Watched]:
    """A page in Chinese, 1366 x 820."""
    context = browser.new_context(viewport={"width": 1366, "height": 820}, locale="zh-CN")
    context.set_default_timeout(30_000)
    page = context.new_page()
    try:
        yield Watched(page)
    finally:
        folder = os.environ.get("WAYSIDE_SCREENSHOTS")
        if folder:
            page.screenshot(path=Path(folder) / "last.png")
        context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """Source of axe-core."""
    source = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
    if not source.is_file():
        pytest.skip("axe-core is not installed (make console)")
    return source.read_text(encoding="utf-8")
