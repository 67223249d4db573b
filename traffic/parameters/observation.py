"""What the samplers are told: lanes laid straight and the vehicles in them."""

from dataclasses import dataclass

from traffic.types import ObjectClass, TrackId


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneShape:
    """A lane laid straight. Places count along the lane in the direction of travel from its upstream end.

    Attributes:
        road_num: roadNum.
        length: of the lane: metres, or image units when not ``metric``.
        loop: places of the upstream and downstream end of the detection section, ``loop[0] <= loop[1]``.
        stop: place of the stop line; None: the lane has none and no queue is stated.
        metric: whether places are metres.
    """

    road_num: int
    length: float
    loop: tuple[float, float]
    stop: float | None
    metric: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneVehicle:
    """A vehicle in a lane at one moment.

    Attributes:
        track_id: the same vehicle has the same number in every frame.
        front, rear: places of its ends, ``rear <= front``; may lie outside the lane.
        speed: places per second along the lane; None: from successive places.
        nominal: metres per place at the vehicle; 1 in a metric lane.
        hidden: places between which the road is hidden by its box, from upstream; None: only where it stands.
        faint: seen too faintly to be followed (``FaintVehicle``); may continue a queue and is nothing else.
    """

    track_id: TrackId
    object_class: ObjectClass
    front: float
    rear: float
    speed: float | None = None
    nominal: float = 1.0
    hidden: tuple[float, float] | None = None
    faint: bool = False

    @property
    def covered(self) -> tuple[float, float]:
        """Places between which nobody sees the road, from upstream: where it stands and what it hides."""
        low, high = self.hidden or (self.rear, self.front)
        return min(low, self.rear), max(high, self.front)

    @property
    def middle(self) -> float:
        """Place of its middle."""
        return (self.front + self.rear) / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Passing:
    """A vehicle has passed the detection section.

    Attributes:
        time_s: the moment it counts for.
        speed_kmh, time_headway_s, spacing_m: None when not measured.
    """

    time_s: float
    object_class: ObjectClass
    speed_kmh: float | None = None
    time_headway_s: float | None = None
    spacing_m: float | None = None
