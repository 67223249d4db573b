"""From the readers' probabilities and the picture's colour to the text and colour of one plate."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.plates.grammar import UNKNOWN, Grammar
from models.plates.search import Candidate, Reading, character_confidences, search

_CANDIDATES = 24  # that share the probability between them


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """One look at a plate.

    Attributes:
        readings: of every reader, see ``models.plates.search.search``.
        rows: rows that the plate has in this view.
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


def decode_plate(views: Sequence[View], colors: Mapping[int, float], grammar: Grammar) -> Decoded | None:
    """The likeliest text over all views, with its colour; None when the grammar allows nothing that was seen.

    A text is as likely as the mean over the views says: a view that cuts a character off takes nothing from one that does not.

    Args:
        colors: natural logarithm of the likelihood of each colour code by the picture.
    """
    looks = Counter(view.rows for view in views)
    seen: dict[tuple[str, int], list[tuple[float, Candidate, View]]] = {}
    for view in views:
        for candidate in search(view.readings, grammar, (view.rows,)):
            log_share = candidate.log_probability - math.log(looks[view.rows])
            seen.setdefault((candidate.text, view.rows), []).append((log_share, candidate, view))
    scored = []
    for (_, rows), looked in seen.items():
        log_probability = _log_sum([item[0] for item in looked])
        color, bonus = max((_color(candidate, colors) for _, candidate, _ in looked), key=lambda item: item[1])
        best = max(looked, key=lambda item: item[0])
        scored.append((log_probability + bonus, log_probability, color, rows, best))
    if not scored:
        return None
    scored.sort(key=lambda item: -item[0])
    scored = scored[:_CANDIDATES]
    _, log_probability, color, rows, (_, candidate, view) = scored[0]
    shares = character_confidences([item[4][1].text for item in scored], [item[0] for item in scored])
    # Shares compare texts with each other only; how well the best one explains the readers is in its own probability.
    explained = math.exp(min(0.0, log_probability) / sum(reading.weight for reading in view.readings) / len(candidate.text))
    characters = tuple(share * explained for share in shares)
    confidence = math.exp(sum(math.log(max(value, 1e-9)) for value in characters) / len(characters))
    return Decoded(text=candidate.text, color=color, confidence=confidence, characters=characters, rows=rows)


def _log_sum(logarithms: Sequence[float]) -> float:
    top = max(logarithms)
    return top + math.log(sum(math.exp(value - top) for value in logarithms))


def _color(candidate: Candidate, colors: Mapping[int, float]) -> tuple[int, float]:
    """(colour of the form that the picture supports most, logarithm of how usual form and colour are and of the picture's)."""
    options = [(prior + colors.get(code, 0.0), code) for code, prior in candidate.form.colors]
    bonus, code = max(options) if options else (0.0, UNKNOWN)
    return code, bonus + candidate.form.weight(candidate.text)
