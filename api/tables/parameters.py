"""Aggregators' states and the history of traffic parameters and people (one row per minute)."""

from sqlmodel import Field, SQLModel


class AggregatorState(SQLModel, table=True):
    """What an aggregator needs to go on with a task, as JSON."""

    __tablename__ = "aggregator_state"

    task_num: str = Field(primary_key=True, max_length=64)
    state: str
    updated_at: float = 0.0


class LaneHistory(SQLModel, table=True):
    """``LaneParameters`` of one minute; ``counts`` is JSON by class name."""

    __tablename__ = "lane_history"

    task_num: str = Field(primary_key=True, max_length=64)
    close_s: int = Field(primary_key=True)
    road_num: int = Field(primary_key=True)
    observed_s: float
    vehicles: int
    counts: str
    time_occupancy_ratio: float
    space_occupancy_ratio: float
    density_veh_km: float | None
    time_mean_speed_kmh: float | None
    space_mean_speed_kmh: float | None
    mean_time_headway_s: float | None
    mean_spacing_m: float | None
    queue_length_m: float | None
    queue_num: int | None
    max_queue_length_m: float | None
    max_queue_num: int | None


class PeopleHistory(SQLModel, table=True):
    """People of one minute in a region, or over a count line (then without number, area and density)."""

    __tablename__ = "people_history"

    task_num: str = Field(primary_key=True, max_length=64)
    close_s: int = Field(primary_key=True)
    code: int = Field(primary_key=True)
    is_line: bool = Field(primary_key=True)
    observed_s: float
    people_in: int
    people_out: int
    people_mean: float | None
    people_max: int | None
    area_m2: float | None
    density_per_m2: float | None
