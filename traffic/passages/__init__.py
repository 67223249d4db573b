"""Passages: vehicles that cross the snapshot line of a lane, measured; lanes are learned where there is no scene."""

from traffic.passages.analyzer import PassageAnalyzer
from traffic.passages.config import PassageConfig
from traffic.passages.learning_config import LearningConfig

__all__ = ["LearningConfig", "PassageAnalyzer", "PassageConfig"]
