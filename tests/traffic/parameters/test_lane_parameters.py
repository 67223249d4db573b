"""Parameters against values worked out by hand."""

import pytest

from tests.traffic.parameters.scripted import START, car, lane, play
from traffic.parameters import LaneShape, ParameterConfig
from traffic.types import ObjectClass


def stream(time_s: float, speed: float = 10.0, headway_s: float = 4.0, length: float = 5.0, number: int = 15):
    """Equal cars at equal headways; the first one's front is at 0 at time 0."""
    for index in range(number):
        front = (time_s - index * headway_s) * speed
        if -1 < front < 130:
            yield car(index, front, length=length)


def test_uniform_traffic_has_its_flow_speed_density_and_occupancy() -> None:
    # 10 m/s, one car each 4 s: spacing 40 m, density 25 veh/km, flow 900 veh/h.
    (parameters,) = [p for p in play(lambda t: stream(t, number=60), 240, period=60) if p.open_s == START + 60]
    assert parameters.vehicles == 15
    assert parameters.flow_rate_veh_h == pytest.approx(900)
    assert parameters.time_mean_speed_kmh == pytest.approx(36, rel=1e-3)
    assert parameters.harmonic_mean_speed_kmh == pytest.approx(36, rel=1e-3)
    assert parameters.space_mean_speed_kmh == pytest.approx(36, rel=0.02)
    assert parameters.density_veh_km == pytest.approx(25, rel=0.02)
    assert parameters.mean_time_headway_s == pytest.approx(4, abs=1e-3)
    assert parameters.mean_spacing_m == pytest.approx(40, abs=1e-2)
    assert parameters.last_spacing_m == pytest.approx(40, abs=1e-2)
    assert parameters.time_occupancy_ratio == pytest.approx(0.7 / 4, abs=1e-3)  # (5 + 2) m at 10 m/s of every 4 s
    assert parameters.space_occupancy_ratio == pytest.approx(5 / 40, rel=0.03)
    assert (parameters.queue_num, parameters.queue_length_m) == (0, 0.0)
    assert parameters.observed_s == pytest.approx(60)


def test_time_mean_is_above_space_mean_where_speeds_differ() -> None:
    def script(time_s: float):
        for index in range(30):
            fast = index % 2
            speed = 20.0 if fast else 10.0
            front = (time_s - index * 8.0) * speed
            if -1 < front < 130:
                yield car(index, front)

    parameters = next(p for p in play(script, 200, fps=20, period=60) if p.open_s == START + 60)
    assert parameters.time_mean_speed_kmh is not None
    assert parameters.harmonic_mean_speed_kmh is not None
    assert parameters.time_mean_speed_kmh > parameters.harmonic_mean_speed_kmh
    n = parameters.vehicles
    fast = round((parameters.time_mean_speed_kmh - 36) / 36 * n)
    assert parameters.harmonic_mean_speed_kmh == pytest.approx(n / (fast / 72 + (n - fast) / 36), rel=0.01)


def test_a_vehicle_standing_on_the_section_occupies_it_and_passes_once() -> None:
    def script(time_s: float):
        place = min(time_s * 10, 82.0) if time_s < 40 else 82.0 + (time_s - 40) * 10
        yield car(1, place)

    found = play(script, 60, period=60)
    assert sum(p.vehicles for p in found) == 1
    # Front on the section (79 m) after 7.9 s; its rear clears 81 m when the front is at 86 m, 0.4 s after it starts.
    assert found[0].time_occupancy_ratio == pytest.approx((40.4 - 7.9) / 60, abs=0.002)


def test_overlapping_vehicles_cover_the_lane_once() -> None:
    found = play(lambda _: [car(1, 50, length=20), car(2, 45, length=20), car(3, 110, length=20)], 10, period=10)
    assert found[0].space_occupancy_ratio == pytest.approx((25 + 10) / 100, abs=1e-6)


