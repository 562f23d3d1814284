"""``format_query``: the language without any sample."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.prometheus.answers import success_of
from qvmon.api.http.prometheus.errors import bad_parameter
from qvmon.api.http.prometheus.parameters import Parameters
from qvmon.model.errors import QvmonError
from qvmon.promql import parse

_METHODS = ["GET", "POST"]


def language_routes() -> APIRouter:
    """Return the route that rewrites a query in its canonical form."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.api_route("/format_query", methods=_METHODS)
    async def format_query(_: TelemetryReader, request: Request) -> Response:
        """Write a query in its canonical form."""
        asked = await Parameters.of(request)
        try:
            tree = parse(asked.text("query"))
        except QvmonError as error:
            raise bad_parameter("query", error) from None
        return await success_of(request, str(tree))

    return router
