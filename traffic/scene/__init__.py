"""Scenes: lanes, lines, regions, calibration and event rules of one camera."""

from traffic.scene.model import (
    Boundary,
    Calibration,
    CountLine,
    ImagePoint,
    Lane,
    LaneUse,
    Region,
    RegionKind,
    RoadPoint,
    Scene,
    Segment,
)
from traffic.scene.rules import DEFAULT_RULES, EventRule, Schedule

__all__ = [
    "DEFAULT_RULES",
    "Boundary",
    "Calibration",
    "CountLine",
    "EventRule",
    "ImagePoint",
    "Lane",
    "LaneUse",
    "Region",
    "RegionKind",
    "RoadPoint",
    "Scene",
    "Schedule",
    "Segment",
]
