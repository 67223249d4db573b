"""From the readers' probabilities and the picture's colour to the text and colour of one plate."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.plates.grammar import UNKNOWN, Grammar
from models.plates.search import Candidate, Reading, character_confidences, search

_COLOR_WEIGHT = 0.5
_CANDIDATES = 24  # that share the probability between them


@dataclass(frozen=True, kw_only=True, slots=True)
class Hypothesis:
    """One way to look at a plate.

    Attributes:
        readings: of every reader, see ``models.plates.search.search``.
        rows: rows of the plate in this view.
    """

    readings: Sequence[Reading]
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoded:
    """The best text of a plate. ``confidence`` 0..1 of the whole text, ``characters`` of each character."""

    text: str
    color: int
    confidence: float
    characters: tuple[float, ...]
    rows: int


def decode_plate(hypotheses: Sequence[Hypothesis], colors: dict[int, float], grammar: Grammar) -> Decoded | None:
    """The likeliest text over all hypotheses, with its colour; None when the grammar allows nothing that was seen.

    Args:
        colors: natural logarithm of the likelihood of each colour code by the picture.
    """
    scored: list[tuple[float, int, Candidate, Hypothesis]] = []
    for hypothesis in hypotheses:
        for candidate in search(hypothesis.readings, grammar, (hypothesis.rows,)):
            color, bonus = _color(candidate, colors)
            score = candidate.log_probability + candidate.form.weight(candidate.text) + _COLOR_WEIGHT * bonus
            scored.append((score, color, candidate, hypothesis))
    if not scored:
        return None
    scored.sort(key=lambda item: -item[0])
    scored = scored[:_CANDIDATES]
    _, color, best, hypothesis = scored[0]
    shares = character_confidences([item[2] for item in scored], [item[0] for item in scored])
    # Shares compare texts with each other only; how well the best one explains the readers is in its own probability.
    seen = math.exp(best.log_probability / sum(reading.weight for reading in hypothesis.readings) / len(best.text))
    characters = tuple(share * seen for share in shares)
    confidence = math.exp(sum(math.log(max(value, 1e-9)) for value in characters) / len(characters))
    return Decoded(text=best.text, color=color, confidence=confidence, characters=characters, rows=hypothesis.rows)


def _color(candidate: Candidate, colors: dict[int, float]) -> tuple[int, float]:
    """(colour of the form that the picture supports most, its joint logarithm)."""
    options = [(prior + colors.get(code, 0.0), code) for code, prior in candidate.form.colors]
    if not options:
        return UNKNOWN, 0.0
    bonus, code = max(options)
    return code, bonus
