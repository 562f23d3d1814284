"""``/metrics``: what qvmon says about itself, as OpenMetrics or Prometheus text."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from qvmon.api.http.authentication import Needs
from qvmon.model.access import Permission
from qvmon.model.metrics import Registry
from qvmon.services.configuration import Identity
from qvmon.wire.exposition import content_type, render

Scraper = Annotated[
    Identity, Depends(Needs(Permission.READ_TELEMETRY, anonymous_setting="anonymous_metrics"))
]


def own_metrics_routes(registry: Registry) -> APIRouter:
    """Return the route that a scraper reads."""
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    async def metrics(_: Scraper, request: Request) -> Response:
        """Expose what qvmon says about itself, as OpenMetrics or Prometheus text."""
        openmetrics = "application/openmetrics-text" in request.headers.get("accept", "")
        body = await asyncio.to_thread(render, registry.collect(), openmetrics)
        headers = {"Content-Type": content_type(openmetrics)}
        return Response(body, headers=headers)

    return router
