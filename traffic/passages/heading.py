"""Where the front of a vehicle points, as seen from the camera."""

import math

import numpy as np
from numpy.typing import NDArray

from traffic.facts import Heading
from traffic.passages.view import GroundView

Array = NDArray[np.float64]

# Sectors of 45° from "towards the camera", turning to the picture's right.
_SECTORS = (
    Heading.FRONT,
    Heading.FRONT_RIGHT,
    Heading.RIGHT,
    Heading.REAR_RIGHT,
    Heading.REAR,
    Heading.REAR_LEFT,
    Heading.LEFT,
    Heading.FRONT_LEFT,
)


def heading_of(direction: Array, image_point: Array, view: GroundView) -> Heading:
    """Heading of a vehicle at ``image_point`` (2,), relative, that moves along ``direction`` (2,) on the ground.

    With a calibration the angle is the one on the road between its way and the line of sight; without, that in the picture.
    """
    slope = view.per_pixel(image_point[None])[0]
    toward = slope[:, 1]
    if view.camera is not None:
        sight = view.camera.foot - view.to_ground(image_point[None])[0]
        if float(np.hypot(sight[0], sight[1])) > 1.0:
            toward = sight
    toward = toward / max(float(np.hypot(toward[0], toward[1])), 1e-12)
    right = np.array([-toward[1], toward[0]])
    if float(right @ slope[:, 0]) < 0:
        right = -right
    angle = math.degrees(math.atan2(float(direction @ right), float(direction @ toward)))
    return _SECTORS[round(angle / 45) % 8]
