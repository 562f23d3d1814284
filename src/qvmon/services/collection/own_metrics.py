"""qvmon's own metrics, as a source that is scraped like a target."""

from __future__ import annotations

from qvmon.model.metrics import Registry
from qvmon.wire.exposition import render


class OwnMetrics:
    """What this process says about itself, under the job ``qvmon``."""

    name = "qvmon"

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def collect(self) -> bytes:
        """Return the exposition text."""
        return render(self._registry.collect(), openmetrics=False)
