"""Would the tracker's preset have been chosen without the sequences it is judged on? ``python -m benchmarks.mot_leave_one_out``.

    python -m benchmarks.mot_leave_one_out --scorer …/score_mot.py --data …/MOT17-train [--tries 100]

Random neighbours of the preset are tracked and scored on every sequence. For each sequence the neighbour that is best on the
*others* is taken, and its result on the one left out is pooled: what a choice is worth on videos it has not seen. Beside it
stands the best neighbour on all, which is what a choice on the test data itself pretends.
"""

import argparse
import dataclasses
import importlib.util
import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.mot import frame_rate, track_sequence
from traffic.tracking import PRESETS, TrackerConfig

_CHANGED, _SPREAD = 5, 0.25  # settings changed at once, and the deviation of their logarithms
# fmt: off
_RATIOS = frozenset({
    "low_score", "high_score", "new_score", "min_similarity", "low_similarity", "last_similarity", "score_weight",
    "min_area_ratio", "duplicate_overlap", "hidden_share", "sure_score",
})
_OTHERS = (
    "last_margin", "camera_spreads", "tentative_s", "lost_s", "hidden_s", "position_noise", "size_noise", "doubt", "hidden_doubt",
    "position_wander", "size_wander", "acceleration_noise", "growth_noise", "initial_speed", "lost_memory_s", "growth_memory_s",
    "low_lost_penalty", "height_weight",
)
# fmt: on
Counts = dict[str, Any]


def neighbour(preset: TrackerConfig, source: random.Random) -> TrackerConfig:
    """The preset with a few settings changed by about a quarter."""
    chosen = source.sample(sorted((*_RATIOS, *_OTHERS)), _CHANGED)
    values = {name: getattr(preset, name) * float(np.exp(source.gauss(0, _SPREAD))) for name in chosen}
    return dataclasses.replace(preset, **{name: min(v, 0.98) if name in _RATIOS else v for name, v in values.items()})


class Scorer:
    """The given scoring tool, asked for the counts of single sequences, which can be pooled."""

    def __init__(self, path: Path, data: Path, split: str) -> None:
        spec = importlib.util.spec_from_file_location("score_mot", path)
        assert spec is not None
        assert spec.loader is not None
        self._tool: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._tool)
        self.rates = self._tool.rates
        self._tool.rates = lambda counts: dict(counts)
        self._data, self._split = data, split
        found = {folder.name: sorted(folder.rglob("det*.txt")) for folder in sorted(data.iterdir()) if folder.is_dir()}
        self.detections = {name: np.loadtxt(files[0], delimiter=",", ndmin=2) for name, files in found.items() if files}

    def score(self, config: TrackerConfig) -> dict[str, Counts]:
        """Counts by sequence."""
        result: dict[str, Counts] = {}
        PRESETS["candidate"] = config
        with tempfile.TemporaryDirectory() as folder:
            for name, rows in self.detections.items():
                lines, _, _ = track_sequence(rows, frame_rate(self._data / name, 25.0), "candidate")
                (Path(folder) / f"{name}.txt").write_text("\n".join(lines) + "\n")
                result[name] = self._tool.score_dir(folder, str(self._data), self._split, "mot17", [name], {}, False)[name]
        return result

    def pooled(self, parts: Sequence[Mapping[str, Any]]) -> dict[str, float]:
        """Rates over several sequences together."""
        total: Counts = {}
        for part in parts:
            for key, value in part.items():
                total[key] = total.get(key, 0) + np.asarray(value, float)
        return dict(self.rates(total))


def goal(rates: Mapping[str, float]) -> float:
    """What a neighbour is chosen by."""
    return rates["HOTA"] + rates["IDF1"] + 0.5 * rates["MOTA"]


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n")[0])
    parser.add_argument("--scorer", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="sequences with det*.txt and gt/gt.txt")
    parser.add_argument("--split", default="val-half", choices=("val-half", "all"))
    parser.add_argument("--preset", default="pedestrians")
    parser.add_argument("--tries", type=int, default=100)
    options = parser.parse_args()
    scorer, source, preset = Scorer(options.scorer, options.data, options.split), random.Random(1), PRESETS[options.preset]
    runs = [scorer.score(preset), *(scorer.score(neighbour(preset, source)) for _ in range(options.tries))]
    names = list(scorer.detections)

    def best(sequences: Sequence[str]) -> int:
        return max(range(len(runs)), key=lambda index: goal(scorer.pooled([runs[index][name] for name in sequences])))

    def tell(what: str, parts: Sequence[Counts]) -> None:
        rates = scorer.pooled(parts)
        print(f"{what:<44} HOTA {rates['HOTA']:.2f}  MOTA {rates['MOTA']:.2f}  IDF1 {rates['IDF1']:.2f}  IDSW {rates['IDSW']}")

    tell("the preset", list(runs[0].values()))
    tell(f"best of {len(runs)} on all sequences", list(runs[best(names)].values()))
    left_out = [runs[best([other for other in names if other != name])][name] for name in names]
    tell("best on the others, on the one left out", left_out)


if __name__ == "__main__":
    main()
