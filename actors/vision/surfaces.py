"""Large lasting changes of a slope or of the road's surface."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.vision.background import Background
from actors.vision.config import VisionConfig
from traffic.events.observations import PixelFinding, PixelFindingKind

Mask = NDArray[np.uint8]
_CHROMA = 6.0
_ELSEWHERE = 0.25  # more change than this outside the region is a change of light or view, no slide


def surface_changes(
    background: Background,
    slopes: Sequence[Mask],
    road: Mask,
    scale: float,
    config: VisionConfig,
    covered: Mask,
) -> list[PixelFinding]:
    """One finding per slope, and one for the road, with its box in pixels of the frame.

    Args:
        slopes: masks of regions of kind slope. road: of the carriageway. covered: of tracked objects and their surroundings.
    """
    static = cv2.bitwise_and(background.static(config.surface_after_s), cv2.bitwise_not(covered))
    changed, found = None, []
    for region, share in [(slope, config.surface_share) for slope in slopes] + [(road, 2 * config.surface_share)]:
        pixels = cv2.countNonZero(region)
        if pixels < 200 or cv2.countNonZero(cv2.bitwise_and(static, region)) < share * pixels:
            continue
        changed = _changed(background, static) if changed is None else changed
        # A slide leaves its slope: what is changed next to the region and joined to it belongs to it.
        here = cv2.bitwise_and(changed, region)
        outside = cv2.countNonZero(cv2.bitwise_and(changed, cv2.bitwise_not(cv2.dilate(region, np.ones((61, 61), np.uint8)))))
        around = region.size - pixels
        if cv2.countNonZero(here) < share * pixels or (around and outside > _ELSEWHERE * around):
            continue
        box, body = _largest(changed, here)
        if body < 0.6 * share * pixels:
            continue
        found.append(
            PixelFinding(
                kind=PixelFindingKind.SURFACE_CHANGE,
                box=tuple(float(c / scale) for c in box),  # type: ignore[arg-type]
                score=round(float(min(0.95, 0.5 + 0.5 * cv2.countNonZero(here) / pixels)), 3),
            )
        )
    return found


def _changed(background: Background, static: Mask) -> Mask:
    """Lasting changes of colour or of texture; shadows and light change neither."""
    colour = (background.colour_change() > _CHROMA).astype(np.uint8)
    colour = cv2.resize(colour, (static.shape[1], static.shape[0]), interpolation=cv2.INTER_NEAREST)
    texture = _texture_lost(background.candidate, background.y * background.gain)
    changed = cv2.bitwise_and(static, ((colour > 0) | texture).astype(np.uint8) * 255)
    return cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))


def _texture_lost(now: NDArray[np.float32], then: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where the fine structure of windows of 15 pixels is not the background's (correlation below 0.3) and there is one."""

    def mean(a: NDArray[np.float32]) -> NDArray[np.float32]:
        return cv2.boxFilter(a, cv2.CV_32F, (15, 15))

    a, b = now - cv2.GaussianBlur(now, (0, 0), 3.0), then - cv2.GaussianBlur(then, (0, 0), 3.0)
    spread_a, spread_b = mean(a * a), mean(b * b)
    correlation = mean(a * b) / np.sqrt(np.maximum(spread_a * spread_b, 1e-3))
    lost: NDArray[np.bool_] = (correlation < 0.3) & (np.maximum(spread_a, spread_b) > 20.0)
    return lost


def _largest(changed: Mask, here: Mask) -> tuple[tuple[int, int, int, int], int]:
    """Box of the largest connected change that touches ``here``, and its pixels inside ``here``."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(changed, connectivity=8)
    sizes = np.bincount(labels[here > 0], minlength=count)
    sizes[0] = 0
    best = int(sizes.argmax())
    x, y, w, h, _ = (int(value) for value in stats[best])
    return (x, y, x + w, y + h), int(sizes[best])
