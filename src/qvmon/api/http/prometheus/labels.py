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
from qvmon.api.http.prometheus.parameters import MAX_TIME_MS, MIN_TIME_MS, Parameters
from qvmon.api.http.prometheus.rendering import render_series
from qvmon.api.http.prometheus.truncation import truncated_frame, truncated_list
from qvmon.api.ports import SeriesLookup
from qvmon.model.errors import QvmonError, invalid
from qvmon.model.labels import Matcher
from qvmon.model.series import MetricMetadata
from qvmon.promql import parse_matchers

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
        matchers, start, end = _series_scope(asked)
        limit = asked.limit()
        try:
            frame = await lookup.series(who.principal, matchers, start, end)
        except QvmonError as error:
            raise execution_error(error) from None
        frame, warnings = truncated_frame(frame, limit)
        return await success(request, lambda: render_series(frame), warnings)

    @router.api_route("/labels", methods=_METHODS)
    async def labels(who: TelemetryReader, request: Request) -> Response:
        """List label names."""
        asked = await Parameters.of(request)
        matchers, start, end = _scope(asked)
        names = await lookup.label_names(who.principal, matchers, start, end)
        shown, warnings = truncated_list(list(names), asked.limit())
        return await success_of(request, shown, warnings)

    @router.get("/label/{name}/values")
    async def label_values(who: TelemetryReader, name: str, request: Request) -> Response:
        """List the values of one label."""
        asked = await Parameters.of(request)
        matchers, start, end = _scope(asked)
        label = unescaped(name)
        values = await lookup.label_values(who.principal, label, matchers, start, end)
        shown, warnings = truncated_list(list(values), asked.limit())
        return await success_of(request, shown, warnings)

    @router.get("/metadata")
    async def metadata(who: TelemetryReader, request: Request) -> Response:
        """Tell what targets said about their metrics."""
        asked = await Parameters.of(request)
        known = await lookup.metadata(who.principal, asked.text("metric") or None)
        return await success_of(request, _by_metric(known, asked.limit()))

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


def _scope(asked: Parameters) -> tuple[list[tuple[Matcher, ...]], int, int]:
    start, end = asked.time_ms("start", MIN_TIME_MS), asked.time_ms("end", MAX_TIME_MS)
    return [parse_matchers(text) for text in asked.all("match[]")], start, end


def _series_scope(asked: Parameters) -> tuple[list[tuple[Matcher, ...]], int, int]:
    """Return what ``_scope`` does; only ``series`` names the parameter in its complaint."""
    try:
        return _scope(asked)
    except QvmonError as error:
        if "parameter" in error.context:
            raise
        raise bad_parameter("match[]", error) from None


def _by_metric(known: Sequence[MetricMetadata], limit: int | None) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for each in known:
        if limit is not None and each.name not in named and len(named) >= limit:
            continue
        entry = {"type": each.type, "help": each.help, "unit": each.unit}
        named.setdefault(each.name, []).append(entry)
    return named
