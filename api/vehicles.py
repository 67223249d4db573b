"""The history of vehicles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from api.database import Database
from api.tables import VehicleRow


@dataclass(frozen=True, kw_only=True, slots=True)
class VehicleFilter:
    """Which vehicles; None lets everything pass. ``plate``: a part of it. ``since_s`` inclusive, ``until_s`` exclusive."""

    task_num: str | None = None
    plate: str | None = None
    vehicle_types: Sequence[int] | None = None
    vehicle_colors: Sequence[int] | None = None
    road_nums: Sequence[int] | None = None
    since_s: float | None = None
    until_s: float | None = None

    def conditions(self) -> list[Any]:
        """SQL conditions."""
        wanted: list[Any] = []
        if self.task_num is not None:
            wanted.append(col(VehicleRow.task_num) == self.task_num)
        if self.plate is not None:
            wanted.append(col(VehicleRow.plate_num).contains(self.plate.upper(), autoescape=True))
        for column, values in (
            (VehicleRow.vehicle_type, self.vehicle_types),
            (VehicleRow.vehicle_color, self.vehicle_colors),
            (VehicleRow.road_num, self.road_nums),
        ):
            if values is not None:
                wanted.append(col(column).in_(values))
        if self.since_s is not None:
            wanted.append(col(VehicleRow.time_s) >= self.since_s)
        if self.until_s is not None:
            wanted.append(col(VehicleRow.time_s) < self.until_s)
        return wanted


def list_vehicles(database: Database, wanted: VehicleFilter, page: int = 1, page_size: int = 100) -> tuple[int, list[VehicleRow]]:
    """(how many there are, a page of them, newest first). ``page`` counts from 1."""
    conditions = wanted.conditions()
    query = select(VehicleRow).where(*conditions).order_by(col(VehicleRow.time_s).desc(), col(VehicleRow.id).desc())
    with database.session() as session:
        total = int(session.scalar(select(func.count()).select_from(VehicleRow).where(*conditions)) or 0)
        rows = list(session.scalars(query.offset((page - 1) * page_size).limit(page_size)).all())
    return total, rows


def query_vehicle(database: Database, record_id: int) -> VehicleRow | None:
    """One vehicle; None when there is none of this id."""
    with database.session() as session:
        return session.get(VehicleRow, record_id)
