"""Exactly once: any split into restarts, any repetition, any set of periods."""

import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from traffic.aggregation import CellBatch, Parameters, TaskAggregator, TrafficAggregator
from traffic.facts import LaneParameters, PeopleParameters
from traffic.parameters import LaneCell
from traffic.people import PeopleCell

START = 1_700_006_400 - 60  # a minute before midnight, UTC
PERIODS = st.lists(st.integers(1, 120), min_size=1, max_size=4, unique=True)


@st.composite
def streams(draw: st.DrawFn) -> list[CellBatch]:
    """Batches of one camera process: gaps, empty seconds, several lanes and regions, watermarks that lag."""
    batches, second = [], START
    for sequence in range(1, draw(st.integers(1, 40)) + 1):
        second += draw(st.sampled_from((1, 1, 1, 1, 2, 5, 90)))
        lanes = tuple(
            LaneCell(code=code, second=second, observed_us=1_000_000, occupied_us=draw(st.integers(0, 10**6)),
                     counts=(0, 0, draw(st.integers(0, 2)), 0, 0, 0))
            for code in draw(st.sets(st.integers(1, 3)))
        )  # fmt: skip
        people = tuple(
            PeopleCell(code=code, second=second, observed_us=1_000_000, person_us=draw(st.integers(0, 10**7)),
                       people_in=draw(st.integers(0, 3)), people_out=draw(st.integers(0, 3)))
            for code in draw(st.sets(st.integers(7, 8)))
        )  # fmt: skip
        batches.append(
            CellBatch(source="a", sequence=sequence, watermark=second + draw(st.integers(-1, 1)), lanes=lanes, people=people)
        )
    return batches


def run_once(batches: list[CellBatch], periods: list[int]) -> list[Parameters]:
    aggregator = TaskAggregator(periods)
    found = [p for batch in batches for p in aggregator.accept(batch)]
    return [*found, *aggregator.finish()]


@settings(max_examples=150, deadline=None)
@given(batches=streams(), periods=PERIODS, cuts=st.sets(st.integers(0, 40)), repeats=st.integers(0, 5))
def test_restarts_and_repetitions_change_nothing(
    batches: list[CellBatch], periods: list[int], cuts: set[int], repeats: int
) -> None:
    aggregator, found = TaskAggregator(periods), []
    for index, batch in enumerate(batches):
        found += aggregator.accept(batch)
        if index in cuts:  # killed here: restored from its snapshot, and the camera repeats what it is not sure of
            aggregator = TaskAggregator.restore(json.loads(json.dumps(aggregator.snapshot())))
            for again in batches[max(index - repeats, 0) : index + 1]:
                assert aggregator.accept(again) == ()
    found += aggregator.finish()
    assert found == run_once(batches, periods)


@settings(max_examples=100, deadline=None)
@given(batches=streams(), periods=PERIODS)
def test_nothing_is_stated_twice_and_totals_are_the_same_for_every_period(batches: list[CellBatch], periods: list[int]) -> None:
    found = run_once(batches, periods)
    lanes = [p for p in found if isinstance(p, LaneParameters)]
    people = [p for p in found if isinstance(p, PeopleParameters)]
    assert max(Counter((p.road_num, p.period_s, p.close_s) for p in lanes).values(), default=1) == 1
    assert max(Counter((p.period_s, p.close_s) for p in people).values(), default=1) == 1
    late = late_cells(batches)
    vehicles = sum(sum(c.counts) for b in batches for c in b.lanes) - late[0]
    people_in = sum(c.people_in for b in batches for c in b.people) - late[1]
    for period in periods:
        assert sum(p.vehicles for p in lanes if p.period_s == period) == vehicles
        assert sum(f.people_in for p in people if p.period_s == period for f in p.flows) == people_in


