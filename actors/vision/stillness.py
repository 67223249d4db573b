"""Pictures that need no network: one that looks like the last one the detector has seen gets that one's detections.

A road at night is empty most of the time, and a detection costs twenty times this look. What is compared is the network's own
input, as means of small squares, against the last picture that was *detected* (not the last one seen): slow changes add up until
they are noticed. So nothing is carried along that has moved, and a vehicle that has just stopped is detected where it stands.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.handles import DetectionFailedError, PendingDetections
from traffic.types import Detections

# A square is small against anything that is detected, and large against a camera's noise, of which its mean keeps an eighth. A
# far car of 6x8 pixels that is 30 levels brighter than the road changes a square by 22.
_SQUARE_PX = 8
_LEAST_CHANGE, _MOST_CHANGE = 3.0, 8.0  # levels of 0..255 of a square's mean, beyond the change of the whole picture
_NOISE_DEVIATIONS = 5.5  # one of 3,840 squares is beyond 5.5 deviations by chance once in 7,000 pictures
_MAX_DIMMING = 4.0  # levels; a picture that is altogether brighter or darker is another one


class SharedDetections:
    """A detection under way that several pictures wait for: asked once, told to all."""

    def __init__(self, pending: PendingDetections) -> None:
        self._pending: PendingDetections | None = pending
        self._found: Detections | None = None

    @property
    def failed(self) -> bool:
        """Whether it was asked for and did not come."""
        return self._pending is None and self._found is None

    def result(self, timeout_s: float) -> Detections:
        """See PendingDetections."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._found = pending.result(timeout_s)
        if self._found is None:
            raise DetectionFailedError("the picture that this one looks like was not detected")
        return self._found


class Stillness:
    """Tells pictures that look like the last detected one. Holds one small picture."""

    def __init__(self, longest_s: float) -> None:
        """``longest_s``: detections are used again for so long at most; 0: never."""
        self._longest_s = longest_s
        self._squares: NDArray[np.float32] | None = None
        self._time_s = 0.0
        self._detections: SharedDetections | None = None

    def known(self, image: NDArray[np.uint8], time_s: float) -> SharedDetections | None:
        """The detections of the last detected picture when ``image`` shows the same, else None; then ``detected`` must follow.

        Args:
            image: uint8 (h, w, 3) RGB, the network's input. time_s: video time.
        """
        if self._longest_s <= 0:
            return None
        squares, last = squares_of(image), self._squares
        held = self._detections
        young = 0 <= time_s - self._time_s < self._longest_s
        if held is not None and not held.failed and young and last is not None and alike(last, squares):
            return held
        self._squares, self._time_s, self._detections = squares, time_s, None
        return None

    def detected(self, pending: PendingDetections) -> PendingDetections:
        """The detection of the picture last asked about has begun; returns what to wait for."""
        if self._longest_s <= 0:
            return pending
        self._detections = SharedDetections(pending)
        return self._detections

    def forget(self) -> None:
        """The next picture is detected whatever it shows."""
        self._squares = self._detections = None


def squares_of(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Means of squares of 8x8 pixels of the green channel, float32 (ceil(h / 8), ceil(w / 8)), in levels of 0..255."""
    height, width = (max(1, -(-side // _SQUARE_PX)) for side in image.shape[:2])
    squares = cv2.resize(cv2.extractChannel(image, 1), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(squares, np.float32)


def alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Whether two pictures (``squares_of``) show the same, apart from a slight change of the light as a whole."""
    if one.shape != other.shape:
        return False
    change = other - one
    dimming = float(np.median(change))
    if abs(dimming) > _MAX_DIMMING:
        return False
    apart = np.abs(change - dimming)
    noise = 1.4826 * float(np.median(apart))  # the deviation, if most squares show nothing but noise
    return float(apart.max()) <= min(max(_LEAST_CHANGE, _NOISE_DEVIATIONS * noise), _MOST_CHANGE)
