"""Light and air: what day, dusk, night and weather do to colours."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]  # masks may be bool or float32
Rgb = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """Linear RGB light and haze.

    Attributes:
        sun: unit vector towards the light (sun, or street lamps straight above at night).
        sun_colour, sky, ground: direct and ambient light.
        shadow: darkness of cast shadows 0..1.
        exposure: before the tone curve.
        haze: colour of the air (display RGB 0..1), fully reached at several ``haze_m``.
        lamps: gain of head and tail lamps.
        road: gain of the background's brightness.
        wet: 0..1, reflecting road.
    """

    sun: tuple[float, float, float]
    sun_colour: Rgb
    sky: Rgb
    ground: Rgb
    shadow: float
    exposure: float
    haze: Rgb
    haze_m: float
    lamps: float
    road: Rgb
    wet: float = 0.0
    snow: float = 0.0

    def air(self, distance_m: Floats | float) -> Floats:
        """Share of haze at a distance."""
        return 1 - np.exp(-np.asarray(distance_m, np.float32) / self.haze_m)


_SUN = (-0.3393, -0.2940, 0.8935)
_LIGHTS = {
    "day": (
        _SUN,
        (1.05, 1.0, 0.92),
        (0.46, 0.52, 0.62),
        (0.20, 0.20, 0.20),
        0.42,
        1.25,
        (0.76, 0.80, 0.85),
        700.0,
        0.7,
        (1.0, 1.0, 1.0),
    ),
    "dusk": (
        (-0.60, -0.55, 0.58),
        (0.62, 0.42, 0.26),
        (0.34, 0.34, 0.44),
        (0.16, 0.14, 0.14),
        0.38,
        1.0,
        (0.62, 0.54, 0.54),
        380.0,
        1.6,
        (0.74, 0.68, 0.68),
    ),
    "night": (
        (-0.10, -0.10, 0.99),
        (0.26, 0.21, 0.14),
        (0.07, 0.075, 0.10),
        (0.05, 0.045, 0.04),
        0.35,
        1.0,
        (0.10, 0.10, 0.13),
        420.0,
        3.2,
        (0.36, 0.34, 0.33),
    ),
}
_WEATHER = {"clear": (1.0, 1.0, 1.0), "rain": (0.25, 0.45, 0.3), "fog": (0.12, 0.30, 0.2), "snow": (0.25, 0.5, 0.4)}


def look_of(light: str, weather: str) -> Look:
    """The look of a light (``day``, ``dusk``, ``night``) in a weather (``clear``, ``rain``, ``fog``, ``snow``)."""
    sun, sun_colour, sky, ground, shadow, exposure, haze, haze_m, lamps, road = _LIGHTS[light]
    direct, far, soft = _WEATHER[weather]
    boost = 1.0 + 0.35 * (1.0 - direct)
    return Look(
        sun=sun,
        sun_colour=(sun_colour[0] * direct, sun_colour[1] * direct, sun_colour[2] * direct),
        sky=(sky[0] * boost, sky[1] * boost, sky[2] * boost),
        ground=ground,
        shadow=shadow * soft,
        exposure=exposure,
        haze=haze if weather == "clear" else tuple(0.92 * sum(haze) / 3 for _ in range(3)),  # type: ignore[arg-type]
        haze_m=haze_m * (far if weather != "fog" else 0.24),
        lamps=lamps if weather == "clear" else max(lamps, 1.2),
        road=tuple(c * (1.0 if weather == "clear" else 0.86) for c in road),  # type: ignore[arg-type]
        wet=0.5 if weather == "rain" else 0.0,
        snow=0.6 if weather == "snow" else 0.0,
    )


def ramp(low: Floats | float, high: Floats | float, x: Floats | float) -> Floats:
    """Smooth step from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((np.asarray(x, np.float32) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def band(x: Floats, low: Floats | float, high: Floats | float, edge: Floats | float = 0.012) -> Floats:
    """1 between ``low`` and ``high``, falling to 0 over ``edge`` on either side."""
    return ramp(low - edge, low + edge, x) * (1 - ramp(high - edge, high + edge, x))
