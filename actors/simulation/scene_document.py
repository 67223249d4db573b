"""The scene document (see ``traffic.scene``) that fits the simulated view exactly."""

from typing import Any

import numpy as np

from actors.simulation.address import SimulationSettings
from actors.simulation.camera_model import CameraModel
from actors.simulation.road import CROSSING_Y, FAR_KERB_Y, STOP_Y, Road, RoadLane
from actors.simulation.slope import slope_corners

_MARGIN_M = 0.1
_CALIBRATION_Y = (18.0, 30.0, 60.0)


def build_scene_document(settings: SimulationSettings, road: Road, camera: CameraModel) -> dict[str, Any]:
    """Lanes, the crossing's waiting and walking area, and six calibration pairs, in relative image coordinates.

    Lanes of which less than the measuring section is in view are left out.
    """
    lanes = [_lane(settings, lane, camera) for lane in road.lanes]
    crossing = _clipped(
        [
            (road.left_x, CROSSING_Y[0]),
            (road.right_x, CROSSING_Y[0]),
            (road.right_x, CROSSING_Y[1]),
            (road.left_x, CROSSING_Y[1]),
        ],
        camera,
    )
    area = (road.right_x - road.left_x) * (CROSSING_Y[1] - CROSSING_Y[0])
    regions = (
        []
        if len(crossing) < 3
        else [{"regionCode": 1, "name": "人行横道", "kind": "people", "polygon": crossing, "areaM2": round(area, 1)}]
    )
    regions += _staged_regions(settings, road, camera)
    middle_x, y = (road.left_x + road.right_x) / 2, CROSSING_Y
    points = [
        {"image": _relative(x, y_m, camera), "road": [round(x, 3), y_m]}
        for y_m in _CALIBRATION_Y
        for x in (camera.x_m - 0.3 * y_m, camera.x_m + 0.3 * y_m)
    ]
    return {
        "version": 1,
        "lanes": [lane for lane in lanes if lane is not None],
        "regions": regions,
        "countLines": [
            {"code": 1, "name": "人行横道中线", "segment": [_relative(middle_x, y[1], camera), _relative(middle_x, y[0], camera)]}
        ],
        "calibration": {"points": points},
    }


def _staged_regions(settings: SimulationSettings, road: Road, camera: CameraModel) -> list[dict[str, Any]]:
    """The regions without which the staged incidents would mean nothing; none without incidents."""
    kinds = {incident.kind: incident for incident in settings.incidents}
    motor = [lane for lane in road.lanes if lane.heading > 0 and not lane.two_wheelers]
    kerb = next(lane for lane in road.lanes if lane.two_wheelers)
    wanted: list[tuple[str, str, str, float, float, float, float]] = []
    if "illegal_parking" in kinds:
        wanted.append(("illegal_parking", "禁停区", "no_parking", kerb.x_m - 1.3, road.right_x, 9.0, STOP_Y - 1))
    if "restricted_area" in kinds:
        lane = next(lane for lane in motor if lane.road_num == kinds["restricted_area"].lane)
        wanted.append(("restricted_area", "禁行车道", "restricted", lane.x_m - 1.7, lane.x_m + 1.7, 11.0, STOP_Y - 1))
    if "crowd" in kinds:
        wanted.append(("crowd", "人行道", "crowd", road.right_x + 0.2, road.right_x + 3.8, 21.0, CROSSING_Y[0] - 0.5))
    if "no_helmet" in kinds:
        lane = next(lane for lane in motor if lane.road_num == kinds["no_helmet"].lane)
        wanted.append(("no_helmet", "施工区", "helmet", lane.x_m - 1.75, lane.x_m + 1.75, 9.0, 20.0))
    if "leaving_road" in kinds:
        wanted.append(("leaving_road", "路外", "off_road", road.right_x + 0.2, road.right_x + 12.0, 12.0, STOP_Y + 1))
    if "junction_overflow" in kinds:
        x0, x1 = motor[0].x_m - 1.75, motor[-1].x_m + 1.75
        wanted.append(("junction_overflow", "路口", "junction_box", x0, x1, CROSSING_Y[1] + 0.5, FAR_KERB_Y))
    regions = []
    for code, (_, name, kind, x0, x1, y0, y1) in enumerate(wanted, 2):
        polygon = _clipped([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], camera)
        if len(polygon) >= 3:
            regions.append({"regionCode": code, "name": name, "kind": kind, "polygon": polygon})
    if "mudslide" in kinds:
        size = (camera.width, camera.height)
        corners = [[float(x / size[0]), float(y / size[1])] for x, y in slope_corners(road, camera)]
        polygon = _clip(corners)
        if len(polygon) >= 3:
            regions.append({"regionCode": 2 + len(wanted), "name": "边坡", "kind": "slope", "polygon": polygon})
    return regions


