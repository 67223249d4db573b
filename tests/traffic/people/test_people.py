"""People: real crossings once, foot points, gatherings once."""

import dataclasses
import math
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from traffic.people import CrowdMonitor, CrowdRule, PeopleSampler
from traffic.people.crowd import durable_part
from traffic.scene.model import Calibration, CountLine, Region, Scene
from traffic.types import ObjectClass, Track, TrackId, TrackState

SIZE = (1000, 1000)
START = 1_700_000_000.0
# Walking from (0.5, 0.9) up to (0.5, 0.1): the right side is the picture's right.
LINE = CountLine(code=5, name="gate", segment=((0.5, 0.9), (0.5, 0.1)))
REGION = Region(
    region_code=7, name="square", kind="people", polygon=((0.4, 0.4), (0.8, 0.4), (0.8, 0.8), (0.4, 0.8)), area_m2=20.0
)


def person(
    number: int, x: float, y: float, time_s: float, state: TrackState = TrackState.CONFIRMED, velocity: float = 0.0
) -> Track:
    """A person 100 pixels tall whose foot point is (x, y) pixels; ``velocity`` to the right in pixels per second."""
    box = (x - 20, y - 100, x + 20, y)
    return Track(
        track_id=TrackId(number), state=state, box=box, velocity=(velocity, 0.0), object_class=ObjectClass.PERSON,
        class_share=1.0, score=0.9, time_s=time_s, first_time_s=START, hits=5, time_since_update_s=0.0, moved=True, detection=box,
    )  # fmt: skip


def play(scene: Scene, script: Callable[[float], Iterable[Track]], duration_s: float, fps: float = 10.0):
    """Total (in, out) by cell code, and the sampler."""
    sampler, cells = PeopleSampler(scene), []
    for index in range(round(duration_s * fps) + 1):
        sampler.advance(START + index / fps, SIZE, tuple(script(index / fps)))
        cells += sampler.take()
    cells += sampler.finish()
    totals: dict[int, tuple[int, int]] = {}
    for cell in cells:
        come, gone = totals.get(cell.region_code, (0, 0))
        totals[cell.region_code] = (come + cell.people_in, gone + cell.people_out)
    return totals, cells


def test_a_crossing_from_the_left_to_the_right_is_in() -> None:
    scene = Scene(count_lines=(LINE,))
    assert play(scene, lambda t: [person(1, 300 + 100 * t, 500, t)], 4)[0] == {5: (1, 0)}
    assert play(scene, lambda t: [person(1, 700 - 100 * t, 500, t)], 4)[0] == {5: (0, 1)}


def test_loitering_on_the_line_counts_nothing_and_crossing_at_last_counts_once() -> None:
    def script(time_s: float):
        x = 300 + 100 * time_s if time_s < 2 else 500 + 8 * math.sin(time_s * 9) if time_s < 20 else 500 + 100 * (time_s - 20)
        return [person(1, x, 500, time_s)]

    assert play(Scene(count_lines=(LINE,)), script, 19)[0] == {5: (0, 0)}
    assert play(Scene(count_lines=(LINE,)), script, 23)[0] == {5: (1, 0)}


def test_coming_back_counts_both_ways() -> None:
    assert play(Scene(count_lines=(LINE,)), lambda t: [person(1, 500 - 200 * math.cos(t), 500, t)], 6.2)[0] == {5: (1, 1)}


def test_going_round_the_end_of_a_line_is_no_crossing() -> None:
    def script(time_s: float):
        angle = math.pi * (1 - time_s / 4)
        return [person(1, 500 + 200 * math.cos(angle), 100 - 80 * math.sin(angle), time_s)]

    assert play(Scene(count_lines=(LINE,)), script, 4)[0] == {5: (0, 0)}


def test_a_group_is_counted_person_by_person() -> None:
    def script(time_s: float):
        return [person(n, 300 + 100 * time_s - 10 * n, 400 + 30 * n, time_s) for n in range(5)]

    assert play(Scene(count_lines=(LINE,)), script, 4)[0] == {5: (5, 0)}


