"""A bank of Kalman filters in continuous time, one per track, as stacked arrays.

Each track has four independent components (bottom centre x, bottom y, width, height), each with position and velocity and
white-noise acceleration (Bar-Shalom, Li, Kirubarajan: Estimation with Applications to Tracking and Navigation, 2001,
section 6.2.2). The components decouple, so every matrix is 2x2 and written out.
"""

import numpy as np
from numpy.typing import NDArray

from traffic.tracking.config import TrackerConfig

Array = NDArray[np.float64]


class KalmanBank:
    """State of all tracks.

    Attributes:
        position: float64 (n, 4), pixels. velocity: float64 (n, 4), pixels per second.
        covariance: float64 (n, 4, 3), the entries pp, pv, vv of each component's covariance.
    """

    def __init__(self, config: TrackerConfig) -> None:
        self._config = config
        self.position = np.zeros((0, 4))
        self.velocity = np.zeros((0, 4))
        self.covariance = np.zeros((0, 4, 3))

    def __len__(self) -> int:
        return len(self.position)

    def add(self, measurements: Array, velocity: Array | None = None) -> None:
        """Start tracks at ``measurements`` (m, 4) with an optional first guess of the velocity (m, 4)."""
        size = self._size(measurements)
        covariance = np.zeros((len(measurements), 4, 3))
        covariance[:, :, 0] = (self._config.position_noise * size) ** 2
        covariance[:, :2, 2] = ((self._config.initial_speed * size[:, :2]) ** 2) * (0.25 if velocity is not None else 1.0)
        covariance[:, 2:, 2] = (0.5 * size[:, 2:]) ** 2
        start = np.zeros_like(measurements) if velocity is None else velocity
        self.position = np.concatenate([self.position, measurements])
        self.velocity = np.concatenate([self.velocity, start])
        self.covariance = np.concatenate([self.covariance, covariance])

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Keep only ``rows`` (n,)."""
        self.position, self.velocity, self.covariance = self.position[rows], self.velocity[rows], self.covariance[rows]

    def predict(self, dt_s: float, coasting: NDArray[np.bool_]) -> None:
        """Advance all tracks by ``dt_s`` > 0. ``coasting`` (n,) tracks lose velocity (see ``velocity_decay_s``)."""
        config = self._config
        size = self._size(self.position)
        decay = np.where(coasting, np.exp(-dt_s / config.velocity_decay_s), 1.0)[:, None]
        size_decay = np.exp(-dt_s / 0.5)  # sizes do not grow for ever: their velocity is only a short-term trend
        self.velocity *= decay
        self.velocity[:, 2:] *= size_decay
        self.position += self.velocity * dt_s
        self.position[:, 2:] = np.maximum(self.position[:, 2:], 2.0)
        noise = np.empty_like(self.position)
        noise[:, :2] = (config.acceleration_noise * size[:, :2]) ** 2
        noise[:, 2:] = (config.size_noise * size[:, 2:]) ** 2
        pp, pv, vv = (self.covariance[:, :, k] for k in range(3))
        # Discrete white noise of spectral density noise * 1 s.
        new_pp = pp + 2 * dt_s * pv + dt_s**2 * vv + noise * dt_s**3 / 3
        new_pv = pv + dt_s * vv + noise * dt_s**2 / 2
        self.covariance = np.stack([new_pp, new_pv, vv + noise * dt_s], axis=2)

    def update(self, rows: NDArray[np.intp], measurements: Array, scores: Array) -> None:
        """Correct ``rows`` (m,) with ``measurements`` (m, 4); a low score widens the measurement noise."""
        position, covariance = self.position[rows], self.covariance[rows]
        deviation = self._config.position_noise * self._size(measurements)
        noise = (deviation * (1.6 - 0.8 * scores[:, None])) ** 2
        pp, pv, vv = (covariance[:, :, k] for k in range(3))
        gain_p, gain_v = pp / (pp + noise), pv / (pp + noise)
        residual = measurements - position
        self.position[rows] = position + gain_p * residual
        self.velocity[rows] = self.velocity[rows] + gain_v * residual
        self.covariance[rows] = np.stack([(1 - gain_p) * pp, (1 - gain_p) * pv, vv - gain_v * pv], axis=2)

    def _size(self, values: Array) -> Array:
        """Scale of each component's noise, shape (n, 4): one size per object, between its width and its height."""
        size: Array = np.sqrt(np.maximum(values[:, 2] * values[:, 3], 4.0))
        return np.repeat(size[:, None], 4, axis=1)
