"""A cluster of two Ray nodes on this machine whose head can be killed: its control store is kept in a Redis.

The head reserves no CPU, so cameras and networks are on the other node, as on a real cluster. Needs Debian's redis-server.
"""

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.chaos_installation import CAMERAS, Installation
from tests.ports import free_port

_RAY = (sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", "--block", "--include-log-monitor=false")
_MEMORY = "--object-store-memory=200000000"


class ClusterInstallation(Installation):
    """Redis, a head, one other node, Wayside deployed on them by a driver that is gone afterwards."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        if shutil.which("redis-server") is None:
            raise SystemExit("redis-server is not installed")
        self._redis_port, self._gcs_port = free_port(), free_port()
        self._sessions = tempfile.mkdtemp(prefix="chaos-ray-")  # short: paths of sockets are limited
        self._redis: subprocess.Popen[bytes] | None = None
        self._head: subprocess.Popen[bytes] | None = None
        self._node: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start everything and wait until the API answers."""
        self._redis = self._run(
            "redis-server", "--bind", "127.0.0.1", "--port", str(self._redis_port), "--save", "", "--dir", str(self.folder)
        )
        self.start_head()
        self._node = self._run(
            *_RAY, f"--address={self.cluster_address()}", "--num-cpus=2", _MEMORY, "--dashboard-agent-listen-port=0"
        )
        command = [sys.executable, "-m", "cluster", "up", "--address", self.cluster_address()]
        # The driver tells when it is up and is killed then: what was deployed stays.
        for _ in range(10):
            with subprocess.Popen(command, env=self._environment(), stdout=subprocess.PIPE, stderr=self.log, text=True) as driver:
                assert driver.stdout is not None
                up = any("Wayside is up" in line for line in driver.stdout)
                driver.kill()
            if up:
                break
            time.sleep(3)  # the control store is not there yet
        self.wait_for_api(180)

    def start_head(self) -> None:
        """The head, with the tables that Redis holds."""
        # `ray start` takes the other node, on this same machine, for a head that still runs.
        Path(self._sessions, "ray_current_cluster").unlink(missing_ok=True)
        self._head = self._run(
            *_RAY, "--head", f"--port={self._gcs_port}", "--num-cpus=0", _MEMORY, f"--temp-dir={self._sessions}",
            "--dashboard-agent-listen-port=0", f"--dashboard-port={free_port()}", f"--ray-client-server-port={free_port()}",
            RAY_REDIS_ADDRESS=f"127.0.0.1:{self._redis_port}",
        )  # fmt: skip

    def kill_head(self) -> None:
        """SIGKILL to every process of the head: control store, its raylet, its workers."""
        assert self._head is not None
        for process in [*psutil.Process(self._head.pid).children(recursive=True), psutil.Process(self._head.pid)]:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self._head.wait()

    def cluster_address(self) -> str:
        """Address of the head's control store."""
        return f"127.0.0.1:{self._gcs_port}"

    def processes(self) -> list[psutil.Process]:
        """Everything of both nodes."""
        found: list[psutil.Process] = []
        for root in (self._head, self._node):
            try:
                found += psutil.Process(root.pid).children(recursive=True) if root else []
            except psutil.NoSuchProcess:
                continue
        return found

    def stop(self) -> None:
        """End everything."""
        below = self.processes()
        for root in (self._node, self._head, self._redis):
            if root and root.poll() is None:
                root.terminate()
                root.wait(60)
        for process in psutil.wait_procs(below, timeout=10)[1]:
            process.kill()
        shutil.rmtree(self._sessions, ignore_errors=True)

    def _run(self, *command: str, **environment: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, env=self._environment() | environment, stdout=self.log, stderr=self.log)


class NodeWatch:
    """Looks at the cameras from an actor on the other node: a driver would end with the head's raylet."""

    def __init__(self, installation: ClusterInstallation) -> None:
        self._address = installation.cluster_address()
        self._attach()
        import ray

        looker: Any = ray.remote(_Looker).options(name="looker", lifetime="detached", num_cpus=0.01, namespace="wayside")
        ray.get(looker.remote().pids.remote(), timeout=60)

    def _attach(self) -> None:
        import ray

        ray.init(address=self._address, namespace="wayside", log_to_driver=False, configure_logging=False)

    def detach(self) -> None:
        """Let go of the cluster, before its head dies."""
        import ray

        ray.shutdown()

    def pids(self) -> list[int]:
        """Processes of the cameras, by number."""
        return list(self._ask("pids"))

    def gap_s(self, since: float, until: float) -> float:
        """Longest time without a new frame of any camera."""
        return float(self._ask("gap_s", since, until))

    def close(self) -> None:
        """Let go for good."""
        self.detach()

    def _ask(self, method: str, *arguments: Any) -> Any:
        import ray

        if not ray.is_initialized():
            self._attach()
        return ray.get(getattr(ray.get_actor("looker", namespace="wayside"), method).remote(*arguments), timeout=60)


class _Looker:
    """The actor: reads each camera's count of analysed frames five times a second, over handles it holds."""

    def __init__(self) -> None:
        import ray

        self._handles = [ray.get_actor(f"camera-c{n}", namespace="wayside") for n in range(CAMERAS)]
        self._at: list[list[float]] = [[] for _ in self._handles]
        for number in range(CAMERAS):
            threading.Thread(target=self._look, args=(number,), daemon=True).start()

    def _look(self, number: int) -> None:
        import ray
        from ray.exceptions import RayError

        # Not by ``health``, whose questions keep a camera's lease.
        frames_analysed: Any = lambda camera: camera._runner.health().frames_analysed  # noqa: E731, travels by value
        last = -1
        while True:
            time.sleep(0.2)
            try:
                count = ray.get(self._handles[number].__ray_call__.remote(frames_analysed), timeout=2)
            except RayError:
                continue
            if count != last:
                last = count
                self._at[number].append(time.time())

    def pids(self) -> list[int]:
        import ray

        return list(ray.get([handle.process_id.remote() for handle in self._handles], timeout=20))

    def gap_s(self, since: float, until: float) -> float:
        from itertools import pairwise

        worst = 0.0
        for times in self._at:
            inside = [since, *[at for at in list(times) if since < at < until], until]
            worst = max(worst, *(b - a for a, b in pairwise(inside)))
        return worst
