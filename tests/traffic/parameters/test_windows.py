"""Windows and cells: exact for any split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic.parameters import LaneCell, PeriodError, WindowedCells
from traffic.parameters.cell import QueueState

counts = st.tuples(*[st.integers(0, 3)] * 6)
queues = st.none() | st.builds(
    QueueState, time_us=st.integers(0, 10**6), number=st.integers(0, 9), length_mm=st.integers(-1, 10**5)
)
cells = st.builds(
    LaneCell,
    code=st.just(1),
    second=st.integers(0, 50),
    observed_us=st.integers(1, 10**6),
    occupied_us=st.integers(0, 10**6),
    covered_us=st.integers(0, 10**6),
    vehicle_us=st.integers(0, 10**7),
    travelled_mm=st.integers(0, 10**6),
    counts=counts,
    speeds=st.integers(0, 3),
    speed_mm_s=st.integers(0, 10**5),
    slowness_us_km=st.integers(0, 10**9),
    headways=st.integers(0, 3),
    headway_us=st.integers(0, 10**7),
    spacings=st.integers(0, 3),
    spacing_mm=st.integers(0, 10**6),
    last_us=st.integers(-1, 10**6),
    last_headway_us=st.integers(-1, 10**6),
    last_spacing_mm=st.integers(-1, 10**6),
    length_mm=st.integers(-1, 10**5),
    queue=queues,
    max_number=st.integers(-1, 9),
    max_length_mm=st.integers(-1, 10**5),
)


@given(cells, cells, cells)
def test_merging_is_exact_in_any_order(a: LaneCell, b: LaneCell, c: LaneCell) -> None:
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))


@given(cells)
def test_a_cell_survives_a_snapshot(cell: LaneCell) -> None:
    assert LaneCell.from_list(cell.to_list()) == cell


def filled(second: int, observed: int = 10**6, vehicles: int = 1, code: int = 1) -> LaneCell:
    return LaneCell(code=code, second=second, observed_us=observed, counts=(0, 0, vehicles, 0, 0, 0))


def test_windows_are_half_open_aligned_and_close_at_the_watermark() -> None:
    windows = WindowedCells(LaneCell.merge, (5,))
    windows.add(filled(second) for second in range(3, 12))
    assert windows.advance(4) == []
    first = windows.advance(5)
    assert [(w.open_s, w.close_s, w.cells[0].counts[2]) for w in first] == [(0, 5, 2)]
    assert windows.advance(9) == []
    assert [(w.open_s, w.close_s, w.cells[0].counts[2]) for w in windows.advance(30)] == [(5, 10, 5), (10, 15, 2)]
    assert windows.advance(100) == []


def test_late_cells_are_counted_and_left_out() -> None:
    windows = WindowedCells(LaneCell.merge, (10,))
    windows.add([filled(3)])
    windows.advance(5)
    assert windows.add([filled(4), filled(5)]) == 1
    assert windows.late == 1
    assert windows.advance(10)[0].cells[0].counts[2] == 2


def test_a_new_period_begins_with_a_window_that_has_not_begun() -> None:
    windows = WindowedCells(LaneCell.merge, (1,))
    for second in range(60):
        windows.add([filled(second)])
        windows.advance(second + 1)
        if second == 12:
            windows.set_periods((1, 10))
    windows.add([filled(60)])
    ten = [w for w in windows.finish() if w.period_s == 10]
    assert [w.open_s for w in ten] == [60]
    again = WindowedCells(LaneCell.merge, (1,))
    found = []
    for second in range(60):
        again.add([filled(second)])
        found += [w for w in again.advance(second + 1) if w.period_s == 10]
        if second == 12:
            again.set_periods((1, 10))
    assert [(w.open_s, w.cells[0].counts[2]) for w in found] == [(20, 10), (30, 10), (40, 10), (50, 10)]


@pytest.mark.parametrize("wrong", [0, -5, 121, 2.5, True])
def test_a_period_outside_1_to_120_is_refused(wrong: object) -> None:
    with pytest.raises(PeriodError):
        WindowedCells(LaneCell.merge, (wrong,))  # type: ignore[arg-type]


def test_memory_is_bounded_by_the_longest_period() -> None:
    windows = WindowedCells(LaneCell.merge, (1, 7, 120))
    held = 0
    for second in range(100_000, 102_000):
        windows.add(filled(second, code=code) for code in range(8))
        windows.advance(second + 1)
        held = max(held, len(windows))
    assert held <= 8 * 120


@given(st.lists(st.integers(1, 120), min_size=1, max_size=5, unique=True), st.lists(st.integers(0, 400), min_size=1, max_size=60))
def test_every_period_gives_the_same_totals(periods: list[int], seconds: list[int]) -> None:
    windows = WindowedCells(LaneCell.merge, periods)
    closed = []
    for second in sorted(seconds):
        windows.add([filled(second)])
        closed += windows.advance(second)
    closed += windows.finish()
    for period in periods:
        mine = [w for w in closed if w.period_s == period]
        assert sum(w.cells[0].counts[2] for w in mine) == len(seconds)
        assert [w.open_s for w in mine] == sorted({second // period * period for second in seconds})
