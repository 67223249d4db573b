"""``make run``: Wayside with a demo camera and a demo receiver, and a live line of what is pushed."""

import contextlib
import threading
import time
from collections import Counter
from typing import Any

from rich.console import Console

from actors.outbound import LOOPBACK
from api.receiver import Push, Receiver
from cluster.client import ApiClient, local_client
from cluster.ingress import prepare
from cluster.settings import Settings
from cluster.terminal import print_welcome
from cluster.up import Running, wait_for_signal

_DEMO_TASK, _DEMO_SNAPSHOTS, _DEMO_STATUS = "demo", "demo receiver (snapshots)", "demo receiver (task status)"


class _Tally:
    """What the demo receiver got so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.lanes: Counter[int] = Counter()
        self.invalid = 0
        self.last = ""
        self.status = ""

    def take(self, push: Push) -> None:
        """Count one push."""
        with self._lock:
            self.invalid += bool(push.problems)
            if push.kind == "vehicle-snapshot":
                body = push.body
                self.lanes[body["roadNum"]] += 1
                plate = f" {body['plateNum']}" if body["plateNum"] else ""
                self.last = f"lane {body['roadNum']}{plate} {body['vehicleSpeed']} km/h {body['snapshotTime']}"
            elif push.kind == "task-status":
                self.status = f"{push.body['taskNum']} {push.body['taskStatusName']}"

    def line(self) -> str:
        """The live line."""
        with self._lock:
            lanes = "  ".join(f"lane {lane}: {count}" for lane, count in sorted(self.lanes.items()))
            told = f"({lanes or 'none yet'})  last: {self.last or '-'}  invalid: {self.invalid}"
            return f"vehicles pushed {self.lanes.total()}  {told}"


def run_demo(settings: Settings, source: str, seconds: float, console: Console) -> None:
    """Run until Ctrl-C or for ``seconds``."""
    # The demo's receiver, and the one of a newcomer who follows the README, run on this machine.
    settings = settings.model_copy(update={"outbound_allow": (*settings.outbound_allow, *LOOPBACK)})
    prepare(settings)
    console.print("starting (about half a minute) …")
    tally = _Tally()
    with Receiver(on_push=tally.take) as receiver:
        running = Running(settings, None)
        try:
            api = local_client(settings)
            _register(api, receiver.url, source)
            api.close()
            print_welcome(settings)
            console.print(f"demo camera: {source}   demo receiver: {receiver.url}   Ray dashboard: http://127.0.0.1:8265")
            console.print("Ctrl-C ends everything.")
            _watch(console, tally, seconds)
        finally:
            console.print("\nstopping …")
            running.close()
    console.print("stopped")


def _watch(console: Console, tally: _Tally, seconds: float) -> None:
    end = time.monotonic() + seconds if seconds else float("inf")
    shown = ""

    class _TimeOver(Exception):  # noqa: N818 - not an error
        """The demo's time is over."""

    def show() -> None:
        nonlocal shown
        line = tally.line()
        if line != shown:
            console.print(line, highlight=False, soft_wrap=True)
            shown = line
        if time.monotonic() >= end:
            raise _TimeOver

    with contextlib.suppress(_TimeOver):
        wait_for_signal(show)


def _register(api: ApiClient, url: str, source: str) -> None:
    """The demo's task and interfaces; those of an earlier run are replaced (the receiver's port is new each time)."""
    for item in api.call("interface/list"):
        if item["name"] in (_DEMO_SNAPSHOTS, _DEMO_STATUS):
            api.call("interface/delete", id=item["id"])
    company = {"companyName": "demo", "companyId": "1", "appId": "demo"}
    api.call("interface/add", name=_DEMO_SNAPSHOTS, businessType=21, triggerCondition=2, url=url, **company)
    api.call("interface/add", name=_DEMO_STATUS, businessType=52, triggerCondition=2, url=url, **company)
    task = {"taskNum": _DEMO_TASK, "taskName": "演示相机", "srcAddress": source, "scene": demo_scene(source)}
    known = [item for item in api.call("task/list") if item["taskNum"] == _DEMO_TASK]
    if known:
        api.call("task/edit", id=known[0]["id"], **task)
    else:
        api.call("task/add", **task)


def demo_scene(source: str) -> dict[str, Any] | None:
    """The simulated camera knows its own scene; another source starts without one and lanes are learned."""
    if not source.startswith("sim://"):
        return None
    from actors.simulation import SimulatedCamera, parse_address

    document: dict[str, Any] = SimulatedCamera(parse_address(source)).scene_document()
    return document
