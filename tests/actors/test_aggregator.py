"""Aggregators that are killed, receivers and databases that are away: nothing twice, nothing lost but what was never sent."""

import dataclasses
import pickle
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.aggregator import Aggregator, AggregatorConfig, fact_id, local_day
from actors.cells import CellSender
from actors.errors import SinkUnavailableError, StoreUnavailableError, SupersededError
from actors.ports import CellReceipt, FactEnvelope, TaskRef
from traffic.aggregation import CellBatch
from traffic.facts import LaneParameters, PeopleParameters
from traffic.parameters import LaneCell
from traffic.people import PeopleCell
from traffic.people.crowd import CrowdState

START = 1_700_000_040
TASK = TaskRef(task_id=5, task_num="7", task_name="t", src_address="x", time_zone="Asia/Shanghai")


class Store:
    """A database in memory that can be away."""

    def __init__(self, periods: set[int]) -> None:
        self.in_use, self.states, self.rows = frozenset(periods), {}, {}
        self.away = False
        self.lives: dict[str, int] = {}

    def life(self, task_num: str) -> int:
        return self.lives.get(task_num, 0)

    def periods(self) -> frozenset[int]:
        return self.in_use

    def load(self, task_num: str) -> str | None:
        return self.states.get(task_num)

    def save(self, states: Mapping[str, str], history: Sequence[tuple[str, LaneParameters | PeopleParameters]]) -> None:
        if self.away:
            raise StoreUnavailableError("away")
        self.states |= states
        for task_num, p in history:
            self.rows[task_num, getattr(p, "road_num", "people"), p.close_s] = p

    def prune(self, keep_s: float) -> int:
        return 0


class Outbox:
    """Pushers in memory: they keep a fact once, by its id."""

    def __init__(self) -> None:
        self.facts: dict[str, FactEnvelope] = {}
        self.offered = Counter()
        self.away = False

    def publish(self, envelopes: Sequence[FactEnvelope]) -> None:
        if self.away:
            raise SinkUnavailableError("away")
        for envelope in envelopes:
            self.offered[envelope.fact_id] += 1
            self.facts.setdefault(envelope.fact_id, envelope)

    def lanes(self, period: int) -> list[LaneParameters]:
        facts = [e.fact for e in self.facts.values()]
        return [f for f in facts if isinstance(f, LaneParameters) and f.period_s == period]


def batch(sequence: int, vehicles: int = 1, source: str = "life", second: int | None = None) -> CellBatch:
    second = START + sequence - 1 if second is None else second
    lane = LaneCell(code=1, second=second, observed_us=10**6, counts=(0, 0, vehicles, 0, 0, 0))
    people = PeopleCell(code=3, second=second, observed_us=10**6, people_in=1)
    return CellBatch(source=source, sequence=sequence, watermark=second + 1, lanes=(lane,), people=(people,))


@settings(max_examples=60, deadline=None)
@given(
    kills=st.sets(st.integers(1, 199)), periods=st.sets(st.sampled_from((1, 5, 7, 60, 120)), min_size=1), save_s=st.integers(1, 9)
)
def test_killed_at_any_moment_it_states_everything_once(kills: set[int], periods: set[int], save_s: int) -> None:
    store, outbox, clock = Store(periods), Outbox(), [0.0]

    def fresh() -> Aggregator:
        return Aggregator(store, outbox, AggregatorConfig(save_s=save_s), lambda: clock[0])

    aggregator, pending = fresh(), []
    for sequence in range(1, 241):
        clock[0] += 1.0
        pending.append(batch(sequence))
        durable = aggregator.accept(TASK, pending, ended=sequence == 240)
        pending = [b for b in pending if b.sequence > durable]
        if sequence in kills:
            aggregator = fresh()
    assert pending == []
    for period in periods:
        lanes = outbox.lanes(period)
        assert sum(lane.vehicles for lane in lanes) == 240
        assert len({lane.close_s for lane in lanes}) == len(lanes)
    assert [row.vehicles for key, row in sorted(store.rows.items(), key=str) if key[1] == 1] == [60] * 4


def test_what_was_sent_again_is_the_same_fact() -> None:
    store, outbox = Store({1}), Outbox()
    first = Aggregator(store, outbox, AggregatorConfig(save_s=1e9), lambda: 0.0)
    first.accept(TASK, [batch(1), batch(2)])
    again = Aggregator(store, outbox, AggregatorConfig(save_s=1e9), lambda: 0.0)
    again.accept(TASK, [batch(1), batch(2)])
    assert len(outbox.facts) == 4
    assert set(outbox.offered.values()) == {2}


