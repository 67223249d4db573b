"""The console: files built by the bundler (``make console``) and carried by the wheel, served at ``/``."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Scope

FILES = Path(__file__).parent / "console_files"
_SMALL_BYTES = 1024
_MISSING = """<!doctype html><meta charset="utf-8"><title>Wayside</title>
<body style="font:16px sans-serif;margin:3em;max-width:40em">
<h1>Wayside</h1><p>控制台尚未构建: 安装 Node.js 20 或更新版本后执行 <code>make console</code>, 或安装发布的 wheel。</p>
<p>The console is not built. Install Node.js 20 or newer and run <code>make console</code>, or install a released wheel.</p>
<p><a href="/redoc">API</a></p>"""


class _Assets(StaticFiles):
    """Files whose names hold a hash of their content: a browser need never ask again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """See StaticFiles."""
        answer = await super().get_response(path, scope)
        if answer.status_code in (200, 304):
            answer.headers["cache-control"] = "public, max-age=31536000, immutable"
        return answer


def serve_console(app: FastAPI, files: Path = FILES) -> None:
    """Mount the console; without built files ``/`` says how to build them."""

    @app.get("/", include_in_schema=False)
    def index() -> Response:
        page = files / "index.html"
        if not page.is_file():
            return HTMLResponse(_MISSING)
        return FileResponse(page, headers={"cache-control": "no-cache"})

    app.mount("/assets", GZipMiddleware(_Assets(directory=files / "assets", check_dir=False), minimum_size=_SMALL_BYTES))
