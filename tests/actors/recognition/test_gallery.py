"""Which pictures of a vehicle are kept, and whose plates are its own."""

import numpy as np
import pytest

from actors.decoding import cut_vehicle
from actors.recognition.config import RecognitionConfig
from actors.recognition.gallery import Gallery, Shot
from actors.recognition.ownership import is_own, stands_still
from tests.actors.recognition.support import frame, track
from traffic.types import Box, TrackId, TrackState

ONE = TrackId(1)


def gallery(**changes: object) -> Gallery:
    return Gallery(RecognitionConfig(**changes))  # type: ignore[arg-type]


def test_larger_pictures_replace_smaller_ones_and_only_so_many_are_kept() -> None:
    kept = gallery(crops_per_track=3)
    for step in range(10):
        side = 60 + 12 * step
        kept.observe(frame(step * 0.2), [track(1, (100, 100, 100 + side, 100 + side), step * 0.2)])
    shots = kept.shots(ONE)
    assert [shot.time_s for shot in shots] == [pytest.approx(value) for value in (1.8, 1.6, 1.4)]
    assert shots[0].quality > shots[-1].quality


def test_pictures_of_the_same_moment_are_not_kept_twice() -> None:
    kept = gallery()
    for step in range(3):
        kept.observe(frame(step * 0.04), [track(1, (100, 100, 200, 200), step * 0.04)])
    assert len(kept.shots(ONE)) == 1


def test_a_sharp_picture_is_better_than_a_blurred_one() -> None:
    kept = gallery()
    kept.observe(frame(0.0, blur=True), [track(1, (100, 100, 200, 200), 0.0)])
    kept.observe(frame(0.5), [track(1, (100, 100, 200, 200), 0.5)])
    assert kept.shots(ONE)[0].time_s == 0.5


def test_cut_off_and_covered_vehicles_are_worth_less() -> None:
    kept = gallery()
    kept.observe(
        frame(0.0),
        [track(1, (100, 260, 220, 360), 0.0), track(2, (300, 100, 420, 200), 0.0), track(3, (310, 120, 430, 230), 0.0)],
    )
    cut_off, covered, before = (kept.shots(TrackId(number))[0] for number in (1, 2, 3))
    assert cut_off.quality < 0.5 * before.quality
    assert covered.quality < 0.6 * before.quality
    assert covered.nearer == ((310, 120, 430, 230),)
    assert before.nearer == ()


def test_small_vehicles_and_people_are_not_kept() -> None:
    kept = gallery()
    kept.observe(frame(0.0), [track(1, (100, 100, 130, 130), 0.0)])
    assert kept.shots(ONE) == ()
    assert kept.bytes_held == 0


def test_memory_is_bounded_whatever_comes() -> None:
    kept = gallery(gallery_bytes=400_000)
    for step in range(40):
        tracks = [track(number, (10, 10, 300 + number, 300), step * 0.2, moved=number % 2 == 0) for number in range(1, 12)]
        kept.observe(frame(step * 0.2, seed=step), tracks)
        assert kept.bytes_held <= 400_000
    assert any(kept.shots(TrackId(number)) for number in range(1, 12))


def test_a_vehicle_is_forgotten_one_frame_after_its_track_ends() -> None:
    kept = gallery()
    box: Box = (100, 100, 200, 200)
    kept.observe(frame(0.0), [track(1, box, 0.0)])
    kept.observe(frame(0.1), [track(1, box, 0.1, state=TrackState.DELETED)])
    assert kept.shots(ONE)  # a passage may be stated with this very frame
    kept.observe(frame(0.2), [])
    assert kept.shots(ONE) == ()
    assert kept.bytes_held == 0


def test_a_track_that_goes_over_from_a_leaving_to_a_coming_vehicle_begins_anew() -> None:
    kept = gallery()
    for step, side in enumerate((160, 120, 80, 50, 40, 45, 60)):
        kept.observe(frame(step * 0.2), [track(1, (100, 100, 100 + side, 100 + side), step * 0.2)])
        assert kept.renewed == frozenset()
    assert kept.shots(ONE)[0].time_s == 0.0
    kept.observe(frame(1.4), [track(1, (100, 100, 190, 190), 1.4)])
    assert kept.renewed == {ONE}
    assert [shot.time_s for shot in kept.shots(ONE)] == [1.4]
    kept.observe(frame(1.6), [track(1, (100, 100, 230, 230), 1.6)])
    assert kept.renewed == frozenset()
    assert {shot.time_s for shot in kept.shots(ONE)} == {1.4, 1.6}


@pytest.mark.parametrize("max_px", [64, 720])
def test_a_cut_shows_the_vehicle_and_maps_back_to_the_frame(max_px: int) -> None:
    picture = frame(0.0, blur=True)
    cut = cut_vehicle(picture, (100, 50, 300, 150), margin=0.1, max_px=max_px)
    image = cut.rgb()
    assert image.dtype == np.uint8
    assert max(image.shape) <= max(max_px, 240)
    assert cut.luma().shape == image.shape[:2]
    corner = cut.to_frame(np.array([[0, 0], [image.shape[1], image.shape[0]]], float))
    assert corner == pytest.approx(np.array([[80, 40], [320, 160]]), abs=2.5)


def shot(box: Box, *nearer: Box, time_s: float = 0.0) -> Shot:
    return Shot(
        cut=cut_vehicle(frame(0.0, blur=True), box, margin=0.0, max_px=720), time_s=time_s, box=box, nearer=nearer, quality=1.0
    )


def plate(x: float, y: float, width: float = 40.0) -> np.ndarray:
    half, high = width / 2, width / 8
    return np.array([[x - half, y - high], [x + half, y - high], [x + half, y + high], [x - half, y + high]])


def test_a_plate_on_the_bumper_is_the_vehicles_own() -> None:
    assert is_own(plate(200, 270), shot((100, 100, 300, 300)))


@pytest.mark.parametrize(
    ("corners", "nearer"),
    [
        (plate(320, 270), ()),  # beside the vehicle
        (plate(200, 120), ()),  # over its roof: of one behind it
        (plate(200, 270, 180), ()),  # as wide as the vehicle
        (plate(200, 270, 6), ()),  # far too small
        (plate(220, 280), ((180.0, 240.0, 400.0, 350.0),)),  # on the roof line of a vehicle before it
    ],
)
def test_a_neighbours_plate_is_not(corners: np.ndarray, nearer: tuple[Box, ...]) -> None:
    assert not is_own(corners, shot((100, 100, 300, 300), *nearer))


def test_a_plate_that_stays_while_the_vehicle_moves_is_a_parked_ones() -> None:
    moving = [shot((100 + 60 * step, 100, 300 + 60 * step, 300)) for step in range(3)]
    assert stands_still([(plate(260, 270), item) for item in moving])
    assert not stands_still([(plate(200 + 60 * step, 270), item) for step, item in enumerate(moving)])


def test_a_standing_vehicle_keeps_its_plate() -> None:
    standing = [shot((100, 100, 300, 300)) for _ in range(3)]
    assert not stands_still([(plate(200, 270), item) for item in standing])
