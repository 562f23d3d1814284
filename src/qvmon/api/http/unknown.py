"""``/unknown``: the stretches of time about which the store can say nothing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from qvmon.api.http.access import TelemetryReader, rest_router
from qvmon.api.http.prometheus.parameters import MAX_TIME_MS, MIN_TIME_MS, parse_time_ms
from qvmon.api.http.times import Time, rfc3339, rfc3339_or_none
from qvmon.model.unknown import UnknownInterval, UnknownSource
from qvmon.promql import parse_matchers

_MATCH = Query(alias="match[]", description="Selectors over the scope's labels and `reason`.")


class Unknown(BaseModel):
    """A scope that was not observed from ``start`` until ``end`` (not yet over without one)."""

    scope: dict[str, str]
    reason: str
    start: Time
    end: Time | None


class UnknownList(BaseModel):
    """Unknown intervals, earliest first."""

    unknown: list[Unknown]


def unknown_routes(source: UnknownSource) -> APIRouter:
    """Return the route that lists unknown intervals."""
    router = rest_router("telemetry")

    @router.get("/unknown", operation_id="listUnknown")
    async def list_unknown(
        _: TelemetryReader,
        match: Annotated[list[str] | None, _MATCH] = None,
        start: str = "",
        end: str = "",
    ) -> UnknownList:
        """List what was not observed between two times, and why."""
        selectors = [tuple(parse_matchers(text)) for text in match or ()]
        found = await source.unknown(
            selectors,
            parse_time_ms(start) if start else MIN_TIME_MS,
            parse_time_ms(end) if end else MAX_TIME_MS,
        )
        return UnknownList(unknown=[_shown(each) for each in found])

    return router


def _shown(interval: UnknownInterval) -> Unknown:
    end_ms = interval.end_ms
    return Unknown(
        scope=dict(interval.scope),
        reason=interval.reason,
        start=rfc3339(interval.start_ms * 1000),
        end=rfc3339_or_none(end_ms * 1000 if end_ms is not None else None),
    )
