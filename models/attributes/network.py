"""The small network that comes with Wayside: crops of vehicles to colours. Trained on drawings (docs/attributes.md)."""

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.engines import OnnxRuntimeEngine

Image = NDArray[np.uint8]
WEIGHTS = Path(__file__).parent.parent / "data" / "vehicle_colors.onnx"
SIDE_PX = 48
# The network learned from boxes with this margin, give or take; crops of a recognition gallery have it.
CROP_MARGIN = 0.06


class ColorNetwork(Protocol):
    """Colours of crops."""

    def run(self, crops: list[Image]) -> NDArray[np.float64]:
        """uint8 (h, w, 3) RGB each → probabilities of colours (n, 10), rows sum to 1."""


class OnnxColorNetwork:
    """The network in ONNX Runtime on the CPU: a fraction of a millisecond per crop, a GPU would not pay.

    Raises:
        EngineUnavailableError: ONNX Runtime or the file is missing.
    """

    def __init__(self, threads: int = 1, weights: Path = WEIGHTS) -> None:
        self._engine = OnnxRuntimeEngine(weights, threads)

    def run(self, crops: list[Image]) -> NDArray[np.float64]:
        """See ColorNetwork."""
        batch = np.stack([squeezed(crop) for crop in crops]).transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
        return softmax(self._engine.run(np.ascontiguousarray(batch))[0])


def squeezed(crop: Image) -> Image:
    """The crop stretched to the network's square."""
    smaller = min(crop.shape[:2]) > SIDE_PX
    return np.asarray(
        cv2.resize(crop, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR), np.uint8
    )


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rows of logits (n, k) as probabilities."""
    shares = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
