"""Finding plates in pictures: a coarse look at the whole, then a close look at each plate found."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import cv2
import numpy as np
from numpy.typing import NDArray

from models.plates.boxes import FoundPlates, decode
from models.plates.geometry import ordered, plate_size
from models.plates.network import Network

Image = NDArray[np.uint8]
_MEAN_RGB = np.array([123, 117, 104], np.float32)
_ROUND_TO = 64  # sides of network inputs are multiples: few shapes, and pictures of one shape share a batch
_IOU = 0.3
_CLOSE_SIZE, _CLOSE_PLATE_PX = (320, 160), 140
_MAX_ENLARGEMENT = 4.0
_DARK = 128.0  # grey value of the brightest twentieth below which a picture is brightened


@dataclass(frozen=True, kw_only=True, slots=True)
class LocatedPlate:
    """A plate in a picture.

    Attributes:
        corners: float32 (4, 2), top left, top right, bottom right, bottom left, in pixels of the picture, from the close look.
        coarse: the same from the first look.
        score: 0..1, mean of both looks.
    """

    corners: NDArray[np.float32]
    coarse: NDArray[np.float32]
    score: float


class PlateDetector:
    """The plate detector.

    Args:
        network: outputs boxes, scores, landmarks (see ``models.plates.boxes``); input float32 (n, 3, h, w), BGR minus means.
        threshold: plates whose mean score of both looks is below are dropped.
    """

    def __init__(self, network: Network, *, threshold: float = 0.5) -> None:
        self._network, self._threshold = network, threshold

    @property
    def engine_name(self) -> str:
        """The engine in use."""
        return self._network.engine_name

    def locate(self, images: Sequence[Image], longest_px: int) -> list[tuple[LocatedPlate, ...]]:
        """The plates of each picture, best first.

        Args:
            images: uint8 (h, w, 3) RGB. longest_px: pictures are scaled so that their longer side is this (enlarged at most
                4 times): small plates need it.
        """
        scaled = [_scaled(image, longest_px) for image in images]
        order = sorted(range(len(images)), key=lambda index: scaled[index][0].shape)
        found: dict[int, FoundPlates] = {}
        for _, group in groupby(order, key=lambda index: scaled[index][0].shape):
            part = list(group)
            for index, plates in zip(part, self._detect([scaled[i][0] for i in part], self._threshold * 0.6), strict=True):
                found[index] = plates
        return [self._look_closely(image, found[i], scaled[i][1]) for i, image in enumerate(images)]

    def look(self, image: Image, corners: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Corners (4, 2) of the plate that fills ``corners`` more or less, from a close look; None when none is seen."""
        view, matrix = _close_view(image, corners)
        found = self._detect([view], self._threshold)[0]
        best = _central(found)
        return None if best is None else ordered((found.corners[best] - matrix[:, 2]) / matrix[0, 0])

    def _look_closely(self, image: Image, plates: FoundPlates, scale: float) -> tuple[LocatedPlate, ...]:
        coarse = [ordered(corners / scale) for corners in plates.corners]
        views = [_close_view(image, corners) for corners in coarse]
        located = []
        closer = self._detect([view for view, _ in views], 0.2) if views else []
        for corners, score, (_, matrix), near in zip(coarse, plates.scores, views, closer, strict=True):
            best = _central(near)
            if best is None:
                continue
            mean = float(score + near.scores[best]) / 2
            if mean >= self._threshold:
                back = ordered((near.corners[best] - matrix[:, 2]) / matrix[0, 0])
                located.append(LocatedPlate(corners=back, coarse=corners, score=mean))
        return _distinct(sorted(located, key=lambda plate: -plate.score))

    def _detect(self, images: Sequence[Image], threshold: float) -> list[FoundPlates]:
        """Pictures of one shape, already of the network's size."""
        height, width = images[0].shape[:2]
        batch = np.empty((len(images), 3, height, width), np.float32)
        for row, image in enumerate(images):
            batch[row] = (image.astype(np.float32) - _MEAN_RGB)[..., ::-1].transpose(2, 0, 1)
        boxes, scores, landmarks = self._network.run(batch)
        return [decode(boxes[i], scores[i], landmarks[i], (width, height), threshold, _IOU) for i in range(len(images))]


def _scaled(image: Image, longest_px: int) -> tuple[Image, float]:
    """(picture of the network's size, padded right and below with the mean; its scale)."""
    height, width = image.shape[:2]
    scale = min(longest_px / max(height, width), _MAX_ENLARGEMENT)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    padded = np.empty((-(-size[1] // _ROUND_TO) * _ROUND_TO, -(-size[0] // _ROUND_TO) * _ROUND_TO, 3), np.uint8)
    padded[:] = _MEAN_RGB.astype(np.uint8)
    padded[: size[1], : size[0]] = small
    return padded, scale


def _close_view(image: Image, corners: NDArray[np.float32]) -> tuple[Image, NDArray[np.float32]]:
    """(320x160 picture around the plate, which is 140 pixels wide in it; matrix (2, 3) from the picture to it)."""
    width = max(plate_size(corners)[0], 1.0)
    scale = _CLOSE_PLATE_PX / width
    centre = corners.mean(axis=0)
    shift = np.array(_CLOSE_SIZE) / 2 - centre * scale
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    if scale < 0.7:  # warping alone would pick single pixels
        steps = max(2, round(1 / scale))
        image = cv2.blur(image, (steps, steps))
    view: Image = cv2.warpAffine(image, matrix, _CLOSE_SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _brightened(view), matrix


def _brightened(view: Image) -> Image:
    """A dark picture with its range stretched: the network has learned from daylight."""
    bright = float(np.percentile(view, 95))
    return view if bright >= _DARK else cv2.convertScaleAbs(view, alpha=_DARK / max(bright, 16.0))


def _central(plates: FoundPlates) -> int | None:
    """The best plate in the middle of a close view."""
    for index, corners in enumerate(plates.corners):
        dx, dy = np.abs(corners.mean(axis=0) - np.array(_CLOSE_SIZE) / 2)
        if dx < _CLOSE_PLATE_PX * 0.3 and dy < _CLOSE_PLATE_PX * 0.2:
            return index
    return None


def _distinct(plates: Sequence[LocatedPlate]) -> tuple[LocatedPlate, ...]:
    """Without plates whose close look ended on a better one's place."""
    kept: list[LocatedPlate] = []
    for plate in plates:
        centre, width = plate.corners.mean(axis=0), plate_size(plate.corners)[0]
        if all(np.hypot(*(centre - other.corners.mean(axis=0))) > 0.4 * width for other in kept):
            kept.append(plate)
    return tuple(kept)
