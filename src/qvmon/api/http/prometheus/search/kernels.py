"""How alike words are, as numbers between 0 and 1.

Words are code points; many lie in one array, each up to where the next one begins.
Source: Prometheus web/api/v1/search_filters.go, util/strutil/subsequence.go and jarowinkler.go.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qvmon.model.compiled import kernel
from qvmon.model.series import Bools, Float64s, Int64s

Codes = NDArray[np.uint32]

REFUSED = -1.0
"""The score of a word that does not fit."""

_NOT_EXACT = 0.999
_TRAILING = 0.5
_PREFIX_SCALE = 0.1
_PREFIX_LENGTH = 4


@kernel("int64(uint32[::1], int64, int64, uint32[::1])")
def _find(codes: Codes, begin: int, end: int, term: Codes) -> int:
    """Return how many code points stand before the first ``term``, -1 where there is none."""
    for start in range(begin, end - len(term) + 1):
        same = 0
        while same < len(term) and codes[start + same] == term[same]:
            same += 1
        if same == len(term):
            return start - begin
    return -1


@kernel("float64(uint32[::1], int64, int64, uint32[::1])")
def _substring(codes: Codes, begin: int, end: int, term: Codes) -> float:
    """Score a word that holds ``term``: 1 where it begins with it, less where it comes later."""
    at = _find(codes, begin, end, term)
    if at < 0:
        return REFUSED
    rest = end - begin - len(term)
    return 1.0 if at == 0 or rest <= 0 else 1.0 - 0.9 * at / rest


@kernel("float64(uint32[::1], int64, int64, uint32[::1], int64)")
def _runs_from(codes: Codes, begin: int, end: int, term: Codes, start: int) -> float:
    """Score the letters of ``term`` found in order from ``start`` on; NaN where some are missing.

    Runs of letters count by the square of their length, gaps against it.
    """
    length, at, matched, last, score = end - begin, start, 0, begin - 1, 0.0
    while matched < len(term):
        while at < end and codes[at] != term[matched]:
            at += 1
        if at == end:
            return np.nan
        first = at
        while at < end and matched < len(term) and codes[at] == term[matched]:
            at, matched = at + 1, matched + 1
        if first - last > 1:
            score -= (first - last - 1) * (1.0 / length)
        score += float((at - first) * (at - first))
        last = at - 1
    trailing = end - 1 - last
    if trailing > 0:
        score -= trailing * (1.0 / length) * _TRAILING
    return score


@kernel("float64(uint32[::1], int64, int64, uint32[::1], float64)")
def _subsequence(codes: Codes, begin: int, end: int, term: Codes, threshold: float) -> float:
    """Score a word that holds the letters of ``term`` in their order."""
    if _find(codes, begin, min(end, begin + len(term)), term) == 0:
        return 1.0
    best = -1.0
    for start in range(begin, end - len(term) + 1):
        if codes[start] == term[0]:
            score = _runs_from(codes, begin, end, term, start)
            if np.isnan(score):
                break
            best = max(best, score)
    score = best / float(len(term) * len(term)) * _NOT_EXACT
    return score if score > 0 and score >= threshold else REFUSED


@kernel("int64(uint32[::1], uint32[::1], boolean[::1], boolean[::1])")
def _matched(short: Codes, long: Codes, in_short: Bools, in_long: Bools) -> int:
    """Mark the letters both words have not far from one another; return how many there are."""
    distance, matches = max(len(long) // 2 - 1, 0), 0
    for i in range(len(short)):
        for j in range(max(i - distance, 0), min(i + distance + 1, len(long))):
            if not in_long[j] and short[i] == long[j]:
                in_short[i] = in_long[j] = True
                matches += 1
                break
    return matches


@kernel("int64(uint32[::1], uint32[::1], boolean[::1], boolean[::1])")
def _transposed(short: Codes, long: Codes, in_short: Bools, in_long: Bools) -> int:
    """Return how many of the marked letters come in another order."""
    at = count = 0
    for i in range(len(short)):
        if in_short[i]:
            while not in_long[at]:
                at += 1
            count += short[i] != long[at]
            at += 1
    return count


@kernel("float64(uint32[::1], uint32[::1])")
def _jaro_winkler(word: Codes, term: Codes) -> float:
    """Return the similarity of two words by Jaro and Winkler."""
    if len(word) == 0:
        return 0.0
    short, long = (term, word) if len(term) <= len(word) else (word, term)
    in_short, in_long = np.zeros(len(short), np.bool_), np.zeros(len(long), np.bool_)
    matches = float(_matched(short, long, in_short, in_long))
    if matches == 0:
        return 0.0
    swapped = float(_transposed(short, long, in_short, in_long))
    shares = matches * (1.0 / len(short)) + matches * (1.0 / len(long))
    jaro = (shares + (matches - swapped * 0.5) / matches) / 3.0
    prefix = 0
    while prefix < min(_PREFIX_LENGTH, len(short)) and short[prefix] == long[prefix]:
        prefix += 1
    return jaro + prefix * _PREFIX_SCALE * (1.0 - jaro)


@kernel("float64(uint32[::1], int64, int64, uint32[::1], float64)")
def _fuzzy(codes: Codes, begin: int, end: int, term: Codes, threshold: float) -> float:
    """Score a word that holds ``term``, or that is like it where a threshold is given."""
    score = _substring(codes, begin, end, term)
    if score >= 0 or threshold <= 0:
        return score
    score = _jaro_winkler(codes[begin:end], term)
    return score if score >= threshold else REFUSED


@kernel("void(uint32[::1], int64[::1], uint32[::1], boolean, float64, float64[::1])")
def raise_scores(
    codes: Codes, offsets: Int64s, term: Codes, by_order: bool, threshold: float, scores: Float64s
) -> None:
    """Raise the scores of words to those that ``term`` gives them.

    Args:
        codes: The code points of all words.
        offsets: Where each begins, and where the last ends; one more than there are words.
        term: What is looked for, not empty.
        by_order: Whether letters in the order of the term suffice; else what Jaro and Winkler say.
        threshold: The least score that fits.
        scores: One a word.
    """
    for word in range(len(scores)):
        begin, end = offsets[word], offsets[word + 1]
        if by_order:
            score = _subsequence(codes, begin, end, term, threshold)
        else:
            score = _fuzzy(codes, begin, end, term, threshold)
        scores[word] = max(scores[word], score)
