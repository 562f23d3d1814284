"""Which words a search finds, and in what order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from qvmon.api.http.prometheus.search.kernels import REFUSED, Codes, raise_scores
from qvmon.model.series import Float64s, Int64s


class Likeness(StrEnum):
    """How a word may differ from what is looked for."""

    SUBSEQUENCE = "subsequence"
    JARO_WINKLER = "jarowinkler"


class Order(StrEnum):
    """What comes first; of equal scores, the smaller word."""

    ASCENDING = "ascending"
    DESCENDING = "descending"
    SCORE = "score"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for.

    Attributes:
        terms: A word is found that fits any of them; every word where there are none.
        threshold: The least score, between 0 and 1.
    """

    terms: tuple[str, ...] = ()
    likeness: Likeness = Likeness.SUBSEQUENCE
    threshold: float = 0.0
    case_sensitive: bool = True
    order: Order = Order.ASCENDING


@dataclass(frozen=True, slots=True)
class Found:
    """One word that was found, and how well it fits."""

    word: str
    score: float


def found(words: Sequence[str], search: Search) -> list[Found]:
    """Return those of ``words``, which are sorted, that ``search`` finds."""
    scores = _scores(words, search)
    fitting = np.flatnonzero(scores > REFUSED)
    if search.order is Order.SCORE:
        fitting = fitting[np.argsort(-scores[fitting], kind="stable")]
    elif search.order is Order.DESCENDING:
        fitting = fitting[::-1]
    return [Found(words[at], float(scores[at])) for at in fitting.tolist()]


def _scores(words: Sequence[str], search: Search) -> Float64s:
    terms = [term for term in search.terms if term]
    if not terms:
        return np.ones(len(words))
    if not search.case_sensitive:
        words, terms = [_folded(word) for word in words], [_folded(term) for term in terms]
    codes, offsets = _codes("".join(words)), _offsets(words)
    scores = np.full(len(words), REFUSED)
    by_order = search.likeness is Likeness.SUBSEQUENCE
    for term in terms:
        raise_scores(codes, offsets, _codes(term), by_order, search.threshold, scores)
    return scores


def _codes(text: str) -> Codes:
    return np.frombuffer(bytearray(text.encode("utf-32-le")), np.uint32)


def _offsets(words: Sequence[str]) -> Int64s:
    offsets = np.zeros(len(words) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, words), np.int64, len(words)), out=offsets[1:])
    return offsets


def _folded(text: str) -> str:
    """Return lower case letter by letter, as Go has it: no letter becomes two."""
    if text.isascii():
        return text.lower()
    return "".join("i" if letter == "\u0130" else letter.lower() for letter in text)
