"""Kills, cuts off and adds machines of a Wayside on three of them, and says what was lost and how long it took to come back.

    python -m benchmarks.chaos_nodes ROW… [--redis] [--s3] [--tls] [--ray-defaults] [--gpus 1] [--port 8330] [--seconds 75]

Rows (see ``ROWS``): ``cameras``, ``pusher``: a machine with those is killed; ``power``: it vanishes without a word; ``cut``:
it is cut off from all; ``island``: from the cluster only, with cameras, database and receivers in reach; ``head``; ``gpu``: the
first machine with a detector, which joins again 15 s later; ``join``: one more machine; ``move``: a machine that was gone
comes back and cameras go to it; ``deploy``: a new version. Machines are network namespaces (``benchmarks.chaos_machines``), so
this needs root. Four MJPEG cameras show one simulated film in a loop, in step, a few frames a second. Needs psutil.

What is said of a row: ``blind``: longest time without a newly analysed frame, of any camera, seen by actors on the machines
themselves; ``seen twice``: seconds in which two processes analysed one camera; ``delivered``: time until a vehicle was
delivered that passed after the fault; ``API``: longest time in which /api/health did not say that all is well;
``vehicles``: of the film's loops around the fault, held against its quiet loops: what is missing, what came a second time
(same camera, lane and moment) and what fits nothing; ``ids twice``: deliveries that came again under their id; ``windows``:
lanes' parameters that came under two ids for one lane and moment.
"""

import argparse
import itertools
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from actors.simulation import SimulatedCamera, parse_address
from api.database import Database
from api.receiver import Push, Receiver
from benchmarks.chaos_installation import LOOP_S, PASSWORD, ZONE, ApiWatch, Film
from benchmarks.chaos_machines import HEAD, OTHERS, Machines
from benchmarks.chaos_network import HERE
from benchmarks.grafana_panels import draw
from cluster.client import ApiClient

FPS, CAMERAS = 4, 4
FILM = f"sim://approach?seed=3&fps={FPS}&duration_s={LOOP_S}&width=640&height=360&flow=2400"
SAME_S = 1.5  # times on the wire are whole seconds


class Arrivals:
    """What the receiver got."""

    def __init__(self) -> None:
        self.ids: Counter[str] = Counter()
        self.vehicles: list[tuple[str, int, float, float]] = []  # camera, lane, moment, arrival
        self.windows: defaultdict[tuple[str, int, str], list[str]] = defaultdict(list)
        self.invalid: list[str] = []
        self.lock = threading.Lock()

    def take(self, push: Push) -> None:
        """One push."""
        with self.lock:
            delivery, now = push.headers["webhook-id"], time.time()
            self.ids[delivery] += 1
            if push.problems:
                self.invalid.append(f"{push.kind}: {push.problems[0]}"[:200])
            if self.ids[delivery] > 1:
                return
            if push.kind == "vehicle-snapshot":
                self.vehicles.append((push.body["taskNum"], push.body["roadNum"], _moment(push.body["snapshotTime"]), now))
            if push.kind == "traffic-parameters":
                for item in push.body:
                    key = item["taskNum"], item["roadNum"], item["snapshotTime"]
                    told = {name: value for name, value in item.items() if name not in ("taskName", "dataSource")}
                    self.windows[key].append(f"at {now:.1f} in {delivery}: {told}")

    def twice(self) -> int:
        """Arrivals beyond the first of their id."""
        with self.lock:
            return self.ids.total() - len(self.ids)

    def windows_twice(self) -> list[list[str]]:
        """Parameters of a lane and moment that came more than once."""
        with self.lock:
            return [found for found in self.windows.values() if len(found) > 1]


def _moment(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZONE).timestamp()


