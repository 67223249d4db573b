"""A user's own ONNX detector, named by its path in the settings.

Accepted: one input, float32 (n, 3, h, w) with h and w fixed, RGB. Beside ``model.onnx`` stands ``model.json``:

    {"layout": "yolov8" | "yolox" | "nms", "scale": 0.00392156862745098, "mean": [0,0,0], "std": [1,1,1],
     "bgr": false, "classes": {"0": "person", "2": "car"}}

- ``yolov8``: one output (n, 4 + classes, anchors): centre x, centre y, width, height in pixels, then class scores.
- ``yolox``: one output (n, anchors, 5 + classes) with grid-relative boxes at strides 8, 16, 32: exp/stride decoding here.
- ``nms``: outputs boxes (k, 4) in pixels, scores (k,), labels (k,) of one image, already suppressed.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.detector import CandidateBackend
from models.engines import OnnxRuntimeEngine
from models.errors import EngineUnavailableError, ModelFormatError
from models.postprocess import anchor_points
from traffic.types import ObjectClass

Candidates = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]
_YOLOX_STRIDES = (8, 16, 32)


class UserOnnxBackend(CandidateBackend):
    """Runs a user's detector with ONNX Runtime."""

    def __init__(self, path: Path, threads: int, streams: int = 1) -> None:
        self.streams = streams
        config = _read_config(path)
        try:
            self._engine = OnnxRuntimeEngine(path, threads)
        except EngineUnavailableError as error:
            raise ModelFormatError(f"{path}: not a network that ONNX Runtime can run ({error})") from error
        shape = self._engine.session.get_inputs()[0].shape
        if len(shape) != 4 or not all(isinstance(side, int) for side in shape[1:]) or shape[1] != 3:
            raise ModelFormatError(f"{path.name}: the input must be float32 (n, 3, height, width) with fixed size, it is {shape}")
        self.input_size = (int(shape[3]), int(shape[2]))
        self.engine_name = self._engine.name
        self._layout = str(config["layout"])
        self._scale = _numbers(path, config, "scale", [1 / 255])
        self._mean = _numbers(path, config, "mean", [0, 0, 0])
        self._std = _numbers(path, config, "std", [1, 1, 1])
        self._name = path.name
        self._bgr = bool(config.get("bgr", False))
        self._classes = _class_table(path, config)

    def candidates(self, batch: NDArray[np.uint8], threshold: float) -> list[Candidates]:
        """See CandidateBackend."""
        pixels = batch[..., ::-1] if self._bgr else batch
        planes = (pixels.transpose(0, 3, 1, 2).astype(np.float32) * self._scale - self._mean) / self._std
        found = []
        for row in range(len(planes)):  # exported with batch 1 more often than not
            outputs = self._engine.run(np.ascontiguousarray(planes[row : row + 1]))
            try:
                found.append(self._map(*self._decode(outputs, threshold)))
            except (IndexError, ValueError) as error:
                shapes = ", ".join(str(output.shape) for output in outputs)
                raise ModelFormatError(f"{self._name}: outputs {shapes} are not those of layout {self._layout}") from error
        return found

    def _decode(self, outputs: list[NDArray[np.float32]], threshold: float) -> Candidates:
        if self._layout == "nms":
            boxes, scores, labels = outputs[0].reshape(-1, 4), outputs[1].ravel(), outputs[2].ravel().astype(np.int64)
            good = scores >= threshold
            return boxes[good].astype(np.float32), scores[good].astype(np.float32), labels[good]
        rows = outputs[0][0].T if self._layout == "yolov8" else outputs[0][0]
        centres, extents = rows[:, :2], rows[:, 2:4]
        scores_all = rows[:, 4:] if self._layout == "yolov8" else rows[:, 4:5] * rows[:, 5:]
        if self._layout == "yolox":
            points, strides = anchor_points(*self.input_size, _YOLOX_STRIDES)
            centres = (centres + points / strides - 0.5) * strides
            extents = np.exp(np.minimum(extents, 20)) * strides
        best = scores_all.max(axis=1)
        good = best >= threshold
        boxes = np.concatenate([centres - extents / 2, centres + extents / 2], axis=1)[good]
        return boxes.astype(np.float32), best[good], scores_all[good].argmax(axis=1)

    def _map(self, boxes: NDArray[np.float32], scores: NDArray[np.float32], labels: NDArray[np.int64]) -> Candidates:
        mapped = np.array([self._classes.get(int(label), -1) for label in labels], np.int64)
        known = mapped >= 0
        return boxes[known], scores[known], mapped[known]


def _read_config(path: Path) -> dict[str, object]:
    if not path.is_file():
        raise ModelFormatError(f"{path}: no such ONNX file")
    side = path.with_suffix(".json")
    try:
        config = json.loads(side.read_text())
    except FileNotFoundError as error:
        raise ModelFormatError(f"{side} is missing: it says how to read {path.name}, see docs/models.md") from error
    except ValueError as error:
        raise ModelFormatError(f"{side}: not valid JSON ({error})") from error
    if not isinstance(config, dict) or config.get("layout") not in ("yolov8", "yolox", "nms"):
        raise ModelFormatError(f"{side}: layout must be yolov8, yolox or nms")
    return config


def _numbers(path: Path, config: dict[str, object], key: str, default: list[float]) -> NDArray[np.float32]:
    """One number, or one per plane, as float32 (1, 1 or 3, 1, 1)."""
    try:
        values = np.array(config.get(key, default), np.float32).ravel()
    except (TypeError, ValueError) as error:
        raise ModelFormatError(f"{path.with_suffix('.json')}: {key} is not a number: {config[key]!r}") from error
    if len(values) != len(default):
        raise ModelFormatError(
            f"{path.with_suffix('.json')}: {key} must be {'three numbers' if len(default) == 3 else 'one number'}"
        )
    if key == "std" and not values.all():
        raise ModelFormatError(f"{path.with_suffix('.json')}: std must not be zero")
    return values.reshape(1, -1, 1, 1)


def _class_table(path: Path, config: dict[str, object]) -> dict[int, int]:
    table = config.get("classes")
    names = {member.name.lower(): int(member) for member in ObjectClass}
    if not isinstance(table, dict) or not table or any(str(name) not in names for name in table.values()):
        raise ModelFormatError(f"{path.with_suffix('.json')}: classes must map label numbers to {', '.join(names)}")
    if not all(str(label).isdigit() for label in table):
        raise ModelFormatError(f"{path.with_suffix('.json')}: classes must map label numbers, not {list(table)}")
    return {int(label): names[str(name)] for label, name in table.items()}
