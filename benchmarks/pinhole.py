"""The camera over a straight road that the scripted scenes of several benchmarks are seen by."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class PinholeCamera:
    """A pinhole camera that looks down on a road; X to the right, Y ahead along the road, Z up, metres."""

    def __init__(
        self,
        frame_size: tuple[int, int],
        *,
        focal_px: float,
        pitch_rad: float,
        yaw_rad: float,
        offset_m: float,
        height_m: float,
    ) -> None:
        """``pitch_rad``: below the horizon; ``yaw_rad``: to the right of the road; it stands at X ``offset_m``, Y 0."""
        self.frame_size = frame_size
        pitch, yaw = pitch_rad, yaw_rad
        ahead = np.array([math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), -math.sin(pitch)])
        right = np.array([math.cos(yaw), -math.sin(yaw), 0.0])
        rotation = np.stack([right, np.cross(ahead, right), ahead])
        place = np.array([offset_m, 0.0, height_m])
        width, height = frame_size
        inner = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1]])
        self._matrix = inner @ np.column_stack([rotation, -rotation @ place])

    def pixels(self, points: Array) -> Array:
        """Points (n, 3) on and above the road to pixels (n, 2); nan behind the camera."""
        mapped = points @ self._matrix[:, :3].T + self._matrix[:, 3]
        with np.errstate(divide="ignore", invalid="ignore"):
            result: Array = np.where(mapped[:, 2:] > 0.5, mapped[:, :2] / mapped[:, 2:], np.nan)
        return result

    def relative(self, x_m: float, y_m: float) -> tuple[float, float]:
        """A road point in relative image coordinates."""
        x, y = self.pixels(np.array([[x_m, y_m, 0.0]]))[0] / np.array(self.frame_size)
        return float(x), float(y)
