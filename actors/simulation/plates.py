"""Number plates: place on the body and picture. Own stroke drawing for the province characters and some others, Hershey strokes
(part of OpenCV) for the other letters and digits."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.simulation.looks import Rgb
from actors.simulation.meshes import Mesh, profile

PLATE_SIZE_M = (0.44, 0.14)
PLATE_PAINT: dict[str, Rgb] = {"blue": (0.01, 0.07, 0.42), "yellow": (0.72, 0.46, 0.02), "green": (0.20, 0.55, 0.30)}
_SCALE = 400  # pixels per metre of the plate's picture
_FINEST = 6  # times too large
_LEAST_PX = 14  # of the plate's box with its margin; smaller plates show only the colour that the body's paint gives them
_FACE = {"blue": (18, 68, 178), "yellow": (228, 178, 30), "green": (120, 200, 140)}
_INK = {"blue": (246, 246, 246), "yellow": (16, 16, 16), "green": (16, 16, 16)}

# Polylines on a grid of 0..10, y down, one tuple per stroke.
_STROKES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "京": (
        ((5, 0), (5, 1.5)),
        ((1, 2), (9, 2)),
        ((2.5, 3.5), (7.5, 3.5), (7.5, 6), (2.5, 6), (2.5, 3.5)),
        ((5, 6), (5, 10), (4, 9.5)),
        ((3, 7.3), (1.2, 9.3)),
        ((7, 7.3), (9, 9.3)),
    ),
    "沪": (
        ((1, 1), (2, 2)),
        ((0.5, 4), (1.6, 5)),
        ((0.5, 9.6), (2.2, 6.8)),
        ((6, 0), (7, 1.2)),
        ((3.8, 2.5), (9, 2.5), (9, 5.5), (3.8, 5.5)),
        ((3.8, 2.5), (3.8, 7), (2.8, 10)),
    ),
    "津": (
        ((1, 1), (2, 2)),
        ((0.5, 4), (1.6, 5)),
        ((0.5, 9.6), (2.2, 6.8)),
        ((3.5, 1.5), (8.6, 1.5), (8.6, 4.6), (3.5, 4.6)),
        ((3, 3), (9.6, 3)),
        ((3.4, 6.3), (9, 6.3)),
        ((2.8, 8), (9.7, 8)),
        ((6.2, 0), (6.2, 10)),
    ),
    "苏": (
        ((0.8, 1.6), (9.2, 1.6)),
        ((3.2, 0.3), (3.2, 3)),
        ((6.8, 0.3), (6.8, 3)),
        ((1.5, 4.5), (7.8, 4.5), (7.3, 9), (6, 9.6)),
        ((4.6, 3), (4.2, 6), (1.2, 9.8)),
        ((1.8, 6), (1, 7.6)),
        ((8.4, 5.8), (9.4, 7.6)),
    ),
    "浙": (
        ((1, 1), (1.8, 2)),
        ((0.4, 4), (1.4, 5)),
        ((0.4, 9.6), (1.8, 6.8)),
        ((2.4, 2.6), (5.4, 2.6)),
        ((4, 0.4), (4, 9.4), (3, 9)),
        ((2.4, 6.4), (5.4, 5)),
        ((9, 0.6), (6.4, 1.6), (6.4, 6), (5.6, 9.8)),
        ((6.4, 4), (9.8, 4)),
        ((8.2, 4), (8.2, 10)),
    ),
    "川": (((1.0, 0.6), (1.0, 6.5), (0.2, 9.8)), ((4.9, 1.0), (4.9, 8.8)), ((8.9, 0.4), (8.9, 10))),
    "0": (((3.4, 0.5), (6.6, 0.5), (8.5, 2), (8.5, 8), (6.6, 9.5), (3.4, 9.5), (1.5, 8), (1.5, 2), (3.4, 0.5)),),
    "1": (((2.6, 2), (5, 0), (5, 10)),),
    "M": (((1, 9.7), (1, 0.3), (5, 7), (9, 0.3), (9, 9.7)),),
    "W": (((0.6, 0.3), (2.6, 9.6), (5, 2.6), (7.4, 9.6), (9.4, 0.3)),),
}
# Pixels of a stroke; the provinces of many strokes have thin ones, or they would run together.
_THICKNESS = {"0": 3, "1": 3, "M": 2, "W": 2}


def plate_anchor(mesh: Mesh, end: int) -> tuple[float, float, float]:
    """Centre of the plate in object axes; ``end`` +1 front, -1 rear."""
    x = end * (mesh.half_length_m + 0.01)
    if mesh.car is not None:
        half = mesh.half_length_m
        return (
            x,
            0.0,
            float(profile(half - 0.35, mesh.car.top)) - 0.343 if end > 0 else float(profile(-half + 0.2, mesh.car.top)) - 0.283,
        )
    if mesh.kind == "bus":
        return (x, 0.0, 0.58 if end > 0 else 0.66)
    return (x, 0.0, 0.55 if end > 0 else 0.5)


def plate_corners(mesh: Mesh, end: int) -> NDArray[np.float64]:
    """Corners (4, 3) in object axes as somebody in front of the plate sees them, clockwise from top left."""
    x, _, z = plate_anchor(mesh, end)
    w, h = PLATE_SIZE_M[0] / 2, PLATE_SIZE_M[1] / 2
    # Seen from behind (end -1) left is +y; seen from the front, left is -y.
    left = -end * w
    return np.array([[x, left, z + h], [x, -left, z + h], [x, -left, z - h], [x, left, z - h]])


@lru_cache(maxsize=256)
def plate_picture(text: str, colour: str) -> NDArray[np.uint8]:
    """The plate as uint8 (56, 176, 3) RGB."""
    w, h = round(PLATE_SIZE_M[0] * _SCALE), round(PLATE_SIZE_M[1] * _SCALE)
    picture = np.empty((h, w, 3), np.uint8)
    picture[:] = _FACE[colour]
    cv2.rectangle(picture, (2, 2), (w - 3, h - 3), _INK[colour], 1, cv2.LINE_AA)
    pitch = (w - 18) / (len(text) + 0.35)
    for i, character in enumerate(text):
        x = 9 + pitch * (i + (0.35 if i > 1 else 0.0))
        _draw(picture, character, x, 9.0, pitch * 0.8, h - 18.0, _INK[colour])
    cv2.circle(picture, (round(9 + pitch * 2.08), h // 2), 2, _INK[colour], -1, cv2.LINE_AA)
    picture.flags.writeable = False
    return picture


def _draw(picture: NDArray[np.uint8], character: str, x: float, y: float, w: float, h: float, ink: tuple[int, int, int]) -> None:
    strokes = _STROKES.get(character)
    if strokes is not None:
        for stroke in strokes:
            points = np.array(stroke) * [w / 10, h / 10] + [x, y]
            thickness = _THICKNESS.get(character, 2)
            cv2.polylines(picture, [np.round(points * 8).astype(np.int32)], False, ink, thickness, cv2.LINE_AA, 3)
        return
    (tw, th), _ = cv2.getTextSize(character, cv2.FONT_HERSHEY_SIMPLEX, 1.6, 5)
    cell = np.zeros((th + 10, tw + 10), np.uint8)
    cv2.putText(cell, character, (5, th + 5), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 255, 4, cv2.LINE_AA)
    ys, xs = np.nonzero(cell > 40)
    glyph = cv2.resize(
        cell[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1],
        (max(2, round(w)), round(h)),
        interpolation=cv2.INTER_AREA,
    )
    # Squeezed to the narrow letters of a plate, upright strokes have become thin.
    glyph = cv2.dilate(glyph, np.ones((1, 2), np.uint8))
    x0, y0 = round(x + (w - glyph.shape[1]) / 2), round(y)
    area = picture[y0 : y0 + glyph.shape[0], x0 : x0 + glyph.shape[1]]
    share = glyph[: area.shape[0], : area.shape[1], None].astype(np.float32) / 255
    area[:] = np.round(area * (1 - share) + np.array(ink, np.float32) * share).astype(np.uint8)


def draw_plate(image: NDArray[np.uint8], corners: NDArray[np.float64], text: str, colour: str, gain: float) -> None:
    """Warp the plate onto four pixel corners (4, 2) of an RGB image; ``gain`` dims it."""
    x0, y0 = np.floor(corners.min(0)).astype(int) - 1
    x1, y1 = np.ceil(corners.max(0)).astype(int) + 2
    height, width = image.shape[:2]
    if x0 < 0 or y0 < 0 or x1 > width or y1 > height or x1 - x0 < _LEAST_PX:
        return
    picture = plate_picture(text, colour)
    # Warped several times too large, then averaged down: warping alone would pick single pixels of the strokes.
    width_px, height_px = int(x1 - x0), int(y1 - y0)
    fine = int(np.clip(round(1.5 * picture.shape[1] / width_px), 1, _FINEST))
    target = ((corners - [x0, y0]) * fine).astype(np.float32)
    h, w = picture.shape[:2]
    matrix = cv2.getPerspectiveTransform(np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32), target)
    layer = np.dstack([picture, np.full((h, w), 255, np.uint8)])
    large = cv2.warpPerspective(layer, matrix, (width_px * fine, height_px * fine), flags=cv2.INTER_LINEAR)
    warped = cv2.resize(large, (width_px, height_px), interpolation=cv2.INTER_AREA).astype(np.float32)
    area = image[y0:y1, x0:x1]
    share = warped[..., 3:] / 255
    area[:] = np.clip(area * (1 - share) + warped[..., :3] * share * gain, 0, 255).astype(np.uint8)
