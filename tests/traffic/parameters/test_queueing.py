"""The queue: from the stop line upstream, a gap ends it."""

import dataclasses
import itertools

import pytest

from tests.traffic.parameters.scripted import car, lane
from traffic.parameters import ParameterConfig
from traffic.parameters.queueing import Queue, QueueTracker


def settle(tracker: QueueTracker, vehicles: list, start_s: float = 0.0, duration_s: float = 2.0) -> Queue:
    """Show the same (vehicle, km/h) pairs for a while."""
    queue = Queue()
    for tenth in range(round(duration_s * 10) + 1):
        queue = tracker.advance(start_s + tenth / 10, vehicles)
    return queue


def tracker() -> QueueTracker:
    return QueueTracker(lane(), ParameterConfig())


def test_standing_vehicles_from_the_stop_line_on_are_the_queue() -> None:
    queue = settle(tracker(), [(car(1, 98), 0.0), (car(2, 90.5), 1.0), (car(3, 83), 4.9)])
    assert queue.number == 3
    assert queue.length == pytest.approx(100 - 78)
    assert queue.head == pytest.approx(2)


def test_a_gap_ends_it() -> None:
    queue = settle(tracker(), [(car(1, 98), 0.0), (car(2, 90), 0.0), (car(3, 60), 0.0), (car(4, 52), 0.0)])
    assert (queue.number, queue.length) == (2, pytest.approx(15))


def test_a_vehicle_standing_far_from_the_stop_line_makes_none() -> None:
    assert settle(tracker(), [(car(1, 60), 0.0), (car(2, 52), 0.0)]) == Queue()


def test_a_moving_vehicle_makes_none_and_one_that_just_stopped_waits_its_turn() -> None:
    assert settle(tracker(), [(car(1, 98), 5.1)]) == Queue()
    assert settle(tracker(), [(car(1, 98), 0.0)], duration_s=0.3) == Queue()
    assert settle(tracker(), [(car(1, 98), 0.0)], duration_s=1.0).number == 1


def test_a_vehicle_beyond_the_stop_line_is_not_in_it() -> None:
    assert settle(tracker(), [(car(1, 106), 0.0)]) == Queue()
    assert settle(tracker(), [(car(1, 102), 0.0)]).number == 1


def test_while_the_head_starts_those_who_still_stand_stay_in_the_queue() -> None:
    queue = tracker()
    standing = {n: 98 - 7.5 * (n - 1) for n in range(1, 6)}
    settle(queue, [(car(n, place), 0.0) for n, place in standing.items()])
    places, speeds = dict(standing), dict.fromkeys(standing, 0.0)
    numbers = []
    for tenth in range(1, 200):
        time_s = 2.0 + tenth / 10
        for n in standing:
            if time_s > 2.0 + 1.5 * n:  # start-up wave
                speeds[n] = min(speeds[n] + 0.2, 12.0)
                places[n] += speeds[n] / 10
        vehicles = [(car(n, places[n]), speeds[n] * 3.6) for n in standing if places[n] < 120]
        numbers.append(queue.advance(time_s, vehicles).number)
    assert numbers[0] == 5
    assert all(a >= b for a, b in itertools.pairwise(numbers))
    assert set(numbers) == {0, 1, 2, 3, 4, 5}


def test_a_broken_down_vehicle_left_behind_is_no_queue_for_long() -> None:
    queue = tracker()
    settle(queue, [(car(1, 98), 0.0), (car(2, 90), 0.0)])
    numbers = {}
    for tenth in range(200):
        time_s = 2.1 + tenth / 10
        head = [(car(1, 98 + tenth), 36.0)] if tenth < 20 else []
        numbers[time_s] = queue.advance(time_s, [*head, (car(2, 90), 0.0)]).number
    # At 10 m from the stop line it would count as waiting there; move the line out of reach.
    assert numbers[2.1 + 199 / 10] == 1
    far = QueueTracker(lane(), ParameterConfig(queue_start_m=5.0))
    settle(far, [(car(1, 98), 0.0), (car(2, 90), 0.0)])
    seen = []
    for tenth in range(200):
        head = [(car(1, 98 + tenth), 36.0)] if tenth < 20 else []
        seen.append(far.advance(2.1 + tenth / 10, [*head, (car(2, 90), 0.0)]).number)
    assert seen[30] == 1
    assert seen[-1] == 0