def test_a_person_under_a_new_number_behind_the_line_is_still_counted_once() -> None:
    def script(time_s: float):
        x = 300 + 100 * time_s
        if 1.9 < time_s < 2.4:
            return []
        return [person(1 if time_s < 2 else 2, x, 500, time_s, velocity=80.0)]

    assert play(Scene(count_lines=(LINE,)), script, 4)[0] == {5: (1, 0)}


def test_a_region_counts_who_comes_in_and_who_goes_out() -> None:
    totals, cells = play(Scene(regions=(REGION,)), lambda t: [person(1, 200 + 100 * t, 600, t)], 8)
    assert totals == {7: (1, 1)}
    assert sum(cell.person_us for cell in cells) / 1e6 == pytest.approx(4.0, abs=0.15)


def test_who_comes_from_outside_the_picture_straight_into_a_region_is_in() -> None:
    edge = Region(region_code=7, name="", kind="people", polygon=((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))

    def script(time_s: float):
        if time_s < 4:
            return []
        return [person(1, 20 + 40 * (time_s - 4), 500, time_s)]

    def leave(time_s: float):
        x = max(220 - 50 * time_s, 20)
        return [person(1, x, 500, time_s, TrackState.CONFIRMED if time_s < 5 else TrackState.DELETED)] if time_s <= 5 else []

    assert play(Scene(regions=(edge,)), script, 8)[0] == {7: (1, 0)}
    assert play(Scene(regions=(edge,)), leave, 8)[0] == {7: (0, 1)}
    # Who was there when observation began has not come in.
    assert play(Scene(regions=(edge,)), lambda t: [person(1, 20, 500, t)], 4)[0] == {7: (0, 0)}


def mean_number(script: Callable[[float], Iterable[Track]], duration_s: float = 10.0) -> float:
    """People in the region, mean over time."""
    _, cells = play(Scene(regions=(REGION,)), script, duration_s)
    return sum(cell.person_us for cell in cells) / sum(cell.observed_us for cell in cells)


def test_a_person_missed_for_a_moment_still_counts_in_the_region() -> None:
    assert mean_number(lambda t: [person(1, 600, 600, t)] if (t % 2) < 1.75 else []) == pytest.approx(1.0, abs=0.02)


def test_a_person_hidden_by_what_stands_nearer_still_counts_and_one_who_is_gone_does_not() -> None:
    def passed_by(time_s: float):
        bus = dataclasses.replace(person(2, 600, 660, time_s), object_class=ObjectClass.BUS, box=(500, 400, 700, 660))
        return [person(1, 600, 600, time_s)] if (time_s % 4) < 2.6 else [bus]

    assert mean_number(passed_by) == pytest.approx(1.0, abs=0.02)
    assert mean_number(lambda t: [person(1, 600, 600, t)] if (t % 4) < 2.0 else []) == pytest.approx(0.66, abs=0.04)


def test_a_person_who_only_changed_the_number_is_not_counted_twice() -> None:
    """The track of one who passes by goes on with the other one's box: that one is not hidden, only renamed."""

    def script(time_s: float):
        if time_s < 5:
            return [person(1, 600, 600, time_s), person(2, 300 + 60 * time_s, 600, time_s)]
        return [person(2, 600 + 30 * (time_s - 5), 600, time_s)]

    numbers = []
    sampler = PeopleSampler(Scene(regions=(REGION,)))
    for index in range(100):
        sampler.advance(START + index / 10, SIZE, tuple(script(index / 10)))
        numbers.append(sampler.numbers[7])
    assert set(numbers[52:]) == {1}


def doubtful(number: int, x: float, y: float, time_s: float, score: float) -> Track:
    return dataclasses.replace(person(number, x, y, time_s), score=score)


def test_a_rigid_doubtful_thing_is_no_person_and_one_who_stands_is() -> None:
    assert mean_number(lambda t: [doubtful(1, 600, 600, t, 0.4)]) < 0.01
    assert mean_number(lambda t: [doubtful(1, 600, 600, t, 0.75)]) == pytest.approx(1.0, abs=0.02)


def test_a_doubtful_person_who_walks_or_sways_counts() -> None:
    assert mean_number(lambda t: [doubtful(1, 450 + 25 * t, 600, t, 0.4)]) > 0.85
    assert mean_number(lambda t: [doubtful(1, 600 + 9 * math.sin(6 * t), 600, t, 0.4)]) > 0.85


def test_a_track_that_stays_with_a_cone_after_its_person_has_gone_on_counts_no_more() -> None:
    def script(time_s: float):
        return [person(1, 420 + 50 * time_s, 600, time_s) if time_s < 4 else doubtful(1, 620, 600, time_s, 0.25)]

    sampler, numbers = PeopleSampler(Scene(regions=(REGION,))), []
    for index in range(100):
        sampler.advance(START + index / 10, SIZE, tuple(script(index / 10)))
        numbers.append(sampler.numbers[7])
    assert set(numbers[:40]) == {1}
    assert set(numbers[80:]) == {0}


def test_seconds_nobody_looked_at_are_not_observed() -> None:
    sampler = PeopleSampler(Scene(regions=(REGION,)))
    for time_s in (0.0, 0.5, 1.0, 30.0, 30.5, 31.0):
        sampler.advance(START + time_s, SIZE, [])
    cells = sampler.finish()
    assert sum(cell.observed_us for cell in cells) == 2_000_000


def test_the_area_is_given_or_measured_or_unknown() -> None:
    metres = Calibration(image_to_road=np.diag([30.0, 20.0, 1.0]))
    given = REGION
    measured = Region(region_code=7, name="", kind="people", polygon=REGION.polygon)
    for scene, area in (
        (Scene(regions=(given,), calibration=metres), 2000),
        (Scene(regions=(measured,), calibration=metres), round(0.4 * 30 * 0.4 * 20 * 100)),
        (Scene(regions=(measured,)), -1),
    ):
        _, cells = play(scene, lambda _: [], 2)
        assert {cell.area_dm2 for cell in cells} == {area}


def alarms(rule: CrowdRule, script: Callable[[float], int | None], duration_s: float, area_m2: float | None = None):
    """Times and people of the alarms of one region; None: no frame."""
    monitor, found = CrowdMonitor(7, "square", rule, area_m2), []
    for tenth in range(round(duration_s * 10) + 1):
        people = script(tenth / 10)
        if people is not None and (alarm := monitor.update(tenth / 10, people)):
            found.append((alarm.time_s, alarm.people_num, alarm.repeat))
    return found


RULE = CrowdRule(min_people=10, min_time_s=5.0, dissolve_s=10.0, repeat_s=None)


def test_a_gathering_is_stated_once_after_its_minimum_time() -> None:
    assert alarms(RULE, lambda t: 12 if t >= 3 else 2, 100) == [(8.0, 12, 0)]


def test_too_few_or_too_short_is_none() -> None:
    assert alarms(RULE, lambda _: 9, 60) == []
    assert alarms(RULE, lambda t: 12 if t % 10 < 4.5 else 2, 60) == []


def test_a_flicker_below_the_threshold_neither_interrupts_nor_states_again() -> None:
    assert alarms(RULE, lambda t: 2 if t % 3 < 1.0 else 12, 60) == [(7.0, 12, 0)]  # due at 6.0, when too few are seen


def test_it_is_stated_again_after_it_dissolved() -> None:
    assert [time for time, _, _ in alarms(RULE, lambda t: 0 if 20 <= t < 40 else 12, 60)] == [5.0, 45.0]
    assert [time for time, _, _ in alarms(RULE, lambda t: 0 if 20 <= t < 29 else 12, 60)] == [5.0]


def test_it_is_repeated_while_it_lasts() -> None:
    rule = CrowdRule(min_people=10, min_time_s=5.0, repeat_s=20.0)
    assert alarms(rule, lambda _: 11, 50) == [(5.0, 11, 0), (25.0, 11, 1), (45.0, 11, 2)]


def test_density_is_a_threshold_of_its_own() -> None:
    rule = CrowdRule(min_people=None, min_density_per_m2=2.0, min_time_s=1.0, repeat_s=None)
    assert alarms(rule, lambda _: 8, 10, area_m2=4.0) == [(1.0, 8, 0)]
    assert alarms(rule, lambda _: 8, 10, area_m2=5.0) == []
    assert alarms(rule, lambda _: 8, 10) == []


def test_time_nobody_looked_does_not_make_a_gathering_and_does_not_end_one() -> None:
    assert alarms(RULE, lambda t: None if 1 <= t < 30 else 12, 34) == []
    assert [t for t, _, _ in alarms(RULE, lambda t: None if 10 <= t < 60 else 2 if 60 <= t < 63 else 12, 90)] == [5.0]


def test_a_restart_states_no_gathering_twice() -> None:
    first = CrowdMonitor(7, "", RULE)
    assert [bool(first.update(float(t), 12)) for t in range(8)] == [False] * 5 + [True] + [False] * 2
    second = CrowdMonitor(7, "", RULE)
    second.restore(first.snapshot())
    assert not any(second.update(8.0 + t, 12) for t in range(60))


@pytest.mark.parametrize("pause_s", [0.3, 3.0, 10.0, 45.0])
@pytest.mark.parametrize("killed_at", range(0, 140, 3))
def test_killed_before_its_newest_state_is_durable_a_camera_names_the_same_gathering_the_same(
    killed_at: int, pause_s: float
) -> None:
    """Whoever publishes an alarm twice under one name has it delivered once."""
    first, durable, names = CrowdMonitor(7, "", RULE), None, set()
    for tenth in range(killed_at + 1):
        before = first.snapshot()
        alarm = first.update(tenth / 10, 12 if tenth >= 5 else 0)
        if alarm is not None:
            names.add((alarm.origin_s, alarm.repeat))
        if durable_part(first.snapshot()) != durable_part(before) and tenth < killed_at:
            durable = first.snapshot()
    second = CrowdMonitor(7, "", RULE)
    if durable is not None:
        second.restore(durable)
    begin_s = killed_at / 10 + pause_s
    for tenth in range(300):  # its first frames show nobody: tracks are not confirmed yet
        alarm = second.update(begin_s + tenth / 10, 12 if tenth >= 4 else 0)
        if alarm is not None:
            names.add((alarm.origin_s, alarm.repeat))
    assert len(names) == 1


def test_a_gathering_that_was_seen_to_dissolve_has_another_name_than_the_next() -> None:
    monitor = CrowdMonitor(7, "", RULE)
    found = [monitor.update(float(t), 0 if 20 <= t < 40 else 12) for t in range(60)]
    assert [alarm.origin_s for alarm in found if alarm] == [0.0, 40.0]


def test_a_recording_that_begins_again_begins_its_gatherings_anew() -> None:
    monitor = CrowdMonitor(7, "", RULE)
    monitor.restore((1000.0, 1050.0, 1050.0, 1005.0, 1))
    found = [monitor.update(0.1 * tenth, 12) for tenth in range(100)]
    assert [round(alarm.time_s, 1) for alarm in found if alarm] == [5.0]


def test_people_who_stand_still_behind_others_count_though_they_are_doubtful() -> None:
    """Of a crowd the front row is certain, and the rows behind are half hidden, hardly move and have low scores."""

    def script(time_s: float):
        rows = ((0, 700, 0.8), (1, 660, 0.35), (2, 620, 0.3))
        return [doubtful(10 * row + n, 450 + 45 * n, y, time_s, score) for row, y, score in rows for n in range(6)]

    assert mean_number(script) == pytest.approx(18, abs=6)
