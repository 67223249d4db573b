"""One colour of a vehicle from several pictures of it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from traffic.vehicle_codes import VehicleColor

COLORS = tuple(color for color in VehicleColor if color is not VehicleColor.UNKNOWN)
MIN_SHARE = 0.35


def decide_color(crops: Sequence[NDArray[np.float64]], dark: Sequence[bool]) -> tuple[VehicleColor, float]:
    """The colour of a vehicle and how sure it is, 0..1.

    Args:
        crops: probabilities (colours,) of each crop, in the order of ``COLORS``.
        dark: whether a crop is too dark, or lit by lamps only, for its colours to mean anything.

    Returns:
        UNKNOWN with confidence 0 when no crop is usable or no colour reaches ``MIN_SHARE``.
    """
    usable = [scores for scores, is_dark in zip(crops, dark, strict=True) if not is_dark]
    if not usable:
        return VehicleColor.UNKNOWN, 0.0
    mean = np.exp(np.mean(np.log(np.maximum(np.asarray(usable, np.float64), 1e-6)), axis=0))
    mean = mean / mean.sum()
    best = int(mean.argmax())
    share = float(mean[best])
    return (COLORS[best], share) if share >= MIN_SHARE else (VehicleColor.UNKNOWN, 0.0)
