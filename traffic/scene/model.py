"""A scene: what the camera looks at. Immutable values in relative image coordinates.

Relative image coordinates: x and y divided by the frame's width and height, 0..1, origin at the top left. They survive
a change of resolution. Road coordinates are metres on the road plane; x to the right of and y along the road by custom,
but any right-handed or left-handed metric frame works.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from traffic.facts import EventKind, Turn
from traffic.scene.crowd import CrowdRule
from traffic.scene.rules import EventRule
from traffic.types import ObjectClass

ImagePoint = tuple[float, float]  # relative, 0..1
RoadPoint = tuple[float, float]  # metres
Segment = tuple[ImagePoint, ImagePoint]


class Boundary(StrEnum):
    """Marking between a lane and its neighbour, as it binds the vehicles of the lane."""

    DASHED = "dashed"  # may be crossed
    SOLID = "solid"  # must not be crossed


class LaneUse(StrEnum):
    """What a lane is for."""

    DRIVING = "driving"
    EMERGENCY = "emergency"  # hard shoulder: nobody may stop or drive there


class RegionKind(StrEnum):
    """Purposes of regions that Wayside knows; other texts are allowed and mean nothing to it."""

    PEOPLE = "people"  # people are counted
    CROWD = "crowd"  # people are counted, and gatherings reported
    NO_PARKING = "no_parking"  # standing is an offence
    PARKING = "parking"  # standing is allowed: parking spaces, lay-bys, bus stops
    RESTRICTED = "restricted"  # vehicles (or the region's classes) must not enter
    JUNCTION_BOX = "junction_box"  # must be kept free
    ROADWAY = "roadway"  # carriageway beside or instead of lanes
    OFF_ROAD = "off_road"  # no vehicle drives here
    SLOPE = "slope"  # may slide
    HELMET = "helmet"  # people must wear safety helmets


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """One lane of the road.

    Attributes:
        road_num: roadNum on the wire, 1 or more, unique in the scene.
        road_name: roadName on the wire.
        polygon: outline, at least three points, not self-crossing.
        direction: polyline along the lane in the direction of travel, at least two points (upstream first).
        turn: turn of the lane.
        snapshot_line: vehicles crossing it in the direction of travel are counted; cuts the polygon.
        entry_line: start of the measuring section; None: the upstream edge of the polygon.
        stop_line: where a queue starts; None when the lane has none.
        speed_limit_kmh: None when unknown.
        min_speed_kmh: slower vehicles are an obstacle; None: none, on a highway the rule's.
        left_boundary, right_boundary: markings as seen in the direction of travel.
        use: what the lane is for.
        disabled_events: kinds that are not raised in this lane.
    """

    road_num: int
    road_name: str
    polygon: tuple[ImagePoint, ...]
    direction: tuple[ImagePoint, ...]
    turn: Turn
    snapshot_line: Segment
    entry_line: Segment | None = None
    stop_line: Segment | None = None
    speed_limit_kmh: float | None = None
    min_speed_kmh: float | None = None
    left_boundary: Boundary = Boundary.DASHED
    right_boundary: Boundary = Boundary.DASHED
    use: LaneUse = LaneUse.DRIVING
    disabled_events: frozenset[EventKind] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class CountLine:
    """A line people cross. ``in`` is from the left to the right side of the line as seen walking from its first to its
    second point in the image (y down)."""

    code: int
    name: str
    segment: Segment


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """An area of the picture with a purpose.

    Attributes:
        kind: a ``RegionKind``, or any other text, which means nothing to Wayside.
        classes: whom a restricted region is closed to; None: motor vehicles.
        disabled_events: kinds that are not raised for what is in the region.
        crowd: when people in a region of kind ``crowd`` are one; None: by the usual rule.
    """

    region_code: int
    name: str
    kind: str
    polygon: tuple[ImagePoint, ...]
    area_m2: float | None = None
    classes: frozenset[ObjectClass] | None = None
    disabled_events: frozenset[EventKind] = frozenset()
    crowd: CrowdRule | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Calibration:
    """Homography from relative image coordinates to road metres.

    Attributes:
        image_to_road: float64, shape (3, 3), maps (x, y, 1) relative to (X, Y, w) metres.
        residual_m: root mean square distance of the given road points from their mapped image points, metres.
    """

    image_to_road: NDArray[np.float64]
    residual_m: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """Everything known about one camera's view.

    Attributes:
        lanes: in order of road_num.
        count_lines, regions: see there.
        calibration: None: speeds and distances are not measured.
        outline: part of the picture that is analysed (the network sees its bounding box); None: the whole frame.
        counted_classes: classes whose crossings are passages.
        highway: a road closed to pedestrians and slow vehicles; None: not known, taken as no.
        events: rules that the document changes, in order of their kinds; ``DEFAULT_RULES`` hold for the others.
    """

    lanes: tuple[Lane, ...] = ()
    count_lines: tuple[CountLine, ...] = ()
    regions: tuple[Region, ...] = ()
    calibration: Calibration | None = None
    outline: tuple[ImagePoint, ...] | None = None
    counted_classes: frozenset[ObjectClass] = field(
        default_factory=lambda: frozenset({ObjectClass.CAR, ObjectClass.MOTORCYCLE, ObjectClass.BUS, ObjectClass.TRUCK})
    )
    highway: bool | None = None
    events: tuple[EventRule, ...] = ()