def test_a_flicker_of_speed_does_not_break_the_queue() -> None:
    queue = tracker()
    settle(queue, [(car(1, 98), 0.0), (car(2, 90), 0.0)])
    assert queue.advance(2.1, [(car(1, 98), 9.0), (car(2, 90), 0.0)]).number == 2
    assert queue.advance(2.2, [(car(1, 98), 0.0), (car(2, 90), None)]).number == 2


def test_who_still_stands_behind_vehicles_that_drive_off_is_in_the_queue_though_its_head_was_never_seen_standing() -> None:
    """A camera that begins to look while a queue starts."""
    queue, numbers = tracker(), []
    for tenth in range(31):
        head = [(car(1, 98 + 0.4 * tenth), 14.4), (car(2, 88 + 0.3 * tenth), 10.8)]
        numbers.append(queue.advance(tenth / 10, [*head, (car(3, 80), 0.0), (car(4, 73), 0.0)]).number)
    assert numbers[3] == 0
    assert numbers[10:] == [2] * 21


def test_a_vehicle_that_stands_far_behind_free_traffic_is_no_queue() -> None:
    queue, numbers = tracker(), []
    for tenth in range(60):
        passing = [(car(1, 70 + 1.4 * tenth), 50.0)]
        numbers.append(queue.advance(tenth / 10, [*passing, (car(3, 40), 0.0)]).number)
    assert set(numbers) == {0}


def test_a_van_taken_for_a_lorry_does_not_tear_the_queue() -> None:
    vehicles = [(dataclasses.replace(car(1, 98), nominal=1.0), 0.0), (dataclasses.replace(car(2, 86), nominal=1.9), 0.0)]
    assert settle(tracker(), vehicles).number == 2


def test_a_gap_that_the_vehicles_hide_does_not_end_it_but_a_long_one_does() -> None:
    lorry = dataclasses.replace(car(1, 98), hidden=(76, 98))
    assert settle(tracker(), [(lorry, 0.0), (car(2, 76), 0.0)]).number == 2
    assert settle(tracker(), [(car(1, 98), 0.0), (car(2, 76), 0.0)]).number == 1
    high = dataclasses.replace(car(1, 98), hidden=(40, 98))
    assert settle(tracker(), [(high, 0.0), (car(2, 60), 0.0)]).number == 1


def test_a_faint_vehicle_continues_a_queue_and_makes_none() -> None:
    mark = dataclasses.replace(car(-1, 98), faint=True)
    assert settle(tracker(), [(mark, 0.0)]) == Queue()
    behind = dataclasses.replace(car(-2, 90), faint=True)
    assert settle(tracker(), [(car(1, 98), 0.0), (behind, 0.0)]).number == 2
    assert settle(tracker(), [(mark, 0.0), (car(1, 90), 0.0)]).number == 1


def test_a_vehicle_with_a_new_number_has_stood_as_long_as_the_one_in_its_place() -> None:
    queue = tracker()
    faint = dataclasses.replace(car(-2, 90), faint=True)
    settle(queue, [(car(1, 98), 0.0), (faint, 0.0)])
    assert queue.advance(2.1, [(car(1, 98), 0.0), (car(7, 90.5), None)]).number == 2
    assert queue.advance(2.2, [(car(8, 98), None), (car(7, 90.5), 0.5)]).number == 2


def test_a_number_that_jumps_to_the_next_vehicle_leaves_the_queue_as_it_was() -> None:
    queue, standing = tracker(), [(car(1, 98), 0.0), (car(2, 90), 0.0), (car(3, 82), 0.0)]
    settle(queue, standing)
    numbers = []
    for tenth in range(1, 8):  # number 3 slips onto vehicle 2, whose own number is lost; vehicle 3 gets a number a little later
        seen = [(car(1, 98), 0.0), (car(3, min(82 + 2.0 * tenth, 90)), 60.0)]
        numbers.append(queue.advance(2.0 + tenth / 10, [*seen, *([(car(9, 82), None)] if tenth > 4 else [])]).number)
    assert numbers[-1] >= 2
