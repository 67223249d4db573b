"""Delivery: how fast, and whether bad receivers delay good ones.

``python -m benchmarks.delivery [rate|isolation]``. The receivers run in a process of their own (``delivery_receivers``).

rate: an outbox with N waiting deliveries of 16 tasks is emptied to one receiver, against a bare httpx loop that POSTs the same
bodies with as many at once (8) and keeps nothing; and to 50 receivers. Putting them in (committed) is measured apart.

isolation: facts come at a fixed rate for 50 receivers, once all healthy, once with three of them dead, hanging and answering 500
half the time. Latency is from the moment the facts are handed to the pusher to the arrival of the whole body, of the 47 that are
healthy in both runs, without the first two seconds.
"""

import argparse
import asyncio
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from actors.delivery.bodies import dump
from actors.delivery.outgoing import outgoing
from actors.delivery.ports import InterfaceConfig
from actors.delivery.sender import Sender, request_headers
from actors.outbound import LOOPBACK, OutboundPolicy
from actors.ports import FactEnvelope, TaskRef
from actors.pusher import Pusher, PusherConfig
from api.database import Database
from api.outbox import SqlOutboxStore
from api.tables import Interface
from api.wire.encode import WireEncoder
from traffic.facts import Heading, Turn, VehiclePassage
from traffic.types import ObjectClass, TrackId

BAD = ("closed", "hang", "flaky")
RECEIVERS, TASKS, AT_ONCE = 50, 16, 8


