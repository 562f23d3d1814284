"""The metric family that a series' name belongs to, found by the suffixes of its type.

Source: Prometheus web/api/v1/search.go, ``metadataForMetric``.
"""

from __future__ import annotations

from collections.abc import Iterable

from qvmon.model.series import MetricMetadata

_HISTOGRAMS = frozenset({"histogram", "gaugehistogram"})
_TYPES = {
    "_total": frozenset({"counter"}),
    "_bucket": _HISTOGRAMS,
    "_sum": _HISTOGRAMS | {"summary"},
    "_count": _HISTOGRAMS | {"summary"},
    "_gsum": frozenset({"gaugehistogram"}),
    "_gcount": frozenset({"gaugehistogram"}),
    "_info": frozenset({"info"}),
}
"""The types whose series may have a suffix that the family has not."""

_ONCE = ("_total", "_info")
"""Suffixes that a family may have itself, in the older text format: then its series has no more."""


class Families:
    """What targets say of their metrics, asked by the names of series."""

    def __init__(self, known: Iterable[MetricMetadata]) -> None:
        self._known: dict[str, list[MetricMetadata]] = {}
        for each in known:
            self._known.setdefault(each.name, []).append(each)

    def of(self, name: str) -> MetricMetadata | None:
        """Return what is said of the family of the series called ``name``."""
        if name in self._known:
            return self._known[name][0]
        family, underscore, ending = name.rpartition("_")
        suffix = underscore + ending
        if suffix in _ONCE and family.endswith(suffix):
            return None
        fitting = _TYPES.get(suffix, frozenset())
        return next((each for each in self._known.get(family, ()) if each.type in fitting), None)
