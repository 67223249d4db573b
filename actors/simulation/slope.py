"""The slope beside the road and the mud that comes down from it; drawn only when a mudslide is staged."""

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.simulation.camera_model import CameraModel
from actors.simulation.looks import Look, ramp
from actors.simulation.road import Road

FOOT_M = 1.6  # from the kerb to the foot of the slope
SPAN_Y = (16.0, 36.0)
DEPTH_M, RISE_M = 9.0, 5.5
_MIDDLE_Y, _HALF_Y = 26.0, 6.5
_FLOW_S = 4.0  # from the first movement to rest
Picture = NDArray[np.uint8]


def slope_corners(road: Road, camera: CameraModel) -> NDArray[np.float64]:
    """Corners of the slope in pixels, (4, 2): foot near, foot far, top far, top near."""
    x0 = road.right_x + FOOT_M
    corners = [(x0, SPAN_Y[0], 0.0), (x0, SPAN_Y[1], 0.0)]
    corners += [(x0 + DEPTH_M, SPAN_Y[1], RISE_M), (x0 + DEPTH_M, SPAN_Y[0], RISE_M)]
    pixels: NDArray[np.float64] = camera.project(np.array(corners))[:, :2]
    return pixels


def mud_reach_x(road: Road) -> float:
    """World X of the edge of the mud at rest: the middle of the lane beside the two-wheelers'."""
    lanes = [lane for lane in road.lanes if lane.heading > 0 and not lane.two_wheelers]
    return lanes[-1].x_m


class Slope:
    """Draws the slope into the background once, and the mud into every frame after it came down."""

    def __init__(self, road: Road, camera: CameraModel, look: Look, seed: int) -> None:
        rng = np.random.default_rng([seed, 67])
        self._look = np.array(look.road, np.float32)
        self._corners = slope_corners(road, camera)
        h, w = camera.height, camera.width
        lumps = np.zeros((h, w), np.float32)
        for size, weight in ((6, 0.25), (18, 0.4), (60, 0.6)):
            coarse = rng.standard_normal((max(2, h // size), max(2, w // size))).astype(np.float32)
            lumps += weight * cv2.resize(coarse, (w, h), interpolation=cv2.INTER_CUBIC)
        self._lumps = lumps
        rays = camera.rays()
        t = camera.height_m / np.maximum(-rays[..., 2], 2e-3)
        x, y = camera.x_m + rays[..., 0] * t, rays[..., 1] * t
        foot, reach = road.right_x + FOOT_M, mud_reach_x(road)
        wide = np.abs(y - _MIDDLE_Y) / _HALF_Y
        # 0 at the foot of the slope, 1 at the edge of the mud at rest.
        self._way = ((foot - x) / (foot - reach) + 0.9 * wide**2 + 0.10 * lumps).astype(np.float32)
        self._on_slope = np.zeros((h, w), np.uint8)
        cv2.fillPoly(self._on_slope, [np.round(self._corners).astype(np.int32)], 255)
        top = camera.project(
            np.array(
                [
                    [foot, _MIDDLE_Y - 5, 0],
                    [foot, _MIDDLE_Y + 5, 0],
                    [foot + 5, _MIDDLE_Y + 2, 3.0],
                    [foot + 5, _MIDDLE_Y - 2, 3.0],
                ]
            )
        )
        self._scar = np.zeros((h, w), np.uint8)
        cv2.fillPoly(self._scar, [np.round(top[:, :2]).astype(np.int32)], 255)
        self._scar = cv2.GaussianBlur(self._scar, (0, 0), 4.0)

    def draw(self, background: Picture) -> Picture:
        """The background with the slope."""
        share = cv2.GaussianBlur(self._on_slope, (0, 0), 1.0)[..., None].astype(np.float32) / 255
        shade = (1.0 + 0.16 * self._lumps)[..., None]
        grass = np.array([66.0, 78.0, 44.0], np.float32) * shade * self._look
        return np.clip(background + share * (grass - background), 0, 255).astype(np.uint8)

    def mud(self, image: Picture, age_s: float) -> tuple[float, float, float, float]:
        """Draw the mud in place, ``age_s`` seconds after it began to move; its box in pixels."""
        front = min(1.0, 0.15 + 0.85 * float(ramp(0.0, _FLOW_S, age_s)))
        share = np.clip((front - self._way) / 0.05, 0, 1)
        share *= 1 - self._on_slope.astype(np.float32) / 255
        share = np.maximum(share, self._scar.astype(np.float32) / 255)
        body = 1.0 + 0.22 * self._lumps + 0.35 * (cv2.GaussianBlur(share, (0, 0), 8.0) - 0.7)
        colour = np.array([118.0, 88.0, 56.0], np.float32) * body[..., None] * self._look
        ys, xs = np.nonzero(share > 0.5)
        if not len(ys):
            return (0.0, 0.0, 0.0, 0.0)
        box = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
        part = image[box[1] : box[3], box[0] : box[2]]
        inside = (slice(box[1], box[3]), slice(box[0], box[2]))
        part[:] = np.clip(part + share[inside][..., None] * (colour[inside] - part), 0, 255).astype(np.uint8)
        return (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
