"""How far one installation goes: 1 to 1,000 tasks, everything real but the pixels.

    python -m benchmarks.scale curve --film FILM [--behind detections|facts] [--counts 1,10,100] [--out FILE]
    python -m benchmarks.scale actors --film FILM [--counts 1,4,16,32]

``curve``: cameras are the product's camera actors, many in one process (``scale_hosts``): a thousand processes do not fit here.
``--behind detections``: tracker, passages, samplers and events work on replayed detections (``replay``), until the CPU is used
up. ``--behind facts``: the analysis was done once and its facts and cells are told again (``scale_recorded``); all that stands
behind the cameras gets the load of as many cameras as wanted, without the cameras. ``actors``: one process each, as in the
product. A film is made by ``python -m benchmarks.replay FILM``; machines: ``benchmarks.scale_nodes``; plots:
``benchmarks.scale_plot``. Each line of ``--out`` is one measurement, JSON.
"""

import argparse
import json
import os
import time
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from actors.camera import CameraActor
from actors.camera_config import CameraServices
from actors.places import CameraPlaces
from actors.ports import CameraHealth
from api.database import Database
from api.tables import Interface, Task
from benchmarks import scale_meter as meter
from benchmarks.delivery import Receivers
from benchmarks.installation import Installation, busy_seconds, installation
from benchmarks.replay import ReplayDetector, ReplayOpener, load
from benchmarks.scale_hosts import HostedPlaces
from benchmarks.scale_recorded import ToldCamera, kept
from benchmarks.scale_recorded import keep as keep_results
from cluster.actors import SUPERVISOR, ActorSystem, actor_environment
from cluster.build import actor_system, camera_config, camera_places, camera_services
from cluster.settings import Settings
from traffic.facts import TaskStatusCode

_BUSINESS = ((21, 2), (22, 1), (52, 2))  # vehicles and states at once, parameters every minute
_POLL_S = 0.25


# -- the application under test -----------------------------------------------------------------------------------------------


def replay_services(settings: Settings, film: Path) -> CameraServices:
    """The product's services with a film in place of decoding and the detector, and without recognition."""
    import dataclasses

    return dataclasses.replace(
        camera_services(settings),
        connect_detector=partial(ReplayDetector, film),
        open_video=ReplayOpener(film),
        recognition=None,
        connect_weather=None,
    )


def make_system(film: Path, hosts: int, behind: str, settings: Settings) -> ActorSystem:
    """The product's long-lived actors; cameras in ``hosts`` processes, or in one each (0)."""
    services = replay_services(settings, film)
    places: CameraPlaces = camera_places(settings, services)
    if hosts:
        places = HostedPlaces(
            namespace=settings.namespace,
            services=services,
            config=camera_config(settings),
            hosts=hosts,
            camera=ToldCamera if behind == "facts" else CameraActor,
            options={"runtime_env": {"env_vars": actor_environment(settings)}},
            log_level=settings.log_level,
        )
    return actor_system(settings, places)


def application(film: Path, hosts: int, behind: str, arguments: dict[str, Any]) -> Any:
    """The Serve application: the product's ingress, without networks."""
    from cluster.ingress import make_ingress

    settings = Settings(**arguments)
    return make_ingress(settings, partial(make_system, film, hosts, behind)).bind(settings, None)


# -- tasks --------------------------------------------------------------------------------------------------------------------


class Running(Protocol):
    """What is asked of an installation here."""

    settings: Settings
    tasks: dict[str, int]


def set_tasks(wayside: Running, film: Path, count: int, fps: float, site: str = "") -> None:
    """Make the table hold ``count`` tasks, in one transaction, and tell the supervisor. ``site``: of the new ones."""
    scene, now_s = json.dumps(load(film).scene, ensure_ascii=False), time.time()
    with Database(wayside.settings.resolved_database_url).session() as session:
        for number in range(len(wayside.tasks), count):
            num = f"cam-{number:05d}"
            wayside.tasks[num] = number + 1
            row = Task(task_num=num, task_name=f"相机 {number}", src_address=f"rtsp://127.0.0.1/replay/{number}")
            row.scene, row.analysed_fps, row.created_at, row.site = scene, fps, now_s, site
            session.add(row)
        session.commit()
    _supervisor(wayside).tasks_changed.remote()


