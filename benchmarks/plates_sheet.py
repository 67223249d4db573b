"""Contact sheet of plates, with captions that may be Chinese (Pillow-free: drawn with a font of the system when there is one)."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
_CELL, _PICTURE = (260, 116), (252, 84)
_COLUMNS = 6


def contact_sheet(items: Sequence[tuple[Image, str]], target: Path) -> None:
    """Write the pictures (uint8 RGB) with their captions as one PNG."""
    columns = min(_COLUMNS, max(1, len(items)))
    rows = -(-max(1, len(items)) // columns)
    sheet = np.zeros((rows * _CELL[1], columns * _CELL[0], 3), np.uint8)
    for number, (picture, caption) in enumerate(items):
        x, y = number % columns * _CELL[0], number // columns * _CELL[1]
        scale = min(_PICTURE[0] / picture.shape[1], _PICTURE[1] / picture.shape[0])
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        sheet[y : y + size[1], x : x + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
        _caption(sheet, caption, (x + 2, y + _CELL[1] - 8))
    cv2.imwrite(str(target), sheet[..., ::-1])


def _caption(sheet: Image, text: str, at: tuple[int, int]) -> None:
    """OpenCV 5 draws Chinese with its own font; before, strange characters become question marks."""
    cv2.putText(sheet, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