@pytest.mark.parametrize("part", ["store", "outbox"])
def test_while_something_is_away_nothing_is_acknowledged_and_nothing_is_lost(part: str) -> None:
    store, outbox, clock = Store({5}), Outbox(), [0.0]
    aggregator = Aggregator(store, outbox, AggregatorConfig(save_s=1.0), lambda: clock[0])
    pending, failed = [], 0
    for sequence in range(1, 41):
        clock[0] += 1.0
        {"store": store, "outbox": outbox}[part].away = 8 <= sequence < 23
        pending.append(batch(sequence))
        try:
            durable = aggregator.accept(TASK, pending)
        except (StoreUnavailableError, SinkUnavailableError):
            failed += 1
            assert aggregator.health()["error"] == "away"
            continue
        pending = [b for b in pending if b.sequence > durable]
    assert failed >= 10
    assert aggregator.health()["error"] == ""
    assert [lane.vehicles for lane in outbox.lanes(5)] == [5] * 8


def test_only_periods_that_interfaces_use_are_sent_and_the_minute_is_kept() -> None:
    store, outbox = Store(set()), Outbox()
    aggregator = Aggregator(store, outbox)
    aggregator.accept(TASK, [batch(n) for n in range(1, 121)], ended=True)
    assert outbox.facts == {}
    assert sorted(key[2] - START for key in store.rows if key[1] == 1) == [60, 120]


def test_a_new_interface_is_served_from_its_next_whole_period_on() -> None:
    store, outbox, clock = Store({5}), Outbox(), [0.0]
    aggregator = Aggregator(store, outbox, clock=lambda: clock[0])
    for sequence in range(1, 61):
        clock[0] += 0.01
        if sequence == 13:
            store.in_use = frozenset({5, 10})
            aggregator.interfaces_changed()
        aggregator.accept(TASK, [batch(sequence)])
    assert [lane.open_s - START for lane in outbox.lanes(10)] == [20, 30, 40, 50]
    assert len(outbox.lanes(5)) == 12


def test_a_task_made_anew_under_an_old_number_begins_anew() -> None:
    store, outbox = Store({5}), Outbox()
    aggregator = Aggregator(store, outbox)
    aggregator.accept(TASK, [batch(n) for n in range(1, 11)], ended=True)
    other = TaskRef(task_id=6, task_num="7", task_name="t", src_address="x", time_zone="Asia/Shanghai")
    for made in (aggregator, Aggregator(store, outbox)):
        made.accept(other, [batch(1, source="x", second=START)])
        assert made.health()["late"]["7"] == 0


def test_the_day_is_the_tasks_own() -> None:
    midnight = 1_700_006_400 - 8 * 3600  # in Shanghai
    assert local_day("Asia/Shanghai")(midnight) == local_day("Asia/Shanghai")(midnight - 1) + 1
    assert local_day("UTC")(midnight) == local_day("UTC")(midnight - 1)


def test_what_travels_between_actors_can_be_pickled() -> None:
    store, outbox = Store({5}), Outbox()
    Aggregator(store, outbox).accept(TASK, [pickle.loads(pickle.dumps(batch(n))) for n in range(1, 11)])
    for envelope in outbox.facts.values():
        assert pickle.loads(pickle.dumps(envelope)) == envelope
        assert isinstance(envelope.fact, LaneParameters | PeopleParameters)
        assert envelope.fact_id == fact_id(TASK, envelope.fact)


class Away:
    """A sink that fails the first ``failures`` times, and makes durable what came two calls ago."""

    def __init__(self, failures: int) -> None:
        self.failures, self.calls, self.seen, self.ended = failures, 0, set(), False
        self.done = threading.Event()
        self.sent: list[list[int]] = []

    def send(self, task: TaskRef, batches: Sequence[CellBatch], *, ended: bool, life: str) -> CellReceipt:
        self.calls += 1
        self.sent.append([item.sequence for item in batches])
        if self.calls <= self.failures:
            raise SinkUnavailableError("away")
        self.seen |= {b.sequence for b in batches}
        self.ended |= ended
        newest = max(self.seen)
        if ended:
            self.done.set()
        return CellReceipt(life="1", durable={"life": newest if ended else newest - 2})

    def crowds(self, task: TaskRef) -> dict[int, CrowdState]:
        return {}


def test_a_camera_keeps_what_is_not_durable_and_sends_it_again() -> None:
    sink = Away(failures=1)
    sender = CellSender(TASK, sink)
    sender.start()
    for sequence in range(1, 21):
        sender.put(batch(sequence))
    sender.put(None, ended=True)
    assert sink.done.wait(20)
    sender.stop(5.0)
    assert sink.seen == set(range(1, 21))
    assert (sender.pending, sender.dropped) == (0, 0)


