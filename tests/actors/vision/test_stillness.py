"""Pictures that look like the last detected one: what counts as the same, and for how long."""

import numpy as np
import pytest
from numpy.typing import NDArray

from actors.vision.stillness import Stillness
from models.handles import DetectionFailedError
from traffic.types import Detections

HEIGHT, WIDTH = 384, 640
Picture = NDArray[np.uint8]


class Answer:
    """A detection that comes, or fails."""

    def __init__(self, fails: bool = False) -> None:
        self.fails, self.asked = fails, 0

    def result(self, timeout_s: float) -> Detections:
        self.asked += 1
        if self.fails:
            raise DetectionFailedError("away")
        return Detections(boxes=np.zeros((1, 4), np.float32), scores=np.ones(1, np.float32), classes=np.zeros(1, np.int64))


def road(seed: int, noise: float = 5.0, light: float = 0.0) -> Picture:
    """A road with structure, as a camera with noise of ``noise`` levels sees it."""
    ground = np.linspace(60, 120, HEIGHT)[:, None] + 20 * np.sin(np.arange(WIDTH) / 9)[None]
    seen = ground[..., None] + light + np.random.default_rng(seed).normal(0, noise, (HEIGHT, WIDTH, 3))
    return np.clip(seen, 0, 255).astype(np.uint8)


def with_car(picture: Picture, x: int, y: int, size: int = 12, level: int = 200) -> Picture:
    picture = picture.copy()
    picture[y : y + size, x : x + 2 * size] = level
    return picture


def seen(stillness: Stillness, picture: Picture, time_s: float) -> bool:
    """Whether the detections are known; begins a detection where they are not."""
    if stillness.known(picture, time_s) is not None:
        return True
    stillness.detected(Answer())
    return False


def test_an_empty_road_is_detected_once_a_second_in_spite_of_noise() -> None:
    stillness = Stillness(1.0)
    known = [seen(stillness, road(number), number / 10) for number in range(30)]
    assert [number for number, item in enumerate(known) if not item] == [0, 10, 20]


def test_a_small_vehicle_that_comes_moves_or_goes_is_detected_at_once() -> None:
    stillness = Stillness(10.0)
    steps = [(None, False), (300, False), (300, True), (306, False), (306, True), (None, False), (None, True)]
    for number, (x, expected) in enumerate(steps):
        picture = road(number) if x is None else with_car(road(number), x, 100)
        assert seen(stillness, picture, number / 10) is expected, number


def test_a_vehicle_that_creeps_is_noticed_before_it_has_gone_far() -> None:
    """Compared with the last detected picture, so a fifth of a pixel a frame adds up."""
    stillness, at_detection, moved = Stillness(1e9), 300, []
    for number in range(200):
        x = 300 + number // 5  # pixels
        if not seen(stillness, with_car(road(number, noise=3.0), x, 100, size=24), float(number)):
            moved.append(x - at_detection)
            at_detection = x
    assert max(moved) <= 3


def test_a_cloud_is_no_vehicle_but_changes_add_up() -> None:
    stillness = Stillness(1e9)
    known = [seen(stillness, road(number, light=number * 0.5), float(number)) for number in range(20)]
    assert known[1:9] == [True] * 8
    assert not all(known[1:])


def test_a_shared_answer_is_asked_for_once_and_a_failure_is_shared_but_not_kept() -> None:
    stillness, answer = Stillness(1.0), Answer()
    assert stillness.known(road(1), 0.0) is None
    first = stillness.detected(answer)
    second = stillness.known(road(2), 0.1)
    assert second is not None
    assert len(first.result(1.0).scores) == len(second.result(1.0).scores) == answer.asked == 1

    broken = Stillness(1.0)
    assert broken.known(road(1), 0.0) is None
    failing = broken.detected(Answer(fails=True))
    waiting = broken.known(road(2), 0.1)
    assert waiting is not None
    for pending in (failing, waiting):
        with pytest.raises(DetectionFailedError):
            pending.result(1.0)
    assert broken.known(road(3), 0.2) is None


def test_off_forgotten_or_another_size_is_detected() -> None:
    off = Stillness(0.0)
    assert [seen(off, road(1), number / 10) for number in range(3)] == [False] * 3
    stillness = Stillness(1.0)
    assert not seen(stillness, road(1), 0.0)
    stillness.forget()
    assert not seen(stillness, road(1), 0.1)
    assert not seen(stillness, road(1)[:300], 0.2)
    assert not seen(stillness, road(1)[:300], 0.1), "a clock that goes back"
