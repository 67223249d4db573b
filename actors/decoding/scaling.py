"""From a decoded picture to the network's input, and from the network's boxes back to the picture.

How the picture is shrunk was chosen by measurement (docs/sources.md, ``benchmarks/decoding.py``): area averaging of the
planes to a small 4:2:2 picture, then colour conversion of the few pixels that are left. It is nearest to averaging the
full-size RGB picture and costs a fraction of it.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from actors.decoding.frames import upright_size
from actors.decoding.regions import (
    Picture,
    Rectangle,
    converted,
    cut,
    even_rectangle,
    stored_picture,
    stored_rectangle,
    to_array,
    turned,
    upright_rectangle,
)

RelativeBox = tuple[float, float, float, float]
# Below this many pixels a side the scaler refuses some pictures; they are converted first and scaled as RGB.
_MIN_SIDE = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterboxTransform:
    """Where a network input comes from: input = (frame - offset) * scale, in upright pixels.

    Attributes:
        offset_x, offset_y: upper left corner of the crop in the frame, pixels.
        scale_x, scale_y: input pixels per frame pixel; they differ by the stretch that was allowed, and by rounding.
        frame_width, frame_height: of the upright frame, pixels.
        width, height: of the network input's used area, pixels.
    """

    offset_x: float
    offset_y: float
    scale_x: float
    scale_y: float
    frame_width: int
    frame_height: int
    width: int
    height: int

    def to_frame(self, boxes: NDArray[np.floating]) -> NDArray[np.float32]:
        """Boxes of the network input as boxes of the frame.

        Args:
            boxes: float (n, 4), ``x1, y1, x2, y2`` in pixels of the network input.

        Returns:
            float32 (n, 4) in pixels of the upright frame, clipped to it.
        """
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float64)
        offset = np.array([self.offset_x, self.offset_y] * 2, np.float64)
        limit = np.array([self.frame_width, self.frame_height] * 2, np.float64)
        points = np.asarray(boxes, np.float64).reshape(-1, 4) / scale + offset
        return np.clip(points, 0.0, limit).astype(np.float32)


def letterbox(
    picture: Picture,
    input_size: tuple[int, int],
    crop: RelativeBox | None = None,
    *,
    max_stretch: float = 1.0,
    max_enlargement: float = math.inf,
) -> tuple[NDArray[np.uint8], LetterboxTransform]:
    """The network input of a picture: scaled as a whole to fit, not padded (the detector pads its batch).

    Args:
        picture: a decoded frame of any pixel format and rotation.
        input_size: (width, height) of the network in pixels; the result fits into it.
        crop: part of the upright picture to look at, relative ``(x1, y1, x2, y2)`` in 0..1; None for all of it.
        max_stretch: how much more one axis may be scaled than the other to use the input up, 1 or more.
        max_enlargement: input pixels per picture pixel at most, along the axis that is scaled less.

    Returns:
        (image uint8 (h, w, 3) RGB, upright, contiguous; the transform of its boxes back to the frame).

    Raises:
        ValueError: the crop is empty or the input size is not positive.
    """
    frame, rotation = stored_picture(picture)
    stored_size = (frame.width, frame.height)
    frame_width, frame_height = upright_size(*stored_size, rotation)
    wanted = stored_rectangle(_crop_pixels(crop, frame_width, frame_height), stored_size, rotation)
    region = even_rectangle(wanted, stored_size)
    x1, y1, x2, y2 = upright_rectangle(region, stored_size, rotation)
    width, height = _fitted_size(x2 - x1, y2 - y1, input_size, max_stretch, max_enlargement)
    image = turned(_scaled(cut(frame, region), upright_size(width, height, rotation)), rotation)
    return image, LetterboxTransform(
        offset_x=float(x1),
        offset_y=float(y1),
        scale_x=width / (x2 - x1),
        scale_y=height / (y2 - y1),
        frame_width=frame_width,
        frame_height=frame_height,
        width=width,
        height=height,
    )


def _crop_pixels(crop: RelativeBox | None, width: int, height: int) -> Rectangle:
    if crop is None:
        return 0, 0, width, height
    left, top, right, bottom = (min(max(value, 0.0), 1.0) for value in crop)
    x1, y1 = int(left * width), int(top * height)
    x2, y2 = int(np.ceil(right * width)), int(np.ceil(bottom * height))
    if x2 <= x1 or y2 <= y1:
        raise ValueError(f"the crop {crop} is empty")
    return x1, y1, x2, y2


def _fitted_size(
    width: int, height: int, input_size: tuple[int, int], max_stretch: float, max_enlargement: float
) -> tuple[int, int]:
    limit_w, limit_h = input_size
    if limit_w < 1 or limit_h < 1:
        raise ValueError(f"the input size {input_size} is not positive")
    scale = min(limit_w / width, limit_h / height, max_enlargement)
    most = scale * max(max_stretch, 1.0)
    scale_w, scale_h = min(most, limit_w / width), min(most, limit_h / height)
    if min(scale_w, scale_h) > scale:  # room on both sides: only the shorter one is stretched
        scale_w, scale_h = (scale, scale_h) if width >= height else (scale_w, scale)
    return min(limit_w, max(1, round(width * scale_w))), min(limit_h, max(1, round(height * scale_h)))


def _scaled(region, size: tuple[int, int]) -> NDArray[np.uint8]:  # type: ignore[no-untyped-def]
    """The stored region as RGB of ``size`` (width, height)."""
    shrinks = size[0] <= region.width and size[1] <= region.height
    if region.format.name == "rgb24" or min(region.width, region.height, *size) < _MIN_SIDE:
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        image: NDArray[np.uint8] = cv2.resize(to_array(region, "rgb24"), size, interpolation=interpolation)
        return image
    method = Interpolation.AREA if shrinks else Interpolation.BILINEAR
    return to_array(converted(region, "yuv422p", size, method), "rgb24")
