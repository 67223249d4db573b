"""The weather of a camera: soon when clear, slow to change, forgotten after a gap."""

import numpy as np

from traffic.vehicle_codes import Weather
from traffic.weather import KINDS, WeatherEstimator


def seen(kind: Weather, share: float = 0.9) -> np.ndarray:
    shares = np.full(4, (1 - share) / 3)
    shares[KINDS.index(kind)] = share
    return shares


def test_one_clear_picture_is_enough_for_a_short_recording() -> None:
    assert WeatherEstimator().update(0.0, seen(Weather.RAIN)) is Weather.RAIN


def test_unclear_pictures_state_nothing_until_they_agree() -> None:
    estimator = WeatherEstimator()
    codes = [estimator.update(10.0 * step, seen(Weather.FOG, 0.53)) for step in range(6)]
    assert codes[0] is Weather.UNKNOWN
    assert codes[-1] is Weather.FOG
    torn = WeatherEstimator()
    for step in range(60):
        code = torn.update(10.0 * step, seen((Weather.FOG, Weather.SUNNY)[step % 2], 0.54))
    assert code is Weather.UNKNOWN


def test_single_wrong_pictures_change_nothing() -> None:
    estimator = WeatherEstimator()
    for step in range(200):
        assert estimator.update(10.0 * step, seen(Weather.RAIN if step % 7 == 3 else Weather.SUNNY)) is Weather.SUNNY


def test_a_change_takes_minutes_and_then_comes() -> None:
    estimator = WeatherEstimator()
    for step in range(60):
        estimator.update(10.0 * step, seen(Weather.SUNNY))
    changed = next(step for step in range(60, 200) if estimator.update(10.0 * step, seen(Weather.RAIN)) is Weather.RAIN)
    assert 180 <= 10.0 * (changed - 60) <= 480


def test_a_shower_shorter_than_the_hold_is_not_stated() -> None:
    estimator = WeatherEstimator()
    for step in range(120):
        kind = Weather.RAIN if 60 <= step < 72 else Weather.SUNNY
        assert estimator.update(10.0 * step, seen(kind)) is Weather.SUNNY


def test_time_that_goes_back_or_leaps_starts_anew() -> None:
    estimator = WeatherEstimator()
    estimator.update(1000.0, seen(Weather.SUNNY))
    assert estimator.update(10.0, seen(Weather.SNOW)) is Weather.SNOW
    assert estimator.update(10.0 + 7200.0, seen(Weather.FOG, 0.5)) is Weather.UNKNOWN
