"""``status/*``: what this server is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.authentication import Needs
from qvmon.api.http.prometheus.answers import success_of
from qvmon.api.http.times import rfc3339
from qvmon.api.ports import BuildFacts
from qvmon.model.access import Permission
from qvmon.services.configuration import Identity

COMPATIBLE_WITH = "2.42.0"
"""The Prometheus whose API this is tested against; clients choose their requests by it."""

ConfigurationReader = Annotated[Identity, Depends(Needs(Permission.READ_CONFIGURATION))]


def status_routes(build: BuildFacts) -> APIRouter:
    """Return the routes that tell what this server is."""
    router = APIRouter(prefix="/api/v1/status", include_in_schema=False)

    @router.get("/buildinfo")
    async def build_info(_: TelemetryReader, request: Request) -> Response:
        """Tell which version this is, and which Prometheus it answers like."""
        product = f"qvmon {build.version}"
        facts = {"version": COMPATIBLE_WITH, "revision": product, "branch": product}
        return await success_of(
            request, {**facts, "buildUser": "", "buildDate": "", "goVersion": ""}
        )

    @router.get("/runtimeinfo")
    async def runtime_info(_: TelemetryReader, request: Request) -> Response:
        """Tell since when it runs and how long it keeps samples."""
        started = rfc3339(build.started_at_us)
        facts = {"startTime": started, "lastConfigTime": started, "reloadConfigSuccess": True}
        return await success_of(request, {**facts, "storageRetention": build.retention})

    @router.get("/config")
    async def configuration(_: ConfigurationReader, request: Request) -> Response:
        """Show the configuration, without secrets."""
        return await success_of(request, {"yaml": build.configuration})

    return router
