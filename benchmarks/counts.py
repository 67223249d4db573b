"""Vehicles counted on recorded clips, lane by lane, against counts by eye: python -m benchmarks.counts [CLIP …] [--keep FOLDER].

Each clip goes whole, every frame, through the pipeline that cameras run, with its scene of ``examples/scenes``. A lane is right
when its number is within 5 % or one vehicle of the count (``examples/scenes/counts.json``, which also says who counted and how).
Where the count has the times of the vehicles, "at their time" says how many of them were stated within a second of it, each at
most once: numbers can agree by errors that cancel, times cannot. Ends with status 1 when a lane is wrong.

    --stills FOLDER   an annotated picture of each clip, from its middle, to look at
    --keep FOLDER     see benchmarks.real_clips
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from scipy.optimize import linear_sum_assignment

from actors.drawing import annotated_jpeg
from actors.pipeline import CameraPipeline
from benchmarks.real_clips import SCENES, analysed, default_detector
from traffic.facts import VehiclePassage
from traffic.scene.document import parse_scene

DATA = Path(os.environ.get("WAYSIDE_TEST_DATA", "../shared/data")) / "video"
SAME_TIME_S = 1.0
TOLERANCE, AT_LEAST = 0.05, 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneResult:
    """One lane: ``counted`` by Wayside, ``by_eye``, and how many of the latter were stated at their time (None: no times)."""

    road_num: int
    counted: int
    by_eye: int
    at_their_time: int | None

    @property
    def good(self) -> bool:
        """Within 5 % or one vehicle."""
        return abs(self.counted - self.by_eye) <= max(AT_LEAST, TOLERANCE * self.by_eye)


def passages_of(name: str, end_s: float, keep: Path | None, still: Path | None) -> dict[int, list[float]]:
    """Times (seconds of the clip) of the passages of each lane, up to ``end_s``."""
    clip = next(DATA.glob(f"{name}.*"))
    scene = parse_scene((SCENES / f"{name}.json").read_text(encoding="utf-8"))
    with av.open(str(clip)) as container:
        half_s = float(container.duration or 0) / av.time_base / 2
    stated: list[VehiclePassage] = []
    last: CameraPipeline | None = None
    for result, pipeline in analysed(str(clip), scene, default_detector(keep, clip.stem)):
        stated += [e.fact for e in result.envelopes if isinstance(e.fact, VehiclePassage)]
        last = pipeline
        if still and result.frame.time_s >= half_s:
            still.write_bytes(annotated_jpeg(result, pipeline, max_width=1280))
            still = None
    if last is not None:
        stated += [e.fact for e in last.end() if isinstance(e.fact, VehiclePassage)]
    lanes: dict[int, list[float]] = {lane.road_num: [] for lane in scene.lanes}
    for passage in stated:
        if passage.time_s <= end_s:
            lanes[passage.road_num].append(passage.time_s)
    return lanes


def matched(ours: Sequence[float], by_eye: Sequence[float]) -> int:
    """How many of the times by eye have one of ours of their own within a second."""
    if not ours or not by_eye:
        return 0
    apart = np.abs(np.subtract.outer(np.asarray(by_eye), np.asarray(ours)))
    rows, columns = linear_sum_assignment(np.where(apart <= SAME_TIME_S, apart, 1e3))
    return int((apart[rows, columns] <= SAME_TIME_S).sum())


def compare(entry: dict[str, Any], lanes: dict[int, list[float]]) -> list[LaneResult]:
    """A clip's lanes in order; those without a vehicle by eye count 0."""
    results = []
    for road_num, times in sorted(lanes.items()):
        listed = entry["lanes"].get(str(road_num), [])
        by_eye = listed if isinstance(listed, int) else len(listed)
        at = None if isinstance(listed, int) else matched(times, [vehicle["timeS"] for vehicle in listed])
        results.append(LaneResult(road_num=road_num, counted=len(times), by_eye=by_eye, at_their_time=at))
    return results


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", help="names in counts.json; none: all")
    parser.add_argument("--keep", type=Path, help="folder for the network's answers")
    parser.add_argument("--stills", type=Path, help="folder for annotated pictures")
    args = parser.parse_args()
    known: dict[str, Any] = json.loads((SCENES / "counts.json").read_text(encoding="utf-8"))["clips"]
    if args.stills:
        args.stills.mkdir(parents=True, exist_ok=True)
    all_good = True
    for name in args.clips or known:
        entry = known[name]
        still = args.stills / f"{name}.jpg" if args.stills else None
        results = compare(entry, passages_of(name, entry.get("untilS", float("inf")), args.keep, still))
        print(f"{name} (counted by {entry['by']})")
        print(f"  {'lane':>4} {'counted':>8} {'by eye':>7} {'at their time':>14}")
        for lane in results:
            at = "-" if lane.at_their_time is None else str(lane.at_their_time)
            print(f"  {lane.road_num:>4} {lane.counted:>8} {lane.by_eye:>7} {at:>14}  {'' if lane.good else 'WRONG'}")
            all_good &= lane.good
        total, by_eye = sum(lane.counted for lane in results), sum(lane.by_eye for lane in results)
        print(f"  {'all':>4} {total:>8} {by_eye:>7}")
    print("every lane within 5 % or one vehicle" if all_good else "NOT every lane within 5 % or one vehicle")
    sys.exit(not all_good)


if __name__ == "__main__":
    main()
