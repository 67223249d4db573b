"""The ground as one camera sees it: from boxes in the picture to contact points on the road."""

import numpy as np
from numpy.typing import NDArray

from traffic.passages.camera import Camera, recover_camera
from traffic.scene.model import Calibration

Array = NDArray[np.float64]

_ITERATIONS = 4


class GroundView:
    """Maps relative image points to the ground and back.

    With a calibration the ground is the road plane in metres. Without one it is the picture itself, in picture heights
    (x times the aspect ratio), so that the same code counts on both; only speeds and distances then have no meaning.

    Attributes:
        metric: whether ground units are metres.
        camera: None without a calibration, or when the calibration determines none.
        frame_size: (width, height) in pixels. aspect: width divided by height.
    """

    def __init__(self, calibration: Calibration | None, frame_size: tuple[int, int], seen: Array | None = None) -> None:
        """``seen``: float64 (2,), a relative image point that shows the road (default: low in the middle)."""
        self.frame_size = frame_size
        self.aspect = aspect = frame_size[0] / frame_size[1]
        self.metric = calibration is not None
        seen = np.array([0.5, 0.95]) if seen is None else seen
        matrix = np.diag([aspect, 1.0, 1.0]) if calibration is None else calibration.image_to_road.astype(np.float64)
        if (matrix @ np.array([seen[0], seen[1], 1.0]))[2] < 0:
            matrix = -matrix
        self._matrix = matrix
        self._inverse = np.linalg.inv(matrix)
        self.camera: Camera | None = None if calibration is None else recover_camera(matrix, aspect, seen)

    def relative(self, boxes_px: Array) -> Array:
        """Boxes (n, 4) in pixels to relative image coordinates."""
        width, height = self.frame_size
        result: Array = boxes_px / np.array([width, height, width, height])
        return result

    def to_ground(self, points: Array) -> Array:
        """Relative image points (..., 2) to the ground (..., 2); nan at and above the horizon."""
        mapped = points @ self._matrix[:, :2].T + self._matrix[:, 2]
        depth = mapped[..., 2:]
        with np.errstate(divide="ignore", invalid="ignore"):
            ground: Array = np.where(depth > 1e-9, mapped[..., :2] / depth, np.nan)
        return ground

    def to_image(self, ground: Array) -> Array:
        """Ground points (..., 2) to relative image points (..., 2)."""
        mapped = ground @ self._inverse[:, :2].T + self._inverse[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            image: Array = mapped[..., :2] / mapped[..., 2:]
        return image

    def per_pixel(self, points: Array) -> Array:
        """How far the ground point moves for one pixel to the right and one pixel down, (n, 2, 2): [:, :, 0] and [:, :, 1]."""
        width, height = self.frame_size
        mapped = points @ self._matrix[:, :2].T + self._matrix[:, 2]
        depth = mapped[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            ground = mapped[:, :2] / depth[:, None]
            slope = (self._matrix[None, :2, :2] - ground[:, :, None] * self._matrix[None, 2:, :2]) / depth[:, None, None]
        result: Array = slope / np.array([width, height])
        return result

    def contacts(self, boxes: Array) -> Array:
        """Bottom centres of relative boxes (n, 4) on the ground (n, 2)."""
        return self.to_ground(np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]]))

    def centres(self, boxes: Array, headings: Array, sizes: Array) -> Array:
        """Centres of the footprints of vehicles whose outlines have these boxes' bottom centres.

        The bottom centre of a box is not a point of the vehicle: it depends on how the vehicle is turned. The vehicle is
        taken as a block of known size; its place is moved until the bottom centre of its projected outline meets the box's.

        Args:
            boxes: float64 (n, 4), relative.
            headings: float64 (n, 2), unit vectors on the ground; nan where unknown.
            sizes: float64 (n, 3), length, width, height in metres.

        Returns:
            float64 (n, 2). Where there is no camera, no heading or no convergence: the bottom centre on the ground.
        """
        bottom = self.contacts(boxes)
        if self.camera is None or not len(boxes):
            return bottom
        centre = bottom.copy()
        error = np.full(len(boxes), np.inf)
        reach = sizes[:, 0] + sizes[:, 1]
        for _ in range(_ITERATIONS):
            outline = self.outlines(centre, headings, sizes)
            seen = np.column_stack([(outline[:, 0] + outline[:, 2]) / 2, outline[:, 3]])
            step = bottom - self.to_ground(seen)
            error = np.hypot(step[:, 0], step[:, 1])
            centre = centre + step
        moved = np.hypot(*(centre - bottom).T)
        good = (error < 0.5) & (moved < reach)
        result: Array = np.where(good[:, None], centre, bottom)
        return result

    def outlines(self, centres: Array, headings: Array, sizes: Array) -> Array:
        """Boxes (n, 4), relative, around the projected blocks. Needs a camera."""
        assert self.camera is not None
        ahead = headings * sizes[:, :1] / 2
        aside = np.column_stack([-headings[:, 1], headings[:, 0]]) * sizes[:, 1:2] / 2
        ground = centres[:, None, :] + np.stack([ahead + aside, ahead - aside, -ahead + aside, -ahead - aside], axis=1)
        low = np.concatenate([ground, np.zeros((*ground.shape[:2], 1))], axis=2)
        high = low.copy()
        high[:, :, 2] = sizes[:, 2:3]
        image = self.camera.project(np.concatenate([low, high], axis=1))
        result: Array = np.concatenate([image.min(axis=1), image.max(axis=1)], axis=1)
        return result
