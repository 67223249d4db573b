"""What the simulated camera knows about its own frames."""

from dataclasses import asdict, dataclass
from typing import Any

from traffic.types import Box, ObjectClass


@dataclass(frozen=True, kw_only=True, slots=True)
class TrueObject:
    """One object in view.

    Attributes:
        track_id: constant along the object's life, unique in one film.
        object_class: as a detector would name it (an electric two-wheeler is a motorcycle; a pedestrian a person).
        kind: model, for example ``sedan`` or ``ebike``.
        box: tight box of the object (no shadow) in pixels, clipped to the frame.
        visible: share of the object's area inside the frame that is not hidden by nearer objects, 0..1.
        truncated: the object reaches beyond the frame's edge.
        road_num: lane; 0 off the lanes.
        position_m: world X and Y of the end nearer to the camera, on the road.
        speed_kmh: signed along the lane's direction of travel (negative: wrong way).
        plate: number plate, "" when there is none.
        plate_box: of the plate, None when it is not in view.
    """

    track_id: int
    object_class: ObjectClass
    kind: str
    box: Box
    visible: float
    truncated: bool
    road_num: int
    position_m: tuple[float, float]
    speed_kmh: float
    plate: str
    plate_box: Box | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TruePassage:
    """A vehicle's end nearer to the camera crossed its lane's snapshot line.

    Attributes:
        time_s: seconds since the first frame, exact between frames.
        headway_s, spacing_m: to the vehicle before it on the lane, near end to near end; None for the first.
    """

    track_id: int
    road_num: int
    object_class: ObjectClass
    time_s: float
    speed_kmh: float
    headway_s: float | None
    spacing_m: float | None
    plate: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TrueQueue:
    """Standing vehicles of one lane before its stop line; ``length_m`` from the stop line to the last one's rear."""

    road_num: int
    vehicles: int
    length_m: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TrueThing:
    """Something that takes part and has no object class: a cone, debris, mud. ``box`` as of an object."""

    kind: str
    box: Box


@dataclass(frozen=True, kw_only=True, slots=True)
class TrueIncident:
    """A staged event in progress; its end is the first frame without it.

    Attributes:
        kind: as in the address.
        track_id: of the main object; 0 when the event is about an area or ordinary traffic.
        road_num: lane.
        since_s: its beginning, seconds since the first frame.
        track_ids: everybody staged for it.
        box: around everybody in view; None while nobody is.
        things: participants without an object class.
    """

    kind: str
    track_id: int
    road_num: int
    since_s: float = 0.0
    track_ids: tuple[int, ...] = ()
    box: Box | None = None
    things: tuple[TrueThing, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameTruth:
    """Truth of one frame. ``signal`` is ``green``, ``yellow`` or ``red`` of the approach; passages since the last frame;
    ``people`` counts pedestrians on the crossing or waiting at it."""

    objects: tuple[TrueObject, ...]
    signal: str
    pedestrian_signal: str
    queues: tuple[TrueQueue, ...]
    passages: tuple[TruePassage, ...]
    incidents: tuple[TrueIncident, ...]
    people: int

    def to_json(self, index: int, time_s: float) -> dict[str, Any]:
        """A JSON-ready line of the truth file; classes by name, numbers rounded to 4 decimals."""
        body = _plain(asdict(self))
        return {"index": index, "timeS": round(time_s, 6), **body}


def _plain(value: Any) -> Any:
    if isinstance(value, ObjectClass):
        return value.name.lower()
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {_camel(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
