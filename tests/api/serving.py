"""The API on a real socket, without Ray: for clients that are other programs."""

import contextlib
import threading
import time
from collections.abc import Iterator

import uvicorn

from api.app import create_app
from api.services import ApiServices


@contextlib.contextmanager
def served(services: ApiServices) -> Iterator[str]:
    """Serves the API on a free port of this machine; gives its address."""
    server = uvicorn.Server(uvicorn.Config(create_app(services), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, name="api", daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < until, "the server did not start in time"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
