"""People of a recorded clip against tracked ground truth: number in each region per frame, in and out over each count line.

    python -m benchmarks.people CLIP GT [--scene FILE] [--fps 0] [--keep FOLDER] [--json]

CLIP goes through the pipeline that cameras run (decoding, detector, tracker, people sampler); GT is a MOT file (frame from 1, id,
x, y, w, h, …) of the same frames. Truth of a region: people whose foot point (bottom centre) lies inside. Truth of a line:
changes of side of a foot point's path through the line itself; a path that turns back within ``--bounce`` seconds crossed
nothing. The truth's side is computed without any of our own people code.
"""

import argparse
import itertools
import json
import os
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.real_clips import SCENES, analysed, default_detector
from traffic.aggregation import TaskAggregator
from traffic.facts import PeopleParameters
from traffic.geometry import contains
from traffic.scene import Scene
from traffic.scene.document import parse_scene

DATA = Path(os.environ.get("WAYSIDE_TEST_DATA", "../shared/data"))
CLIP = DATA / "video" / "opencv_vtest_PETS09-S2L1.avi"
GT = DATA / "mot" / "MOT15-sort-dets" / "PETS09-S2L1" / "gt.txt"


def read_truth(path: Path) -> dict[int, dict[int, tuple[float, float]]]:
    """Foot points in pixels by frame (from 0) and id."""
    feet: dict[int, dict[int, tuple[float, float]]] = defaultdict(dict)
    for line in path.read_text().splitlines():
        frame, number, x, y, w, h = (float(v) for v in line.split(",")[:6])
        feet[int(frame) - 1][int(number)] = (x + w / 2, y + h)
    return feet


def region_truth(feet: dict[int, dict[int, tuple[float, float]]], polygon: np.ndarray, frames: int) -> list[int]:
    """People inside ``polygon`` (k, 2) pixels in each frame."""
    numbers = []
    for frame in range(frames):
        places = np.array(list(feet.get(frame, {}).values()), float).reshape(-1, 2)
        numbers.append(int(contains(polygon, places).sum()))
    return numbers


def line_truth(
    feet: dict[int, dict[int, tuple[float, float]]], segment: np.ndarray, bounce: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """(frame, id) of everybody who crosses from left to right of ``segment`` (2, 2) pixels, and of those the other way."""
    paths: dict[int, list[tuple[int, float, float]]] = defaultdict(list)
    for frame in sorted(feet):
        for number, (x, y) in feet[frame].items():
            paths[number].append((frame, x, y))
    a, b = segment
    step = b - a
    found: list[tuple[int, int, int]] = []
    for number, path in paths.items():
        mine: list[tuple[int, int]] = []
        for (_, x0, y0), (frame, x1, y1) in itertools.pairwise(path):
            d0, d1 = (step[0] * (y - a[1]) - step[1] * (x - a[0]) for x, y in ((x0, y0), (x1, y1)))
            if (d0 < 0) == (d1 < 0):
                continue
            share = d0 / (d0 - d1)
            place = np.array([x0 + share * (x1 - x0), y0 + share * (y1 - y0)])
            if not 0 <= float((place - a) @ step) / float(step @ step) <= 1:
                continue
            way = 1 if d1 > 0 else -1
            if mine and mine[-1][1] == -way and frame - mine[-1][0] <= bounce:
                mine.pop()
            else:
                mine.append((frame, way))
        found += [(frame, number, way) for frame, way in mine]
    return (
        [(f, n) for f, n, way in sorted(found) if way > 0],
        [(f, n) for f, n, way in sorted(found) if way < 0],
    )


def measure(clip: Path, scene: Scene, fps: float, keep: Path | None) -> tuple[dict[int, dict[int, int]], dict[int, list], tuple]:
    """Numbers by region code and frame, (second, in, out) by count line code, and the picture's size."""
    detector = default_detector(keep, clip.stem)
    numbers: dict[int, dict[int, int]] = defaultdict(dict)
    aggregator = TaskAggregator((1,))
    flows: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    found: list[object] = []
    size, pipeline = (0, 0), None
    for result, pipeline in analysed(str(clip), scene, detector, fps=fps):
        size = (result.frame.width, result.frame.height)
        for code, number in pipeline.people.items():
            numbers[code][result.frame.index] = number
        if result.cells is not None:
            found += aggregator.accept(result.cells)
    last = pipeline.last_cells() if pipeline else None
    found += [*(aggregator.accept(last) if last else ()), *aggregator.finish()]
    for parameters in found:
        if isinstance(parameters, PeopleParameters):
            for flow in parameters.flows:
                if flow.is_line and (flow.people_in or flow.people_out):
                    flows[flow.code].append((flow.open_s, flow.people_in, flow.people_out))
    return numbers, flows, size


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, nargs="?", default=CLIP)
    parser.add_argument("truth", type=Path, nargs="?", default=GT)
    parser.add_argument("--scene", type=Path, help="default: examples/scenes/CLIP.json")
    parser.add_argument("--fps", type=float, default=0.0, help="analysed frames per second; 0: every frame")
    parser.add_argument("--bounce", type=int, default=10, help="frames within which a way back undoes a crossing of the truth")
    parser.add_argument("--keep", type=Path, help="folder for the network's answers")
    parser.add_argument("--verbose", action="store_true", help="times of all crossings")
    args = parser.parse_args()
    scene = parse_scene((args.scene or SCENES / f"{args.clip.stem}.json").read_text(encoding="utf-8"))
    feet = read_truth(args.truth)
    numbers, flows, size = measure(args.clip, scene, args.fps, args.keep)
    scale = np.array(size, float)
    for region in scene.regions:
        ours = numbers[region.region_code]
        truth = region_truth(feet, np.asarray(region.polygon) * scale, max(ours) + 1)
        errors = np.array([number - truth[frame] for frame, number in sorted(ours.items())])
        print(json.dumps({
            "region": region.name, "frames": len(errors), "people_mean": round(float(np.mean(truth)), 2),
            "ours_mean": round(float(np.mean(list(ours.values()))), 2), "mae": round(float(np.abs(errors).mean()), 3),
            "bias": round(float(errors.mean()), 3), "worst": int(np.abs(errors).max()),
        }))  # fmt: skip
    for line in scene.count_lines:
        come, gone = line_truth(feet, np.asarray(line.segment) * scale, args.bounce)
        mine = flows[line.code]
        print(json.dumps({
            "line": line.name, "in": sum(f[1] for f in mine), "in_true": len(come),
            "out": sum(f[2] for f in mine), "out_true": len(gone),
        }))  # fmt: skip
        if args.verbose:
            print("  true in ", come, "\n  true out", gone, "\n  ours    ", mine)


if __name__ == "__main__":
    main()
