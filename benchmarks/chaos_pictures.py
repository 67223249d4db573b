"""Pictures of Ray's dashboard while a machine is lost: its pages of machines, of Serve and of actors.

    RAY_AUTH_TOKEN=… python -m benchmarks.chaos_pictures URL FOLDER NAME PAGE…      saves FOLDER/NAME-PAGE.png

Needs playwright and Debian's chromium.
"""

import os
import sys
from pathlib import Path

from tests.browser.conftest import ARGUMENTS, chromium_path

_SETTLE_MS = 4000  # the pages fill themselves


def main(url: str, folder: str, name: str, *pages: str) -> None:
    """One picture of each page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        headers = {"Authorization": f"Bearer {os.environ.get('RAY_AUTH_TOKEN', '')}"}
        context = browser.new_context(viewport={"width": 1360, "height": 620}, extra_http_headers=headers)
        page = context.new_page()
        for name_of_page in pages:
            page.goto(f"{url}/#/{name_of_page}", wait_until="domcontentloaded", timeout=30_000)
            page.wait_for_timeout(_SETTLE_MS)
            page.screenshot(path=Path(folder, f"{name}-{name_of_page}.png"))
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
