"""From the merged cells of a window to the parameters of a lane, by the definitions of traffic engineering.

Sources: HCM 6th ed. (2016) chapter 4; Treiber and Kesting, Traffic Flow Dynamics (2013) chapters 2 to 4; Edie, Discussion of
traffic stream measurements and definitions (1963).
"""

from traffic.facts import LaneParameters
from traffic.parameters.cell import MICRO, MILLI, LaneCell
from traffic.parameters.windows import Window
from traffic.types import ObjectClass


def lane_parameters(window: Window[LaneCell]) -> tuple[LaneParameters, ...]:
    """Parameters of every lane that was observed in the window, by roadNum."""
    return tuple(_of(window, cell) for cell in window.cells if cell.observed)


def _of(window: Window[LaneCell], cell: LaneCell) -> LaneParameters:
    observed_s = cell.observed_us / MICRO
    vehicles = sum(cell.counts)
    metric = cell.length_mm > 0
    queue = cell.queue
    return LaneParameters(
        road_num=cell.code,
        period_s=window.period_s,
        open_s=window.open_s,
        close_s=window.close_s,
        observed_s=observed_s,
        counts=tuple((member, cell.counts[member]) for member in ObjectClass if cell.counts[member]),
        flow_rate_veh_h=vehicles / observed_s * 3600,
        time_occupancy_ratio=min(cell.occupied_us / cell.observed_us, 1.0),
        space_occupancy_ratio=min(cell.covered_us / cell.observed_us, 1.0),
        density_veh_km=cell.vehicle_us / cell.observed_us / (cell.length_mm / MILLI) * 1000 if metric else None,
        time_mean_speed_kmh=cell.speed_mm_s / MILLI / cell.speeds * 3.6 if cell.speeds else None,
        harmonic_mean_speed_kmh=cell.speeds / (cell.slowness_us_km / MICRO) * 3600 if cell.slowness_us_km else None,
        space_mean_speed_kmh=cell.travelled_mm / MILLI / (cell.vehicle_us / MICRO) * 3.6 if metric and cell.vehicle_us else None,
        mean_time_headway_s=cell.headway_us / MICRO / cell.headways if cell.headways else None,
        last_time_headway_s=_known(cell.last_headway_us, MICRO),
        mean_spacing_m=cell.spacing_mm / MILLI / cell.spacings if cell.spacings else None,
        last_spacing_m=_known(cell.last_spacing_mm, MILLI),
        queue_length_m=_known(queue.length_mm, MILLI) if queue else None,
        queue_num=queue.number if queue else None,
        max_queue_length_m=_known(cell.max_length_mm, MILLI),
        max_queue_num=cell.max_number if cell.max_number >= 0 else None,
    )


def _known(value: int, scale: int) -> float | None:
    return None if value < 0 else value / scale
