"""What a search asks, in Prometheus' parameters and complaints."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from qvmon.api.http.prometheus.labels import matcher_sets
from qvmon.api.http.prometheus.parameters import Parameters, parse_time_ms
from qvmon.api.http.prometheus.search.ranking import Likeness, Order, Search
from qvmon.model.errors import QvmonError, invalid
from qvmon.model.labels import Matcher

_HOUR_MS = 3_600_000
_MOST_TERMS = 32
_MOST_RESULTS = 10_000
_MOST_IN_A_BATCH = 1000
_DEFAULT = 100
_HIGHEST_THRESHOLD = 100
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}\Z")


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One search.

    Attributes:
        matchers: Which series count, all of them where there are none.
        start_ms: From when; ``end_ms``: until when.
        limit: The most results; ``batch_size``: the most in a line.
    """

    matchers: list[tuple[Matcher, ...]]
    start_ms: int
    end_ms: int
    search: Search
    limit: int
    batch_size: int
    include_score: bool


def search_request(asked: Parameters, now_ms: int, endpoint: str) -> SearchRequest:
    """Return what ``asked`` says.

    Raises:
        QvmonError: INVALID in Prometheus' words.
    """
    start_ms, end_ms = _time(asked, "start", now_ms - _HOUR_MS), _time(asked, "end", now_ms)
    if end_ms < start_ms:
        raise invalid("end timestamp must not be before start timestamp")
    matchers, terms = matcher_sets(asked), asked.all("search[]")
    if len(terms) > _MOST_TERMS:
        raise invalid(f"too many search[] terms: got {len(terms)}, maximum is {_MOST_TERMS}")
    threshold = _threshold(asked)
    likeness = _likeness(asked)
    case_sensitive = boolean(asked, "case_sensitive", True)
    include_score = boolean(asked, "include_score", False)
    _check_direction(asked, bool(terms))
    limit, batch_size = _limit(asked), _positive(asked, "batch_size")
    order = _order(asked, endpoint)
    search = Search(tuple(terms), likeness, threshold, case_sensitive, order)
    batch_size = min(batch_size, limit, _MOST_IN_A_BATCH)
    return SearchRequest(matchers, start_ms, end_ms, search, limit, batch_size, include_score)


def boolean(asked: Parameters, name: str, default: bool) -> bool:
    """Return a boolean in Go's spellings.

    Raises:
        QvmonError: INVALID.
    """
    text = asked.text(name)
    if not text:
        return default
    try:
        return asked.truth(name)
    except QvmonError:
        raise invalid(f"invalid {name} {_quoted(text)}: must be boolean") from None


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _time(asked: Parameters, name: str, default: int) -> int:
    text = asked.text(name)
    if not text:
        return default
    try:
        return parse_time_ms(text)
    except QvmonError as error:
        raise invalid(f"invalid time value for '{name}': {error.message}") from None


def _threshold(asked: Parameters) -> float:
    text = asked.text("fuzz_threshold") or "0"
    if not _WHOLE.match(text) or not 0 <= int(text) <= _HIGHEST_THRESHOLD:
        raise invalid(f"invalid fuzz_threshold {_quoted(text)}: must be 0-100")
    return int(text) / 100.0


def _likeness(asked: Parameters) -> Likeness:
    text = asked.text("fuzz_alg") or Likeness.SUBSEQUENCE
    if text not in list(Likeness):
        known = " ".join(Likeness)
        raise invalid(f"unsupported fuzz_alg {_quoted(text)}: must be one of [{known}]")
    return Likeness(text)


def _check_direction(asked: Parameters, has_terms: bool) -> None:
    by, direction = asked.text("sort_by"), asked.text("sort_dir")
    if direction and not by:
        raise invalid("sort_dir is only valid when sort_by is set")
    if direction and by == "score":
        raise invalid("sort_dir is not supported for sort_by=score")
    if direction not in {"", "asc", "dsc"}:
        raise invalid(f'invalid sort_dir {_quoted(direction)}: must be "asc" or "dsc"')
    if by == "score" and not has_terms:
        raise invalid("sort_by=score requires search[] to be set")


def _order(asked: Parameters, endpoint: str) -> Order:
    by = asked.text("sort_by")
    if by not in {"", "alpha", "score"}:
        words = f"invalid sort_by {_quoted(by)} for {endpoint}"
        raise invalid(f'{words}: must be "alpha" or "score"')
    if by == "score":
        return Order.SCORE
    return Order.DESCENDING if asked.text("sort_dir") == "dsc" else Order.ASCENDING


def _limit(asked: Parameters) -> int:
    limit = _positive(asked, "limit")
    if limit > _MOST_RESULTS:
        raise invalid(
            f"limit {limit} exceeds the configured maximum "
            f"({_MOST_RESULTS}, see --web.search.max-limit)"
        )
    return limit


def _positive(asked: Parameters, name: str) -> int:
    text = asked.text(name)
    if not text:
        return _DEFAULT
    if not _WHOLE.match(text) or int(text) <= 0:
        raise invalid(f"invalid {name} {_quoted(text)}: must be a positive integer")
    return int(text)
