"""Tumbling windows over mergeable cells of one second. Half-open [open, close), aligned to their period, closed by watermark.

Config (the periods), logic (``WindowedCells``) and state (its snapshot) are apart; the watermark is an argument. Any number
of periods read the same cells.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from traffic.errors import TrafficError
from traffic.parameters.config import MAX_PERIOD_S, MIN_PERIOD_S

NEVER = -(2**62)


class PeriodError(TrafficError):
    """A period must be a whole number of seconds from 1 to 120."""


class Cell(Protocol):
    """What can be windowed."""

    @property
    def code(self) -> int:
        """Which lane, region or line."""

    @property
    def second(self) -> int:
        """Covers [second, second + 1) of video time, seconds since the epoch."""


C = TypeVar("C", bound=Cell)


@dataclass(frozen=True, slots=True)
class Window(Generic[C]):
    """A closed window: the merged cell of every code that has any."""

    period_s: int
    open_s: int
    close_s: int
    cells: tuple[C, ...]


class WindowedCells(Generic[C]):
    """The cells of one stream, kept as long as a window may need them (at most the longest period)."""

    def __init__(self, merge: Callable[[C, C], C], periods: Iterable[int] = ()) -> None:
        self._merge = merge
        self._cells: dict[int, dict[int, C]] = {}  # by second, by code
        self._next_open: dict[int, int] = {}  # by period: where its next window opens
        self._watermark = NEVER
        self.late = 0
        self.set_periods(periods)

    @property
    def watermark(self) -> int:
        """Everything before it is complete."""
        return self._watermark

    @property
    def periods(self) -> tuple[int, ...]:
        """Periods in use, ascending."""
        return tuple(sorted(self._next_open))

    def __len__(self) -> int:
        """Cells held."""
        return sum(len(codes) for codes in self._cells.values())

    def set_periods(self, periods: Iterable[int]) -> None:
        """Periods from now on. A new one begins with the first window that has not begun yet; one that stays goes on.

        Raises:
            PeriodError: see there.
        """
        wanted = set(periods)
        if any(isinstance(p, bool) or not isinstance(p, int) or not MIN_PERIOD_S <= p <= MAX_PERIOD_S for p in wanted):
            raise PeriodError(f"{PeriodError.__doc__} Got {sorted(map(str, wanted))}.")
        begin = self._watermark
        for period in wanted - self._next_open.keys():
            self._next_open[period] = NEVER if begin == NEVER else -(-begin // period) * period
        for period in self._next_open.keys() - wanted:
            del self._next_open[period]
        self._drop()

    def add(self, cells: Iterable[C]) -> int:
        """Merge cells in. Returns how many were late: their second lies before the watermark; they are counted, not merged."""
        late = 0
        for cell in cells:
            if cell.second < self._watermark:
                late += 1
                continue
            codes = self._cells.setdefault(cell.second, {})
            known = codes.get(cell.code)
            codes[cell.code] = cell if known is None else self._merge(known, cell)
        self.late += late
        return late

    def advance(self, watermark: int) -> list[Window[C]]:
        """Everything before ``watermark`` is complete: close the windows that end there or earlier.

        Returns:
            Windows that have any cell, in order of their closing time, shorter periods first. Each is returned once, ever.
        """
        if watermark <= self._watermark:
            return []
        self._watermark = watermark
        seconds = sorted(self._cells)
        closed: list[Window[C]] = []
        for period, next_open in self._next_open.items():
            end = watermark // period * period  # windows up to here close
            if end <= next_open:
                continue
            windows: dict[int, dict[int, C]] = {}
            for second in seconds:
                if next_open <= second < end:
                    merged = windows.setdefault(second // period * period, {})
                    for code, cell in self._cells[second].items():
                        known = merged.get(code)
                        merged[code] = cell if known is None else self._merge(known, cell)
            for opened, merged in windows.items():
                cells = tuple(merged[code] for code in sorted(merged))
                closed.append(Window(period, opened, opened + period, cells))
            self._next_open[period] = end
        self._drop()
        return sorted(closed, key=lambda w: (w.close_s, w.period_s))

    def finish(self) -> list[Window[C]]:
        """The stream has ended: close every window that holds a cell, as if the time had gone on."""
        return [] if self.end is None else self.advance(self.end)

    @property
    def end(self) -> int | None:
        """A watermark that closes every window that holds a cell; None without cells."""
        return max(self._cells) + 1 + max(self._next_open, default=0) if self._cells else None

    def seconds(self, low: int, high: int) -> list[int]:
        """Seconds in [low, high) that hold cells, ascending."""
        return sorted(second for second in self._cells if low <= second < high)

    def at(self, second: int) -> tuple[C, ...]:
        """Cells of one second."""
        return tuple(self._cells.get(second, {}).values())

    def _drop(self) -> None:
        """Forget the cells that no window needs any more."""
        needed = min(self._next_open.values(), default=self._watermark)
        for second in [second for second in self._cells if second < needed]:
            del self._cells[second]

    # -- state --------------------------------------------------------------------------------------------------------

    def snapshot(self, encode: Callable[[C], list[object]]) -> dict[str, object]:
        """Plain values (JSON) from which ``restore`` continues exactly."""
        return {
            "watermark": self._watermark,
            "late": self.late,
            "nextOpen": [[period, opens] for period, opens in sorted(self._next_open.items())],
            "cells": [encode(cell) for second in sorted(self._cells) for cell in self._cells[second].values()],
        }

    def restore(self, state: dict[str, object], decode: Callable[[list[object]], C]) -> None:
        """Take over a snapshot."""
        watermark, late, next_open, cells = state["watermark"], state["late"], state["nextOpen"], state["cells"]
        assert isinstance(watermark, int)
        assert isinstance(late, int)
        assert isinstance(next_open, list)
        assert isinstance(cells, list)
        self._watermark, self.late = watermark, late
        self._next_open = dict(next_open)
        self._cells = {}
        for values in cells:
            cell = decode(values)
            self._cells.setdefault(cell.second, {})[cell.code] = cell
