"""Differences that stand, each with its reason; ``docs/learn/promql-differences.md`` lists them."""

from __future__ import annotations

import ast
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


_DUPLICATE = re.compile(
    r"found duplicate series for (the match group .* hand-side of the operation|info metric: )"
)


def _another_pair_of_duplicates(_: str, found: Difference) -> bool:
    return found.sort == "message" and all(map(_DUPLICATE.match, (found.peer, found.ours)))


_ABSENT = re.compile(r"absent")


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


_SORTED_LABELS = re.compile(r'sort_by_label(?:_desc)?\(.*?((?:, *"[^"]*")+)\)\Z', re.DOTALL)


def _sorted_by_a_label_some_lack(query: str, found: Difference) -> bool:
    names = _SORTED_LABELS.match(query)
    if found.sort != "order" or names is None:
        return False
    asked = re.findall(r'"([^"]*)"', names[1])
    return any(name not in labels for labels in ast.literal_eval(found.peer) for name in asked)


_SEVERAL_QUANTILES = re.compile(r'histogram_quantiles\(.*"q", *[^,]+,', re.DOTALL)


def _what_was_added_up_adds_up_again(query: str, found: Difference) -> bool:
    return found.sort in {"value", "infos"} and bool(_SEVERAL_QUANTILES.search(query))


_MOVING_PARAMETER = re.compile(
    r"\s*(topk|bottomk|limitk|limit_ratio|quantile)\b[^@]*\(\s*scalar\(.* @ ",
    re.DOTALL | re.IGNORECASE,
)


def _parameter_at_a_time(query: str, _: Difference) -> bool:
    return bool(_MOVING_PARAMETER.match(query))


ACCEPTED = (
    Accepted(
        "of a label with a negative and another matcher, absent() tells what Prometheus tells when "
        "it has not sorted the matchers; its storage sorts them in place, at times before",
        _absent_labels_named_twice,
    ),
    Accepted(
        "histogram_quantiles with several quantiles of a histogram that repeats a bound: for each "
        "further quantile Prometheus adds one of the repeated buckets again, and the order of "
        "series, which is nobody's promise, says which",
        _what_was_added_up_adds_up_again,
    ),
    Accepted(
        "of topk(scalar(x @ t), y) and the like Prometheus finds the parameter at one step of a "
        "range only: it does not see that it is the same at every step",
        _parameter_at_a_time,
    ),
    Accepted(
        "the logarithm of a number below 2.2e-308: Go's is far off",
        _logarithm_of_a_denormal,
    ),
    Accepted(
        "sort_by_label of series some of which lack the label: in Prometheus' natural order "
        "neither an empty value nor another comes first, so its way of sorting decides",
        _sorted_by_a_label_some_lack,
    ),
    Accepted(
        "of several pairs of series that match each other twice, or info series that are twice "
        "there, the error names the first met, and the order of series is nobody's promise",
        _another_pair_of_duplicates,
    ),
    Accepted(
        "the note on buckets that were not monotonic counts each repair once; Prometheus adds the "
        "count so far to itself at each step of a range query (7,344,930,947,072 samples of 44)",
        _only_the_count_of_repairs,
    ),
)


AMPLIFIED = (
    "a part of the query yields numbers that are equal to a part in 10^12 but not in their last "
    "digit, which the mathematical library and the order of adding up decide; a sine, a remainder, "
    "a comparison or a label made of them (count_values) may then be another"
)
"""Holds for a query of which some part is so; see ``__main__.Pair``."""

CANCELLED = (
    "stddev and stdvar of numbers that are large beside their differences: what the subtraction "
    "leaves depends on the order of series; up to a part in 10^12 of the numbers (of their "
    "squares, for stdvar) is let pass"
)
"""Holds for an aggregation in a query; see ``__main__.Pair``."""

CHOSEN = "topk, bottomk and limitk choose freely among equal values, as Prometheus does"


def reason_for(query: str, found: Difference) -> str | None:
    """Return why a difference is accepted, or None when it is not."""
    return next((each.reason for each in ACCEPTED if each.applies(query, found)), None)
