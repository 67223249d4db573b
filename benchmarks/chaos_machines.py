"""Wayside on three machines that are network namespaces of this one: a head and two others, each with a Ray node of its own.

The head reserves no CPU, as in cluster/kuberay.yaml. Both others have a "GPU" (declared, there is none), so that each gets one
replica of the detector, and CPUs for cameras. Database (PostgreSQL), archive (moto's S3 server or a folder), Redis, cameras and
receiver are in the world outside. Needs root, Debian's postgresql, and redis-server or moto where they are asked for.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.chaos_installation import PARTS, PASSWORD, health_text, healthy
from benchmarks.chaos_network import HERE, Network
from tests.ports import free_port

HEAD, OTHERS = "head", ("one", "two")
_RAY = (sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", "--block", "--include-log-monitor=false")
_GCS_PORT, _METRICS_PORT, _PROMETHEUS_PORT = 6379, 8080, 9090
# As in docs/scaling.md: a machine that says nothing counts as dead after 16 s rather than a minute.
DEATH = {
    "health_check_initial_delay_ms": 2000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 3000,
    "health_check_failure_threshold": 4,
    "grpc_client_keepalive_timeout_ms": 8000,
}


class Machines:
    """The installation; its processes are found by the namespace they are in."""

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        redis: bool,
        s3: bool,
        gpus: int = 2,
        ray_defaults: bool = False,
        fps: int = 4,
        camera_cpus: float = 0.01,
        tls: bool = False,
    ) -> None:
        """``gpus``: machines besides the head that have one. ``ray_defaults``: Ray's own limits for a dead node. ``tls``: Ray's
        calls are encrypted, and only made to and by who has the cluster's certificate."""
        self.folder, self.port, self._redis, self._s3 = folder, port, redis, s3
        self._gpus, self._ray_defaults, self._fps = gpus, ray_defaults, fps
        self._camera_cpus = camera_cpus
        self.names = (HEAD, *OTHERS, "three")
        self.network = Network(self.names)
        self.log = (folder / "up.log").open("ab")
        self.database_url = ""
        self._services: list[subprocess.Popen[bytes]] = []
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}
        self._sessions = tempfile.mkdtemp(prefix="kl-ray-", dir="/tmp")  # short: paths of sockets are limited
        self._stack = ExitStack()
        self._settings: dict[str, str] = {}
        self._encryption = self._make_certificate() if tls else {}

    # -- the world ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything and wait until the API answers."""
        self._stack.enter_context(self.network)
        self.database_url = self._start_postgres()
        if self._redis:
            self._service(
                "redis-server",
                "--bind",
                HERE,
                "--port",
                "6390",
                "--save",
                "",
                "--protected-mode",
                "no",
                "--dir",
                str(self.folder),
            )
        self._settings = {
            "DATA_DIR": str(self.folder / "data"), "PORT": str(self.port), "HOST": "0.0.0.0", "ADMIN_PASSWORD": PASSWORD,
            "SECRET_KEY": "k" * 64, "DATABASE_URL": self.database_url, "OUTBOUND_ALLOW": f"{HERE}/24",
            "ANALYSED_FPS": str(self._fps), "PLATES": "false", "ATTRIBUTES": "false", "DETECTOR_THREADS": "1",
            "DETECTOR_NUM_GPUS": "1", "DETECTOR_NUM_CPUS": "0.3", "DETECTOR_REPLICAS": str(self._gpus), "DETECTOR_DEVICE": "cpu",
            "CAMERA_NUM_CPUS": str(self._camera_cpus),
        }  # fmt: skip
        if self._s3:
            self._start_s3()
        self.start_head()
        for name in OTHERS:
            self.start_node(name)
        self._start_prometheus()
        self.deploy()

    def deploy(self) -> None:
        """Deploy from the head by a driver that is then killed: what it deployed stays."""
        address = f"{self.network.address(HEAD)}:{_GCS_PORT}"
        command = [*self.network.inside(HEAD), sys.executable, "-m", "cluster", "up", "--address", address]
        for _ in range(10):
            with subprocess.Popen(command, env=self._environment(), stdout=subprocess.PIPE, stderr=self.log, text=True) as driver:
                assert driver.stdout is not None
                up = any("Wayside is up" in line for line in driver.stdout)
                driver.kill()
            if up:
                break
            time.sleep(2)  # the control store is not there yet
        self.wait_for_api(240)
        self.look()

    def change(self, **settings: str) -> None:
        """Settings of Wayside for the next deployment."""
        self._settings |= settings

    def look(self) -> None:
        """Put eyes on machines that have none; in vain while the head is away."""
        address = f"{self.network.address(HEAD)}:{_GCS_PORT}"
        command = [*self.network.inside(HEAD), sys.executable, "-m", "benchmarks.chaos_looker", address, str(self.folder)]
        subprocess.run(command, env=self._environment(), stdout=self.log, stderr=self.log, timeout=90, check=False)

    def stop(self) -> None:
        """End everything."""
        for name in reversed(self.names):
            self.network.kill(name)
        for process in [*self._nodes.values(), *self._services]:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)  # PostgreSQL: clients are cut off
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
        self._stack.close()
        shutil.rmtree(self._sessions, ignore_errors=True)

    # -- machines -----------------------------------------------------------------------------------------------------

    def start_head(self) -> None:
        """The head; with the tables that Redis holds, if there is one."""
        # `ray start` takes another node, on this same machine, for a head that still runs.
        Path(self._sessions, "ray_current_cluster").unlink(missing_ok=True)
        environment = {"RAY_REDIS_ADDRESS": f"{HERE}:6390"} if self._redis else {}
        self._start(
            HEAD, "--head", f"--port={_GCS_PORT}", "--num-cpus=0", f"--temp-dir={self._sessions}",
            "--dashboard-host=0.0.0.0", "--dashboard-port=8265", **environment,
        )  # fmt: skip

    def start_node(self, name: str) -> None:
        """One of the others."""
        gpus = 1 if name in OTHERS[: self._gpus] or name not in OTHERS else 0
        address = f"--address={self.network.address(HEAD)}:{_GCS_PORT}"
        self._start(name, address, "--num-cpus=2", f"--num-gpus={gpus}", f"--labels=machine={name}")

    def ended(self, name: str) -> bool:
        """Whether Ray on a machine has ended."""
        return name not in self._nodes or self._nodes[name].poll() is not None

    def kill(self, name: str) -> None:
        """SIGKILL to every process of a machine."""
        self.network.kill(name)
        if name in self._nodes:
            self._nodes.pop(name).wait(30)

    def power_off(self, name: str) -> None:
        """No process of a machine runs any more, and nobody is told: its links are down before its processes are killed."""
        self.network.cut(name, world=True)
        self.kill(name)

    def place_of(self, part: str) -> list[str]:
        """Machines that hold a part, once per process."""
        return [name for name in self.names for title in self._titles(name) if title.startswith(PARTS[part])]

    def places(self) -> str:
        """Where everything is, for people."""
        return ", ".join(f"{part}: {' '.join(sorted(self.place_of(part))) or '-'}" for part in PARTS)

    # -- the API ------------------------------------------------------------------------------------------------------

    @property
    def prometheus_url(self) -> str:
        """Root of the Prometheus on the head, which reads the metrics of every machine; there is one where it is installed."""
        return f"http://{self.network.world_address(HEAD)}:{_PROMETHEUS_PORT}"

    @property
    def api_url(self) -> str:
        """Root of the API."""
        return f"http://{self.network.world_address(HEAD)}:{self.port}"

    def healthy(self) -> bool:
        """Whether /api/health answers 200."""
        return healthy(self.api_url)

    def health_text(self) -> str:
        """What it says."""
        return health_text(self.api_url)

    def wait_for_api(self, timeout_s: float) -> float:
        """Seconds until /api/health says ok."""
        begin = time.monotonic()
        while time.monotonic() - begin < timeout_s:
            if self.healthy():
                return time.monotonic() - begin
            time.sleep(0.2)
        raise SystemExit(f"the API is not well after {timeout_s} s: {self.health_text()}; see {self.log.name}")

    # -- processes ----------------------------------------------------------------------------------------------------

    def _start(self, name: str, *options: str, **environment: str) -> None:
        self.network.heal(name)
        command = [
            *self.network.inside(name),
            *_RAY,
            f"--node-ip-address={self.network.address(name)}",
            f"--metrics-export-port={_METRICS_PORT}",
            "--object-store-memory=100000000",
        ]
        self._nodes[name] = self._run([*command, *options], **environment)
        # One after the other: nodes that start at once on one disk choose the same socket.
        until = time.monotonic() + 60
        while not self._has_raylet(name) and time.monotonic() < until:
            if (ended := self._nodes[name].poll()) is not None:
                raise SystemExit(f"ray start ended with {ended} on {name}; see {self.log.name}")
            time.sleep(0.2)

    def _has_raylet(self, name: str) -> bool:
        return any("raylet/raylet" in title for title in self._titles(name))

    def _titles(self, name: str) -> Iterator[str]:
        for pid in self.network.pids(name):
            try:
                yield " ".join(psutil.Process(pid).cmdline())
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue

    def _environment(self) -> dict[str, str]:
        ray = {} if self._ray_defaults else {f"RAY_{name}": str(value) for name, value in DEATH.items()}
        ray |= {"RAY_task_events_max_num_task_in_gcs": "10000", "RAY_USAGE_STATS_ENABLED": "0"}
        return os.environ | ray | self._encryption | {f"WAYSIDE_{name}": value for name, value in self._settings.items()}

    def _make_certificate(self) -> dict[str, str]:
        """One for all machines, its own authority; the variables by which Ray uses it."""
        certificate, key = self.folder / "cluster.crt", self.folder / "cluster.key"
        names = ["DNS:localhost", "IP:127.0.0.1", *(f"IP:{self.network.address(name)}" for name in self.names)]
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=wayside-cluster"]
        command += ["-addext", f"subjectAltName={','.join(names)}", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True)
        files = {"SERVER_CERT": certificate, "SERVER_KEY": key, "CA_CERT": certificate}
        return {"RAY_USE_TLS": "1"} | {f"RAY_TLS_{name}": str(file) for name, file in files.items()}

    def _run(self, command: Sequence[str], **environment: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, env=self._environment() | environment, stdout=self.log, stderr=self.log)

    def _service(self, *command: str, **options: Any) -> None:
        self._services.append(subprocess.Popen(command, stdout=self.log, stderr=self.log, **options))

    def _start_prometheus(self) -> None:
        """On the head's machine, as it would stand beside Ray; it dies with it."""
        if shutil.which("prometheus") is None:
            return
        targets = [f"{self.network.address(name)}:{_METRICS_PORT}" for name in self.names]
        scrape = {"job_name": "ray", "scrape_interval": "3s", "static_configs": [{"targets": targets}]}
        config = self.folder / "prometheus.yml"
        config.write_text(json.dumps({"scrape_configs": [scrape]}), encoding="utf-8")  # JSON is YAML
        storage = f"--storage.tsdb.path={self.folder / 'prometheus'}"
        listen = f"--web.listen-address=0.0.0.0:{_PROMETHEUS_PORT}"
        self._service(*self.network.inside(HEAD), "prometheus", f"--config.file={config}", storage, listen)

    def _start_postgres(self) -> str:
        """A server of our own; it refuses to run as root."""
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not programs:
            raise SystemExit("PostgreSQL is not installed")
        home = tempfile.mkdtemp(prefix="kl-pg-", dir="/tmp")
        self._stack.callback(shutil.rmtree, home, ignore_errors=True)
        shutil.chown(home, "postgres", "postgres")
        user: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": home}
        data = f"{home}/data"
        initdb = [str(programs[-1] / "initdb"), "-D", data, "-U", "wayside", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        subprocess.run(initdb, check=True, capture_output=True, **user)
        with Path(data, "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {HERE}/24 trust\n")
        port = free_port()
        server = [
            str(programs[-1] / "postgres"),
            "-D",
            data,
            "-p",
            str(port),
            "-c",
            f"listen_addresses={HERE}",
            "-c",
            f"unix_socket_directories={home}",
        ]
        self._service(*server, **user)
        for _ in range(100):
            if (
                subprocess.run(
                    [str(programs[-1] / "pg_isready"), "-U", "wayside", "-h", HERE, "-p", str(port)],
                    capture_output=True,
                    check=False,
                ).returncode
                == 0
            ):
                break
            time.sleep(0.1)
        return f"postgresql+psycopg://wayside@{HERE}:{port}/postgres"

    def _start_s3(self) -> None:
        self._service(sys.executable, "-m", "moto.server", "-H", HERE, "-p", "6391")
        url = f"http://{HERE}:6391"
        for _ in range(100):
            try:
                httpx.put(f"{url}/wayside-archive", timeout=2, trust_env=False)
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        options = json.dumps({"endpoint_url": url, "key": "k", "secret": "s"})
        self._settings |= {"ARCHIVE_URL": "s3://wayside-archive/pictures", "ARCHIVE_OPTIONS": options}
