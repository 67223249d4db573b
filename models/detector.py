"""The detector: images in, detections out. One class for every catalogue entry and for a user's own ONNX file."""

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.catalogue import CATALOGUE, ModelEntry, find
from models.engines import ENGINE_NAMES, Engine, OpenVinoEngine, choose_device, export_onnx, make_engine
from models.errors import EngineUnavailableError, UnknownModelError
from models.handles import InputFit
from models.postprocess import decode_distances, to_detections
from models.self_check import accurate
from models.store import WeightsStore
from traffic.types import Detections, ObjectClass

Image = NDArray[np.uint8]
_EXPORT_VERSION = 3  # part of the cache key of exported networks; raise it when picodet.py or folding.py changes


class Backend(Protocol):
    """A loaded network with its own decoding."""

    input_size: tuple[int, int]
    input_fit: InputFit
    engine_name: str
    streams: int
    batches: bool

    def detect(self, images: Sequence[Image], threshold: float, iou_threshold: float) -> list[Detections]:
        """uint8 (h, w, 3) RGB each, at most the input size → detections in pixels of each image."""


class Detector:
    """A network ready to run.

    Args:
        name: catalogue name, or path of an ONNX file (see docs/models.md for accepted layouts).
        store: where weights are.
        input_size: (width, height) in pixels; None: the model's default.
        engine: see ``models.engines.make_engine``.
        device: ``auto``, ``cpu`` or ``cuda`` (``cuda:1``…). CUDA always runs in torch; ``auto`` takes a GPU where there is one
            unless an engine is named.
        threads: CPU threads of one call. streams: calls of ``detect`` that may run at once, from as many threads.
        score_threshold: detections below are dropped; low ones are kept for the tracker's second association.
        iou_threshold: of non-maximum suppression.

    Raises:
        ModelError: unknown model, missing or damaged weights, no engine. ValueError: an input size the model cannot take.
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
        streams: int = 1,
        score_threshold: float = 0.12,
        iou_threshold: float = 0.6,
    ) -> None:
        self._score_threshold = score_threshold
        self._iou_threshold = iou_threshold
        self._backend = _load(name, store, input_size, engine, device, threads, streams)

    @property
    def input_size(self) -> tuple[int, int]:
        """Network input (width, height) in pixels."""
        return self._backend.input_size

    @property
    def input_fit(self) -> InputFit:
        """How pictures should be scaled to the input."""
        return self._backend.input_fit

    @property
    def streams(self) -> int:
        """How many calls of ``detect`` may run at once."""
        return self._backend.streams

    @property
    def batches(self) -> bool:
        """Whether many pictures in one call are faster than one by one: on a GPU. On a CPU they only wait for each other."""
        return self._backend.batches

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
        width, height = self.input_size
        for image in images:
            if image.ndim != 3 or image.shape[2] != 3 or image.shape[0] > height or image.shape[1] > width:
                raise ValueError(f"image of shape {image.shape} does not fit the network input {width}x{height}x3")
        return self._backend.detect(images, self._score_threshold, self._iou_threshold) if images else []


def padded(images: Sequence[Image], input_size: tuple[int, int]) -> Image:
    """uint8 (n, height, width, 3): the images, padded right and below with grey 114; a single one that needs none as it is."""
    width, height = input_size
    if len(images) == 1 and images[0].shape[:2] == (height, width):
        return np.ascontiguousarray(images[0])[None]
    batch = np.full((len(images), height, width, 3), 114, np.uint8)
    for row, image in enumerate(images):
        batch[row, : image.shape[0], : image.shape[1]] = image
    return batch


class CandidateBackend:
    """Base of backends that give candidates per image on the host: pads before and suppresses after."""

    input_size: tuple[int, int]
    input_fit = InputFit()
    engine_name: str
    streams = 1
    batches = False

    def detect(self, images: Sequence[Image], threshold: float, iou_threshold: float) -> list[Detections]:
        """See Backend."""
        found = self.candidates(padded(images, self.input_size), threshold)
        return [
            to_detections(boxes, scores, classes, (image.shape[1], image.shape[0]), iou_threshold)
            for image, (boxes, scores, classes) in zip(images, found, strict=True)
        ]

    def candidates(
        self, batch: Image, threshold: float
    ) -> list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]]:
        """uint8 (n, h, w, 3) RGB → per image boxes (k, 4) in input pixels, scores (k,), ObjectClass values (k,)."""
        raise NotImplementedError


class PicoDetBackend(CandidateBackend):
    """PicoDet through an exported network on the CPU."""

    def __init__(
        self, entry: ModelEntry, store: WeightsStore, input_size: tuple[int, int], engine: str, threads: int, streams: int = 1
    ) -> None:
        from models.picodet import STRIDES

        self.streams = streams
        self.input_size = input_size
        self.input_fit = entry.input_fit
        self._strides = STRIDES
        labels = sorted(entry.class_map)
        self._classes = np.array([entry.class_map[label] for label in labels], np.int64)
        module = partial(_picodet_module, entry, store)
        key = hashlib.sha256(f"{_EXPORT_VERSION}{entry.files}{labels}".encode()).hexdigest()[:12]
        target = store.path(entry.name, f"export-{key}-{input_size[0]}x{input_size[1]}.onnx")

        def agrees(fast: Engine, exported: Path) -> bool:
            return accurate(fast, exported, input_size, partial(OpenVinoEngine, exported, threads, "f32"))

        self._engine = make_engine(engine, threads, partial(export_onnx, module, input_size, target), module, agrees, streams)
        self.engine_name = self._engine.name

    def candidates(
        self, batch: Image, threshold: float
    ) -> list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]]:
        """See CandidateBackend."""
        scores, logits = self._engine.run(batch)
        found = []
        for row in range(len(batch)):
            boxes, best, index = decode_distances(scores[row], logits[row], self.input_size, self._strides, threshold)
            found.append((boxes, best, self._classes[index]))
        return found


def _picodet_module(entry: ModelEntry, store: WeightsStore) -> object:
    from models.paddle import read_program
    from models.picodet import PicoDet

    program = read_program(store.path(entry.name, "model.pdmodel"), store.path(entry.name, "model.pdiparams"))
    return PicoDet(program, entry.mean, entry.std, sorted(entry.class_map))


def _load_picodet(
    entry: ModelEntry, store: WeightsStore, size: tuple[int, int], engine: str, device: str, threads: int, streams: int
) -> Backend:
    from models.picodet import SIZE_MULTIPLE, STRIDES, PicoDet

    if any(side % SIZE_MULTIPLE or side < SIZE_MULTIPLE for side in size):
        raise ValueError(f"network input {size} of {entry.name}: width and height must be multiples of {SIZE_MULTIPLE}")
    store.verify(entry.name)
    wanted = choose_device(device) if device != "auto" or engine == "auto" else "cpu"
    if wanted == "cpu":
        return PicoDetBackend(entry, store, size, engine, threads, streams)
    from models.device import DevicePicoDet

    network = _picodet_module(entry, store)
    assert isinstance(network, PicoDet)
    classes = np.array([entry.class_map[label] for label in sorted(entry.class_map)], np.int64)
    return DevicePicoDet(network, classes, size, STRIDES, wanted, input_fit=entry.input_fit)


def _load(
    name: str, store: WeightsStore, input_size: tuple[int, int] | None, engine: str, device: str, threads: int, streams: int
) -> Backend:
    if engine not in ENGINE_NAMES:
        raise EngineUnavailableError(f"unknown engine {engine!r}; use {', '.join(ENGINE_NAMES)}")
    if name.endswith(".onnx"):
        from models.user_onnx import UserOnnxBackend

        return UserOnnxBackend(Path(name), threads, streams)
    entry = find(name)
    if not entry.class_map:
        detectors = tuple(item.name for item in CATALOGUE if item.class_map)
        raise UnknownModelError(name, detectors)  # a plate reader, say: known, but no detector of vehicles
    size = input_size or entry.input_size
    if entry.architecture == "torchvision":
        from models.torchvision_detector import TorchvisionBackend

        store.verify(entry.name)
        return TorchvisionBackend(entry, size, device, threads * streams)
    return _load_picodet(entry, store, size, engine, device, threads, streams)


__all__ = ["Backend", "CandidateBackend", "Detector", "ObjectClass", "PicoDetBackend", "padded"]
