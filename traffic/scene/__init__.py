"""Scenes: lanes, lines, regions and calibration of one camera."""

from traffic.scene.model import Calibration, CountLine, ImagePoint, Lane, Region, RoadPoint, Scene, Segment

__all__ = ["Calibration", "CountLine", "ImagePoint", "Lane", "Region", "RoadPoint", "Scene", "Segment"]
