"""``query_exemplars``: exemplars of the series that a query reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.prometheus.answers import success
from qvmon.api.http.prometheus.parameters import Parameters
from qvmon.api.http.prometheus.rendering import Json
from qvmon.model.errors import invalid
from qvmon.model.exemplars import Exemplar, ExemplarSource, SeriesExemplars
from qvmon.model.floats import format_float
from qvmon.promql import parse
from qvmon.promql.nodes import Node, VectorSelector

_METHODS = ["GET", "POST"]


def exemplar_routes(source: ExemplarSource | None) -> APIRouter:
    """Return the route; without a source in this process there are no exemplars."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.api_route("/query_exemplars", methods=_METHODS)
    async def query_exemplars(_: TelemetryReader, request: Request) -> Response:
        """List exemplars of the series that the selectors of a query match."""
        asked = await Parameters.of(request)
        start, end = asked.interval()
        if end < start:
            raise invalid("end timestamp must not be before start timestamp")
        selectors = list(_selectors(parse(asked.text("query"))))
        if not selectors:
            return Response(status_code=204)
        sets = [selector.matchers for selector in selectors]
        found = [] if source is None else source.exemplars(sets, start, end)
        return await success(request, lambda: _rendered(found))

    return router


def _selectors(node: Node) -> Iterator[VectorSelector]:
    if isinstance(node, VectorSelector):
        yield node
    for child in node.children:
        yield from _selectors(child)


def _rendered(found: Sequence[SeriesExemplars]) -> Json:
    shown = [
        {
            "seriesLabels": dict(series.labels),
            "exemplars": [_exemplar(each) for each in series.exemplars],
        }
        for series in found
    ]
    return (msgspec.json.encode(shown),)


def _exemplar(exemplar: Exemplar) -> dict[str, Any]:
    seconds, rest = divmod(exemplar.time_ms, 1000)
    return {
        "labels": dict(exemplar.labels),
        "value": format_float(exemplar.value),
        "timestamp": seconds if not rest else exemplar.time_ms / 1000,
    }
