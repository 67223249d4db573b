"""Traffic cones by colour and shape.

Candidates are stacks of one to three areas of red or orange chroma (white collars lie between them); a logistic regression on
coarse colour cells and gradient orientations (in the manner of Dalal and Triggs, "Histograms of oriented gradients", 2005)
decides. Its weights come from pictures that ``benchmarks/cones.py`` draws itself; no photograph was used to train it.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.vision.small import SmallPicture
from traffic.events.observations import PixelFinding, PixelFindingKind

Plane = NDArray[np.uint8]
Floats = NDArray[np.float32]
WIDTH_PX = 960
MIN_SCORE = 0.5
_PATCH_W, _PATCH_H = 16, 24
_BINS = 6
_MAX_BANDS, _MAX_CANDIDATES, _MAX_CONES = 80, 120, 30
_CLOSE = np.ones((3, 1), np.uint8)
_RED = 16  # of the red difference: the weakest orange of a cone in fog or dusk


class _Band(NamedTuple):
    """A connected area of red or orange, chroma pixels."""

    x: int
    y: int
    w: int
    h: int
    area: int


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A coloured area: its box in chroma pixels (half the luma's) and its features, float32 (n,)."""

    x: int
    y: int
    w: int
    h: int
    features: Floats


def find_cones(picture: SmallPicture) -> list[PixelFinding]:
    """Cones of a picture (of about ``WIDTH_PX`` pixels); boxes in pixels of the frame."""
    weights = _weights()
    scored = []
    for item in candidates(picture):
        score = float(1.0 / (1.0 + np.exp(-(item.features @ weights[:-1] + weights[-1]))))
        if score >= MIN_SCORE:
            scored.append((score, item))
    scored.sort(key=lambda pair: -pair[0])
    kept: list[tuple[float, Candidate]] = []
    for score, item in scored:
        if len(kept) < _MAX_CONES and all(_overlap(item, other) < 0.3 for _, other in kept):
            kept.append((score, item))
    to_frame = 2.0 / picture.scale
    return [
        PixelFinding(
            kind=PixelFindingKind.CONE,
            box=(item.x * to_frame, item.y * to_frame, (item.x + item.w) * to_frame, (item.y + item.h) * to_frame),
            score=round(score, 3),
        )
        for score, item in kept
    ]


def candidates(picture: SmallPicture) -> list[Candidate]:
    """Areas that have the colour and the proportions of a cone."""
    red = picture.v.astype(np.int16) - 128
    blue = picture.u.astype(np.int16) - 128
    mask = ((red > _RED) & (blue < 6) & (red > np.abs(blue) * 0.5)).astype(np.uint8) * 255
    if not mask.any():
        return []
    count, _, stats, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _CLOSE), connectivity=8)
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))[:_MAX_BANDS]
    bands = [_Band(*(int(value) for value in stats[i])) for i in order]
    bands = [band for band in bands if band.w >= 2 and band.h >= 2 and band.h < 0.5 * mask.shape[0]]
    found: dict[tuple[int, int, int, int], Candidate] = {}
    for group in _groups(bands):
        box = _around(group, mask.shape)
        if box is not None and box not in found and len(found) < _MAX_CANDIDATES:
            found[box] = Candidate(*box, _features(picture, *box, len(group)))
    return list(found.values())


def _groups(bands: list["_Band"]) -> list[list["_Band"]]:
    """Stacks of one to three bands that may be the coloured parts of one cone, from the top down; more bands first."""
    below = {i: [j for j, low in enumerate(bands) if _stands_on(high, low)] for i, high in enumerate(bands)}
    singles = [[band] for band in bands]
    pairs = [[bands[i], bands[j]] for i, lows in below.items() for j in lows]
    triples = [[bands[i], bands[j], bands[k]] for i, lows in below.items() for j in lows for k in below[j]]
    return triples[:_MAX_CANDIDATES] + pairs[:_MAX_CANDIDATES] + singles


