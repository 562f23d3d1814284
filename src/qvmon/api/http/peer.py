"""``/peer``: series for other qvmon processes, as Arrow."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from qvmon.api.http.access import PREFIX
from qvmon.api.http.authentication import Needs
from qvmon.api.http.prometheus.disconnection import while_connected
from qvmon.api.ports import RawSamples
from qvmon.model.access import Permission
from qvmon.model.ports import SeriesSource
from qvmon.model.unknown import UnknownSource
from qvmon.services.configuration import Identity
from qvmon.wire import series_stream

Peer = Annotated[Identity, Depends(Needs(Permission.READ_TELEMETRY, only_reads=True))]


def peer_routes(
    source: SeriesSource, intervals: UnknownSource, queries: RawSamples | None
) -> APIRouter:
    """Return the routes behind another process's ``PeerSource``.

    Args:
        source: The series of this process.
        intervals: What it could not observe.
        queries: Reads samples within the limits of queries; without it there are none.
    """
    router = APIRouter(prefix=f"{PREFIX}/peer", include_in_schema=False)

    @router.post("/select")
    async def select(who: Peer, request: Request) -> Response:
        """Send the samples of selections to another qvmon process, as Arrow."""
        selections = series_stream.decode_select_request(await request.body())
        work = queries.select(who.principal, selections) if queries else source.select(selections)
        answers = await while_connected(request, work)
        return _arrow(await asyncio.to_thread(series_stream.encode_columns, answers))

    @router.post("/series")
    async def series(_: Peer, request: Request) -> Response:
        """Send the labels of matching series, as Arrow."""
        matchers, start, end = series_stream.decode_series_request(await request.body())
        frame = await source.series(matchers, start, end)
        return _arrow(await asyncio.to_thread(series_stream.encode_frame, frame))

    @router.post("/unknown")
    async def unknown(_: Peer, request: Request) -> Response:
        """Send unknown intervals."""
        matchers, start, end = series_stream.decode_series_request(await request.body())
        found = await intervals.unknown(matchers, start, end)
        return Response(series_stream.encode_unknown(found), media_type="application/json")

    @router.get("/metadata")
    async def metadata(_: Peer, metric: str | None = None) -> Response:
        """Send what targets said about their metrics."""
        entries = await source.metadata(metric)
        body = series_stream.encode_metadata(entries)
        return Response(body, media_type="application/json")

    return router


def _arrow(body: bytes) -> Response:
    # Already binary and for a neighbour: gzip would cost more time than it saves.
    headers = {"Content-Encoding": "identity"}
    return Response(body, headers=headers, media_type=series_stream.CONTENT_TYPE)
