"""The braking that a noisy trajectory shows."""

import numpy as np
import pytest

from traffic.events.deceleration import _fit

TIMES = np.arange(-3.0, 1e-9, 0.2)


def way(before: float, rate: float, begin: float, end: float, noise: float, seed: int = 0) -> np.ndarray:
    """Metres along the road: constant speed, constant deceleration from ``begin`` to ``end``, constant speed."""
    passed = np.clip(TIMES - begin, 0, end - begin)
    lost = rate * (passed**2 / 2 + (end - begin) * np.maximum(TIMES - end, 0))
    return before * TIMES - lost + np.random.default_rng(seed).normal(0, noise, len(TIMES))


def test_emergency_braking_is_measured() -> None:
    before, after, rate, deviations = _fit(TIMES, way(20.0, 7.0, -1.6, -0.4, 0.1), 0.1, 4.5, -2.6) or (0, 0, 0, 0)
    assert before == pytest.approx(20.0, abs=0.5)
    assert after == pytest.approx(20.0 - 8.4, abs=0.7)
    assert rate == pytest.approx(7.0, abs=0.8)
    assert deviations > 3


@pytest.mark.parametrize("seed", range(5))
def test_ordinary_braking_is_never_sure_to_exceed_the_threshold(seed: int) -> None:
    _, _, _, deviations = _fit(TIMES, way(18.0, 3.0, -2.2, 0.0, 0.4, seed), 0.2, 4.5, -2.6) or (0, 0, 0, 0)
    assert deviations < 1.5


def test_a_coarse_picture_is_not_sure_of_emergency_braking() -> None:
    *_, fine = _fit(TIMES, way(20.0, 6.0, -1.4, -0.2, 0.0), 0.1, 4.5, -2.6) or (0,)
    *_, coarse = _fit(TIMES, way(20.0, 6.0, -1.4, -0.2, 0.0), 2.0, 4.5, -2.6) or (0,)
    assert fine > 3
    assert coarse < 1.0


def test_who_was_not_seen_before_braking_is_not_measured() -> None:
    assert _fit(TIMES[-3:], way(20.0, 6.0, -1.4, -0.2, 0.0)[-3:], 0.1, 4.5, -0.1) is None
