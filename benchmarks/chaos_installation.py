"""What the chaos benchmark works with: the film its cameras show, what its receiver got, Wayside as processes."""

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import httpx
import psutil

from actors.simulation import SimulatedCamera, parse_address
from api.receiver import Push

FPS, LOOP_S, CAMERAS = 6, 20, 4
FILM = f"sim://approach?seed=3&fps={FPS}&duration_s={LOOP_S}&width=960&height=540&flow=2400"
PASSWORD = "chaos-chaos"
ZONE = ZoneInfo("Asia/Shanghai")
# Title of the process by part; Ray names its workers so.
PARTS = {
    "camera": "ray::CameraActor",
    "aggregator": "ray::AggregatorActor",
    "pusher": "ray::PusherActor",
    "supervisor": "ray::SupervisorActor",
    "detector replica": "ray::ServeReplica:wayside:detector",
    "ingress replica": "ray::ServeReplica:wayside:ingress",
}


def healthy(api_url: str) -> bool:
    """Whether /api/health of an installation answers 200."""
    try:
        return httpx.get(f"{api_url}/api/health", timeout=3, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def health_text(api_url: str) -> str:
    """What it says, or why it says nothing."""
    try:
        return httpx.get(f"{api_url}/api/health", timeout=10, trust_env=False).text[:700]
    except httpx.HTTPError as error:
        return repr(error)


class Film:
    """MJPEG servers that all show the same picture at the same time."""

    def __init__(self, address: str = FILM, host: str = "127.0.0.1") -> None:
        """``address``: a sim:// address; ``host``: address the servers listen on."""
        frames = list(SimulatedCamera(parse_address(address)).frames())
        self._fps = parse_address(address).fps
        self._pictures = [cv2.imencode(".jpg", frame.image[..., ::-1])[1].tobytes() for frame in frames]
        self.begin = time.time()
        film = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                try:
                    film.play(self.wfile)
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Nothing to say."""

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def play(self, out: Any) -> None:
        """The picture of the moment, for ever."""
        while True:
            now = time.time() - self.begin
            number = int(now * self._fps)
            image = self._pictures[number % len(self._pictures)]
            out.write(f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n".encode() + image + b"\r\n")
            time.sleep(max(0.0, (number + 1) / self._fps - (time.time() - self.begin)))

    def url(self, camera: int) -> str:
        """Address of a camera."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/{camera}"

    def loop_of(self, time_s: float) -> int:
        """Number of the loop that shows at a moment."""
        return int((time_s - self.begin) // LOOP_S)


class Arrivals:
    """What the receiver got."""

    def __init__(self) -> None:
        self.ids: Counter[str] = Counter()
        self.passed: list[tuple[float, float]] = []  # (moment of the passage, of its first arrival)
        self.invalid: list[str] = []
        self.lock = threading.Lock()

    def take(self, push: Push) -> None:
        """One push."""
        with self.lock:
            delivery = push.headers["webhook-id"]
            self.ids[delivery] += 1
            if push.problems:
                self.invalid.append(f"{push.kind}: {push.problems[0]}"[:200])
            if self.ids[delivery] == 1 and push.kind == "vehicle-snapshot":
                at = datetime.strptime(push.body["snapshotTime"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZONE).timestamp()
                self.passed.append((at, time.time()))

    def twice(self) -> int:
        """Arrivals beyond the first of their id."""
        with self.lock:
            return self.ids.total() - len(self.ids)


class Installation:
    """``wayside up`` as a process, its parts as processes below it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.log = (folder / "up.log").open("ab")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until the API answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cluster", "up"], env=self._environment(), stdout=self.log, stderr=self.log
        )
        self.wait_for_api(180)

    def deploy(self) -> None:
        """Deploy with another setting from a second process, which is then killed: everything is replaced while it runs."""
        command = [sys.executable, "-m", "cluster", "up", "--address", self.cluster_address()]
        environment = self._environment() | {"WAYSIDE_DATA_SOURCE": f"version {time.time():.0f}"}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=self.log, text=True) as second:
            assert second.stdout is not None
            for line in second.stdout:
                if "Wayside is up" in line:
                    break
            second.kill()

    def _environment(self) -> dict[str, str]:
        settings = {
            "DATA_DIR": str(self.folder / "data"), "PORT": str(self.port), "HOST": "127.0.0.1", "ADMIN_PASSWORD": PASSWORD,
            "OUTBOUND_ALLOW": "127.0.0.1", "ANALYSED_FPS": str(FPS), "PLATES": "false", "ATTRIBUTES": "false",
        }  # fmt: skip
        return os.environ | {f"WAYSIDE_{name}": value for name, value in settings.items()}

    def wait_for_api(self, timeout_s: float) -> float:
        """Seconds until /api/health says ok."""
        begin = time.monotonic()
        while time.monotonic() - begin < timeout_s:
            if self.healthy():
                return time.monotonic() - begin
            time.sleep(0.2)
        raise SystemExit(f"the API is not well after {timeout_s} s: {self.health_text()}; see {self.log.name}")

    @property
    def api_url(self) -> str:
        """Root of the API."""
        return f"http://127.0.0.1:{self.port}"

    def healthy(self) -> bool:
        """Whether /api/health answers 200."""
        return healthy(self.api_url)

    def health_text(self) -> str:
        """What it says."""
        return health_text(self.api_url)

    def processes(self) -> list[psutil.Process]:
        """Everything below ``wayside up``."""
        if self.process is None:
            return []
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def part(self, name: str, chance: random.Random) -> psutil.Process | None:
        """A process of a part."""
        found = [process for process in self.processes() if _title(process).startswith(PARTS[name])]
        return chance.choice(found) if found else None

    def cluster_address(self) -> str:
        """Address of this installation's own Ray."""
        for process in self.processes():
            for argument in _command(process):
                if argument.startswith("--gcs-address="):
                    return argument.partition("=")[2]
        raise SystemExit("no raylet below wayside up")

    def memory_mib(self) -> dict[tuple[str, int], float]:
        """PSS of every process, by what it is and its id."""
        found: dict[tuple[str, int], float] = {}
        roots = [psutil.Process(self.process.pid)] if self.process and self.process.poll() is None else []
        for process in [*roots, *self.processes()]:
            try:
                pss = process.memory_full_info().pss / 2**20
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            found[_what(_title(process)), process.pid] = pss
        return found

    def kill_whole(self) -> None:
        """SIGKILL to the one process that was started; as under systemd, what is left of it is ended five seconds later."""
        assert self.process is not None
        below = self.processes()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        _, alive = psutil.wait_procs(below, timeout=5)
        if alive:
            print("  left over after 5 s:", [_title(process).strip() for process in alive])
            for process in alive:
                process.kill()

    def stop(self) -> None:
        """End in order."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(120)


class ApiWatch:
    """Asks /api/health five times a second, for ever."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._good: list[float] = []
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            if self._installation.healthy():
                self._good.append(time.time())
            time.sleep(0.2)

    def away_s(self, since: float, until: float) -> float:
        """Longest time between two answers that all is well; 0 when there was none of more than a second."""
        inside = [since, *[at for at in list(self._good) if since < at < until], until]
        longest = max(b - a for a, b in itertools.pairwise(inside))
        return longest if longest > 1 else 0.0


def _what(title: str) -> str:
    """Short name of a process by its command line."""
    for name, begin in PARTS.items():
        if title.startswith(begin):
            return name
    known = ("ServeController", "ProxyActor", "gcs_server", "raylet/raylet", "dashboard.py", "agent", "cluster up", "log_monitor")
    return next((name for name in known if name in title), "ray::IDLE" if "IDLE" in title else "other")


def _title(process: psutil.Process) -> str:
    return " ".join(_command(process))


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return []
