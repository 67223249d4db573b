"""Rectangles of a decoded picture: turned upright, cut out, converted, with as little copying as possible.

Coordinates: *upright* are pixels of the picture as it is to be seen (what boxes, scenes and people mean); *stored* are
pixels of the picture as decoded, before its rotation.
"""

from typing import Literal, TypeAlias

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from actors.decoding.frames import DecodedFrame, Rotation, frame_rotation, upright_size

Rectangle = tuple[int, int, int, int]
Picture: TypeAlias = DecodedFrame | av.VideoFrame
# Per plane: right shift of x and y (chroma subsampling), bytes per sample.
_PLANES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "yuv420p": ((0, 0, 1), (1, 1, 1), (1, 1, 1)),
    "yuvj420p": ((0, 0, 1), (1, 1, 1), (1, 1, 1)),
    "yuv422p": ((0, 0, 1), (1, 0, 1), (1, 0, 1)),
    "yuvj422p": ((0, 0, 1), (1, 0, 1), (1, 0, 1)),
    "yuv444p": ((0, 0, 1), (0, 0, 1), (0, 0, 1)),
    "nv12": ((0, 0, 1), (1, 1, 2)),
    "gray": ((0, 0, 1),),
    "rgb24": ((0, 0, 3),),
}
_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


def stored_picture(picture: Picture) -> tuple[av.VideoFrame, Rotation]:
    """(picture as decoded, counter-clockwise turn that makes it upright)."""
    if isinstance(picture, DecodedFrame):
        return picture.frame, picture.rotation
    return picture, frame_rotation(picture)


def stored_rectangle(upright: Rectangle, size: tuple[int, int], rotation: int) -> Rectangle:
    """The rectangle ``(x1, y1, x2, y2)`` in stored pixels; ``size`` is the stored (width, height)."""
    x1, y1, x2, y2 = upright
    width, height = size
    if rotation == 90:
        return width - y2, x1, width - y1, x2
    if rotation == 180:
        return width - x2, height - y2, width - x1, height - y1
    if rotation == 270:
        return y1, height - x2, y2, height - x1
    return upright


def upright_rectangle(stored: Rectangle, size: tuple[int, int], rotation: int) -> Rectangle:
    """Inverse of ``stored_rectangle``; ``size`` is the stored (width, height)."""
    return stored_rectangle(stored, upright_size(*size, rotation), -rotation % 360)


def even_rectangle(rectangle: Rectangle, size: tuple[int, int]) -> Rectangle:
    """The smallest rectangle around ``rectangle`` that begins and ends between chroma samples (or at the border)."""
    x1, y1, x2, y2 = rectangle
    width, height = size
    return x1 & ~1, y1 & ~1, min(width, x2 + (x2 & 1)), min(height, y2 + (y2 & 1))


def turned(image: NDArray[np.uint8], rotation: int) -> NDArray[np.uint8]:
    """``image`` (h, w, 3) turned counter-clockwise by ``rotation`` degrees; contiguous."""
    return image if rotation == 0 else cv2.rotate(image, _TURNS[rotation])


def cut(frame: av.VideoFrame, rectangle: Rectangle) -> av.VideoFrame:
    """A copy of a stored rectangle (even, see ``even_rectangle``) with the colour tags of the frame.

    Pixel formats that cannot be cut plane by plane are converted to 4:2:0 first.
    """
    x1, y1, x2, y2 = rectangle
    if (x1, y1, x2, y2) == (0, 0, frame.width, frame.height):
        return frame
    if frame.format.name not in _PLANES:
        frame = converted(frame, "yuv420p")
    region = av.VideoFrame(x2 - x1, y2 - y1, frame.format.name)
    for index, (shift_x, shift_y, channels) in enumerate(_PLANES[frame.format.name]):
        # A border of odd size ends with a chroma sample of its own, hence rounding up.
        rows = slice(y1 >> shift_y, -(-y2 >> shift_y))
        columns = slice(x1 >> shift_x, -(-x2 >> shift_x))
        plane(region, index, channels)[:] = plane(frame, index, channels)[rows, columns]
    region.colorspace, region.color_range = frame.colorspace, frame.color_range
    return region


def converted(
    frame: av.VideoFrame,
    pixel_format: str,
    size: tuple[int, int] | None = None,
    interpolation: Interpolation = Interpolation.BILINEAR,
) -> av.VideoFrame:
    """The frame in another pixel format and size, by its own colour matrix and range; always on one thread.

    Untagged pictures count as BT.601, limited range, as the library and OpenCV take them.
    """
    width, height = size if size is not None else (frame.width, frame.height)
    # A context of its own per call costs below 0.1 ms; the one a frame makes for itself would use every core.
    return VideoReformatter().reformat(frame, width, height, pixel_format, interpolation=interpolation, threads=1)


def to_array(frame: av.VideoFrame, pixel_format: Literal["rgb24", "bgr24"]) -> NDArray[np.uint8]:
    """The whole stored picture as uint8 (height, width, 3)."""
    array: NDArray[np.uint8] = converted(frame, pixel_format).to_ndarray()
    return array


def plane(frame: av.VideoFrame, index: int, channels: int) -> NDArray[np.uint8]:
    """A plane of 8-bit samples as a view: uint8 (height, width, channels)."""
    plane = frame.planes[index]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width * channels]
    return rows.reshape(plane.height, plane.width, channels)


def plane_views(frame: av.VideoFrame) -> tuple[NDArray[np.uint8], ...] | None:
    """The planes of a stored picture without copying: uint8 (height, width, samples per pixel), luma first.

    None for pixel formats that are not planes of 8-bit luma and chroma (RGB and deeper ones); the views live as long as
    the frame.
    """
    if frame.format.name not in _PLANES or frame.format.name == "rgb24":
        return None
    return tuple(plane(frame, index, channels) for index, (_, _, channels) in enumerate(_PLANES[frame.format.name]))
