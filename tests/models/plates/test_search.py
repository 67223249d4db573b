"""Joint decoding of readers under the grammar."""

import itertools
import math

import numpy as np
import pytest

from models.plates.decoding import View, decode_plate
from models.plates.grammar import BLUE, CHINA, GREEN_SMALL, WHITE, YELLOW, Grammar, PlateForm
from models.plates.search import Reading, character_confidences, search
from tests.models.plates.ctc import reading

TINY = Grammar(
    name="tiny",
    alphabet="AB12",
    signs={"L": "AB", "D": "12"},
    forms=(PlateForm(pattern="LDD", colors=((BLUE, 0.0),)),),
    aliases={},
)


def ctc_probability(steps: np.ndarray, text: str, grammar: Grammar) -> float:
    """By brute force over all paths."""
    total = 0.0
    for path in itertools.product(range(steps.shape[1]), repeat=len(steps)):
        said = [code for code, _ in itertools.groupby(path) if code]
        if "".join(grammar.alphabet[code - 1] for code in said) == text:
            total += math.prod(steps[step, code] for step, code in enumerate(path))
    return total


def test_the_probability_of_a_text_is_that_of_all_its_paths() -> None:
    steps = np.random.default_rng(3).dirichlet(np.ones(5), 6)
    found = {item.text: item.log_probability for item in search([Reading(probabilities=steps)], TINY, beam=50)}
    assert len(found) == 8
    for text in ("A12", "B11", "A22"):
        assert math.exp(found[text]) == pytest.approx(ctc_probability(steps, text, TINY), rel=1e-9)


def test_weights_of_readers_multiply_their_logarithms() -> None:
    rng = np.random.default_rng(4)
    one, two = (rng.dirichlet(np.ones(5), steps) for steps in (5, 7))
    joint = {
        c.text: c.log_probability
        for c in search([Reading(probabilities=one), Reading(probabilities=two, weight=0.5)], TINY, beam=50)
    }
    expected = math.log(ctc_probability(one, "B21", TINY)) + 0.5 * math.log(ctc_probability(two, "B21", TINY))
    assert joint["B21"] == pytest.approx(expected, rel=1e-9)


def test_a_repeated_character_needs_a_blank_between() -> None:
    steps = np.full((4, 5), 1e-4)
    for step, code in enumerate((1, 3, 3, 4)):  # A 1 1 2 without a blank is A12
        steps[step, code] = 1
    assert search([Reading(probabilities=steps)], TINY)[0].text == "A12"


@pytest.mark.parametrize("text", ["皖A12345", "皖AD19789", "粤B12345D", "京A1234警", "WJ京1234X", "224578使", "皖A11111"])
def test_a_clear_text_is_found(text: str) -> None:
    assert search([reading(text)], CHINA)[0].text == text


def test_what_the_grammar_forbids_is_not_said_however_clear_it_is() -> None:
    wrong = reading("皖812345", doubts={1: {"B": 0.01}})
    assert search([wrong], CHINA)[0].text == "皖B12345"


def test_a_sure_reader_decides_where_another_doubts() -> None:
    doubtful = reading("皖A1234D", doubts={6: {"0": 0.1}})
    sure = reading("皖A12340")
    assert search([doubtful], CHINA)[0].text == "皖A1234D"
    assert search([doubtful, sure], CHINA)[0].text == "皖A12340"


def test_readers_may_differ_in_their_number_of_steps() -> None:
    short = reading("皖A12345")
    padded = Reading(probabilities=np.repeat(short.probabilities, 3, axis=0))
    assert search([short, padded], CHINA)[0].text == "皖A12345"


def test_only_forms_of_the_rows_are_searched() -> None:
    assert all(2 in item.form.rows for item in search([reading("皖A1234挂")], CHINA, (2,)))


def test_confidences_are_the_share_that_agrees() -> None:
    confidences = character_confidences(["皖A12", "皖A13", "京A12"], [0.0, math.log(0.5), math.log(0.5)])
    assert confidences == pytest.approx((0.75, 1.0, 1.0, 0.75))


def view(text: str, rows: int = 1, **more: object) -> View:
    return View(readings=[reading(text, **more)], rows=rows)  # type: ignore[arg-type]


def test_the_picture_decides_between_colours_of_one_form() -> None:
    blue, yellow = {BLUE: -0.1, YELLOW: -4.0}, {BLUE: -4.0, YELLOW: -0.1}
    seen = [decode_plate([view("皖A12345")], colors, CHINA) for colors in (blue, yellow)]
    assert [item.color for item in seen if item] == [BLUE, YELLOW]


def test_the_form_decides_against_the_picture() -> None:
    found = decode_plate([view("京A1234警")], {YELLOW: -0.1, WHITE: -3.0}, CHINA)
    assert found is not None
    assert found.color == WHITE


def test_the_colour_decides_between_seven_and_eight_characters() -> None:
    doubtful = view("皖AD19789", doubts={7: {"8": 0.2}})
    weak = View(readings=[Reading(probabilities=doubtful.readings[0].probabilities)], rows=1)
    found = decode_plate([weak], {GREEN_SMALL: -0.1, BLUE: -5.0}, CHINA)
    assert found is not None
    assert (found.text, found.color) == ("皖AD19789", GREEN_SMALL)


def test_a_view_that_cuts_a_character_off_takes_nothing_from_one_that_does_not() -> None:
    whole, cut = view("渝B3587学"), view("渝B3587")
    found = decode_plate([whole, cut], {YELLOW: -0.1}, CHINA)
    assert found is not None
    assert found.text == "渝B3587学"


def test_a_doubtful_character_is_less_sure_than_the_others() -> None:
    found = decode_plate([view("皖A1234D", doubts={6: {"0": 0.4}})], {BLUE: -0.1}, CHINA)
    assert found is not None
    assert min(found.characters) == found.characters[6] < 0.8 < found.characters[0]
    assert min(found.characters) <= found.confidence <= max(found.characters)
