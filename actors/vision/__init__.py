"""What the pixels say besides the detector: static objects, slides, cones, heads, and whether the view can be trusted."""

from actors.vision.config import VisionConfig
from actors.vision.watcher import PixelWatcher

__all__ = ["PixelWatcher", "VisionConfig"]
