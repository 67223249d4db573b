"""Straight lines through the recent places of many objects at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Motion:
    """Motion over a window, arrays over objects.

    Attributes:
        velocity: (n, 2), ground units per second; nan with fewer than two places.
        speed, error: (n,), m/s (nominal without calibration) and the standard error of the velocity; inf when not known.
        span_s: (n,), time from the first to the last place of the window. number: (n,), places.
    """

    velocity: Array
    speed: Array
    error: Array
    span_s: Array
    number: NDArray[np.int64]

    @staticmethod
    def none(count: int) -> "Motion":
        """Nothing is known of ``count`` objects."""
        return Motion(
            np.full((count, 2), np.nan), np.zeros(count), np.full(count, np.inf), np.zeros(count), np.zeros(count, np.int64)
        )

    def at(self, rows: NDArray[np.intp] | Flags) -> "Motion":
        """The motion of some rows."""
        return Motion(self.velocity[rows], self.speed[rows], self.error[rows], self.span_s[rows], self.number[rows])

    def extended(self, count: int) -> "Motion":
        """With ``count`` more rows of which nothing is known."""
        more = Motion.none(count)
        return Motion(
            np.concatenate([self.velocity, more.velocity]),
            np.concatenate([self.speed, more.speed]),
            np.concatenate([self.error, more.error]),
            np.concatenate([self.span_s, more.span_s]),
            np.concatenate([self.number, more.number]),
        )


def fit_motion(times: Array, places: Array, good: Flags, now_s: float, window_s: float, scale: Array) -> Motion:
    """Least squares over the last ``window_s``.

    Args:
        times: (n, k), nan where not seen. places: (n, k, 2). good: bool (n, k), which places may be used.
        scale: (n,), metres per ground unit.
    """
    use = good & np.isfinite(times) & (times > now_s - window_s - 1e-6)
    first = int(use.any(axis=0).argmax()) if use.any() else times.shape[1] - 1
    use, times, places = use[:, first:], times[:, first:], places[:, first:]
    number = use.sum(axis=1)
    many = np.maximum(number, 1)
    offsets = np.where(use, times - now_s, 0.0)
    mean_t = offsets.sum(axis=1) / many
    moments = np.where(use, offsets - mean_t[:, None], 0.0)
    points = np.where(use[..., None], places, 0.0)
    mean_p = points.sum(axis=1) / many[:, None]
    centred = np.where(use[..., None], points - mean_p[:, None], 0.0)
    spread = (moments**2).sum(axis=1)
    known = (number >= 2) & (spread > 1e-9)
    safe = np.where(known, spread, 1.0)
    velocity = np.where(known[:, None], (moments[..., None] * centred).sum(axis=1) / safe[:, None], np.nan)
    rest = centred - moments[..., None] * np.where(known[:, None], velocity, 0.0)[:, None]
    variance = (rest**2).sum(axis=(1, 2)) / np.maximum(2 * number - 4, 1)
    error = np.where(known & (number >= 3), np.sqrt(variance / safe) * scale, np.inf)
    speed = np.where(known, np.hypot(velocity[:, 0], velocity[:, 1]) * scale, 0.0)
    low = np.where(use, offsets, np.inf).min(axis=1, initial=np.inf)
    high = np.where(use, offsets, -np.inf).max(axis=1, initial=-np.inf)
    span = np.where(number >= 2, high - low, 0.0)
    return Motion(velocity, speed, error, span, number)


def is_steady(times: Array, heights: Array, change: float) -> bool:
    """Whether the logarithm of a box's height (n,) changes as evenly as perspective makes it; a sudden change by more than
    ``change`` means that something hides the object or that the detector has changed its mind."""
    if len(times) < 3:
        return True
    steps, passed = np.diff(np.log(np.maximum(heights, 1e-9))), np.diff(times)
    usual = float(np.median(steps / np.maximum(passed, 1e-3)))
    return bool((np.abs(steps - usual * passed) <= change).all())
