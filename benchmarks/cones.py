"""The cone classifier: trains it on pictures drawn here, and measures it on photographs.

``python -m benchmarks.cones --train`` draws pictures (cones of many looks among signs, barriers, lamps, people and cars), takes
the candidates that ``actors.vision.cones`` finds in them and writes ``actors/vision/cone_weights.txt``; the same seed gives the
same weights. ``python -m benchmarks.cones --images FOLDER`` measures on a folder with ``images`` and YOLO ``labels``. The
photographs have no licence, so nothing is trained on them.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from actors.decoding import DecodedFrame
from actors.vision.cones import WIDTH_PX, candidates, find_cones
from actors.vision.small import SmallPicture, small_picture
from traffic.types import Box

WEIGHTS = Path(__file__).resolve().parent.parent / "actors" / "vision" / "cone_weights.txt"
Picture = NDArray[np.uint8]
W, H = 960, 540


def frame_of(rgb: Picture) -> DecodedFrame:
    """A picture as a decoded 4:2:0 frame."""
    rgb = rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2]
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format="yuv420p")
    size = (rgb.shape[1], rgb.shape[0])
    return DecodedFrame(index=0, pts_s=0.0, time_s=0.0, frame=frame, width=size[0], height=size[1], key_frame=True, rotation=0)


def _background(rng: np.random.Generator) -> NDArray[np.float32]:
    image = np.zeros((H, W, 3), np.float32)
    horizon = int(rng.uniform(-50, 300))
    sky, road = rng.uniform(120, 240, 3), np.full(3, rng.uniform(40, 150)) + rng.uniform(-12, 12, 3)
    side = rng.uniform(30, 130, 3)
    image[:] = side
    image[: max(0, horizon)] = sky
    middle = rng.uniform(200, 760)
    road_shape = np.array([[middle - 40, horizon], [middle + 40, horizon], [middle + 900, H], [middle - 900, H]], np.int32)
    cv2.fillPoly(image, [road_shape], road.tolist())
    for _ in range(int(rng.integers(2, 7))):
        x = rng.uniform(-400, 1400)
        cv2.line(
            image, (int(middle), horizon), (int(x), H), (float(rng.uniform(170, 240)),) * 3, int(rng.integers(1, 7)), cv2.LINE_AA
        )
    for size in (4, 16, 64):
        noise = rng.standard_normal((H // size + 2, W // size + 2, 3)).astype(np.float32)
        noise = 0.6 * noise.mean(2, keepdims=True) + 0.4 * noise
        image += cv2.resize(noise, (W, H)) * rng.uniform(1, 7)
    return image


def _red(rng: np.random.Generator) -> NDArray[np.float64]:
    """Red to orange, worn or new."""
    hue = rng.uniform(0, 16)
    hsv = np.array([[[hue, rng.uniform(150, 255), rng.uniform(120, 255)]]], np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].astype(float)


def _shaded(
    image: NDArray[np.float32], shape: NDArray[np.float64], colour: NDArray[np.float64], rng: np.random.Generator
) -> None:
    """Fill a polygon with a colour that is lit from one side."""
    x1, y1 = np.maximum(np.floor(shape.min(0)).astype(int) - 1, 0)
    x2, y2 = np.ceil(shape.max(0)).astype(int) + 2
    x2, y2 = min(int(x2), W), min(int(y2), H)
    if x2 - x1 < 2 or y2 - y1 < 2:
        return
    mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
    cv2.fillPoly(mask, [np.round((shape - (x1, y1)) * 8).astype(np.int32)], 255, cv2.LINE_AA, 3)
    share = (mask.astype(np.float32) / 255)[..., None]
    light = np.linspace(1 + rng.uniform(-0.25, 0.25), 1 + rng.uniform(-0.25, 0.25), x2 - x1)[None, :, None]
    part = image[y1:y2, x1:x2]
    part += share * (colour.astype(np.float32) * light.astype(np.float32) - part)


def _band(x: float, y: float, wide: tuple[float, float], high: float) -> NDArray[np.float64]:
    """A symmetric trapezoid: (x, y) middle of its lower edge, widths below and above."""
    return np.array([[x - wide[0] / 2, y], [x + wide[0] / 2, y], [x + wide[1] / 2, y - high], [x - wide[1] / 2, y - high]])


def _cone(image: NDArray[np.float32], rng: np.random.Generator) -> Box:
    h = float(np.exp(rng.uniform(np.log(14), np.log(230))))
    x, y = rng.uniform(20, W - 20), rng.uniform(h + 5, H - 5)
    below, above = h * rng.uniform(0.34, 0.62), h * rng.uniform(0.05, 0.16)
    colour, tilt = _red(rng), rng.uniform(-0.06, 0.06) * h
    foot = rng.uniform(0.04, 0.12) * h if rng.random() < 0.85 else 0.0
    wide = below * rng.uniform(1.1, 1.6)
    if foot:
        dark = colour * rng.uniform(0.7, 1.0) if rng.random() < 0.5 else np.full(3, rng.uniform(15, 70))
        _shaded(image, _band(x, y, (wide, wide * 0.92), foot), dark, rng)
    edges = [0.0]
    for _ in range(int(rng.integers(0, 3))):
        start = edges[-1] + rng.uniform(0.15, 0.35)
        edges += [start, start + rng.uniform(0.12, 0.3)]
    edges = [e for e in edges if e < 0.92]
    edges.append(1.0)
    white = np.full(3, rng.uniform(150, 250)) * rng.uniform(0.9, 1.0, 3)
    body = h - foot
    for i, (a, b) in enumerate(pairwise(edges)):
        widths = (below + (above - below) * a, below + (above - below) * b)
        shape = _band(x, y - foot - body * a, widths, body * (b - a))
        shape[:, 0] += tilt * np.array([a, a, b, b])
        _shaded(image, shape, white if i % 2 else colour, rng)
    return (x - wide / 2, y - h, x + wide / 2, y)


def _other(image: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Something red or orange that is no cone."""
    colour, kind = _red(rng), int(rng.integers(11))
    s = float(np.exp(rng.uniform(np.log(10), np.log(160))))
    x, y = rng.uniform(10, W - 10), rng.uniform(20, H - 5)
    white = np.full(3, rng.uniform(150, 250))
    if kind == 0:  # a plate or a box
        _shaded(image, _band(x, y, (s, s), s * rng.uniform(0.7, 2.5)), colour, rng)
        if rng.random() < 0.5:
            _shaded(image, _band(x, y - s * 0.3, (s * 0.8, s * 0.8), s * 0.2), white, rng)
    elif kind == 1:  # a disc
        cv2.circle(
            image, (int(x), int(y)), int(s / 2), colour.tolist(), -1 if rng.random() < 0.5 else max(1, int(s / 8)), cv2.LINE_AA
        )
    elif kind == 2:  # a warning triangle, white inside
        _shaded(image, _band(x, y, (s, s * 0.05), s * 0.9), colour, rng)
        _shaded(image, _band(x, y - s * 0.12, (s * 0.7, s * 0.05), s * 0.6), white, rng)
    elif kind == 3:  # a striped barrier
        n, wide = int(rng.integers(4, 9)), s * 0.5
        for i in range(n):
            _shaded(image, _band(x + i * wide, y, (wide, wide), s * rng.uniform(0.4, 0.5)), colour if i % 2 else white, rng)
    elif kind == 4:  # a post or a tube, straight
        n, wide = int(rng.integers(1, 6)), s * rng.uniform(0.15, 0.5)
        for i in range(n):
            _shaded(image, _band(x, y - i * s / n, (wide, wide), s / n), white if i % 2 else colour, rng)
    elif kind == 5:  # a person in a vest: legs, body, head
        _shaded(image, _band(x, y, (s * 0.3, s * 0.34), s * 0.5), rng.uniform(10, 90, 3), rng)
        _shaded(image, _band(x, y - s * 0.5, (s * 0.36, s * 0.42), s * 0.34), colour, rng)
        cv2.circle(image, (int(x), int(y - s * 0.92)), max(1, int(s * 0.09)), rng.uniform(30, 200, 3).tolist(), -1, cv2.LINE_AA)
    elif kind == 6:  # a pair of lamps
        for side in (-1, 1):
            _shaded(image, _band(x + side * s * 0.45, y, (s * 0.16, s * 0.18), s * 0.2), colour, rng)
    elif kind == 7:  # a car's body or bonnet: wider below, flat
        _shaded(image, _band(x, y, (s * 1.2, s * 1.1), s * 0.6), colour, rng)
        _shaded(image, _band(x, y - s * 0.6, (s, s * 0.7), s * 0.4), colour * 0.9, rng)
        _shaded(image, _band(x, y - s * 0.65, (s * 0.85, s * 0.65), s * 0.3), np.full(3, 40.0), rng)
    elif kind in (8, 9):  # a sign with writing
        s = max(s, 40.0)
        wide = s * rng.uniform(1.0, 1.6)
        _shaded(image, _band(x, y, (wide, wide), s), colour, rng)
        size = s / 110
        for row in range(int(rng.integers(1, 4))):
            text = "".join(chr(int(c)) for c in rng.integers(65, 91, int(rng.integers(4, 8))))
            at = (int(x - wide * 0.45), int(y - s * (0.75 - 0.27 * row)))
            ink = np.zeros(image.shape[:2], np.uint8)
            cv2.putText(
                ink, text, at, cv2.FONT_HERSHEY_DUPLEX, size * rng.uniform(0.8, 1.2), 255, max(1, int(s / 30)), cv2.LINE_AA
            )
            image += (ink[..., None].astype(np.float32) / 255) * (white.astype(np.float32) - image)
    else:  # a flag or a funnel: wider above
        _shaded(image, _band(x, y, (s * rng.uniform(0.05, 0.3), s * 0.6), s * rng.uniform(0.6, 1.2)), colour, rng)


