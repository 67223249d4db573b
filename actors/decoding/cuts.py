"""Parts of a decoded picture kept for later: the pixels as stored (half the size of RGB), turned and converted when asked."""

from dataclasses import dataclass

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from actors.decoding.frames import Rotation, upright_size
from actors.decoding.pictures import clipped_rectangle
from actors.decoding.regions import (
    Picture,
    converted,
    cut,
    even_rectangle,
    plane,
    stored_picture,
    stored_rectangle,
    to_array,
    turned,
    upright_rectangle,
)
from traffic.types import Box


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class VehicleCut:
    """A part of a picture.

    Attributes:
        region: its pixels as stored, of the picture's own format. rotation: counter-clockwise turn that makes it upright.
        offset: (x, y) of its upper left corner in the upright picture, pixels.
        scale: (x, y) pixels of the cut per pixel of the upright picture, at most 1.
    """

    region: av.VideoFrame
    rotation: Rotation
    offset: tuple[float, float]
    scale: tuple[float, float]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(item.buffer_size for item in self.region.planes)

    def luma(self) -> NDArray[np.uint8]:
        """Brightness, upright, uint8 (h, w)."""
        if self.region.format.name in ("rgb24", "bgr24"):
            grey = cv2.cvtColor(to_array(self.region, "rgb24"), cv2.COLOR_RGB2GRAY)
        else:
            grey = np.ascontiguousarray(plane(self.region, 0, 1)[..., 0])
        return turned(np.asarray(grey, np.uint8), self.rotation)

    def rgb(self) -> NDArray[np.uint8]:
        """Upright, uint8 (h, w, 3) RGB, contiguous."""
        return np.ascontiguousarray(turned(to_array(self.region, "rgb24"), self.rotation))

    def to_frame(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (..., 2) in pixels of the upright cut as points of the upright picture."""
        return np.asarray(points, np.float64) / self.scale + self.offset


def cut_vehicle(picture: Picture, box: Box, *, margin: float, max_px: int) -> VehicleCut:
    """The box with its margin (share of its size on each side), shrunk so that its longer side is at most ``max_px``.

    Raises:
        ValueError: the box holds values that are not numbers.
    """
    frame, rotation = stored_picture(picture)
    size = (frame.width, frame.height)
    wanted = clipped_rectangle(box, margin, *upright_size(*size, rotation))
    stored = even_rectangle(stored_rectangle(wanted, size, rotation), size)
    x1, y1, x2, y2 = upright_rectangle(stored, size, rotation)
    region = cut(frame, stored)
    longest = max(region.width, region.height)
    if longest > max_px:
        # Chroma needs even sides.
        small = tuple(max(2, round(side * max_px / longest) & ~1) for side in (region.width, region.height))
        region = converted(region, region.format.name, (small[0], small[1]), Interpolation.AREA)
    width, height = upright_size(region.width, region.height, rotation)
    return VehicleCut(
        region=region,
        rotation=rotation,
        offset=(float(x1), float(y1)),
        scale=(width / (x2 - x1), height / (y2 - y1)),
    )
