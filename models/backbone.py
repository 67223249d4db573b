"""The backbone of recognition: pictures to ImageNet logits and features, on the CPU or a GPU, by the detector's rules."""

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.catalogue import ModelEntry, find
from models.engines import Arrays, Engine, OpenVinoEngine, choose_device, export_onnx, make_engine
from models.errors import ModelFormatError
from models.self_check import accurate, features_agree
from models.store import WeightsStore

Image = NDArray[np.uint8]
DEFAULT_BACKBONE = "efficientnet-lite0"
_EXPORT_VERSION = 1  # part of the cache key of exported networks; raise it when efficientnet.py changes


class Features(Protocol):
    """Anything that turns pictures into features: the backbone, or a test's substitute."""

    engine_name: str

    def extract(self, images: Sequence[Image]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """uint8 (h, w, 3) RGB each, any size → logits float32 (n, 1000), features float32 (n, 1280)."""


class Backbone:
    """A backbone of the catalogue, ready to run.

    Args:
        name: catalogue name. store: where weights are.
        engine, device: as for the detector, see ``models.engines.make_engine`` and ``choose_device``.
        threads: CPU threads of the engine.

    Raises:
        ModelError: unknown model or not a backbone, missing or damaged weights, no engine.
    """

    def __init__(self, name: str, store: WeightsStore, *, engine: str = "auto", device: str = "auto", threads: int = 1) -> None:
        entry = find(name)
        if entry.architecture != "efficientnet-lite":
            raise ModelFormatError(f"{name} is no backbone of recognition; use {DEFAULT_BACKBONE}")
        store.verify(name)
        self._size = entry.input_size
        wanted = choose_device(device) if device != "auto" or engine == "auto" else "cpu"
        self._engine: Engine = (
            _cpu_engine(entry, store, engine, threads) if wanted == "cpu" else _CudaEngine(entry, store, wanted)
        )
        self.engine_name = self._engine.name

    def extract(self, images: Sequence[Image]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See Features. Pictures are stretched to the network's square."""
        logits, features = self._engine.run(np.stack([squared(image, self._size) for image in images]))
        return logits.copy(), features.copy()  # the engine's buffers are valid until its next call only


def squared(image: Image, size: tuple[int, int]) -> Image:
    """The picture stretched to ``size`` (width, height)."""
    smaller = image.shape[0] > size[1] and image.shape[1] > size[0]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR), np.uint8)


def _module(entry: ModelEntry, store: WeightsStore) -> object:
    from models.efficientnet import load_efficientnet

    return load_efficientnet(store.path(entry.name, entry.files[0].name), entry.mean, entry.std)


def _cpu_engine(entry: ModelEntry, store: WeightsStore, engine: str, threads: int) -> Engine:
    module = partial(_module, entry, store)
    key = hashlib.sha256(f"{_EXPORT_VERSION}{entry.files}".encode()).hexdigest()[:12]
    target = store.path(entry.name, f"export-{key}.onnx")

    def agrees(fast: Engine, exported: Path) -> bool:
        precise = partial(OpenVinoEngine, exported, threads, "f32")
        return accurate(fast, exported, entry.input_size, precise, features_agree)

    outputs = ("logits", "features")
    return make_engine(engine, threads, partial(export_onnx, module, entry.input_size, target, outputs), module, agrees)


class _CudaEngine:
    """The torch module on a GPU, half precision and channels-last; written, not measured here."""

    def __init__(self, entry: ModelEntry, store: WeightsStore, device: str) -> None:
        import torch

        network = _module(entry, store)
        assert isinstance(network, torch.nn.Module)
        self._network = network.eval().to(device, torch.float16).to(memory_format=torch.channels_last)
        self._device = torch.device(device)
        self.name = f"torch-{device}-fp16"

    def run(self, images: NDArray[np.uint8]) -> Arrays:
        """See Engine."""
        import torch

        with torch.inference_mode():
            pixels = torch.from_numpy(images).pin_memory().to(self._device, non_blocking=True)
            return [output.float().cpu().numpy() for output in self._network(pixels)]
