"""Accuracy and speed of the detector on the reference frames: ``python -m benchmarks.detector``.

The reference boxes were made by a larger network and looked at, not drawn by hand: the figures say how far a detector
agrees with that network, and compare models, engines and input sizes with each other. Measured through the product's own
letterbox, network, decoding and suppression, with the detector's own score threshold, which cuts the low-precision tail of
the curves.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from actors.decoding import letterbox
from models.detector import Detector
from models.engines import ENGINE_NAMES
from models.errors import ModelError
from models.store import WeightsStore
from traffic.types import ObjectClass

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

IOU_THRESHOLD = 0.5
LABEL_SCORE = 0.35  # reference boxes below this are neither demanded nor held against a detector
MIN_HEIGHT_PX = 12.0  # the reference is not reliable below; such boxes are left out on both sides
_WARM_UP_RUNS = 3
_VEHICLES = (ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK)
_TWO_WHEELERS = (ObjectClass.BICYCLE, ObjectClass.MOTORCYCLE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One column of the table: ``classes`` merged into one, labels of ``heights`` [from, to) in pixels of the frame."""

    name: str
    classes: tuple[ObjectClass, ...]
    heights: tuple[float, float] = (MIN_HEIGHT_PX, np.inf)


MEASURES = (
    Measure(name="vehicle", classes=_VEHICLES),
    Measure(name="person", classes=(ObjectClass.PERSON,)),
    Measure(name="two-wheeler", classes=_TWO_WHEELERS),
    Measure(name="vehicle <24", classes=_VEHICLES, heights=(MIN_HEIGHT_PX, 24.0)),
    Measure(name="vehicle 24-48", classes=_VEHICLES, heights=(24.0, 48.0)),
    Measure(name="vehicle >48", classes=_VEHICLES, heights=(48.0, np.inf)),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Boxes:
    """Boxes of one frame: ``boxes`` (n, 4) x1, y1, x2, y2 in pixels of the frame, scores (n,), ObjectClass values (n,)."""

    boxes: Floats
    scores: Floats
    classes: NDArray[np.int64]

    def of(self, classes: Sequence[ObjectClass]) -> "Boxes":
        """Only those of ``classes``."""
        chosen = np.isin(self.classes, [int(item) for item in classes])
        return Boxes(boxes=self.boxes[chosen], scores=self.scores[chosen], classes=self.classes[chosen])

    def heights(self) -> Floats:
        """Heights (n,) in pixels."""
        result: Floats = self.boxes[:, 3] - self.boxes[:, 1]
        return result


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A decoded frame with its reference boxes."""

    frame: av.VideoFrame
    reference: Boxes


def load_samples(data: Path) -> list[Sample]:
    """Decode the frames of ``detections/reference.json`` under ``data``, each clip once.

    Raises:
        OSError: reference or a clip missing. ValueError: a clip ends before a frame, or its size is not the reference's.
    """
    rows = json.loads((data / "detections" / "reference.json").read_text())["frames"]
    frames: dict[tuple[str, int], av.VideoFrame] = {}
    for clip in dict.fromkeys(row["clip"] for row in rows):
        wanted = {row["frame"] for row in rows if row["clip"] == clip}
        with av.open(str(data / "video" / clip)) as container:
            for index, frame in enumerate(container.decode(video=0)):
                if index in wanted:
                    frames[clip, index] = frame
                if index >= max(wanted):
                    break
    samples = []
    for row in rows:
        key = (row["clip"], row["frame"])
        if key not in frames or (frames[key].width, frames[key].height) != (row["width"], row["height"]):
            raise ValueError(f"{key[0]} has no frame {key[1]} of {row['width']}x{row['height']} pixels")
        samples.append(Sample(frame=frames[key], reference=_reference(row["boxes"])))
    return samples


def _reference(rows: Sequence[Sequence[float | str]]) -> Boxes:
    return Boxes(
        boxes=np.array([row[:4] for row in rows], np.float64).reshape(-1, 4),
        scores=np.array([row[4] for row in rows], np.float64),
        classes=np.array([int(ObjectClass[str(row[5]).upper()]) for row in rows], np.int64),
    )


def run_detector(detector: Detector, samples: Sequence[Sample]) -> tuple[list[Boxes], float]:
    """Detect on every frame alone. Returns boxes per frame, in pixels of the frame, and the median time in milliseconds."""
    fit = detector.input_fit
    inputs = [
        letterbox(sample.frame, detector.input_size, max_stretch=fit.max_stretch, max_enlargement=fit.max_enlargement)
        for sample in samples
    ]
    for _ in range(_WARM_UP_RUNS):
        detector.detect([inputs[0][0]])
    found, times_ms = [], []
    for image, transform in inputs:
        start = time.perf_counter()
        detections = detector.detect([image])[0]
        times_ms.append((time.perf_counter() - start) * 1000)
        boxes = np.asarray(transform.to_frame(detections.boxes), np.float64).reshape(-1, 4)
        found.append(Boxes(boxes=boxes, scores=detections.scores.astype(np.float64), classes=detections.classes))
    return found, statistics.median(times_ms)


def average_precision(found: Sequence[Boxes], samples: Sequence[Sample], measure: Measure) -> tuple[float, int]:
    """AP at IoU 0.5, area under the precision envelope over all points (PASCAL VOC 2010 and later).

    Returns:
        (AP 0..1, number of labels); AP is NaN without labels.
    """
    scores, hits, labels = [np.zeros(0)], [np.zeros(0, bool)], 0
    for boxes, sample in zip(found, samples, strict=True):
        mine, reference = boxes.of(measure.classes), sample.reference.of(measure.classes)
        wanted = (reference.scores >= LABEL_SCORE) & _within(reference.heights(), measure.heights)
        hit, counted = _match(mine, reference, wanted, measure.heights)
        scores.append(mine.scores[counted])
        hits.append(hit[counted])
        labels += int(wanted.sum())
    if not labels:
        return float("nan"), 0
    order = np.argsort(-np.concatenate(scores), kind="stable")
    right = np.concatenate(hits)[order].cumsum()
    precision = right / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    gained = np.diff(right / labels, prepend=0.0)
    return float((envelope * gained).sum()), labels


def _match(mine: Boxes, reference: Boxes, wanted: Bools, heights: tuple[float, float]) -> tuple[Bools, Bools]:
    """Assign detections to labels greedily, best score first; each label once.

    Returns:
        (hit (n,), counted (n,)). Not counted: detections that hit nothing wanted but lie on an ignored reference box, or
        whose own height is outside ``heights`` (the rule of COCO's size classes).
    """
    hit, counted = np.zeros(len(mine.scores), bool), np.ones(len(mine.scores), bool)
    overlap = _iou(mine.boxes, reference.boxes)
    inside = _within(mine.heights(), heights)
    free = wanted.copy()
    for index in np.argsort(-mine.scores, kind="stable"):
        candidates = np.where(free, overlap[index], 0.0)
        best = int(candidates.argmax()) if len(candidates) else -1
        if best >= 0 and candidates[best] >= IOU_THRESHOLD:
            hit[index], free[best] = True, False
        elif not inside[index] or (overlap[index][~wanted] >= IOU_THRESHOLD).any():
            counted[index] = False
    return hit, counted


def _within(values: Floats, limits: tuple[float, float]) -> Bools:
    result: Bools = (values >= limits[0]) & (values < limits[1])
    return result


def _iou(first: Floats, second: Floats) -> Floats:
    low, high = np.maximum(first[:, None, :2], second[None, :, :2]), np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (first, second)]
    result: Floats = shared / np.maximum(areas[0][:, None] + areas[1][None, :] - shared, 1e-9)
    return result


def _size(text: str) -> tuple[int, int]:
    width, separator, height = text.partition("x")
    if not (separator and width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT, such as 640x384")
    return int(width), int(height)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n")[0])
    parser.add_argument("--model", default="picodet-s", help="catalogue name or path of an ONNX file")
    parser.add_argument("--engine", default="auto", choices=ENGINE_NAMES)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--input", type=_size, action="append", metavar="WxH", help="network input; repeatable")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WAYSIDE_TEST_DATA", "../shared/data")))
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Print one Markdown row per input size."""
    options = _arguments()
    store = WeightsStore(Path(os.environ.get("WAYSIDE_MODELS_DIR", "~/.cache/wayside/models")).expanduser())
    try:
        samples = load_samples(options.data)
        print("| model | engine | input | " + " | ".join(item.name for item in MEASURES) + " | ms/frame |")
        print("|---" * (len(MEASURES) + 4) + "|")
        for size in options.input or [None]:
            detector = Detector(
                options.model, store, input_size=size, engine=options.engine, device=options.device, threads=options.threads
            )
            found, latency_ms = run_detector(detector, samples)
            results = [average_precision(found, samples, item) for item in MEASURES]
            start = [options.model, detector.engine_name, "{}x{}".format(*detector.input_size)]
            print("| " + " | ".join([*start, *(f"{ap:.3f}" for ap, _ in results), f"{latency_ms:.1f}"]) + " |", flush=True)
    except (ModelError, OSError, ValueError) as error:
        sys.exit(f"detector benchmark: {error}")
    print("labels: " + ", ".join(f"{item.name} {count}" for item, (_, count) in zip(MEASURES, results, strict=True)))


if __name__ == "__main__":
    main()
