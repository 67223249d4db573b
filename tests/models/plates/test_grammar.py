"""What a Chinese plate can say."""

import pytest

from models.plates.grammar import BLACK, BLUE, CHINA, GREEN, GREEN_LARGE, GREEN_SMALL, WHITE, YELLOW


def colors(text: str) -> set[int]:
    return {code for form in CHINA.forms_of(text) for code, _ in form.colors}


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("皖A12345", BLUE),
        ("浙AC1847", YELLOW),
        ("皖AD19789", GREEN_SMALL),
        ("粤B12345D", GREEN_LARGE),
        ("京A1234警", WHITE),
        ("WJ京1234X", WHITE),
        ("VA12345", WHITE),
        ("渝B3587学", YELLOW),
        ("鲁Q123A挂", YELLOW),
        ("沪A1707领", BLACK),
        ("224578使", BLACK),
        ("使224578", BLACK),
        ("民航A1234", GREEN),
        ("粤Z1234港", BLACK),
        ("粤ZF12A澳", BLACK),
    ],
)
def test_every_kind_of_plate_has_a_form_with_its_colour(text: str, color: int) -> None:
    assert color in colors(text)


@pytest.mark.parametrize(
    "text",
    ["", "皖A1234", "皖AI2345", "皖A1234O", "A皖12345", "皖AX19789", "皖123456", "京A1234港", "皖A123456", "TAXI123"],
)
def test_what_no_plate_says_has_no_form(text: str) -> None:
    assert not CHINA.forms_of(text)


def test_i_and_o_are_in_no_plate() -> None:
    assert not {"I", "O"} & set(CHINA.alphabet)
    assert (CHINA.aliases["O"], CHINA.aliases["I"]) == ("0", "1")


def test_letters_weigh_less_than_digits_and_a_third_letter_much_less() -> None:
    form = CHINA.forms_of("皖A12345")[0]
    plain, one, two, three = (form.weight(text) for text in ("皖A12345", "皖A1234B", "皖A123BC", "皖A12BCD"))
    assert plain > one > two > three
    assert two - three > one - two


def test_the_alphabet_has_every_character_once() -> None:
    assert len(set(CHINA.alphabet)) == len(CHINA.alphabet)
