"""What is no lane change and no debris, though it looks like it for a moment."""

import numpy as np

from tests.traffic.events.scripted import CAR, Player, Seen, lane, region, road
from traffic.events import FrameEvidence, PixelFinding, PixelFindingKind
from traffic.events.debris import _is_there
from traffic.events.lane_change import LaneChangeDetector
from traffic.events.spots import Spot
from traffic.facts import EventKind

_smooth = LaneChangeDetector._is_smooth


def test_a_way_to_the_side_that_a_vehicle_can_drive_is_one() -> None:
    times = np.arange(0, 3.01, 0.2)
    aside = np.interp(times, [0.5, 2.5], [-1.75, 1.75]) + np.random.default_rng(1).normal(0, 0.1, times.size)
    assert _smooth(times, aside)
    assert _smooth(times, -aside)


def test_a_track_that_jumped_to_a_neighbour_did_not_drive_there() -> None:
    assert not _smooth(np.array([0.0, 0.25, 0.5, 0.75]), np.array([-1.7, -1.7, 1.1, 1.4]))


def test_a_track_that_went_over_and_came_back_at_once_did_not_change_lanes() -> None:
    assert not _smooth(np.array([0.0, 0.2, 0.6, 0.8, 1.0]), np.array([0.92, 0.0, 0.93, 0.98, 0.98]))


def spot(hits: int, looks: int) -> Spot:
    return Spot(1, (0.0, 0.0, 10.0, 10.0), 0.9, 0.0, looks / 2, hits, looks)


def test_what_flickers_must_be_found_more_often_the_fewer_the_looks_were() -> None:
    assert _is_there(spot(9, 9))
    assert not _is_there(spot(6, 9)), "once in twenty by chance for what is found in a third of the looks"
    assert _is_there(spot(18, 28))
    assert not _is_there(spot(14, 28))


def test_who_drives_off_slowly_leaves_its_hole_where_it_stood() -> None:
    """A car stands for 15 s and starts; two seconds later the pixels find a thing where its rear was."""

    def car(time_s: float) -> list[Seen]:
        y = 40 + 0.4 * max(time_s - 15, 0) ** 2
        return [(1, CAR, 10.0, y)] if y < 96 else []

    def see(time_s: float) -> FrameEvidence:
        box = (242.0, 588.0, 258.0, 600.0)  # the last 1.2 m
        found = (PixelFinding(kind=PixelFindingKind.STATIC_OBJECT, box=box, score=0.8),) if time_s > 18 else ()
        return FrameEvidence(findings=found, looked=True)

    scene = road(lane(1, 10), regions=[region(1, "parking", 8, 30, 12, 60)])
    assert Player(scene).play(car, 32, see=see).raised(EventKind.DEBRIS) == []
