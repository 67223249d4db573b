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

_SAME_STEP_S = 1e-6  # time steps that differ by less, as sums of a frame's duration do, are one

TRACKED, COASTING, PARKED = 0, 1, 2  # how a track moves on: it was seen in the last frame, it is lost, it is lost and stands


class KalmanBank:
    """State of all tracks.

    Attributes:
        state: float64 (5, 4, n): position (pixels), velocity (pixels per second), then the entries pp, pv, vv of the covariance
            of each of the four components of each of the n tracks.
    """

    def __init__(self, config: TrackerConfig) -> None:
        self._config = config
        self.state: Array = np.zeros((5, 4, 0))
        self._measured: Array = np.array([config.position_noise] * 2 + [config.size_noise] * 2)[:, None] ** 2
        self._step_s = -1.0
        self._steps: Array = np.zeros((5, 4, 3))

    def __len__(self) -> int:
        return int(self.state.shape[2])

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

    def keep(self, rows: NDArray[np.intp]) -> None:
        """Keep only ``rows`` (k,)."""
        self.state = self.state.take(rows, axis=2)

    def predict(self, dt_s: float, modes: NDArray[np.int64] | None) -> None:
        """Advance all tracks by ``dt_s`` >= 0; ``modes`` (n,) says how each moves on, None that all are TRACKED."""
        if abs(dt_s - self._step_s) > _SAME_STEP_S:
            self._step_s, self._steps = dt_s, self._transition(dt_s)
        steps = self._steps[:, :, :1] if modes is None else self._steps[:, :, modes]
        decay, travel = steps[0], steps[1]
        position, velocity, pp, pv, vv = self.state
        noise = steps[2:] * _square_size(position)
        position += travel * velocity
        np.maximum(position[2:], 2.0, out=position[2:])
        velocity *= decay
        moved = travel * vv
        pp += travel * (2.0 * pv + moved)
        pv += moved
        pv *= decay
        vv *= decay * decay
        self.state[2:] += noise

    def update(self, rows: NDArray[np.intp], measurements: Array, spread: Array) -> None:
        """Correct ``rows`` (m,) with ``measurements`` (4, m) whose standard deviation is ``spread`` (m,) times the usual."""
        part = self.state.take(rows, axis=2)
        position, velocity, pp, pv, vv = part
        noise = self._measured * (_square_size(measurements) * spread * spread)
        residual = measurements - position
        noise += pp
        gain = part[2:4] / noise
        position += gain[0] * residual
        velocity += gain[1] * residual
        vv -= gain[1] * pv
        part[2:4] -= gain[0] * part[2:4]
        self.state[:, :, rows] = part

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
        # What stands stays where it is, and when it starts again its speed is as unknown as that of any lost object.
        result[2, :, PARKED] = 0.05 * result[2, :, COASTING]
        result[4, :2, PARKED] = min(config.initial_speed**2, config.acceleration_noise**2 * config.lost_memory_s / 2)
        result[4, 2:, PARKED] = min(config.initial_growth**2, config.growth_noise**2 * config.growth_memory_s / 2)
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
