"""Pictures for people: crops and stills as JPEG, frames as arrays."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.decoding.frames import upright_size
from actors.decoding.regions import (
    Picture,
    Rectangle,
    cut,
    even_rectangle,
    stored_picture,
    stored_rectangle,
    to_array,
    turned,
)
from traffic.types import Box


def frame_rgb(picture: Picture) -> NDArray[np.uint8]:
    """The whole picture, upright, as uint8 (height, width, 3) RGB; contiguous."""
    frame, rotation = stored_picture(picture)
    return turned(to_array(frame, "rgb24"), rotation)


def crop_jpeg(
    picture: Picture,
    box: Box | None = None,
    *,
    quality: int = 85,
    margin: float = 0.0,
    max_size: tuple[int, int] | None = None,
) -> bytes:
    """A part of the picture, or all of it, as JPEG.

    Args:
        picture: a decoded frame of any pixel format and rotation.
        box: ``x1, y1, x2, y2`` in pixels of the upright picture, clipped to it; None for the whole picture.
        quality: 1..100 of the JPEG encoder.
        margin: share of the box's size added on each of its sides.
        max_size: (width, height) the result is shrunk to fit into; it is never enlarged.

    Returns:
        the JPEG file. A box outside the picture gives the nearest pixels of its border.

    Raises:
        ValueError: the quality is out of range or the box holds values that are not numbers.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"quality must be within 1..100, not {quality}")
    image = _region_bgr(picture, box, margin)
    if max_size is not None:
        image = _shrunk(image, max_size)
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"cannot encode a picture of shape {image.shape} as JPEG")
    return bytes(encoded)


def rgb_jpeg(image: NDArray[np.uint8], *, quality: int = 85) -> bytes:
    """An image uint8 (h, w, 3) RGB as JPEG; ``quality`` 1..100."""
    done, encoded = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"cannot encode a picture of shape {image.shape} as JPEG")
    return bytes(encoded)


def _region_bgr(picture: Picture, box: Box | None, margin: float) -> NDArray[np.uint8]:
    frame, rotation = stored_picture(picture)
    size = (frame.width, frame.height)
    if box is None:
        return turned(to_array(frame, "bgr24"), rotation)
    wanted = stored_rectangle(clipped_rectangle(box, margin, *upright_size(*size, rotation)), size, rotation)
    # Cut on even pixels (chroma samples), then trimmed to the pixel.
    region = even_rectangle(wanted, size)
    left, top = wanted[0] - region[0], wanted[1] - region[1]
    image = to_array(cut(frame, region), "bgr24")
    return turned(np.ascontiguousarray(image[top : top + wanted[3] - wanted[1], left : left + wanted[2] - wanted[0]]), rotation)


def clipped_rectangle(box: Box, margin: float, width: int, height: int) -> Rectangle:
    """The box with its margin as whole pixels inside the picture, at least one pixel wide and high."""
    x1, y1, x2, y2 = box
    if not all(math.isfinite(value) for value in box):
        raise ValueError(f"the box {box} holds values that are not numbers")
    dx, dy = margin * max(0.0, x2 - x1), margin * max(0.0, y2 - y1)
    left = min(max(math.floor(x1 - dx), 0), width - 1)
    top = min(max(math.floor(y1 - dy), 0), height - 1)
    return left, top, min(max(math.ceil(x2 + dx), left + 1), width), min(max(math.ceil(y2 + dy), top + 1), height)


def _shrunk(image: NDArray[np.uint8], max_size: tuple[int, int]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = min(max_size[0] / width, max_size[1] / height)
    if scale >= 1.0:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    shrunk: NDArray[np.uint8] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return shrunk
