"""``ALERTS`` and ``ALERTS_FOR_STATE``: what Prometheus writes about active alerts. Pure."""

from __future__ import annotations

import numpy as np

from qvmon.model.labels import METRIC_NAME, Labels
from qvmon.model.series import Float64s
from qvmon.services.alerting.state import Elements, Phase


class AlertSeries:
    """Makes the samples of one rule's elements; remembers the keys of those it has seen."""

    def __init__(self) -> None:
        self._keys: dict[tuple[Labels, Phase], tuple[bytes, bytes]] = {}

    def samples(self, elements: Elements) -> tuple[list[bytes], Float64s]:
        """Return canonical keys and values: both series of every element, in turn."""
        pairs = [
            (labels, Phase(phase))
            for labels, phase in zip(elements.labels, elements.phase.tolist(), strict=True)
        ]
        self._keys = {pair: self._keys.get(pair) or _keys(*pair) for pair in pairs}
        values = np.ones(2 * len(pairs))
        values[1::2] = elements.active_at // 1000
        return [key for pair in pairs for key in self._keys[pair]], values


def _keys(labels: Labels, phase: Phase) -> tuple[bytes, bytes]:
    state = phase.name.lower()
    alerts = labels.merged({METRIC_NAME: "ALERTS", "alertstate": state})
    for_state = labels.merged({METRIC_NAME: "ALERTS_FOR_STATE"})
    return alerts.encode(), for_state.encode()
