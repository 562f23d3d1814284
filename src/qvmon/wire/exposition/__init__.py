"""How programs expose metrics: Prometheus text 0.0.4 and 1.0.0, OpenMetrics 1.0."""

from qvmon.wire.exposition.kernels import NO_TIMESTAMP
from qvmon.wire.exposition.layout import Layout
from qvmon.wire.exposition.parsing import parse
from qvmon.wire.exposition.rendering import content_type, render
from qvmon.wire.exposition.samples import Exposition

__all__ = ["NO_TIMESTAMP", "Exposition", "Layout", "content_type", "parse", "render"]
