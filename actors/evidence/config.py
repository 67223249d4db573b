"""Settings of pictures and clips of events."""

from dataclasses import dataclass, field

from actors.decoding import ClipEncoding

_LAG_S = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceConfig:
    """Settings.

    Attributes:
        boxed: the large picture has a box around what the event is about.
        clips: events have a clip. before_s, after_s: how much it shows before and after the event's moment, seconds of video.
        wait: an event leaves when its clip is whole; otherwise at once, and the clip follows under the path it states.
        memory_bytes: upper bound of the compressed video a camera keeps; it shortens the clips of streams that are too large.
        encoding: of clips whose codec browsers do not play.
    """

    boxed: bool = True
    clips: bool = True
    before_s: float = 10.0
    after_s: float = 10.0
    wait: bool = True
    memory_bytes: int = 48 * 1024 * 1024
    encoding: ClipEncoding = field(default_factory=ClipEncoding)

    @property
    def packet_seconds(self) -> float:
        """How much compressed video a camera keeps: a whole clip, or what goes by while a slow analysis states an event."""
        return self.before_s + max(self.after_s, _LAG_S) if self.clips else 0.0
