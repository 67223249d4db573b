"""Who drives too fast: beyond what a speed is exact, and though it is seen for less than a second."""

import pytest

from tests.traffic.events.scripted import CAR, Player, Seen, lane, road
from traffic.facts import EventKind


def alarms(speed_kmh: float, limit_kmh: float, *, frames: int = 100, jump_m: float = 0.0) -> int:
    """Alarms for a car at five frames per second, seen in so many of them; after three it jumps on by ``jump_m``."""

    def script(time_s: float) -> list[Seen]:
        tick = round(time_s * 5)
        y = 5 + speed_kmh / 3.6 * time_s + jump_m * (tick >= 3)
        return [(1, CAR, 10.0, y)] if tick < frames and y < 96 else []

    player = Player(road(lane(1, 10, speed_limit_kmh=limit_kmh))).play(script, 6.0)
    return len(player.raised(EventKind.SPEEDING))


@pytest.mark.parametrize(("speed", "limit", "told"), [(111, 100, 0), (116, 100, 1), (57, 50, 0), (60, 50, 1)])
def test_a_speed_is_granted_what_it_may_be_wrong_beyond_the_tolerance(speed: float, limit: float, told: int) -> None:
    """Ten percent of tolerance, and 3 km/h or three percent for the calibration."""
    assert alarms(speed, limit) == told


@pytest.mark.parametrize("frames", [4, 5, 6])
def test_who_is_very_fast_is_soon_out_of_view(frames: int) -> None:
    assert alarms(120, 60, frames=frames) == (frames >= 5)


def test_a_track_that_slips_to_a_vehicle_ahead_is_not_fast() -> None:
    assert alarms(50, 50, jump_m=6.0) == 0
    assert alarms(50, 50, frames=6, jump_m=6.0) == 0
