"""From which density on people are counted too low: python -m benchmarks.crowds [--densities 0.1 0.25 …] [--out FOLDER].

There is no film of a dense crowd with ground truth in the data folder, so one is made: people cut out of the PETS clip (where
its ground truth says that they stand alone, against the median picture of the clip) are put back into the empty picture at
random places of the walkway, far ones first, in the size that belongs to their place, swaying and drifting a little. The film
goes through the pipeline that cameras run. Shadows are missing and everybody is one of a few dozen people; what the figure
shows is what hiding one another does to detector and tracker in a view from about 8 m above the ground.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

import cv2
import numpy as np

from benchmarks.real_clips import analysed, default_detector
from traffic.scene import Region, Scene

DATA = Path(os.environ.get("WAYSIDE_TEST_DATA", "../shared/data"))
CLIP = DATA / "video" / "opencv_vtest_PETS09-S2L1.avi"
GT = DATA / "mot" / "MOT15-sort-dets" / "PETS09-S2L1" / "gt.txt"
FOCAL_PX, PERSON_M = 1194.0, 1.75  # the clip's published calibration: 5.5549 mm / 4.65 µm
X, Y = (120, 700), (240, 440)  # the part of the picture that is filled, pixels
FRAMES, FPS = 30, 5.0


def read_boxes(path: Path) -> dict[int, list[tuple[float, float, float, float]]]:
    """Boxes (x, y, w, h) by frame from 0."""
    boxes: dict[int, list[tuple[float, float, float, float]]] = {}
    for line in path.read_text().splitlines():
        frame, _, x, y, w, h = (float(v) for v in line.split(",")[:6])
        boxes.setdefault(int(frame) - 1, []).append((x, y, w, h))
    return boxes


def cut_out(frames: list[np.ndarray], boxes: dict[int, list]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The empty picture, and people as uint8 (h, w, 4) with their mask."""
    empty = np.median(np.stack(frames[::8]), axis=0).astype(np.uint8)
    people = []
    for index in range(0, len(frames), 7):
        for x, y, w, h in boxes.get(index, []):
            near = [b for b in boxes[index] if abs(b[0] - x) < w + 12 and abs(b[1] - y) < h]
            if len(near) > 1 or h < 65 or x < 5 or x + w > 760 or y + h > 560:
                continue
            x1, y1, x2, y2 = int(x) - 4, int(y) - 4, int(x + w) + 5, int(y + h) + 4
            piece, back = frames[index][y1:y2, x1:x2], empty[y1:y2, x1:x2]
            mask = (cv2.absdiff(piece, back).max(axis=2) > 28).astype(np.uint8)
            mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
            number, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
            if number < 2:
                continue
            largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
            if stats[largest, cv2.CC_STAT_AREA] < 0.3 * w * h or stats[largest, cv2.CC_STAT_HEIGHT] < 0.85 * h:
                continue
            top, bottom = stats[largest, cv2.CC_STAT_TOP], stats[largest, cv2.CC_STAT_TOP] + stats[largest, cv2.CC_STAT_HEIGHT]
            people.append(np.dstack([piece, (labels == largest).astype(np.uint8) * 255])[top:bottom])
    return empty, people


def person_height(boxes: dict[int, list]) -> tuple[float, float]:
    """(a, y0) of height = a (y - y0) at the foot's y, least squares over all boxes."""
    rows = np.array([(y + h, h) for found in boxes.values() for _, y, _, h in found])
    a, b = np.polyfit(rows[:, 0], rows[:, 1], 1)
    return float(a), float(-b / a)


def make_film(
    path: Path, empty: np.ndarray, people: list[np.ndarray], scale: tuple[float, float], number: int, seed: int
) -> float:
    """Write a film with ``number`` people in the filled part; returns its area in m²."""
    a, y0 = scale
    camera_m = PERSON_M / a
    chance = np.random.default_rng(seed)
    rows = np.arange(Y[0], Y[1]) + 0.5
    depth = FOCAL_PX * camera_m / (rows - y0)
    row_m2 = (X[1] - X[0]) * depth / FOCAL_PX * (depth / (rows - y0))  # width in m times depth of a pixel row
    row = chance.choice(rows, number, p=row_m2 / row_m2.sum())
    column, who = chance.uniform(*X, number), chance.integers(0, len(people), number)
    phase, pace, mirrored = chance.uniform(0, 6.3, number), chance.uniform(-0.3, 0.3, number), chance.random(number) < 0.5
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (empty.shape[1], empty.shape[0]))
    for frame in range(FRAMES):
        picture = empty.astype(np.float32)
        for i in np.argsort(row):
            tall = a * (row[i] - y0)
            drift = (0.04 * np.sin(phase[i] + 2.2 * frame / FPS) + 0.1 * np.sin(pace[i] * frame / FPS)) * tall
            _paste(picture, people[who[i]], column[i] + drift, row[i], tall, bool(mirrored[i]))
        writer.write(np.clip(picture, 0, 255).astype(np.uint8))
    writer.release()
    return float(row_m2.sum())


def _paste(picture: np.ndarray, person: np.ndarray, x: float, foot: float, tall: float, mirrored: bool) -> None:
    size = (max(round(person.shape[1] * tall / person.shape[0]), 2), max(round(tall), 2))
    small = cv2.resize(person[:, ::-1] if mirrored else person, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    left, top = round(x - size[0] / 2), round(foot) - size[1]
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + size[0], picture.shape[1]), min(top + size[1], picture.shape[0])
    part = small[y1 - top : y2 - top, x1 - left : x2 - left]
    alpha = part[..., 3:] / 255
    picture[y1:y2, x1:x2] = alpha * part[..., :3] + (1 - alpha) * picture[y1:y2, x1:x2]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--densities", type=float, nargs="+", default=[0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, help="folder for one picture of each film")
    args = parser.parse_args()
    capture, frames = cv2.VideoCapture(str(CLIP)), []
    while True:
        good, frame = capture.read()
        if not good:
            break
        frames.append(frame)
    boxes = read_boxes(GT)
    empty, people = cut_out(frames, boxes)
    scale, detector = person_height(boxes), default_detector()
    height, width = empty.shape[:2]
    low, high = (X[0] / width, (Y[0] - 8) / height), (X[1] / width, (Y[1] + 8) / height)
    square = Region(region_code=1, name="", kind="people", polygon=((low[0], low[1]), (high[0], low[1]), high, (low[0], high[1])))
    print(json.dumps({"cutOuts": len(people), "cameraHeightM": round(PERSON_M / scale[0], 2)}))
    for density in args.densities:
        found, true, area = [], 0, 0.0
        for seed in range(args.seeds):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "crowd.avi"
                area = make_film(path, empty, people, scale, 1, seed)
                number = round(density * area)
                make_film(path, empty, people, scale, number, seed)
                numbers = [p.people[1] for _, p in analysed(str(path), Scene(regions=(square,)), detector)]
                if args.out and seed == 0:
                    args.out.mkdir(parents=True, exist_ok=True)
                    _, still = cv2.VideoCapture(str(path)).read()
                    cv2.imwrite(str(args.out / f"crowd_{density:g}.png"), still)
            found.append(float(np.mean(numbers[FRAMES // 2 :])))
            true += number
        print(json.dumps({
            "peoplePerM2": density, "areaM2": round(area), "people": true // args.seeds,
            "counted": round(float(np.mean(found)), 1), "share": round(sum(found) / true, 3),
        }))  # fmt: skip


if __name__ == "__main__":
    main()
