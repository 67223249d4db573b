"""Traffic events: detectors of incidents with one shared life cycle. Pure code; see docs/events.md."""

from traffic.events.analyzer import EventAnalyzer
from traffic.events.config import EventConfig
from traffic.events.kinds import KIND_SLUGS, KIND_TEXTS
from traffic.events.observations import FrameEvidence, PixelFinding, PixelFindingKind, ViewState

__all__ = [
    "KIND_SLUGS",
    "KIND_TEXTS",
    "EventAnalyzer",
    "EventConfig",
    "FrameEvidence",
    "PixelFinding",
    "PixelFindingKind",
    "ViewState",
]
