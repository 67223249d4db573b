"""The history of vehicles."""

import csv
import io
from typing import Any

from fastapi import APIRouter, Body, Response

from api import errors, vehicles
from api.errors import ApiError
from api.routes.common import Services, SignedIn, done, local_time, time_range
from api.schemas import Envelope, IdRequest
from api.schemas_events import VehicleData, VehicleListRequest, VehiclePage
from api.services import ApiServices
from api.tables import VehicleRow
from api.vehicles import VehicleFilter

router = APIRouter(prefix="/api/vehicle", tags=["vehicle"])
_ROWS, _CSV_ROWS = 100, 100_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@router.post("/list", response_model=Envelope[VehiclePage], summary="过车列表 / vehicles")
def list_page(services: Services, user: SignedIn, body: VehicleListRequest | None = Body(None)) -> Any:
    """A page of vehicles, newest first, as JSON or as a CSV file."""
    body = body or VehicleListRequest.model_validate({})
    begin_s, end_s = time_range(body.startTime, body.endTime, services)
    wanted = VehicleFilter(
        task_num=body.taskNum,
        plate=body.plate,
        vehicle_types=body.vehicleTypes,
        vehicle_colors=body.vehicleColors,
        road_nums=body.roadNums,
        since_s=begin_s,
        until_s=end_s,
    )
    as_csv = body.format == "csv"
    size = body.pageSize or (_CSV_ROWS if as_csv and not body.page else _ROWS)
    total, rows = vehicles.list_vehicles(services.database, wanted, body.page or 1, size)
    found = [_data(row, services) for row in rows]
    return _csv(found) if as_csv else done(VehiclePage(total=total, rows=found))


@router.post("/query", response_model=Envelope[VehicleData], summary="过车详情 / one vehicle")
def query(body: IdRequest, services: Services, user: SignedIn) -> Envelope[Any]:
    """One vehicle by its record id."""
    row = vehicles.query_vehicle(services.database, body.id) if body.id < 2**31 else None
    if row is None:
        raise ApiError(errors.NOT_FOUND, f"过车记录 {body.id} 不存在", f"no vehicle {body.id}")
    return done(_data(row, services))


def _data(row: VehicleRow, services: ApiServices) -> VehicleData:
    return VehicleData(
        id=row.id or 0,
        taskNum=row.task_num,
        snapshotTime=local_time(row.time_s, services),
        roadNum=row.road_num,
        roadName=row.road_name,
        trunDirNo=row.turn,
        objectClass=row.object_class,
        plateNum=row.plate_num,
        plateColor=row.plate_color,
        vehicleType=row.vehicle_type,
        vehicleColor=row.vehicle_color,
        vehicleSpeed=_rounded(row.speed_kmh, 1),
        vehicleSpacing=_rounded(row.spacing_m, 2),
        timeDistance=_rounded(row.time_headway_s, 2),
        runningTime=_rounded(row.running_time_s, 2),
        vehicleLength=_rounded(row.length_m, 2),
        vehicleDirection=row.heading,
        weather=row.weather,
        snapshotPath=row.plate_picture,
        vehicleTypePath=row.small_picture,
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _csv(found: list[VehicleData]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(VehicleData.model_fields)
    for vehicle in found:
        writer.writerow([_cell(value) for value in vehicle.model_dump().values()])
    # The byte order mark tells spreadsheet programs that this is UTF-8.
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8")


def _cell(value: Any) -> Any:
    """A text that spreadsheet programs would run as a formula is kept a text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
