"""What ``benchmarks.scale`` reads from outside: processes by their part, commits of the database, answers of the API."""

import struct
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from benchmarks.installation import cpu_seconds, pss_mib
from cluster.client import ApiClient

# By what a process is called: the actors' names of Ray, Ray's own programs.
PARTS = {
    "ray::CameraHost": "cameras",
    "ray::Camera": "cameras",
    "ray::Supervisor": "supervisor",
    "ray::Aggregator": "aggregator",
    "ray::Pusher": "pusher",
    "ray::ServeReplica": "api",
    "ray::ProxyActor": "api",
    "gcs_server": "ray control store",
    "raylet": "raylet",
    "ray::": "ray's others",
    "dashboard": "ray's others",
    "agent": "ray's others",
}
_API_PAUSE_S = 0.1


def processes(root: int) -> dict[int, str]:
    """Part by process id, of all processes that ``root`` started."""
    parents, titles = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            titles[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # ended meanwhile
    found = {}
    for pid in parents:
        ancestor = pid
        while ancestor not in (0, 1, root):
            ancestor = parents.get(ancestor, 0)
        if ancestor != root or pid == root:
            continue
        title = titles[pid]
        program = title.split(" ")[0].rsplit("/", 1)[-1]
        known = next((part for mark, part in PARTS.items() if title.startswith(mark) or mark == program), None)
        found[pid] = known or next((part for mark, part in PARTS.items() if mark in title[:400]), "")
    return {pid: part for pid, part in found.items() if part}


def by_part(root: int) -> dict[str, tuple[float, float, int]]:
    """CPU seconds used so far, MiB (PSS) and processes, by part."""
    sums: dict[str, tuple[float, float, int]] = defaultdict(lambda: (0.0, 0.0, 0))
    for pid, part in processes(root).items():
        try:
            cpu, memory = cpu_seconds(pid), pss_mib(pid)
        except (OSError, StopIteration):
            continue
        before = sums[part]
        sums[part] = (before[0] + cpu, before[1] + memory, before[2] + 1)
    return dict(sums)


class Commits:
    """Transactions that changed the database."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._engine = create_engine(url, hide_parameters=True)

    def count(self) -> int:
        """So far. SQLite: the change counter in the header of the WAL's index (sqlite.org/walformat.html, "iChange"); PostgreSQL:
        records of commits in its log, by the transaction number."""
        if self._url.get_backend_name() == "sqlite":
            with Path(f"{self._url.database}-shm").open("rb") as file:
                return int(struct.unpack_from("<I", file.read(12), 8)[0])
        with self._engine.connect() as connection:
            return int(connection.scalar(text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")) or 0)

    def rows(self) -> dict[str, int]:
        """Rows by table."""
        tables = ("delivery", "delivery_attempt", "vehicle_passage", "lane_history", "people_history", "held_fact")
        with self._engine.connect() as connection:
            known = {name for name in tables if connection.dialect.has_table(connection, name)}
            return {name: int(connection.scalar(text(f"SELECT COUNT(*) FROM {name}")) or 0) for name in sorted(known)}

    def size_mib(self) -> float:
        """Of the database, with its log."""
        if self._url.get_backend_name() == "sqlite":
            files = [Path(f"{self._url.database}{end}") for end in ("", "-wal")]
            return sum(file.stat().st_size for file in files if file.exists()) / 2**20
        with self._engine.connect() as connection:
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0) / 2**20

    def bytes_of(self) -> dict[str, int]:
        """Bytes by table, its indexes with it."""
        query = "SELECT m.tbl_name, SUM(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name GROUP BY 1"
        if self._url.get_backend_name() != "sqlite":
            query = "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables"
        with self._engine.connect() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(text(query)) if row[1] > 16384}

    def waits_s(self) -> tuple[float, float, int]:
        """Median and 99 % of the time from a fact's entry to the end of its first attempt, and how many; of the last minute."""
        query = text(
            "SELECT a.at - d.created_at FROM delivery_attempt a JOIN delivery d ON d.id = a.delivery_id "
            "WHERE a.at > :since AND d.attempts = 1"
        )
        with self._engine.connect() as connection:
            waits = [float(row[0]) for row in connection.execute(query, {"since": time.time() - 60})]
        return (*percentiles(waits), len(waits))


def percentiles(values: list[float]) -> tuple[float, float]:
    """Median and 99 %; NaN for none."""
    return (float(np.median(values)), float(np.percentile(values, 99))) if values else (float("nan"), float("nan"))


@dataclass
class ApiProbe:
    """A user who asks one thing after the other, about eight a second, in a thread."""

    api: ApiClient
    task_id: int
    took_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "ApiProbe":
        self._thread = threading.Thread(target=self._run, name="api probe", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(40)

    def _run(self) -> None:
        asked = {
            "task/query": {"id": self.task_id},
            "task/list page": {"page": 1, "pageSize": 50},
            "task/list": {},
            "interface/list": {},
            "vehicle/list": {"pageSize": 50},
            "delivery/receivers": {},
        }
        while True:
            for name, body in asked.items():
                if self._stop.wait(_API_PAUSE_S):
                    return
                begin = time.perf_counter()
                try:
                    self.api.call(name.split(" ")[0], **body)
                except (OSError, httpx.HTTPError, ValueError):
                    self.failed += 1
                    continue
                self.took_s[name].append(time.perf_counter() - begin)

    def table(self) -> dict[str, tuple[float, float, int]]:
        """Median and 99 % in milliseconds and how many, by call, and of all but the list of all tasks."""
        most = [value for name, values in self.took_s.items() if name != "task/list" for value in values]
        found = {}
        for name, values in {**self.took_s, "all but task/list": most}.items():
            median, high = percentiles(values)
            found[name] = (round(median * 1e3, 1), round(high * 1e3, 1), len(values))
        return found
