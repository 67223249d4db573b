"""People of whom the detector is never sure."""

import numpy as np

from traffic.events.faint import FaintPeople
from traffic.events.observations import FaintPerson
from traffic.types import Box, Detections, ObjectClass

FPS = 12.5


def seen(*found: tuple[ObjectClass, float, Box]) -> Detections:
    """Detections of one frame."""
    if not found:
        return Detections.empty()
    return Detections(
        boxes=np.array([box for _, _, box in found], np.float32),
        scores=np.array([score for _, score, _ in found], np.float32),
        classes=np.array([int(kind) for kind, _, _ in found], np.int64),
    )


def walk(pixels_per_s: float, *, score: float = 0.2, seconds: float = 3.0, car: bool = False) -> tuple[FaintPerson, ...]:
    """Somebody 20 x 50 pixels who walks to the right; what is said of him at last."""
    people, said = FaintPeople(), ()
    for index in range(round(seconds * FPS)):
        x = 300 + pixels_per_s * index / FPS
        found = [(ObjectClass.PERSON, score, (x, 200.0, x + 20, 250.0))]
        if car:
            found.append((ObjectClass.CAR, 0.9, (x - 40, 180.0, x + 80, 260.0)))
        said = people.update(index / FPS, seen(*found))
    return said


def test_somebody_found_faintly_but_steadily_on_his_way_is_followed() -> None:
    (person,) = walk(20.0)
    assert person.since_s == 0.0
    assert person.box[0] > 340


def test_what_never_moves_is_not_told() -> None:
    assert walk(0.0) == ()


def test_what_is_as_fast_as_a_vehicle_is_not_told() -> None:
    assert walk(260.0) == ()


def test_a_part_of_a_vehicle_is_not_told() -> None:
    assert walk(20.0, car=True) == ()


def test_a_glimpse_is_not_told() -> None:
    assert walk(20.0, seconds=0.5) == ()


def test_below_the_detectors_noise_nothing_begins() -> None:
    assert walk(20.0, score=0.13) == ()