def test_a_camera_sends_what_was_taken_only_once() -> None:
    sink = Away(failures=0)
    sender = CellSender(TASK, sink)
    sender.start()
    for sequence in range(1, 6):
        sender.put(batch(sequence))
        until = time.monotonic() + 20
        while sink.seen != set(range(1, sequence + 1)):
            assert time.monotonic() < until
            time.sleep(0.001)
    sender.put(None, ended=True)
    assert sink.done.wait(20)
    sender.stop(5.0)
    assert sink.sent == [[1], [2], [3], [4], [5], []]
    assert sender.pending == 0


class Dying:
    """An aggregator that is killed before every call of ``kills`` and begins anew from its store."""

    def __init__(self, store: Store, outbox: Outbox, kills: set[int]) -> None:
        self.store, self.outbox, self.kills, self.calls = store, outbox, kills, 0
        self.clock, self.aggregator, self.ended = 0.0, self.fresh(), threading.Event()

    def fresh(self) -> Aggregator:
        return Aggregator(self.store, self.outbox, AggregatorConfig(save_s=3.0), lambda: self.clock)

    def send(self, task: TaskRef, batches: Sequence[CellBatch], *, ended: bool, life: str) -> CellReceipt:
        self.calls += 1
        self.clock += 1.0
        if self.calls in self.kills:
            self.aggregator = self.fresh()
        receipt = self.aggregator.take(task, batches, ended=ended, life=life)
        if ended and not receipt.refused:
            self.ended.set()
        return receipt

    def crowds(self, task: TaskRef) -> dict[int, CrowdState]:
        return {}


@settings(max_examples=30, deadline=None)
@given(kills=st.sets(st.integers(1, 60), max_size=25))
def test_an_aggregator_that_begins_anew_is_sent_everything_that_is_not_durable(kills: set[int]) -> None:
    store, outbox = Store({5}), Outbox()
    sink = Dying(store, outbox, kills)
    sender = CellSender(TASK, sink)
    sender.start()
    for sequence in range(1, 41):
        sender.put(batch(sequence))
        time.sleep(0.0005)
    sender.put(None, ended=True)
    assert sink.ended.wait(20)
    sender.stop(5.0)
    assert [lane.vehicles for lane in outbox.lanes(5)] == [5] * 8
    assert sender.pending == 0


def test_batches_of_a_former_scene_are_forgotten_once_they_are_durable() -> None:
    """A new pipeline counts its batches from 1 again."""
    sink = Dying(Store({5}), Outbox(), set())
    sender = CellSender(TASK, sink)
    for sequence in range(1, 31):
        sender.put(batch(sequence))
    for sequence in range(1, 3):
        sender.put(batch(sequence, source="second life", second=START + 30 + sequence))
    sender.put(None, ended=True)
    sender.start()
    assert sink.ended.wait(20)
    sender.stop(5.0)
    assert sender.pending == 0


def test_a_camera_whose_aggregator_stays_away_keeps_the_newest_ten_minutes() -> None:
    sender = CellSender(TASK, Away(failures=10**9))
    for sequence in range(1, 701):
        sender.put(batch(sequence))
    assert (sender.pending, sender.dropped) == (600, 100)


def test_a_gathering_that_was_stated_is_durable_with_the_batch_that_tells_it() -> None:
    """Killed right after it, the next life knows of the alarm."""
    store, outbox = Store({5}), Outbox()
    config = AggregatorConfig(save_s=1e9)
    stated = (START + 1.0, START + 2.0, START + 2.0, START + 2.0, 1)
    Aggregator(store, outbox, config, lambda: 0.0).accept(TASK, [dataclasses.replace(batch(1), crowds=((3, stated),))])
    assert Aggregator(store, outbox, config, lambda: 0.0).crowds(TASK) == {3: stated}
    other = dataclasses.replace(TASK, task_id=6)
    assert Aggregator(store, outbox, config, lambda: 0.0).crowds(other) == {}


def test_cells_of_a_camera_that_runs_elsewhere_since_are_refused_and_change_nothing() -> None:
    store, outbox = Store({2}), Outbox()
    aggregator = Aggregator(store, outbox, AggregatorConfig(save_s=0.0))
    old, new = (dataclasses.replace(TASK, life=life) for life in (3, 4))
    aggregator.accept(old, [batch(1, source="old")])
    aggregator.accept(new, [batch(2, source="new")])
    before = dict(store.states)
    with pytest.raises(SupersededError, match="camera-7"):
        aggregator.accept(old, [batch(2, source="old"), batch(3, source="old")])
    assert store.states == before

    again = Aggregator(store, outbox, AggregatorConfig(save_s=0.0))  # one that began anew knows it from the database
    store.lives["7"] = 4
    with pytest.raises(SupersededError, match="camera-7"):
        again.accept(old, [batch(3, source="old")])
    again.accept(new, [batch(3, source="new")])