class Looks:
    """What the eyes on the machines wrote down."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def by_camera(self) -> dict[str, list[dict[str, Any]]]:
        """Looks of each camera in order of time."""
        found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for file in self._folder.glob("looks-*.jsonl"):
            for line in file.read_text().splitlines():
                if line.endswith("}"):
                    look = json.loads(line)
                    found[look["camera"]].append(look)
        return {camera: sorted(looks, key=lambda look: look["at"]) for camera, looks in found.items()}

    def blind_s(self, since: float, until: float) -> dict[str, float]:
        """By camera, the longest time without a new frame."""
        worst = {}
        for camera, looks in self.by_camera().items():
            inside = [since, *[look["at"] for look in looks if since < look["at"] < until], until]
            worst[camera] = max(b - a for a, b in itertools.pairwise(inside))
        return worst

    def twice_s(self, since: float, until: float) -> dict[str, float]:
        """By camera, the seconds in which two processes both found new frames."""
        worst = {}
        for camera, looks in self.by_camera().items():
            seen: defaultdict[int, set[str]] = defaultdict(set)
            for look in looks:
                if since < look["at"] < until:
                    seen[int(look["at"])].add(look["actor"])
            worst[camera] = float(sum(len(actors) > 1 for actors in seen.values()))
        return worst


class Run:
    """Machines with their cameras and receiver."""

    def __init__(self, machines: Callable[[Path], Machines]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kl-chaos-", dir="/tmp"))
        self.arrivals, self.looks = Arrivals(), Looks(self.folder)
        self.machines = machines(self.folder)
        self.quiet: set[int] = set()

    def __enter__(self) -> "Run":
        begin = time.monotonic()
        try:
            self._begin()
        except BaseException:
            self.machines.stop()
            raise
        print(f"ready after {time.monotonic() - begin:.0f} s; {self.machines.places()}", flush=True)
        return self

    def _begin(self) -> None:
        self.machines.start()
        self.film = Film(FILM, HERE)
        self.receiver = Receiver(host=HERE, on_push=self.arrivals.take)
        self.receiver.__enter__()
        self.api_watch = ApiWatch(self.machines)  # type: ignore[arg-type]
        api = self.api()
        company, url = {"companyName": "c", "companyId": "1", "appId": "a"}, self.receiver.url
        for business in (21, 52):
            api.call("interface/add", name=f"r{business}", url=url, businessType=business, triggerCondition=2, **company)
        periodic = {"triggerCondition": 1, "uploadPeriod": 10}
        api.call("interface/add", name="parameters", businessType=22, url=url, **periodic, **company)
        scene = SimulatedCamera(parse_address(FILM)).scene_document()
        for n in range(CAMERAS):
            api.call("task/add", taskNum=f"c{n}", taskName=f"c{n}", srcAddress=self.film.url(n), scene=scene)
        until = time.monotonic() + 120
        while not all(task["framesAnalysed"] for task in api.call("task/list")):
            if time.monotonic() > until:
                raise SystemExit(f"cameras do not analyse: {api.call('task/list')}")
            time.sleep(0.5)
        api.close()

    def __exit__(self, *_: object) -> None:
        self.machines.stop()
        self.receiver.__exit__()
        if os.environ.get("KEEP"):
            print("kept", self.folder)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def api(self) -> ApiClient:
        """A client."""
        return ApiClient(self.machines.api_url, PASSWORD)

    def until_loop(self, number: int) -> None:
        """Until a loop of the film begins."""
        time.sleep(max(0.0, self.film.begin + number * LOOP_S - time.time()))

    def settle(self, loops: int) -> None:
        """Let whole loops pass and remember them as quiet."""
        first = self.film.loop_of(time.time()) + 1
        self.until_loop(first + loops)
        time.sleep(2)
        self.quiet |= set(range(first, first + loops))

    def vehicles(self, loops: set[int]) -> dict[tuple[str, int], list[tuple[int, float]]]:
        """(lane, seconds into the loop) by camera and loop."""
        found: dict[tuple[str, int], list[tuple[int, float]]] = {(f"c{n}", loop): [] for n in range(CAMERAS) for loop in loops}
        with self.arrivals.lock:
            for camera, lane, at, _ in self.arrivals.vehicles:
                loop = self.film.loop_of(at)
                if (camera, loop) in found:
                    found[camera, loop].append((lane, (at - self.film.begin) % LOOP_S))
        return found

    def compare(self, loops: set[int]) -> str:
        """Loops held against the quiet ones."""
        quiet = self.vehicles(self.quiet)
        reference = sorted(quiet.values(), key=len)[len(quiet) // 2]
        own = [held_against(found, reference) for found in quiet.values()]
        missing, again, strange = (sum(column) for column in zip(*own, strict=True))
        told = (
            f"quiet: {len(reference)} a loop and camera, {len(own)} of them: {missing} missing, {again} again, {strange} strange"
        )
        found = self.vehicles(loops)
        rows = [held_against(item, reference) for item in found.values()]
        missing, again, strange = (sum(column) for column in zip(*rows, strict=True))
        return f"vehicles: {len(reference) * len(rows)} passed, {missing} missing, {again} again, {strange} strange ({told})"

    def delivered_after(self, moment: float) -> float:
        """Seconds from ``moment`` until a vehicle arrived, of each camera, that passed after it: the latest camera's."""
        with self.arrivals.lock:
            first: dict[str, float] = {}
            for camera, _, at, arrived in self.arrivals.vehicles:
                if at > moment:
                    first[camera] = min(first.get(camera, arrived), arrived)
        return max(first.values()) - moment if len(first) == CAMERAS else float("nan")

    def balance(self) -> str:
        """Sent and received by id, once nothing waits any more."""
        until = time.monotonic() + 60
        rows: dict[str, str] = {}
        while time.monotonic() < until:
            rows = self._deliveries()
            if all(state == "delivered" for state in rows.values()):
                break
            time.sleep(1)
        with self.arrivals.lock:
            got = set(self.arrivals.ids)
        late = sum(state != "delivered" for state in rows.values())
        return (
            f"deliveries: {len(rows)} in the outbox, {len(got)} received, {len(rows.keys() - got)} lost, {late} not delivered, "
            f"{len(got - rows.keys())} unknown, ids twice {self.arrivals.twice()}, "
            f"windows twice {len(self.arrivals.windows_twice())}, invalid {self.arrivals.invalid[:3]}"
        )

    def _deliveries(self) -> dict[str, str]:
        from sqlalchemy import text

        with Database(self.machines.database_url).session() as session:
            return dict(session.execute(text("SELECT id, state FROM delivery")).all())  # type: ignore[arg-type]

    def tell(self, name: str, moment: float, until: float) -> None:
        """A row's line."""
        blind, twice = self.looks.blind_s(moment - 1, until), self.looks.twice_s(moment - 1, until)
        last = self.film.loop_of(until)
        loops = set(range(self.film.loop_of(moment), last))
        print(f"{name}: blind {_most(blind)}; seen twice {_most(twice)}; delivered {self.delivered_after(moment):.1f} s;"
              f" API {self.api_watch.away_s(moment, until):.1f} s", flush=True)  # fmt: skip
        for told in self.arrivals.windows_twice()[:3]:
            print("  window twice:", *told, sep="\n    ", flush=True)
        print(f"  {self.compare(loops)}\n  {self.balance()}\n  {self.machines.places()}", flush=True)
        try:
            api = self.api()
            told = [(task["taskNum"], task["statusName"], task.get("reason", "")) for task in api.call("task/list")]
            api.close()
            print(f"  {told} {'' if self.machines.healthy() else self.machines.health_text()}", flush=True)
        except Exception as error:  # noqa: BLE001 what is said of a broken installation must not end the run
            print(f"  API: {error!r}", flush=True)


