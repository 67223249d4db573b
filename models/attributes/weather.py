"""The weather of a picture: a linear head on the backbone's features and on measures of air, light and ground."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.attributes.network import softmax
from models.errors import ModelFormatError

Image = NDArray[np.uint8]
WEIGHTS = Path(__file__).parent.parent / "data" / "weather_head.npz"
KINDS = ("sunny", "fog", "rain", "snow")
CUES = 12


class WeatherHead:
    """Softmax regression; the weights are written by ``benchmarks.training.train_weather``.

    Raises:
        ModelFormatError: the file is missing or of another shape.
    """

    def __init__(self, weights: Path = WEIGHTS) -> None:
        try:
            with np.load(weights) as stored:
                self._mean, self._scale = stored["mean"].astype(np.float64), stored["scale"].astype(np.float64)
                self._weight, self._bias = stored["weight"].astype(np.float64), stored["bias"].astype(np.float64)
                self._centre, self._basis = stored["centre"].astype(np.float64), stored["basis"].astype(np.float64)
        except (OSError, KeyError, ValueError) as error:
            raise ModelFormatError(f"weights of the weather head {weights}: {error}") from error
        fits = self._basis.shape == (len(self._centre), len(self._mean) - CUES)
        if not fits or self._weight.shape != (len(self._mean), len(KINDS)):
            raise ModelFormatError(f"weights of the weather head {weights}: unexpected shape {self._weight.shape}")

    def run(self, pictures: Sequence[Image], features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probabilities (n, 4) in the order of KINDS from pictures, uint8 (h, w, 3) RGB, and their features (n, f)."""
        rows = weather_inputs(pictures, features, self._centre, self._basis)
        standard = np.clip((rows - self._mean) * self._scale, -4, 4)
        return softmax(standard @ self._weight + self._bias)


def weather_inputs(
    pictures: Sequence[Image], features: NDArray[np.floating], centre: NDArray[np.float64], basis: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What the head sees of each picture, (n, k + CUES): features (n, f) on the ``basis`` (f, k) about ``centre`` (f,), and cues.

    All 1280 features would let the head learn how the drawn weather was drawn.
    """
    few = (features.astype(np.float64) - centre) @ basis
    return np.concatenate([few, np.stack([cues(picture) for picture in pictures])], axis=1)


def cues(picture: Image) -> NDArray[np.float64]:
    """Measures (CUES,) of a picture, each about 0..1.

    The dark channel (He, Sun and Tang, 2009) of the upper, middle and lower third: haze lifts it with distance; contrast of the
    thirds; saturation; brightness; share of bright colourless ground; fine vertical against fine horizontal structure (streaks);
    share of very dark pixels (night).
    """
    rgb = picture.astype(np.float32) / 255
    h = rgb.shape[0]
    grey, low, high = rgb.mean(axis=2), rgb.min(axis=2), rgb.max(axis=2)
    dark = cv2.erode(low, np.ones((7, 7), np.uint8))
    saturation = (high - low) / np.maximum(high, 0.05)
    thirds = [slice(h * k // 3, max(h * (k + 1) // 3, h * k // 3 + 1)) for k in range(3)]
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 2)
    across, along = np.abs(np.diff(fine, axis=1)).mean(), np.abs(np.diff(fine, axis=0)).mean()
    ground = slice(h // 2, h)
    return np.array(
        [
            *(float(dark[part].mean()) for part in thirds),
            *(float(grey[part].std()) * 3 for part in thirds),
            float(saturation.mean()),
            float(grey.mean()),
            float(((grey[ground] > 0.6) & (saturation[ground] < 0.12)).mean()),
            float(across / max(along, 1e-6)) / 3,
            float(fine.std()) * 10,
            float((grey < 0.12).mean()),
        ],
        np.float64,
    )
