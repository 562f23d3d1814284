"""``/openapi.json``: the REST API described for programs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI

from qvmon.api.http.access import PREFIX, AnyIdentity


def openapi_routes(app: FastAPI) -> APIRouter:
    """Return the route that describes ``app``."""
    router = APIRouter(prefix=PREFIX, include_in_schema=False)

    @router.get("/openapi.json")
    async def openapi(_: AnyIdentity) -> dict[str, Any]:
        """Describe the REST API as OpenAPI 3.1."""
        return app.openapi()

    return router
