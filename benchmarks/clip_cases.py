"""What the clips of ``benchmarks.event_clips`` show: the table of expectations, by eye, and what is allowed besides."""

from dataclasses import dataclass, field

from traffic.facts import EventKind

K = EventKind
STAGED: dict[str, EventKind] = {
    "illegal_parking": K.ILLEGAL_PARKING,
    "wrong_way": K.WRONG_WAY,
    "pedestrian": K.PEDESTRIAN,
    "debris": K.DEBRIS,
    "congestion": K.CONGESTION,
    "slow_vehicle": K.LOWER_SPEED,
    "speeding": K.SPEEDING,
    "crowd": K.CROWD,
    "sudden_deceleration": K.SUDDEN_DECELERATION,
    "restricted_area": K.RESTRICTED_AREA,
    "illegal_lane_change": K.ILLEGAL_LANE_CHANGE,
    "no_helmet": K.NO_HELMET,
    "accident": K.ACCIDENT,
    "road_works": K.ROAD_WORKS,
    "stopped_vehicle": K.VEHICLE_STOPPED,
    "mudslide": K.MUDSLIDE,
    "leaving_road": K.LEAVING_ROAD,
    "junction_overflow": K.JUNCTION_OVERFLOW,
}
# Kinds that are true of a staged film besides its own: what stands before an obstacle has stopped, and so on.
ALSO_STAGED: dict[str, frozenset[EventKind]] = {
    "accident": frozenset({K.VEHICLE_STOPPED, K.SUDDEN_DECELERATION, K.ILLEGAL_LANE_CHANGE, K.PEDESTRIAN}),
    "road_works": frozenset({K.VEHICLE_STOPPED, K.PEDESTRIAN}),
    "leaving_road": frozenset({K.VEHICLE_STOPPED, K.ILLEGAL_LANE_CHANGE}),
    "junction_overflow": frozenset({K.VEHICLE_STOPPED, K.CONGESTION}),
    "illegal_parking": frozenset({K.VEHICLE_STOPPED, K.ILLEGAL_LANE_CHANGE}),
    "debris": frozenset(),
    "no_helmet": frozenset({K.PEDESTRIAN, K.VEHICLE_STOPPED}),
    "pedestrian": frozenset({K.VEHICLE_STOPPED}),
    "mudslide": frozenset({K.VEHICLE_STOPPED, K.DEBRIS}),
    "congestion": frozenset({K.VEHICLE_STOPPED}),
    "sudden_deceleration": frozenset({K.VEHICLE_STOPPED}),
    "stopped_vehicle": frozenset({K.SUDDEN_DECELERATION}),
}
# Rules that a film's operator would set: people are forbidden on this carriageway; the signal's cycle is known to be 60 s (the
# default waits for the longest usual one).
RULES: dict[str, dict[str, object]] = {
    "pedestrian": {"events": {"pedestrian": {"enabled": True}}},
    "congestion": {"events": {"congestion": {"signalDurationS": 60}}},
}
# What a film's camera has otherwise. Whoever walks over the crossing is a pedestrian too. A junction box is watched from a higher
# mast: from 7 m the vehicles that stand in it hide those beyond it, and the detector finds two of them as one.
VIEWS: dict[str, str] = {
    "pedestrian": "&pedestrians=0",
    "junction_overflow": "&height_m=11&pitch_deg=23&focal=1.2",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipCase:
    """One recording.

    Attributes:
        name: path below the data's ``video`` folder, without its ending; the scene of the same name is used if there is one.
        wanted: (kind, not before, not after) that must be raised, seconds of the recording.
        fixed: False for a phone in somebody's hand: its view wanders by half the picture, which the view guard rightly calls
            moved, so the guard is switched off.
        also: kinds that are true of it besides, or cannot be ruled out by eye; they are neither right nor wrong.
    """

    name: str
    wanted: tuple[tuple[EventKind, float, float], ...] = ()
    also: frozenset[EventKind] = field(default_factory=frozenset)
    fixed: bool = True


def _heavy(name: str) -> ClipCase:
    return ClipCase(name=f"tfl_jamcam/{name}", wanted=((K.CONGESTION, 0.0, 60.0),), also=frozenset({K.VEHICLE_STOPPED}))


_ACCIDENT = frozenset({K.VEHICLE_STOPPED, K.SUDDEN_DECELERATION, K.CONGESTION, K.PEDESTRIAN, K.LEAVING_ROAD, K.DEBRIS})
CLIPS: tuple[ClipCase, ...] = (
    ClipCase(name="bgs_motorway_pedestrian-alarm", wanted=((K.PEDESTRIAN, 3.0, 22.0),)),
    ClipCase(name="vn_wrongway_bicycle_screenrec", wanted=((K.WRONG_WAY, 1.5, 6.0),), also=frozenset({K.PEDESTRIAN})),
    ClipCase(
        name="cn_parking_plates_portrait",
        wanted=((K.ILLEGAL_PARKING, 0.0, 33.0),),
        also=frozenset({K.VEHICLE_STOPPED}),
        fixed=False,
    ),
    ClipCase(name="street_parked_cars_75s", wanted=((K.ILLEGAL_PARKING, 0.0, 75.0),), also=frozenset({K.VEHICLE_STOPPED})),
    ClipCase(name="accident_cctv_car_motorcycle", wanted=((K.ACCIDENT, 7.0, 21.2),), also=_ACCIDENT),
    ClipCase(name="accident_intersection_10fps", wanted=((K.ACCIDENT, 1.2, 3.8),), also=_ACCIDENT),
    ClipCase(name="accident_snow_intersection_1080p", wanted=((K.ACCIDENT, 2.5, 4.0),), also=_ACCIDENT),
    ClipCase(name="jam_elevated_expressway", wanted=((K.CONGESTION, 0.0, 15.1),), also=frozenset({K.VEHICLE_STOPPED})),
)
HEAVY = ("201708311636", "201708311646", "201708311651", "201708311656", "201709141416", "201709141422", "201709211326")
# Ordinary traffic: nothing happens in these but driving, queueing and waiting.
ORDINARY = (
    "ahmetozlu_two-lane-street",
    "bangkok_queue_720p",
    "bangkok_signal_30s",
    "bgs_highway_60fps",
    "cn_guangzhou_brt_4s",
    "crosswalk_pedestrians",
    "highway_both_360p",
    "highway_istanbul_720p10s",
    "intel_car-detection",
    "intersection_timestamped",
    "it_autostrade_foreste",
    "it_autostrade_milanoest",
    "it_autostrade_tunnel",
    "motorway_both_directions_720p30s",
    "opencv_vtest_PETS09-S2L1",
    "pedestrian_overpass_30s",
    "rain_intersection_wrongturn_3s",
    "side_view_multilane_dusk",
    "towncentre_1080p_10s",
    "uk_motorway_exit_720p",
    "uk_pedestrian_street_720p",
)
# Kinds that are true of ordinary clips: people walk on these carriageways, vehicles queue.
ORDINARY_ALSO: dict[str, frozenset[EventKind]] = {
    "opencv_vtest_PETS09-S2L1": frozenset({K.ROAD_WORKS}),  # cones and tape stand there
    "bangkok_queue_720p": frozenset({K.CONGESTION}),
    "uk_motorway_exit_720p": frozenset({K.CONGESTION}),
    # A queue reaches from the gantry to the middle of the picture, its head rolls: heavy or not, nobody can say by eye.
    "tfl_jamcam/625_201709211436": frozenset({K.CONGESTION}),
}


def jamcam_case(stem: str) -> ClipCase:
    """The case of a jamcam clip: heavy ones must say congestion, the others must not."""
    if any(stem.endswith(f"625_{h}") for h in HEAVY):
        return _heavy(stem)
    name = f"tfl_jamcam/{stem}"
    return ClipCase(name=name, also=ORDINARY_ALSO.get(name, frozenset()))
