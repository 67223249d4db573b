"""The plate reader: pictures in, plates with text and colour out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.handles import PlateRead
from models.plates.colour import color_log_likelihoods
from models.plates.decoding import Decoded, View, decode_plate
from models.plates.detection import LocatedPlate, PlateDetector
from models.plates.geometry import grown, one_row, plate_size, rectified
from models.plates.grammar import Grammar
from models.plates.readers import TextReader

Image = NDArray[np.uint8]
SCENE_PX, VEHICLE_PX = 1280, 448  # longer side at which whole scenes, and crops of single vehicles, are searched
_SURE = 0.85  # below, more views of the plate are read
_MAX_ROWS_ASPECT = 2.45  # wider plates have one row
_LEAST_WIDTH_PX = 36  # of 23 simulated plates up to 45 pixels one was read (docs/benchmarks.md); narrower ones only cost time
_LEGIBLE_WIDTH_PX = 60  # seven characters of some eight pixels each; what narrower plates seem to say is trusted less


class PlateReader:
    """Finds and reads plates.

    Args:
        detector, readers: loaded networks. grammar: what a plate can say.
        min_confidence: plates read with less are left out (signs and grilles look like plates, but read like nothing).
    """

    def __init__(
        self, detector: PlateDetector, readers: Sequence[TextReader], grammar: Grammar, *, min_confidence: float = 0.15
    ) -> None:
        self._detector, self._readers, self._grammar = detector, tuple(readers), grammar
        self._min_confidence = min_confidence

    @property
    def engine_name(self) -> str:
        """The engine in use, such as ``openvino-f32``."""
        return self._detector.engine_name

    def read(self, images: Sequence[Image], longest_px: int = SCENE_PX, *, thorough: bool = True) -> list[tuple[PlateRead, ...]]:
        """Find and read the plates of each picture, best detection first.

        Args:
            images: uint8 (h, w, 3) RGB, scenes or crops of vehicles.
            longest_px: longer side at which they are searched; crops of single vehicles need fewer than scenes.
            thorough: plates that are not sure are read from every view; else, for pictures that are some of many, from one more.
        """
        located = self._detector.locate(images, longest_px) if images else []
        jobs = [(row, plate) for row, plates in enumerate(located) for plate in plates if self._readable(plate)]
        decoded = self._decode(
            [_views(images[row], plate) if thorough else _two_views(images[row], plate) for row, plate in jobs]
        )
        found: list[list[PlateRead]] = [[] for _ in images]
        for (row, plate), result in zip(jobs, decoded, strict=True):
            if result is not None and result.confidence >= self._min_confidence:
                found[row].append(_doubted(_plate_read(result, plate.corners, plate.score)))
        return [tuple(plates) for plates in found]

    def read_plates(self, plates: Sequence[Image]) -> list[PlateRead | None]:
        """Read pictures that show one plate and nothing else, uint8 (h, w, 3) RGB, without looking for it."""
        wholes = [self._detector.look(plate, _outline(plate)) for plate in plates]
        decoded = self._decode([_whole_views(plate, near) for plate, near in zip(plates, wholes, strict=True)])
        return [
            None if result is None else _plate_read(result, _outline(plate), 1.0)
            for plate, result in zip(plates, decoded, strict=True)
        ]

    @staticmethod
    def _readable(plate: LocatedPlate) -> bool:
        width, height = plate_size(plate.corners)
        return width >= _LEAST_WIDTH_PX and 1.0 <= width / max(height, 1e-3) <= 8.0

    def _decode(self, plates: Sequence[list[Image]]) -> list[Decoded | None]:
        """The text of each plate from its views, the first of which is read always and the others when it is not sure."""
        two_rows = [view[0].shape[1] / view[0].shape[0] < _MAX_ROWS_ASPECT for view in plates]
        colors = [color_log_likelihoods(views[0]) for views in plates]
        first, decoded = self._first_look([views[0] for views in plates], two_rows, colors)
        unsure = [i for i, item in enumerate(decoded) if item is None or item.confidence < _SURE]
        more = self._look(self._readers, [plates[i][1:] for i in unsure], [two_rows[i] for i in unsure])
        for i, others in zip(unsure, more, strict=True):
            decoded[i] = decode_plate([*first[i], *others], colors[i], self._grammar)
        return decoded

    def _first_look(
        self, plates: Sequence[Image], two_rows: Sequence[bool], colors: Sequence[Mapping[int, float]]
    ) -> tuple[list[list[View]], list[Decoded | None]]:
        """One view of each plate by the first reader and, unless that one is sure alone, by all: (views, what they say)."""
        leader, others = self._readers[0], self._readers[1:]
        looks = self._look((leader,), [[plate] for plate in plates], two_rows)
        decoded: list[Decoded | None] = [None] * len(plates)
        if leader.sure_alone is not None:
            for i, (views, color) in enumerate(zip(looks, colors, strict=True)):
                if not two_rows[i]:
                    alone = decode_plate(views, color, self._grammar)
                    sure = alone is not None and alone.confidence >= leader.sure_alone
                    decoded[i] = alone if sure and alone and not leader.may_miss(alone.color, self._grammar) else None
        unsure = [i for i, item in enumerate(decoded) if item is None]
        asked = self._look(others, [[plates[i]] for i in unsure], [two_rows[i] for i in unsure])
        for i, views in zip(unsure, asked, strict=True):
            looks[i] = [
                View(readings=[*one.readings, *more.readings], rows=one.rows) for one, more in zip(looks[i], views, strict=True)
            ]
            decoded[i] = decode_plate(looks[i], colors[i], self._grammar)
        return looks, decoded

    def _look(self, readers: Sequence[TextReader], plates: Sequence[list[Image]], two_rows: Sequence[bool]) -> list[list[View]]:
        """Per plate every picture as one row and, where ``two_rows``, also as two rows; one batch per reader."""
        owners = [
            (index, rows)
            for index, pictures in enumerate(plates)
            for rows in ((1, 2) if two_rows[index] else (1,))
            for _ in pictures
        ]
        looks = [
            picture if rows == 1 else one_row(picture)
            for index, pictures in enumerate(plates)
            for rows in ((1, 2) if two_rows[index] else (1,))
            for picture in pictures
        ]
        per_reader = [reader.read(looks) for reader in readers]
        views: list[list[View]] = [[] for _ in plates]
        for number, (index, rows) in enumerate(owners):
            views[index].append(View(readings=[readings[number] for readings in per_reader], rows=rows))
        return views


def _doubted(read: PlateRead) -> PlateRead:
    """Less sure when the plate is narrower than can be read: readers are sure of what few pixels can be taken for."""
    share = min(1.0, plate_size(read.corners)[0] / _LEGIBLE_WIDTH_PX)
    characters = tuple(share * value for value in read.characters)
    return replace(read, confidence=share * read.confidence, characters=characters, legible=share)


def _views(image: Image, plate: LocatedPlate) -> list[Image]:
    """The plate from the close look's corners, then from the first look's, then without colour, and as its negative.

    Readers learn mostly from one province's blue plates (CCPD is from 皖) and take blue for a hint of it; grey has none.
    """
    near = rectified(image, grown(plate.corners, 0.03, 0.05))
    return [near, rectified(image, grown(plate.coarse, 0.03, 0.05)), *_greys(near)]


def _two_views(image: Image, plate: LocatedPlate) -> list[Image]:
    near = rectified(image, grown(plate.corners, 0.03, 0.05))
    return [near, _greys(near)[0]]


def _greys(view: Image) -> list[Image]:
    grey: Image = cv2.cvtColor(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return [grey, 255 - grey]


def _outline(plate: Image) -> NDArray[np.float32]:
    height, width = plate.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def _whole_views(plate: Image, corners: NDArray[np.float32] | None) -> list[Image]:
    outline = _outline(plate)
    near = rectified(plate, grown(outline, 0.06, 0.0))
    views = [near, plate, *_greys(near)]
    if corners is not None and plate_size(corners)[0] > 0.5 * plate.shape[1]:  # a plate that lies askew in its picture
        views.append(rectified(plate, grown(corners, 0.03, 0.05)))
    return views


def _plate_read(result: Decoded, corners: NDArray[np.float32], score: float) -> PlateRead:
    return PlateRead(
        text=result.text,
        color=result.color,
        confidence=result.confidence,
        characters=result.characters,
        corners=corners,
        score=score,
    )