def late_cells(batches: list[CellBatch]) -> tuple[int, int]:
    """What lies before the watermark already reached when it comes: vehicles, people in."""
    watermark, vehicles, people = -1, 0, 0
    for batch in batches:
        vehicles += sum(sum(c.counts) for c in batch.lanes if c.second < watermark)
        people += sum(c.people_in for c in batch.people if c.second < watermark)
        watermark = max(watermark, batch.watermark)
    return vehicles, people


@settings(max_examples=60, deadline=None)
@given(batches=streams(), period=st.integers(1, 120), cut=st.integers(0, 40))
def test_a_restart_without_its_last_batches_loses_only_those(batches: list[CellBatch], period: int, cut: int) -> None:
    """A camera that died with an open second: its next life goes on, and what was stated is never stated again."""
    cut = min(cut, len(batches))
    rest = [
        CellBatch(source="b", sequence=n, watermark=b.watermark, lanes=b.lanes, people=b.people)
        for n, b in enumerate(batches[cut + 1 :], 1)
    ]
    lived = [*batches[:cut], *rest]
    found = run_once(lived, [period])
    lanes = [p for p in found if isinstance(p, LaneParameters)]
    assert max(Counter((p.road_num, p.close_s) for p in lanes).values(), default=1) == 1
    assert sum(p.vehicles for p in lanes) == sum(sum(c.counts) for b in lived for c in b.lanes) - late_cells(lived)[0]


def people_batch(sequence: int, second: int, people_in: int) -> CellBatch:
    cell = PeopleCell(code=7, second=second, observed_us=1_000_000, people_in=people_in, people_out=1)
    return CellBatch(source="a", sequence=sequence, watermark=second + 1, people=(cell,))


def test_the_days_totals_are_those_of_the_windows_end_and_begin_anew_at_midnight() -> None:
    aggregator = TaskAggregator((30,))
    found = [p for n in range(121) for p in aggregator.accept(people_batch(n + 1, START + n, 2))]
    flows = [p.flows[0] for p in found if isinstance(p, PeopleParameters)]
    assert [(f.people_in, f.people_in_today, f.people_out_today) for f in flows] == [
        (60, 60, 30), (60, 120, 60), (60, 60, 30), (60, 120, 60),
    ]  # fmt: skip


def test_the_days_totals_do_not_run_ahead_when_time_jumps() -> None:
    aggregator = TaskAggregator((30,), day_of=lambda _: 0)
    cells = tuple(PeopleCell(code=7, second=START + n, observed_us=10**6, people_in=1) for n in (0, 29, 30, 61))
    found = aggregator.accept(CellBatch(source="a", sequence=1, watermark=START + 500, people=cells))
    assert [p.flows[0].people_in_today for p in found if isinstance(p, PeopleParameters)] == [2, 3, 4]


def test_many_tasks_each_have_their_own_time_and_share_the_periods() -> None:
    aggregator = TrafficAggregator()
    aggregator.set_periods((10,))
    cell = LaneCell(code=1, second=100, observed_us=10**6)
    assert aggregator.accept("1", CellBatch(source="a", sequence=1, watermark=101, lanes=(cell,))) == ()
    assert len(aggregator.accept("2", CellBatch(source="a", sequence=1, watermark=110, lanes=(cell,)))) == 1
    first = aggregator.task("1")
    assert first is not None
    state = first.snapshot()
    aggregator.forget("1")
    assert aggregator.task_nums == ("2",)
    aggregator.begin("1", state)
    assert len(aggregator.accept("1", CellBatch(source="a", sequence=2, watermark=110))) == 1


def test_a_task_that_holds_no_cells_goes_on_all_the_same() -> None:
    aggregator = TrafficAggregator()
    aggregator.set_periods((1,))
    cell = LaneCell(code=1, second=100, observed_us=10**6)
    batch = CellBatch(source="a", sequence=1, watermark=101, lanes=(cell,))
    assert len(aggregator.accept("1", batch)) == 1
    assert aggregator.accept("1", batch) == ()
    assert aggregator.task("1").held == 0
