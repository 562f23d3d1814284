"""``admin/tsdb/*``: deletion and snapshots, for administrators; every act is a fact.

Source: Prometheus web/api/v1/api.go, ``deleteSeries``, ``cleanTombstones`` and ``snapshot``. There
a flag opens them to anybody; here a permission does.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import Administrator
from qvmon.api.http.prometheus.answers import success_of
from qvmon.api.http.prometheus.errors import bad_parameter
from qvmon.api.http.prometheus.parameters import Parameters
from qvmon.api.ports import TelemetryKeeping
from qvmon.model.clock import Clock, now_us
from qvmon.model.errors import QvmonError, invalid
from qvmon.model.facts import (
    FactBody,
    FactDraft,
    SeriesDeleted,
    SnapshotTaken,
    TombstonesCleaned,
)
from qvmon.model.ledger import Ledger
from qvmon.promql import parse_matchers
from qvmon.services.configuration import Identity

_METHODS = ["POST", "PUT"]
_SUBJECT = "telemetry/metrics"


def administration_routes(store: TelemetryKeeping, ledger: Ledger, clock: Clock) -> APIRouter:
    """Return the routes that change or copy what is stored."""
    router = APIRouter(prefix="/api/v1/admin/tsdb", include_in_schema=False)

    async def record(who: Identity, body: FactBody) -> None:
        await ledger.append([FactDraft(body, _SUBJECT, who.principal.actor, now_us(clock))])

    @router.api_route("/delete_series", methods=_METHODS)
    async def delete_series(who: Administrator, request: Request) -> Response:
        """Delete the samples of series in an interval."""
        asked = await Parameters.of(request)
        selectors = asked.all("match[]")
        if not selectors:
            raise invalid("no match[] parameter provided")
        start, end = asked.interval()
        try:
            matchers = [parse_matchers(text) for text in selectors]
        except QvmonError as error:
            raise bad_parameter("match[]", error) from None
        await record(who, SeriesDeleted(selectors=tuple(selectors), start_ms=start, end_ms=end))
        await store.delete_series(matchers, start, end)
        return Response(status_code=204)

    @router.api_route("/clean_tombstones", methods=_METHODS)
    async def clean_tombstones(who: Administrator) -> Response:
        """Remove deleted samples from disk."""
        await record(who, TombstonesCleaned())
        await store.clean_tombstones()
        return Response(status_code=204)

    @router.api_route("/snapshot", methods=_METHODS)
    async def snapshot(who: Administrator, request: Request) -> Response:
        """Copy what is stored."""
        asked = await Parameters.of(request)
        try:
            skip_head = asked.truth("skip_head")
        except QvmonError as error:
            complaint = invalid(f"unable to parse boolean: {error.message}")
            raise bad_parameter("skip_head", complaint) from None
        name = await store.snapshot(skip_head=skip_head)
        await record(who, SnapshotTaken(name=name, skip_head=skip_head))
        return await success_of(request, {"name": name})

    return router