def _lane(settings: SimulationSettings, lane: RoadLane, camera: CameraModel) -> dict[str, Any] | None:
    near = max(camera.nearest_visible_y() + 0.3, 8.0)
    far = STOP_Y if lane.heading > 0 else CROSSING_Y[1]
    half = lane.width_m / 2
    first, last = (near, far) if lane.heading > 0 else (far, near)
    polygon = _clipped([(lane.x_m - half, near), (lane.x_m + half, near), (lane.x_m + half, far), (lane.x_m - half, far)], camera)
    snapshot, entry = _across(lane, lane.snapshot_y, camera), _across(lane, max(lane.entry_y, near + 1.0), camera)
    if len(polygon) < 3 or not _inside(snapshot):
        return None
    start_y = next((y for y in np.linspace(first, last, 40) if _inside([_relative(lane.x_m, float(y), camera)])), first)
    document: dict[str, Any] = {
        "roadNum": lane.road_num,
        "roadName": lane.name,
        "turn": "straight",
        "polygon": polygon,
        "direction": [_relative(lane.x_m, float(start_y), camera), _relative(lane.x_m, float(last), camera)]
        if lane.heading > 0
        else [_relative(lane.x_m, float(first), camera), _relative(lane.x_m, _last_visible(lane, camera, first, last), camera)],
        "snapshotLine": snapshot,
        "speedLimitKmh": round(settings.speed_kmh * 1.2),
    }
    if lane.heading > 0:  # the lines before the stop line are solid
        document["leftBoundary"] = document["rightBoundary"] = "solid"
    if _inside(entry):
        document["entryLine"] = entry
    if lane.signalled:
        document["stopLine"] = _across(lane, STOP_Y - 0.3, camera)
    return document


def _last_visible(lane: RoadLane, camera: CameraModel, first: float, last: float) -> float:
    seen = [float(y) for y in np.linspace(first, last, 40) if _inside([_relative(lane.x_m, float(y), camera)])]
    return seen[-1] if seen else last


def _across(lane: RoadLane, y_m: float, camera: CameraModel) -> list[list[float]]:
    half = lane.width_m / 2 - _MARGIN_M
    return [_relative(lane.x_m - half, y_m, camera), _relative(lane.x_m + half, y_m, camera)]


def _inside(points: list[list[float]]) -> bool:
    return all(0.0 <= x <= 1.0 and 0.0 <= y <= 1.0 for x, y in points)


def _relative(x_m: float, y_m: float, camera: CameraModel) -> list[float]:
    u, v, _ = camera.project(np.array([x_m, y_m, 0.0]))
    return [float(u / camera.width), float(v / camera.height)]


def _clipped(corners: list[tuple[float, float]], camera: CameraModel) -> list[list[float]]:
    """Project a polygon on the road and clip it to the picture (Sutherland and Hodgman, 1974)."""
    return _clip([_relative(x, y, camera) for x, y in corners])


def _clip(points: list[list[float]]) -> list[list[float]]:
    for axis, limit, sign in ((0, 0.0, 1), (0, 1.0, -1), (1, 0.0, 1), (1, 1.0, -1)):
        kept: list[list[float]] = []
        for here, after in zip(points, points[1:] + points[:1], strict=True):
            a, b = (here[axis] - limit) * sign, (after[axis] - limit) * sign
            if a >= 0:
                kept.append(here)
            if (a >= 0) != (b >= 0):
                t = a / (a - b)
                kept.append([here[0] + t * (after[0] - here[0]), here[1] + t * (after[1] - here[1])])
        points = kept
    return [[min(1.0, max(0.0, x)), min(1.0, max(0.0, y))] for x, y in points]
