"""``wayside status``: the console's overview in a terminal."""

import time
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from cluster.client import ApiClient

_STYLES = {0: "dim", 1: "green", 2: "yellow", 3: "red"}


def show_status(api: ApiClient, console: Console, live: bool, period_s: float = 2.0) -> None:
    """Print the state once, or keep it on the screen until Ctrl-C."""
    if not live:
        console.print(_page(api))
        return
    with Live(_page(api), console=console, auto_refresh=False, screen=True) as shown:
        while True:
            time.sleep(period_s)
            shown.update(_page(api), refresh=True)


def _page(api: ApiClient) -> Group:
    return Group(_components(api), _cameras(api.call("task/list")), _receivers(api))


def _components(api: ApiClient) -> Table:
    health = api.health()
    table = Table(title=f"Wayside {health['status']}", title_justify="left")
    table.add_column("component")
    table.add_column("state")
    for name, state in health["components"].items():
        table.add_row(name, f"[green]{state}" if state == "ok" else f"[red]{state}")
    for notice in health["notices"]:
        table.add_row("notice", f"[yellow]{notice}")
    return table


def _cameras(tasks: list[dict[str, Any]]) -> Table:
    table = Table(title="cameras", title_justify="left")
    for name in ("task", "name", "status", "fps analysed / source", "analysed", "dropped", "vehicles", "reason"):
        table.add_column(name, justify="right" if name in ("analysed", "dropped", "vehicles") else "left")
    for task in tasks:
        style = _STYLES[task["status"]]
        table.add_row(
            task["taskNum"],
            task["taskName"],
            f"[{style}]{task['statusName']}",
            f"{task['fpsAnalysed']:.1f} / {task['fpsSource']:.0f}",
            str(task["framesAnalysed"]),
            str(task["framesDropped"]),
            str(task["passages"]),
            task["reason"],
        )
    return table


def _receivers(api: ApiClient) -> Table:
    names = {item["id"]: item["name"] for item in api.call("interface/list")}
    table = Table(title="receivers", title_justify="left")
    for name in ("id", "name", "waiting", "dropped", "last success", "failing since"):
        table.add_column(name)
    for item in api.call("delivery/receivers"):
        failing = item["disabledReason"] or item["failingSince"]
        table.add_row(
            str(item["interfaceId"]),
            names.get(item["interfaceId"], ""),
            str(item["waiting"]),
            str(item["dropped"]),
            item["lastSuccess"],
            f"[red]{failing}" if failing else "",
        )
    return table