def _most(seconds: dict[str, float]) -> str:
    return " ".join(f"{camera} {value:.1f}" for camera, value in sorted(seconds.items())) + " s"


def held_against(found: list[tuple[int, float]], reference: list[tuple[int, float]]) -> tuple[int, int, int]:
    """Missing, again and strange vehicles of one camera and loop. Same: the lane, and the moment within SAME_S."""
    left, again, strange = list(reference), 0, 0
    for lane, at in sorted(found, key=lambda item: item[1]):
        near = [item for item in left if item[0] == lane and abs(item[1] - at) <= SAME_S]
        if near:
            left.remove(min(near, key=lambda item: abs(item[1] - at)))
        elif any(item[0] == lane and abs(item[1] - at) <= SAME_S for item in reference):
            again += 1
        else:
            strange += 1
    return len(left), again, strange


# -- rows -------------------------------------------------------------------------------------------------------------


def picture(machines: Machines, folder: Path | None, name: str) -> None:
    """Ray's dashboard of the moment, beside the run."""
    if folder:
        url = f"http://{machines.network.world_address(HEAD)}:8265"
        command = [sys.executable, "-m", "benchmarks.chaos_pictures", url, str(folder), name, "cluster", "serve", "actors"]
        with (folder / "pictures.log").open("ab") as log:
            subprocess.Popen(command, stdout=log, stderr=log)


def row(run: Run, name: str, seconds: float, pictures: Path | None = None, victim: str = "") -> None:
    """One fault, watched, mended."""
    machines = run.machines
    run.settle(3)
    victim = victim or _victim(machines, name)
    if name == "move":
        machines.kill(victim)
        time.sleep(45)
    run.until_loop(run.film.loop_of(time.time()) + 1)
    time.sleep(3)
    moment = time.time()
    print(f"-- {name}: {victim}; before: {machines.places()}", flush=True)
    picture(machines, pictures, f"{name}-before")
    if pictures:
        time.sleep(25)
        moment = time.time()
    if name in ("cameras", "pusher", "gpu"):
        machines.kill(victim)
    elif name == "power":
        machines.power_off(victim)
    elif name == "cut":
        machines.network.cut(victim, world=True)
    elif name == "island":  # off the cluster, with cameras, database and receivers in reach
        machines.network.cut(victim)
    elif name == "head":
        machines.kill(HEAD)
        time.sleep(10)
        print(f"  10 s without head: {machines.places()}", flush=True)
        machines.start_head()
    elif name == "join":
        join(run)
    elif name == "move":
        machines.start_node(victim)
        time.sleep(20)  # the cluster knows it by then, and no camera goes there before a minute has passed
        machines.look()
        seconds = max(seconds, 120.0)
    elif name == "deploy":
        machines.change(DATA_SOURCE=f"version {moment:.0f}")
        machines.deploy()
        print(f"  deployed after {time.time() - moment:.1f} s", flush=True)
    if name == "gpu":
        time.sleep(15)
        machines.start_node(victim)
        machines.look()  # or cameras that go there are not seen
    if name == "head" and not machines._redis:
        redeploy(machines)
    for after_s in (6, 30) if pictures else ():
        time.sleep(max(0.0, moment + after_s - time.time()))
        picture(machines, pictures, f"{name}-{after_s}s")
    time.sleep(max(0.0, moment + seconds - time.time()))
    if name in ("cut", "island"):
        print(f"  before the link is back: {machines.places()}", flush=True)
        machines.network.heal(victim)
        time.sleep(20)
        print(f"  20 s after: {machines.places()}; Ray on {victim} ended: {machines.ended(victim)}", flush=True)
    for other in OTHERS:
        if machines.ended(other):
            machines.kill(other)
            machines.start_node(other)
    time.sleep(5)
    run.tell(name, moment, time.time())
    if pictures:
        filled = draw(machines.prometheus_url, pictures / f"{name}-panels.png", moment - 60, time.time(), {moment: name})
        print(f"  {filled} panels of the Grafana dashboard have data", flush=True)
    machines.look()