def set_interfaces(wayside: Running, urls: list[str]) -> None:
    """Receivers of vehicles, parameters and states."""
    with Database(wayside.settings.resolved_database_url).session() as session:
        for (business, trigger), url in zip(_BUSINESS, urls, strict=True):
            session.add(
                Interface(name=f"r{business}", business_type=business, trigger_condition=trigger, url=url, upload_period=60)
            )
        session.commit()
    import ray

    for name in ("pusher-0", "aggregator-0"):
        ray.get_actor(name, namespace=wayside.settings.namespace).interfaces_changed.remote()


def wait_until_running(wayside: Running, timeout_s: float) -> float:
    """Seconds until every task analyses, as the supervisor knows it. Raises TimeoutError."""
    begin = time.perf_counter()
    while True:
        health = health_of(wayside)
        ready = sum(item.status is TaskStatusCode.ANALYSING and item.frames_analysed > 0 for item in health.values())
        if ready == len(wayside.tasks):
            return time.perf_counter() - begin
        if time.perf_counter() - begin > timeout_s:
            raise TimeoutError(f"{ready} of {len(wayside.tasks)} analyse after {timeout_s:.0f} s")
        time.sleep(_POLL_S)


def _supervisor(wayside: Running) -> Any:
    import ray

    return ray.get_actor(SUPERVISOR, namespace=wayside.settings.namespace)


def health_of(wayside: Running) -> dict[str, CameraHealth]:
    """What the supervisor knows of the cameras."""
    import ray

    found: dict[str, CameraHealth] = ray.get(_supervisor(wayside).health.remote(), timeout=60)
    return found


# -- one measurement ----------------------------------------------------------------------------------------------------------


def measure(wayside: Installation, receivers: Receivers, seconds: float) -> dict[str, Any]:
    """What the installation does for ``seconds``, by part."""
    import ray

    commits, root = meter.Commits(wayside.settings.resolved_database_url), os.getpid()
    aggregator = ray.get_actor("aggregator-0", namespace=wayside.settings.namespace)
    receivers.arrived()
    cells = ray.get(aggregator.health.remote(), timeout=60)["cellsTaken"]
    first, rows, count, busy = health_of(wayside), commits.rows(), commits.count(), busy_seconds()
    parts, begin = meter.by_part(root), time.perf_counter()
    with meter.ApiProbe(wayside.api, next(iter(wayside.tasks.values()))) as probe:
        time.sleep(seconds)
    took = time.perf_counter() - begin
    after = meter.by_part(root)
    last, busy_after = health_of(wayside), busy_seconds()
    arrived = len(receivers.arrived())
    cells = ray.get(aggregator.health.remote(), timeout=60)["cellsTaken"] - cells
    written = {name: (value - rows.get(name, 0)) / took for name, value in commits.rows().items()}
    waits = commits.waits_s()
    pusher = ray.get(ray.get_actor("pusher-0", namespace=wayside.settings.namespace).health.remote(), timeout=60)
    state = ray.get(_supervisor(wayside).state.remote(), timeout=60)
    analysed = sum(last[num].frames_analysed - item.frames_analysed for num, item in first.items() if num in last)
    dropped = sum(last[num].frames_dropped - item.frames_dropped for num, item in first.items() if num in last)
    delays = [item.analysis_delay_s for item in last.values()]
    return {
        "tasks": len(wayside.tasks),
        "seconds": round(took, 1),
        "cpu": {name: round((after[name][0] - parts.get(name, (0.0,))[0]) / took, 3) for name in after},
        "memory_mib": {name: round(value[1]) for name, value in after.items()},
        "processes": {name: value[2] for name, value in after.items()},
        "machine_busy_cores": round((busy_after - busy) / took, 2),
        "analysed_per_s": round(analysed / took, 1),
        "dropped_per_s": round(dropped / took, 1),
        "passages_per_s": round(sum(last[n].passages - i.passages for n, i in first.items() if n in last) / took, 2),
        "analysis_delay_s": [round(value, 3) for value in meter.percentiles(delays)],
        "commits_per_s": round((commits.count() - count) / took, 1),
        "rows_per_s": {name: round(value, 2) for name, value in written.items()},
        "database_mib": round(commits.size_mib(), 1),
        "table_bytes": commits.bytes_of(),
        "table_rows": commits.rows(),
        "cells_per_s": round(cells / took, 1),
        "deliveries_per_s": round(arrived / took, 2),
        "outbox_wait_s": [round(value, 3) for value in waits[:2]],
        "outbox_waiting": sum(item["waiting"] for item in pusher["receivers"].values()),
        "store_error": pusher["storeError"] or pusher["failure"] or state["storeError"],
        "supervisor_round_s": round(state["roundS"], 3),
        "api_ms": probe.table(),
        "api_failed": probe.failed,
    }


