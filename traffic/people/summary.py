"""From merged cells of a window to people's flow and density."""

from collections.abc import Mapping

from traffic.facts import PeopleDensity, PeopleFlow, PeopleParameters
from traffic.parameters.windows import Window
from traffic.people.cell import PeopleCell

_MICRO = 1_000_000
InOut = tuple[int, int]


def people_parameters(window: Window[PeopleCell], today: Mapping[int, InOut]) -> PeopleParameters | None:
    """Flow and density of what was observed in the window; None when nothing was.

    Args:
        today: people in and out by cell code since midnight, up to the window's end.
    """
    cells = [cell for cell in window.cells if cell.observed]
    if not cells:
        return None
    return PeopleParameters(
        period_s=window.period_s,
        open_s=window.open_s,
        close_s=window.close_s,
        flows=tuple(_flow(window, cell, today.get(cell.code, (0, 0))) for cell in cells),
        densities=tuple(_density(window, cell) for cell in cells if not cell.is_line),
    )


def _flow(window: Window[PeopleCell], cell: PeopleCell, today: InOut) -> PeopleFlow:
    return PeopleFlow(
        code=cell.region_code, period_s=window.period_s, open_s=window.open_s, close_s=window.close_s,
        observed_s=cell.observed_us / _MICRO, people_in=cell.people_in, people_out=cell.people_out,
        people_in_today=today[0], people_out_today=today[1],
        is_line=cell.is_line,
    )  # fmt: skip


def _density(window: Window[PeopleCell], cell: PeopleCell) -> PeopleDensity:
    mean = cell.person_us / cell.observed_us
    area = cell.area_dm2 / 100 if cell.area_dm2 > 0 else None
    return PeopleDensity(
        region_code=cell.region_code, period_s=window.period_s, open_s=window.open_s, close_s=window.close_s,
        observed_s=cell.observed_us / _MICRO, people_mean=mean, people_max=cell.most, area_m2=area,
        density_per_m2=None if area is None else mean / area,
    )  # fmt: skip
