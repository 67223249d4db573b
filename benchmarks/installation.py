"""A whole Wayside for benchmarks: started on a local Ray with its own folder and port, watched from outside, ended."""

import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np

from actors.outbound import LOOPBACK
from actors.ports import CameraHealth
from cluster.build import build
from cluster.client import ApiClient, local_client
from cluster.settings import Settings
from cluster.up import Running

_BOUNDARY = b"wayside-frame"
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Installation:
    """Wayside on a Ray of its own. Cameras are asked directly, past the supervisor's few seconds of delay."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.api: ApiClient = local_client(settings)
        self.tasks: dict[str, int] = {}
        self.interfaces: list[int] = []

    def add_task(self, num: str, address: str, **fields: Any) -> None:
        """Add a task and remember it."""
        self.tasks[num] = self.api.call("task/add", taskNum=num, taskName=num, srcAddress=address, **fields)["id"]

    def add_interface(self, url: str, business: int) -> None:
        """Register a receiver."""
        company = {"companyName": "benchmark", "companyId": "1", "appId": "pipeline"}
        body = {"name": f"benchmark {business}", "businessType": business, "triggerCondition": 2, "url": url, **company}
        self.interfaces.append(self.api.call("interface/add", **body)["id"])

    def health(self, timeout_s: float = 30.0) -> dict[str, CameraHealth]:
        """Health of every camera that runs, by task number, as the cameras themselves say it."""
        import ray
        from ray.exceptions import RayError

        asked = {}
        for num in self.tasks:
            try:
                asked[num] = ray.get_actor(f"camera-{num}", namespace=self.settings.namespace).health.remote()
            except ValueError:
                continue
        found: dict[str, CameraHealth] = {}
        for num, answer in asked.items():
            try:
                found[num] = ray.get(answer, timeout=timeout_s)
            except RayError:
                continue
        return found

    def wait_until_analysing(self, timeout_s: float, frames: int = 5) -> dict[str, CameraHealth]:
        """Wait until every camera has analysed ``frames`` frames.

        Raises:
            TimeoutError: naming how many did.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            health = self.health()
            ready = [num for num, item in health.items() if item.frames_analysed >= frames]
            if len(ready) == len(self.tasks):
                return health
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {len(ready)} of {len(self.tasks)} cameras analyse after {timeout_s:.0f} s")
            time.sleep(1.0)

    def camera_pids(self) -> dict[str, int]:
        """Process ids by task number."""
        import ray

        handles = {num: ray.get_actor(f"camera-{num}", namespace=self.settings.namespace) for num in self.tasks}
        asked = {num: handle.process_id.remote() for num, handle in handles.items()}
        return {num: int(ray.get(answer, timeout=60)) for num, answer in asked.items()}


@contextmanager
def installation(
    models_dir: Path, application: Callable[[dict[str, Any]], Any] = build, address: str | None = None, **overrides: Any
) -> Iterator[Installation]:
    """A running Wayside with settings of its own; everything it made is gone afterwards."""
    from cluster.ingress import prepare

    folder = Path(tempfile.mkdtemp(prefix="wayside-benchmark-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    fields: dict[str, Any] = {"host": "127.0.0.1", "port": port, "admin_password": "benchmark", "log_level": "WARNING"}
    fields |= {"outbound_allow": LOOPBACK, **overrides}  # cameras and receivers of the benchmark are on this machine
    settings = Settings(data_dir=folder, models_dir=models_dir, **fields)
    prepare(settings)
    running = Running(settings, address, dashboard_port=0, application=application)
    try:
        yield Installation(settings)
    finally:
        running.close()
        shutil.rmtree(folder, ignore_errors=True)


def pss_mib(pid: int) -> float:
    """Proportional memory of a process, MiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def cpu_seconds(pid: int) -> float:
    """CPU time a process has used, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def cpu_by_process() -> dict[str, float]:
    """CPU seconds used so far by this process and all it started, by their titles."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # ended meanwhile
    found: dict[str, float] = {}
    for pid in parents:
        ancestor = pid
        while ancestor not in (0, 1, os.getpid()):
            ancestor = parents.get(ancestor, 0)
        if ancestor != os.getpid():
            continue
        try:
            title = (Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0] or b"?").decode(errors="replace")
            name = title.split("/")[-1] if not title.startswith("ray::") else title.split(".")[0].removeprefix("ray::")
            found[name] = found.get(name, 0.0) + cpu_seconds(pid)
        except OSError:
            continue
    return found


def busy_seconds() -> float:
    """CPU time all processes of this machine have used."""
    user, nice, system, _, _, irq, softirq, *_ = (int(item) for item in Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system + irq + softirq) / _TICKS_PER_S


def jain(values: list[float]) -> float:
    """Jain's fairness index: 1 when all are equal, 1/n when one has everything (Jain, Chiu, Hawe, DEC TR-301, 1984)."""
    array = np.asarray(values, float)
    return float(array.sum() ** 2 / (len(array) * (array**2).sum())) if array.any() else 0.0


class MjpegCamera:
    """Any number of live cameras showing one clip: an HTTP server of JPEG pictures at a fixed rate, looping, in threads."""

    def __init__(self, clip: Path, fps: float, width: int, pictures: int = 60) -> None:
        self.fps = fps
        self._pictures = _jpegs(clip, fps, width, pictures)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="mjpeg", daemon=True)

    @property
    def url(self) -> str:
        """Address of a camera; add anything to tell cameras apart."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> "MjpegCamera":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-type", f"multipart/x-mixed-replace; boundary={_BOUNDARY.decode()}")
                self.end_headers()
                start, index = time.monotonic(), 0
                try:
                    while True:
                        picture = camera._pictures[index % len(camera._pictures)]
                        head = b"--%s\r\ncontent-type: image/jpeg\r\ncontent-length: %d\r\n\r\n" % (_BOUNDARY, len(picture))
                        self.wfile.write(head + picture + b"\r\n")
                        index += 1
                        time.sleep(max(0.0, start + index / camera.fps - time.monotonic()))
                except OSError:
                    return  # the reader has gone

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        return Handler


def _jpegs(clip: Path, fps: float, width: int, pictures: int) -> list[bytes]:
    found: list[bytes] = []
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        step = max(1, round(float(stream.average_rate or 25) / fps))
        height = round(stream.height * width / stream.width / 2) * 2
        for index, frame in enumerate(container.decode(stream)):
            if index % step == 0:
                encoder: Any = av.CodecContext.create("mjpeg", "w")
                encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuvj420p", Fraction(1, 25)
                small = frame.reformat(width, height, "yuvj420p")
                small.pts = 0
                found.append(b"".join(bytes(packet) for packet in [*encoder.encode(small), *encoder.encode(None)]))
            if len(found) == pictures:
                break
    return found
