"""``/federate``: the newest sample of chosen series, for another Prometheus to scrape.

Source: Prometheus web/federate.go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.prometheus.disconnection import while_connected
from qvmon.api.http.prometheus.encodings import accepted_encoding, compressed
from qvmon.api.http.prometheus.parameters import Parameters
from qvmon.api.ports import BuildFacts, RawSamples
from qvmon.model.clock import Clock, now_ms
from qvmon.model.errors import QvmonError
from qvmon.model.series import STALE_BITS, Selection, SeriesColumns
from qvmon.promql import parse_matchers
from qvmon.wire.exposition.escaping import SCHEMES, UNDERSCORES
from qvmon.wire.exposition.federation import LastSample, render_federation

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping="
_ESCAPING = "escaping"


def federation_routes(samples: RawSamples, build: BuildFacts, clock: Clock) -> APIRouter:
    """Return the route that another Prometheus scrapes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/federate")
    async def federate(who: TelemetryReader, request: Request) -> Response:
        """Expose the newest sample of the series that match."""
        asked = await Parameters.of(request)
        now = now_ms(clock)
        try:
            sets = [parse_matchers(text) for text in asked.all("match[]")]
        except QvmonError as error:
            return PlainTextResponse(error.message + "\n", 400)
        start = now - round(build.lookback_seconds * 1000)
        selections = [Selection(matchers, start, now) for matchers in sets if matchers]
        found = await while_connected(request, samples.select(who.principal, selections))
        escaping = asked_escaping(request.headers.get("accept", ""))
        encoding = accepted_encoding(request.headers.get("accept-encoding", ""))

        def work() -> tuple[bytes, str]:
            body = render_federation(_distinct(found), build.external_labels, escaping)
            return compressed(body, encoding)

        body, encoded = await asyncio.to_thread(work)
        headers = {"Content-Encoding": encoded} if encoded else {}
        return Response(body, headers=headers, media_type=_CONTENT_TYPE + escaping)

    return router


def asked_escaping(accept: str) -> str:
    """Return the escaping of names that the first clause of ``Accept`` to name one asks for."""
    for clause in accept.split(","):
        for parameter in clause.split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == _ESCAPING and value.strip() in SCHEMES:
                return value.strip()
    return UNDERSCORES


def _distinct(found: Iterable[SeriesColumns]) -> Iterator[LastSample]:
    """Yield the newest sample of every series once; ended series have none."""
    seen = set()
    for columns in found:
        for each in _newest(columns):
            if each.labels not in seen:
                seen.add(each.labels)
                yield each


def _newest(columns: SeriesColumns) -> Iterator[LastSample]:
    last = columns.offsets[1:] - 1
    values, times = columns.values[last], columns.timestamps[last]
    alive = np.flatnonzero(values.view(np.uint64) != STALE_BITS)
    rows = zip(alive.tolist(), times[alive].tolist(), values[alive].tolist(), strict=True)
    for row, time_ms, value in rows:
        yield LastSample(columns.labels.labels(row), time_ms, value)
