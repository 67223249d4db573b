"""One colour from several crops; the dark has none."""

import numpy as np
import pytest

from traffic.vehicle_codes import VEHICLE_COLOR_NAMES, VehicleColor
from traffic.vehicle_colors import COLORS, decide_color


def mostly(color: VehicleColor, share: float) -> np.ndarray:
    scores = np.full(len(COLORS), (1 - share) / (len(COLORS) - 1))
    scores[COLORS.index(color)] = share
    return scores


def test_the_codes_are_those_of_the_protocol_page() -> None:
    assert [int(color) for color in COLORS] == list(range(1, 11))
    assert [VEHICLE_COLOR_NAMES[color] for color in COLORS] == list("白灰黄粉红紫绿蓝棕黑")


def test_crops_are_averaged() -> None:
    color, share = decide_color(
        [mostly(VehicleColor.RED, 0.9), mostly(VehicleColor.RED, 0.8), mostly(VehicleColor.BLACK, 0.5)], [False] * 3
    )
    assert color is VehicleColor.RED
    assert 0.5 < share <= 1


def test_dark_crops_are_left_out_and_all_dark_is_unknown() -> None:
    crops = [mostly(VehicleColor.BLUE, 0.9), mostly(VehicleColor.RED, 0.9)]
    assert decide_color(crops, [True, False])[0] is VehicleColor.RED
    assert decide_color(crops, [True, True]) == (VehicleColor.UNKNOWN, 0.0)


def test_nothing_clear_is_unknown() -> None:
    assert decide_color([np.full(10, 0.1)], [False]) == (VehicleColor.UNKNOWN, 0.0)
    assert decide_color([], []) == (VehicleColor.UNKNOWN, 0.0)
    with pytest.raises(ValueError):
        decide_color([np.full(10, 0.1)], [])
