"""Differences that stand, each with its reason; ``docs/learn/promql-differences.md`` lists them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.differential.answers import Difference

_REPAIRED = re.compile(r"over -?\d+ samples from")


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


_CANCELLING = re.compile(
    "stddev|stdvar|deriv|predict_linear|double_exponential|integral|anchored|smoothed"
)
_CANCELLED = 1e-7


def _only_digits_that_cancelled(query: str, found: Difference) -> bool:
    if found.sort != "value" or not _CANCELLING.search(query):
        return False
    return math.isclose(*map(float, found.values), rel_tol=_CANCELLED)


_DUPLICATE = re.compile(r"found duplicate series for the match group .* hand-side of the operation")


def _another_pair_of_duplicates(_: str, found: Difference) -> bool:
    return found.sort == "message" and all(map(_DUPLICATE.match, (found.peer, found.ours)))


_ABSENT = re.compile(r"absent")
_OWN_DIGITS = re.compile(
    "a?(sin|cos|tan)h?|exp|ln|log2|log10|atan2|\\^|stddev|stdvar|quantile|avg|deriv|rate|delta"
)


def _labels_that_are_digits(query: str, found: Difference) -> bool:
    return (
        found.sort in {"series", "order", "times"}
        and "count_values" in query
        and bool(_OWN_DIGITS.search(query))
    )


_STEEP = re.compile(r"\b(sin|cos|tan)\(")
_COMPUTED = re.compile(r"\b(cosh|sinh|exp|avg\w*|sum\w*|rate|deriv|quantile\w*)\b|\^|\*|/")


def _a_turn_of_a_large_number(query: str, found: Difference) -> bool:
    return found.sort == "value" and bool(_STEEP.search(query) and _COMPUTED.search(query))


def _absent_labels_named_twice(query: str, found: Difference) -> bool:
    if found.sort != "series" or not _ABSENT.search(query):
        return False
    matchers = re.findall(r'([\w."]+)\s*(!=|!~|=~|=)', query)
    names = [name for name, _ in matchers]
    negative = {name for name, op in matchers if op.startswith("!")}
    return any(names.count(name) > 1 for name in negative)


_DENORMAL_LOGARITHMS = re.compile(r"-(709\.0|307\.9|1022|1023)")


def _logarithm_of_a_denormal(query: str, found: Difference) -> bool:
    logarithm = re.search(r"\b(ln|log2|log10)\b", query)
    return found.sort == "value" and bool(logarithm and _DENORMAL_LOGARITHMS.search(found.peer))


def _bounds_merged_twice(query: str, found: Difference) -> bool:
    return found.sort in {"value", "times"} and "histogram_quantiles" in query


ACCEPTED = (
    Accepted(
        "count_values makes labels of values: where those come from functions whose last digit "
        "depends on the mathematical library or the order of adding up, the labels differ too",
        _labels_that_are_digits,
    ),
    Accepted(
        "the sine, cosine or tangent of a large computed number turns its last digit into another "
        "result",
        _a_turn_of_a_large_number,
    ),
    Accepted(
        "of a label with a negative and another matcher, absent() tells what Prometheus tells when "
        "it has not sorted the matchers; its storage sorts them in place, at times before",
        _absent_labels_named_twice,
    ),
    Accepted(
        "histogram_quantiles with several quantiles of a histogram that repeats a bound or falls: "
        "Prometheus merges and mends its buckets in place again for each quantile; qvmon once",
        _bounds_merged_twice,
    ),
    Accepted(
        "the logarithm of a number below 2.2e-308: Go's is far off",
        _logarithm_of_a_denormal,
    ),
    Accepted(
        "variances, regressions and interpolated edges subtract nearly equal numbers: the digits "
        "that remain depend on the order of adding up, which nobody promises; a part in 10^7 is "
        "allowed there",
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
