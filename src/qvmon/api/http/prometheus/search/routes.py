"""The routes of a search, which answer in lines of JSON: batches of results, then how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.prometheus.parameters import Parameters
from qvmon.api.http.prometheus.search.families import Families
from qvmon.api.http.prometheus.search.ranking import Found, found
from qvmon.api.http.prometheus.search.request import SearchRequest, boolean, search_request
from qvmon.api.ports import SeriesLookup
from qvmon.model.clock import Clock
from qvmon.model.errors import invalid

_METHODS = ["GET", "POST"]
Told = Callable[[str], dict[str, Any]]


def search_routes(lookup: SeriesLookup, clock: Clock) -> APIRouter:
    """Return the routes that find names and values by a part of them."""
    router = APIRouter(prefix="/api/v1/search", include_in_schema=False)

    async def of(request: Request, endpoint: str) -> tuple[Parameters, SearchRequest]:
        asked = await Parameters.of(request)
        return asked, search_request(asked, clock.now_ns() // 1_000_000, endpoint)

    @router.api_route("/metric_names", methods=_METHODS)
    async def metric_names(who: TelemetryReader, request: Request) -> Response:
        """Find metrics."""
        asked, wanted = await of(request, "metric_names")
        described = boolean(asked, "include_metadata", False)
        names = await lookup.label_values(
            who.principal, "__name__", wanted.matchers, wanted.start_ms, wanted.end_ms
        )
        families = Families(await lookup.metadata(who.principal) if described else ())
        return await _answer(names, wanted, lambda name: {"name": name, **_of(families, name)})

    @router.api_route("/label_names", methods=_METHODS)
    async def label_names(who: TelemetryReader, request: Request) -> Response:
        """Find labels."""
        _, wanted = await of(request, "label_names")
        names = await lookup.label_names(
            who.principal, wanted.matchers, wanted.start_ms, wanted.end_ms
        )
        return await _answer(names, wanted, lambda name: {"name": name})

    @router.api_route("/label_values", methods=_METHODS)
    async def label_values(who: TelemetryReader, request: Request) -> Response:
        """Find values of one label."""
        asked, wanted = await of(request, "label_values")
        label = asked.text("label")
        if not label:
            raise invalid('missing required parameter "label"')
        values = await lookup.label_values(
            who.principal, label, wanted.matchers, wanted.start_ms, wanted.end_ms
        )
        return await _answer(values, wanted, lambda value: {"value": value})

    return router


def _of(families: Families, name: str) -> dict[str, str]:
    known = families.of(name)
    if known is None:
        return {}
    told = {"type": known.type, "help": known.help, "unit": known.unit}
    return {key: value for key, value in told.items() if value}


async def _answer(words: Sequence[str], wanted: SearchRequest, told: Told) -> Response:
    """Return the answer that lists those of ``words`` which are found, each as ``told``."""

    def work() -> bytes:
        every = found(words, wanted.search)
        return b"".join(_lines(every[: wanted.limit], len(every) > wanted.limit, wanted, told))

    body = await asyncio.to_thread(work)
    return Response(body, media_type="application/x-ndjson; charset=utf-8")


def _lines(
    shown: Sequence[Found], has_more: bool, wanted: SearchRequest, told: Told
) -> Iterator[bytes]:
    for start in range(0, max(len(shown), 1), wanted.batch_size):
        batch = shown[start : start + wanted.batch_size]
        results = [_result(each, wanted.include_score, told) for each in batch]
        yield msgspec.json.encode({"results": results}) + b"\n"
    yield msgspec.json.encode({"status": "success", "has_more": has_more}) + b"\n"


def _result(each: Found, include_score: bool, told: Told) -> dict[str, Any]:
    """Return one result; its score stands after what names it."""
    (name, word), *more = told(each.word).items()
    whole = int(each.score) if each.score.is_integer() else each.score
    score = {"score": whole} if include_score else {}
    return {name: word, **score, **dict(more)}
