"""Answers of the HTTP API that stand; ``docs/learn/promql-differences.md`` lists them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass


def _any(peer: str, ours: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class AcceptedDeviation:
    """A reason why the HTTP API may answer otherwise.

    Attributes:
        reason: Why.
        path: Pattern of the path.
        what: Pattern of the place where the answers are not alike, and of both sides after it.
        asked: Pattern of the parameters and headers.
        holds: Says so of what both answer there.
    """

    reason: str
    path: str
    what: re.Pattern[str]
    asked: re.Pattern[str] = re.compile("")
    holds: Callable[[str, str], bool] = _any


def _mostly_alike(peer: str, ours: str) -> bool:
    """Return whether the lists share nine tenths of the shorter one."""
    left, right = (
        {json.dumps(each, sort_keys=True) for each in json.loads(side)} for side in (peer, ours)
    )
    return len(left & right) >= 0.9 * min(len(left), len(right))


_FAR_TIMES = re.compile(r"(start|end|time)=(NaN|[+-]?Inf|-?[0-9]{11,}\b|0001-|9999-)")

ACCEPTED_DEVIATIONS = (
    AcceptedDeviation(
        "settings of native histograms, which qvmon does not take yet",
        "/api/v1/targets$",
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
    AcceptedDeviation(
        "a path with a slash too many, or with capitals, is not found; Prometheus redirects, at "
        "times to where there is nothing",
        "/",
        re.compile(r"status\n30[17] <a"),
    ),
    AcceptedDeviation(
        "pages beside the API know no OPTIONS, and answer 404 to a HEAD that Prometheus refuses "
        "with 405",
        "/(-/|federate|version)",
        re.compile(r"status\n(200 \n405|405 \n404)"),
    ),
    AcceptedDeviation(
        "not there: configuration of a scrape pool, Prometheus' metrics of itself as JSON (they "
        "are at /metrics); OTLP comes in a later issue",
        "/api/v1/(scrape_pools/config|status/self_metrics|otlp/)",
        re.compile(r"(status|body)\n"),
    ),
    AcceptedDeviation(
        "labels that are no JSON are refused in other words",
        "/api/v1/targets/relabel_steps",
        re.compile(r"value at /error\n.?error parsing labels"),
    ),
    AcceptedDeviation(
        "features are told of the sections that qvmon has",
        "/api/v1/features",
        re.compile(r"keys at /data\nonly .*\nonly \[\]"),
    ),
    AcceptedDeviation(
        "a damaged compressed body is refused in other words",
        "/api/v1/(read|write)",
        re.compile(r"body\n400 (snappy|s2): corrupt input"),
    ),
    AcceptedDeviation(
        "times more than 292 years from 1970, which overflow in Prometheus, are taken as they are "
        "or refused",
        "/api/v1/",
        re.compile(""),
        _FAR_TIMES,
    ),
    AcceptedDeviation(
        "a duration below a millisecond counts as one",
        "/api/v1/query",
        re.compile(r"length at /data/result\n"),
        re.compile(r"lookback_delta=0\.0001"),
    ),
    AcceptedDeviation(
        "series, labels and label values are those of chunks and blocks that reach into the "
        "interval, and the two cut chunks and blocks at other times",
        "/api/v1/(series|labels|label/.*)$",
        re.compile(r"length at /data\n"),
        holds=_mostly_alike,
    ),
    AcceptedDeviation(
        "a label name that is not UTF-8 is shown with replacement characters",
        "/api/v1/label/%FF/values",
        re.compile(r"value at /error"),
    ),
)


def why_deviates(path: str, asked: str, what: str, peer: str, ours: str) -> str | None:
    """Return why a deviation is accepted, or None when it is not."""
    told = f"{what}\n{peer}\n{ours}"
    return next(
        (
            each.reason
            for each in ACCEPTED_DEVIATIONS
            if re.match(each.path, path)
            and each.what.match(told)
            and each.asked.search(asked)
            and each.holds(peer, ours)
        ),
        None,
    )
