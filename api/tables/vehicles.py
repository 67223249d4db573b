"""The history of vehicles, one row per passage."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class VehicleRow(SQLModel, table=True):
    """One ``VehiclePassage`` with what was read of the vehicle. ``time_s``: video time; ``recorded_at``: the clock's."""

    __tablename__ = "vehicle_passage"
    __table_args__ = (Index("ix_vehicle_passage_task", "task_num", "time_s"),)

    id: int | None = Field(default=None, primary_key=True)
    fact_id: str = Field(max_length=200, unique=True)
    task_num: str = Field(max_length=64)
    time_zone: str = Field(max_length=64)
    time_s: float = Field(index=True)
    road_num: int
    road_name: str = ""
    turn: int
    object_class: str = Field(max_length=16)
    speed_kmh: float | None = None
    spacing_m: float | None = None
    time_headway_s: float | None = None
    running_time_s: float | None = None
    length_m: float | None = None
    heading: int
    plate_num: str = Field(default="", max_length=32, index=True)
    plate_color: int = 0
    vehicle_type: int = 0
    vehicle_color: int = 255
    weather: int = 0
    small_picture: str = Field(default="", max_length=400)
    plate_picture: str = Field(default="", max_length=400)
    recorded_at: float = Field(index=True)
