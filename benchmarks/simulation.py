"""Speed of the simulated camera and how well the default detector finds its vehicles.

``python -m benchmarks.simulation [--frames 1500] [--every 25] [--models-dir DIR]``. The figures say nothing about real roads.
"""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from actors.simulation import SimulatedCamera, SimulatedFrame, parse_address
from models.detector import Detector
from models.store import WeightsStore
from traffic.types import Box, Detections, ObjectClass

MIN_SIDE_PX = 40
MIN_VISIBLE = 0.6
SCORE = 0.35
IOU = 0.5
VEHICLES = (ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK)


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h)


def _detect(detector: Detector, image: np.ndarray) -> list[tuple[Box, ObjectClass]]:
    width, height = detector.input_size
    scale = min(width / image.shape[1], height / image.shape[0])
    small = cv2.resize(image, (round(image.shape[1] * scale), round(image.shape[0] * scale)), interpolation=cv2.INTER_AREA)
    canvas = np.full((height, width, 3), 114, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    found: Detections = detector.detect([canvas])[0]
    keep = found.scores >= SCORE
    return [
        (tuple(float(v) / scale for v in box), ObjectClass(int(c)))  # type: ignore[misc]
        for box, c in zip(found.boxes[keep], found.classes[keep], strict=True)
    ]


def _score(frame: SimulatedFrame, found: list[tuple[Box, ObjectClass]], counts: Counter[str]) -> None:
    truth = [o for o in frame.truth.objects if o.object_class in VEHICLES]
    boxes = [(box, c) for box, c in found if c in VEHICLES and max(box[2] - box[0], box[3] - box[1]) >= MIN_SIDE_PX]
    for o in truth:
        if max(o.box[2] - o.box[0], o.box[3] - o.box[1]) < MIN_SIDE_PX or o.visible < MIN_VISIBLE:
            continue
        hits = [(iou(o.box, box), box, c) for box, c in found if c in VEHICLES]
        best = max(hits, default=(0.0, o.box, o.object_class), key=lambda h: h[0])
        counts["wanted"] += 1
        if best[0] >= IOU:
            counts["found"] += 1
            counts[f"{o.object_class.name} as {best[2].name}"] += 1
            counts["bottom_px_x100"] += round(100 * (best[1][3] - o.box[3]))
        else:
            counts[f"missed {o.kind}"] += 1
    counts["given"] += len(boxes)
    # A hidden or small vehicle found nevertheless is no false alarm.
    counts["right"] += sum(any(iou(o.box, box) >= IOU for o in truth) for box, _ in boxes)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="sim://approach?warmup_s=100")
    parser.add_argument("--frames", type=int, default=1500)
    parser.add_argument("--every", type=int, default=25, help="detect on every n-th frame")
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/wayside/models").expanduser())
    args = parser.parse_args()
    cv2.setNumThreads(1)
    detector = Detector("picodet-s", WeightsStore(args.models_dir), input_size=(640, 384))
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for label in ("cold", "warm"):
            begun = time.perf_counter()
            camera, times = SimulatedCamera(parse_address(args.address), Path(folder)), []
            film = camera.frames()
            for index in range(args.frames):
                start = time.perf_counter()
                frame = next(film)
                times.append(time.perf_counter() - start)
                if index == 0:
                    print(f"{label} cache: first picture {time.perf_counter() - begun:.2f} s")
                if label == "warm" and index % args.every == 0:
                    _score(frame, _detect(detector, frame.image), counts)
            ms = np.array(times[1:]) * 1e3
            print(f"{label} cache: mean {ms.mean():.1f} ms, median {np.median(ms):.1f} ms, p95 {np.percentile(ms, 95):.1f} ms, "
                  f"{1000 / ms.mean():.1f} frames/s; sprites {camera.sprite_bytes / 1e6:.0f} MB")  # fmt: skip
    recall, precision = counts["found"] / counts["wanted"], counts["right"] / counts["given"]
    bottom = counts["bottom_px_x100"] / 100 / max(1, counts["found"])
    print(f"recall {recall:.4f} of {counts['wanted']}, precision {precision:.4f} of {counts['given']}")
    print(f"bottom edge {bottom:+.1f} px")
    for name, count in sorted(counts.items()):
        if " as " in name or name.startswith("missed"):
            print(f"  {name}: {count}")


if __name__ == "__main__":
    main()
