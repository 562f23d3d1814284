"""``targets`` and ``scrape_pools``: what is scraped, and how that goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.prometheus.answers import success_of
from qvmon.api.http.prometheus.errors import bad_parameter
from qvmon.api.http.prometheus.parameters import Parameters
from qvmon.api.http.times import rfc3339
from qvmon.model.errors import QvmonError
from qvmon.model.labels import Matcher
from qvmon.promql import parse_matchers
from qvmon.services.collection import DroppedTarget, TargetStatus, TargetsView

NEVER = "0001-01-01T00:00:00Z"


def target_routes(targets: Callable[[], TargetsView]) -> APIRouter:
    """Return the routes that tell what is scraped."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.get("/targets")
    async def list_targets(_: TelemetryReader, request: Request) -> Response:
        """List targets and how their last scrapes went."""
        state = request.query_params.get("state", "").lower()
        pool = request.query_params.get("scrapePool", "")
        shown = _targets(targets(), pool, state or "any")
        return await success_of(request, shown)

    @router.get("/targets/metadata")
    async def target_metadata(_: TelemetryReader, request: Request) -> Response:
        """Tell what each target said about its metrics."""
        asked = await Parameters.of(request)
        found = _metadata(targets().active, asked)
        limit = asked.count("limit")
        return await success_of(request, found if limit < 0 else found[:limit])

    @router.get("/scrape_pools")
    async def scrape_pools(_: TelemetryReader, request: Request) -> Response:
        """List the jobs."""
        return await success_of(request, {"scrapePools": sorted(targets().relabelling)})

    return router


def _targets(view: TargetsView, pool: str, state: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "activeTargets": [],
        "droppedTargets": [],
        "droppedTargetCounts": None,
    }
    if state in ("any", "active"):
        active = (each for each in view.active if pool in ("", each.scrape_pool))
        shown["activeTargets"] = [_active(each) for each in active]
    if state in ("any", "dropped"):
        dropped = (each for each in view.dropped if pool in ("", each.scrape_pool))
        shown["droppedTargets"] = [_dropped(each) for each in dropped]
        counts = Counter(each.scrape_pool for each in view.dropped)
        shown["droppedTargetCounts"] = {name: counts[name] for name in sorted(view.relabelling)}
    return shown


def _metadata(active: Iterable[TargetStatus], asked: Parameters) -> list[dict[str, Any]]:
    metric, matchers = asked.text("metric"), _target_matchers(asked.text("match_target"))
    return [
        {
            "target": dict(target.labels),
            **({} if metric else {"metric": each.name}),
            "type": each.type,
            "help": each.help,
            "unit": each.unit,
        }
        for target in active
        if all(matcher.matches(target.labels.get(matcher.name, "")) for matcher in matchers)
        for each in target.metadata
        if metric in ("", each.name)
    ]


def _target_matchers(text: str) -> tuple[Matcher, ...]:
    try:
        return parse_matchers(text) if text else ()
    except QvmonError as error:
        raise bad_parameter("match_target", error) from None


def _active(target: TargetStatus) -> dict[str, Any]:
    last = target.last_scrape_ms
    return {
        "discoveredLabels": dict(target.discovered_labels),
        "labels": dict(target.labels),
        "scrapePool": target.scrape_pool,
        "scrapeUrl": target.scrape_url,
        "globalUrl": target.global_url,
        "lastError": target.last_error,
        "lastScrape": rfc3339(last * 1000) if last else NEVER,
        "lastScrapeDuration": target.last_scrape_duration_seconds,
        "health": target.health.value,
        "scrapeInterval": _duration(target.scrape_interval_seconds),
        "scrapeTimeout": _duration(target.scrape_timeout_seconds),
    }


def _dropped(target: DroppedTarget) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "discoveredLabels": dict(target.discovered_labels),
        "scrapePool": target.scrape_pool,
    }
    return {**shown, "reason": target.reason} if target.reason else shown


def _duration(seconds: float) -> str:
    """Return a duration as Prometheus prints it, such as ``1m30s`` or ``500ms``."""
    rest, texts = round(seconds * 1000), []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            texts.append(f"{count}{unit}")
    return "".join(texts) or "0s"
