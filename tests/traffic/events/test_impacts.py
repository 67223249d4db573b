"""What looks like a blow and is none: a foot that something hides, and a distance that makes everything slower."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from traffic.events.impacts import Shock, _nearer, measure_push, measure_shock

TIMES = np.arange(-1.0, 0.71, 0.1)
SHOCK = Shock(0.0, 15.0, 8.0, 8.0, 1.0, (0.0, 1.0))  # of the one behind, who drives up the picture


def contacts(boxes: np.ndarray) -> np.ndarray:
    """Metres of the bottom centres: the picture shows 40 m across and 100 m along, from above."""
    return np.column_stack([(boxes[:, 0] + boxes[:, 2]) * 20, (1 - boxes[:, 3]) * 100])


def pushed(lower_m_s: float, upper_m_s: float) -> float:
    """By how much a car that stood is told to be thrown forward when its edges go on like this from the shock on."""
    after = np.maximum(TIMES, 0.0)
    count = len(TIMES)
    lower, upper = 0.5 - lower_m_s * after / 100, 0.46 - upper_m_s * after / 100
    boxes = np.column_stack([np.full(count, 0.48), upper, np.full(count, 0.52), lower])[None]

    movers = SimpleNamespace(
        times=TIMES[None],
        clear=np.ones((1, count), bool),
        free=np.ones((1, count), bool),
        boxes=boxes,
        places=contacts(boxes[0])[None],
    )
    world: Any = SimpleNamespace(
        rows=[0],
        scale=[1.0],
        movers=movers,
        view=SimpleNamespace(contacts=contacts),
        errors_of=lambda some, _: np.full(len(some), 0.1),
    )
    return measure_push(world, 0, SHOCK)[0]


def test_who_is_thrown_forward_shows_it_at_both_edges() -> None:
    assert pushed(4.0, 4.0) == pytest.approx(4.0, abs=0.2)
    assert pushed(4.0, 0.0) == pytest.approx(0.0, abs=0.2), "whoever stops behind it hides its foot"


def test_a_velocity_shrinks_with_the_box_to_the_side_and_with_its_square_along_the_line_of_sight() -> None:
    tall = np.array([0.2] * 5 + [0.1] * 5)
    boxes = np.column_stack([np.zeros(10), 0.5 - tall, np.full(10, 0.1), np.full(10, 0.5)])
    early = np.arange(10) < 5
    assert _nearer(boxes, early, ~early) == pytest.approx([0.5, 0.25])


def test_a_guessed_foot_that_jumps_is_no_shock_when_the_upper_edge_goes_on() -> None:
    """A car brakes gently and turns aside; something hides its foot, and the old shape puts it metres nearer."""
    assert shock_rate(guess_m=0.0) < 4.0
    assert shock_rate(guess_m=6.0) < 4.0


def shock_rate(guess_m: float) -> float:
    """Of a car at 10 m/s that slows down by 2 m/s², whose hidden foot is guessed too near by so many metres in the end."""
    times = np.arange(-1.7, 0.001, 0.1)
    way = 10 * times - 2 * np.maximum(times + 0.7, 0) ** 2 / 2
    off = guess_m * np.clip((times + 0.6) / 0.6, 0, 1)
    count, free = len(times), times < -0.65
    lower, upper = 0.5 - (way - off) / 100, 0.45 - way / 100
    boxes = np.column_stack([np.full(count, 0.48), upper, np.full(count, 0.52), lower])
    movers = SimpleNamespace(
        times=times[None], clear=np.ones((1, count), bool), free=free[None], boxes=boxes[None], places=contacts(boxes)[None]
    )
    world: Any = SimpleNamespace(
        time_s=0.0,
        rows=[0],
        scale=[1.0],
        movers=movers,
        view=SimpleNamespace(contacts=contacts, metric=True),
        errors_of=lambda some, _: np.full(len(some), 0.1),
    )
    shock = measure_shock(world, 0)
    return 0.0 if shock is None else shock.rate
