"""The colour of a plate from its picture: how likely each protocol code is.

Ink and ground are told apart by brightness. Which of them is darker halves the codes (white on blue and black; black on yellow,
white and green), and the hue and saturation of the ground decide among the rest. White ink is also the measure of white: what
it looks like is divided out of the ground, so a blue plate in a sunset is still blue.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from models.plates.grammar import BLACK, BLUE, COLORS, GREEN, GREEN_LARGE, GREEN_SMALL, WHITE, YELLOW

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
_SIZE = (96, 32)
_BLUE_HUE, _YELLOW_HUE, _GREEN_HUE = (222.0, 22.0), (44.0, 17.0), (140.0, 32.0)  # degrees: centre, spread
_SURE_SATURATION, _SURE_VALUE = 0.2, 0.2
_LEAST = -6.0  # a picture never rules a colour out
_EDGE = 0.10  # of the width and height: frame, screws and what lies beyond the corners


def color_log_likelihoods(flat: Image) -> dict[int, float]:
    """Natural logarithm of the share of each colour code 1..7, at least -6.

    Args:
        flat: rectified plate, uint8 (h, w, 3) RGB.
    """
    small = cv2.resize(flat, _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
    dx, dy = round(_SIZE[0] * _EDGE / 2), round(_SIZE[1] * _EDGE)
    inner = small[dy:-dy, dx:-dx]
    ground, light_ink = _ground(inner)
    hue, saturation, value = _hsv(ground)
    saturation *= min(1.0, value / _SURE_VALUE)  # a few grey values more or less are the whole saturation of what is nearly black
    scores = {code: _hue_score(hue, saturation, code) + _saturated(saturation) for code in (BLUE, YELLOW, GREEN_SMALL)}
    scores[WHITE] = -saturation * 12
    scores[BLACK] = -saturation * 7 - max(0.0, value - 0.35) * 8
    scores[GREEN_LARGE] = scores[GREEN_SMALL] - 3.0 + _yellow_before_green(inner)
    scores[GREEN] = scores[GREEN_SMALL] - 3.0
    for code in scores:
        if (code in (BLUE, BLACK, GREEN)) != (light_ink > 0):
            scores[code] -= 3.0 * abs(light_ink)
    top = max(scores.values())
    total = top + math.log(sum(math.exp(score - top) for score in scores.values()))
    return {code: max(scores[code] - total, _LEAST) for code in COLORS}


def _ground(inner: Floats) -> tuple[Floats, float]:
    """(RGB of the ground 0..1, white balanced where the ink is light; -1 for surely dark ink … 1 for surely light ink)."""
    gray = inner @ np.array([0.299, 0.587, 0.114], np.float32)
    threshold, _ = cv2.threshold(gray.astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    light = gray > threshold
    share = float(light.mean())
    if not 0.02 < share < 0.98:
        return _rgb(np.median(inner.reshape(-1, 3), axis=0)), 0.0
    bright, dark = np.median(inner[light], axis=0), np.median(inner[~light], axis=0)
    light_ink = float(np.clip((0.5 - share) * 5, -1, 1))
    if share >= 0.5:
        return _rgb(bright), light_ink
    white = np.maximum(bright, 1.0)
    return np.clip(dark / white, 0, 1), light_ink


def _rgb(values: NDArray[np.floating]) -> Floats:
    return np.asarray(values / 255, np.float32)


def _hsv(rgb: Floats) -> tuple[float, float, float]:
    """(hue in degrees, saturation 0..1, value 0..1)."""
    hsv = cv2.cvtColor(np.asarray(rgb, np.float32).reshape(1, 1, 3), cv2.COLOR_RGB2HSV)[0, 0]
    return float(hsv[0]), float(hsv[1]), float(hsv[2])


def _hue_score(hue: float, saturation: float, code: int) -> float:
    """The hue of grey is chance: it counts for less the paler the ground is."""
    centre, spread = {BLUE: _BLUE_HUE, YELLOW: _YELLOW_HUE, GREEN_SMALL: _GREEN_HUE}[code]
    distance = abs((hue - centre + 180) % 360 - 180)
    return -0.5 * (distance / spread) ** 2 * min(1.0, saturation / _SURE_SATURATION) ** 2


def _saturated(saturation: float) -> float:
    return -max(0.0, 0.3 - saturation) * 10


def _yellow_before_green(inner: Floats) -> float:
    """Above 0 where the left quarter (province and letter of a large new-energy plate) is yellower than the rest."""
    left, _ = _ground(inner[:, : inner.shape[1] // 4])
    right, _ = _ground(inner[:, inner.shape[1] // 3 :])
    return float(np.clip((_hsv(right)[0] - _hsv(left)[0]) / 10, 0, 6))
