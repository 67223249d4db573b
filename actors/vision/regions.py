"""Which pixels of the small picture belong to the road, a slope or a helmet region."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from traffic.scene import ImagePoint, Scene

Mask = NDArray[np.uint8]  # 0 or 255
_ROAD_KINDS = frozenset({"no_parking", "restricted", "junction_box", "roadway", "parking"})


def polygon_mask(polygons: Iterable[tuple[ImagePoint, ...]], shape: tuple[int, int]) -> Mask:
    """Pixels inside any of the polygons (relative points); ``shape`` is (h, w)."""
    mask = np.zeros(shape, np.uint8)
    for polygon in polygons:
        points = np.array(polygon, np.float64) * (shape[1], shape[0])
        cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 255)
    return mask


def road_mask(scene: Scene | None, shape: tuple[int, int]) -> Mask:
    """The road: lanes and regions of the carriageway; else the outline; else the whole picture."""
    if scene is None:
        return np.full(shape, 255, np.uint8)
    areas = [lane.polygon for lane in scene.lanes] + [r.polygon for r in scene.regions if r.kind in _ROAD_KINDS]
    if areas:
        # Lines between neighbouring lanes belong to neither polygon but to the road.
        return cv2.morphologyEx(polygon_mask(areas, shape), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    return polygon_mask([scene.outline], shape) if scene.outline is not None else np.full(shape, 255, np.uint8)


def slope_masks(scene: Scene | None, shape: tuple[int, int]) -> list[Mask]:
    """One mask per region of kind ``slope``."""
    return [] if scene is None else [polygon_mask([r.polygon], shape) for r in scene.regions if r.kind == "slope"]
