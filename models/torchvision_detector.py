"""torchvision's detection models with their published weights."""

import pickle

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.models import get_model

from models.catalogue import ModelEntry
from models.detector import CandidateBackend
from models.engines import choose_device
from models.errors import ModelFormatError

Candidates = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]


class TorchvisionBackend(CandidateBackend):
    """Any model of ``torchvision.models.detection`` by its builder's name.

    Args:
        entry: of the catalogue. input_size: (width, height) in pixels; torchvision resizes once more by its own rules.
        device: auto, cpu, cuda or cuda:N. threads: on the CPU.
        weights: ``DEFAULT`` for the published ones, which must be on this machine (``WeightsStore.verify``), or else torchvision
            fetches them; None for random ones.

    Raises:
        EngineUnavailableError: no such device. ModelFormatError: the weights cannot be read.
    """

    def __init__(
        self, entry: ModelEntry, input_size: tuple[int, int], device: str, threads: int, weights: str | None = "DEFAULT"
    ) -> None:
        chosen = choose_device(device)
        self._device = torch.device(chosen)
        if self._device.type == "cpu":
            torch.set_num_threads(threads)
        try:
            network = get_model(entry.project, weights=weights, weights_backbone=None)
        except (OSError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
            raise ModelFormatError(f"torchvision cannot load {entry.project}: {error}") from error
        self._network = network.eval().to(self._device)
        self._classes = entry.class_map
        self.input_size = input_size
        self.input_fit = entry.input_fit
        self.engine_name = f"torch-{chosen}"
        self.batches = self._device.type == "cuda"

    def candidates(self, batch: NDArray[np.uint8], threshold: float) -> list[Candidates]:
        """See CandidateBackend."""
        images = torch.from_numpy(batch).to(self._device).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            results = self._network(list(images))
        found = []
        for result in results:
            scores = result["scores"].cpu().numpy().astype(np.float32)
            labels = np.array([self._classes.get(int(label), -1) for label in result["labels"].cpu()], np.int64)
            good = (scores >= threshold) & (labels >= 0)
            found.append((result["boxes"].cpu().numpy().astype(np.float32)[good], scores[good], labels[good]))
        return found
