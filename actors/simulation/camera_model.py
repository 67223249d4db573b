"""Pinhole camera above a flat road. World axes in metres: X to the right, Y along the road away from the camera, Z up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraModel:
    """Camera at (x_m, 0, height_m), looking along Y, tilted down by ``pitch_deg``; ``focal_px`` in pixels."""

    width: int
    height: int
    focal_px: float
    height_m: float
    pitch_deg: float
    x_m: float

    @property
    def centre(self) -> Floats:
        """World position, shape (3,)."""
        return np.array([self.x_m, 0.0, self.height_m])

    @property
    def rotation(self) -> Floats:
        """Rows are the camera's right, down and forward axes in the world, shape (3, 3)."""
        p = np.radians(self.pitch_deg)
        return np.array([[1.0, 0.0, 0.0], [0.0, -np.sin(p), -np.cos(p)], [0.0, np.cos(p), -np.sin(p)]])

    def project(self, points: Floats) -> Floats:
        """World points (..., 3) to (..., 3): x and y in pixels and depth in metres. Depth must be positive to be meaningful."""
        q = (np.asarray(points, np.float64) - self.centre) @ self.rotation.T
        depth = np.where(np.abs(q[..., 2]) < 1e-6, 1e-6, q[..., 2])
        return np.stack(
            [self.focal_px * q[..., 0] / depth + self.width / 2, self.focal_px * q[..., 1] / depth + self.height / 2, q[..., 2]],
            -1,
        )

    def depth(self, y_m: float, z_m: float = 0.0) -> float:
        """Depth in metres of world points at distance ``y_m`` and height ``z_m``."""
        p = np.radians(self.pitch_deg)
        return float(y_m * np.cos(p) + (self.height_m - z_m) * np.sin(p))

    def rays(self) -> Floats:
        """World direction of every pixel's centre, shape (height, width, 3), not normalised."""
        v, u = np.meshgrid(np.arange(self.height) + 0.5, np.arange(self.width) + 0.5, indexing="ij")
        d = np.stack([(u - self.width / 2) / self.focal_px, (v - self.height / 2) / self.focal_px, np.ones_like(u)], -1)
        return d @ self.rotation

    def nearest_visible_y(self) -> float:
        """Distance of the road at the bottom edge of the picture."""
        angle = np.radians(self.pitch_deg) + np.arctan(self.height / 2 / self.focal_px)
        return 0.0 if angle >= np.pi / 2 else float(self.height_m / np.tan(angle))
