"""Speed of the simulated camera and how well the default detector finds its vehicles, as one table; about two minutes.

``python -m benchmarks.simulation [--address sim://…] [--frames 250] [--seeds 1,7,12,31] [--pictures 60] [--out FOLDER]``. The
figures say nothing about real roads. Detection is measured on pictures one second apart; every seed's counts are kept under
``--state`` and not measured again when the program is started anew with the same settings and source.
"""

import argparse
import hashlib
import json
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from actors.simulation import SimulatedCamera, SimulatedFrame, SimulationSettings, TrueObject, parse_address
from models.detector import Detector
from models.store import WeightsStore
from traffic.types import Box, ObjectClass

MIN_SIDE_PX = 40  # in a picture 1280 wide: the detector's input is the same whatever the picture's size
MIN_VISIBLE = 0.7
SCORE = 0.35
IOU = 0.5
VEHICLES = (ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK)
Found = list[tuple[Box, ObjectClass, float]]
ROOT = Path(__file__).resolve().parent.parent


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h)


def _large(box: Box, width: int) -> bool:
    return max(box[2] - box[0], box[3] - box[1]) >= MIN_SIDE_PX * width / 1280


def _detect(detector: Detector, image: np.ndarray) -> Found:
    width, height = detector.input_size
    scale = min(width / image.shape[1], height / image.shape[0])
    small = cv2.resize(image, (round(image.shape[1] * scale), round(image.shape[0] * scale)), interpolation=cv2.INTER_AREA)
    canvas = np.full((height, width, 3), 114, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    found = detector.detect([canvas])[0]
    boxes: Any = (found.boxes / scale).astype(float).tolist()
    kept = zip(boxes, found.classes.tolist(), found.scores.tolist(), strict=True)
    return [(tuple(box), ObjectClass(c), s) for box, c, s in kept if s >= SCORE and ObjectClass(c) in VEHICLES]


def _score(frame: SimulatedFrame, found: Found, counts: Counter[str]) -> tuple[list[TrueObject], Found]:
    """Count one frame; returns what was missed and what was found wrongly."""
    truth = [o for o in frame.truth.objects if o.object_class in VEHICLES]
    missed, wrong = [], []
    for o in truth:
        if not _large(o.box, frame.image.shape[1]) or o.visible < MIN_VISIBLE:
            continue
        counts["wanted"] += 1
        overlap, box, given, _ = max(((iou(o.box, b), b, c, s) for b, c, s in found), default=(0.0, o.box, o.object_class, 0.0))
        if overlap < IOU:
            missed.append(o)
            counts[f"missed {o.kind}"] += 1
            continue
        counts["found"] += 1
        counts["of its class"] += given == o.object_class
        if not o.truncated:
            counts["whole"] += 1
            counts["bottom x100"] += round(100 * (box[3] - o.box[3]))
            counts["top x100"] += round(100 * (box[1] - o.box[1]))
    for box, given, score in found:
        if not _large(box, frame.image.shape[1]):
            continue
        counts["given"] += 1
        # A hidden or small vehicle found nevertheless is no false alarm.
        if any(iou(o.box, box) >= IOU for o in truth):
            counts["right"] += 1
        else:
            wrong.append((box, given, score))
            counts[f"false {given.name.lower()}"] += 1
    return missed, wrong


def _draw(path: Path, frame: SimulatedFrame, missed: list[TrueObject], wrong: Found) -> None:
    picture = frame.image[..., ::-1].copy()
    for box, colour, text in [(o.box, (0, 0, 255), f"missed {o.kind}") for o in missed] + [
        (box, (0, 255, 255), f"false {c.name.lower()} {s:.2f}") for box, c, s in wrong
    ]:
        x1, y1, x2, y2 = (round(v) for v in box)
        cv2.rectangle(picture, (x1, y1), (x2, y2), colour, 2)
        cv2.putText(picture, text, (x1, y2 + 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA)
    cv2.imwrite(str(path), picture)


def _speed(settings: SimulationSettings, folder: Path, frames: int) -> tuple[float, np.ndarray, float]:
    """Seconds to the first picture, milliseconds of the others, megabytes of sprites."""
    begun = time.perf_counter()
    camera, times = SimulatedCamera(settings, folder), []
    film = camera.frames()
    for _ in range(frames + 1):
        start = time.perf_counter()
        next(film)
        times.append(time.perf_counter() - start)
        if len(times) == 1:
            first = time.perf_counter() - begun
    return first, np.array(times[1:]) * 1e3, camera.sprite_bytes / 1e6


def _detection(settings: SimulationSettings, seeds: list[int], pictures: int, args: argparse.Namespace) -> Counter[str]:
    source = b"".join(p.read_bytes() for p in [*sorted((ROOT / "actors" / "simulation").glob("*.py")), Path(__file__)])
    detector: Detector | None = None
    total: Counter[str] = Counter()
    args.state.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        film = replace(settings, seed=seed, fps=1.0, duration_s=float(pictures))
        key = hashlib.sha256(source + repr(film).encode()).hexdigest()[:24]
        kept = args.state / f"{key}.json"
        if kept.exists() and args.out is None:
            total.update(json.loads(kept.read_text()))
            continue
        detector = detector or Detector("picodet-s", WeightsStore(args.models_dir), input_size=(640, 384))
        counts: Counter[str] = Counter()
        for frame in SimulatedCamera(film, args.state).frames():
            missed, wrong = _score(frame, _detect(detector, frame.image), counts)
            if args.out is not None and (missed or wrong):
                _draw(args.out / f"seed{seed}_{frame.index:03d}.png", frame, missed, wrong)
        kept.write_text(json.dumps(counts))
        total.update(counts)
    return total


def _rows(speeds: dict[str, tuple[float, np.ndarray, float]], counts: Counter[str]) -> list[tuple[str, str, str]]:
    rows = []
    for label, (first, ms, megabytes) in speeds.items():
        rows.append((f"first picture, {label} cache", "5 s", f"{first:.2f} s"))
        told = f"{1000 / ms.mean():.1f} (median {np.median(ms):.1f} ms, p95 {np.percentile(ms, 95):.1f} ms)"
        rows.append((f"frames/s, {label} cache, {len(ms)} frames", "25", told))
        rows.append((f"sprites in memory, {label} cache", "-", f"{megabytes:.0f} MB"))
    if not counts:
        return rows
    wanted, given, whole = counts["wanted"], counts["given"], max(1, counts["whole"])
    rows.append(("recall", "0.97", f"{counts['found'] / max(1, wanted):.4f} of {wanted}"))
    rows.append(("precision", "0.95", f"{counts['right'] / max(1, given):.4f} of {given}"))
    rows.append(("found as its own class", "-", f"{counts['of its class'] / max(1, counts['found']):.3f}"))
    edges = f"{counts['bottom x100'] / 100 / whole:+.1f} px, {counts['top x100'] / 100 / whole:+.1f} px"
    rows.append(("bottom, top edge of the detections", "0", edges))
    rows += [(name, "-", str(n)) for name, n in sorted(counts.items()) if name.startswith(("missed", "false"))]
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="sim://approach")
    parser.add_argument("--frames", type=int, default=250, help="frames timed with a cold, then with a warm cache; 0: none")
    parser.add_argument("--seeds", default="1,7,12,31", help="for detection")
    parser.add_argument("--pictures", type=int, default=60, help="per seed, one second apart; 0: none")
    parser.add_argument("--out", type=Path, help="folder for pictures with a miss or a false detection")
    parser.add_argument("--state", type=Path, default=Path(tempfile.gettempdir()) / "wayside-benchmark-simulation")
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/wayside/models").expanduser())
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
    settings = parse_address(args.address)
    speeds = {}
    with tempfile.TemporaryDirectory() as folder:
        for label in ("cold", "warm") if args.frames else ():
            speeds[label] = _speed(settings, Path(folder), args.frames)
    seeds = [int(seed) for seed in args.seeds.split(",")] if args.pictures else []
    print("| What | Target | Measured |\n|---|---|---|")
    for row in _rows(speeds, _detection(settings, seeds, args.pictures, args)):
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
