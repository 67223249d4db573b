"""Pictures of an event: the whole frame with a box, and what is in the box."""

import cv2
import numpy as np

from actors.decoding import DecodedFrame, crop_jpeg, frame_rgb
from traffic.types import Box

_RED = (30, 30, 230)  # BGR
_FRACTION = 400  # the line's width: this part of the picture's


def large_picture(frame: DecodedFrame, box: Box, quality: int, *, boxed: bool) -> bytes:
    """The whole frame as JPEG, with a red box around ``box`` (pixels) when ``boxed`` and the box holds anything."""
    if not boxed or box[2] - box[0] < 1 or box[3] - box[1] < 1:
        return crop_jpeg(frame, None, quality=quality)
    image = cv2.cvtColor(np.ascontiguousarray(frame_rgb(frame)), cv2.COLOR_RGB2BGR)
    height, width = image.shape[:2]
    line = max(2, round(width / _FRACTION))
    # Around the object, not over it: its edge is part of the evidence.
    x1, y1 = max(0, round(box[0]) - line), max(0, round(box[1]) - line)
    x2, y2 = min(width - 1, round(box[2]) + line), min(height - 1, round(box[3]) + line)
    cv2.rectangle(image, (x1, y1), (x2, y2), _RED, line, cv2.LINE_AA)
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"cannot encode a picture of shape {image.shape} as JPEG")
    return bytes(encoded)


def small_picture(frame: DecodedFrame, box: Box, quality: int, margin: float) -> bytes:
    """What is in ``box``, with ``margin`` (share of its size) around it, as JPEG."""
    return crop_jpeg(frame, box, quality=quality, margin=margin)
