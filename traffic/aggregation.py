"""Many cameras' cells in, parameters per period out, exactly once. Pure: watermarks and the calendar are arguments.

A camera sends ``CellBatch`` after ``CellBatch``. A batch may be sent again (its acknowledgement was lost, the receiver was
restarted): it is recognised by its source and sequence and changes nothing. State is plain values: ``snapshot`` of a task
after any batch and ``restore`` elsewhere continue exactly, and no window is ever stated twice.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from traffic.facts import LaneParameters, PeopleParameters
from traffic.parameters.cell import LaneCell
from traffic.parameters.summary import lane_parameters
from traffic.parameters.windows import NEVER, Window, WindowedCells
from traffic.people.cell import PeopleCell
from traffic.people.crowd import CrowdState, durable_part
from traffic.people.summary import people_parameters

Parameters = LaneParameters | PeopleParameters
DayOf = Callable[[int], int]  # second since the epoch → number of the local day
STATE_VERSION = 1
_SOURCES_KEPT = 8
_DAY_S = 86_400


def utc_day(second: int) -> int:
    """Days since the epoch, in UTC."""
    return second // _DAY_S


@dataclass(frozen=True, kw_only=True, slots=True)
class CellBatch:
    """What a camera sends: the cells of the seconds closed since the last batch.

    Attributes:
        source: one life of a camera process; sequences count from 1 in it.
        watermark: no cell of an earlier second will come from this source.
        crowds: state of the gatherings by region code, which the camera's next life goes on from.
    """

    source: str
    sequence: int
    watermark: int
    lanes: tuple[LaneCell, ...] = ()
    people: tuple[PeopleCell, ...] = ()
    crowds: tuple[tuple[int, CrowdState], ...] = ()


@dataclass(slots=True)
class _Days:
    """People in and out by day and code; the two newest days are kept."""

    day_of: DayOf
    totals: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)

    def add(self, cells: Iterable[PeopleCell]) -> None:
        for cell in cells:
            codes = self.totals.setdefault(self.day_of(cell.second), {})
            come, gone = codes.get(cell.code, (0, 0))
            codes[cell.code] = (come + cell.people_in, gone + cell.people_out)
        for day in sorted(self.totals)[:-2]:
            del self.totals[day]

    def until(self, close_s: int) -> dict[int, tuple[int, int]]:
        """Totals of the day that ``close_s`` ends (a window that closes at midnight belongs to the day before)."""
        return self.totals.get(self.day_of(close_s - 1), {})


class TaskAggregator:
    """One task."""

    def __init__(self, periods: Iterable[int] = (), day_of: DayOf = utc_day) -> None:
        self._lanes: WindowedCells[LaneCell] = WindowedCells(LaneCell.merge)
        self._people: WindowedCells[PeopleCell] = WindowedCells(PeopleCell.merge)
        self._days = _Days(day_of)
        self._sequences: dict[str, int] = {}
        self._crowds: dict[int, CrowdState] = {}
        self.set_periods(periods)

    def sequence(self, source: str) -> int:
        """Newest batch of a source that is in; 0 for none."""
        return self._sequences.get(source, 0)

    @property
    def sequences(self) -> dict[str, int]:
        """Newest batch of every source that is remembered."""
        return dict(self._sequences)

    @property
    def crowds(self) -> dict[int, CrowdState]:
        """The newest state of the gatherings, by region code."""
        return dict(self._crowds)

    @property
    def crowds_stated(self) -> tuple[object, ...]:
        """Differs whenever a gathering has formed, has been stated or has dissolved."""
        return tuple((code, durable_part(crowd)) for code, crowd in sorted(self._crowds.items()))

    @property
    def late(self) -> int:
        """Cells that came after their second was closed; they are in no parameter."""
        return self._lanes.late + self._people.late

    @property
    def watermark(self) -> int:
        """Everything before it is complete."""
        return self._lanes.watermark

    @property
    def held(self) -> int:
        """Cells held."""
        return len(self._lanes) + len(self._people)

    def set_periods(self, periods: Iterable[int]) -> None:
        """Periods in use from now on, see ``WindowedCells.set_periods``. Raises ``PeriodError``."""
        wanted = tuple(periods)
        self._lanes.set_periods(wanted)
        self._people.set_periods(wanted)

    def accept(self, batch: CellBatch) -> tuple[Parameters, ...]:
        """Take a batch in; returns the parameters of the windows it closes. A batch known already changes nothing."""
        if batch.sequence <= self._sequences.get(batch.source, 0):
            return ()
        self._sequences.pop(batch.source, None)
        self._sequences[batch.source] = batch.sequence
        for source in list(self._sequences)[:-_SOURCES_KEPT]:
            del self._sequences[source]
        self._crowds.update(batch.crowds)
        self._lanes.add(batch.lanes)
        self._people.add(batch.people)
        return self.advance(batch.watermark)

    def advance(self, watermark: int) -> tuple[Parameters, ...]:
        """Close what ends at ``watermark`` or earlier (the camera says that time has gone on)."""
        found = [parameters for window in self._lanes.advance(watermark) for parameters in lane_parameters(window)]
        return (*found, *self._close_people(watermark))

    def finish(self) -> tuple[Parameters, ...]:
        """The stream has ended for good: close every window that holds a cell."""
        found = [parameters for window in self._lanes.finish() for parameters in lane_parameters(window)]
        end = self._people.end
        return (*found, *(() if end is None else self._close_people(end)))

    def _close_people(self, watermark: int) -> list[PeopleParameters]:
        """Second by second, so that the day's totals are those of the moment a window closes."""
        found: list[PeopleParameters] = []
        for second in self._people.seconds(self._people.watermark, watermark):
            found += self._summed(self._people.advance(second))
            self._days.add(self._people.at(second))
            found += self._summed(self._people.advance(second + 1))
        return found + self._summed(self._people.advance(watermark))

    def _summed(self, windows: Iterable[Window[PeopleCell]]) -> list[PeopleParameters]:
        made = (people_parameters(window, self._days.until(window.close_s)) for window in windows)
        return [parameters for parameters in made if parameters is not None]

    def snapshot(self) -> dict[str, object]:
        """Plain values (JSON)."""
        return {
            "version": STATE_VERSION,
            "lanes": self._lanes.snapshot(LaneCell.to_list),
            "people": self._people.snapshot(PeopleCell.to_list),
            "sequences": [[source, sequence] for source, sequence in self._sequences.items()],
            "crowds": [[code, list(crowd)] for code, crowd in sorted(self._crowds.items())],
            "days": [[day, [[c, i, o] for c, (i, o) in codes.items()]] for day, codes in self._days.totals.items()],
        }

    @classmethod
    def restore(cls, state: dict[str, object], day_of: DayOf = utc_day) -> "TaskAggregator":
        """Continue from a snapshot.

        Raises:
            ValueError: the snapshot is of another version.
        """
        if state.get("version") != STATE_VERSION:
            raise ValueError(f"aggregator snapshot of version {state.get('version')!r}, expected {STATE_VERSION}")
        restored = cls(day_of=day_of)
        lanes, people, sequences, days = state["lanes"], state["people"], state["sequences"], state["days"]
        assert isinstance(lanes, dict)
        assert isinstance(people, dict)
        assert isinstance(sequences, list)
        assert isinstance(days, list)
        restored._lanes.restore(lanes, LaneCell.from_list)
        restored._people.restore(people, PeopleCell.from_list)
        restored._sequences = dict(sequences)
        crowds = state.get("crowds", [])
        assert isinstance(crowds, list)
        restored._crowds = {code: tuple(crowd) for code, crowd in crowds}
        restored._days.totals = {day: {c: (i, o) for c, i, o in codes} for day, codes in days}
        return restored


