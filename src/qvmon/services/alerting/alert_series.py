"""``ALERTS`` and ``ALERTS_FOR_STATE``: what Prometheus writes about active alerts. Pure."""

from __future__ import annotations

import numpy as np

from qvmon.model.labels import METRIC_NAME, Labels
from qvmon.model.series import Float64s
from qvmon.services.alerting.state import Elements, Phase, Phases


class AlertSeries:
    """Makes the samples of one rule's elements; remembers the keys of those it has seen."""

    def __init__(self) -> None:
        self._by_element: dict[tuple[Labels, Phase], tuple[bytes, bytes]] = {}
        self._labels: tuple[Labels, ...] = ()
        self._phase: Phases = np.zeros(0, np.int8)
        self._keys: list[bytes] = []

    def samples(self, elements: Elements) -> tuple[list[bytes], Float64s]:
        """Return canonical keys and values: both series of every element, in turn.

        The very same list of keys as before when neither elements nor their phases changed.
        """
        same = elements.labels is self._labels or elements.labels == self._labels
        if not same or not np.array_equal(elements.phase, self._phase):
            self._change(elements)
        values = np.ones(2 * len(elements))
        values[1::2] = elements.active_at // 1000
        return self._keys, values

    def _change(self, elements: Elements) -> None:
        phases = map(Phase, elements.phase.tolist())
        pairs = list(zip(elements.labels, phases, strict=True))
        self._by_element = {pair: self._by_element.get(pair) or _keys(*pair) for pair in pairs}
        self._keys = [key for pair in pairs for key in self._by_element[pair]]
        self._labels, self._phase = elements.labels, elements.phase


def _keys(labels: Labels, phase: Phase) -> tuple[bytes, bytes]:
    state = phase.name.lower()
    alerts = labels.merged({METRIC_NAME: "ALERTS", "alertstate": state})
    for_state = labels.merged({METRIC_NAME: "ALERTS_FOR_STATE"})
    return alerts.encode(), for_state.encode()
