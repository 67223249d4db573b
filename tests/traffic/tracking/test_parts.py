"""The tracker's parts against their definitions."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from scipy.linalg import expm

from traffic.tracking import TRAFFIC
from traffic.tracking.association import assign, similarity
from traffic.tracking.boxes import covered, hidden_share, iou, to_edges, to_measurements
from traffic.tracking.camera import picture_shift
from traffic.tracking.kalman import COASTING, PARKED, TRACKED, KalmanBank

_BOX = np.array([[100.0], [200.0], [160.0], [260.0]])


def test_measurements_and_edges_are_inverse() -> None:
    measured = to_measurements(_BOX)
    assert measured[:, 0].tolist() == [130.0, 260.0, 60.0, 60.0]
    assert np.array_equal(to_edges(measured), _BOX)


def test_overlaps_of_boxes() -> None:
    other = np.array([[130.0, 400.0], [200.0, 200.0], [190.0, 460.0], [260.0, 260.0]])
    assert iou(_BOX, other).tolist() == [[pytest.approx(1 / 3), 0.0]]
    assert covered(_BOX, other).tolist() == [[0.5, 0.0]]
    assert hidden_share(_BOX, other).tolist() == [0.0]  # beside it, at the same distance
    assert hidden_share(_BOX, other + np.array([[0], [10], [0], [10]])).tolist() == [pytest.approx(0.5 * 50 / 60)]


@pytest.mark.parametrize("mode", [TRACKED, COASTING])
@pytest.mark.parametrize("dt_s", [0.01, 0.04, 0.5, 3.0])
def test_prediction_is_the_exact_solution_of_the_model(mode: int, dt_s: float) -> None:
    config = dataclasses.replace(TRAFFIC, velocity_memory_s=2.0, lost_memory_s=0.7)
    memory_s = config.velocity_memory_s if mode == TRACKED else config.lost_memory_s
    bank = KalmanBank(config)
    bank.add(to_measurements(_BOX))
    bank.velocity[:2, 0] = 30.0, -12.0
    mean = np.array([bank.position[0, 0], bank.velocity[0, 0]])
    covariance = np.array([[bank.state[2, 0, 0], 0.0], [0.0, bank.state[4, 0, 0]]])
    square = 60.0 * 60.0
    # Van Loan, IEEE Trans. Automatic Control 23, 1978: both integrals from one matrix exponential.
    drift = np.array([[0.0, 1.0], [0.0, -1.0 / memory_s]])
    noise = np.diag([config.position_wander**2, config.acceleration_noise**2]) * square
    block = expm(np.block([[-drift, noise], [np.zeros((2, 2)), drift.T]]) * dt_s)
    step = block[2:, 2:].T
    expected = step @ covariance @ step.T + step @ block[:2, 2:]
    bank.predict(dt_s, np.array([mode]))
    assert [bank.position[0, 0], bank.velocity[0, 0]] == pytest.approx((step @ mean).tolist(), rel=1e-9)
    found = bank.state[2:, 0, 0]
    assert found.tolist() == pytest.approx([expected[0, 0], expected[0, 1], expected[1, 1]], rel=1e-3)


def test_two_steps_are_one() -> None:
    one, two = KalmanBank(TRAFFIC), KalmanBank(TRAFFIC)
    for bank in (one, two):
        bank.add(to_measurements(_BOX))
        bank.velocity[:2] = 25.0
    one.predict(0.4, None)
    two.predict(0.15, None)
    two.predict(0.25, None)
    assert np.allclose(one.state[:, :2], two.state[:, :2], rtol=1e-4)


def test_correction_is_the_textbook_filter() -> None:
    bank = KalmanBank(TRAFFIC)
    bank.add(np.repeat(to_measurements(_BOX), 2, axis=1))
    bank.predict(0.2, None)
    before = bank.state.copy()
    measured = to_measurements(_BOX + 7.0)
    bank.update(np.array([1]), measured, np.array([1.5]))
    assert np.array_equal(bank.state[:, :, 0], before[:, :, 0])
    for axis, sigma in enumerate([TRAFFIC.position_noise] * 2 + [TRAFFIC.size_noise] * 2):
        mean, cov = before[:2, axis, 1], before[[[2, 3], [3, 4]], axis, 1]
        gain = cov[:, 0] / (cov[0, 0] + (1.5 * sigma) ** 2 * 3600)
        expected = mean + gain * (measured[axis, 0] - mean[0])
        assert bank.state[:2, axis, 1].tolist() == pytest.approx(expected.tolist())
        rest = (np.eye(2) - np.outer(gain, [1, 0])) @ cov
        assert bank.state[2:, axis, 1].tolist() == pytest.approx([rest[0, 0], rest[0, 1], rest[1, 1]])


def test_what_stands_stays_where_it_was_and_may_start_again() -> None:
    bank = KalmanBank(TRAFFIC)
    bank.add(to_measurements(_BOX))
    bank.velocity[:] = 3.0
    for _ in range(1000):
        bank.predict(0.2, np.array([PARKED]))
    assert bank.position[0, 0] == 130.0
    assert bank.velocity[0, 0] == 0.0
    assert 0.1 < math.sqrt(bank.state[4, 0, 0]) / 60.0 <= TRAFFIC.initial_speed


def test_the_assignment_is_the_best_one_to_one() -> None:
    random = np.random.default_rng(11)
    for _ in range(30):
        gain = random.uniform(-0.5, 1.0, (4, 5))
        best = max(
            sum(max(gain[row, column], 0.0) for row, column in enumerate(columns))
            for columns in itertools.permutations(range(5), 4)
        )
        rows, columns = assign(gain.copy())
        assert len(set(rows)) == len(rows)
        assert len(set(columns)) == len(columns)
        assert (gain[rows, columns] > 0).all()
        assert gain[rows, columns].sum() == pytest.approx(best)


def test_similarity_is_overlap_and_knows_margin_height_and_area() -> None:
    plain = dataclasses.replace(TRAFFIC, height_weight=0.0, min_area_ratio=0.0)
    other = np.array([[130.0, 190.0, 100.0], [200.0, 200.0, 180.0], [190.0, 250.0, 130.0], [260.0, 260.0, 230.0]])
    assert np.allclose(similarity(plain, _BOX, None, other), iou(_BOX, other))
    widened = similarity(plain, _BOX, np.array([[20.0], [0.0]]), other)
    assert widened[0, 1] == pytest.approx(10.0 / 190.0)  # 30 px apart, each 20 px wider on that side
    high = similarity(dataclasses.replace(plain, height_weight=1.0), _BOX, None, other)
    assert high[0].tolist() == pytest.approx([iou(_BOX, other)[0, 0], 0.0, iou(_BOX, other)[0, 2] * 30 / 80])
    bounded = similarity(dataclasses.replace(plain, min_area_ratio=0.5), _BOX, None, other)
    assert bounded[0, 0] == iou(_BOX, other)[0, 0]
    assert bounded[0, 2] == 0.0


def test_a_shift_of_the_picture_is_what_all_objects_share() -> None:
    random = np.random.default_rng(2)
    places = random.uniform(0, 1000, (2, 9))
    alike = np.full((9, 9), 0.01) + np.eye(9) * 0.8
    own = random.normal(0, 1, (2, 9))
    own[:, 4] = 40.0, 30.0  # one that turns aside
    shift = picture_shift(alike, places, places + own + np.array([[25.0], [0.0]]), 1.5)
    assert shift is not None
    assert shift[0] == pytest.approx(25.0, abs=1.5)
    assert picture_shift(alike, places, places + own, 3.0) is None
    assert picture_shift(alike[:3], places[:, :3], places + 25.0, 1.5) is None
