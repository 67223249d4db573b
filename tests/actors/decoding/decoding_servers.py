"""Servers on the loopback for the tests: a real RTSP server, scripted answers, MJPEG, HLS and progressive HTTP."""

import base64
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import pytest
from decoding_clips import picture

SYSTEM_PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).parents[2] / "rtsp_server.py"
_PROBE = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "assert all(Gst.ElementFactory.find(name) for name in ('h264parse', 'rtph264pay', 'appsrc'))"
)


@lru_cache(maxsize=1)
def rtsp_server_available() -> bool:
    """Whether the system's Python has GStreamer's RTSP server."""
    if not Path(SYSTEM_PYTHON).exists():
        return False
    return subprocess.run([SYSTEM_PYTHON, "-c", _PROBE], capture_output=True, check=False).returncode == 0


class RtspServer:
    """``tests/rtsp_server.py`` as a process that can be killed and started again on the same port."""

    def __init__(self, clip: Path, *arguments: str) -> None:
        if not rtsp_server_available():
            pytest.skip("GStreamer's RTSP server is not installed: apt-get install gir1.2-gst-rtsp-server-1.0 python3-gi …")
        self._command = [SYSTEM_PYTHON, str(SCRIPT), str(clip), *arguments]
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.start()

    def start(self) -> None:
        command = [*self._command, "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        ready = self._process.stdout.readline().split()
        assert ready[:1] == ["ready"], "the RTSP server did not start"
        self.port = int(ready[1])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def url(self, path: str = "cam", user: str = "") -> str:
        return f"rtsp://{user}{'@' if user else ''}127.0.0.1:{self.port}/{path}"

    def __enter__(self) -> "RtspServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


@contextmanager
def answering(answer: bytes | None) -> Iterator[int]:
    """A TCP port that sends ``answer`` to each request; None: accepts and stays silent. Yields the port."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def serve() -> None:
            open_connections = []
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                open_connections.append(connection)
                if answer is not None:
                    connection.settimeout(1)
                    request = connection.recv(4096)
                    number = re.search(rb"CSeq: (\d+)", request)
                    connection.sendall(answer.replace(b"CSEQ", number.group(1) if number else b"0"))
                    connection.close()
            for connection in open_connections:
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            thread.join()


Handler = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def http_server(routes: dict[str, Handler], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """An HTTP server with one function per path, over TLS with ``tls``; yields its base URL."""

    class Router(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            handler = routes.get(self.path.split("?")[0])
            if handler is None:
                self.send_error(404)
                return
            try:
                handler(self)
            except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Router)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def mjpeg(pictures: int = 10_000, fps: float = 25.0, first: int = 0, silent_after: int | None = None) -> Handler:
    """A camera's multipart MJPEG stream of numbered pictures; ends, or goes silent, after a number of them."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.send_header("Connection", "close")
        request.end_headers()
        request.close_connection = True
        started = time.monotonic()
        for n in range(pictures):
            if silent_after is not None and n >= silent_after:
                time.sleep(30)
            image = cv2.imencode(".jpg", picture(first + n)[..., ::-1])[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
            request.wfile.write(head.encode() + image + b"\r\n")
            time.sleep(max(0.0, started + (n + 1) / fps - time.monotonic()))

    return handle


def content(data: bytes, content_type: str = "video/mp4", cut_once_at: int | None = None) -> Handler:
    """A file with ranges. ``cut_once_at``: the first answer breaks off after so many bytes."""
    cuts = [cut_once_at] if cut_once_at is not None else []

    def handle(request: BaseHTTPRequestHandler) -> None:
        asked = re.match(r"bytes=(\d+)-", request.headers.get("Range", ""))
        start = int(asked.group(1)) if asked else 0
        body = data[start:]
        request.send_response(206 if asked else 200)
        request.send_header("Content-Type", content_type)
        request.send_header("Accept-Ranges", "bytes")
        request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Connection", "close")  # without it the library reuses a connection that is about to end
        request.end_headers()
        if cuts and start < cuts[0]:
            request.wfile.write(body[: cuts.pop() - start])
            request.close_connection = True
            return
        request.wfile.write(body)

    return handle


def protected(handler: Handler, user: str, password: str) -> Handler:
    """Basic authentication before ``handler``."""
    expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def handle(request: BaseHTTPRequestHandler) -> None:
        if request.headers.get("Authorization") == expected:
            handler(request)
            return
        request.send_response(401)
        request.send_header("WWW-Authenticate", 'Basic realm="camera"')
        request.send_header("Content-Length", "0")
        request.end_headers()

    return handle


def status(code: int) -> Handler:
    """Always this status."""
    return lambda request: request.send_error(code)


def live_playlist(segments: list[bytes], segment_s: float, window: int = 4) -> dict[str, Handler]:
    """Routes of an HLS live stream whose window slides with the clock and which repeats its segments for ever."""
    started = time.monotonic()

    def playlist(request: BaseHTTPRequestHandler) -> None:
        newest = window + int((time.monotonic() - started) / segment_s)
        first = newest - window
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{max(1, round(segment_s))}"]
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{first}")
        for n in range(first, newest):
            lines += [f"#EXTINF:{segment_s:.3f},", f"s{n % len(segments)}.ts?n={n}"]
        content(("\n".join(lines) + "\n").encode(), "application/vnd.apple.mpegurl")(request)

    routes: dict[str, Handler] = {f"/s{n}.ts": content(data, "video/mp2t") for n, data in enumerate(segments)}
    routes["/live.m3u8"] = playlist
    return routes
