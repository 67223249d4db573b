"""Where an object's outline lies in the picture: its exact box, cheap enough for every object of every frame."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from actors.simulation.camera_model import CameraModel
from actors.simulation.meshes import mesh_of
from actors.simulation.shading import NEAR_M, to_world

Floats = NDArray[np.float64]
MARGIN = 0.12  # of the frame's width: how far outside the frame sprites are still rendered


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Projected extreme points of an object.

    Attributes:
        points: float64 (k, 2), pixels (of points behind the camera: as if they were just before it). depth: float64 (k,), metres.
        low, high: float64 (2,), corners of the box of the points in front of the camera, not clipped to the frame.
        whole: all points lie in front of the camera and in the frame or near its edge, so that the box is exact.
    """

    points: Floats
    depth: Floats
    low: Floats
    high: Floats
    whole: bool


@lru_cache(maxsize=256)
def _turned(kind: str, forward: tuple[float, float], pitch_deg: float) -> Floats:
    """Extreme points of a kind in camera axes (k, 3), its origin at the camera's centre."""
    axes = CameraModel(width=1, height=1, focal_px=1.0, height_m=0.0, pitch_deg=pitch_deg, x_m=0.0).rotation
    return np.ascontiguousarray(to_world(mesh_of(kind).hull, 0.0, 0.0, forward) @ axes.T)


def outline_of(camera: CameraModel, kind: str, place: tuple[float, float], forward: tuple[float, float]) -> Outline | None:
    """The outline of an object with its origin at ``place`` (world X and Y); None when hardly any of it is before the camera."""
    origin = camera.rotation @ (np.array([place[0], place[1], 0.0]) - camera.centre)
    points = _turned(kind, forward, camera.pitch_deg) + origin
    depth = points[:, 2]
    whole = bool(depth.min() > NEAR_M)
    if not whole:
        seen = depth > NEAR_M
        if seen.sum() < 3:
            return None
    pixels = points[:, :2] * (camera.focal_px / (depth if whole else np.maximum(depth, NEAR_M)))[:, None]
    pixels += (camera.width / 2, camera.height / 2)
    box = pixels if whole else pixels[seen]
    low, high = box.min(0), box.max(0)
    edge = 0.1 * camera.width
    whole = whole and bool(low[0] > -edge and low[1] > -edge and high[0] < camera.width + edge and high[1] < camera.height + edge)
    return Outline(pixels, depth, low, high, whole)
