"""A small picture of luma and chroma from a decoded frame, without a full-size colour conversion."""

from dataclasses import dataclass

import cv2
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from actors.decoding import DecodedFrame
from actors.decoding.regions import converted, plane_views, stored_picture, to_array, turned

Plane = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SmallPicture:
    """One picture, upright.

    Attributes:
        y: luma, uint8 (h, w).
        u, v: chroma (blue and red difference, 128 is grey), uint8 (h // 2, w // 2).
        scale: small pixels per pixel of the frame, the same on both axes up to rounding.
    """

    y: Plane
    u: Plane
    v: Plane
    scale: float


def small_picture(frame: DecodedFrame, width_px: int) -> SmallPicture:
    """The frame shrunk (never enlarged) to at most ``width_px`` along its wider side, by area averaging."""
    stored, rotation = stored_picture(frame)
    scale = min(1.0, width_px / max(stored.width, stored.height))
    half = (max(4, round(stored.width * scale / 2)), max(4, round(stored.height * scale / 2)))
    size = (2 * half[0], 2 * half[1])
    planes = plane_views(stored)
    if planes is not None and len(planes) == 3:
        y, u, v = (_shrunk(plane[..., 0], to) for plane, to in zip(planes, (size, half, half), strict=True))
    elif planes is not None and len(planes) == 2:
        y, chroma = _shrunk(planes[0][..., 0], size), _shrunk(planes[1], half)
        u, v = chroma[..., 0], chroma[..., 1]
    elif stored.format.name == "rgb24":
        # Area averaging of the picture as it is, then the colours of the few pixels that are left.
        rgb = _shrunk(to_array(stored, "rgb24"), size)
        y, v, u = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb))
        u, v = _shrunk(u, half), _shrunk(v, half)
    else:
        done = plane_views(converted(stored, "yuv420p", size, Interpolation.AREA))
        assert done is not None
        y, u, v = (plane[..., 0].copy() for plane in done)
    y, u, v = (turned(np.ascontiguousarray(plane), rotation) for plane in (y, u, v))
    return SmallPicture(y=y, u=u, v=v, scale=y.shape[1] / frame.width)


def _shrunk(plane: Plane, size: tuple[int, int]) -> Plane:
    """Area averaging by whole steps, which is fast, then the rest by interpolation."""
    if (plane.shape[1], plane.shape[0]) == size:
        return plane
    step = min(plane.shape[1] // size[0], plane.shape[0] // size[1])
    if step >= 2:
        width, height = plane.shape[1] // step, plane.shape[0] // step
        plane = cv2.resize(plane[: height * step, : width * step], (width, height), interpolation=cv2.INTER_AREA)
    result: Plane = plane
    if (plane.shape[1], plane.shape[0]) != size:
        result = cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
    return result
