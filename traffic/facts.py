"""Facts: what the analysis of one camera states. Pure values; the wire bodies are made from them in ``api``.

All times are video time in seconds since the Unix epoch. ``None`` means "not measured".
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from traffic.types import Box, ObjectClass, TrackId


class Turn(IntEnum):
    """Turn of a lane, protocol field ``trunDirNo``."""

    OTHER = 0
    LEFT = 1
    STRAIGHT = 2
    RIGHT = 3
    U_TURN = 4


class Heading(IntEnum):
    """Where the front of the vehicle points, seen from the camera; protocol field ``vehicleDirection``.

    前方 (front) codes: we see the vehicle's front, it drives towards the camera; 后方 (rear): it drives away.
    Right and left are the picture's.
    """

    FRONT_RIGHT = 0
    FRONT_LEFT = 1
    REAR_RIGHT = 2
    REAR_LEFT = 3
    FRONT = 4
    RIGHT = 5
    REAR = 6
    LEFT = 7


class EventKind(IntEnum):
    """Kind of a traffic event, protocol field ``recordType`` (manual 3.1)."""

    ILLEGAL_PARKING = 1001  # 车辆违停
    WRONG_WAY = 1002  # 车辆逆行
    PEDESTRIAN = 1003  # 高速行人
    DEBRIS = 1004  # 抛洒物
    CONGESTION = 1005  # 拥堵事件
    LOWER_SPEED = 1006  # 车辆低速
    SPEEDING = 1007  # 车辆高速
    CROWD = 1008  # 人员聚集
    SUDDEN_DECELERATION = 1009  # 车辆突然减速
    RESTRICTED_AREA = 1010  # 禁行区域
    ILLEGAL_LANE_CHANGE = 1011  # 违规变道
    NO_HELMET = 1012  # 安全帽检测
    ACCIDENT = 1013  # 交通事故
    ROAD_WORKS = 1014  # 道路养护
    VEHICLE_STOPPED = 1015  # 车辆停止
    MUDSLIDE = 1016  # 泥石流
    LEAVING_ROAD = 1017  # 机动车驶离
    JUNCTION_OVERFLOW = 1018  # 道口溢出


class EventPhase(StrEnum):
    """What a ``TrafficEvent`` fact says of its event."""

    RAISED = "raised"  # pushed as 3.1
    UPGRADED = "upgraded"  # the same incident is now known to be of a graver kind; pushed as 3.1
    CLOSED = "closed"  # not pushed; ends the event in the history


class TaskStatusCode(IntEnum):
    """Status of a camera task, protocol 1.7."""

    NOT_STARTED = 0  # 未启动
    ANALYSING = 1  # 分析中
    RECONNECTING = 2  # 重连中
    DISCONNECTED = 3  # 已断开


@dataclass(frozen=True, kw_only=True, slots=True)
class VehiclePassage:
    """A vehicle crossed the snapshot line of a lane. Stated exactly once per vehicle and lane.

    Attributes:
        track_id: the track at the moment of the crossing.
        time_s: moment of the crossing, interpolated between frames.
        road_num: number of the lane (roadNum), 0 when the vehicle is in no lane.
        road_name: name of the lane (roadName), "" when it has none.
        turn: turn of the lane.
        object_class: voted along the track up to now.
        box: box in pixels of the frame in which the passage is stated, so that its crop can be taken from it.
        frame_size: (width, height) of that frame in pixels.
        speed_kmh: from the calibrated trajectory over the measuring section.
        spacing_m: front-to-front distance to the vehicle ahead in the lane.
        time_headway_s: front-to-front time to the vehicle ahead in the lane; belongs to the follower.
        running_time_s: time in the lane's measuring section (entry line to snapshot line).
        heading: where the vehicle's front points, as seen from the camera.
        length_m: estimated length of the vehicle.
        late: the passage is stated after the frame it belongs to (its lane was learned only then): ``box`` is then of the
            moment of the crossing and must not be cut out of the current frame.
    """

    track_id: TrackId
    time_s: float
    road_num: int
    road_name: str
    turn: Turn
    object_class: ObjectClass
    box: Box
    frame_size: tuple[int, int]
    speed_kmh: float | None
    spacing_m: float | None
    time_headway_s: float | None
    running_time_s: float | None
    heading: Heading
    length_m: float | None = None
    late: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskStatus:
    """The status of a camera task changed (or is repeated on request).

    Attributes:
        status: protocol 1.7.
        reason: readable cause ("" when all is well): wrong password, no route, unsupported codec…
        time_s: wall-clock time of the change (a camera without a picture has no video time).
        first: the first statement of a camera process; the history closes what the process before left open.
    """

    status: TaskStatusCode
    reason: str
    time_s: float
    first: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneParameters:
    """Traffic parameters of one lane over one period of video time, half-open [open_s, close_s). See docs/parameters.md.

    Stated only for lanes that were observed in the period; ratios and means are over the observed part of it.

    Attributes:
        road_num: roadNum of the lane.
        period_s: 1..120; ``open_s`` and ``close_s`` are multiples of it.
        observed_s: how much of the period was observed, above 0.
        counts: vehicles that passed the detection section, by class (classes that did not pass are left out).
        flow_rate_veh_h: all of them per hour of observed time.
        time_occupancy_ratio: share of the time in which the detection section was occupied, 0..1.
        space_occupancy_ratio: share of the lane's length covered by vehicles, 0..1, mean over the time.
        density_veh_km: vehicles per kilometre, mean over the time; None without calibration.
        time_mean_speed_kmh: arithmetic mean of the speeds at the detection section.
        harmonic_mean_speed_kmh: harmonic mean of the same speeds.
        space_mean_speed_kmh: distance travelled in the lane divided by the time spent in it (Edie).
        mean_time_headway_s, last_time_headway_s: front to front, belongs to the follower; mean and of the last vehicle.
        mean_spacing_m, last_spacing_m: front to front.
        queue_length_m: from the stop line to the rear of the last queued vehicle, at ``close_s``; 0 without a queue; None
            without a stop line or without calibration.
        queue_num: vehicles in it at ``close_s``; None without a stop line.
        max_queue_length_m, max_queue_num: the largest of the period.
    """

    road_num: int
    period_s: int
    open_s: int
    close_s: int
    observed_s: float
    counts: tuple[tuple[ObjectClass, int], ...]
    flow_rate_veh_h: float
    time_occupancy_ratio: float
    space_occupancy_ratio: float
    density_veh_km: float | None
    time_mean_speed_kmh: float | None
    harmonic_mean_speed_kmh: float | None
    space_mean_speed_kmh: float | None
    mean_time_headway_s: float | None
    last_time_headway_s: float | None
    mean_spacing_m: float | None
    last_spacing_m: float | None
    queue_length_m: float | None
    queue_num: int | None
    max_queue_length_m: float | None
    max_queue_num: int | None

    @property
    def vehicles(self) -> int:
        """Vehicles of all classes."""
        return sum(number for _, number in self.counts)


@dataclass(frozen=True, kw_only=True, slots=True)
class PeopleFlow:
    """People who entered and left a region, or crossed a count line, in one period [open_s, close_s) of video time.

    Attributes:
        code: regionCode: of the region, or the code of the count line (``is_line``).
        people_in, people_out: real crossings in the period.
        people_in_today, people_out_today: since midnight in the task's zone, of the day that ``close_s`` ends.
    """

    code: int
    period_s: int
    open_s: int
    close_s: int
    observed_s: float
    people_in: int
    people_out: int
    people_in_today: int
    people_out_today: int
    is_line: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PeopleDensity:
    """People in a region, mean over the observed part of one period [open_s, close_s) of video time.

    Attributes:
        people_mean, people_max: foot points inside.
        area_m2: given, or from the calibration; None when neither is known.
        density_per_m2: ``people_mean / area_m2``.
    """

    region_code: int
    period_s: int
    open_s: int
    close_s: int
    observed_s: float
    people_mean: float
    people_max: int
    area_m2: float | None
    density_per_m2: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PeopleParameters:
    """Everything about the people of one camera in one period: one upload of business type 41.

    Attributes:
        flows: by code, of regions and lines that were observed. densities: by region code.
    """

    period_s: int
    open_s: int
    close_s: int
    flows: tuple[PeopleFlow, ...]
    densities: tuple[PeopleDensity, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CrowdAlarm:
    """People have gathered in a region. Stated once per gathering, and again after the repeat interval.

    Attributes:
        region_code: the region. region_name: its name, "" when it has none.
        time_s: moment at which the gathering had lasted long enough (or the repeat was due).
        since_s: when it began.
        origin_s: when people first gathered; with ``repeat`` it names the alarm, also for a camera that started anew meanwhile.
        people_num: people in the region at ``time_s``.
        area_m2, density_per_m2: None when the area is not known.
        repeat: 0 for the first alarm of a gathering, then 1, 2…
        box: around the region, in pixels of the frame.
    """

    region_code: int
    region_name: str
    time_s: float
    since_s: float
    origin_s: float
    people_num: int
    area_m2: float | None
    density_per_m2: float | None
    repeat: int
    box: Box = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class VehicleLooks:
    """What recognition read of one vehicle, in the codes of the protocol (manual 1.3, 1.4, decisions on colours).

    Attributes:
        plate_num: "" when not read or below the confidence setting.
        plate_color: 0 unknown, 1..7.
        plate_confidence: 0..1; 0 without a plate.
        vehicle_type: 0 unknown, 1..28 (never 4). vehicle_type_confidence: 0..1.
        vehicle_color: 1..10, 255 unknown. vehicle_color_confidence: 0..1.
    """

    plate_num: str = ""
    plate_color: int = 0
    plate_confidence: float = 0.0
    vehicle_type: int = 0
    vehicle_type_confidence: float = 0.0
    vehicle_color: int = 255
    vehicle_color_confidence: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TrafficEvent:
    """One incident: stated when raised, again when upgraded to a graver kind, and when closed.

    Attributes:
        event_id: of the incident, the same in all phases; unique within one task and made from the incident itself (kind,
            place, object, start), so that a recorded file analysed twice states the same events.
        phase: what is stated now.
        kind: kind of the event in this phase.
        time_s: moment of this statement: the decisive moment when raised or upgraded, the end when closed.
        start_s: when the evidence began. peak_s: when it was strongest so far.
        confidence: 0..1, at the peak.
        box: around what the event is about, in pixels of the frame at ``time_s``.
        frame_size: (width, height) of that frame in pixels.
        track_ids: tracks involved, the main one first; empty for events about an area.
        object_class: of the main object; None for events about an area.
        road_num: lane, 0 for none. region_code: region, 0 for none.
        detail: short Chinese text for operators ("" for none), e.g. the measured speed.
    """

    event_id: str
    phase: EventPhase
    kind: EventKind
    time_s: float
    start_s: float
    peak_s: float
    confidence: float
    box: Box
    frame_size: tuple[int, int]
    track_ids: tuple[TrackId, ...] = ()
    object_class: ObjectClass | None = None
    road_num: int = 0
    region_code: int = 0
    detail: str = ""


Fact = VehiclePassage | TaskStatus | LaneParameters | PeopleParameters | CrowdAlarm | TrafficEvent
