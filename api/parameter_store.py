"""Aggregators' states and the history of parameters in the database."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col

from actors.errors import StoreUnavailableError
from actors.ports import camera_name
from api.fences import Office, newest
from api.tables import AggregatorState, Interface, LaneHistory, PeopleHistory, Task
from traffic.facts import LaneParameters, PeopleParameters

PARAMETERS, PEOPLE, PERIODIC = 22, 41, 1
_ROWS_AT_ONCE = 200


class SqlParameterStore:
    """Implements ``actors.ports.ParameterStore``. Picklable: holds the URL, connects when first used."""

    def __init__(self, url: str, office: str = "") -> None:
        """``office``: name of the aggregator (see ``api.fences``)."""
        self._office = Office(url, office)

    def life(self, task_num: str) -> int:
        """See ParameterStore."""
        name = camera_name(task_num)
        with self._office.session() as session:
            return newest(session, [name]).get(name, 0)

    def periods(self) -> frozenset[int]:
        """See ParameterStore."""
        wanted = col(Interface.business_type).in_((PARAMETERS, PEOPLE)) & (col(Interface.trigger_condition) == PERIODIC)
        with self._office.session() as session:
            rows = session.scalars(select(Interface.upload_period).where(wanted, col(Interface.enabled))).all()
        return frozenset(period for period in rows if 1 <= period <= 120)

    def load(self, task_num: str) -> str | None:
        """See ParameterStore."""
        with self._office.session() as session:
            row = session.get(AggregatorState, task_num)
        return row.state if row else None

    def save(self, states: Mapping[str, str], history: Sequence[tuple[str, LaneParameters | PeopleParameters]]) -> None:
        """See ParameterStore."""
        now = time.time()
        lanes = [lane_row(num, p) for num, p in history if isinstance(p, LaneParameters)]
        people = [row for num, p in history if isinstance(p, PeopleParameters) for row in people_rows(num, p)]
        with self._office.session() as session:
            _replace(session, LaneHistory, ("task_num", "road_num", "close_s"), lanes)
            _replace(session, PeopleHistory, ("task_num", "code", "is_line", "close_s"), people)
            for task_num, state in states.items():
                session.merge(AggregatorState(task_num=task_num, state=state, updated_at=now))
            _commit(session)

    def prune(self, keep_s: float) -> int:
        """See ParameterStore."""
        before = max(int(time.time() - keep_s), 0)  # a retention of centuries must not leave the range of the column
        with self._office.session() as session:
            gone: Any = session.execute(delete(LaneHistory).where(col(LaneHistory.close_s) < before)).rowcount  # type: ignore[attr-defined]
            gone += session.execute(delete(PeopleHistory).where(col(PeopleHistory.close_s) < before)).rowcount  # type: ignore[attr-defined]
            session.execute(delete(AggregatorState).where(col(AggregatorState.task_num).not_in(select(Task.task_num))))
            _commit(session)
        return int(gone)


def lane_row(task_num: str, parameters: LaneParameters) -> dict[str, Any]:
    """One minute of a lane as a row."""
    names = [name for name in LaneHistory.model_fields if name not in ("task_num", "vehicles", "counts")]
    counts = {object_class.name.lower(): number for object_class, number in parameters.counts}
    values = {name: getattr(parameters, name) for name in names}
    return {"task_num": task_num, "vehicles": parameters.vehicles, "counts": json.dumps(counts)} | values


def people_rows(task_num: str, people: PeopleParameters) -> Iterator[dict[str, Any]]:
    """One minute of every region and line as rows."""
    densities = {density.region_code: density for density in people.densities}
    for flow in people.flows:
        density = None if flow.is_line else densities.get(flow.code)
        yield {
            "task_num": task_num,
            "code": flow.code,
            "is_line": flow.is_line,
            "close_s": flow.close_s,
            "observed_s": flow.observed_s,
            "people_in": flow.people_in,
            "people_out": flow.people_out,
            "people_mean": density.people_mean if density else None,
            "people_max": density.people_max if density else None,
            "area_m2": density.area_m2 if density else None,
            "density_per_m2": density.density_per_m2 if density else None,
        }


def _replace(session: Session, table: Any, keys: tuple[str, ...], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows in place of those with the same keys; plain SQL that SQLite and PostgreSQL share."""
    unique = {tuple(row[key] for key in keys): row for row in rows}
    columns = tuple_(*(getattr(table, key) for key in keys))
    found = list(unique)
    for begin in range(0, len(found), _ROWS_AT_ONCE):
        part = found[begin : begin + _ROWS_AT_ONCE]
        session.execute(delete(table).where(columns.in_(part)))
        session.execute(insert(table), [unique[key] for key in part])


def _commit(session: Session) -> None:
    try:
        session.commit()
    except OperationalError as error:
        raise StoreUnavailableError(f"database does not answer: {error.orig}") from error