def _victim(machines: Machines, name: str) -> str:
    """The machine that the most of what matters is on; never the head, unless it is the row's subject."""
    if name in ("head", "join", "deploy"):
        return HEAD
    if name == "gpu":
        return OTHERS[0]
    matters = ("pusher", "aggregator", "supervisor") if name in ("pusher", "island") else ("camera",)
    held = Counter(place for part in (*matters, "camera") for place in machines.place_of(part) if place in OTHERS)
    return held.most_common(1)[0][0]


def join(run: Run) -> None:
    """Two tasks more than there is room for, then a machine more."""
    scene = SimulatedCamera(parse_address(FILM)).scene_document()
    api = run.api()
    extra = [f"c{CAMERAS + n}" for n in range(2)]
    for num in extra:
        api.call("task/add", taskNum=num, taskName=num, srcAddress=run.film.url(0), scene=scene)
    time.sleep(20)
    print(f"  without room: {_states(api, extra)}", flush=True)
    begin = time.time()
    run.machines.start_node("three")
    started = time.time()
    while time.time() - begin < 120 and not all(state[3] for state in _states(api, extra)):
        time.sleep(0.5)
    now = time.time()
    print(
        f"  Ray on the new machine after {started - begin:.1f} s; both analysed after {now - begin:.1f} s: {_states(api, extra)};"
        f" {run.machines.places()}",
        flush=True,
    )
    api.close()


def _states(api: ApiClient, nums: list[str]) -> list[tuple[str, str, str, int]]:
    return [
        (task["taskNum"], task["statusName"], task.get("reason", ""), task["framesAnalysed"])
        for task in api.call("task/list")
        if task["taskNum"] in nums
    ]


def redeploy(machines: Machines) -> None:
    """As systemd would: machines whose Ray has ended start it again; then Wayside is deployed anew."""
    begin = time.monotonic()
    for other in OTHERS:
        while not machines.ended(other) and time.monotonic() - begin < 90:
            time.sleep(0.5)
        print(f"  Ray on {other} ended {time.monotonic() - begin:.1f} s after the new head", flush=True)
        machines.kill(other)
        machines.start_node(other)
    machines.deploy()
    print(f"  deployed again {time.monotonic() - begin:.1f} s after the new head", flush=True)
    machines.look()


ROWS = ("cameras", "pusher", "power", "cut", "island", "head", "gpu", "join", "move", "deploy")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Kill machines of a running Wayside.")
    parser.add_argument("rows", nargs="+", choices=ROWS)
    parser.add_argument("--port", type=int, default=8330)
    parser.add_argument("--seconds", type=float, default=75.0, help="how long a fault is watched before it is mended")
    parser.add_argument("--gpus", type=int, default=2)
    parser.add_argument("--victim", choices=OTHERS, default="", help="machine; else the one with the most of what matters")
    parser.add_argument("--camera-cpus", type=float, default=0.01, help="CPUs that each camera reserves; 0.8 for join")
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the dashboards (needs chromium, prometheus)")
    for flag in ("redis", "s3", "ray-defaults", "tls"):
        parser.add_argument(f"--{flag}", action="store_true")
    given = parser.parse_args()
    # One token for the whole cluster; Ray reads it when it is imported.
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    options = {"redis": given.redis, "s3": given.s3, "gpus": given.gpus, "ray_defaults": given.ray_defaults, "fps": FPS}
    options |= {"camera_cpus": given.camera_cpus, "tls": given.tls}
    with Run(lambda folder: Machines(folder, given.port, **options)) as run:
        for name in given.rows:
            row(run, name, given.seconds, given.pictures, given.victim)


if __name__ == "__main__":
    main()
