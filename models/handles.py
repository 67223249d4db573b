"""How cameras call the detector and recognition; ``models.serve_client`` calls the detector over Ray Serve. Imports neither torch
nor an engine."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from traffic.facts import Heading
from traffic.types import Detections, ObjectClass

if TYPE_CHECKING:
    from models.detector import Detector
    from models.plates.reader import PlateReader

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


class RecognitionFailedError(Exception):
    """A plate reader or attribute network did not answer in time or failed; the vehicle's looks stay unknown."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PlateRead:
    """One plate as read in one picture.

    Attributes:
        text: as a plate is written, "川A12345"; never empty.
        color: protocol code plateColor, 0 unknown, 1..7.
        confidence: 0..1, of the whole text.
        characters: confidence 0..1 of each character of ``text``.
        corners: float32 (4, 2), x, y in pixels of the picture: top left, top right, bottom right, bottom left of the plate.
        score: of the plate's detection, 0..1.
        legible: 0..1, what the plate's size leaves of ``confidence`` at best: 1 where it is large enough to be read surely.
    """

    text: str
    color: int
    confidence: float
    characters: tuple[float, ...]
    corners: NDArray[np.float32]
    score: float = 1.0
    legible: float = 1.0


class PendingPlates(Protocol):
    """A reading under way."""

    def result(self, timeout_s: float) -> tuple[tuple[PlateRead, ...], ...]:
        """Wait for the plates found in each picture, best detection first. Raises RecognitionFailedError."""


class PlateReaderClient(Protocol):
    """A plate reader as a camera sees it."""

    def submit(self, images: Sequence[Image]) -> PendingPlates:
        """Start reading the plates in uint8 (h, w, 3) RGB pictures (crops of vehicles, or scenes). Raises
        RecognitionFailedError."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VehicleContext:
    """What the camera knows of a vehicle besides its pictures.

    Attributes:
        object_class: voted along the track.
        length_m, width_m: by the calibration; None when not measured.
        heading: where its front points, as seen from the camera.
    """

    object_class: ObjectClass
    length_m: float | None = None
    width_m: float | None = None
    heading: Heading


@dataclass(frozen=True, kw_only=True, slots=True)
class Attributes:
    """Type and colour of one vehicle, voted over its crops.

    Attributes:
        vehicle_type: 0 unknown, 1..28, never 4. vehicle_color: 1..10, 255 unknown (protocol codes).
        vehicle_type_confidence, vehicle_color_confidence: 0..1.
    """

    vehicle_type: int = 0
    vehicle_type_confidence: float = 0.0
    vehicle_color: int = 255
    vehicle_color_confidence: float = 0.0


class PendingAttributes(Protocol):
    """Type and colour under way."""

    def result(self, timeout_s: float) -> Attributes:
        """Wait for the answer. Raises RecognitionFailedError."""


class AttributesClient(Protocol):
    """Type and colour recognition as a camera sees it."""

    def submit(self, crops: Sequence[Image], context: VehicleContext) -> PendingAttributes:
        """Start recognising one vehicle from its crops, uint8 (h, w, 3) RGB each, best first; not empty. Raises
        RecognitionFailedError."""


class PendingWeather(Protocol):
    """A reading of the weather under way."""

    def result(self, timeout_s: float) -> NDArray[np.float64]:
        """Wait for the probabilities (4,) of sunny, fog, rain and snow. Raises RecognitionFailedError."""


class WeatherClient(Protocol):
    """The weather network as a camera sees it."""

    def submit(self, picture: Image) -> PendingWeather:
        """Start reading a small picture of the whole scene, uint8 (h, w, 3) RGB. Raises RecognitionFailedError."""


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


class _DonePlates:
    def __init__(self, plates: tuple[tuple[PlateRead, ...], ...]) -> None:
        self._plates = plates

    def result(self, timeout_s: float) -> tuple[tuple[PlateRead, ...], ...]:
        return self._plates


class LocalPlateReaderClient:
    """The plate reader in this very process; reading happens in ``submit``. Deterministic.

    Args:
        longest_px, thorough: see ``PlateReader.read``.
    """

    def __init__(self, reader: "PlateReader", longest_px: int, *, thorough: bool = False) -> None:
        self._reader, self._longest_px, self._thorough = reader, longest_px, thorough

    def submit(self, images: Sequence[Image]) -> PendingPlates:
        """See PlateReaderClient."""
        return _DonePlates(tuple(self._reader.read(images, self._longest_px, thorough=self._thorough)))


class _ServePlates:
    def __init__(self, responses: Sequence[Any]) -> None:
        self._responses = responses

    def result(self, timeout_s: float) -> tuple[tuple[PlateRead, ...], ...]:
        from ray.exceptions import RayError
        from ray.serve.exceptions import RayServeException

        end = time.monotonic() + timeout_s
        try:
            return tuple(tuple(item.result(timeout_s=max(end - time.monotonic(), 0.0))) for item in self._responses)
        except (TimeoutError, RayError, RayServeException) as error:
            for item in self._responses:
                item.cancel()  # what nobody waits for must not queue up
            raise RecognitionFailedError(f"{type(error).__name__}: {error}") from error


class ServePlateReaderClient:
    """The plate reader deployment of the running Serve application. Usable from any thread of an actor."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    @classmethod
    def connect(cls, app_name: str, deployment: str) -> "ServePlateReaderClient":
        """Look up the deployment. Raises RecognitionFailedError while it is not up."""
        from ray import serve
        from ray.exceptions import RayError
        from ray.serve.exceptions import RayServeException

        try:
            return cls(serve.get_deployment_handle(deployment, app_name=app_name))
        except (RayError, RayServeException) as error:
            raise RecognitionFailedError(f"{type(error).__name__}: {error}") from error

    def submit(self, images: Sequence[Image]) -> PendingPlates:
        """See PlateReaderClient. Each picture is a request, so that the deployment batches over vehicles and cameras."""
        from ray.exceptions import RayError
        from ray.serve.exceptions import RayServeException

        try:
            return _ServePlates([self._handle.remote(image) for image in images])
        except (RayError, RayServeException) as error:
            raise RecognitionFailedError(f"{type(error).__name__}: {error}") from error
