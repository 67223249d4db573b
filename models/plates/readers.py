"""Text readers: a rectified plate in, probabilities of the grammar's characters per step out."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.engines import Arrays
from models.errors import ModelFormatError
from models.plates.grammar import Grammar
from models.plates.network import Network
from models.plates.search import Reading

Image = NDArray[np.uint8]
_UNREAD = -1
_RARE = -1.0  # natural logarithm of how usual a form is in a colour, below which it does not count
# A reader never rules a character out: what it has not learned (a rare province) may still be what the other one sees.
_FLOOR = 1e-3
# … and where it sees some character, that may be one of those it never learned, with this share.
_UNLEARNED_SHARE = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class ReaderInput:
    """How a reader wants its pictures.

    Attributes:
        height, width: of the plate in pixels, whatever its own aspect.
        padded_width: zeros (grey) follow on the right up to this width; readers trained so need them.
        bgr: order of the colours.
        weight: how much the reader counts beside others.
        unlearned: characters of its list that it was hardly ever shown; it then says something else.
        sure_alone: a plate that the first reader of a system reads with this confidence is not shown to the others, unless a
            plate of its colour may have unlearned characters; None: all are asked always.
    """

    height: int
    width: int
    padded_width: int
    bgr: bool = True
    weight: float = 1.0
    unlearned: str = ""
    sure_alone: float | None = None


class TextReader:
    """One CTC network.

    Args:
        network: float32 (n, 3, height, padded width), values -1..1 → probabilities (n, steps, classes), blank first.
        characters: of classes 1, 2, …; further classes are the space and unused ones.
        shape: of the input.
        grammar: whose alphabet the answers are in.

    Raises:
        ModelFormatError: the characters have nothing in common with the grammar's.
    """

    def __init__(self, network: Network, characters: Sequence[str], shape: ReaderInput, grammar: Grammar) -> None:
        self._network, self._shape = network, shape
        self._columns = 1 + len(grammar.alphabet)
        self._target = _class_table(characters, grammar)
        self._unlearned = [1 + grammar.index[character] for character in shape.unlearned if character in grammar.index]
        if not (self._target > 0).any():
            raise ModelFormatError(f"the reader's characters are none of the grammar {grammar.name}")

    @property
    def sure_alone(self) -> float | None:
        """See ReaderInput."""
        return self._shape.sure_alone

    def may_miss(self, color: int, grammar: Grammar) -> bool:
        """Whether a plate of this colour may have characters that the reader has not learned."""
        unlearned = set(self._shape.unlearned)
        return any(
            unlearned & {c for sign in form.pattern for c in grammar.signs.get(sign, sign)}
            for form in grammar.forms
            if any(code == color and prior > _RARE for code, prior in form.colors)
        )

    def read(self, plates: Sequence[Image]) -> list[Reading]:
        """uint8 (h, w, 3) RGB each → a reading each, in the grammar's alphabet, no probability zero."""
        shape = self._shape
        if not plates:
            return []
        batch = np.zeros((len(plates), 3, shape.height, shape.padded_width), np.float32)
        for row, plate in enumerate(plates):
            smaller = plate.shape[1] < shape.width
            scaled = cv2.resize(plate, (shape.width, shape.height), interpolation=cv2.INTER_CUBIC if smaller else cv2.INTER_AREA)
            pixels = scaled[..., ::-1] if shape.bgr else scaled
            batch[row, :, :, : shape.width] = pixels.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1
        outputs: Arrays = self._network.run(batch)
        return [Reading(probabilities=self._fold(steps), weight=shape.weight) for steps in outputs[0]]

    def _fold(self, steps: NDArray[np.float32]) -> NDArray[np.float64]:
        target = self._target[: steps.shape[1]]
        known = np.flatnonzero(target != _UNREAD)
        folded = np.zeros((self._columns, len(steps)))
        np.add.at(folded, target[known], steps[:, known].T.astype(np.float64))
        some = _UNLEARNED_SHARE * (1 - folded[0])
        for column in self._unlearned:
            folded[column] = np.maximum(folded[column], some)
        return folded.T * (1 - _FLOOR) + _FLOOR / self._columns


def _class_table(characters: Sequence[str], grammar: Grammar) -> NDArray[np.int64]:
    """Class of the network → column of the answer (0 blank); separators count as blank, strange characters are dropped."""
    table = np.full(1 + len(characters), _UNREAD, np.int64)
    table[0] = 0
    for row, character in enumerate(characters, start=1):
        meant = grammar.aliases.get(character, character)
        if meant in grammar.index:
            table[row] = 1 + grammar.index[meant]
        elif character and character in grammar.separators:
            table[row] = 0
    return table
