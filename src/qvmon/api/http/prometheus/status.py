"""``status/*``: what this server is, and what it holds."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.authentication import Needs
from qvmon.api.http.prometheus.answers import success_of
from qvmon.api.http.prometheus.parameters import Parameters, go_integer
from qvmon.api.http.times import rfc3339
from qvmon.api.ports import BuildFacts, CardinalityReport
from qvmon.model.access import Permission
from qvmon.model.cardinality import Cardinality, Count, StoredBlock
from qvmon.model.clock import Clock, now_us
from qvmon.model.errors import QvmonError, invalid
from qvmon.model.metrics import Registry
from qvmon.services.configuration import Identity
from qvmon.stores.telemetry.metrics import QUARANTINED

COMPATIBLE_WITH = "3.16.0"
"""The Prometheus whose API this is compared with; clients choose their requests by it."""

_LARGEST_REPORT = 10_000
_USUAL_REPORT = 10

ConfigurationReader = Annotated[Identity, Depends(Needs(Permission.READ_CONFIGURATION))]


def status_routes(build: BuildFacts, clock: Clock, registry: Registry) -> APIRouter:
    """Return the routes that tell what this server is."""
    router = APIRouter(prefix="/api/v1/status", include_in_schema=False)

    @router.get("/buildinfo")
    async def build_info(_: TelemetryReader, request: Request) -> Response:
        """Tell which version this is, and which Prometheus it answers like."""
        return await success_of(request, _version(build))

    @router.get("/runtimeinfo")
    async def runtime_info(_: TelemetryReader, request: Request) -> Response:
        """Tell since when it runs and how long it keeps samples."""
        corruptions = int(registry.value(QUARANTINED).current)
        return await success_of(request, {**_runtime(build, clock), "corruptionCount": corruptions})

    @router.get("/config")
    async def configuration(_: ConfigurationReader, request: Request) -> Response:
        """Show the configuration, without secrets."""
        return await success_of(request, {"yaml": build.configuration})

    @router.get("/flags")
    async def flags(_: ConfigurationReader, request: Request) -> Response:
        """Show settings under the names of Prometheus' flags."""
        return await success_of(request, dict(build.flags))

    return router


def version_routes(build: BuildFacts) -> APIRouter:
    """Return the route that tells the version outside the API."""
    router = APIRouter(include_in_schema=False)

    @router.get("/version")
    async def version(_: TelemetryReader) -> JSONResponse:
        """Tell the same as ``buildinfo``."""
        return JSONResponse(_version(build))

    return router


def _version(build: BuildFacts) -> dict[str, str]:
    product = f"qvmon {build.version}"
    facts = {"version": COMPATIBLE_WITH, "revision": product, "branch": product}
    return {**facts, "buildUser": "", "buildDate": "", "goVersion": ""}


def store_status_routes(report: CardinalityReport) -> APIRouter:
    """Return the routes that tell what the telemetry store of this process holds."""
    router = APIRouter(prefix="/api/v1/status", include_in_schema=False)

    @router.get("/tsdb")
    async def tsdb(_: TelemetryReader, request: Request) -> Response:
        """Tell how many series there are, and which labels make them many."""
        limit = _report_limit(await Parameters.of(request))
        return await success_of(request, _cardinality(await report.cardinality(limit)))

    @router.get("/tsdb/blocks")
    async def tsdb_blocks(_: TelemetryReader, request: Request) -> Response:
        """List the blocks on disk."""
        return await success_of(
            request, {"blocks": [_block(each) for each in await report.blocks()]}
        )

    @router.get("/walreplay")
    async def wal_replay(_: TelemetryReader, request: Request) -> Response:
        """Tell how far recovery is: it has ended before anybody is answered."""
        return await success_of(request, {"min": 0, "max": 0, "current": 0})

    return router


def _runtime(build: BuildFacts, clock: Clock) -> dict[str, Any]:
    started = rfc3339(build.started_at_us)
    return {
        "startTime": started,
        "CWD": build.directory,
        "hostname": build.hostname,
        "serverTime": rfc3339(now_us(clock)),
        "reloadConfigSuccess": True,
        "lastConfigTime": started,
        "goroutineCount": threading.active_count(),
        "GOMAXPROCS": os.cpu_count(),
        "GOMEMLIMIT": 0,
        "GOGC": "",
        "GODEBUG": "",
        "storageRetention": build.retention,
    }


def _report_limit(asked: Parameters) -> int:
    if not asked.text("limit"):
        return _USUAL_REPORT
    text = asked.text("limit")
    try:
        limit = go_integer(text)
    except QvmonError:
        limit = 0
    if limit < 1:
        raise invalid("limit must be a positive number")
    if limit > _LARGEST_REPORT:
        raise invalid(f"limit must not exceed {_LARGEST_REPORT}")
    return limit


def _cardinality(found: Cardinality) -> dict[str, Any]:
    return {
        "headStats": {
            "numSeries": found.series,
            "numLabelPairs": found.label_pairs,
            "chunkCount": found.chunks,
            "minTime": found.min_time_ms,
            "maxTime": found.max_time_ms,
        },
        "seriesCountByMetricName": _counts(found.series_by_metric),
        "labelValueCountByLabelName": _counts(found.values_by_label),
        "memoryInBytesByLabelName": _counts(found.bytes_by_label),
        "seriesCountByLabelValuePair": _counts(found.series_by_pair),
    }


def _block(block: StoredBlock) -> dict[str, Any]:
    """Return a block as Prometheus' ``meta.json`` has it; here a chunk is all of a series."""
    return {
        "ulid": f"{block.number:026d}",
        "minTime": block.start_ms,
        "maxTime": block.end_ms + 1,
        "stats": {
            "numSamples": block.samples,
            "numFloatSamples": block.samples,
            "numSeries": block.series,
            "numChunks": block.series,
        },
        "compaction": {
            "level": 2 if block.sources else 1,
            "sources": [f"{number:026d}" for number in block.sources or (block.number,)],
        },
        "version": 1,
    }


def _counts(counts: Iterable[Count]) -> list[dict[str, Any]]:
    return [{"name": each.name, "value": each.value} for each in counts]
