"""Queues of recorded clips against counts by eye: python -m benchmarks.queues [CLIP …] [--keep FOLDER] [--fps 0].

Each clip goes through the pipeline that cameras run (decoding, detector, tracker, lanes, queue); compared is ``queueNum`` of the
one-second period that ends at the moment. Counts and their method: ``examples/scenes/queues.json``.

``--sim [ADDRESS …]`` compares with the simulated camera's truth instead, every second of its red phases from 5 s after their
begin on: number and length of the queue of each lane, as far as it is in view.
"""

import argparse
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np

from actors.pipeline import CameraPipeline
from actors.simulation import SimulatedCamera, parse_address
from benchmarks.real_clips import SCENES, analysed, default_detector
from traffic.aggregation import TaskAggregator
from traffic.facts import LaneParameters
from traffic.scene import Scene
from traffic.scene.document import parse_scene
from traffic.types import ObjectClass

DATA = Path(os.environ.get("WAYSIDE_TEST_DATA", "../shared/data")) / "video"
SIMULATED = (
    "sim://approach?width=1280&height=720&opposing=2&seed=3&duration_s=125&fps=10",
    "sim://approach?width=1280&height=720&opposing=2&seed=8&duration_s=125&fps=10&light=night",
    "sim://approach?width=1280&height=720&opposing=2&seed=5&duration_s=245&fps=10&cycle_s=240&green_s=30&flow=700",
)
Measured = dict[tuple[int, int], LaneParameters]


def parameters_of(address: str, scene: Scene, keep: Path | None, name: str, fps: float) -> Measured:
    """Parameters of every second by its end (seconds of the clip) and roadNum."""
    aggregator = TaskAggregator((1,))
    found: list[object] = []
    pipelines: list[CameraPipeline] = []
    for result, pipeline in analysed(address, scene, default_detector(keep, name), fps=fps):
        pipelines[:] = [pipeline]
        if result.cells is not None:
            found += aggregator.accept(result.cells)
    last = pipelines[0].last_cells() if pipelines else None
    found += [*(aggregator.accept(last) if last else ()), *aggregator.finish()]
    return {(p.close_s, p.road_num): p for p in found if isinstance(p, LaneParameters)}


def recorded(name: str, counts: dict, fps: float, keep: Path | None, verbose: bool) -> None:
    """Print one clip's comparison."""
    clip = next(DATA.glob(f"{name}.*"))
    scene = parse_scene((SCENES / f"{counts.get('scene', name)}.json").read_text(encoding="utf-8"))
    ours = parameters_of(str(clip), scene, keep, clip.stem, fps)
    if verbose:
        for close_s in sorted({close for close, _ in ours}):
            seen = {road: p.queue_num for (close, road), p in sorted(ours.items()) if close == close_s}
            print(f"  {name} {close_s:3d} s {seen}")
    worst, worst_sum = 0, 0
    for moment in counts["moments"]:
        mine = {road: (p := ours.get((moment["timeS"], int(road)))) and p.queue_num for road in moment["lanes"]}
        errors = [(mine[road] or 0) - number for road, number in moment["lanes"].items()]
        worst, worst_sum = max(worst, *map(abs, errors)), max(worst_sum, abs(sum(errors)))
        row = {"clip": name, "timeS": moment["timeS"], "byEye": moment["lanes"], "ours": mine, "error": sum(errors)}
        print(json.dumps(row))
    print(json.dumps({"clip": name, "worstLane": worst, "worstSum": worst_sum}))


def simulated(address: str, fps: float) -> None:
    """Print the errors of the queues of one film of the simulated camera."""
    camera = SimulatedCamera(parse_address(address))
    truth: dict[int, dict[int, tuple[int, float]]] = {}
    red_since: float | None = None
    for frame in camera.frames():
        red = frame.truth.signal == "red"
        red_since = (frame.time_s if red_since is None else red_since) if red else None
        if red_since is None or frame.time_s - red_since < 5.0 or frame.time_s % 1.0 < 0.999 - 1.0 / camera.settings.fps:
            continue
        seen = Counter(o.road_num for o in frame.truth.objects if o.object_class is not ObjectClass.PERSON and o.visible > 0.05)
        queues = [q for q in frame.truth.queues if q.vehicles <= seen[q.road_num]]
        truth[int(frame.time_s) + 1] = {q.road_num: (q.vehicles, q.length_m) for q in queues}
    ours = parameters_of(address, parse_scene(camera.scene_document()), None, "sim", fps)
    numbers, lengths, true = [], [], []
    for second, lanes in truth.items():
        for road, (number, length_m) in lanes.items():
            mine = ours.get((second, road))
            if mine is None or mine.queue_num is None:
                continue
            true.append(number)
            numbers.append(mine.queue_num - number)
            if number and mine.queue_num == number and mine.queue_length_m is not None:
                lengths.append(mine.queue_length_m - length_m)
    found, far = np.array(numbers), np.array(lengths)
    row = {
        "sim": address,
        "laneSeconds": len(found),
        "withQueue": sum(n > 0 for n in true),
        "meanTrue": round(float(np.mean(true)), 2),
        "mostTrue": max(true),
        "exact": round(float((found == 0).mean()), 3),
        "withinOne": round(float((abs(found) <= 1).mean()), 3),
        "bias": round(float(found.mean()), 3),
        "lengthRmseM": round(float(np.sqrt((far**2).mean())), 2) if len(far) else None,
    }
    print(json.dumps(row))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", help="names in queues.json; none: all")
    parser.add_argument("--fps", type=float, default=0.0, help="analysed frames per second; 0: every frame")
    parser.add_argument("--keep", type=Path, help="folder for the network's answers")
    parser.add_argument("--sim", nargs="*", metavar="ADDRESS", help="simulated cameras; none named: three of our own")
    parser.add_argument("--verbose", action="store_true", help="every second")
    args = parser.parse_args()
    if args.sim is not None:
        for address in args.sim or SIMULATED:
            simulated(address, args.fps)
        return
    counts = json.loads((SCENES / "queues.json").read_text(encoding="utf-8"))
    for name in args.clips or [key for key, value in counts.items() if isinstance(value, dict)]:
        recorded(name, counts[name], args.fps, args.keep, args.verbose)


if __name__ == "__main__":
    main()
