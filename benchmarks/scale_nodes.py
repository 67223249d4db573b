"""Throughput with 1, 2 and 3 machines at fixed work per machine: ``python -m benchmarks.scale_nodes --film FILM``.

A machine is a Ray node of its own (``ray start``) whose processes share a control group with a bounded CPU quota, on this one
computer; it is a site, and its cameras are those of the site. Each machine gets the same cameras with more pictures than its CPU
can analyse, so pictures analysed per second are what it can do. Detections are replayed on the machine itself: a detector they
would share is not part of this. Database, aggregator, pusher, supervisor, API and Ray's head are shared and have no quota.
Control groups need root and the cpu controller of version 1 at /sys/fs/cgroup/cpu.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actors.outbound import LOOPBACK
from benchmarks import scale
from benchmarks import scale_meter as meter
from benchmarks.delivery import Receivers
from benchmarks.installation import busy_seconds
from cluster.ingress import prepare
from cluster.settings import Settings

_GROUPS = Path("/sys/fs/cgroup/cpu")
_PERIOD_US, _SHARES = 100_000, 100 * 1024  # what else runs here does not keep a machine from its quota
_START = "from ray.scripts.scripts import main; main()"


class CpuGroup:
    """A control group with a CPU quota."""

    def __init__(self, name: str) -> None:
        if not (_GROUPS / "cpu.cfs_quota_us").exists():
            raise SystemExit(f"no cpu controller of control groups version 1 at {_GROUPS}")
        self.folder = _GROUPS / f"wayside-{os.getpid()}-{name}"
        self.folder.mkdir()
        (self.folder / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
        (self.folder / "cpu.shares").write_text(str(_SHARES))

    def limit(self, cores: float) -> None:
        """So much CPU at most; 0: as much as there is."""
        (self.folder / "cpu.cfs_quota_us").write_text(str(round(cores * _PERIOD_US) if cores else -1))

    def cpu_s(self) -> float:
        """CPU seconds its processes have used, those that have ended not counted."""
        from benchmarks.installation import cpu_seconds

        used = 0.0
        for pid in (self.folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                used += cpu_seconds(int(pid))
        return used

    def throttled_share(self) -> float:
        """Share of all periods so far in which it was stopped at its quota."""
        told = dict(line.split() for line in (self.folder / "cpu.stat").read_text().splitlines())
        return int(told["nr_throttled"]) / max(1, int(told["nr_periods"]))

    def close(self) -> None:
        """Remove it; its processes have ended."""
        for _ in range(50):
            try:
                self.folder.rmdir()
            except OSError:
                time.sleep(0.2)
            else:
                return


@contextlib.contextmanager
def machine(name: str, address: str) -> Iterator[CpuGroup]:
    """A Ray node that is the site ``name``. Ends with all its processes."""
    group = CpuGroup(name)
    command = [
        *("sh", "-c", f'echo $$ > {group.folder}/tasks; exec "$@"', "sh"),
        *(sys.executable, "-c", _START, "start", f"--address={address}", "--block"),
        *("--num-cpus=1", "--num-gpus=0", "--object-store-memory=80000000", f"--labels=site={name}"),
        *("--dashboard-agent-listen-port=0", "--include-log-monitor=false"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield group
    finally:
        process.terminate()
        process.wait(60)
        group.close()


@dataclass
class Central:
    """Head, database and the long-lived actors; what ``benchmarks.scale`` asks of an installation."""

    settings: Settings
    tasks: dict[str, int] = field(default_factory=dict)


@contextlib.contextmanager
def central(film: Path) -> Iterator[Central]:
    """Ray's head with supervisor, aggregator and pusher, in a control group of its own without a quota. Without Serve: nobody
    asks the API here, and there are no networks."""
    import ray

    group = CpuGroup("central")
    (group.folder / "tasks").write_text(str(os.getpid()))
    try:
        with tempfile.TemporaryDirectory(prefix="wayside-machines-", ignore_cleanup_errors=True) as folder:
            settings = Settings(data_dir=Path(folder), admin_password="benchmark", outbound_allow=LOOPBACK, log_level="WARNING")
            prepare(settings)
            ray.init(address="local", namespace=settings.namespace, include_dashboard=False, log_to_driver=False, num_cpus=2)
            try:
                system = scale.make_system(film, 1, "detections", settings)
                system.ensure()
                yield Central(settings)
                system.stop()
            finally:
                ray.shutdown()
    finally:
        (_GROUPS / "tasks").write_text(str(os.getpid()))
        group.close()


def measure(wayside: Central, receivers: Receivers, groups: list[CpuGroup], seconds: float) -> dict[str, Any]:
    """What the machines do together for ``seconds``."""
    commits = meter.Commits(wayside.settings.resolved_database_url)
    receivers.arrived()
    first, used = scale.health_of(wayside), [group.cpu_s() for group in groups]
    count, busy, begin = commits.count(), busy_seconds(), time.perf_counter()
    time.sleep(seconds)
    last = scale.health_of(wayside)
    took = time.perf_counter() - begin
    return {
        "machines": len(groups),
        "tasks": len(wayside.tasks),
        "analysed_per_s": round(sum(last[n].frames_analysed - i.frames_analysed for n, i in first.items()) / took, 1),
        "dropped_per_s": round(sum(last[n].frames_dropped - i.frames_dropped for n, i in first.items()) / took, 1),
        "passages_per_s": round(sum(last[n].passages - i.passages for n, i in first.items()) / took, 2),
        "cores_each": [round((group.cpu_s() - before) / took, 3) for group, before in zip(groups, used, strict=True)],
        "throttled": [round(group.throttled_share(), 2) for group in groups],
        "deliveries_per_s": round(len(receivers.arrived()) / took, 2),
        "commits_per_s": round((commits.count() - count) / took, 1),
        "machine_busy_cores": round((busy_seconds() - busy) / took, 2),
    }


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n")[0])
    parser.add_argument("--film", type=Path, default=Path("/tmp/wayside-film.npz"))
    parser.add_argument("--out", type=Path, help="file that measurements are appended to")
    parser.add_argument("--machines", type=int, default=3)
    parser.add_argument("--cameras", type=int, default=16, help="of each machine")
    parser.add_argument("--fps", type=float, default=10.0, help="pictures per second and camera: more than can be analysed")
    parser.add_argument("--cores", type=float, default=0.4, help="CPU quota of each machine")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=1, help="measurements of each number of machines")
    options = parser.parse_args()
    receivers, one = Receivers(["ok"] * 3), 0.0
    print("| machines | cameras | analysed/s | efficiency | CPU of each, cores | at the quota | dropped/s | deliveries/s |")
    try:
        with contextlib.ExitStack() as stack:
            wayside = stack.enter_context(central(options.film))
            import ray

            address, groups = ray.get_runtime_context().gcs_address, []
            scale.set_interfaces(wayside, receivers.urls)
            for number in range(options.machines):
                site = f"m{number}"
                groups.append(stack.enter_context(machine(site, address)))
                scale.set_tasks(wayside, options.film, (number + 1) * options.cameras, options.fps, site)
                scale.wait_until_running(wayside, 180)
                for group in groups:
                    group.limit(options.cores)
                time.sleep(8)
                for _ in range(options.rounds):
                    found = measure(wayside, receivers, groups, options.seconds)
                    one = one or found["analysed_per_s"]
                    found["efficiency"] = round(found["analysed_per_s"] / (one * len(groups)), 3)
                    scale.keep(found, options.out)
                    print(
                        f"| {len(groups)} | {found['tasks']} | {found['analysed_per_s']} | {found['efficiency']} "
                        f"| {json.dumps(found['cores_each'])} | {found['throttled']} | {found['dropped_per_s']} "
                        f"| {found['deliveries_per_s']} |",
                        flush=True,
                    )
                for group in groups:
                    group.limit(0)
    finally:
        receivers.close()


if __name__ == "__main__":
    main()
