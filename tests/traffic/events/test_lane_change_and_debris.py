"""What is no lane change and no debris, though it looks like it for a moment."""

import numpy as np

from traffic.events.debris import _is_there
from traffic.events.lane_change import LaneChangeDetector
from traffic.events.spots import Spot

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
