"""What lies between lens and road, and the sensor itself: rain, snow, noise, sway."""

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.simulation.address import SimulationSettings

Frame = NDArray[np.uint8]
_TILES = 4


class Sensor:
    """Adds falling rain or snow and sensor noise; every choice follows from the frame's index, never from the clock."""

    def __init__(self, settings: SimulationSettings) -> None:
        self._settings = settings
        rng = np.random.default_rng([settings.seed, 41])
        h, w = settings.height, settings.width
        self._noise = []
        if settings.noise > 0:
            for _ in range(_TILES):
                grain = cv2.GaussianBlur(rng.standard_normal((h, w, 3), dtype=np.float32), (0, 0), 0.6)
                self._noise.append(np.clip(np.round(128 + grain * (settings.noise / grain.std())), 0, 255).astype(np.uint8))
        self._fall = [self._layer(rng) for _ in range(_TILES)] if settings.weather in ("rain", "snow") else []

    def _layer(self, rng: np.random.Generator) -> Frame:
        h, w = self._settings.height, self._settings.width
        layer = np.zeros((h, w, 3), np.uint8)
        unit = w / 1280
        for _ in range(420):
            x, y = rng.uniform(0, w), rng.uniform(0, h)
            size = rng.uniform(0.5, 1.0) ** 2
            if self._settings.weather == "rain":
                end = (int(x + 2 * unit * size), int(y + 30 * unit * size))
                cv2.line(layer, (int(x), int(y)), end, (int(70 * size),) * 3, 1, cv2.LINE_AA)
            else:
                cv2.circle(layer, (int(x), int(y)), max(1, round(2.4 * unit * size)), (int(190 * size),) * 3, -1, cv2.LINE_AA)
        return cv2.GaussianBlur(layer, (0, 0), 0.7 * unit)

    def apply(self, image: Frame, index: int) -> Frame:
        """The frame as the sensor delivers it."""
        mixed = index * 2654435761 % 2**32
        if self._fall:
            step = round((90 if self._settings.weather == "rain" else 9) * self._settings.height / 720 * 25 / self._settings.fps)
            layer = self._fall[(mixed >> 7) % _TILES] if self._settings.weather == "rain" else self._fall[0]
            image = cv2.add(image, np.roll(layer, (index * step) % self._settings.height, 0))
        if self._noise:
            image = cv2.addWeighted(image, 1, self._noise[(mixed >> 16) % _TILES], 1, -128)
        return image

    def sway(self, time_s: float) -> tuple[float, float]:
        """Offset of the picture in pixels at a time: a mast in the wind, two modes per axis."""
        a = self._settings.shake * self._settings.width / 1280
        phase = self._settings.seed % 97
        return (
            float(a * (0.7 * np.sin(2 * np.pi * 0.9 * time_s + phase) + 0.3 * np.sin(2 * np.pi * 3.7 * time_s))),
            float(a * (0.4 * np.sin(2 * np.pi * 1.3 * time_s + 2 * phase) + 0.2 * np.sin(2 * np.pi * 4.3 * time_s))),
        )
