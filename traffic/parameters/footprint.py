"""How long a vehicle is along its lane in a picture that is not calibrated."""

import math

from traffic.passages.dimensions import Dimensions

_FLAT = 0.45  # what points into the picture is this much shorter than what lies across it, at usual heights of cameras
_PRIOR_WEIGHT, _PRIOR_SLANTED = 0.3, 1.2
_LEAST_SHARE = 0.15


def image_length(width: float, height: float, way: tuple[float, float], usual: Dimensions) -> float:
    """Length of the footprint along ``way`` in the units of the box.

    A box shows the footprint and, above it, the vehicle's height. The way in the picture and the usual flattening of the ground
    tell how the vehicle is turned on the road, hence which part of its width lies across the picture and which points into it.
    With the usual ratios of the class, length and height are then separated: the length l along the way and the scale s (units
    per metre across the picture) solve, in the least-squares sense, width = l |x| + s W cos and height = l |y| +
    s (H + flat W sin), with a prior on l / s. The prior is weak where the box tells the length by itself (a road into the
    picture or across it) and strong for slanted roads, where both equations say nearly the same.

    Args:
        width, height: of the box, above 0, in equal units. way: unit vector of travel in the picture, y down.
    """
    x, y = abs(way[0]), abs(way[1])
    turn = math.hypot(x, y / _FLAT)
    sine, cosine = x / turn, y / _FLAT / turn  # of the angle between the vehicle and the view, on the road
    across, up = usual.width_m * cosine, usual.height_m + _FLAT * usual.width_m * sine
    prior = usual.length_m / turn  # the foreshortened length: |(sine, flat * cosine)| = 1 / turn
    w = _PRIOR_WEIGHT + _PRIOR_SLANTED * 2 * x * y
    # Normal equations of the rows (x, across | width), (y, up | height), w (1, -prior | 0).
    a11, a12, a22 = x * x + y * y + w * w, x * across + y * up - w * w * prior, across**2 + up**2 + (w * prior) ** 2
    b1, b2 = x * width + y * height, across * width + up * height
    length = (a22 * b1 - a12 * b2) / (a11 * a22 - a12 * a12)
    extent = x * width + y * height
    return max(min(length, extent), _LEAST_SHARE * extent)
