"""Robust fit of a vehicle's motion on the ground."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_HUBER = 1.345  # 95 % efficiency for normal errors (Huber, Robust Statistics, 1981)
_ROUNDS = 6
_SCALE_RANGE = (0.25, 6.0)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Motion about a moment ``time_s``.

    Attributes:
        time_s: the moment the values hold for.
        position, velocity, acceleration: float64 (2,), ground units, per second, per second squared.
        speed_std: standard error of the speed.
    """

    time_s: float
    position: Array
    velocity: Array
    acceleration: Array
    speed_std: float

    @property
    def speed(self) -> float:
        """Ground units per second."""
        return float(np.hypot(self.velocity[0], self.velocity[1]))

    def at(self, time_s: float) -> Array:
        """Position (2,) at another time."""
        dt = time_s - self.time_s
        position: Array = self.position + self.velocity * dt + self.acceleration * (dt * dt / 2)
        return position

    def when(self, origin: Array, normal: Array) -> float | None:
        """When it passes the line through ``origin`` with ``normal``, by two Newton steps from ``time_s``."""
        time_s = self.time_s
        for _ in range(3):
            rate = float((self.velocity + self.acceleration * (time_s - self.time_s)) @ normal)
            if abs(rate) < 1e-9:
                return None
            time_s -= float((self.at(time_s) - origin) @ normal) / rate
        return time_s


def fit_motion(times: Array, points: Array, deviations: Array, time_s: float, acceleration_std: float) -> Motion:
    """Constant-acceleration motion through ``points`` by iteratively reweighted least squares with Huber's weights.

    A normal prior on the acceleration decides between a straight line (few or coarse points) and a parabola (many, fine
    ones); the scale of the errors is taken from the residuals.

    Args:
        times: float64 (n,), seconds, n >= 2. points: float64 (n, 2), ground.
        deviations: float64 (n,), expected standard deviation of each point relative to the others, ground units.
        time_s: the moment about which to fit. acceleration_std: ground units per second squared.
    """
    dt = times - time_s
    design = np.column_stack([np.ones_like(dt), dt, dt * dt / 2])
    base = 1 / deviations
    robust = np.ones_like(dt)
    scale = 1.0
    solution: Array = np.zeros((3, 2))
    normal: Array = np.eye(3)
    prior = np.diag([0.0, 0.0, 1 / acceleration_std**2])
    for _ in range(_ROUNDS):
        weights = robust * (base / scale) ** 2
        normal = np.asarray((design * weights[:, None]).T @ design + prior, np.float64)
        solution = np.asarray(np.linalg.lstsq(normal, (design * weights[:, None]).T @ points, rcond=None)[0], np.float64)
        residual = np.hypot(*(points - design @ solution).T) * base
        # Median of a two-dimensional normal error's length is 1.1774 standard deviations.
        freedom = max(1 - 2.5 / len(dt), 0.3)
        scale = float(np.clip(np.median(residual) / 1.1774 / freedom, *_SCALE_RANGE))
        relative = residual / scale
        robust = np.where(relative <= _HUBER * 1.5, 1.0, _HUBER * 1.5 / np.maximum(relative, 1e-9))
    covariance = np.linalg.pinv(normal)
    return Motion(
        time_s=time_s,
        position=solution[0],
        velocity=solution[1],
        acceleration=solution[2],
        speed_std=float(np.sqrt(max(covariance[1, 1], 0.0))),
    )
