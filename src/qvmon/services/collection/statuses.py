"""From loops to what is shown of their targets."""

from __future__ import annotations

from urllib.parse import urlsplit

from qvmon.services.collection.loop import ScrapeLoop
from qvmon.services.collection.views import TargetStatus

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def status_of(loop: ScrapeLoop, instance: str) -> TargetStatus:
    """Return a loop's status; the host of ``instance`` replaces loopback in the global URL."""
    target, last = loop.target, loop.last
    return TargetStatus(
        target.discovered,
        target.labels,
        target.job,
        target.url,
        _global(target.url, instance),
        last.error,
        last.started_ms,
        last.duration_seconds,
        last.health,
        target.interval_ms / 1000,
        target.timeout_ms / 1000,
        loop.metadata,
    )


def _global(url: str, instance: str) -> str:
    parts, here = urlsplit(url), urlsplit(f"//{instance}").hostname
    if parts.hostname not in _LOOPBACK or here is None or here in _LOOPBACK:
        return url
    port = "" if parts.port is None else f":{parts.port}"
    return parts._replace(netloc=here + port).geturl()
