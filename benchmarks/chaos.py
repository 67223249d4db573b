"""Kills parts of a running Wayside and says what was lost and how long it took to come back.

    python -m benchmarks.chaos table [--port 8700] [--rows 0-3,7]  each part once: the kill table
    python -m benchmarks.chaos head [--port 8700]                  the head of a cluster of two nodes, its state kept in a Redis
    python -m benchmarks.chaos soak --minutes 30 [--port 8700]     random kills, then: sent = received by id, memory flat?

Starts a Wayside of its own (temporary data folder, ``wayside up`` as a process) with four cameras: MJPEG servers of this program
that play one simulated film in a loop, a few frames a second, so that two cores suffice. A receiver of this program takes all
vehicles and task states. Plates and attributes are off. Killing is SIGKILL by process id, chosen among the descendants of that
one process. Needs psutil.

Columns: ``gap``: longest time without a newly analysed frame, of any camera (looked at five times a second); ``API``: longest
time in which /api/health did not answer that all is well; ``delivered``: time until a vehicle was delivered that passed after
the kill; ``vehicles``: of the film's loop with the kill, all cameras, beside those of quiet loops; ``twice``: deliveries that
came again under their id.
"""

import argparse
import contextlib
import itertools
import json
import os
import random
import secrets
import shutil
import sqlite3
import statistics
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from actors.simulation import SimulatedCamera, parse_address
from api.database import Database
from api.receiver import Receiver
from benchmarks.chaos_installation import CAMERAS, FILM, LOOP_S, PARTS, PASSWORD, ApiWatch, Arrivals, Film, Installation
from cluster.client import ApiClient

WHOLE, NEW_VERSION = "whole `wayside up`", "(a new version is deployed)"
FROZEN = "(camera frozen, SIGSTOP)"
LOCKED, NO_ARCHIVE = "(database locked for 60 s)", "(archive unwritable for 20 s)"


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

        # Not by ``health``, whose questions keep a camera's lease.
        frames_analysed: Any = lambda camera: camera._runner.health().frames_analysed  # noqa: E731, travels by value
        last: tuple[Any, int] = (None, -1)
        while not self._stop.wait(0.2):
            try:
                handle = ray.get_actor(f"camera-{name}", namespace="wayside")
                count = ray.get(handle.__ray_call__.remote(frames_analysed), timeout=2)
            except (RayError, ValueError):
                continue
            mark = (handle._actor_id, count)
            if mark != last and count:
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

    def __init__(self, port: int, make: type[Installation] = Installation, watch: type[Any] = Watch) -> None:
        self._make_watch = watch
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        print("making the film …", flush=True)
        self.film, self.arrivals, self.chance = Film(), Arrivals(), random.Random(1)
        self.receiver = Receiver(on_push=self.arrivals.take)
        self.installation = make(self.folder, port)
        self.api_watch = ApiWatch(self.installation)

    def __enter__(self) -> "Run":
        self.receiver.__enter__()
        try:
            self._begin()
        except BaseException:
            self.installation.stop()
            raise
        return self

    def _begin(self) -> None:
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
            self._until_running(api, f"c{n}")
        api.close()
        self.watch = self._make_watch(self.installation)

    def _until_running(self, api: ApiClient, num: str) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if any(task["taskNum"] == num and task["framesAnalysed"] for task in api.call("task/list")):
                return
            time.sleep(0.5)

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
            self.watch = self._make_watch(self.installation)
            return True
        process = self.installation.part("camera" if name == FROZEN else name, self.chance)
        if process is None:
            return False
        if name == FROZEN:
            process.suspend()  # the supervisor has to notice that it does not answer
        else:
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

    def statuses(self) -> list[str]:
        """States of the tasks."""
        api = ApiClient(f"http://127.0.0.1:{self.installation.port}", PASSWORD)
        try:
            return [task["statusName"] for task in api.call("task/list")]
        finally:
            api.close()

    def balance(self) -> dict[str, Any]:
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


ROWS = (*PARTS, FROZEN, NEW_VERSION, NO_ARCHIVE, LOCKED, WHOLE)


def chosen(text: str) -> list[str]:
    """Rows by number: "0-3,7"."""
    numbers: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return [ROWS[number] for number in numbers]


def table(port: int, names: list[str]) -> None:
    """Each of the rows once."""
    with Run(port) as run:
        run.delivered_after(time.time())
        first = run.film.loop_of(time.time()) + 1
        run.until_loop(first + 2)
        rows, killed_loops = [], set()
        for name in names:
            loop = run.film.loop_of(time.time() + LOOP_S - 4)  # the present one when it has just begun
            run.until_loop(loop)
            time.sleep(max(0.0, run.film.begin + loop * LOOP_S + 4 - time.time()))
            moment, twice = time.time(), run.arrivals.twice()
            if not run.kill(name):
                print(f"no process of {name}", flush=True)
                continue
            _well_again(run)
            delivered = run.delivered_after(moment)
            end = max(loop + 2, run.film.loop_of(time.time()) + 1)
            run.until_loop(end)
            time.sleep(2)
            killed_loops |= set(range(loop, end + 1))
            span = (moment - 1, time.time())
            gap, away = run.watch.gap_s(*span), run.api_watch.away_s(*span)
            rows.append((name, loop, gap, away, delivered, run.arrivals.twice() - twice))
            print(f"{name}: gap {gap:.1f} s, API away {away:.1f} s, delivered {delivered:.1f} s", flush=True)
        run.until_loop(run.film.loop_of(time.time()) + 2)
        balance, counts = run.balance(), run.loop_counts()
    last = max(counts)
    quiet = [counts[n] for n in range(first, last) if n not in killed_loops]
    middle = statistics.median(quiet)
    print(f"\nquiet loops: {min(quiet)}..{max(quiet)} vehicles of all cameras (median {middle}), {len(quiet)} loops")
    print("| killed | gap of analysed frames | API away | next vehicle delivered | vehicles, this loop and next | twice |")
    print("|---|---|---|---|---|---|")
    for name, loop, gap, away, delivered, twice in rows:
        print(f"| {name} | {gap:.1f} s | {away:.1f} s | {delivered:.1f} s | {counts[loop]}, {counts[loop + 1]} | {twice} |")
    print(json.dumps(balance))


