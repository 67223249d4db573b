"""The view guard: moved, dark, blurred and shaking views are told and go away; traffic, night and exposure are none of them."""

import cv2
import numpy as np
import pytest

from actors.vision import PixelWatcher, VisionConfig
from tests.actors.vision.drawn import LOOK_S, Film, Picture, car, road, scene, track
from traffic.events.observations import ViewState

ROAD, OTHER = road(), road(seed=9)[:, ::-1].copy()
BARE = VisionConfig(cones=False, static_objects=False, surfaces=False, heads=False)


def _shifted(image: Picture, dx: float, dy: float) -> Picture:
    matrix = np.array([[1.0, 0, dx], [0, 1.0, dy]])
    return cv2.warpAffine(image, matrix, (image.shape[1], image.shape[0]), borderMode=cv2.BORDER_REFLECT)


def _night(image: Picture) -> Picture:
    return np.clip(image.astype(np.float32) * 0.22 + 4, 0, 255).astype(np.uint8)


@pytest.fixture
def film() -> Film:
    film = Film(PixelWatcher(scene(), BARE))
    film.show(6.0, ROAD)
    assert film.watcher.view is ViewState.OK
    return film


@pytest.mark.parametrize("shift", [(14, 0), (0, 12), (60, -20)])
def test_a_turned_camera_has_moved_and_comes_back(film: Film, shift: tuple[int, int]) -> None:
    moved = _shifted(ROAD, *shift)
    assert film.show(1.0, moved)[-1].view is ViewState.OK
    assert film.show(5.0, moved)[-1].view is ViewState.MOVED
    assert film.show(30.0, moved)[-1].view is ViewState.MOVED
    assert film.show(4.0, ROAD)[-1].view is ViewState.OK


def test_another_scene_is_a_moved_view(film: Film) -> None:
    turned = cv2.rotate(OTHER, cv2.ROTATE_180)
    assert film.show(6.0, turned)[-1].view is ViewState.MOVED


def test_a_lasting_new_view_is_taken_after_the_configured_time() -> None:
    film = Film(PixelWatcher(scene(), VisionConfig(cones=False, new_view_after_s=10.0)))
    film.show(6.0, ROAD)
    moved = _shifted(ROAD, 60, -20)
    assert film.show(8.0, moved)[-1].view is ViewState.MOVED
    film.show(8.0, moved)
    assert film.show(4.0, moved)[-1].view is ViewState.OK


def test_a_black_picture_is_dark_and_ends_with_the_light(film: Film) -> None:
    black = np.full_like(ROAD, 8)
    assert film.show(3.0, black)[-1].view is ViewState.DARK
    assert film.show(3.0, ROAD)[-1].view is ViewState.OK


def test_night_with_headlights_is_neither_dark_nor_moved(film: Film) -> None:
    night = _night(ROAD)

    def lamps(passed: float) -> Picture:
        picture = night.copy()
        y = int(150 + 40 * passed) % 200 + 130
        for x in (250, 290):
            cv2.circle(picture, (x, y), 9, (255, 250, 230), -1, cv2.LINE_AA)
        return picture

    said = film.show(15.0, lamps)
    assert {e.view for e in said} == {ViewState.OK}


@pytest.mark.parametrize("gain", [0.5, 0.75, 1.4])
def test_another_exposure_is_the_same_view(film: Film, gain: float) -> None:
    bright = np.clip(ROAD.astype(np.float32) * gain, 0, 255).astype(np.uint8)
    assert {e.view for e in film.show(8.0, bright)} == {ViewState.OK}


def test_a_lens_out_of_focus_is_blurred_and_recovers(film: Film) -> None:
    blurred = cv2.GaussianBlur(ROAD, (0, 0), 6.0)
    assert film.show(6.0, blurred)[-1].view is ViewState.BLURRED
    assert film.show(4.0, ROAD)[-1].view is ViewState.OK


def test_a_covered_lens_is_blurred(film: Film) -> None:
    assert film.show(6.0, np.full_like(ROAD, 120))[-1].view is ViewState.BLURRED


def test_a_mast_in_a_storm_shakes_and_a_light_sway_does_not(film: Film) -> None:
    def sway(amplitude: float, passed: float) -> Picture:
        return _shifted(ROAD, amplitude * np.sin(2 * np.pi * 0.9 * passed), 0.4 * amplitude * np.sin(2 * np.pi * 1.3 * passed))

    assert {e.view for e in film.show(8.0, lambda passed: sway(1.5, passed))} == {ViewState.OK}
    assert film.show(8.0, lambda passed: sway(9.0, passed))[-1].view is ViewState.SHAKING
    assert film.show(8.0, ROAD)[-1].view is ViewState.OK


def test_a_truck_that_fills_the_picture_is_no_other_view(film: Film) -> None:
    for tracked in (True, False):
        box = (60.0, 40.0, 600.0, 359.0)
        truck = ROAD.copy()
        car(truck, box, (200, 200, 195))
        tracks = [track(box)] if tracked else []
        assert {e.view for e in film.show(10.0, truck, tracks)} == {ViewState.OK}
        film.show(2.0, ROAD)


def test_heavy_traffic_is_the_same_view(film: Film) -> None:
    def traffic(passed: float) -> Picture:
        picture = ROAD.copy()
        for lane in range(3):
            for k in range(3):
                y = int((passed * (40 + 15 * lane) + 80 * k) % 230) + 120
                car(picture, (140.0 + 130 * lane, float(y), 230.0 + 130 * lane, float(y + 60)))
        return picture

    assert {e.view for e in film.show(12.0, traffic)} == {ViewState.OK}


def test_events_pause_at_once_no_findings_in_a_bad_view() -> None:
    film = Film(PixelWatcher(scene()))
    film.show(6.0, ROAD)
    said = film.show(6.0, np.full_like(ROAD, 8))
    assert all(not e.findings for e in said[int(2.0 / LOOK_S) :])
