"""``format_query`` and ``parse_query``: the language without any sample."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.prometheus.answers import success_of
from qvmon.api.http.prometheus.errors import bad_parameter
from qvmon.api.http.prometheus.parameters import Parameters
from qvmon.api.http.prometheus.syntax_tree import shown_tree
from qvmon.model.errors import QvmonError
from qvmon.promql import parse
from qvmon.promql.nodes import Node
from qvmon.promql.pretty import pretty

_METHODS = ["GET", "POST"]


def language_routes() -> APIRouter:
    """Return the routes that take a query apart."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.api_route("/format_query", methods=_METHODS)
    async def format_query(_: TelemetryReader, request: Request) -> Response:
        """Write a query in its canonical form."""
        return await success_of(request, pretty(await _parsed(request)))

    @router.api_route("/parse_query", methods=_METHODS)
    async def parse_query(_: TelemetryReader, request: Request) -> Response:
        """Tell the syntax tree of a query."""
        return await success_of(request, shown_tree(await _parsed(request)))

    return router


async def _parsed(request: Request) -> Node:
    asked = await Parameters.of(request)
    try:
        return parse(asked.text("query"))
    except QvmonError as error:
        raise bad_parameter("query", error) from None