def head(port: int) -> None:
    """The head of a cluster with a Redis is killed and started again ten seconds later; then a camera is killed."""
    from benchmarks.chaos_cluster import ClusterInstallation, NodeWatch

    with Run(port, ClusterInstallation, NodeWatch) as run:
        run.delivered_after(time.time())
        run.settle(20)
        cluster: Any = run.installation
        cameras, twice = run.watch.pids(), run.arrivals.twice()
        run.watch.detach()
        moment = time.time()
        cluster.kill_head()
        waited = run.delivered_after(moment, timeout_s=10)  # nan: the pusher was on the head
        print(f"head killed; delivered without a head after {waited:.1f} s", flush=True)
        time.sleep(max(0.0, moment + 10 - time.time()))
        cluster.start_head()
        started = time.time()
        well = started - moment + run.installation.wait_for_api(240)
        print(f"API well {well:.1f} s after the kill, delivered {run.delivered_after(moment):.1f} s after it", flush=True)
        run.settle(20)
        kept, gap = run.watch.pids() == cameras, run.watch.gap_s(moment - 1, time.time())
        print(f"head: gap {gap:.1f} s, cameras kept: {kept}, twice: {run.arrivals.twice() - twice}", flush=True)
        before = time.time()
        run.kill("camera")
        print(f"then a camera killed: well {_well_again(run):.1f} s, delivered {run.delivered_after(before):.1f} s", flush=True)
        run.settle(20)
        print(f"states: {run.statuses()}")
        print(json.dumps(run.balance()))


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
        memory = Memory()
        while time.monotonic() < end:
            name = run.chance.choice([*PARTS, *PARTS, FROZEN])
            if not kills[WHOLE] and time.monotonic() > end - minutes * 60 * 0.8:
                name = WHOLE  # once: what begins anew all the time cannot be seen to grow
            if run.kill(name):
                kills[name] += 1
            memory = Memory() if name == WHOLE else memory
            time.sleep(run.chance.uniform(8, 20))
            if _well_again(run) >= 120:
                print(f"not well 120 s after {name}: {run.installation.health_text()}", flush=True)
            now, got = memory.look(run.installation), len(run.arrivals.ids)
            print(f"{sum(kills.values())} kills, now {name}, {now:.0f} MiB, {got} received", flush=True)
        run.settle(75)  # a camera frozen last is noticed in the meantime
        statuses = run.statuses()
        balance = run.balance()
        memory.look(run.installation)
        logs = (run.folder / "data" / "wayside.sqlite3").stat().st_size / 2**20
    print(f"{minutes:g} minutes, {sum(kills.values())} kills {dict(kills)}; cameras in the end: {statuses}")
    print(f"database {logs:.1f} MiB")
    memory.tell()
    print(json.dumps(balance))


class Memory:
    """PSS of every process over time."""

    def __init__(self) -> None:
        self._sums: list[float] = []
        self._of: dict[tuple[str, int], list[tuple[float, float]]] = {}

    def look(self, installation: Installation) -> float:
        """Add a sample; returns the sum in MiB."""
        sample = installation.memory_mib()
        for key, mib in sample.items():
            self._of.setdefault(key, []).append((time.monotonic(), mib))
        self._sums.append(sum(sample.values()))
        return self._sums[-1]

    def tell(self) -> None:
        """The sums, and each process that lived for five minutes or more: after its second minute and in the end."""
        third = max(1, len(self._sums) // 3)
        early, late = (statistics.median(part) for part in (self._sums[:third], self._sums[-third:]))
        print(f"memory since the whole was killed, PSS of all, median of first and last third: {early:.0f} -> {late:.0f} MiB")
        for (name, pid), samples in sorted(self._of.items()):
            settled = [(at, mib) for at, mib in samples if at - samples[0][0] >= 120]
            if settled and samples[-1][0] - samples[0][0] >= 300:
                (begin, first), (end, last) = settled[0], settled[-1]
                per_hour = (last - first) / max(end - begin, 1) * 3600
                print(f"  {name} {pid}: {first:.0f} -> {last:.0f} MiB in {(end - begin) / 60:.0f} min ({per_hour:+.0f} MiB/h)")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Kill parts of a running Wayside.")
    parser.add_argument("what", choices=["table", "head", "soak"])
    parser.add_argument("--port", type=int, default=8700)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument(
        "--rows", metavar="0-3,7", help="rows of the table: " + ", ".join(f"{n} {row}" for n, row in enumerate(ROWS))
    )
    arguments = parser.parse_args()
    # One token for the Ray of `wayside up` and for this program, which looks at its actors; Ray reads it when it is imported.
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    if arguments.what == "table":
        table(arguments.port, chosen(arguments.rows) if arguments.rows else list(ROWS))
    elif arguments.what == "head":
        head(arguments.port)
    else:
        soak(arguments.port, arguments.minutes)


if __name__ == "__main__":
    main()
