"""``features``, ``alertmanagers`` and ``notifications``: what clients look for before they ask.

Source: Prometheus web/api/v1/api.go and util/features.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.prometheus.answers import success_of
from qvmon.promql.lexer import AGGREGATORS
from qvmon.promql.signatures import SIGNATURES

Features = dict[str, dict[str, bool]]

_API = (
    "admin",
    "exclude_alerts",
    "label_values_match",
    "query_stats",
    "query_warnings",
    "search",
    "search_fuzz_alg_jarowinkler",
    "search_fuzz_alg_subsequence",
    "time_range_labels",
    "time_range_series",
)
_PROMQL = (
    "anchored",
    "at_modifier",
    "bool",
    "by",
    "duration_expr",
    "fill",
    "fill_left",
    "fill_right",
    "group_left",
    "group_right",
    "ignoring",
    "negative_offset",
    "offset",
    "on",
    "per_query_lookback_delta",
    "per_step_stats",
    "smoothed",
    "subqueries",
    "without",
)
_OPERATORS = (
    *("+", "-", "*", "/", "%", "^", "atan2", "@"),
    *("==", "!=", "<", "<=", ">", ">=", "=~", "!~"),
    *("and", "or", "unless"),
)


def feature_routes(*, receives: bool) -> APIRouter:
    """Return the routes; ``receives`` says whether this process takes remote writes."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.get("/features")
    async def features(_: TelemetryReader, request: Request) -> Response:
        """Tell which parts of Prometheus there are."""
        return await success_of(request, known_features(receives=receives))

    @router.get("/alertmanagers")
    async def alertmanagers(_: TelemetryReader, request: Request) -> Response:
        """List Alertmanagers: qvmon routes and tells alerts itself."""
        nobody: dict[str, list[str]] = {"activeAlertmanagers": [], "droppedAlertmanagers": []}
        return await success_of(request, nobody)

    @router.get("/notifications")
    async def notifications(_: TelemetryReader, request: Request) -> Response:
        """List what the web client should tell: qvmon's own events have their own route."""
        return await success_of(request, [])

    return router


def known_features(*, receives: bool) -> Features:
    """Return every feature by its category."""
    return {
        "api": {**_all(_API), "remote_write_receiver": receives},
        "prometheus": {"agent_mode": False, "server_mode": True},
        "promql": _all(_PROMQL),
        "promql_functions": _all(sorted(SIGNATURES)),
        "promql_operators": _all(sorted({*_OPERATORS, *AGGREGATORS})),
        "rules": _all(("keep_firing_for", "query_offset")),
        "service_discovery_providers": _all(("file", "static")),
    }


def _all(names: Iterable[str]) -> dict[str, bool]:
    return dict.fromkeys(names, True)
