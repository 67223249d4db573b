"""Plots of ``benchmarks.scale``: ``python -m benchmarks.scale_plot OUT.png FILE… [--machines FILE]``.

Measurements are grouped into one line by their note. Dotted: what as many tasks would give if each were like the one of the first
measurement of its line.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")

from matplotlib import pyplot
from matplotlib.axes import Axes

Found = dict[str, Any]
_CENTRAL = ("supervisor", "aggregator", "pusher", "api", "ray control store", "raylet", "ray's others")
# Title, value, whether it should grow with the tasks, logarithmic.
_PANELS: tuple[tuple[str, Callable[[Found], float], bool], ...] = (
    ("seconds until all new tasks analyse", lambda item: float(item["reconcile_s"]), False),
    ("one look of the supervisor, s", lambda item: float(item["supervisor_round_s"]), False),
    ("samples (cells) aggregated per second", lambda item: float(item["cells_per_s"]), True),
    ("deliveries per second", lambda item: float(item["deliveries_per_s"]), True),
    ("transactions per second", lambda item: float(item["commits_per_s"]), False),
    ("API p99, ms (all tasks' list left out)", lambda item: float(item["api_ms"]["all but task/list"][1]), False),
    ("wait of a fact for its first attempt, p99, s", lambda item: float(item["outbox_wait_s"][1]), False),
    ("cameras' memory, MiB", lambda item: float(item["memory_mib"].get("cameras", 0)), False),
)


def lines(files: list[Path]) -> dict[str, list[Found]]:
    """Measurements by note, by number of tasks; the newest of each number."""
    found: dict[str, dict[int, Found]] = defaultdict(dict)
    for file in files:
        for text in file.read_text().splitlines():
            item = json.loads(text)
            found[item["note"]][item["tasks"]] = item
    return {note: [items[count] for count in sorted(items)] for note, items in found.items()}


def draw(axis: Axes, title: str, value: Callable[[Found], float], grows: bool, found: dict[str, list[Found]]) -> None:
    """One panel."""
    for number, (note, items) in enumerate(found.items()):
        tasks = [item["tasks"] for item in items]
        values = [value(item) for item in items]
        axis.plot(tasks, values, "o-", ms=3, color=f"C{number}", label=note)
        if grows and values[0] > 0:
            axis.plot(tasks, [values[0] * count / tasks[0] for count in tasks], ":", color=f"C{number}", lw=1)
    axis.set_title(title, fontsize=8)
    axis.set_xscale("log")
    if grows:
        axis.set_yscale("log")
    else:
        axis.set_ylim(bottom=0)


def parts(axis: Axes, items: list[Found], note: str) -> None:
    """CPU of each part by the number of tasks."""
    tasks = [item["tasks"] for item in items]
    for number, part in enumerate(_CENTRAL):
        axis.plot(tasks, [item["cpu"].get(part, 0.0) for item in items], "o-", ms=3, color=f"C{number}", label=part)
    axis.set_title(f"CPU of what stands behind the cameras, cores ({note})", fontsize=8)
    axis.set_xscale("log")
    axis.legend(fontsize=6)


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--machines", type=Path, help="measurements of benchmarks.scale_nodes")
    parser.add_argument("--parts", default="", help="note of the line whose CPU is drawn by part; the last one if not given")
    options = parser.parse_args()
    pyplot.rcParams.update({"font.size": 7, "axes.grid": True, "grid.alpha": 0.3})
    found = lines(options.files)
    figure, axes = pyplot.subplots(5, 2, figsize=(9, 13), layout="constrained")
    flat = list(axes.flat)
    for axis, (title, value, grows) in zip(flat, _PANELS, strict=False):
        draw(axis, title, value, grows, found)
        axis.set_xlabel("tasks")
    flat[0].legend(fontsize=6)
    note = options.parts or list(found)[-1]
    parts(flat[len(_PANELS)], found[note], note)
    last = flat[len(_PANELS) + 1]
    if options.machines:
        items = [json.loads(text) for text in options.machines.read_text().splitlines()]
        last.plot([item["machines"] for item in items], [item["analysed_per_s"] for item in items], "o", color="C0")
        top = max(item["machines"] for item in items)
        one = [item["analysed_per_s"] for item in items if item["machines"] == 1]
        last.plot([0, top], [0, top * sum(one) / len(one)], ":", color="C0")
        last.set_title("pictures analysed per second by machines of a fixed CPU quota", fontsize=8)
        last.set_xlabel("machines (dotted: n times one)")
        last.set_xticks(range(top + 1))
        last.set_ylim(bottom=0)
    else:
        last.set_axis_off()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out, dpi=90)


if __name__ == "__main__":
    main()
