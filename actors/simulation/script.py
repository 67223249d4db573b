"""Values of a staged incident: who takes part, when, and what ordinary traffic has to keep clear of."""

from dataclasses import dataclass

from actors.simulation.fleet import Model
from actors.simulation.looks import Rgb
from actors.simulation.motion import Motion
from traffic.types import ObjectClass

FOREVER_S = 1e9


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """One participant; times in seconds since the script began.

    Attributes:
        name: of the mesh, walkers without the phase of their step: ``sedan``, ``person``, ``worker``, ``cone``, ``carton``…
        motion: where it is.
        model: of a vehicle, None for others.
        paint, second: colours of others.
        object_class: what a detector should call it; None for things no detector knows.
        from_s, until_s: when it exists.
        road_num: lane it begins in, 0 off the lanes.
        plate: number plate, "" for none.
        extra: plays no part in the incident's truth (the truck that loses its load).
    """

    name: str
    motion: Motion
    model: Model | None = None
    paint: Rgb = (0.5, 0.5, 0.5)
    second: Rgb = (0.5, 0.5, 0.5)
    object_class: ObjectClass | None = None
    from_s: float = 0.0
    until_s: float = FOREVER_S
    road_num: int = 0
    plate: str = ""
    extra: bool = False

    @property
    def walks(self) -> bool:
        """Whether it has the four phases of a walker."""
        return self.name in ("person", "worker")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A stretch of a lane that ordinary traffic stops before, world Y from ``near_y``, for a time."""

    road_num: int
    near_y: float
    from_s: float = 0.0
    until_s: float = FOREVER_S


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """One incident.

    Attributes:
        things: participants, the main one first.
        blocks: for ordinary traffic.
        since_s, until_s: when the incident is on.
        open_s: from when on closed lanes take traffic again.
        end_s: when all is gone.
        mud: whether the slope comes down at ``since_s``.
    """

    things: tuple[Thing, ...]
    since_s: float
    until_s: float
    open_s: float
    end_s: float
    blocks: tuple[Block, ...] = ()
    mud: bool = False
