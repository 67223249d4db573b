"""What event detectors are told besides tracks, handed over as values: findings from pixels (``actors/vision``), faint people."""

from dataclasses import dataclass
from enum import StrEnum

from traffic.types import Box


class PixelFindingKind(StrEnum):
    """What was found in the pixels."""

    STATIC_OBJECT = "static_object"  # new, static, of an object's size, no tracked vehicle or person: evidence of debris
    SURFACE_CHANGE = "surface_change"  # a large lasting change of slope or road: evidence of a mudslide
    CONE = "cone"  # a traffic cone: evidence of road works
    BARE_HEAD = "bare_head"  # a person without a safety helmet
    HELMET = "helmet"  # a person with one


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelFinding:
    """One finding in one frame.

    Attributes:
        kind: what.
        box: in pixels of the frame; of a person's head: the head's.
        score: 0..1.
        track_id: the person it belongs to; None for things that are not tracked.
    """

    kind: PixelFindingKind
    box: Box
    score: float
    track_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FaintPerson:
    """Somebody who is followed although the detector is never sure of him; see ``traffic.events.faint``.

    Attributes:
        track_id: of the faint ones' own tracker.
        box: in pixels of the frame.
        since_s: video time of the first sign.
    """

    track_id: int
    box: Box
    since_s: float


class ViewState(StrEnum):
    """Whether the picture can be trusted: events pause in every state but OK."""

    OK = "ok"
    MOVED = "moved"  # the camera looks elsewhere than it did
    DARK = "dark"  # blacked out
    BLURRED = "blurred"  # out of focus, dirty or covered
    SHAKING = "shaking"  # moves to and fro


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameEvidence:
    """Everything the pixels of one frame said.

    Attributes:
        findings: empty in frames whose pixels were not looked at.
        view: state of the view.
        looked: whether the pixels of this frame were looked at; needed to tell a frame without findings from one that nobody
            looked at. A frame with findings was looked at in any case.
        faint: people found only faintly in this frame.
    """

    findings: tuple[PixelFinding, ...] = ()
    view: ViewState = ViewState.OK
    looked: bool = False
    faint: tuple[FaintPerson, ...] = ()
