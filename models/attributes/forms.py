"""Forms of vehicles: a linear head on the backbone's features. Written by ``benchmarks.training.train_looks``."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.attributes.network import softmax
from models.errors import ModelFormatError
from traffic.vehicle_types import FORMS

WEIGHTS = Path(__file__).parent.parent / "data" / "vehicle_forms.npz"
_CLIP = 3.0


class FormHead:
    """Softmax regression.

    Raises:
        ModelFormatError: the file is missing or of another shape.
    """

    def __init__(self, weights: Path = WEIGHTS) -> None:
        try:
            with np.load(weights) as stored:
                self._mean, self._scale = stored["mean"].astype(np.float64), stored["scale"].astype(np.float64)
                self._weight, self._bias = stored["weight"].astype(np.float64), stored["bias"].astype(np.float64)
        except (OSError, KeyError, ValueError) as error:
            raise ModelFormatError(f"weights of the form head {weights}: {error}") from error
        if self._weight.shape != (len(self._mean), FORMS):
            raise ModelFormatError(f"weights of the form head {weights}: unexpected shape {self._weight.shape}")

    def run(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Features (n, f) → probabilities (n, forms) in the order of Form."""
        standard = np.clip((features.astype(np.float64) - self._mean) * self._scale, -_CLIP, _CLIP)
        return softmax(standard @ self._weight + self._bias)
