"""How long a vehicle is along its lane in a picture that is not calibrated."""

from traffic.passages.dimensions import Dimensions

_ASIDE = 0.4  # foreshortening of what points into the picture, at usual heights of cameras
_PRIOR_ALONG, _PRIOR_ACROSS = 0.45, 1.0  # of the length of a vehicle driving into the picture, and across it
_PRIOR_WEIGHT = 0.3
_LEAST_SHARE = 0.15


def image_length(width: float, height: float, way: tuple[float, float], usual: Dimensions) -> float:
    """Length of the footprint along ``way`` in the units of the box.

    A box shows the footprint and, above it, the vehicle's height. With the usual ratios of the class both are separated: the
    length l along the way and the scale s (units per metre across) solve, in the least-squares sense,
    width = l |x| + s W |y| and height = l |y| + s (H + 0.4 W |x|), with a weak prior on l / s.

    Args:
        width, height: of the box, above 0, in equal units. way: unit vector of travel in the picture, y down.
    """
    x, y = abs(way[0]), abs(way[1])
    across, up = usual.width_m * y, usual.height_m + _ASIDE * usual.width_m * x
    prior = usual.length_m * (_PRIOR_ACROSS * x * x + _PRIOR_ALONG * y * y)
    w = _PRIOR_WEIGHT
    # Normal equations of the rows (x, across | width), (y, up | height), w (1, -prior | 0).
    a11, a12, a22 = x * x + y * y + w * w, x * across + y * up - w * w * prior, across**2 + up**2 + (w * prior) ** 2
    b1, b2 = x * width + y * height, across * width + up * height
    length = (a22 * b1 - a12 * b2) / (a11 * a22 - a12 * a12)
    extent = x * width + y * height
    return max(min(length, extent), _LEAST_SHARE * extent)
