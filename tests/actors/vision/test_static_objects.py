"""Static objects: what lies down on the road is told; ghosts, shadows, light, overlays and vehicles are not."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from actors.vision import PixelWatcher, VisionConfig
from tests.actors.vision.drawn import LOOK_S, Film, Picture, car, frame, road, scene, track
from traffic.events.observations import FrameEvidence, PixelFinding, PixelFindingKind
from traffic.types import Box, Track

ROAD = road()
BOX: Box = (300.0, 250.0, 330.0, 275.0)


def _objects(said: Sequence[FrameEvidence]) -> list[PixelFinding]:
    return [f for e in said for f in e.findings if f.kind is PixelFindingKind.STATIC_OBJECT]


def _with_box(image: Picture, colour: tuple[int, int, int] = (150, 105, 60), box: Box = BOX) -> Picture:
    image = image.copy()
    x1, y1, x2, y2 = (int(v) for v in box)
    cv2.rectangle(image, (x1, y1), (x2, y2), colour, -1)
    cv2.rectangle(image, (x1, y1), (x2, y1 + 6), tuple(min(255, c + 50) for c in colour), -1)
    return image


def _passing(seconds: float) -> Box:
    """A car that drives up the road within two seconds."""
    y = 330 - 110 * seconds
    return (280.0, y - 60, 360.0, y)


def _drive_by(film: Film, image: Picture, after: Picture | None = None) -> None:
    """A tracked car passes; the load falls when it is past the place."""

    def draw(passed: float) -> Picture:
        picture = (after if after is not None and passed > 1.0 else image).copy()
        car(picture, _passing(passed))
        return picture

    film.show(2.0, draw, lambda passed: [track(_passing(passed), velocity=(0.0, -110.0))])


def _film(**config: float) -> Film:
    return Film(PixelWatcher(scene(), VisionConfig(cones=False, **config)))  # type: ignore[arg-type]


@pytest.mark.parametrize("colour", [(150, 105, 60), (20, 20, 22), (215, 210, 200)])
def test_what_a_vehicle_lost_is_told_after_it_has_lain_for_a_while(colour: tuple[int, int, int]) -> None:
    film = _film()
    film.show(6.0, ROAD)
    _drive_by(film, ROAD, _with_box(ROAD, colour))
    assert not _objects(film.show(2.5, _with_box(ROAD, colour)))
    said = film.show(5.0, _with_box(ROAD, colour))
    found = _objects(said[-3:])
    assert len(found) == 3
    assert found[0].box == pytest.approx(BOX, abs=6)
    assert found[0].score >= 0.5


def test_it_ends_when_it_is_taken_away() -> None:
    film = _film()
    film.show(6.0, ROAD)
    _drive_by(film, ROAD, _with_box(ROAD))
    assert _objects(film.show(8.0, _with_box(ROAD)))
    film.show(6.0, ROAD)
    assert not _objects(film.show(2.0, ROAD))


def test_it_stays_while_vehicles_pass_before_it() -> None:
    film = _film()
    film.show(6.0, ROAD)
    _drive_by(film, ROAD, _with_box(ROAD))
    film.show(8.0, _with_box(ROAD))
    for _ in range(3):
        _drive_by(film, _with_box(ROAD))
        assert _objects(film.show(1.0, _with_box(ROAD)))


def test_what_was_there_from_the_start_is_nothing() -> None:
    film = _film()
    assert not _objects(film.show(20.0, _with_box(ROAD)))


def test_a_vehicle_that_was_there_from_the_start_leaves_no_ghost() -> None:
    parked = ROAD.copy()
    car(parked, (300.0, 240.0, 345.0, 275.0))
    film = _film()
    film.show(8.0, parked)
    _drive_by(film, ROAD)
    assert not _objects(film.show(12.0, ROAD))


def test_a_tracked_vehicle_that_stands_is_no_object_and_leaves_none() -> None:
    film = _film()
    film.show(6.0, ROAD)
    box: Box = (280.0, 200.0, 360.0, 262.0)
    standing = ROAD.copy()
    car(standing, box)
    assert not _objects(film.show(20.0, standing, [track(box)]))
    assert not _objects(film.show(8.0, ROAD))


def test_shadows_and_patches_of_light_are_no_objects() -> None:
    for factor in (0.6, 1.45):
        film = _film()
        film.show(6.0, ROAD)
        shaded = ROAD.astype(np.float32)
        shaded[230:262, 300:336] *= factor
        _drive_by(film, ROAD)
        assert not _objects(film.show(10.0, np.clip(shaded, 0, 255).astype(np.uint8)))


def test_glare_without_an_edge_is_no_object() -> None:
    film = _film()
    film.show(6.0, ROAD)
    glow = np.zeros(ROAD.shape[:2], np.float32)
    cv2.circle(glow, (320, 260), 12, 90.0, -1)
    glare = np.clip(ROAD + cv2.GaussianBlur(glow, (0, 0), 14.0)[..., None], 0, 255).astype(np.uint8)
    _drive_by(film, ROAD)
    assert not _objects(film.show(10.0, glare))


def test_an_exposure_jump_and_a_cloud_are_no_objects() -> None:
    film = _film()
    film.show(6.0, ROAD)
    _drive_by(film, ROAD)
    for gain in (0.7, 1.35, 0.8):
        bright = np.clip(ROAD.astype(np.float32) * gain, 0, 255).astype(np.uint8)
        assert not _objects(film.show(8.0, bright))


def test_a_clock_burnt_into_the_picture_is_no_object() -> None:
    film = Film(PixelWatcher(None, VisionConfig(cones=False)))

    def clock(passed: float, minute: int) -> Picture:
        picture = ROAD.copy()
        cv2.putText(picture, f"12:{minute:02d}:{int(passed):02d}", (430, 330), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255, 255, 255), 2)
        return picture

    said = []
    for minute in (38, 39, 41, 50):
        said += film.show(9.0, lambda passed, minute=minute: clock(passed, minute))  # type: ignore[misc]
    assert not _objects(said)


def test_rain_streaks_and_strong_noise_are_no_objects() -> None:
    film, rng = Film(PixelWatcher(scene(), VisionConfig(cones=False)), noise=6.0), np.random.default_rng(2)

    def rain(passed: float) -> Picture:
        picture = ROAD.copy()
        for x, y in rng.integers((0, 0), (640, 340), (250, 2)).tolist():
            cv2.line(picture, (x, y), (x + 1, y + 14), (190, 190, 190), 1)
        return picture

    film.show(5.0, rain)
    assert not _objects(film.show(15.0, rain))


def test_things_far_too_large_or_too_small_are_no_objects() -> None:
    for box in ((200.0, 180.0, 420.0, 290.0), (310.0, 300.0, 314.0, 303.0)):
        film = _film()
        film.show(6.0, ROAD)
        _drive_by(film, ROAD, _with_box(ROAD, box=box))
        assert not _objects(film.show(9.0, _with_box(ROAD, box=box)))


def test_things_beside_the_road_are_nothing() -> None:
    film, box = _film(), (20.0, 140.0, 50.0, 165.0)
    film.show(6.0, ROAD)
    _drive_by(film, ROAD, _with_box(ROAD, box=box))
    assert not _objects(film.show(9.0, _with_box(ROAD, box=box)))


def test_frames_between_two_looks_are_not_looked_at() -> None:
    watcher = PixelWatcher(scene())
    said = [watcher.look(frame(ROAD, 1000.0 + i * 0.08, i), ()) for i in range(26)]
    looked = [e.looked for e in said]
    assert sum(looked) == pytest.approx(26 * 0.08 * 3.0, abs=1.5)
    assert all(not e.findings for e in said)


def test_a_stream_that_jumps_back_or_changes_its_size_goes_on() -> None:
    film = _film()
    film.show(3.0, ROAD)
    small = cv2.resize(ROAD, (320, 180))
    for time_s in (500.0, 500.4, 9000.0, 9000.4):
        film.watcher.look(frame(small, time_s), ())
    film.show(LOOK_S * 2, ROAD)


def test_without_a_calibration_cars_are_the_rulers() -> None:
    film = Film(PixelWatcher(None, VisionConfig(cones=False)))
    film.show(5.0, ROAD)

    def tracks(passed: float) -> list[Track]:
        return [track((280.0, 150.0 + 20 * passed, 280.0 + 50, 150.0 + 20 * passed + 40), velocity=(0.0, 40.0))]

    film.show(6.0, ROAD, tracks)
    assert film.watcher.metres.known
    scale = film.watcher.metres.pixels_per_m(320, 230, (640, 360))
    assert scale == pytest.approx(40 / 1.5, rel=0.1)
