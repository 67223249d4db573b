"""The braking that a noisy trajectory shows."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from traffic.events.deceleration import Braking, _is_exchanged, steadied
from traffic.events.deceleration import _fit as fit_places

Fit = tuple[float, float, float, float, float] | None

TIMES = np.arange(-3.0, 1e-9, 0.2)


def way(before: float, rate: float, begin: float, end: float, noise: float, seed: int = 0) -> np.ndarray:
    """Metres along the road: constant speed, constant deceleration from ``begin`` to ``end``, constant speed."""
    passed = np.clip(TIMES - begin, 0, end - begin)
    lost = rate * (passed**2 / 2 + (end - begin) * np.maximum(TIMES - end, 0))
    return before * TIMES - lost + np.random.default_rng(seed).normal(0, noise, len(TIMES))


def _fit(times: np.ndarray, along: np.ndarray, pixel: float, least: float, first_s: float) -> Fit:
    """All places equally exact: 1.4 pixels."""
    return fit_places(times, along, np.full(len(times), 1.4 * pixel), np.zeros(len(times), bool), least, first_s)


def test_emergency_braking_is_measured() -> None:
    before, after, rate, _, deviations = _fit(TIMES, way(20.0, 7.0, -1.6, -0.4, 0.1), 0.1, 4.5, -2.6) or (0, 0, 0, 0, 0)
    assert before == pytest.approx(20.0, abs=0.5)
    assert after == pytest.approx(20.0 - 8.4, abs=0.7)
    assert rate == pytest.approx(7.0, abs=0.8)
    assert deviations > 3


@pytest.mark.parametrize("seed", range(5))
def test_ordinary_braking_is_never_sure_to_exceed_the_threshold(seed: int) -> None:
    *_, deviations = _fit(TIMES, way(18.0, 3.0, -2.2, 0.0, 0.4, seed), 0.2, 4.5, -2.6) or (0, 0, 0, 0, 0)
    assert deviations < 1.5


def test_a_coarse_picture_is_not_sure_of_emergency_braking() -> None:
    *_, fine = _fit(TIMES, way(20.0, 6.0, -1.4, -0.2, 0.0), 0.1, 4.5, -2.6) or (0,)
    *_, coarse = _fit(TIMES, way(20.0, 6.0, -1.4, -0.2, 0.0), 2.0, 4.5, -2.6) or (0,)
    assert fine > 3
    assert coarse < 1.0


def test_who_was_not_seen_before_braking_is_not_measured() -> None:
    assert _fit(TIMES[-3:], way(20.0, 6.0, -1.4, -0.2, 0.0)[-3:], 0.1, 4.5, -0.1) is None


def test_a_foot_that_becomes_hidden_is_no_braking() -> None:
    """The car drives on evenly, but its completed foot is two metres short at first and less so when it is seen again."""
    hidden = (TIMES > -1.7) & (TIMES < -0.5)
    along = way(12.0, 0.0, -1.0, -0.5, 0.05) - 2.0 * hidden
    known = fit_places(TIMES, along, np.full(len(TIMES), 0.15), hidden, 2.0, -2.6)
    assert known is not None
    assert known[0] == pytest.approx(12.0, abs=0.3)
    assert known[1] == pytest.approx(12.0, abs=0.5)
    assert known[-1] < 0.5


def test_braking_shows_in_feet_that_were_hidden_all_along() -> None:
    hidden = TIMES > -2.3
    along = way(20.0, 7.0, -1.6, -0.4, 0.1) - 1.5 * hidden
    before, _, rate, _, deviations = fit_places(TIMES, along, np.full(len(TIMES), 0.15), hidden, 4.5, -2.6) or (0, 0, 0, 0, 0)
    assert before == pytest.approx(20.0, abs=1.0)
    assert rate == pytest.approx(7.0, abs=0.8)
    assert deviations > 1.9


def test_places_far_off_count_less() -> None:
    """The same wobble at the far end of the way: sure where a pixel is short there, not where it is metres long."""
    along = way(20.0, 7.5, -1.6, -0.3, 0.1)
    even = fit_places(TIMES, along, np.full(len(TIMES), 0.2), np.zeros(len(TIMES), bool), 4.5, -2.6)
    far = fit_places(TIMES, along, np.where(TIMES < -1.0, 3.0, 0.2), np.zeros(len(TIMES), bool), 4.5, -2.6)
    assert even is not None
    assert even[-1] > 1.9
    assert far is None or far[-1] < 0.5 * even[-1]


def two(beside_m: float, speeds: tuple[float, float], first_s: float = -9.0) -> Any:
    """Two tracks: the first goes 20 m/s and from -1 s on 8, the second ``speeds`` before and after, ``beside_m`` to the side."""
    history = np.stack([np.where(TIMES < -1.0, a * (TIMES + 1.0), b * (TIMES + 1.0)) for a, b in ((20.0, 8.0), speeds)])
    places = np.stack([np.broadcast_to(np.array([[0.0], [beside_m]]), history.shape), history], axis=2)
    times = np.stack([TIMES, np.where(first_s <= TIMES, TIMES, np.nan)])
    movers = SimpleNamespace(times=times, places=places, twin=np.zeros(2, int))
    return SimpleNamespace(movers=movers, rows=[0, 1])


def test_who_brakes_while_another_one_beside_it_gains_as_much_has_exchanged_its_number() -> None:
    braking = Braking(before=20.0, after=8.0, way=np.array([0.0, 1.0]), rate=9.0, middle_s=-1.0, deviations=4.0)
    assert _is_exchanged(two(3.0, (8.0, 20.0)), 0, braking)
    assert not _is_exchanged(two(12.0, (8.0, 20.0)), 0, braking), "too far away to be taken for it"
    assert not _is_exchanged(two(3.0, (20.0, 20.0)), 0, braking), "the other one drives on"
    assert not _is_exchanged(two(3.0, (20.0, 8.0)), 0, braking), "both brake"
    assert not _is_exchanged(two(3.0, (8.0, 11.0)), 0, braking), "it gains far less"


def test_a_track_that_slips_to_a_neighbour_while_the_neighbour_gets_a_new_one_is_no_braking() -> None:
    braking = Braking(before=20.0, after=8.0, way=np.array([0.0, 1.0]), rate=9.0, middle_s=-1.0, deviations=4.0)
    assert _is_exchanged(two(3.0, (20.0, 8.0), first_s=-1.2), 0, braking)
    assert not _is_exchanged(two(3.0, (20.0, 8.0), first_s=-2.8), 0, braking), "it was there before"
    assert not _is_exchanged(two(12.0, (20.0, 8.0), first_s=-1.2), 0, braking), "somebody far away comes into view"


def test_both_edges_of_a_box_tell_where_it_is() -> None:
    """The noise of one edge alone shrinks; a box that only grows as it comes nearer stays as it is."""
    rng, times = np.random.default_rng(3), np.arange(-3.0, 1e-9, 0.2)
    tall = 0.1 * np.exp(0.2 * times)
    boxes = np.column_stack([np.full(16, 0.4), 0.5 - tall, np.full(16, 0.5), np.full(16, 0.5)])
    assert np.allclose(steadied(times, boxes), boxes, atol=1e-9)
    noisy = [boxes + rng.normal(0, 0.003, boxes.shape) for _ in range(50)]
    off = np.array([steadied(times, box)[:, 3] - 0.5 for box in noisy])
    assert off.std() < 0.85 * np.array([box[:, 3] - 0.5 for box in noisy]).std()
