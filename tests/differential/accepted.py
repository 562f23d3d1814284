"""Differences that stand, each with its reason; ``docs/learn/promql-differences.md`` lists them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.differential.answers import Difference

_REPAIRED = re.compile(r"over \d+ samples from")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One reason, and when it applies.

    Attributes:
        reason: Why qvmon answers otherwise.
        applies: Says so of a query and what differs in its answers.
    """

    reason: str
    applies: Callable[[str, Difference], bool]


def _only_the_count_of_repairs(_: str, found: Difference) -> bool:
    uncounted = [_REPAIRED.sub("", text) for text in (found.peer, found.ours)]
    return found.sort == "infos" and uncounted[0] == uncounted[1]


_CANCELLING = re.compile("stddev|stdvar|deriv|predict_linear|double_exponential|integral")
_CANCELLED = 1e-7


def _only_digits_that_cancelled(query: str, found: Difference) -> bool:
    if found.sort != "value" or not _CANCELLING.search(query):
        return False
    return math.isclose(*map(float, found.values), rel_tol=_CANCELLED)


_DUPLICATE = re.compile(r"found duplicate series for the match group .* hand-side of the operation")


def _another_pair_of_duplicates(_: str, found: Difference) -> bool:
    return found.sort == "message" and all(map(_DUPLICATE.match, (found.peer, found.ours)))


ACCEPTED = (
    Accepted(
        "variances and regressions subtract nearly equal numbers: the digits that remain depend on "
        "the order in which series come, which nobody promises; a part in 10^7 is allowed there",
        _only_digits_that_cancelled,
    ),
    Accepted(
        "of several pairs of series that match each other twice, the error names the first met, "
        "and the order of series is nobody's promise",
        _another_pair_of_duplicates,
    ),
    Accepted(
        "the note on buckets that were not monotonic counts each repair once; Prometheus adds the "
        "count so far to itself at each step of a range query (7,344,930,947,072 samples of 44)",
        _only_the_count_of_repairs,
    ),
)


def reason_for(query: str, found: Difference) -> str | None:
    """Return why a difference is accepted, or None when it is not."""
    return next((each.reason for each in ACCEPTED if each.applies(query, found)), None)