class Receivers:
    """The process with the receivers."""

    def __init__(self, behaviours: list[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.delivery_receivers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.urls = [f"http://127.0.0.1:{port}/push" for port in self._ask(json.dumps(behaviours))]

    def _ask(self, line: str) -> list[int] | dict[str, float]:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def arrived(self) -> dict[str, float]:
        """New deliveries of the healthy ones: id → seconds since the epoch."""
        return self._ask("?")

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait(10)


@contextmanager
def installation(behaviours: list[str]) -> Iterator[tuple[Receivers, SqlOutboxStore]]:
    """Receivers, and a fresh SQLite outbox with an interface (21, on trigger) for each."""
    receivers = Receivers(behaviours)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/outbox.sqlite3"
        database = Database(url)
        database.migrate()
        with database.session() as session:
            for i, address in enumerate(receivers.urls):
                session.add(Interface(name=f"r{i}", business_type=21, trigger_condition=2, url=address, push_response=1))
            session.commit()
        try:
            yield receivers, SqlOutboxStore(url)
        finally:
            receivers.close()


def facts(count: int, first: int = 0) -> list[FactEnvelope]:
    """Passages of TASKS tasks in turn."""
    made = []
    for i in range(first, first + count):
        passage = VehiclePassage(
            track_id=TrackId(i), time_s=1_700_000_000.0 + i, road_num=1, road_name="直行", turn=Turn.STRAIGHT,
            object_class=ObjectClass.CAR, box=(0.0, 0.0, 9.0, 9.0), frame_size=(1280, 720), speed_kmh=52.0, spacing_m=20.0,
            time_headway_s=1.5, running_time_s=2.0, heading=Heading.FRONT,
        )  # fmt: skip
        task = TaskRef(task_id=1, task_num=f"t{i % TASKS}", task_name="测试任务", src_address="x", time_zone="Asia/Shanghai")
        made.append(FactEnvelope(fact_id=f"f{i}", task=task, fact=passage))
    return made


def make_pusher(store: SqlOutboxStore) -> Pusher:
    """With the settings of a real one."""
    return Pusher(0, 1, store, WireEncoder(), Sender(None, outbound=OutboundPolicy(allowed=LOOPBACK)), PusherConfig())


async def bare(urls: list[str], bodies: list[bytes], interface: InterfaceConfig) -> float:
    """Deliveries per second of httpx alone, to the same receivers in turn."""
    waiting = [(urls[i % len(urls)], body) for i, body in enumerate(bodies)]
    limits = httpx.Limits(max_connections=AT_ONCE * len(urls), max_keepalive_connections=AT_ONCE * len(urls))

    async def loop(client: httpx.AsyncClient, number: int) -> None:
        sent = 0
        while waiting:
            url, body = waiting.pop()
            headers = request_headers(f"bare-{number}-{sent}", 1, interface, int(time.time()), body)
            response = await client.post(url, content=body, headers=headers)
            assert response.status_code == 200
            sent += 1

    async with httpx.AsyncClient(limits=limits, trust_env=False) as client:
        begin = time.perf_counter()
        await asyncio.gather(*(loop(client, number) for number in range(AT_ONCE)))
        return len(bodies) / (time.perf_counter() - begin)


def fill(store: SqlOutboxStore, each: int) -> float:
    """Put ``each`` facts for every interface into the outbox, TASKS facts a transaction; deliveries per second."""
    interfaces, encoder, now_s, begin = store.interfaces(), WireEncoder(), time.time(), time.perf_counter()
    for first in range(0, each, TASKS):
        made = [
            outgoing(to, fact.fact_id, fact.task.task_num, dump(encoder.encode(fact, to).body), "", now_s)
            for fact in facts(min(TASKS, each - first), first)
            for to in interfaces
        ]
        store.accept(made, [], [])
    return each * len(interfaces) / (time.perf_counter() - begin)


def wait_until_empty(store: SqlOutboxStore) -> None:
    """Look twenty times a second."""
    while store.waiting():
        time.sleep(0.05)


async def rate(count: int, receivers: int) -> dict[str, float]:
    """Deliveries per second: put into the outbox, emptied out of it, and httpx alone with the same bodies."""
    with installation(["ok"] * receivers) as (process, store):
        interface, encoder = store.interfaces()[0], WireEncoder()
        bodies = [dump(encoder.encode(fact, interface).body) for fact in facts(count // 2)]
        put = fill(store, count // receivers)
        before = await bare(process.urls, bodies, interface)
        process.arrived()
        made = make_pusher(store)
        begin = time.perf_counter()
        await made.start()
        await asyncio.to_thread(wait_until_empty, store)
        sent_s = time.perf_counter() - begin
        await made.stop()
        arrived = len(process.arrived())
        assert arrived == count // receivers * receivers, f"{arrived} of {count} arrived"
        after = await bare(process.urls, bodies, interface)
    alone = (before + after) / 2
    return {"put_per_s": put, "sent_per_s": arrived / sent_s, "httpx_per_s": alone, "ratio": arrived / sent_s / alone}


async def isolation(bad: bool, seconds: float, facts_per_s: float) -> dict[str, float]:
    """Latencies in seconds of the receivers that are healthy in both runs."""
    behaviours = [*(BAD if bad else ["ok"] * len(BAD)), *["ok"] * (RECEIVERS - len(BAD))]
    with installation(behaviours) as (process, store):
        good = store.interfaces()[len(BAD) :]
        made, handed, begin = make_pusher(store), {}, time.perf_counter()
        await made.start()
        await asyncio.sleep(1.0)
        begin = time.perf_counter()
        for i, fact in enumerate(facts(int(seconds * facts_per_s))):
            await asyncio.sleep(max(0.0, begin + i / facts_per_s - time.perf_counter()))
            handed[fact.fact_id] = time.time()
            await made.publish([fact])
        lag_s = time.perf_counter() - begin - seconds
        waited = time.perf_counter()
        expected = {outgoing(to, fact_id, "", b"", "", 0.0).delivery_id: at for fact_id, at in handed.items() for to in good}
        arrived: dict[str, float] = {}
        while time.perf_counter() - waited < 30 and not expected.keys() <= arrived.keys():
            await asyncio.sleep(0.2)
            arrived |= await asyncio.to_thread(process.arrived)
        await made.stop()
    missing = len(expected.keys() - arrived.keys())
    start = min(handed.values()) + 2.0
    latencies = sorted(arrived[key] - at for key, at in expected.items() if at >= start and key in arrived)
    cuts = statistics.quantiles(latencies, n=100)
    return {"p50": cuts[49], "p99": cuts[98], "deliveries": len(latencies), "missing": missing, "lag_s": lag_s}


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["rate", "isolation"], nargs="?", default="rate")
    parser.add_argument("--count", type=int, default=4000, help="deliveries (rate)")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of one run (isolation)")
    parser.add_argument("--facts-per-s", type=float, default=4.0, help="each goes to 50 receivers (isolation)")
    parser.add_argument("--runs", type=int, default=3, help="repetitions, in turn")
    options = parser.parse_args()
    logging.basicConfig(level="ERROR")
    if options.what == "rate":
        for receivers in (1, RECEIVERS) * options.runs:
            figures = asyncio.run(rate(options.count, receivers))
            told = "  ".join(f"{name} {value:.2f}" for name, value in figures.items())
            print(f"{receivers:3d} receivers  {told}", flush=True)
        return
    pairs = []
    for run in range(options.runs):
        pair = {bad: asyncio.run(isolation(bad, options.seconds, options.facts_per_s)) for bad in (False, True)}
        pairs.append(pair)
        for bad, figures in pair.items():
            name = "three bad" if bad else "all well "
            print(f"run {run + 1} {name}  " + "  ".join(f"{key} {value:.4f}" for key, value in figures.items()), flush=True)
    for key in ("p50", "p99"):
        ratios = [pair[True][key] / pair[False][key] for pair in pairs]
        print(
            f"{key} with bad ones / without: median {statistics.median(ratios):.2f}, of {[round(ratio, 2) for ratio in ratios]}"
        )


if __name__ == "__main__":
    main()
