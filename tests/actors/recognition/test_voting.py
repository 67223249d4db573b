"""Several reads of one plate."""

import pytest

from actors.recognition.voting import vote
from tests.actors.recognition.support import read


def test_without_reads_there_is_no_plate() -> None:
    assert vote([]) is None


def test_one_read_is_its_own_vote() -> None:
    found = vote([read("皖A12345", 0.8)])
    assert found is not None
    assert (found.text, found.confidence) == ("皖A12345", pytest.approx(0.8))


def test_reads_that_agree_do_not_make_a_doubtful_text_sure() -> None:
    found = vote([read("皖A12345", 0.5)] * 4)
    assert found is not None
    assert found.confidence == pytest.approx(0.5)


def test_a_near_read_outvotes_several_from_far() -> None:
    found = vote([read("皖A12345", 0.95), *[read("京A12845", 0.4)] * 3])
    assert found is not None
    assert found.text == "皖A12345"
    assert 0.7 < found.confidence < 0.95


def test_characters_vote_one_by_one() -> None:
    first = read("皖A1234S", 0.8, characters=(0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.3))
    second = read("京A12345", 0.8, characters=(0.3, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9))
    found = vote([first, second])
    assert found is not None
    assert found.text == "皖A12345"


def test_the_length_with_more_weight_wins_and_costs_confidence() -> None:
    found = vote([read("皖AD12345", 0.9), read("皖AD1234", 0.6)])
    assert found is not None
    assert found.text == "皖AD12345"
    assert found.confidence < 0.9


def test_the_picture_shown_is_of_a_read_that_says_the_text() -> None:
    good, other = read("皖A12345", 0.8), read("皖A12846", 0.7)
    found = vote([other, good])
    assert found is not None
    assert found.best is good


def test_the_colour_is_voted_too() -> None:
    found = vote([read("皖A12345", 0.9, color=1), read("皖A12345", 0.5, color=2), read("皖A12345", 0.5, color=2)])
    assert found is not None
    assert found.color == 1
