"""From loops to what is shown of their targets."""

from __future__ import annotations

from urllib.parse import urlsplit

from qvmon.services.collection.loop import ScrapeLoop
from qvmon.services.collection.views import TargetStatus

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def status_of(loop: ScrapeLoop, host: str) -> TargetStatus:
    """Return a loop's status; ``host`` stands for loopback addresses in the global URL."""
    target, last = loop.target, loop.last
    return TargetStatus(
        target.discovered,
        target.labels,
        target.job,
        target.url,
        _global(target.url, host),
        last.error,
        last.started_ms,
        last.duration_seconds,
        last.health,
        target.interval_ms / 1000,
        target.timeout_ms / 1000,
    )


def _global(url: str, host: str) -> str:
    parts = urlsplit(url)
    if parts.hostname not in _LOOPBACK:
        return url
    port = "" if parts.port is None else f":{parts.port}"
    return parts._replace(netloc=host + port).geturl()
