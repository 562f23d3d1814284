"""``read``: samples for another Prometheus, or whoever speaks its remote-read protocol.

Source: Prometheus storage/remote/read_handler.go; errors are plain text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from qvmon.api.config import ApiConfig
from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.prometheus.disconnection import while_connected
from qvmon.api.ports import RawSamples
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Matcher, MatchOp
from qvmon.model.series import Selection
from qvmon.wire.remote_read import (
    CHUNKS_TYPE,
    SAMPLES_TYPE,
    ReadQuery,
    ReadSeries,
    chunk_frames,
    decode_request,
    encode_samples,
)

_STATUSES = {ErrorKind.INVALID: 400, ErrorKind.EXHAUSTED: 400, ErrorKind.FORBIDDEN: 403}


def read_routes(samples: RawSamples, external: Mapping[str, str], config: ApiConfig) -> APIRouter:
    """Return the route; ``external`` labels are added to every series."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.post("/read")
    async def read(who: TelemetryReader, request: Request) -> Response:
        """Send the samples that another Prometheus asks for."""
        try:
            body = await request.body()
            asked = decode_request(body, max_bytes=config.request_body_bytes)
            selections = [_selection(query, external) for query in asked.queries]
            work = samples.select(who.principal, selections)
            found = await while_connected(request, work)
        except QvmonError as error:
            return PlainTextResponse(error.message + "\n", _STATUSES.get(error.kind, 500))
        answers = await asyncio.to_thread(
            lambda: [ReadSeries.of(columns, external) for columns in found]
        )
        if asked.as_chunks:
            headers = {"Content-Encoding": "identity", "Content-Type": CHUNKS_TYPE}
            return StreamingResponse(chunk_frames(answers), headers=headers)
        encoded = await asyncio.to_thread(encode_samples, answers)
        headers = {"Content-Encoding": "snappy", "Content-Type": SAMPLES_TYPE}
        return Response(encoded, headers=headers)

    return router


def _selection(query: ReadQuery, external: Mapping[str, str]) -> Selection:
    matchers = tuple(_inside(matcher, external) for matcher in query.matchers)
    return Selection(matchers, query.start_ms, query.end_ms)


def _inside(matcher: Matcher, external: Mapping[str, str]) -> Matcher:
    """Return a matcher for what is stored: external labels are not, so their value is empty."""
    known = external.get(matcher.name) == matcher.value and matcher.op is MatchOp.EQUAL
    return Matcher(matcher.name, MatchOp.EQUAL, "") if known else matcher
