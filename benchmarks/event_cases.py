"""The scripted incidents of ``benchmarks.events``: for each kind a script in which it happens."""

from collections.abc import Callable

from benchmarks.event_driving import (
    accident,
    deceleration,
    lane_change,
    leaving_road,
    lower_speed,
    restricted,
    speeding,
    wrong_way,
)
from benchmarks.event_maker import Maker
from benchmarks.event_sites import crowd, debris, mudslide, no_helmet, pedestrian, road_works
from benchmarks.event_stage import Case
from benchmarks.event_standing import congestion, overflow, parking, stopped
from traffic.facts import EventKind as Kind

POSITIVES: dict[Kind, Callable[[Maker], Case]] = {
    Kind.ILLEGAL_PARKING: parking, Kind.WRONG_WAY: wrong_way, Kind.PEDESTRIAN: pedestrian, Kind.DEBRIS: debris,
    Kind.CONGESTION: congestion, Kind.LOWER_SPEED: lower_speed, Kind.SPEEDING: speeding, Kind.CROWD: crowd,
    Kind.SUDDEN_DECELERATION: deceleration, Kind.RESTRICTED_AREA: restricted, Kind.ILLEGAL_LANE_CHANGE: lane_change,
    Kind.NO_HELMET: no_helmet, Kind.ACCIDENT: accident, Kind.ROAD_WORKS: road_works, Kind.VEHICLE_STOPPED: stopped,
    Kind.MUDSLIDE: mudslide, Kind.LEAVING_ROAD: leaving_road, Kind.JUNCTION_OVERFLOW: overflow,
}  # fmt: skip
