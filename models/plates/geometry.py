"""From four corners to an upright picture of the plate."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
_MAX_WIDTH = 384


def plate_size(corners: NDArray[np.floating]) -> tuple[float, float]:
    """(width, height) in pixels of a quadrilateral (4, 2): top left, top right, bottom right, bottom left; means of its sides."""
    tl, tr, br, bl = np.asarray(corners, np.float64)
    width = (np.hypot(*(tr - tl)) + np.hypot(*(br - bl))) / 2
    height = (np.hypot(*(bl - tl)) + np.hypot(*(br - tr))) / 2
    return float(width), float(height)


def ordered(corners: NDArray[np.floating]) -> NDArray[np.float32]:
    """The corners (4, 2) as top left, top right, bottom right, bottom left of a plate that is not upside down."""
    points = np.asarray(corners, np.float32)
    left, right = points[np.argsort(points[:, 0], kind="stable")].reshape(2, 2, 2)
    tl, bl = left[np.argsort(left[:, 1], kind="stable")]
    tr, br = right[np.argsort(right[:, 1], kind="stable")]
    return np.array([tl, tr, br, bl], np.float32)


def grown(corners: NDArray[np.floating], share_x: float, share_y: float) -> NDArray[np.float32]:
    """The corners moved outwards by shares of the width and height (inwards when negative)."""
    tl, tr, br, bl = np.asarray(corners, np.float32)
    top, bottom, left, right = (tr - tl) * share_x, (br - bl) * share_x, (bl - tl) * share_y, (br - tr) * share_y
    return np.array([tl - top - left, tr + top - right, br + bottom + right, bl - bottom + left], np.float32)


def rectified(image: Image, corners: NDArray[np.floating]) -> Image:
    """The plate seen from straight ahead: uint8 (h, w, 3), its mean width up to 384 pixels, aspect kept; border replicated."""
    width, height = plate_size(corners)
    scale = min(1.0, _MAX_WIDTH / max(width, 1.0))
    size = (max(8, round(width * scale)), max(4, round(height * scale)))
    w, h = size
    target = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(np.ascontiguousarray(corners, np.float32), target)
    flat: Image = cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return flat


def one_row(flat: Image, split: float = 0.40, overlap: float = 0.03) -> Image:
    """A plate of two rows as one row: the upper row's middle, widened, before the lower row.

    Args:
        flat: rectified plate. split: share of the height at which the rows part. overlap: share that both rows get.

    Returns:
        uint8 (h, w, 3), about 4 times as wide as high.
    """
    height, width = flat.shape[:2]
    upper = flat[: max(1, round(height * (split + overlap))), round(width * 0.12) : round(width * 0.88)]
    lower = flat[min(height - 1, round(height * (split - overlap))) :]
    target = max(24, lower.shape[0])
    low = cv2.resize(lower, (round(target * 2.6), target), interpolation=cv2.INTER_CUBIC)
    high = cv2.resize(upper, (round(target * 1.3), target), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(np.hstack([high, low]))
