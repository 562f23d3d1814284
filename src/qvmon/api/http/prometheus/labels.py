"""``series``, ``labels``, ``label/<name>/values`` and ``metadata``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.prometheus.answers import success, success_of
from qvmon.api.http.prometheus.errors import bad_parameter, execution_error
from qvmon.api.http.prometheus.parameters import Parameters
from qvmon.api.http.prometheus.rendering import render_series
from qvmon.api.http.prometheus.truncation import truncated_frame, truncated_list
from qvmon.api.ports import SeriesLookup
from qvmon.model.errors import QvmonError, invalid
from qvmon.model.labels import Matcher
from qvmon.model.series import MetricMetadata
from qvmon.promql import parse_matchers
from qvmon.promql.quoting import quote
from qvmon.promql.sheet import label_order

_METHODS = ["GET", "POST"]
_ESCAPED_PREFIX = "U__"
_ESCAPE = re.compile(r"__|_([0-9a-fA-F]{1,6})_")


def label_routes(lookup: SeriesLookup) -> APIRouter:
    """Return the routes that tell which series, labels and metrics there are."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.api_route("/series", methods=_METHODS)
    async def series(who: TelemetryReader, request: Request) -> Response:
        """List the series that match."""
        asked = await Parameters.of(request)
        if not asked.all("match[]"):
            raise invalid("no match[] parameter provided")
        limit, (start, end) = asked.limit(), asked.interval()
        try:
            matchers = matcher_sets(asked)
        except QvmonError as error:
            raise bad_parameter("match[]", error) from None
        try:
            frame = await lookup.series(who.principal, matchers, start, end)
        except QvmonError as error:
            raise execution_error(error) from None
        if len(matchers) > 1:  # one selector's series come as they are stored, as there
            frame = frame.take(label_order(frame))
        frame, warnings = truncated_frame(frame, limit)
        return await success(request, lambda: render_series(frame), warnings)

    @router.api_route("/labels", methods=_METHODS)
    async def labels(who: TelemetryReader, request: Request) -> Response:
        """List label names."""
        asked = await Parameters.of(request)
        limit, (start, end), matchers = asked.limit(), asked.interval(), matcher_sets(asked)
        names = await lookup.label_names(who.principal, matchers, start, end)
        shown, warnings = truncated_list(list(names), limit)
        return await success_of(request, shown, warnings)

    @router.get("/label/{name}/values")
    async def label_values(who: TelemetryReader, name: str, request: Request) -> Response:
        """List the values of one label."""
        asked = await Parameters.of(request)
        label = unescaped(name)
        if not label or "\ufffd" in label:
            raise invalid(f"invalid label name: {quote(label)}")
        limit, (start, end), matchers = asked.limit(), asked.interval(), matcher_sets(asked)
        values = await lookup.label_values(who.principal, label, matchers, start, end)
        shown, warnings = truncated_list(list(values), limit)
        return await success_of(request, shown, warnings)

    @router.get("/metadata")
    async def metadata(who: TelemetryReader, request: Request) -> Response:
        """Tell what targets said about their metrics."""
        asked = await Parameters.of(request)
        limit, of_one = asked.count("limit"), asked.count("limit_per_metric")
        known = await lookup.metadata(who.principal, asked.text("metric") or None)
        return await success_of(request, _by_metric(known, limit, of_one))

    return router


def unescaped(name: str) -> str:
    """Return the label name that ``name`` stands for; ``U__`` begins an escaped one.

    Source: prometheus/common model/metric.go, ``UnescapeName``; what is no escape stays as it is.
    """
    if not name.startswith(_ESCAPED_PREFIX):
        return name
    escaped = name.removeprefix(_ESCAPED_PREFIX)
    try:
        return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "_", escaped)
    except (ValueError, OverflowError):
        return name


def matcher_sets(asked: Parameters) -> list[tuple[Matcher, ...]]:
    """Return the matchers of every ``match[]``.

    Raises:
        QvmonError: INVALID, also for a selector that any series would fit.
    """
    sets = [parse_matchers(text) for text in asked.all("match[]")]
    if any(all(matcher.matches("") for matcher in matchers) for matchers in sets):
        raise invalid("match[] must contain at least one non-empty matcher")
    return sets


def _by_metric(known: Sequence[MetricMetadata], limit: int, of_one: int) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for each in known:
        if each.name not in named and 0 <= limit <= len(named):
            continue
        entries = named.setdefault(each.name, [])
        if of_one <= 0 or len(entries) < of_one:
            entries.append({"type": each.type, "help": each.help, "unit": each.unit})
    return named
