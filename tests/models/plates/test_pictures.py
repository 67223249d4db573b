"""Geometry, boxes and colours of plates."""

import cv2
import numpy as np
import pytest

from actors.simulation.plates import plate_picture
from models.plates.boxes import anchors, decode
from models.plates.colour import color_log_likelihoods
from models.plates.geometry import grown, one_row, ordered, plate_size, rectified
from models.plates.grammar import BLACK, BLUE, GREEN_LARGE, GREEN_SMALL, WHITE, YELLOW

CORNERS = np.array([[40, 30], [130, 40], [128, 70], [38, 58]], np.float32)


def test_a_slanted_plate_is_seen_from_straight_ahead() -> None:
    flat = plate_picture("京A12345", "blue")
    height, width = flat.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    scene = cv2.warpPerspective(flat, cv2.getPerspectiveTransform(source, CORNERS), (160, 100))
    back = cv2.resize(rectified(scene, CORNERS), (width, height)).astype(float)
    assert np.corrcoef(back.mean(axis=2).ravel(), flat.mean(axis=2).ravel())[0, 1] > 0.8


def test_corners_are_put_in_order_from_any_order() -> None:
    for shift in range(4):
        assert ordered(np.roll(CORNERS, shift, axis=0)).tolist() == CORNERS.tolist()


def test_growing_moves_every_side_outwards() -> None:
    width, height = plate_size(CORNERS)
    wider, higher = plate_size(grown(CORNERS, 0.1, 0.2))
    assert (wider / width, higher / height) == (pytest.approx(1.2, abs=0.02), pytest.approx(1.4, abs=0.02))


def test_two_rows_become_one_with_the_upper_one_first() -> None:
    plate = np.zeros((110, 220, 3), np.uint8)
    plate[:40] = (255, 0, 0)
    plate[50:] = (0, 0, 255)
    row = one_row(plate)
    assert row.shape[1] / row.shape[0] == pytest.approx(3.9, abs=0.1)
    assert row[row.shape[0] // 3, 4].tolist() == [255, 0, 0]
    assert row[row.shape[0] // 2, -4].tolist() == [0, 0, 255]


def test_an_anchor_with_zero_offsets_is_its_own_box() -> None:
    table = anchors(64, 64)
    assert len(table) == 2 * (8 * 8 + 4 * 4 + 2 * 2)
    boxes, scores, landmarks = (
        np.zeros((len(table), 4), np.float32),
        np.zeros((len(table), 2), np.float32),
        np.zeros((len(table), 8), np.float32),
    )
    row = 2 * 9 + 1  # second cell of the second row at stride 8, larger anchor
    scores[row, 1] = 0.9
    landmarks[row] = (5, 1, -5, 1, -5, -1, 5, -1)  # as the network says them: bottom right, bottom left, top left, top right
    found = decode(boxes, scores, landmarks, (64, 64), 0.5, 0.4)
    assert found.boxes.tolist() == [[12 - 24, 12 - 24, 12 + 24, 12 + 24]]
    assert found.corners[0] == pytest.approx(np.array([[-12, 7.2], [36, 7.2], [36, 16.8], [-12, 16.8]]), abs=1e-4)
    assert found.scores.tolist() == pytest.approx([0.9])


def test_a_plate_is_found_once() -> None:
    table = anchors(64, 64)
    boxes, landmarks = np.zeros((len(table), 4), np.float32), np.zeros((len(table), 8), np.float32)
    scores = np.zeros((len(table), 2), np.float32)
    scores[[19, 21], 1] = (0.7, 0.9)  # neighbours
    assert decode(boxes, scores, landmarks, (64, 64), 0.5, 0.4).scores.tolist() == pytest.approx([0.9])


def drawn(ground: tuple[int, int, int], ink: tuple[int, int, int], left: tuple[int, int, int] | None = None) -> np.ndarray:
    picture = np.full((40, 128, 3), ground, np.uint8)
    if left is not None:
        picture[:, :36] = left
    for number in range(7):
        cv2.putText(picture, "8", (6 + number * 17, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, ink, 2, cv2.LINE_AA)
    return picture


WHITE_INK, BLACK_INK = (250, 250, 250), (12, 12, 12)


@pytest.mark.parametrize(
    ("picture", "color"),
    [
        (drawn((20, 60, 190), WHITE_INK), BLUE),
        (drawn((230, 170, 20), BLACK_INK), YELLOW),
        (drawn((235, 235, 235), BLACK_INK), WHITE),
        (drawn((15, 15, 18), WHITE_INK), BLACK),
        (drawn((90, 200, 130), BLACK_INK), GREEN_SMALL),
        (drawn((90, 200, 130), BLACK_INK, left=(225, 215, 40)), GREEN_LARGE),
    ],
)
@pytest.mark.parametrize("gain", [1.0, 0.45])
def test_colours_by_day_and_at_dusk(picture: np.ndarray, color: int, gain: float) -> None:
    scores = color_log_likelihoods((picture * gain).astype(np.uint8))
    assert max(scores, key=lambda code: scores[code]) == color


def test_a_blue_plate_in_a_sunset_is_blue() -> None:
    picture = (drawn((20, 60, 190), WHITE_INK) * np.array([1.0, 0.75, 0.55])).astype(np.uint8)
    scores = color_log_likelihoods(picture)
    assert max(scores, key=lambda code: scores[code]) == BLUE


def test_no_colour_is_ruled_out() -> None:
    assert min(color_log_likelihoods(drawn((20, 60, 190), WHITE_INK)).values()) >= -6.0
