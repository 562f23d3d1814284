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


@dataclass(frozen=True, slots=True)
class AcceptedDeviation:
    """A reason why the HTTP API may answer otherwise.

    Attributes:
        reason: Why.
        path: Beginning of the path.
        what: Pattern of the place where the answers are not alike, and of both sides after it.
    """

    reason: str
    path: str
    what: re.Pattern[str]


ACCEPTED_DEVIATIONS = (
    AcceptedDeviation(
        "settings of native histograms, which qvmon does not take yet",
        "/api/v1/targets",
        re.compile(r"keys at \S+/discoveredLabels\nonly \[.*native_histograms.*\]\nonly \[\]"),
    ),
    AcceptedDeviation(
        "qvmon also describes the series that a scrape itself makes: up, scrape_duration_seconds …",
        "/api/v1/metadata",
        re.compile(r"keys at /data\nonly \[\]\nonly \['scrape_duration_seconds', .*"),
    ),
    AcceptedDeviation(
        "flags are those of the program that is asked",
        "/api/v1/status/flags",
        re.compile(r"keys at /data\n.*"),
    ),
    AcceptedDeviation(
        "browsers of other origins are let in where the settings name them, not everywhere",
        "/api/v1/query",
        re.compile(r"header access-control-allow-origin\n.*"),
    ),
)


def why_deviates(path: str, what: str, peer: str, ours: str) -> str | None:
    """Return why a deviation is accepted, or None when it is not."""
    told = f"{what}\n{peer}\n{ours}"
    return next(
        (
            each.reason
            for each in ACCEPTED_DEVIATIONS
            if path.startswith(each.path) and each.what.match(told)
        ),
        None,
    )
