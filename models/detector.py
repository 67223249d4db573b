"""The detector: images in, detections out. One class for every catalogue entry and for a user's own ONNX file."""

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.catalogue import ModelEntry, find
from models.engines import Engine, export_onnx, make_engine
from models.postprocess import decode_distances, to_detections
from models.store import WeightsStore
from traffic.types import Detections, ObjectClass

Image = NDArray[np.uint8]
_EXPORT_VERSION = 2  # part of the cache key of exported networks; raise it when picodet.py changes


class Backend(Protocol):
    """A loaded network with its own decoding."""

    input_size: tuple[int, int]
    engine_name: str

    def candidates(
        self, batch: Image, threshold: float
    ) -> list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]]:
        """uint8 (n, h, w, 3) RGB → per image boxes (k, 4) in input pixels, scores (k,), ObjectClass values (k,)."""


class Detector:
    """A network ready to run.

    Args:
        name: catalogue name, or path of an ONNX file (see docs/models.md for accepted layouts).
        store: where weights are.
        input_size: (width, height) in pixels; None: the model's default.
        engine, device, threads: see ``models.engines.make_engine``.
        score_threshold: detections below are dropped; low ones are kept for the tracker's second association.
        iou_threshold: of non-maximum suppression.

    Raises:
        ModelError: unknown model, missing or damaged weights, no engine.
    """

    def __init__(
        self,
        name: str,
        store: WeightsStore,
        *,
        input_size: tuple[int, int] | None = None,
        engine: str = "auto",
        device: str = "auto",
        threads: int = 1,
        score_threshold: float = 0.12,
        iou_threshold: float = 0.6,
    ) -> None:
        self._score_threshold = score_threshold
        self._iou_threshold = iou_threshold
        self._backend = _load(name, store, input_size, engine, device, threads)

    @property
    def input_size(self) -> tuple[int, int]:
        """Network input (width, height) in pixels."""
        return self._backend.input_size

    @property
    def engine_name(self) -> str:
        """The engine in use, such as ``openvino-bf16``."""
        return self._backend.engine_name

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Detect in a batch.

        Args:
            images: uint8 (h, w, 3) RGB each, at most the input size; smaller ones are padded right and below.

        Returns:
            Detections per image, boxes in pixels of that image.
        """
        if not images:
            return []
        width, height = self.input_size
        batch = np.full((len(images), height, width, 3), 114, np.uint8)
        for row, image in enumerate(images):
            if image.ndim != 3 or image.shape[2] != 3 or image.shape[0] > height or image.shape[1] > width:
                raise ValueError(f"image of shape {image.shape} does not fit the network input {width}x{height}x3")
            batch[row, : image.shape[0], : image.shape[1]] = image
        found = self._backend.candidates(batch, self._score_threshold)
        return [
            to_detections(boxes, scores, classes, (image.shape[1], image.shape[0]), self._iou_threshold)
            for image, (boxes, scores, classes) in zip(images, found, strict=True)
        ]


class PicoDetBackend:
    """PicoDet through an exported network."""

    def __init__(
        self, entry: ModelEntry, store: WeightsStore, input_size: tuple[int, int], engine: str, device: str, threads: int
    ) -> None:
        from models.picodet import SIZE_MULTIPLE, STRIDES

        if any(side % SIZE_MULTIPLE or side < SIZE_MULTIPLE for side in input_size):
            raise ValueError(f"network input {input_size} of {entry.name}: width and height must be multiples of {SIZE_MULTIPLE}")
        store.verify(entry.name)
        self.input_size = input_size
        self._strides = STRIDES
        self._labels = sorted(entry.class_map)
        self._classes = np.array([entry.class_map[label] for label in self._labels], np.int64)
        module = partial(_picodet_module, entry, store, self._labels)
        key = hashlib.sha256(f"{_EXPORT_VERSION}{entry.files}{self._labels}".encode()).hexdigest()[:12]
        target = store.path(entry.name, f"export-{key}-{input_size[0]}x{input_size[1]}.onnx")
        self._engine: Engine = make_engine(engine, device, threads, partial(export_onnx, module, input_size, target), module)
        self.engine_name = self._engine.name

    def candidates(
        self, batch: Image, threshold: float
    ) -> list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]]:
        """See Backend."""
        scores, distances = self._engine.run(batch)
        found = []
        for row in range(len(batch)):
            boxes, best, index = decode_distances(scores[row], distances[row], self.input_size, self._strides, threshold)
            found.append((boxes, best, self._classes[index]))
        return found


def _picodet_module(entry: ModelEntry, store: WeightsStore, labels: Sequence[int]) -> object:
    from models.paddle import read_program
    from models.picodet import PicoDet

    program = read_program(store.path(entry.name, "model.pdmodel"), store.path(entry.name, "model.pdiparams"))
    return PicoDet(program, entry.mean, entry.std, labels)


def _load(name: str, store: WeightsStore, input_size: tuple[int, int] | None, engine: str, device: str, threads: int) -> Backend:
    if name.endswith(".onnx"):
        from models.user_onnx import UserOnnxBackend

        return UserOnnxBackend(Path(name), threads)
    entry = find(name)
    size = input_size or entry.input_size
    if entry.architecture == "torchvision":
        from models.torchvision_detector import TorchvisionBackend

        return TorchvisionBackend(entry, size, device, threads)
    return PicoDetBackend(entry, store, size, engine, device, threads)


__all__ = ["Detector", "ObjectClass"]
