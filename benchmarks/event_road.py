"""The road of the scripted scenes of ``benchmarks.events``: a camera over it, its lanes and regions, the scene document.

Road coordinates: X to the right, Y ahead along the road, metres. Directions: 1 away from the camera, -1 towards it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.pinhole import PinholeCamera
from traffic.facts import Turn
from traffic.geometry import Homography
from traffic.scene import Boundary, Calibration, EventRule, Lane, LaneUse, Region, Scene, Segment
from traffic.types import ObjectClass

Array = NDArray[np.float64]
Rng = np.random.Generator

WIDTH_M = 3.6


class StageCamera(PinholeCamera):
    """A pinhole camera; its parameters are drawn from ``rng``."""

    def __init__(self, rng: Rng) -> None:
        size = ((1280, 720), (1920, 1080), (960, 540))[int(rng.integers(3))]
        self.height_m = rng.uniform(6.5, 14.0)
        self.pitch = math.radians(rng.uniform(13.0, 24.0))
        yaw = math.radians(rng.uniform(-6.0, 6.0))
        focal = rng.uniform(1.25, 1.8) * size[1]
        offset = rng.uniform(-3, 3)
        super().__init__(size, focal_px=focal, pitch_rad=self.pitch, yaw_rad=yaw, offset_m=offset, height_m=self.height_m)
        half = math.atan(size[1] / 2 / focal)
        self.near_m = self.height_m / math.tan(self.pitch + half) + 2.0
        far = self.height_m / math.tan(max(self.pitch - half, 0.06))
        self.far_m = min(far, self.near_m + 75.0)

    def grain(self, y_m: float) -> float:
        """Metres along the road that one pixel covers at ``y_m``."""
        low, high = self.pixels(np.array([[0.0, y_m, 0.0], [0.0, y_m + 0.5, 0.0]]))
        return 0.5 / max(abs(float(high[1] - low[1])), 1e-9)

    def box(self, x: float, y: float, heading: float, size: tuple[float, float, float]) -> Array | None:
        """Box (4,) of a block, cut at the picture's border; None when little of it is seen."""
        length, wide, tall = size
        along = np.array([math.sin(heading), math.cos(heading), 0.0])
        aside = np.array([math.cos(heading), -math.sin(heading), 0.0])
        corners = [
            np.array([x, y, 0.0]) + a * length * along + b * wide * aside + np.array([0, 0, c * tall])
            for a in (-0.5, 0.5) for b in (-0.5, 0.5) for c in (0.0, 1.0)
        ]  # fmt: skip
        points = self.pixels(np.array(corners))
        if not np.isfinite(points).all():
            return None
        low, high = points.min(axis=0), points.max(axis=0)
        extent = np.array(self.frame_size, np.float64)
        cut: Array = np.concatenate([np.clip(low, 0, extent), np.clip(high, 0, extent)])
        share = (cut[2] - cut[0]) * (cut[3] - cut[1]) / max(float(np.prod(high - low)), 1e-9)
        return cut if share > 0.3 and cut[3] - cut[1] > 9 and cut[2] - cut[0] > 6 else None

    def calibration(self, rng: Rng) -> Calibration:
        """From four clicked points, half a pixel exact."""
        road = [(x, y) for y in (self.near_m + 2, self.near_m + 40) for x in (-6.0, 6.0)]
        clicks = rng.normal(0, 0.5, (4, 2)) / np.array(self.frame_size)
        image = [tuple(np.array(self.relative(x, y)) + click) for (x, y), click in zip(road, clicks, strict=True)]
        return Calibration(image_to_road=Homography.fit(image, road).matrix)


@dataclass(kw_only=True)
class LaneSpec:
    """One lane: its middle, direction and what the scene says of it."""

    x: float
    way: int
    begin: float | None = None
    end: float | None = None
    stop_y: float | None = None
    limit: float | None = None
    least: float | None = None
    left: Boundary = Boundary.DASHED
    right: Boundary = Boundary.DASHED
    use: LaneUse = LaneUse.DRIVING


@dataclass(kw_only=True)
class RegionSpec:
    """A region of the road plane."""

    kind: str
    points: Sequence[tuple[float, float]]
    classes: frozenset[ObjectClass] | None = None


def make_scene(
    camera: StageCamera,
    rng: Rng,
    lanes: Sequence[LaneSpec],
    regions: Sequence[RegionSpec] = (),
    *,
    highway: bool | None = None,
    calibrated: bool = True,
    events: tuple[EventRule, ...] = (),
) -> Scene:
    """The scene document of a stage, as somebody would draw it."""
    drawn = []
    for number, spec in enumerate(lanes, start=1):
        low = camera.near_m - 1 if spec.begin is None else spec.begin
        high = camera.far_m if spec.end is None else spec.end
        left, right = spec.x - WIDTH_M / 2, spec.x + WIDTH_M / 2
        middle = low + 0.4 * (high - low)
        path = [camera.relative(spec.x, y) for y in np.linspace(low, high, 4)]
        drawn.append(
            Lane(
                road_num=number,
                road_name="",
                polygon=(
                    camera.relative(left, low), camera.relative(right, low),
                    camera.relative(right, high), camera.relative(left, high),
                ),
                direction=tuple(path if spec.way > 0 else path[::-1]),
                turn=Turn.STRAIGHT,
                snapshot_line=(camera.relative(left, middle), camera.relative(right, middle)),
                stop_line=_across(camera, left, right, spec.stop_y),
                speed_limit_kmh=spec.limit,
                min_speed_kmh=spec.least,
                left_boundary=spec.left,
                right_boundary=spec.right,
                use=spec.use,
            )
        )  # fmt: skip
    areas = tuple(
        Region(
            region_code=number, name="", kind=spec.kind, polygon=tuple(camera.relative(x, y) for x, y in spec.points),
            classes=spec.classes,
        )
        for number, spec in enumerate(regions, start=1)
    )  # fmt: skip
    calibration = camera.calibration(rng) if calibrated else None
    return Scene(lanes=tuple(drawn), regions=areas, calibration=calibration, highway=highway, events=events)


def _across(camera: StageCamera, left: float, right: float, y: float | None) -> Segment | None:
    return None if y is None else (camera.relative(left, y), camera.relative(right, y))
