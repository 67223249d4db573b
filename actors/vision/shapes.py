"""Is it a thing? Tests of a static blob against the background: edges, texture, colour, size."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.vision.background import Background

Mask = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, slots=True)
class Blob:
    """A connected static area in the small picture: box (x, y, w, h) and pixels."""

    x: int
    y: int
    w: int
    h: int
    area: int
    mask: Mask  # uint8 (h + 2 * margin, w + 2 * margin) of the window, 255 inside
    window: tuple[int, int, int, int]  # x1, y1, x2, y2 of the window around it


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What the pixels of a blob say.

    Attributes:
        edge_now, edge_then: mean gradient along its contour, in the picture and in the background (grey levels per pixel).
        ratio: its brightness over the background's.
        chroma: mean distance of its colour from the background's.
        texture: correlation of its fine structure with the background's, -1..1; None where the background has none.
        contrast: mean distance in brightness, grey levels.
        returned: share of it that looks as the background did before something was taken into it.
        alone: share of its surroundings that show the background.
        inner: spread of brightness over background within it: things have parts, shadows and patches of light have not.
    """

    edge_now: float
    edge_then: float
    ratio: float
    chroma: float
    texture: float | None
    contrast: float
    inner: float
    returned: float
    alone: float

    @property
    def ghost(self) -> bool:
        """The background has the edges, or it is the earlier background: something that stood there is gone."""
        return self.edge_then > 0.8 * self.edge_now or self.returned > 0.5

    @property
    def light(self) -> bool:
        """A shadow or a patch of light: same colour, same texture, brightness scaled by one factor."""
        if self.chroma > 5.0:
            return False
        if self.texture is not None and self.texture > 0.55:
            return True
        # A shadow keeps at least the light of the sky, a patch of light at most doubles it (clear sky: sun to sky about 4 to 1
        # on the road by day, hence 0.2..1; measured shadows on asphalt after the camera's curve: 0.45..0.9).
        flat = self.inner < 0.10
        return flat and (0.45 < self.ratio < 1.0 or 1.0 < self.ratio < 1.6)

    @property
    def part(self) -> bool:
        """It is a part of something larger that is not the road either."""
        return self.alone < 0.6

    @property
    def sharp(self) -> bool:
        """Its contour is an edge; glare and soft shadows fade out."""
        return self.edge_now > max(4.0, 0.16 * self.contrast)


def blobs(mask: Mask, margin: int = 4) -> list[Blob]:
    """Connected areas of a mask, largest first; at most 60."""
    if not cv2.countNonZero(mask):
        return []
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))[:60]
    found = []
    for i in order:
        x, y, w, h, area = (int(v) for v in stats[i])
        x1, y1 = max(0, x - margin), max(0, y - margin)
        x2, y2 = min(mask.shape[1], x + w + margin), min(mask.shape[0], y + h + margin)
        part = (labels[y1:y2, x1:x2] == i).astype(np.uint8) * 255
        found.append(Blob(x=x, y=y, w=w, h=h, area=area, mask=part, window=(x1, y1, x2, y2)))
    return found


def examine(blob: Blob, background: Background) -> Evidence:
    """Look at a blob. Uses the candidate (the remembered picture of it), so that a vehicle before it does not matter."""
    x1, y1, x2, y2 = blob.window
    now = background.candidate[y1:y2, x1:x2].copy()
    before = background.before[y1:y2, x1:x2] * background.gain
    outside = blob.mask == 0
    then = background.y[y1:y2, x1:x2] * background.gain
    # Around the blob the candidate means nothing: there the background is what is seen.
    now[outside] = then[outside]
    kernel = np.ones((3, 3), np.uint8)
    ring = (cv2.dilate(blob.mask, kernel) > 0) & (cv2.erode(blob.mask, kernel, borderValue=0) == 0)
    inside = blob.mask > 0
    ratio = now[inside] / np.maximum(then[inside], 1.0)
    chroma = _half(background.colour_change(), blob.window)
    small = inside[::2, ::2]
    small, chroma = small[: chroma.shape[0], : chroma.shape[1]], chroma[: small.shape[0], : small.shape[1]]
    return Evidence(
        edge_now=float(_gradient(now)[ring].mean()),
        edge_then=float(_gradient(then)[ring].mean()),
        ratio=float(np.median(ratio)),
        chroma=float(chroma[small].mean()) if small.any() else 0.0,
        texture=_correlation(now, then, inside),
        contrast=float(np.abs(now[inside] - then[inside]).mean()),
        inner=float(ratio.std()),
        returned=float((np.abs(now[inside] - before[inside]) < 12.0).mean()),
        alone=_alone(blob, background),
    )


def _alone(blob: Blob, background: Background) -> float:
    """Share of a ring around the blob, half as wide, that shows the background: a part of something larger has little."""
    reach = max(4, min(24, max(blob.w, blob.h) // 2))
    x1, y1 = max(0, blob.x - reach), max(0, blob.y - reach)
    x2, y2 = blob.x + blob.w + reach, blob.y + blob.h + reach
    ring = background.different[y1:y2, x1:x2] == 0
    around = np.ones_like(ring)
    around[blob.y - y1 - 1 : blob.y - y1 + blob.h + 1, blob.x - x1 - 1 : blob.x - x1 + blob.w + 1] = False
    return float(ring[around].mean()) if around.any() else 1.0


def _half(plane: NDArray[np.float32], window: tuple[int, int, int, int]) -> NDArray[np.float32]:
    x1, y1, x2, y2 = window
    return plane[y1 // 2 : (y2 + 1) // 2, x1 // 2 : (x2 + 1) // 2]


def _gradient(image: NDArray[np.float32]) -> NDArray[np.float32]:
    gx, gy = cv2.Sobel(image, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(image, cv2.CV_32F, 0, 1, scale=0.125)
    return cv2.dilate(cv2.magnitude(gx, gy), np.ones((3, 3), np.uint8))


def _correlation(now: NDArray[np.float32], then: NDArray[np.float32], inside: NDArray[np.bool_]) -> float | None:
    a, b = ((p - cv2.GaussianBlur(p, (0, 0), 3.0))[inside] for p in (now, then))
    if len(a) < 20 or b.std() < 3.0:
        return None
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(1e-6, np.sqrt((a * a).sum() * (b * b).sum())))
