"""Readings made by hand: what a reader would say of a text."""

import numpy as np

from models.plates.grammar import CHINA, Grammar
from models.plates.search import Reading


def reading(
    text: str, *, doubts: dict[int, dict[str, float]] | None = None, weight: float = 1.0, grammar: Grammar = CHINA
) -> Reading:
    """A reader that says ``text``, one step per character with a blank after each.

    Args:
        doubts: place → other characters with their probability at that place; the text's own character gets the rest.
    """
    columns = 1 + len(grammar.alphabet)
    steps = np.full((2 * len(text) + 1, columns), 1e-4)
    steps[0::2, 0] = 0.98
    for place, character in enumerate(text):
        others = (doubts or {}).get(place, {})
        row = steps[2 * place + 1]
        for other, share in others.items():
            row[1 + grammar.index[other]] = share
        row[1 + grammar.index[character]] = 0.98 - sum(others.values())
    return Reading(probabilities=steps / steps.sum(axis=1, keepdims=True), weight=weight)
