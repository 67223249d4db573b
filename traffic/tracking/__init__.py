"""Tracking: detections of one camera in, tracks with stable ids out."""

from traffic.tracking.config import PEDESTRIANS, PRESETS, TRAFFIC, TrackerConfig
from traffic.tracking.tracker import Tracker

__all__ = ["PEDESTRIANS", "PRESETS", "TRAFFIC", "Tracker", "TrackerConfig"]
