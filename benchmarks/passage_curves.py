"""How errors of speed, headway and spacing grow: ``python -m benchmarks.passage_curves OUT.png``, with the runs of ``passages``.

One thing is changed at a time; all else is as in ``passages.Conditions`` (a camera 8 m up, the line 24 m away, 25 frames/s,
edges of boxes off by 2 px, 5 % missed), at 60 km/h. Points are 95 % and, dashed, median of the absolute errors.
"""

import argparse
import dataclasses
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import numpy as np
from matplotlib import pyplot

from benchmarks.passage_scores import Score, score, total
from benchmarks.passages import Conditions, run

_BASE = Conditions(speed_kmh=60.0)
_CURVES: dict[str, tuple[str, tuple[float, ...]]] = {
    "calibration_px": ("clicks of the calibration off by (σ), px", (0.0, 1.0, 2.0, 4.0, 8.0)),
    "line_m": ("distance of the line, m", (18.0, 24.0, 35.0, 50.0, 70.0)),
    "fps": ("analysed frames/s", (3.0, 5.0, 8.0, 12.5, 25.0)),
    "noise_px": ("edges of boxes off by (σ), px", (0.0, 1.0, 2.0, 3.0, 5.0)),
}
_ERRORS = (("speed_kmh", 1.0, "speed, km/h"), ("headway_s", 1000.0, "headway, ms"), ("spacing_m", 1.0, "spacing, m"))


def measure(name: str, value: float, vehicles: int, seeds: int) -> Score:
    """The runs of one point."""
    changed = dataclasses.replace(_BASE, vehicles=vehicles, **{name: value})  # type: ignore[arg-type]
    return total([score(*run(dataclasses.replace(changed, seed=seed))) for seed in range(101, 101 + seeds)])


def main() -> None:
    """Print the table and draw the curves."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--vehicles", type=int, default=60, help="per run")
    parser.add_argument("--seeds", type=int, default=3, help="runs per point")
    options = parser.parse_args()
    pyplot.rcParams.update({"font.size": 8, "axes.grid": True, "grid.alpha": 0.3})
    figure, axes = pyplot.subplots(len(_ERRORS), len(_CURVES), figsize=(10, 6), sharey="row", layout="constrained")
    print("| changed | value | passages | lost, extra | speed km/h, 50 / 95 % | headway ms | spacing m |\n" + "|---" * 7 + "|")
    for column, (name, (label, values)) in enumerate(_CURVES.items()):
        points = [measure(name, value, options.vehicles, options.seeds) for value in values]
        errors = {field: [scale * np.abs(getattr(point, field)) for point in points] for field, scale, _ in _ERRORS}
        for value, point, row in zip(values, points, zip(*errors.values(), strict=True), strict=True):
            parts = [f"{np.median(item):.2f} / {np.percentile(item, 95):.2f}" if len(item) else "–" for item in row]
            print(f"| {label} | {value:g} | {point.true} | {point.lost}, {point.extra} | " + " | ".join(parts) + " |", flush=True)
        for line, (field, _, unit) in enumerate(_ERRORS):
            axis = axes[line][column]
            axis.plot(
                values, [np.percentile(item, 95) if len(item) else np.nan for item in errors[field]], "o-", ms=3, color="C0"
            )
            axis.plot(values, [np.median(item) if len(item) else np.nan for item in errors[field]], "o--", ms=3, color="C0")
            if column == 0:
                axis.set_ylabel(unit)
            if line == len(_ERRORS) - 1:
                axis.set_xlabel(label)
    for row_axes in axes:
        row_axes[0].set_ylim(bottom=0)  # shared by the row, once all of it is drawn
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out, dpi=100)


if __name__ == "__main__":
    main()
