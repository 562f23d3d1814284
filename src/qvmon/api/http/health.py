"""``/-/healthy``, ``/-/ready`` …: for load balancers and supervisors, as Prometheus has them."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

_PRODUCT = "qvmon"


def health_routes(ready: Callable[[], bool]) -> APIRouter:
    """Return the routes that anybody may ask."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/-/healthy", methods=["GET", "HEAD"])
    async def healthy() -> PlainTextResponse:
        """Answer while the process lives."""
        return PlainTextResponse(f"{_PRODUCT} is Healthy.\n")

    @router.api_route("/-/ready", methods=["GET", "HEAD"])
    async def is_ready() -> PlainTextResponse:
        """Answer 200 once everything has started, 503 before."""
        if ready():
            return PlainTextResponse(f"{_PRODUCT} is Ready.\n")
        return PlainTextResponse("Service Unavailable", 503)

    @router.post("/-/reload")
    @router.put("/-/reload")
    @router.post("/-/quit")
    @router.put("/-/quit")
    async def lifecycle() -> PlainTextResponse:
        """Refuse as a Prometheus does whose lifecycle API is off: a restart does both here."""
        return PlainTextResponse("Lifecycle API is not enabled.", 403)

    @router.get("/-/reload")
    @router.get("/-/quit")
    async def only_by_post() -> PlainTextResponse:
        """Refuse what would be no request to do anything."""
        return PlainTextResponse("Only POST or PUT requests allowed", 405)

    return router
