"""Facts: what the analysis of one camera states. Pure values; the wire bodies are made from them in ``api``.

All times are video time in seconds since the Unix epoch. ``None`` means "not measured".
"""

from dataclasses import dataclass
from enum import IntEnum

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
    """

    status: TaskStatusCode
    reason: str
    time_s: float


Fact = VehiclePassage | TaskStatus
