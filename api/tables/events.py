"""The history of events, one row per incident."""

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel


class EventRow(SQLModel, table=True):
    """One incident. Times are video time in seconds since the epoch, 0 for not (yet); ``recorded_at`` is the clock's.

    ``kind``: the gravest so far; ``first_kind``: as it was raised. ``body``, ``upgraded_body``: 3.1 as pushed, without pictures.
    ``box``: JSON [x1, y1, x2, y2]. ``closed_by``: "" the camera, "restart" a camera process that began anew, else the account.
    """

    __tablename__ = "traffic_event"
    __table_args__ = (
        UniqueConstraint("task_num", "event_id", name="uq_traffic_event"),
        Index("ix_traffic_event_task", "task_num", "raised_at"),
        Index("ix_traffic_event_open", "closed_at", "task_num"),
    )

    id: int | None = Field(default=None, primary_key=True)
    event_id: str = Field(max_length=200)
    task_num: str = Field(max_length=64)
    time_zone: str = Field(max_length=64)
    kind: int
    first_kind: int
    raised_at: float = Field(index=True)
    upgraded_at: float = 0.0
    closed_at: float = 0.0
    closed_by: str = Field(default="", max_length=64)
    start_at: float
    peak_at: float
    confidence: float
    box: str
    frame_width: int
    frame_height: int
    object_class: str = Field(default="", max_length=16)
    road_num: int = 0
    region_code: int = 0
    detail: str = ""
    large_picture: str = Field(default="", max_length=400)
    small_picture: str = Field(default="", max_length=400)
    clip: str = Field(default="", max_length=400)
    body: str = ""
    upgraded_body: str = ""
    plate_num: str = Field(default="", max_length=32)
    plate_color: int = 0
    vehicle_type: int = 0
    vehicle_color: int = 255
    weather: int = 0
    false_alarm: bool = False
    note: str = ""
    marked_by: str = Field(default="", max_length=64)
    marked_at: float = 0.0
    recorded_at: float = Field(index=True)
