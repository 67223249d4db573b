"""The camera behind a homography: with it a box can be compared with the outline of a solid vehicle."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_FOCAL_RANGE = (0.4, 20.0)  # focal length in picture heights: fisheye-free wide angle to strong telephoto
_MAX_SKEW = 0.15  # how far the two road axes may be from orthogonal and equally long
_MIN_DETERMINED = 0.02  # a view straight down determines no focal length


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """A pinhole camera above the road.

    Attributes:
        projection: float64 (3, 4), from road metres (X, Y, Z up, 1) to relative image coordinates times w; w > 0 in front.
        foot: float64 (2,), the road point straight below the camera.
        height_m: height above the road.
    """

    projection: Array
    foot: Array
    height_m: float

    def project(self, points: Array) -> Array:
        """Road points (..., 3) in metres to relative image points (..., 2); nan behind the camera."""
        mapped = points @ self.projection[:, :3].T + self.projection[:, 3]
        depth = mapped[..., 2:]
        with np.errstate(divide="ignore", invalid="ignore"):
            image: Array = np.where(depth > 1e-9, mapped[..., :2] / depth, np.nan)
        return image


def recover_camera(image_to_road: Array, aspect: float, seen: Array) -> Camera | None:
    """The camera that sees the road plane through ``image_to_road``.

    Square pixels and a principal point in the middle of the picture are assumed; then the orthogonality of the road's axes
    gives the focal length (Zhang, A flexible new technique for camera calibration, PAMI 2000, section 3.1, one view).

    Args:
        image_to_road: float64 (3, 3), relative image coordinates to road metres.
        aspect: width of the picture divided by its height.
        seen: float64 (2,), a relative image point that shows the road.

    Returns:
        None when the view does not determine a camera (straight down) or no camera fits (calibration too coarse).
    """
    centred = np.array([[aspect, 0.0, -aspect / 2], [0.0, 1.0, -0.5], [0.0, 0.0, 1.0]])
    plane = centred @ np.linalg.inv(image_to_road)
    plane /= np.linalg.norm(plane[:, :2])
    first, second = plane[:, 0], plane[:, 1]
    slopes = np.array([first[:2] @ second[:2], first[:2] @ first[:2] - second[:2] @ second[:2]])
    depths = np.array([first[2] * second[2], first[2] ** 2 - second[2] ** 2])
    weight = float(slopes @ slopes)
    if weight < (_MIN_DETERMINED * float(first[:2] @ first[:2] + second[:2] @ second[:2])) ** 2:
        return None
    inverse_square = -float(slopes @ depths) / weight
    if not 1 / _FOCAL_RANGE[1] ** 2 < inverse_square < 1 / _FOCAL_RANGE[0] ** 2:
        return None
    focal = 1 / math.sqrt(inverse_square)
    inner = np.diag([focal, focal, 1.0])
    return _pose(np.linalg.inv(inner) @ plane, np.linalg.inv(centred) @ inner, image_to_road, seen)


def _pose(pose: Array, inner: Array, image_to_road: Array, seen: Array) -> Camera | None:
    """Camera from ``pose`` = scale · [r1 r2 t]; the sign is the one that puts the seen road in front."""
    lengths = np.linalg.norm(pose[:, :2], axis=0)
    skew = abs(float(pose[:, 0] @ pose[:, 1])) / float(lengths[0] * lengths[1])
    if skew > _MAX_SKEW or abs(lengths[0] / lengths[1] - 1) > _MAX_SKEW:
        return None
    pose = pose / math.sqrt(float(lengths[0] * lengths[1]))
    road = image_to_road @ np.array([seen[0], seen[1], 1.0])
    if (pose @ np.array([road[0] / road[2], road[1] / road[2], 1.0]))[2] < 0:
        pose = -pose
    left, _, right = np.linalg.svd(pose[:, :2], full_matrices=False)
    axes = left @ right
    up = np.cross(axes[:, 0], axes[:, 1])
    position = -np.column_stack([axes, up]).T @ pose[:, 2]
    if position[2] < 0:  # the road's frame is left-handed: up is where the camera is
        up, position[2] = -up, -position[2]
    if position[2] < 0.5:
        return None
    # The plane's own columns are kept (they are the calibration); only the upward column is added.
    projection = inner @ np.column_stack([pose[:, 0], pose[:, 1], up, pose[:, 2]])
    return Camera(projection=projection, foot=position[:2], height_m=float(position[2]))
