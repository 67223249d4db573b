"""The life of incidents: raised once, kept, closed, cooled down; the same whatever the kind."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traffic.events.scripted import SIZE
from traffic.events.config import EventConfig
from traffic.events.evidence import Evidence
from traffic.events.lifecycle import LifeCycle
from traffic.facts import EventKind, EventPhase, TrafficEvent
from traffic.scene import DEFAULT_RULES

STOPPED, ACCIDENT, PEDESTRIAN = EventKind.VEHICLE_STOPPED, EventKind.ACCIDENT, EventKind.PEDESTRIAN
BOX = (10.0, 10.0, 20.0, 20.0)


def signs(kind: EventKind = STOPPED, number: int = 1, **more: object) -> Evidence:
    """Evidence about object ``number``."""
    values: dict = {"strength": 0.9, "box": BOX, "place": (5.0, 5.0), "reach": 2.0, "involved": (number,)} | more
    return Evidence(kind=kind, key=("object", number), **values)


def make(life: str = "") -> LifeCycle:
    return LifeCycle(EventConfig(), DEFAULT_RULES.__getitem__, life)


def run(cycle: LifeCycle, found: object, begin_s: float, end_s: float) -> list[TrafficEvent]:
    """Ticks of 0.2 s with the same signs, or those of a function of time."""
    stated = []
    for index in range(round(begin_s * 5), round(end_s * 5)):
        now = found(index / 5) if callable(found) else found
        stated += cycle.update(index / 5, list(now), SIZE)
    return stated


def test_an_incident_is_raised_once_after_its_least_duration_and_closed_when_its_signs_are_gone() -> None:
    cycle = make()
    assert run(cycle, [signs()], 0, 9.8) == []
    (raised,) = run(cycle, [signs()], 9.8, 60)
    assert (raised.phase, raised.kind, raised.start_s) == (EventPhase.RAISED, STOPPED, 0.0)
    assert 10 <= raised.time_s < 10.5
    (closed,) = run(cycle, [], 60, 90)
    assert closed.phase is EventPhase.CLOSED
    assert closed.event_id == raised.event_id
    assert closed.time_s == 59.8  # the end is when it was last seen, not when patience ran out


def test_signs_that_began_before_the_first_tick_count_from_their_beginning() -> None:
    (raised,) = run(make(), [signs(since_s=-20.0)], 0, 1)
    assert raised.start_s == -20.0


def test_flickering_signs_raise_nothing() -> None:
    assert run(make(), lambda t: [signs()] if round(t * 5) % 4 == 0 else [], 0, 60) == []


def test_weak_signs_raise_nothing() -> None:
    assert run(make(), [signs(strength=0.45)], 0, 60) == []


def test_an_object_under_a_new_number_at_the_same_place_is_the_same_incident() -> None:
    cycle = make()
    stated = run(cycle, [signs(number=1)], 0, 15) + run(cycle, [signs(number=2, place=(5.5, 5.0))], 15, 40)
    assert [s.phase for s in stated] == [EventPhase.RAISED]


def test_two_objects_seen_at_once_are_two_incidents_even_when_they_are_near() -> None:
    both = [signs(number=1), signs(number=2, place=(6.0, 5.0))]
    assert len(run(make(), both, 0, 15)) == 2


def test_a_group_of_people_is_one_incident() -> None:
    group = [signs(PEDESTRIAN, n, place=(5.0 + n, 5.0), reach=10.0, merges=True) for n in range(5)]
    assert len(run(make(), group, 0, 15)) == 1


def test_the_cool_down_keeps_the_same_place_quiet_and_another_one_not() -> None:
    cycle = make()
    run(cycle, [signs()], 0, 15)
    run(cycle, [], 15, 40)
    assert run(cycle, [signs(number=7)], 40, 60) == []
    assert len(run(cycle, [signs(number=8, place=(90.0, 90.0))], 60, 75)) == 1


def test_after_the_cool_down_the_place_may_raise_again() -> None:
    cycle = make()
    run(cycle, [signs()], 0, 15)
    run(cycle, [], 15, 150)
    assert len(run(cycle, [signs(number=7)], 150, 165)) == 1


def test_a_stopped_vehicle_that_proves_to_be_an_accident_is_upgraded_under_the_same_id() -> None:
    cycle = make()
    (raised,) = run(cycle, [signs()], 0, 15)
    both = [signs(), signs(ACCIDENT)]
    (upgraded,) = run(cycle, both, 15, 40)
    assert (upgraded.phase, upgraded.kind, upgraded.event_id) == (EventPhase.UPGRADED, ACCIDENT, raised.event_id)
    assert upgraded.start_s == raised.start_s
    stated = run(cycle, [signs()], 40, 80) + run(cycle, [], 80, 110)  # still standing: the same incident, not a new one
    assert [(s.phase, s.event_id) for s in stated] == [(EventPhase.CLOSED, raised.event_id)]


def test_sustaining_signs_keep_an_event_open_but_begin_none() -> None:
    cycle = make()
    assert run(cycle, [signs(sustain=True)], 0, 30) == []
    run(cycle, [signs()], 30, 45)
    assert run(cycle, [signs(sustain=True)], 45, 90) == []
    assert len(cycle.raised) == 1


def test_a_pause_neither_ends_an_open_event_nor_ripens_a_pending_one() -> None:
    cycle = make()
    run(cycle, [signs()], 0, 15)
    run(cycle, [signs(), signs(number=2, place=(50.0, 5.0))], 15, 20)
    cycle.hold(40.0)
    assert run(cycle, [], 60, 62) == []
    assert len(cycle.raised) == 1


def test_ids_come_from_the_incident_and_the_life() -> None:
    ids = {run(make(life), [signs()], 0, 15)[0].event_id for life in ("", "", "a", "b")}
    assert len(ids) == 3


def test_finish_closes_what_is_open() -> None:
    cycle = make()
    run(cycle, [signs(), signs(number=2, place=(50.0, 5.0))], 0, 15)
    assert [s.phase for s in cycle.finish(SIZE)] == [EventPhase.CLOSED] * 2
    assert cycle.raised == ()


ANY_SIGNS = st.lists(
    st.builds(
        lambda kind, number, x, strength, sustain: signs(kind, number, place=(x, 5.0), strength=strength, sustain=sustain),
        st.sampled_from([STOPPED, ACCIDENT, PEDESTRIAN, EventKind.ILLEGAL_PARKING]),
        st.integers(1, 4),
        st.sampled_from([0.0, 1.0, 30.0]),
        st.sampled_from([0.3, 0.9]),
        st.booleans(),
    ),
    max_size=4,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(ANY_SIGNS, st.integers(1, 80)), max_size=6))
def test_whatever_is_seen_every_event_is_raised_once_and_closed_once(spells: list[tuple[list[Evidence], int]]) -> None:
    cycle, stated, tick = make(), [], 0
    for found, ticks in spells:
        for _ in range(ticks):
            stated += cycle.update(tick / 5, found, SIZE)
            tick += 1
    stated += cycle.finish(SIZE)
    for event_id in {s.event_id for s in stated}:
        phases = [s.phase for s in stated if s.event_id == event_id]
        assert event_id
        assert phases[0] is EventPhase.RAISED
        assert phases.count(EventPhase.RAISED) == 1
        assert phases[-1] is EventPhase.CLOSED
        assert phases.count(EventPhase.CLOSED) == 1
