"""Draws the panels of ``cluster/grafana/wayside.json`` from a running Prometheus: what Grafana would show, where there is none.

    python -m benchmarks.grafana_panels http://127.0.0.1:9090 OUT.png --seconds 300 --panels "CPU,Frames dropped per second"

Every expression is asked as Grafana asks it (``query_range``, all cameras chosen, a rate interval of a minute); order, legends
and units are the dashboard's. Colours and fonts are not. Needs matplotlib.
"""

import argparse
import json
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

DASHBOARD = Path(__file__).parent.parent / "cluster" / "grafana" / "wayside.json"
_INTERVAL = re.compile(r"\$__rate_interval|\$__interval")
_LEGEND = re.compile(r"\{\{(\w+)\}\}")
_POINTS = 240
_DIVISORS = {"bytes": (2**30, "GiB"), "percent": (1.0, "%"), "s": (1.0, "s")}


def panels(only: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Panels of the dashboard, in its order; of those whose English title is in ``only``, or all but rows."""
    found = [panel for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"] if panel["type"] != "row"]
    return [panel for panel in found if not only or title_of(panel) in only]


def title_of(panel: Mapping[str, Any]) -> str:
    """The English half of a panel's title."""
    return str(panel["title"]).partition(" / ")[0]


def expression_of(target: Mapping[str, Any]) -> str:
    """As Grafana sends it."""
    return _INTERVAL.sub("1m", target["expr"]).replace("$task", ".*")


def lines(
    prometheus: str, target: Mapping[str, Any], begin_s: float, end_s: float
) -> Iterator[tuple[str, list[float], list[float]]]:
    """Legend, times (s since ``begin_s``) and values of every series of a target; NaN where there is none, as Grafana's gaps."""
    step = max(1.0, (end_s - begin_s) / _POINTS)
    values = {"query": expression_of(target), "start": begin_s, "end": end_s, "step": step}
    answer = httpx.get(f"{prometheus}/api/v1/query_range", params=values, timeout=30)
    answer.raise_for_status()
    for series in answer.json()["data"]["result"]:
        legend = _LEGEND.sub(lambda found, labels=series["metric"]: labels.get(found[1], ""), target.get("legendFormat", ""))
        known = {round((float(at) - begin_s) / step): float(value) for at, value in series["values"]}
        places = range(round((end_s - begin_s) / step) + 1)
        yield legend, [place * step for place in places], [known.get(place, math.nan) for place in places]


def draw(
    prometheus: str, out: Path, begin_s: float, end_s: float, marks: Mapping[float, str] | None = None, only: Sequence[str] = ()
) -> int:
    """Save the panels of a span as one picture; returns how many of them have a line.

    Args:
        begin_s, end_s: seconds since the epoch.
        marks: what happened, by time.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    shown, filled = panels(only), 0
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(5.2 * columns, 2.5 * rows), squeeze=False, layout="constrained")
    for axes in grid.flat[len(shown) :]:
        axes.axis("off")
    for axes, panel in zip(grid.flat, shown, strict=False):
        divisor, unit = _DIVISORS.get(panel.get("fieldConfig", {}).get("defaults", {}).get("unit", ""), (1.0, ""))
        count, highest = 0, 0.0
        for target in panel["targets"]:
            for legend, times, values in lines(prometheus, target, begin_s, end_s):
                axes.plot(times, [value / divisor for value in values], label=legend, linewidth=1.3)
                highest = max(highest, max((value / divisor for value in values if not math.isnan(value)), default=0.0))
                count += 1
        filled += count > 0
        for at, what in (marks or {}).items():
            axes.axvline(at - begin_s, color="0.4", linestyle=":", linewidth=1)
            axes.annotate(what, (at - begin_s, 1), xycoords=("data", "axes fraction"), fontsize=7, va="top", color="0.3")
        axes.set_title(title_of(panel) + (f", {unit}" if unit else ""), fontsize=9)
        axes.set_xlim(0, end_s - begin_s)
        axes.set_ylim(0, 1.15 * highest or 1)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
        if 0 < count <= 8:
            axes.legend(fontsize=6, loc="lower left")
    figure.savefig(out, dpi=80)
    plt.close(figure)
    return filled


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Draw the dashboard's panels from a Prometheus.")
    parser.add_argument("prometheus", help="its address")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=300.0, help="span up to now")
    parser.add_argument("--mark", type=float, action="append", default=[], help="time of an event, seconds since the epoch")
    parser.add_argument("--panels", default="", help="English titles, with commas between them; all if empty")
    given = parser.parse_args()
    now = time.time()
    only = [title for title in given.panels.split(",") if title]
    filled = draw(given.prometheus, given.out, now - given.seconds, now, dict.fromkeys(given.mark, ""), only)
    print(f"{filled} of {len(panels(only))} panels have data", flush=True)


if __name__ == "__main__":
    main()
