"""The pages of the API, Swagger UI (to try it) and Redoc (to read it), from files of an installed package: nothing is loaded from
another server."""

import base64
import hashlib
import re
from functools import cache
from importlib import resources

from fastapi import FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles

_PACKAGE, _FOLDER = "fastapi_offline", "static"
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"  # the only thing that Redoc would fetch from elsewhere
_ICON = "/docs/assets/favicon.png"


def serve_reference(app: FastAPI) -> None:
    """Mount ``/docs`` and ``/redoc``."""
    swagger = _text(
        get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Wayside API",
            swagger_js_url="/docs/assets/swagger-ui-bundle.js",
            swagger_css_url="/docs/assets/swagger-ui.css",
            swagger_favicon_url=_ICON,
        )
    )
    redoc = _text(
        get_redoc_html(
            openapi_url="/openapi.json",
            title="Wayside API",
            redoc_js_url="/redoc/redoc.js",
            redoc_favicon_url=_ICON,
            with_google_fonts=False,
        )
    )

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(swagger, headers={"content-security-policy": _policy(swagger)})

    @app.get("/redoc", include_in_schema=False)
    def reference() -> HTMLResponse:
        # Its search runs in a worker made from a blob.
        return HTMLResponse(redoc, headers={"content-security-policy": _policy(redoc) + "; worker-src 'self' blob:"})

    @app.get("/redoc/redoc.js", include_in_schema=False)
    def script() -> Response:
        return Response(_redoc(), media_type="text/javascript", headers={"cache-control": "max-age=86400"})

    app.mount("/docs/assets", StaticFiles(packages=[(_PACKAGE, _FOLDER)]))


@cache
def _redoc() -> str:
    """Redoc's script, pointed at our own icon."""
    script = resources.files(_PACKAGE).joinpath(_FOLDER, "redoc.standalone.js").read_text(encoding="utf-8")
    return script.replace(_LOGO, _ICON)


def _policy(page: str) -> str:
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in _INLINE.findall(page)]
    allowed = " ".join(["'self'", *(f"'sha256-{value}'" for value in hashes)])
    policy = f"default-src 'self'; script-src {allowed}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    return policy + "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"


def _text(page: HTMLResponse) -> str:
    return bytes(page.body).decode()
