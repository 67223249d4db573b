"""One vehicle, one alarm, though its number changes: a second track beside the first, which then ends."""

import numpy as np
import pytest

from tests.traffic.events.scripted import CAR, Player, Seen, lane, region, road
from traffic.events.twins import find_twins
from traffic.facts import EventKind
from traffic.scene import Boundary

BOTH_S = (0.4, 1.0, 2.0)


def renamed(way, change_s: float, both_s: float):  # type: ignore[no-untyped-def]
    """A car on ``way``, time to (x, y) in metres: number 2 beside 1 for ``both_s`` seconds before 1 ends at ``change_s``."""

    def script(time_s: float) -> list[Seen]:
        x, y = way(time_s)
        if not 4 < y < 96:
            return []
        return [(1, CAR, x, y)] * (time_s < change_s) + [(2, CAR, x + 0.2, y + 0.5)] * (time_s > change_s - both_s)

    return script


@pytest.mark.parametrize("both_s", BOTH_S)
def test_a_speeding_vehicle_under_a_new_number_is_raised_once(both_s: float) -> None:
    scene = road(lane(1, 10, speed_limit_kmh=50.0))
    player = Player(scene, fps=10).play(renamed(lambda t: (10.0, 4 + 20 * t), 2.4, both_s), 5)
    assert len(player.raised(EventKind.SPEEDING)) == 1


@pytest.mark.parametrize("both_s", BOTH_S)
def test_a_slow_vehicle_under_a_new_number_is_raised_once(both_s: float) -> None:
    scene = road(lane(1, 10), lane(2, 14), highway=True)
    player = Player(scene).play(renamed(lambda t: (10.0, 4 + 6 * t), 7.0, both_s), 16)
    assert len(player.raised(EventKind.LOWER_SPEED)) == 1


@pytest.mark.parametrize("both_s", BOTH_S)
def test_a_vehicle_in_a_closed_place_under_a_new_number_is_raised_once(both_s: float) -> None:
    scene = road(lane(1, 10), regions=[region(1, "restricted", 16, 0, 24, 100)])
    player = Player(scene).play(renamed(lambda t: (20.0, 4 + 12 * t), 4.0, both_s), 8)
    assert len(player.raised(EventKind.RESTRICTED_AREA)) == 1


@pytest.mark.parametrize("both_s", BOTH_S)
def test_a_vehicle_that_leaves_the_road_under_a_new_number_is_raised_once(both_s: float) -> None:
    scene = road(lane(1, 10), regions=[region(1, "off_road", 14, 0, 24, 100)])
    player = Player(scene).play(renamed(lambda t: (10 + min(2.5 * max(t - 1, 0), 8), 4 + 10 * t), 5.0, both_s), 9)
    assert len(player.raised(EventKind.LEAVING_ROAD)) == 1


@pytest.mark.parametrize("both_s", BOTH_S)
def test_a_lane_change_under_a_new_number_is_raised_once(both_s: float) -> None:
    scene = road(lane(1, 10, right_boundary=Boundary.SOLID), lane(2, 14, left_boundary=Boundary.SOLID))
    player = Player(scene).play(renamed(lambda t: (10 + 4 * min(max(t - 2, 0) / 2, 1), 4 + 10 * t), 4.6, both_s), 9)
    assert len(player.raised(EventKind.ILLEGAL_LANE_CHANGE)) == 1


@pytest.mark.parametrize("both_s", BOTH_S)
@pytest.mark.parametrize("change_s", [2.6, 3.4, 4.2])
def test_a_vehicle_that_brakes_hard_under_a_new_number_is_raised_once(change_s: float, both_s: float) -> None:
    def way(time_s: float) -> tuple[float, float]:
        braking_s = min(max(time_s - 2, 0), 1.6)
        return 10.0, 4 + 18 * time_s - 7 * braking_s**2 / 2 - 7 * braking_s * max(time_s - 3.6, 0)

    player = Player(road(lane(1, 10))).play(renamed(way, change_s, both_s), 9)
    assert len(player.raised(EventKind.SUDDEN_DECELERATION)) == 1


def pair(apart_m: float, speeds: tuple[float, float]) -> int:
    """How many twins two cars are of 1.8 m by 4.5 m, ``apart_m`` one after the other, that have driven so for a second."""
    times = np.broadcast_to(np.arange(-1.0, 0.01, 0.2), (2, 6))
    ways = np.array(speeds)[:, None] * times + np.array([[0.0], [apart_m]])
    places = np.stack([np.zeros((2, 6)), ways], axis=2)
    boxes = np.column_stack([np.zeros(2), ways[:, -1], np.full(2, 1.8), ways[:, -1] + 4.5])
    velocity = np.column_stack([np.zeros(2), speeds])
    return len(find_twins(boxes, times, places, velocity, np.ones(2), np.ones(2, bool), metric=True))


def test_two_tracks_at_one_place_are_one_vehicle_and_two_that_collide_are_two() -> None:
    assert pair(0.5, (10.0, 10.2)) == 1
    assert pair(2.8, (10.0, 10.0)) == 0, "two vehicles, one behind the other"
    assert pair(0.5, (10.0, 6.0)) == 0, "one runs into the other"
    assert pair(0.5, (1.0, 1.0)) == 0, "a queue that closes up"


def test_a_track_that_goes_to_and_fro_between_two_vehicles_drives_no_wrong_way() -> None:
    """Boxes of a tick of two frames are averaged, so it seems to come back at 50 m/s."""

    def swapped(time_s: float) -> list[Seen]:
        near, far = 20 + 14 * time_s, 50 + 14 * time_s
        one, two = (near, far) if round(time_s * 10) % 7 < 3 else (far, near)
        return [(1, CAR, 10.0, one), (2, CAR, 10.4, two)]

    player = Player(road(lane(1, 10), lane(2, 14)), fps=10).play(swapped, 3.2)
    assert player.raised(EventKind.WRONG_WAY) == []
