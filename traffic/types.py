"""Values that every room shares: object classes, detections and tracks.

Conventions for all arrays and boxes: a box is ``(x1, y1, x2, y2)`` in pixels of the original frame, x to the right,
y down, ``x2 > x1`` and ``y2 > y1``; times are seconds (float) since the Unix epoch *of the video* (the frame's
presentation time mapped to wall clock), never "now".
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NewType

import numpy as np
from numpy.typing import NDArray

TrackId = NewType("TrackId", int)
Box = tuple[float, float, float, float]


class ObjectClass(IntEnum):
    """What a detector can name. The values are Wayside's own and stable; models map their labels onto them."""

    PERSON = 0
    BICYCLE = 1
    CAR = 2
    MOTORCYCLE = 3
    BUS = 4
    TRUCK = 5

    @property
    def is_vehicle(self) -> bool:
        """Whether passages of this class are counted as motor vehicles (car, motorcycle, bus, truck)."""
        return self in MOTOR_VEHICLES


MOTOR_VEHICLES = frozenset({ObjectClass.CAR, ObjectClass.MOTORCYCLE, ObjectClass.BUS, ObjectClass.TRUCK})
FOUR_WHEELED = frozenset({ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK})


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Detections:
    """All objects found in one frame, as parallel arrays.

    Attributes:
        boxes: float32, shape (n, 4), ``x1, y1, x2, y2`` in pixels of the frame.
        scores: float32, shape (n,), 0..1.
        classes: int64, shape (n,), values of ObjectClass.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)

    @staticmethod
    def empty() -> "Detections":
        """No detections: shapes (0, 4), (0,), (0,)."""
        return Detections(boxes=np.zeros((0, 4), np.float32), scores=np.zeros(0, np.float32), classes=np.zeros(0, np.int64))


class TrackState(Enum):
    """Life of a track: TENTATIVE → CONFIRMED ⇄ LOST → DELETED (a TENTATIVE track may be DELETED directly)."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    LOST = "lost"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Track:
    """One object as the tracker sees it after one frame.

    Attributes:
        track_id: unique within one tracker, never reused.
        state: CONFIRMED when matched in this frame, LOST while predicted only, DELETED exactly once at the end.
        box: filtered box in pixels of the frame (predicted while LOST).
        velocity: of the bottom centre of the box, pixels per second (vx, vy).
        object_class: voted along the track, weighted by score and size.
        class_share: share of the votes the winning class holds, 0..1.
        score: of the last matched detection, 0..1.
        time_s: video time of this state.
        first_time_s: video time of the first detection.
        hits: number of matched detections.
        time_since_update_s: seconds since the last matched detection (0 when matched now).
        moved: whether the object has ever been displaced by more than its own box's half diagonal; static false
            positives and parked vehicles stay False.
        detection: the box as detected in this frame, in pixels, unfiltered; None when not matched now. Measurements use it:
            the errors of successive detections are independent and have no lag, those of filtered boxes are not.
    """

    track_id: TrackId
    state: TrackState
    box: Box
    velocity: tuple[float, float]
    object_class: ObjectClass
    class_share: float
    score: float
    time_s: float
    first_time_s: float
    hits: int
    time_since_update_s: float
    moved: bool
    detection: Box | None = None
