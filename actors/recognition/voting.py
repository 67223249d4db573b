"""Several reads of one vehicle's plate to one: characters vote with their confidences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.handles import PlateRead


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateVote:
    """What the reads together say. ``confidence`` 0..1; ``best``: the read to show, one that says the text if there is one."""

    text: str
    color: int
    confidence: float
    best: PlateRead


def vote(reads: Sequence[PlateRead]) -> PlateVote | None:
    """Vote over reads of one vehicle; None without any.

    The length with the most weight wins, then at each place the character with the most. A read weighs by the cube of its
    confidence, so that one from near outvotes several from far. A character's confidence is the best one among the reads that say
    it, times its share of the weight at its place: reads that contradict take from it, reads that agree do not make a doubtful
    character sure (they may share its cause).
    """
    if not reads:
        return None
    lengths: dict[int, float] = {}
    for read in reads:
        lengths[len(read.text)] = lengths.get(len(read.text), 0.0) + _weight(read)
    length = max(lengths, key=lambda item: (lengths[item], -item))
    same = [read for read in reads if len(read.text) == length]
    of_length = lengths[length] / sum(lengths.values())
    text, logarithm = "", 0.0
    for place in range(length):
        character, confidence = _place(same, place)
        text += character
        logarithm += math.log(max(confidence, 1e-9))
    confidence = math.exp(logarithm / length) * of_length
    saying = [read for read in same if read.text == text] or same
    best = max(saying, key=lambda read: read.confidence)
    return PlateVote(text=text, color=_color(saying), confidence=confidence, best=best)


def _weight(read: PlateRead) -> float:
    return float(max(read.confidence, 1e-3) ** 3)


def _place(reads: Sequence[PlateRead], place: int) -> tuple[str, float]:
    """(winning character, its confidence)."""
    weights: dict[str, float] = {}
    best: dict[str, float] = {}
    for read in reads:
        character, confidence = read.text[place], read.characters[place]
        weights[character] = weights.get(character, 0.0) + confidence * _weight(read)
        best[character] = max(best.get(character, 0.0), confidence)
    winner = max(weights, key=lambda character: (weights[character], character))
    return winner, best[winner] * weights[winner] / max(sum(weights.values()), 1e-9)


def _color(reads: Sequence[PlateRead]) -> int:
    colors: dict[int, float] = {}
    for read in reads:
        colors[read.color] = colors.get(read.color, 0.0) + _weight(read)
    return max(colors, key=lambda color: (colors[color], -color))
