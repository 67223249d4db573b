"""What number plates can say: forms as patterns of places, with colours. A grammar is a value, so every country can have one.

The grammar of China is after GA 36-2018 (motor vehicle plates of the People's Republic of China) and its earlier editions. The
letters I and O are never used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "0123456789"
SPECIAL = "使领学警港澳挂民航"

UNKNOWN, BLUE, YELLOW, WHITE, GREEN_SMALL, GREEN_LARGE, BLACK, GREEN = range(8)  # protocol field plateColor (manual 1.4)
COLORS = (BLUE, YELLOW, WHITE, GREEN_SMALL, GREEN_LARGE, BLACK, GREEN)
# Letters are rarer than digits in a serial, more so after its first place, and there are hardly ever more than two (GA 36-2018,
# annex): a letter that looks like a digit (D 0, G 6, B 8, Z 2, S 5) is the digit when nothing else tells them apart.
_FIRST_LETTER, _LATER_LETTER, _MAX_LETTERS, _TOO_MANY = 0.3, 1.0, 2, 1.5


@dataclass(frozen=True, kw_only=True)
class PlateForm:
    """One kind of plate.

    Attributes:
        pattern: one sign per place; a sign of the grammar stands for its characters, any other for itself.
        colors: (colour code, natural logarithm of how usual it is for this form).
        rows: numbers of rows it may be written in.
        prior: natural logarithm of how usual the form is beside the most usual one.
        serial: places (from, to) of digits and letters in which letters are the rarer; (0, 0) for none.
    """

    pattern: str
    colors: tuple[tuple[int, float], ...]
    rows: tuple[int, ...] = (1,)
    prior: float = 0.0
    serial: tuple[int, int] = (0, 0)

    def __len__(self) -> int:
        return len(self.pattern)

    def weight(self, text: str) -> float:
        """Logarithm of how usual ``text``, which is of this form, is."""
        begin, end = self.serial
        letters = [character in LETTERS for character in text[begin:end]]
        first, later = sum(letters[:1]), sum(letters[1:])
        return self.prior - _FIRST_LETTER * first - _LATER_LETTER * later - _TOO_MANY * max(0, first + later - _MAX_LETTERS)


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """The plates of a country.

    Attributes:
        name: such as ``cn``.
        alphabet: every character of its plates, once.
        signs: sign of a pattern → the characters it stands for.
        forms: its kinds of plates.
        aliases: character a reader may say → character of the alphabet that is meant.
        separators: characters a reader may say that carry nothing.
    """

    name: str
    alphabet: str
    signs: Mapping[str, str]
    forms: tuple[PlateForm, ...]
    aliases: Mapping[str, str]
    separators: str = "·•.-— "

    @cached_property
    def index(self) -> dict[str, int]:
        """Place of each character in the alphabet."""
        return {character: index for index, character in enumerate(self.alphabet)}

    @cached_property
    def longest(self) -> int:
        """Characters of the longest form."""
        return max(map(len, self.forms))

    @cached_property
    def _places(self) -> dict[str, tuple[frozenset[int], ...]]:
        patterns = {form.pattern for form in self.forms}
        return {
            pattern: tuple(frozenset(self.index[c] for c in self.signs.get(sign, sign)) for sign in pattern)
            for pattern in patterns
        }

    def places(self, form: PlateForm) -> tuple[frozenset[int], ...]:
        """Indices in the alphabet that each place of ``form`` allows."""
        return self._places[form.pattern]

    def forms_of(self, text: str) -> tuple[PlateForm, ...]:
        """The forms ``text`` has; empty for what no plate says."""
        codes = [self.index.get(character, -1) for character in text]
        same = (form for form in self.forms if len(form) == len(codes))
        return tuple(form for form in same if all(code in place for code, place in zip(codes, self.places(form), strict=True)))


def _form(pattern: str, *colors: tuple[int, float], rows: Sequence[int] = (1,), prior: float = 0.0) -> PlateForm:
    serial = (2, len(pattern)) if pattern.startswith("PLA") else (0, 0)
    return PlateForm(pattern=pattern, colors=colors, rows=tuple(rows), prior=prior, serial=serial)


CHINA = Grammar(
    name="cn",
    alphabet=DIGITS + LETTERS + PROVINCES + SPECIAL,
    signs={
        "P": PROVINCES,
        "L": LETTERS,
        "D": DIGITS,
        "A": DIGITS + LETTERS,
        "E": "DFABCEGHJK",  # new energy: D, A, B, C, E electric; F, G, H, J, K others
        "M": "VKHBSLJNGCEYZX",  # first letter of the armed forces
    },
    forms=(
        # Cars (blue), large vehicles and motorcycles (yellow), foreigners' cars before 2007 (black).
        _form("PLAAAAA", (BLUE, 0.0), (YELLOW, -0.7), (BLACK, -4.0), rows=(1, 2)),
        _form("PLEADDDD", (GREEN_SMALL, 0.0), (GREEN_LARGE, -4.0), prior=-0.5),
        _form("PLDDDDDE", (GREEN_LARGE, 0.0), (GREEN_SMALL, -4.0), prior=-1.5),
        _form("PLAAAA警", (WHITE, 0.0), rows=(1, 2), prior=-2.0),
        _form("PLAAAA学", (YELLOW, 0.0), prior=-2.0),
        _form("PLAAAA挂", (YELLOW, 0.0), rows=(1, 2), prior=-2.0),
        _form("PLAAAA领", (BLACK, 0.0), prior=-4.0),
        _form("PDDDDD领", (BLACK, 0.0), prior=-5.0),
        _form("DDDDDD使", (BLACK, 0.0), prior=-4.0),
        _form("使DDDDDD", (BLACK, 0.0), prior=-4.0),
        _form("粤ZAAAA港", (BLACK, 0.0), prior=-2.0),
        _form("粤ZAAAA澳", (BLACK, 0.0), prior=-2.0),
        _form("民航LAAAA", (GREEN, 0.0), (BLUE, -2.0), prior=-4.0),
        _form("MLADDDD", (WHITE, 0.0), rows=(1, 2), prior=-3.0),
        _form("WJPDDDDA", (WHITE, 0.0), rows=(1, 2), prior=-3.0),
        _form("PDDDDDDD", (GREEN, 0.0), rows=(2,), prior=-3.0),  # tractors: province and two digits above five digits
    ),
    aliases={"O": "0", "o": "0", "I": "1", "l": "1", "|": "1", **{letter.lower(): letter for letter in LETTERS if letter != "L"}},
)
