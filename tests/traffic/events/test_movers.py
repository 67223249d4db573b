"""What is known of an object from tick to tick: its number, and where its foot is when something hides it."""

import dataclasses

import numpy as np
import pytest

from tests.traffic.events.scripted import CAR, SIZE, START, lane, road, track
from traffic.events.boxes import foot_hidden
from traffic.events.movers import Movers
from traffic.events.world import HEIGHTS_M
from traffic.passages import PassageAnalyzer
from traffic.passages.view import GroundView
from traffic.types import Track

Box = tuple[float, float, float, float]


@pytest.fixture
def view() -> GroundView:
    """The road seen from straight above, ten pixels to the metre."""
    analyzer = PassageAnalyzer(road(lane(1, 10)))
    analyzer.update(START, SIZE, ())
    assert analyzer.view is not None
    return analyzer.view


def boxed(number: int, box: Box, time_s: float, first_s: float = 0.0) -> Track:
    """A car with this box in pixels."""
    return dataclasses.replace(track((number, CAR, 0.0, 0.0), time_s, first_s), box=box, detection=box)


def test_a_track_that_goes_on_under_a_new_number_within_one_tick_is_the_same_object(view: GroundView) -> None:
    """Ten frames per second, two per tick: the first is of the old track, the second of the new one."""
    movers = Movers()
    for frame in range(40):
        time_s, old = frame / 10, frame <= 20
        movers.note([track((1 if old else 2, CAR, 10.0, 5 + 10 * time_s), time_s, 0.0 if old else 2.1)])
        if frame % 2:
            movers.tick(time_s, view, HEIGHTS_M)
    assert movers.object_id.tolist() == [1]
    assert np.isfinite(movers.times[0]).sum() == 20
    assert movers.first_s[0] == 0.0


def test_who_is_not_found_in_a_tick_still_hides_what_is_behind_it() -> None:
    behind, before = [0.40, 0.30, 0.50, 0.42], [0.42, 0.40, 0.52, 0.60]
    boxes = np.array([behind, [0.0, 0.0, 0.0, 0.0]])
    hiders, there, found = np.array([behind, before]), np.array([True, True]), np.array([True, False])
    nothing = np.zeros((2, 2), bool)
    assert foot_hidden(boxes, hiders, there, found, nothing)[0]
    assert not foot_hidden(boxes, hiders, np.array([True, False]), found, nothing)[0], "it is not there any more"
    same = np.array([behind, [0.40, 0.31, 0.50, 0.44]])
    assert not foot_hidden(boxes, same, there, found, nothing)[0], "its own old track hides nobody"


def test_the_foot_of_one_that_stands_is_completed_by_the_height_it_had(view: GroundView) -> None:
    """A box found too wide for a moment is no reason for its foot to be nearer."""
    movers = Movers()
    for tick in range(30):
        time_s = tick / 5
        hidden = tick >= 20
        standing = boxed(1, (400, 300, 460 if not hidden else 475, 360 if not hidden else 340), time_s)
        hider = [boxed(2, (400, 335, 470, 420), time_s, 4.0)] if hidden else []
        movers.note([standing, *hider])
        movers.tick(time_s, view, HEIGHTS_M)
    row = int(np.flatnonzero(movers.track_id == 1)[0])
    assert np.isfinite(movers.rest_s[row])
    assert not movers.free[row, -5:].any()
    assert movers.boxes[row, -5:, 3] == pytest.approx(0.36, abs=1e-6)


def test_one_whose_foot_nobody_has_seen_since_it_stands_keeps_its_place(view: GroundView) -> None:
    """A car parks behind another one; its box is found now wider, now narrower."""
    movers = Movers()
    for tick in range(45):
        time_s, parked = tick / 5, tick >= 12
        top = 300.0 if parked else 300.0 - 20 * (12 - tick)
        width, height = ((60.0, 75.0, 52.0)[tick % 3], 40.0) if parked else (60.0, 60.0)
        hider = [boxed(2, (395, 336, 480, 420), time_s, 0.0)]
        movers.note([boxed(1, (400, top, 400 + width, top + height), time_s), *hider])
        movers.tick(time_s, view, HEIGHTS_M)
    row = int(np.flatnonzero(movers.track_id == 1)[0])
    assert not movers.free[row, -10:].any()
    assert np.isfinite(movers.rest_s[row]), "it stands"
    assert np.ptp(movers.boxes[row, -10:, 3]) < 0.004, "by the width alone it would go to and fro by 20 pixels"


def test_a_track_that_returns_takes_its_object_back_from_the_one_that_seemed_to_continue_it(view: GroundView) -> None:
    """Track 1 is not found for a moment, when track 2 comes into view just there: a slower vehicle ahead."""
    movers = Movers()
    for tick in range(25):
        time_s = tick / 5
        seen = [] if tick in (9, 10) else [track((1, CAR, 10.0, 5 + 20 * time_s), time_s, 0.0)]
        if tick >= 9:
            seen.append(track((2, CAR, 10.5, 42 + 8 * (time_s - 1.8)), time_s, 1.8))
        movers.note(seen)
        movers.tick(time_s, view, HEIGHTS_M)
        if tick == 10:
            assert movers.object_id.tolist() == [1], "it looks like one"
    one, two = movers.track_id.tolist().index(1), movers.track_id.tolist().index(2)
    assert movers.object_id[one] == 1 != movers.object_id[two]
    assert np.isfinite(movers.times[one]).sum() == 23
    assert np.nanmin(movers.times[two]) == pytest.approx(1.8)
    assert movers.first_s[two] == pytest.approx(1.8)


def test_a_second_track_of_one_vehicle_is_its_twin_until_they_part(view: GroundView) -> None:
    movers = Movers()
    twins = []
    for tick in range(20):
        time_s = tick / 5
        aside = 2.0 * max(time_s - 2, 0)
        seen = [
            track((1, CAR, 10.0, 5 + 10 * time_s), time_s, 0.0),
            track((2, CAR, 10.3 + aside, 5.4 + 10 * time_s), time_s, 0.1),
        ]
        movers.note(seen)
        movers.tick(time_s, view, HEIGHTS_M)
        twins.append(movers.twin.tolist())
    assert twins[5] == [0, 1]
    assert twins[-1] == [0, 0]


def test_an_old_track_that_returns_on_the_same_vehicle_takes_nothing_back(view: GroundView) -> None:
    """Track 2 goes on with what track 1 has begun; later the detector finds the vehicle once more, too large, as track 1."""
    movers = Movers()
    for tick in range(25):
        time_s = tick / 5
        y = 5 + 10 * time_s
        seen = [track((1, CAR, 10.0, y), time_s, 0.0)] if tick <= 8 else [track((2, CAR, 10.0, y), time_s, 1.8)]
        if tick in (14, 15):
            left, top, right, bottom = seen[0].box
            seen.append(boxed(1, (left, top - 10, right, bottom + 40), time_s))
        movers.note(seen)
        movers.tick(time_s, view, HEIGHTS_M)
    assert movers.object_id[movers.track_id.tolist().index(2)] == 1
