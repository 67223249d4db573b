"""Slides of a slope, cones and helmets, on drawn and simulated pictures."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from actors.decoding import DecodedFrame
from actors.simulation import SimulatedCamera, SimulatedFrame, parse_address
from actors.vision import PixelWatcher, VisionConfig
from actors.vision.cones import WIDTH_PX, find_cones
from actors.vision.heads import head_verdict
from actors.vision.small import small_picture
from tests.actors.vision.drawn import Film, Picture, frame, road, scene, track
from traffic.events.observations import FrameEvidence, PixelFindingKind
from traffic.scene.document import parse_scene
from traffic.types import ObjectClass, Track

SLOPE = {"regionCode": 9, "kind": "slope", "polygon": [[0.0, 0.35], [0.3, 0.35], [0.1, 0.95], [0.0, 0.95]]}


def _slope_road() -> Picture:
    rng, image = np.random.default_rng(4), road().astype(np.float32)
    grass = cv2.resize(rng.normal(0, 14, (60, 60, 1)).astype(np.float32), (200, 230))[..., None] + np.array([70, 95, 50])
    area = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(area, [np.array([[0, 126], [192, 126], [64, 342], [0, 342]])], 1)
    image[126:356, :200] = np.where(area[126:356, :200, None] > 0, grass, image[126:356, :200])
    return np.clip(image, 0, 255).astype(np.uint8)


def _kinds(said: list[FrameEvidence]) -> set[PixelFindingKind]:
    return {f.kind for e in said for f in e.findings}


def test_a_slide_is_told_and_a_shadow_over_the_slope_is_not() -> None:
    before = _slope_road()
    rng = np.random.default_rng(8)
    mud = before.astype(np.float32)
    area = np.zeros(before.shape[:2], np.uint8)
    cv2.ellipse(area, (70, 230), (90, 70), 0, 0, 360, 1, -1)
    soil = cv2.resize(rng.normal(0, 18, (50, 90, 1)).astype(np.float32), (640, 360))[..., None] + np.array([110, 80, 50])
    mud = np.where(area[..., None] > 0, soil, mud)
    shade = before.astype(np.float32)
    shade[area > 0] *= 0.6
    for picture, wanted in ((mud, True), (shade, False)):
        film = Film(PixelWatcher(scene(SLOPE), VisionConfig(cones=False)))
        film.show(8.0, before)
        film.show(9.0, np.clip(picture, 0, 255).astype(np.uint8))
        said = film.show(2.0, np.clip(picture, 0, 255).astype(np.uint8))
        assert (PixelFindingKind.SURFACE_CHANGE in _kinds(said)) is wanted


def _cone(image: Picture, x: int, foot: int, height: int) -> None:
    wide = height * 0.42
    for low, high, colour in (
        (0.0, 0.08, (40, 38, 36)),
        (0.08, 0.42, (225, 75, 25)),
        (0.42, 0.6, (225, 225, 220)),
        (0.6, 1.0, (225, 75, 25)),
    ):
        a, b = wide * (1.3 if low == 0 else 1 - 0.85 * low) / 2, wide * (1.3 if low == 0 else 1 - 0.85 * high) / 2
        shape = np.array(
            [
                [x - a, foot - low * height],
                [x + a, foot - low * height],
                [x + b, foot - high * height],
                [x - b, foot - high * height],
            ]
        )
        cv2.fillPoly(image, [np.round(shape).astype(np.int32)], colour, cv2.LINE_AA)


def test_cones_are_found_and_other_red_things_are_not() -> None:
    image = cv2.resize(road(), (1280, 720))
    places = [(300, 500, 90), (520, 420, 60), (800, 600, 130), (900, 330, 34)]
    for place in places:
        _cone(image, *place)
    cv2.rectangle(image, (1000, 400), (1120, 470), (220, 40, 30), -1)  # a sign
    cv2.rectangle(image, (100, 380), (108, 520), (225, 75, 25), -1)  # a post
    cv2.circle(image, (660, 300), 18, (230, 30, 30), -1)  # a lamp
    found = find_cones(small_picture(frame(image, 0.0), WIDTH_PX))
    for x, foot, height in places:
        middle = (x, foot - height / 2)
        assert any(f.box[0] < middle[0] < f.box[2] and f.box[1] < middle[1] < f.box[3] for f in found)
    assert len(found) == len(places)


def _decoded(simulated: SimulatedFrame) -> DecodedFrame:
    picture = av.VideoFrame.from_ndarray(simulated.image, format="rgb24").reformat(format="yuv420p")
    return DecodedFrame(
        index=simulated.index, pts_s=simulated.time_s, time_s=simulated.time_s, frame=picture, width=simulated.image.shape[1],
        height=simulated.image.shape[0], key_frame=True, rotation=0,
    )  # fmt: skip


def _tracks(simulated: SimulatedFrame) -> list[Track]:
    return [track(o.box, number=o.track_id, of=o.object_class) for o in simulated.truth.objects if o.visible > 0.5]


@pytest.fixture(scope="module")
def sprites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sprites")


def test_the_simulated_site_has_cones(sprites: Path) -> None:
    camera = SimulatedCamera(
        parse_address(
            "sim://approach?seed=4&width=1280&height=720&opposing=2&fps=1&duration_s=50&incident=road_works:at=5:for=30:lane=2"
        ),
        sprites,
    )
    best = 0
    for simulated in camera.frames():
        cones = find_cones(small_picture(_decoded(simulated), WIDTH_PX))
        incidents = simulated.truth.incidents
        things = incidents[0].things if incidents else ()
        if not things:
            assert len(cones) <= 1  # coats and lamps of ordinary traffic
        hits = 0
        for thing in things:
            x, y = (thing.box[0] + thing.box[2]) / 2, (thing.box[1] + thing.box[3]) / 2
            hits += any(c.box[0] < x < c.box[2] and c.box[1] < y < c.box[3] for c in cones)
        best = max(best, hits)
    assert best >= 6


def test_bare_heads_and_helmets_of_simulated_workers(sprites: Path) -> None:
    address = "sim://approach?seed=4&width=1280&height=720&opposing=2&fps=2&duration_s=40&pedestrians=0&incident=no_helmet:at=5:for=15:lane=2"
    camera = SimulatedCamera(parse_address(address), sprites)
    watcher = PixelWatcher(parse_scene(camera.scene_document()), VisionConfig(cones=False))
    votes: dict[int, list[PixelFindingKind]] = {}
    for simulated in camera.frames():
        for finding in watcher.look(_decoded(simulated), _tracks(simulated)).findings:
            if finding.track_id is not None:
                votes.setdefault(finding.track_id, []).append(finding.kind)
    bare, safe = sorted(votes)[0], sorted(votes)[-1]
    assert bare != safe
    assert votes[bare].count(PixelFindingKind.BARE_HEAD) >= 0.9 * len(votes[bare]) > 5
    assert votes[safe].count(PixelFindingKind.HELMET) >= 0.9 * len(votes[safe]) > 5


def test_nobody_is_judged_outside_helmet_regions(sprites: Path) -> None:
    camera = SimulatedCamera(parse_address("sim://approach?seed=4&width=1280&height=720&opposing=2&fps=1&duration_s=20"), sprites)
    watcher = PixelWatcher(parse_scene(camera.scene_document()))
    said = [watcher.look(_decoded(f), _tracks(f)) for f in camera.frames()]
    assert not _kinds(said) & {PixelFindingKind.BARE_HEAD, PixelFindingKind.HELMET}


def _person(cap: tuple[int, int, int] | None, hair: tuple[int, int, int] = (28, 24, 22)) -> Picture:
    """The upper quarter of a person 160 pixels high, BGR."""
    image = np.full((40, 56, 3), 120, np.uint8)
    cv2.rectangle(image, (10, 30), (46, 40), (60, 120, 200), -1)
    cv2.ellipse(image, (28, 16), (9, 13), 0, 0, 360, (130, 160, 205), -1, cv2.LINE_AA)
    cv2.ellipse(image, (28, 10), (10, 9), 0, 0, 360, cap or hair, -1, cv2.LINE_AA)
    cv2.rectangle(image, (20, 14), (36, 22), (130, 160, 205), -1)
    return image


@pytest.mark.parametrize("cap", [(20, 190, 235), (30, 30, 200), (200, 90, 20), (240, 242, 240)])
def test_strong_caps_are_helmets(cap: tuple[int, int, int]) -> None:
    verdict = head_verdict(_person(cap))
    assert verdict is not None
    assert verdict[0] is PixelFindingKind.HELMET


def test_dark_hair_is_bare_and_what_lies_between_is_unknown() -> None:
    verdict = head_verdict(_person(None))
    assert verdict is not None
    assert verdict[0] is PixelFindingKind.BARE_HEAD
    assert head_verdict(_person((120, 130, 140))) is None
    assert head_verdict(np.full((40, 56, 3), 235, np.uint8)) is None


def test_small_heads_are_not_judged() -> None:
    from actors.vision.heads import judge_heads

    image = np.full((360, 640, 3), 120, np.uint8)
    small = track((100.0, 100.0, 120.0, 160.0), of=ObjectClass.PERSON)
    assert judge_heads(frame(image, 0.0), [small], [small], VisionConfig()) == []