def _stands_on(high: "_Band", low: "_Band") -> bool:
    """Whether ``high`` may be the next coloured part above ``low``: over its middle, narrower, a collar between."""
    gap = low.y - (high.y + high.h)
    return (
        -2 <= gap <= 2.2 * max(high.h, low.h)
        and abs((high.x + high.w / 2) - (low.x + low.w / 2)) <= 0.25 * low.w + 1
        and 0.15 * low.w <= high.w <= 1.05 * low.w + 1
        and high.y < low.y
    )


def _around(group: list["_Band"], shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """Box of the cone that a stack of bands belongs to: its foot, which is often black, is a little wider and lower."""
    low = group[-1]
    x1, y1, x2, y2 = min(b.x for b in group), group[0].y, max(b.x + b.w for b in group), low.y + low.h
    w, h = x2 - x1, y2 - y1
    if h < 5 or not 0.7 <= h / w <= 4.5 or sum(b.area for b in group) < 0.2 * w * h:
        return None
    dx, dy = round(0.12 * w), round(0.05 * h)
    left, right, bottom = max(0, x1 - dx), min(shape[1], x2 + dx), min(shape[0], y2 + dy)
    return (left, y1, right - left, bottom - y1)


def _features(picture: SmallPicture, x: int, y: int, w: int, h: int, parts_found: int) -> Floats:
    """Means of luma and both chroma planes over 4 x 6 cells, orientation histograms of luma and of redness."""
    dx, dy = 0.3 * w, 0.2 * h
    box = (x - dx, y - dy, x + w + dx, y + h + dy)
    luma = _patch(picture.y, tuple(2 * c for c in box))  # type: ignore[arg-type]
    red, blue = _patch(picture.v, box) - 128, _patch(picture.u, box) - 128
    spread = max(12.0, float(luma.std()))
    parts = [_cells(((luma - luma.mean()) / spread / 2).astype(np.float32)), _cells(red / 40), _cells(blue / 40)]
    parts += [_orientations(luma), _orientations(red)]
    parts.append(np.array([h / max(w, 1) / 2, min(1.0, h / 40), parts_found == 1, parts_found == 2], np.float32))
    return np.concatenate(parts).astype(np.float32)


def _patch(plane: Plane, box: tuple[float, float, float, float]) -> Floats:
    x1, y1, x2, y2 = box
    matrix = np.array([[(x2 - x1) / _PATCH_W, 0, x1], [0, (y2 - y1) / _PATCH_H, y1]], np.float32)
    matrix[:, 2] += np.array([matrix[0, 0], matrix[1, 1]]) / 2 - 0.5
    # Shrinking by sampling would alias stripes: the source is averaged first where it is much larger than the patch.
    step = int((y2 - y1) / _PATCH_H)
    if step >= 2:
        left, top = max(0, int(x1) - 2), max(0, int(y1) - 2)
        part = cv2.blur(plane[top : int(y2) + 3, left : int(x2) + 3], (step, step))
        matrix[:, 2] -= (left, top)
        plane = part
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(plane, matrix, (_PATCH_W, _PATCH_H), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    result: Floats = warped.astype(np.float32)
    return result


def _cells(values: NDArray[np.floating]) -> Floats:
    result: Floats = values.reshape(6, 4, 4, 4).mean(axis=(1, 3)).ravel()
    return result


def _orientations(values: Floats) -> Floats:
    gx, gy = cv2.Sobel(values, cv2.CV_32F, 1, 0), cv2.Sobel(values, cv2.CV_32F, 0, 1)
    size, angle = cv2.cartToPolar(gx, gy)
    bins = np.minimum((angle % np.float32(np.pi)) / np.float32(np.pi) * _BINS, _BINS - 1e-3).astype(int)
    histogram = np.stack([_cells(np.where(bins == b, size, 0).astype(np.float32)) for b in range(_BINS)])
    result: Floats = (histogram / (np.linalg.norm(histogram) + 1e-3)).ravel()
    return result


def _overlap(a: Candidate, b: Candidate) -> float:
    w = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    h = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    return 0.0 if w <= 0 or h <= 0 else w * h / min(a.w * a.h, b.w * b.h)


@lru_cache(maxsize=1)
def _weights() -> Floats:
    text = resources.files("actors.vision").joinpath("cone_weights.txt").read_text(encoding="ascii")
    return np.array([float(line) for line in text.split() if line], np.float32)
