"""A bank of Kalman filters in continuous time, one per track, as one stacked array.

Each track has four independent components (bottom centre x, bottom y, width, height), each with a position and a velocity.
The velocity is an integrated Ornstein-Uhlenbeck process (Gardiner: Handbook of Stochastic Methods, 2004, section 4.4.4):
white-noise acceleration with a memory after which a velocity is forgotten, so a prediction without measurements comes to rest
instead of running away. With a long memory it is the usual constant-velocity model. The transition over any time step is
exact, so neither the camera's rate nor an irregular one changes the model. Since the components decouple, every matrix is 2x2
and written out.
"""

import math

import numpy as np
from numpy.typing import NDArray

from traffic.tracking.config import TrackerConfig

Array = NDArray[np.float64]

TRACKED, COASTING, PARKED = 0, 1, 2  # how a track moves on: it was seen in the last frame, it is lost, it is lost and stands


class KalmanBank:
    """State of all tracks.

    Attributes:
        state: float64 (5, 4, n): position (pixels), velocity (pixels per second), then the entries pp, pv, vv of the covariance
            of each of the four components of each of the n tracks.
    """

    def __init__(self, config: TrackerConfig) -> None:
        self._config = config
        self.state = np.zeros((5, 4, 0))
        self._measured = np.array([config.position_noise] * 2 + [config.size_noise] * 2)[:, None] ** 2

    def __len__(self) -> int:
        return self.state.shape[2]

    @property
    def position(self) -> Array:
        """Bottom centre x, bottom y, width, height; a view, shape (4, n), pixels."""
        view: Array = self.state[0]
        return view

    @property
    def velocity(self) -> Array:
        """Their rates; a view, shape (4, n), pixels per second."""
        view: Array = self.state[1]
        return view

    @property
    def variance(self) -> Array:
        """Variance of the positions; a view, shape (4, n), square pixels."""
        view: Array = self.state[2]
        return view

    def add(self, measurements: Array) -> None:
        """Start tracks at ``measurements`` (4, m), their velocity unknown."""
        config = self._config
        square = _square_size(measurements)
        fresh = np.zeros((5, 4, measurements.shape[1]))
        fresh[0] = measurements
        fresh[2] = self._measured * square
        fresh[4, :2] = config.initial_speed**2 * square
        fresh[4, 2:] = config.initial_growth**2 * square
        self.state = np.concatenate([self.state, fresh], axis=2)

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Keep only ``rows`` (n,)."""
        self.state = self.state[:, :, rows]

    def predict(self, dt_s: float, modes: NDArray[np.int64]) -> None:
        """Advance all tracks by ``dt_s`` >= 0; ``modes`` (n,) says how each moves on (TRACKED, COASTING, PARKED)."""
        position, velocity, pp, pv, vv = self.state
        square = _square_size(position)
        decay, travel, noise_pp, noise_pv, noise_vv = self._transition(dt_s)[:, :, modes]
        position += travel * velocity
        np.maximum(position[2:], 2.0, out=position[2:])
        velocity *= decay
        pp += travel * (2.0 * pv + travel * vv) + noise_pp * square
        pv += travel * vv
        pv *= decay
        pv += noise_pv * square
        vv *= decay * decay
        vv += noise_vv * square

    def update(self, rows: NDArray[np.intp], measurements: Array, scores: Array) -> None:
        """Correct ``rows`` (m,) with ``measurements`` (4, m); an uncertain detection (``scores`` (m,)) weighs less."""
        position, velocity, pp, pv, vv = self.state
        # Every track is corrected, the ones without a measurement by nothing: cheaper than picking rows out of every array.
        residual = np.zeros_like(position)
        residual[:, rows] = measurements - position[:, rows]
        noise = np.full_like(position, np.inf)
        noise[:, rows] = self._measured * _square_size(measurements) * (1.0 + self._config.doubt * (1.0 - scores)) ** 2
        innovation = pp + noise
        gain_p, gain_v = pp / innovation, pv / innovation
        position += gain_p * residual
        velocity += gain_v * residual
        vv -= gain_v * pv
        remaining = 1.0 - gain_p
        pp *= remaining
        pv *= remaining

    def _transition(self, dt_s: float) -> Array:
        """Decay, travel and the three noise terms for a unit size, by component and mode; shape (5, 4, 3)."""
        config = self._config
        result = np.zeros((5, 4, 3))
        for mode, memory_s in ((TRACKED, config.velocity_memory_s), (COASTING, config.lost_memory_s)):
            place = _ornstein_uhlenbeck(dt_s, memory_s, config.acceleration_noise, config.position_wander)
            size = _ornstein_uhlenbeck(dt_s, config.growth_memory_s, config.growth_noise, config.size_wander)
            result[:, :2, mode] = np.array(place)[:, None]
            result[:, 2:, mode] = np.array(size)[:, None]
        result[1, 2:, COASTING] = 0.0  # the size of a lost object is left alone
        return result


def _ornstein_uhlenbeck(dt_s: float, memory_s: float, noise: float, wander: float) -> tuple[float, float, float, float, float]:
    """Exact transition over ``dt_s``: velocity decay, travel per velocity, and the noise added to pp, pv, vv."""
    decay = math.exp(-dt_s / memory_s)
    travel = memory_s * -math.expm1(-dt_s / memory_s)
    density = noise**2
    if dt_s < 0.02 * memory_s:  # the closed form cancels; two terms of its series are exact to 1e-4
        noise_pp = density * dt_s**3 / 3 * (1 - 0.75 * dt_s / memory_s)
    else:
        noise_pp = density * memory_s**2 * (dt_s - 2 * travel + memory_s / 2 * (1 - decay**2))
    return decay, travel, noise_pp + wander**2 * dt_s, density * travel**2 / 2, density * memory_s / 2 * (1 - decay**2)


def _square_size(measurements: Array) -> Array:
    """Squared size of objects, shape (n,): the scale of all noise is between a box's width and its height."""
    square: Array = np.maximum(measurements[2] * measurements[3], 4.0)
    return square
