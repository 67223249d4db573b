"""How cameras call the detector; ``models.serve_client`` does it over Ray Serve. Imports neither torch nor an engine."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from traffic.types import Detections

if TYPE_CHECKING:
    from models.detector import Detector

Image = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, slots=True)
class InputFit:
    """How a picture is scaled to a network's input.

    Attributes:
        max_stretch: how much more one axis may be scaled than the other to use the input up, 1 or more. Above 1 for networks
            trained on pictures squeezed to a square.
        max_enlargement: a picture is not enlarged beyond this; more pixels of a small picture cost time and show nothing new.
    """

    max_stretch: float = 1.0
    max_enlargement: float = math.inf


class DetectionFailedError(Exception):
    """The detector did not answer in time or failed; the frame is lost, the next one may work."""


class PendingDetections(Protocol):
    """A detection under way."""

    def result(self, timeout_s: float) -> Detections:
        """Wait for the answer. Raises DetectionFailedError."""


class DetectorClient(Protocol):
    """A detector as a camera sees it."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Network input (width, height) in pixels; images may be smaller, not larger."""

    @property
    def input_fit(self) -> InputFit:
        """How pictures should be scaled to that input."""

    def submit(self, image: Image) -> PendingDetections:
        """Start the detection of a uint8 (h, w, 3) RGB image. Boxes of the answer are in pixels of that image."""

    def gather(self, pictures: int) -> None:
        """From now on pictures may wait until ``pictures`` (1 or more) go out in one call, or until an answer is asked for.

        For recordings, which are not in a hurry: a call costs as much for several pictures as for one.
        """


class _Done:
    def __init__(self, detections: Detections) -> None:
        self._detections = detections

    def result(self, timeout_s: float) -> Detections:
        return self._detections


class LocalDetectorClient:
    """The detector in this very process; detection happens in ``submit``. Deterministic."""

    def __init__(self, detector: "Detector") -> None:
        self._detector = detector

    @property
    def input_size(self) -> tuple[int, int]:
        """See DetectorClient."""
        return self._detector.input_size

    @property
    def input_fit(self) -> InputFit:
        """See DetectorClient."""
        return self._detector.input_fit

    def submit(self, image: Image) -> PendingDetections:
        """See DetectorClient."""
        return _Done(self._detector.detect([image])[0])

    def gather(self, pictures: int) -> None:
        """Nothing to gather: see ``submit``."""
