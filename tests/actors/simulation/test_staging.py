"""Staged incidents: each happens, is told in the truth with its box, ends, and leaves ordinary films as they were."""

import hashlib
import json
from pathlib import Path

import pytest

from actors.errors import SourceError
from actors.simulation import FrameTruth, SimulatedCamera, parse_address
from actors.simulation.address import INCIDENT_KINDS
from actors.simulation.motion import Drive, Walk
from actors.simulation.road import build_road
from actors.simulation.signals import SignalPlan
from actors.simulation.traffic_model import TrafficModel
from traffic.scene.document import parse_scene, scene_warnings

SMALL = "sim://approach?seed=3&width=320&height=180&fps=2&duration_s=90"
AREA_KINDS = {"congestion", "mudslide"}
THINGS = {"debris": {"carton", "sack", "lost_tyre"}, "road_works": {"cone"}, "mudslide": {"mud"}}


def _film(kind: str, folder: Path, seed: int = 3) -> list[FrameTruth]:
    address = SMALL.replace("seed=3", f"seed={seed}") + f"&incident={kind}:at=8:for=20:lane=2"
    return [frame.truth for frame in SimulatedCamera(parse_address(address), folder).frames()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sprites")


@pytest.mark.parametrize("kind", INCIDENT_KINDS)
def test_every_kind_begins_is_in_view_and_ends(kind: str, folder: Path) -> None:
    film = _film(kind, folder)
    on = [i for i, truth in enumerate(film) if truth.incidents]
    assert on
    assert on == list(range(on[0], on[-1] + 1))
    assert on[-1] < len(film) - 1
    told = [film[i].incidents[0] for i in on]
    assert {t.kind for t in told} == {kind}
    assert told[0].since_s >= 8.0
    if kind != "congestion":
        seen = [t for t in told if t.box is not None]
        assert len(seen) >= min(2, len(on))
    if kind not in AREA_KINDS:
        numbers = {o.track_id for i in on for o in film[i].objects}
        assert numbers & set(told[0].track_ids) or kind == "debris"
    if kind in THINGS:
        assert {thing.kind for t in told for thing in t.things} & THINGS[kind]


@pytest.mark.parametrize("kind", ["accident", "road_works", "pedestrian", "no_helmet"])
def test_traffic_keeps_clear_of_what_is_staged(kind: str) -> None:
    """No ordinary vehicle drives into the stretch where people or wrecks are."""
    for seed in (1, 2):
        settings = parse_address(f"sim://approach?seed={seed}&flow=2400&incident={kind}:at=8:for=30:lane=2")
        traffic = TrafficModel(settings, build_road(settings), SignalPlan(cycle_s=60, green_s=30))
        for tick in range(90 * 4):
            traffic.advance(tick / 4)
            if not traffic.incidents():
                continue
            for vehicle in traffic.vehicles():
                if vehicle.lane.road_num == 2:
                    assert not (9.0 < vehicle.front_y < 25.0)


def test_the_same_address_stages_the_same_film(folder: Path) -> None:
    def digest() -> str:
        text = [json.dumps(truth.to_json(i, i / 2)) for i, truth in enumerate(_film("road_works", folder))]
        return hashlib.sha256("\n".join(text).encode()).hexdigest()

    assert digest() == digest()


@pytest.mark.parametrize("kind", INCIDENT_KINDS)
def test_the_scene_document_fits_the_incident(kind: str, folder: Path) -> None:
    wanted = {
        "illegal_parking": "no_parking",
        "restricted_area": "restricted",
        "crowd": "crowd",
        "no_helmet": "helmet",
        "leaving_road": "off_road",
        "junction_overflow": "junction_box",
        "mudslide": "slope",
    }
    document = SimulatedCamera(parse_address(f"sim://approach?incident={kind}:lane=2"), folder).scene_document()
    scene = parse_scene(document)
    scene_warnings(document)
    assert {r.kind for r in scene.regions} == {"people"} | ({wanted[kind]} if kind in wanted else set())


def test_an_incident_that_needs_two_lanes_says_so() -> None:
    with pytest.raises(SourceError, match="lanes"):
        parse_address("sim://approach?lanes=1&incident=accident")


def test_drive_stops_and_never_rolls_back() -> None:
    drive = Drive(x_m=0, y_m=0, speed_ms=10, legs=((1.0, 0.0), (10.0, -2.0)))
    assert drive.at(1.0).y_m == pytest.approx(10.0)
    assert drive.at(6.0).y_m == pytest.approx(35.0)
    assert drive.at(60.0).y_m == pytest.approx(35.0)
    assert drive.at(60.0).speed_ms == 0.0


def test_walk_stands_before_and_after_its_points() -> None:
    walk = Walk(points=((1.0, 0.0, 0.0), (3.0, 2.0, 0.0)))
    assert (walk.at(0.0).x_m, walk.at(0.0).speed_ms) == (0.0, 0.0)
    assert (walk.at(2.0).x_m, walk.at(2.0).speed_ms) == (1.0, 1.0)
    assert (walk.at(9.0).x_m, walk.at(9.0).speed_ms) == (2.0, 0.0)