def test_classes_are_counted_apart() -> None:
    def script(time_s: float):
        yield car(1, time_s * 10, object_class=ObjectClass.BUS, length=12)
        yield car(2, time_s * 10 - 30)

    found = play(script, 20, period=120)
    assert found[0].counts == ((ObjectClass.CAR, 1), (ObjectClass.BUS, 1))


def test_flow_does_not_depend_on_the_frame_rate() -> None:
    for fps in (2.5, 5.0, 12.5, 25.0):
        found = play(lambda t: stream(t, speed=13.9, headway_s=2.0, number=40), 120, fps=fps, period=120)
        assert sum(p.vehicles for p in found) == 40
        assert found[0].time_occupancy_ratio * found[0].observed_s == pytest.approx(40 * 7 / 13.9, abs=0.15)


def test_a_lane_nobody_looked_at_is_left_out_and_a_gap_is_not_observed() -> None:
    def away(time_s: float) -> bool:
        return 30 <= time_s < 200

    found = play(lambda t: stream(t, number=100), 240, period=60, skip=away)
    assert [p.open_s - START for p in found] == [0, 180]
    assert found[0].observed_s == pytest.approx(29.9, abs=0.2)
    assert found[0].flow_rate_veh_h == pytest.approx(found[0].vehicles / found[0].observed_s * 3600)
    assert found[1].observed_s == pytest.approx(40, abs=0.2)
    assert found[1].time_occupancy_ratio == pytest.approx(0.7 / 4, abs=0.01)


def test_an_empty_lane_that_is_observed_is_stated_with_zeros() -> None:
    found = play(lambda _: (), 20, period=10)
    assert [(p.vehicles, p.time_occupancy_ratio, p.queue_num) for p in found[:2]] == [(0, 0.0, 0)] * 2
    assert found[0].time_mean_speed_kmh is None


def test_without_calibration_ratios_stand_and_lengths_are_not_measured() -> None:
    # The lane is one unit long; a vehicle of a tenth of it, 4.5 nominal metres, waits at the stop line.
    shape = LaneShape(road_num=1, length=1.0, loop=(0.75, 0.77), stop=1.0, metric=False)
    found = play(
        lambda _: [car(1, 0.98, length=0.1, nominal=45.0), car(2, 0.84, length=0.1, nominal=45.0)], 10, period=10, shape=shape
    )
    assert found[0].space_occupancy_ratio == pytest.approx(0.2)
    assert found[0].time_occupancy_ratio == pytest.approx(1.0)
    assert found[0].queue_num == 2
    assert (found[0].queue_length_m, found[0].density_veh_km, found[0].space_mean_speed_kmh) == (None, None, None)


def test_a_lane_without_a_stop_line_has_no_queue() -> None:
    found = play(lambda _: [car(1, 98)], 10, period=10, shape=lane(stop=None))
    assert (found[0].queue_num, found[0].queue_length_m, found[0].max_queue_num) == (None, None, None)


def test_frames_out_of_order_and_twice_are_ignored() -> None:
    from traffic.parameters import CameraSampler

    sampler = CameraSampler([lane()], ParameterConfig(), count_passings=True)
    for time_s in (0.0, 0.5, 0.5, 0.2, 1.0, 1.5, 2.0):
        sampler.advance(START + time_s, {1: [car(1, 50)]})
    cells = sampler.finish()
    assert [cell.observed_us for cell in cells] == [1_000_000, 1_000_000]


def test_a_passage_stated_after_its_second_was_closed_is_late() -> None:
    from traffic.parameters import CameraSampler, Passing

    sampler = CameraSampler([lane()], ParameterConfig(settle_s=1.0))
    for tenth in range(50):
        sampler.advance(START + tenth / 10, {})
        sampler.take()
    sampler.passed(1, Passing(time_s=START + 3.5, object_class=ObjectClass.CAR))
    sampler.passed(1, Passing(time_s=START + 1.5, object_class=ObjectClass.CAR))
    sampler.passed(9, Passing(time_s=START + 3.5, object_class=ObjectClass.CAR))
    assert sampler.late_passings == 1
    assert sum(sum(cell.counts) for cell in sampler.finish()) == 1