class TrafficAggregator:
    """Many tasks, each on its own time, with the same periods."""

    def __init__(self) -> None:
        self._tasks: dict[str, TaskAggregator] = {}
        self._periods: tuple[int, ...] = ()

    def set_periods(self, periods: Iterable[int]) -> None:
        """Periods of all tasks from now on. Raises ``PeriodError``."""
        wanted = tuple(sorted(set(periods)))
        if wanted == self._periods:
            return
        TaskAggregator(wanted)  # refuse before any task has changed
        self._periods = wanted
        for task in self._tasks.values():
            task.set_periods(wanted)

    def begin(self, task_num: str, state: dict[str, object] | None = None, day_of: DayOf = utc_day) -> TaskAggregator:
        """Begin a task, or continue it from a snapshot with the periods in force now."""
        task = TaskAggregator(day_of=day_of) if state is None else TaskAggregator.restore(state, day_of)
        task.set_periods(self._periods)
        self._tasks[task_num] = task
        return task

    def task(self, task_num: str) -> TaskAggregator | None:
        """A task's state; None when it is not known."""
        return self._tasks.get(task_num)

    def accept(self, task_num: str, batch: CellBatch) -> tuple[Parameters, ...]:
        """See TaskAggregator.accept; an unknown task begins."""
        task = self._tasks.get(task_num)
        return (self.begin(task_num) if task is None else task).accept(batch)

    def forget(self, task_num: str) -> None:
        """The task was deleted."""
        self._tasks.pop(task_num, None)

    @property
    def task_nums(self) -> tuple[str, ...]:
        """Known tasks."""
        return tuple(sorted(self._tasks))


__all__ = ["NEVER", "CellBatch", "DayOf", "Parameters", "TaskAggregator", "TrafficAggregator", "utc_day"]