def _overlap(a: Box, b: Box) -> float:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h)


def _draw(rng: np.random.Generator) -> tuple[SmallPicture, list[Box]]:
    image = _background(rng)
    order = ["cone"] * int(rng.integers(3, 9)) + ["other"] * int(rng.integers(6, 18))
    rng.shuffle(order)
    boxes: list[Box] = []
    for what in order:
        if what == "cone":
            boxes.append(_cone(image, rng))
        else:
            _other(image, rng)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.4)) * rng.uniform(0.45, 1.1) + rng.uniform(0, 30)
    haze = rng.uniform(0, 0.35) if rng.random() < 0.3 else 0.0
    image = image * (1 - haze) + 180 * haze + rng.standard_normal(image.shape) * rng.uniform(1, 6)
    return small_picture(frame_of(np.clip(image, 0, 255).astype(np.uint8)), WIDTH_PX), boxes


def train(pictures: int, seed: int) -> NDArray[np.float64]:
    """Weights of the logistic regression (the last one is the constant), by Newton's method with a ridge."""
    rng = np.random.default_rng(seed)
    features, labels = [], []
    for _ in range(pictures):
        picture, boxes = _draw(rng)
        for item in candidates(picture):
            box = (2.0 * item.x, 2.0 * item.y, 2.0 * (item.x + item.w), 2.0 * (item.y + item.h))
            best = max((_overlap(box, b) for b in boxes), default=0.0)
            if best >= 0.45 or best < 0.15:
                features.append(item.features)
                labels.append(best >= 0.45)
    x = np.column_stack([np.array(features, float), np.ones(len(features))])
    y = np.array(labels, float)
    print(f"{int(y.sum())} cones and {int((1 - y).sum())} other candidates in {pictures} pictures")
    weights = np.zeros(x.shape[1])
    ridge = np.full(x.shape[1], 2.0)
    ridge[-1] = 1e-6
    for _ in range(12):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (p - y) + ridge * weights
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.diag(ridge)
        weights -= np.linalg.solve(hessian, gradient)
    p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
    print(f"on what it was trained on: recall {p[y > 0].__ge__(0.5).mean():.3f}, precision {y[p >= 0.5].mean():.3f}")
    return weights


