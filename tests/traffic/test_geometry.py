"""Geometry: homographies that refuse nonsense, polygons and polylines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic.errors import GeometryError
from traffic.geometry import Homography, along_polyline, contains, crossing, self_crossing, side_of, signed_area

LANE_IMAGE = [(0.2, 0.9), (0.8, 0.9), (0.55, 0.4), (0.45, 0.4)]
LANE_ROAD = [(0.0, 0.0), (3.5, 0.0), (3.5, 30.0), (0.0, 30.0)]


def test_fit_reproduces_its_pairs_and_the_inverse_brings_them_back() -> None:
    homography = Homography.fit(LANE_IMAGE, LANE_ROAD)
    np.testing.assert_allclose(homography.apply(np.array(LANE_IMAGE)), LANE_ROAD, atol=1e-9)
    np.testing.assert_allclose(homography.apply_inverse(np.array(LANE_ROAD)), LANE_IMAGE, atol=1e-9)


def test_points_beyond_the_horizon_are_nan_and_never_a_mirrored_place() -> None:
    # The lane's edges meet at y = 0.3: everything above is sky.
    mapped = Homography.fit(LANE_IMAGE, LANE_ROAD).apply(np.array([[0.5, 0.31], [0.5, 0.29], [0.5, 0.0]]))
    assert np.isfinite(mapped[0]).all()
    assert mapped[0, 1] > 100
    assert np.isnan(mapped[1:]).all()


@pytest.mark.parametrize("points", [LANE_IMAGE[:3], [(0, 0), (1, 1), (2, 2), (0, 1)], [(0.5, 0.5)] * 4])
def test_degenerate_points_are_refused(points: list[tuple[float, float]]) -> None:
    with pytest.raises(GeometryError):
        Homography.fit(points, LANE_ROAD[: len(points)])


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.full((3, 3), np.nan), np.ones((3, 3))])
def test_a_matrix_without_inverse_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(GeometryError):
        Homography(matrix)


@given(st.tuples(*[st.tuples(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05))] * 4))
def test_fit_is_exact_for_four_pairs(shifts: tuple[tuple[float, float], ...]) -> None:
    image = [(x + a, y + b) for (x, y), (a, b) in zip(LANE_IMAGE, shifts, strict=True)]
    mapped = Homography.fit(image, LANE_ROAD).apply(np.array(image))
    seen = np.isfinite(mapped).all(axis=1)
    np.testing.assert_allclose(mapped[seen], np.array(LANE_ROAD)[seen], atol=1e-5)


def test_contains_knows_a_concave_polygon_and_shared_edges_belong_to_one_side() -> None:
    notched = np.array([[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]], float)
    assert contains(notched, np.array([[1, 1], [2, 3], [5, 1], [3.5, 2]], float)).tolist() == [True, False, False, True]
    left, right = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float), np.array([[1, 0], [2, 0], [2, 1], [1, 1]], float)
    edge = np.array([[1.0, 0.5]])
    assert int(contains(left, edge)[0]) + int(contains(right, edge)[0]) == 1


def test_areas_crossings_and_sides() -> None:
    assert signed_area([(0, 0), (2, 0), (2, 1), (0, 1)]) == 2
    assert self_crossing([(0, 0), (1, 1), (1, 0), (0, 1)]) == (0, 2)
    assert self_crossing([(0, 0), (1, 0), (1, 1), (0, 1)]) is None
    assert crossing((0, 0), (4, 0), (1, -1), (1, 3)) == (0.25, 0.25)
    assert crossing((0, 0), (1, 0), (0, 1), (1, 1)) is None
    assert side_of((0, 0), (2, 0), np.array([[1.0, 3.0], [1.0, -1.0]])).tolist() == [3.0, -1.0]


def test_arc_length_goes_round_the_bend_and_extends_past_both_ends() -> None:
    bend = np.array([[0, 0], [2, 0], [2, 2]], float)
    places = along_polyline(bend, np.array([[1, 0.1], [2.1, 1], [-1, 0], [2, 3]], float))
    np.testing.assert_allclose(places, [1, 3, -1, 5])
