"""Kills parts of a running Wayside and says what was lost and how long it took to come back.

    python -m benchmarks.chaos table [--port 8700]                 each part once: the kill table
    python -m benchmarks.chaos soak --minutes 30 [--port 8700]     random kills, then: sent = received by id, memory flat?

Starts a Wayside of its own (temporary data folder, ``wayside up`` as a process) with four cameras: MJPEG servers of this program
that play one simulated film in a loop, a few frames a second, so that two cores suffice. A receiver of this program takes all
vehicles and task states. Killing is SIGKILL by process id, chosen among the descendants of that one process. Needs psutil.

Columns: ``gap``: longest time without a newly analysed frame, of any camera (looked at five times a second); ``API``: time
until /api/health answers "ok" again; ``delivered``: time until a vehicle was delivered that passed after the kill;
``vehicles``: of the film's loop with the kill, all cameras, beside those of quiet loops; ``twice``: deliveries that came again
under their id.
"""

import argparse
import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
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
from api.database import Database
from api.receiver import Push, Receiver
from cluster.client import ApiClient

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
WHOLE, NEW_VERSION = "whole `wayside up`", "(a new version is deployed)"
LOCKED, NO_ARCHIVE = "(database locked for 60 s)", "(archive unwritable for 20 s)"


class Film:
    """MJPEG servers that all show the same picture at the same time."""

    def __init__(self) -> None:
        frames = list(SimulatedCamera(parse_address(FILM)).frames())
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

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def play(self, out: Any) -> None:
        """The picture of the moment, for ever."""
        while True:
            now = time.time() - self.begin
            number = int(now * FPS)
            image = self._pictures[number % len(self._pictures)]
            out.write(f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n".encode() + image + b"\r\n")
            time.sleep(max(0.0, (number + 1) / FPS - (time.time() - self.begin)))

    def url(self, camera: int) -> str:
        """Address of a camera."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{camera}"

    def loop_of(self, time_s: float) -> int:
        """Number of the loop that shows at a moment."""
        return int((time_s - self.begin) // LOOP_S)


class Arrivals:
    """What the receiver got."""

    def __init__(self) -> None:
        self.ids: Counter[str] = Counter()
        self.passed: list[tuple[float, float]] = []  # (moment of the passage, of its first arrival)
        self.invalid = 0
        self.lock = threading.Lock()

    def take(self, push: Push) -> None:
        """One push."""
        with self.lock:
            delivery = push.headers["webhook-id"]
            self.ids[delivery] += 1
            self.invalid += bool(push.problems)
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
            "OUTBOUND_ALLOW": "127.0.0.1", "ANALYSED_FPS": str(FPS),
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

    def healthy(self) -> bool:
        """Whether /api/health answers 200."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/api/health", timeout=3, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def health_text(self) -> str:
        """What it says."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/api/health", timeout=10, trust_env=False).text[:500]
        except httpx.HTTPError as error:
            return repr(error)

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

    def memory_mib(self) -> dict[str, float]:
        """PSS by part, and of everything."""
        found: Counter[str] = Counter()
        for process in self.processes():
            try:
                pss = process.memory_full_info().pss / 2**20
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            title = _title(process)
            name = next((part for part, begin in PARTS.items() if title.startswith(begin)), "other")
            found[name] += pss
            found["all"] += pss
        return dict(found)

    def kill_whole(self) -> None:
        """SIGKILL to the one process that was started; everything below it has to end by itself."""
        assert self.process is not None
        below = self.processes()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        _, alive = psutil.wait_procs(below, timeout=30)
        if alive:
            print("  left over after 30 s:", [_title(process) for process in alive])
            for process in alive:
                process.kill()

    def stop(self) -> None:
        """End in order."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(120)


def _title(process: psutil.Process) -> str:
    return " ".join(_command(process))


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return []


class Watch:
    """Looks at every camera's count of analysed frames, five times a second, straight at the camera actors."""

    def __init__(self, installation: Installation) -> None:
        import ray

        ray.init(address=installation.cluster_address(), namespace="wayside", log_to_driver=False, configure_logging=False)
        self.at: dict[str, list[float]] = {f"c{n}": [] for n in range(CAMERAS)}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._look, args=(name,), daemon=True) for name in self.at]
        for thread in self._threads:
            thread.start()

    def _look(self, name: str) -> None:
        import ray
        from ray.exceptions import RayError

        last: tuple[Any, int] = (None, -1)
        while not self._stop.wait(0.2):
            try:
                handle = ray.get_actor(f"camera-{name}", namespace="wayside")
                health = ray.get(handle.health.remote(), timeout=2)
            except (RayError, ValueError):
                continue
            mark = (handle._actor_id, health.frames_analysed)
            if mark != last and health.frames_analysed:
                self.at[name].append(time.time())
                last = mark

    def gap_s(self, since: float, until: float) -> float:
        """Longest time between two looks with new frames, of any camera, within a span."""
        worst = 0.0
        for times in self.at.values():
            inside = [since, *[at for at in list(times) if since < at < until], until]
            worst = max(worst, *(b - a for a, b in itertools.pairwise(inside)))
        return worst

    def close(self) -> None:
        """Detach."""
        import ray

        self._stop.set()
        for thread in self._threads:
            thread.join(5)
        ray.shutdown()


