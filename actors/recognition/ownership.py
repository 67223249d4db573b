"""Whose plate is it? A plate in a vehicle's picture may belong to one parked behind it or driving before it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from actors.recognition.gallery import Shot
from traffic.types import Box

_SIDE, _ABOVE, _BELOW = 0.02, 0.25, 0.06  # shares of the vehicle's box in which no plate of its own can have its centre
_WIDTH_SHARES = (0.05, 0.75)  # of a plate in its vehicle's box; two-wheelers are narrow


def is_own(corners: NDArray[np.float64], shot: Shot) -> bool:
    """Whether a plate can belong to the shot's vehicle by its place.

    Args:
        corners: (4, 2) in pixels of the frame.

    Its centre must lie in the vehicle's box, below the windscreen's top, and in no box of a vehicle nearer to the camera.
    """
    x, y = corners.mean(axis=0)
    x1, y1, x2, y2 = shot.box
    width, height = x2 - x1, y2 - y1
    if not (x1 + _SIDE * width <= x <= x2 - _SIDE * width and y1 + _ABOVE * height <= y <= y2 + _BELOW * height):
        return False
    share = float(np.ptp(corners[:, 0])) / width
    return _WIDTH_SHARES[0] <= share <= _WIDTH_SHARES[1] and not any(_inside(x, y, box) for box in shot.nearer)


def stands_still(places: Sequence[tuple[NDArray[np.float64], Shot]]) -> bool:
    """Whether a plate seen in several shots stayed where it was while the vehicle moved: then it is another one's.

    Args:
        places: corners (4, 2) in pixels of the frame, and the shot they were seen in.
    """
    plates = np.array([corners.mean(axis=0) for corners, _ in places])
    feet = np.array([((shot.box[0] + shot.box[2]) / 2, shot.box[3]) for _, shot in places])
    width = float(np.mean([np.ptp(corners[:, 0]) for corners, _ in places]))
    moved, plate_moved = _reach(feet), _reach(plates)
    return moved > width and plate_moved < 0.25 * moved


def _inside(x: float, y: float, box: Box) -> bool:
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _reach(points: NDArray[np.float64]) -> float:
    """Largest distance between two of the points."""
    return float(np.linalg.norm(points[:, None] - points[None], axis=2).max())
