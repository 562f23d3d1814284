"""Settings under the names of Prometheus' command-line flags, for ``/api/v1/status/flags``."""

from __future__ import annotations

from qvmon.app.settings import Settings
from qvmon.promql import format_duration


def prometheus_flags(settings: Settings) -> dict[str, str]:
    """Return what a Prometheus that is set up like this process would show.

    Only flags that have a counterpart here are in it.
    """
    api, query, telemetry = settings.api, settings.query, settings.telemetry
    return {
        "config.file": str(settings.prometheus_config or ""),
        "log.level": settings.log_level,
        "query.lookback-delta": _duration(query.lookback_seconds),
        "query.max-concurrency": str(query.concurrent),
        "query.max-samples": str(query.max_samples),
        "query.timeout": _duration(query.timeout_seconds),
        "storage.tsdb.path": str(settings.data_dir),
        "storage.tsdb.retention.time": _duration(telemetry.retention_seconds),
        "web.cors.origin": api.cors_origin,
        "web.enable-admin-api": "true",
        "web.enable-remote-write-receiver": str("collection" in settings.modules).lower(),
        "web.external-url": settings.external_url,
        "web.listen-address": f"{api.host}:{api.port}",
        "web.max-connections": str(api.concurrent_requests),
    }


def _duration(seconds: float) -> str:
    return format_duration(round(seconds * 1000))