def measure(folder: Path, out: Path | None) -> None:
    """Recall and precision at an overlap (IoU) of 0.3, and pictures with at least one cone found."""
    wanted = found_right = given = right = 0
    with_cones = alarmed = without = false_alarmed = 0
    for path in sorted((folder / "images").iterdir()):
        bgr = cv2.imread(str(path))
        if bgr is None:
            continue
        label = folder / "labels" / (path.stem + ".txt")
        rows = [line.split() for line in label.read_text().splitlines()] if label.exists() else []
        height, width = bgr.shape[:2]
        truth = []
        for _, cx, cy, w, h in ([float(v) for v in row] for row in rows):
            truth.append(((cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height))
        cones = find_cones(small_picture(frame_of(np.ascontiguousarray(bgr[..., ::-1])), WIDTH_PX))
        wanted, given = wanted + len(truth), given + len(cones)
        found_right += sum(max((_overlap(t, c.box) for c in cones), default=0.0) >= 0.3 for t in truth)
        right += sum(max((_overlap(t, c.box) for t in truth), default=0.0) >= 0.3 for c in cones)
        if truth:
            with_cones, alarmed = with_cones + 1, alarmed + bool(cones)
        else:
            without, false_alarmed = without + 1, false_alarmed + bool(cones)
        if out is not None:
            for boxes, colour in ((truth, (0, 255, 0)), ([c.box for c in cones], (255, 0, 255))):
                for box in boxes:
                    cv2.rectangle(bgr, (int(box[0]), int(box[1])), (int(box[2]), int(box[3])), colour, 4)
            cv2.imwrite(str(out / f"{path.stem}.jpg"), cv2.resize(bgr, (480, round(480 * height / width))))
    print(f"recall {found_right}/{wanted}, precision {right}/{given} (IoU 0.3)")
    print(
        f"pictures with cones: {alarmed} of {with_cones} have one found; pictures without: {false_alarmed} of {without} have one"
    )


def main() -> None:
    """Train or measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.train:
        WEIGHTS.write_text("\n".join(f"{w:.5f}" for w in train(args.pictures, args.seed)) + "\n", encoding="ascii")
    if args.images:
        measure(args.images, args.out)


if __name__ == "__main__":
    main()
