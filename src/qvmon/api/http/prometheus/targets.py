"""``targets``: what is scraped, and how that goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import TelemetryReader
from qvmon.api.http.prometheus.answers import success_of
from qvmon.api.http.times import rfc3339
from qvmon.services.collection import DroppedTarget, TargetStatus, TargetsView

NEVER = "0001-01-01T00:00:00Z"


def target_routes(targets: Callable[[], TargetsView]) -> APIRouter:
    """Return the route that lists targets."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.get("/targets")
    async def list_targets(_: TelemetryReader, request: Request) -> Response:
        """List targets and how their last scrapes went."""
        state = request.query_params.get("state", "any").lower()
        pool = request.query_params.get("scrapePool", "")
        view = targets()
        active = [_active(each) for each in view.active if pool in ("", each.scrape_pool)]
        dropped = [_dropped(each) for each in view.dropped if pool in ("", each.scrape_pool)]
        shown = {
            "activeTargets": active if state != "dropped" else [],
            "droppedTargets": dropped if state != "active" else [],
        }
        return await success_of(request, shown)

    return router


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
    shown: dict[str, Any] = {"discoveredLabels": dict(target.discovered_labels)}
    return {**shown, "reason": target.reason} if target.reason else shown


def _duration(seconds: float) -> str:
    """Return a duration as Prometheus prints it, such as ``1m30s`` or ``500ms``."""
    rest, texts = round(seconds * 1000), []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            texts.append(f"{count}{unit}")
    return "".join(texts) or "0s"
