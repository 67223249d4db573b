"""What a detector says of one moment: signs of an incident. The life cycle makes events of it."""

from dataclasses import dataclass

from traffic.facts import EventKind
from traffic.types import Box, ObjectClass, TrackId

Key = tuple[str, int]
Place = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Signs of one incident in one tick.

    Attributes:
        kind: of the event.
        key: what the incident is about: ("object", n), ("lanes", n), ("region", n), ("place", n).
        strength: 0..1, how sure the signs are in this tick.
        since_s: when they began; None: with this tick.
        place: on the ground; None for events about an area.
        reach: ground distance within which signs of the same kind may be the same incident (an object under a new number);
            0: only the key tells.
        merges: everything of this kind within ``reach`` is one incident, even if both are seen at once.
        box: in pixels of the frame.
        road_num, region_code: 0 for none.
        sustain: keeps an incident alive that is there already, but begins none.
        standing: what it is about stands and may be hidden for long.
        involved: objects that are part of the incident (object ids), the main one first.
        detail: short Chinese text.
    """

    kind: EventKind
    key: Key
    strength: float
    box: Box
    since_s: float | None = None
    place: Place | None = None
    reach: float = 0.0
    merges: bool = False
    track_ids: tuple[TrackId, ...] = ()
    object_class: ObjectClass | None = None
    road_num: int = 0
    region_code: int = 0
    sustain: bool = False
    standing: bool = False
    involved: tuple[int, ...] = ()
    detail: str = ""
