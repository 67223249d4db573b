"""What looks like a blow and is none: a foot that something hides, and a distance that makes everything slower."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from traffic.events.impacts import Shock, _nearer, measure_push

TIMES = np.arange(-1.0, 0.71, 0.1)
SHOCK = Shock(0.0, 15.0, 8.0, 8.0, 1.0, (0.0, 1.0))  # of the one behind, who drives up the picture


def pushed(lower_m_s: float, upper_m_s: float) -> float:
    """By how much a car that stood is told to be thrown forward when its edges go on like this from the shock on."""
    after = np.maximum(TIMES, 0.0)
    count = len(TIMES)
    lower, upper = 0.5 - lower_m_s * after / 100, 0.46 - upper_m_s * after / 100
    boxes = np.column_stack([np.full(count, 0.48), upper, np.full(count, 0.52), lower])[None]

    def contacts(some: np.ndarray) -> np.ndarray:
        return np.column_stack([(some[:, 0] + some[:, 2]) * 20, (1 - some[:, 3]) * 100])

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
