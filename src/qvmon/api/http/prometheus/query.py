"""``query`` and ``query_range``."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.prometheus.answers import success
from qvmon.api.http.prometheus.costs import asked_limits, asked_priority
from qvmon.api.http.prometheus.disconnection import while_connected
from qvmon.api.http.prometheus.errors import bad_parameter, execution_error
from qvmon.api.http.prometheus.parameters import Parameters, go_duration, parse_duration_ms
from qvmon.api.http.prometheus.rendering import is_small, over_time, render_result
from qvmon.api.http.prometheus.statistics import (
    render_statistics,
    statistics_wanted,
    statistics_warnings,
)
from qvmon.api.http.prometheus.truncation import truncated
from qvmon.api.ports import Queries
from qvmon.model.clock import Clock, now_ms
from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.promql import Notes, Result, Text
from qvmon.stores.query import Priority, QueryLimits, QueryStatistics

MOST_POINTS = 11_000
_METHODS = ["GET", "POST"]


def query_routes(queries: Queries, clock: Clock) -> APIRouter:
    """Return the routes that evaluate PromQL."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.api_route("/query", methods=_METHODS)
    async def query(who: TelemetryReader, request: Request) -> Response:
        """Evaluate PromQL at one moment."""
        asked = await Parameters.of(request)
        limit, at = asked.limit(), asked.time_ms("time", now_ms(clock))
        options = _Options.of(asked)
        work = queries.instant(
            who.principal,
            asked.text("query"),
            at,
            lookback_ms=options.lookback_ms,
            timeout_seconds=options.timeout_seconds,
            limits=options.limits,
            priority=options.priority,
            statistics=options.statistics,
        )
        try:
            result = await while_connected(request, work)
        except QvmonError as error:
            raise _query_error(error) from None
        return await _answer(request, result, limit, options)

    @router.api_route("/query_range", methods=_METHODS)
    async def query_range(who: TelemetryReader, request: Request) -> Response:
        """Evaluate PromQL at every step of an interval."""
        asked = await Parameters.of(request)
        limit, (start, end, step) = asked.limit(), _steps(asked)
        options = _Options.of(asked)
        work = queries.range(
            who.principal,
            asked.text("query"),
            start,
            end,
            step,
            lookback_ms=options.lookback_ms,
            timeout_seconds=options.timeout_seconds,
            limits=options.limits,
            priority=options.priority,
            statistics=options.statistics,
            use_cache=not asked.text("nocache"),
        )
        try:
            result = await while_connected(request, work)
        except QvmonError as error:
            raise _query_error(error) from None
        return await _answer(request, over_time(result), limit, options)

    return router


@dataclass(frozen=True, slots=True)
class _Options:
    """What both kinds of queries may ask for."""

    timeout_seconds: float | None
    lookback_ms: int | None
    limits: QueryLimits
    priority: Priority
    statistics: QueryStatistics | None
    warnings: list[str]

    @classmethod
    def of(cls, asked: Parameters) -> _Options:
        stats = asked.text("stats")
        return cls(
            timeout_seconds=_timeout(asked),
            lookback_ms=_lookback(asked),
            limits=asked_limits(asked),
            priority=asked_priority(asked),
            statistics=statistics_wanted(stats),
            warnings=statistics_warnings(stats),
        )


async def _answer(
    request: Request, result: Result, limit: int | None, options: _Options
) -> Response:
    result, warnings = truncated(result, limit)
    notes = Notes() if isinstance(result, Text) else result.notes
    stats = b"" if options.statistics is None else render_statistics(options.statistics)
    return await success(
        request,
        lambda: render_result(result, stats),
        [*notes.warnings, *warnings, *options.warnings],
        notes.infos,
        small=is_small(result),
    )


def _steps(asked: Parameters) -> tuple[int, int, int]:
    start, end = asked.time_ms("start"), asked.time_ms("end")
    if end < start:
        raise bad_parameter("end", invalid("end timestamp must not be before start time"))
    step = asked.duration_ms("step")
    if step <= 0:
        raise bad_parameter(
            "step",
            invalid(
                "zero or negative query resolution step widths are not accepted."
                " Try a positive integer"
            ),
        )
    if (end - start) // step > MOST_POINTS:
        raise invalid(
            "exceeded maximum resolution of 11,000 points per timeseries."
            " Try decreasing the query resolution (?step=XX)"
        )
    return start, end, step


def _lookback(asked: Parameters) -> int | None:
    text = asked.text("lookback_delta")
    if not text:
        return None
    try:
        milliseconds = parse_duration_ms(text)
    except QvmonError as error:
        raise invalid(f"error parsing lookback delta duration: {error.message}") from None
    return milliseconds if milliseconds > 0 else None


def _timeout(asked: Parameters) -> float | None:
    if not asked.text("timeout"):
        return None
    milliseconds = asked.duration_ms("timeout")
    if milliseconds <= 0:
        shown = go_duration(milliseconds)
        raise bad_parameter("timeout", invalid(f"timeout must be positive, got {shown}"))
    return milliseconds / 1000


def _query_error(error: QvmonError) -> QvmonError:
    """Return an error of the text as a bad parameter, any other as one of execution."""
    of_text = {"line", "span", "expression_type"} & error.context.keys()
    if error.kind is ErrorKind.INVALID and of_text:
        return bad_parameter("query", error)
    return execution_error(error)
