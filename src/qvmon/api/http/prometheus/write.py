"""``write``: receives remote-write 1.0.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/; errors are plain text, 4xx tells
the sender not to try again, 5xx to try again.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, Response

from qvmon.api.config import ApiConfig
from qvmon.api.http.authentication import NO_AUTH_IDENTITY, Needs, client_address
from qvmon.api.ingest import Ingest
from qvmon.api.metrics import INGESTED_SAMPLES
from qvmon.model.access import Permission, PrincipalKind
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.metrics import Registry
from qvmon.model.ports import AppendResult
from qvmon.services.configuration import Identity
from qvmon.wire.remote_write import WriteRequest

Writer = Annotated[
    Identity, Depends(Needs(Permission.WRITE_TELEMETRY, anonymous_setting="anonymous_ingest"))
]
_SECOND_VERSION = "io.prometheus.write.v2.Request"
_ONLY_FIRST = "remote-write 2.0 is not received here; use 1.0 (prometheus.WriteRequest)"
_IN_WORDS = {
    "out_of_order": "out of order sample",
    "too_old": "out of bounds: too old sample",
    "too_far_in_future": "out of bounds: too far in the future",
    "duplicate_timestamp": "duplicate sample for timestamp",
    "series_limit": "series limit reached",
    "sender_series_limit": "the sender brings more new series than it may",
    "native_histogram": "native histograms are not supported",
}


def write_routes(ingest: Ingest, config: ApiConfig, registry: Registry) -> APIRouter:
    """Return the route that receives samples."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)
    outcomes = registry.family(INGESTED_SAMPLES)

    @router.post("/write")
    async def write(who: Writer, request: Request) -> Response:
        """Store samples that a remote writer sends."""
        if _SECOND_VERSION in request.headers.get("content-type", ""):
            return _undecodable(QvmonError(ErrorKind.UNSUPPORTED, _ONLY_FIRST))
        body = await request.body()
        encoding = request.headers.get("content-encoding", "snappy")
        try:
            decoded = await ingest.decode(body, encoding, config.ingest_decoded_bytes)
        except QvmonError as error:
            return _undecodable(error)
        sender = _sender(who, request)
        try:
            result = await ingest.receive(who.principal, decoded, sender)
        except QvmonError as error:
            if "retry_after_seconds" not in error.context:
                raise
            return _later(error)
        refusals = _refusals(decoded, result)
        outcomes.value("accepted").add(result.accepted)
        for reason, count in refusals.items():
            outcomes.value(reason).add(count)
        if refusals:
            return PlainTextResponse(_sentence(refusals), 400)
        return Response(status_code=204)

    return router


def _sender(who: Identity, request: Request) -> str:
    """Return whom samples are counted for; who did not log in is known by the address."""
    nameless = who is NO_AUTH_IDENTITY or who.principal.kind is PrincipalKind.ANONYMOUS
    return client_address(request) if nameless else who.principal.name


def _later(error: QvmonError) -> Response:
    seconds = str(error.context["retry_after_seconds"])
    return PlainTextResponse(error.message + "\n", 429, {"Retry-After": seconds})


def _undecodable(error: QvmonError) -> Response:
    statuses = {ErrorKind.EXHAUSTED: 413, ErrorKind.UNSUPPORTED: 415}
    return PlainTextResponse(error.message + "\n", statuses.get(error.kind, 400))


def _refusals(request: WriteRequest, result: AppendResult) -> dict[str, int]:
    refused = dict(request.refused_samples())
    refused["native_histogram"] = request.dropped["histograms"]
    for reason, rows in result.refused.items():
        refused[reason] = refused.get(reason, 0) + len(rows)
    return {reason: count for reason, count in sorted(refused.items()) if count}


def _sentence(refusals: dict[str, int]) -> str:
    reasons = (
        f"{_IN_WORDS.get(reason, reason.replace('_', ' '))} ({count})"
        for reason, count in refusals.items()
    )
    return f"refused samples, the others are stored: {', '.join(reasons)}\n"