def curve(options: argparse.Namespace) -> None:
    """Rising numbers of tasks in one installation."""
    made = partial(application, options.film, options.hosts, options.behind)
    if options.behind == "facts" and not kept(options.film).exists():
        keep_results(options.film)
    receivers = Receivers(["ok"] * len(_BUSINESS))
    print(
        "| tasks | reconcile s | round s | cameras' CPU, memory | central CPU | commits/s | cells/s | deliveries/s | API p99 ms |"
    )
    try:
        with installation(options.models_dir, made, **options.set) as wayside:
            set_interfaces(wayside, receivers.urls)
            for count in options.counts:
                set_tasks(wayside, options.film, count, options.fps)
                try:
                    reconciled_s = wait_until_running(wayside, options.patience)
                except TimeoutError as error:
                    print(f"{count}: {error}", flush=True)
                    reconciled_s = float("nan")
                time.sleep(options.settle)
                found = {"behind": options.behind, "fps": options.fps, "hosts": options.hosts, "note": options.note}
                found |= {"reconcile_s": round(reconciled_s, 1)} | measure(wayside, receivers, options.seconds)
                keep(found, options.out)
                show(found)
    finally:
        receivers.close()


def actors(options: argparse.Namespace) -> None:
    """Rising numbers of tasks, each camera in a process of its own."""
    options.hosts, options.behind = 0, "detections"
    curve(options)


def keep(found: dict[str, Any], out: Path | None) -> None:
    """Append a measurement to a file."""
    if out is not None:
        with out.open("a") as file:
            file.write(json.dumps(found, ensure_ascii=False) + "\n")


def show(found: dict[str, Any]) -> None:
    """One line of the table."""
    central = {name: value for name, value in found["cpu"].items() if name != "cameras"}
    api = found["api_ms"]
    print(
        f"| {found['tasks']} | {found['reconcile_s']} | {found['supervisor_round_s']} "
        f"| {found['cpu'].get('cameras', 0)}, {found['memory_mib'].get('cameras', 0)} MiB | {central} | {found['commits_per_s']} "
        f"| {found['cells_per_s']} | {found['deliveries_per_s']} | {api['all but task/list'][1]}, list {api['task/list'][1]} |",
        flush=True,
    )


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n")[0])
    parser.add_argument("--film", type=Path, default=Path("/tmp/wayside-film.npz"))
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/wayside/models").expanduser())
    parser.add_argument("--set", type=json.loads, default={}, metavar="JSON", help="further settings of Wayside by field name")
    parser.add_argument("--out", type=Path, help="file that measurements are appended to")
    parser.add_argument("--note", default="", help="kept with each measurement")
    commands: Any = parser.add_subparsers(required=True)

    def command(name: str, function: Any, counts: list[int]) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=str(function.__doc__))
        made.set_defaults(function=function)
        made.add_argument("--counts", type=lambda text: [int(item) for item in text.split(",")], default=counts)
        made.add_argument("--fps", type=float, default=2.0, help="analysed pictures per second and task")
        made.add_argument("--seconds", type=float, default=62.0, help="of each measurement; a minute holds every period")
        made.add_argument("--settle", type=float, default=10.0, help="seconds between the last start and the measurement")
        made.add_argument("--patience", type=float, default=240.0, help="seconds to wait for all tasks")
        return made

    tasks = command("curve", curve, [1, 10, 100])
    tasks.add_argument("--behind", choices=("detections", "facts"), default="detections")
    tasks.add_argument("--hosts", type=int, default=2, help="processes the cameras share")
    command("actors", actors, [1, 4, 16, 32])
    options = parser.parse_args()
    options.function(options)


if __name__ == "__main__":
    main()