def test_windows_that_wait_for_the_pushers_are_not_refused_when_the_camera_that_filled_them_has_gone() -> None:
    store, outbox = Store({2}), Outbox()
    aggregator = Aggregator(store, outbox, AggregatorConfig(save_s=0.0))
    old, new = (dataclasses.replace(TASK, life=life) for life in (3, 4))
    outbox.away = True
    with pytest.raises(SinkUnavailableError):
        aggregator.accept(old, [batch(second, source="old") for second in range(1, 5)])
    outbox.away = False
    aggregator.accept(new, [batch(5, source="new")])
    assert {envelope.task.life for envelope in outbox.facts.values()} == {0}


class Counting(Store):
    """Notes how many states each transaction holds; ``gate``: a transaction waits for it."""

    def __init__(self, periods: set[int]) -> None:
        super().__init__(periods)
        self.sizes: list[int] = []
        self.gate, self.waits = threading.Event(), threading.Event()
        self.gate.set()

    def save(self, states: Mapping[str, str], history: Sequence[tuple[str, LaneParameters | PeopleParameters]]) -> None:
        self.waits.set()
        assert self.gate.wait(20)
        super().save(states, history)
        self.sizes.append(len(states))


def numbered(number: int) -> TaskRef:
    return dataclasses.replace(TASK, task_id=number, task_num=str(number))


def test_what_is_due_of_other_tasks_goes_along_in_one_transaction_of_bounded_size() -> None:
    store, clock = Counting(set()), [0.0]
    aggregator = Aggregator(store, Outbox(), AggregatorConfig(save_s=5.0), lambda: clock[0])
    for number in range(100):
        aggregator.accept(numbered(number), [batch(1)])
    clock[0] = 6.0
    durable = [aggregator.accept(numbered(number), [batch(1)]) for number in range(100)]
    assert durable == [1] * 100
    assert sorted(store.sizes) == [36, 64]
    assert len(store.states) == 100


def test_a_database_that_hangs_holds_up_only_what_must_be_written_now() -> None:
    store, clock = Counting(set()), [0.0]
    aggregator = Aggregator(store, Outbox(), AggregatorConfig(save_s=5.0), lambda: clock[0])
    aggregator.accept(numbered(1), [batch(1)])
    clock[0] = 6.0
    store.gate.clear()
    writer = threading.Thread(target=aggregator.accept, args=(numbered(1), [batch(2)]))
    writer.start()
    assert store.waits.wait(20)
    assert aggregator.accept(numbered(2), [batch(1)]) == 0, "taken in, not durable yet"
    assert aggregator.health()["tasks"] == 2
    store.gate.set()
    writer.join(20)
    assert aggregator.accept(numbered(1), [batch(2)]) == 2


def test_many_threads_and_outages_lose_and_double_nothing() -> None:
    store, outbox, threads = Store({5}), Outbox(), []
    aggregator = Aggregator(store, outbox, AggregatorConfig(save_s=0.0, refresh_s=0.0))
    lost: list[list[CellBatch]] = []

    def camera(number: int) -> None:
        task, pending = numbered(number), []
        for sequence in range(1, 61):
            if number == 0:  # the others meet an outage at whatever they do then
                store.away, outbox.away = sequence % 9 == 4, sequence % 7 == 3
            pending.append(batch(sequence))
            try:
                durable = aggregator.accept(task, pending)
                pending = [item for item in pending if item.sequence > durable]
            except (StoreUnavailableError, SinkUnavailableError):
                continue
        lost.append(pending)

    for number in range(6):
        threads.append(threading.Thread(target=camera, args=(number,)))
        threads[-1].start()
    for thread in threads:
        thread.join(60)
    store.away = outbox.away = False
    for number in range(6):
        everything = [batch(sequence) for sequence in range(1, 61)]
        assert aggregator.accept(numbered(number), everything, ended=True) == 60
    assert len(lost) == 6
    counted = Counter(envelope.task.task_num for envelope in outbox.facts.values() if isinstance(envelope.fact, LaneParameters))
    assert counted == Counter({str(number): 12 for number in range(6)})
    assert {fact.vehicles for fact in outbox.lanes(5)} == {5}