class Run:
    """One installation with its cameras and its receiver."""

    def __init__(self, port: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        print("making the film …", flush=True)
        self.film, self.arrivals, self.chance = Film(), Arrivals(), random.Random(1)
        self.receiver = Receiver(on_push=self.arrivals.take)
        self.installation = Installation(self.folder, port)

    def __enter__(self) -> "Run":
        self.receiver.__enter__()
        begin = time.monotonic()
        self.installation.start()
        print(f"up after {time.monotonic() - begin:.1f} s", flush=True)
        api = ApiClient(f"http://127.0.0.1:{self.installation.port}", PASSWORD)
        company, url = {"companyName": "c", "companyId": "1", "appId": "a"}, self.receiver.url
        for business in (21, 52):
            on_trigger = {"businessType": business, "triggerCondition": 2}
            api.call("interface/add", name=f"r{business}", url=url, **on_trigger, **company)
        periodic = {"triggerCondition": 1, "uploadPeriod": 10}
        api.call("interface/add", name="parameters", businessType=22, url=url, **periodic, **company)
        scene = SimulatedCamera(parse_address(FILM)).scene_document()
        for n in range(CAMERAS):
            api.call("task/add", taskNum=f"c{n}", taskName=f"c{n}", srcAddress=self.film.url(n), scene=scene)
        api.close()
        self.watch = Watch(self.installation)
        return self

    def __exit__(self, *_: object) -> None:
        self.watch.close()
        self.installation.stop()
        self.receiver.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def settle(self, seconds: float) -> None:
        """Let it run."""
        time.sleep(seconds)

    def until_loop(self, number: int) -> None:
        """Until a loop of the film begins."""
        time.sleep(max(0.0, self.film.begin + number * LOOP_S - time.time()))

    def loop_counts(self) -> Counter[int]:
        """Vehicles by loop, all cameras."""
        with self.arrivals.lock:
            return Counter(self.film.loop_of(at) for at, _ in self.arrivals.passed)

    def kill(self, name: str) -> bool:
        """Kill a part, or do the fault; whether there was one."""
        faults = {NEW_VERSION: self.installation.deploy, LOCKED: self._lock_database, NO_ARCHIVE: self._take_archive}
        if name in faults:
            faults[name]()
            return True
        if name == WHOLE:
            self.watch.close()
            self.installation.kill_whole()
            self.installation.start()
            self.watch = Watch(self.installation)
            return True
        process = self.installation.part(name, self.chance)
        if process is None:
            return False
        process.kill()
        return True

    def _lock_database(self) -> None:
        with contextlib.closing(sqlite3.connect(self.folder / "data" / "wayside.sqlite3", isolation_level=None)) as holder:
            holder.execute("PRAGMA busy_timeout=20000")
            holder.execute("BEGIN EXCLUSIVE")
            time.sleep(60)
            print("  while locked:", self.installation.health_text(), flush=True)

    def _take_archive(self) -> None:
        archive = self.folder / "data" / "archive"
        archive.rename(archive.with_name("aside"))
        archive.write_text("no folder")
        time.sleep(20)
        print("  without archive:", self.installation.health_text(), flush=True)
        archive.unlink()
        archive.with_name("aside").rename(archive)

    def delivered_after(self, moment: float, timeout_s: float = 90.0) -> float:
        """Seconds from ``moment`` until a vehicle arrived that passed after it."""
        while time.time() - moment < timeout_s:
            with self.arrivals.lock:
                found = [arrived for at, arrived in self.arrivals.passed if at > moment]
            if found:
                return min(found) - moment
            time.sleep(0.2)
        return float("nan")

    def balance(self) -> dict[str, int]:
        """Sent and received by id, once nothing waits any more."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            rows = self._deliveries()
            if all(state == "delivered" for state in rows.values()):
                break
            time.sleep(1)
        with self.arrivals.lock:
            got = set(self.arrivals.ids)
        return {
            "in the outbox": len(rows),
            "received": len(got),
            "missing": len(rows.keys() - got),
            "unknown": len(got - rows.keys()),
            "not delivered": sum(state != "delivered" for state in rows.values()),
            "twice": self.arrivals.twice(),
            "invalid": self.arrivals.invalid,
        }

    def _deliveries(self) -> dict[str, str]:
        from sqlalchemy import text

        with Database(f"sqlite:///{self.folder}/data/wayside.sqlite3").session() as session:
            return dict(session.execute(text("SELECT id, state FROM delivery")).all())  # type: ignore[arg-type]


def table(port: int) -> None:
    """Each part once."""
    with Run(port) as run:
        run.delivered_after(time.time())
        first = run.film.loop_of(time.time()) + 1
        run.until_loop(first + 3)
        rows, killed_loops = [], set()
        for name in (*PARTS, NEW_VERSION, NO_ARCHIVE, LOCKED, WHOLE):
            loop = run.film.loop_of(time.time()) + 1
            run.until_loop(loop)
            time.sleep(4)
            moment, twice = time.time(), run.arrivals.twice()
            if not run.kill(name):
                print(f"no process of {name}", flush=True)
                continue
            well = run.installation.wait_for_api(120) if name == WHOLE else _well_again(run)
            well = time.time() - moment if name == WHOLE else well
            delivered = run.delivered_after(moment)
            end = max(loop + 2, run.film.loop_of(time.time()) + 1)
            run.until_loop(end)
            time.sleep(2)
            killed_loops |= set(range(loop, end + 1))
            rows.append((name, loop, run.watch.gap_s(moment - 1, time.time()), well, delivered, run.arrivals.twice() - twice))
            print(f"{name}: gap {rows[-1][2]:.1f} s, API {well:.1f} s, delivered {delivered:.1f} s", flush=True)
        run.until_loop(run.film.loop_of(time.time()) + 3)
        balance, counts = run.balance(), run.loop_counts()
    last = max(counts)
    quiet = [counts[n] for n in range(first, last) if n not in killed_loops]
    middle = statistics.median(quiet)
    print(f"\nquiet loops: {min(quiet)}..{max(quiet)} vehicles of all cameras (median {middle}), {len(quiet)} loops")
    print("| killed | gap of analysed frames | API well again | next vehicle delivered | vehicles, this loop and next | twice |")
    print("|---|---|---|---|---|---|")
    for name, loop, gap, well, delivered, twice in rows:
        print(f"| {name} | {gap:.1f} s | {well:.1f} s | {delivered:.1f} s | {counts[loop]}, {counts[loop + 1]} | {twice} |")
    print(json.dumps(balance))


def _well_again(run: Run) -> float:
    """Seconds until health has answered ok twice in a row (a fault needs a moment to show)."""
    begin, good = time.monotonic(), 0
    since = begin
    while good < 4 and time.monotonic() - begin < 120:
        if run.installation.healthy():
            good += 1
            since = since if good > 1 else time.monotonic()
        else:
            good = 0
        time.sleep(0.5)
    return since - begin


def soak(port: int, minutes: float) -> None:
    """Random kills."""
    with Run(port) as run:
        run.delivered_after(time.time())
        run.settle(20)
        end = time.monotonic() + minutes * 60
        kills: Counter[str] = Counter()
        memory: list[dict[str, float]] = [run.installation.memory_mib()]
        while time.monotonic() < end:
            name = run.chance.choice([*PARTS, *PARTS, WHOLE]) if minutes >= 5 else run.chance.choice([*PARTS])
            if run.kill(name):
                kills[name] += 1
            time.sleep(run.chance.uniform(8, 20))
            if _well_again(run) >= 120:
                print(f"not well 120 s after {name}: {run.installation.health_text()}", flush=True)
            memory.append(run.installation.memory_mib())
            now, got = memory[-1]["all"], len(run.arrivals.ids)
            print(f"{sum(kills.values())} kills, now {name}, {now:.0f} MiB, {got} received", flush=True)
        run.settle(20)
        balance = run.balance()
        memory.append(run.installation.memory_mib())
        logs = (run.folder / "data" / "wayside.sqlite3").stat().st_size / 2**20
    third = max(1, len(memory) // 3)
    early, late = (statistics.median(m["all"] for m in part) for part in (memory[:third], memory[-third:]))
    print(f"{minutes:g} minutes, {sum(kills.values())} kills {dict(kills)}")
    print(f"memory, PSS of all, median of first and last third: {early:.0f} -> {late:.0f} MiB; database {logs:.1f} MiB")
    for part in PARTS:
        print(f"  {part}: {[round(m.get(part, 0)) for m in memory]}")
    print(json.dumps(balance))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Kill parts of a running Wayside.")
    parser.add_argument("what", choices=["table", "soak"])
    parser.add_argument("--port", type=int, default=8700)
    parser.add_argument("--minutes", type=float, default=30.0)
    arguments = parser.parse_args()
    if arguments.what == "table":
        table(arguments.port)
    else:
        soak(arguments.port, arguments.minutes)


if __name__ == "__main__":
    main()
