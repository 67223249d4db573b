"""Joint decoding of several CTC readers: the text that all of them together find most likely under a grammar.

Label-synchronous prefix search: a prefix is scored by the probability that a reader's text begins with it (Graves 2008,
section 7.5; the recursion is the one of Watanabe et al. 2017, "Hybrid CTC/Attention Architecture"), and the logarithms are
summed over the readers. So readers may differ in their number of steps, and one that is sure of a place helps one that is not.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.plates.grammar import Grammar, PlateForm

Floats = NDArray[np.float64]
BLANK = 0  # column of the blank in a reader's probabilities; column 1 + i is character i of the grammar's alphabet
_TINY = 1e-300
_SURE_BLANK = 0.9999


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reading:
    """What one reader says of one picture.

    Attributes:
        probabilities: float (steps, 1 + len(alphabet)): blank and characters; no zeros (a reader without a floor could veto
            what all others see).
        weight: how much the reader counts beside the others.
    """

    probabilities: Floats
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A text of a form with its joint log-probability: the weighted sum over the readers, without the form's weight."""

    text: str
    form: PlateForm
    log_probability: float


class _Reader:
    """One reader's forward probabilities of every prefix in the beam."""

    def __init__(self, probabilities: Floats) -> None:
        # Steps in which the reader is sure of the blank change nothing but the time.
        kept = probabilities[probabilities[:, BLANK] < _SURE_BLANK]
        self._p = kept if len(kept) else probabilities[:1]
        # One column before the first step: nothing has been said yet.
        self.said = np.zeros((1, len(self._p) + 1))  # the last step said the prefix's last character
        self.rest = np.concatenate([[1.0], np.cumprod(self._p[:, BLANK])])[None]  # … or a blank after it

    def extended(self, parents: NDArray[np.int64], codes: NDArray[np.int64], repeats: NDArray[np.bool_]) -> Floats:
        """Probabilities (k,) that the text begins with ``parents`` (rows of the beam), extended by ``codes`` (indices in the
        alphabet), both (k,). ``repeats``: the code is the parent's last one, so that a blank must stand between them."""
        return self._starts(parents, self._p[:, 1 + codes].T, repeats).sum(1)

    def keep(self, parents: NDArray[np.int64], codes: NDArray[np.int64], repeats: NDArray[np.bool_]) -> None:
        """The beam is now these longer prefixes."""
        emit = self._p[:, 1 + codes].T
        starts = self._starts(parents, emit, repeats)
        said, after = np.zeros((len(codes), len(self._p) + 1)), np.zeros((len(codes), len(self._p) + 1))
        for step in range(emit.shape[1]):
            said[:, step + 1] = starts[:, step] + said[:, step] * emit[:, step]
            after[:, step + 1] = (said[:, step] + after[:, step]) * self._p[step, BLANK]
        self.said, self.rest = said, after

    def _starts(self, parents: NDArray[np.int64], emit: Floats, repeats: NDArray[np.bool_]) -> Floats:
        """Probability (k, steps) that the extension is first said in each step."""
        rest = self.rest[parents]
        return np.asarray(np.where(repeats[:, None], rest, rest + self.said[parents])[:, :-1] * emit)


def search(readings: Sequence[Reading], grammar: Grammar, rows: Sequence[int] = (1, 2), *, beam: int = 12) -> list[Candidate]:
    """The likeliest texts.

    Args:
        readings: of one or more readers and pictures; not empty.
        grammar: what a plate can say.
        rows: numbers of rows the plate may have.
        beam: prefixes kept per place.

    Returns:
        candidates, best first by ``log_probability`` plus the form's weight; empty when nothing is possible.
    """
    readers = [_Reader(np.asarray(reading.probabilities, np.float64)) for reading in readings]
    weights = [reading.weight for reading in readings]
    forms = [form for form in grammar.forms if set(form.rows) & set(rows)]
    prefixes: list[tuple[int, ...]] = [()]
    alive = [forms]
    found: list[Candidate] = []
    for place in range(grammar.longest):
        steps = [
            (row, code)
            for row, few in enumerate(alive)
            for code in sorted(set().union(*(grammar.places(form)[place] for form in few if len(form) > place)))
        ]
        if not steps:
            break
        parents, codes = (np.array(column, np.int64) for column in zip(*steps, strict=True))
        repeats = np.array([bool(prefixes[row]) and prefixes[row][-1] == code for row, code in steps])
        scores = _joint((reader.extended(parents, codes, repeats) for reader in readers), weights)
        best = np.argsort(-scores, kind="stable")[:beam]
        prefixes = [(*prefixes[parents[i]], int(codes[i])) for i in best]
        alive = [[f for f in alive[parents[i]] if len(f) > place and codes[i] in grammar.places(f)[place]] for i in best]
        for reader in readers:  # the whole table only of the few that stay
            reader.keep(parents[best], codes[best], repeats[best])
        whole = _joint((reader.said[:, -1] + reader.rest[:, -1] for reader in readers), weights)
        for row, few in enumerate(alive):
            text = "".join(grammar.alphabet[code] for code in prefixes[row])
            found += [
                Candidate(text=text, form=form, log_probability=float(whole[row])) for form in few if len(form) == place + 1
            ]
    found.sort(key=lambda item: -(item.log_probability + item.form.weight(item.text)))
    return found


def _joint(probabilities: Iterable[Floats], weights: Sequence[float]) -> Floats:
    logarithms = [weight * np.log(np.maximum(item, _TINY)) for item, weight in zip(probabilities, weights, strict=True)]
    return np.asarray(sum(logarithms), np.float64)


def character_confidences(texts: Sequence[str], scores: Sequence[float]) -> tuple[float, ...]:
    """How sure each character of the best text is, 0..1: the share of all texts (by probability) that agree on it.

    Args:
        texts: best first. scores: natural logarithm of each one's probability, up to a constant.
    """
    shares = [math.exp(score - scores[0]) for score in scores]
    total = sum(shares)
    return tuple(
        sum(share for text, share in zip(texts, shares, strict=True) if text[place : place + 1] == character) / total
        for place, character in enumerate(texts[0])
    )
