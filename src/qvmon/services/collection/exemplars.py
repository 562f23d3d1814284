"""Exemplars of scraped pages: read where there are any, and kept once."""

from __future__ import annotations

from collections.abc import Iterator

from qvmon.model.errors import QvmonError
from qvmon.model.exemplars import Exemplar, ExemplarSink
from qvmon.model.metrics import Registry
from qvmon.services.collection import metrics
from qvmon.services.collection.sample_labels import LabelPath
from qvmon.wire.exposition import Exposition
from qvmon.wire.exposition.exemplars import FoundExemplar, find_exemplars


class ExemplarReader:
    """One target's way from pages to exemplars.

    A page repeats an exemplar until there is another: only what was not on the page before is read.

    Args:
        path: The way of its series' labels.
        sink: Where exemplars go.
        registry: Where mistakes are counted.
    """

    def __init__(self, path: LabelPath, sink: ExemplarSink, registry: Registry) -> None:
        self._path = path
        self._sink = sink
        self._malformed = registry.value(metrics.MALFORMED_EXEMPLARS)
        self._last: dict[int, bytes] = {}

    def read(self, exposition: Exposition, at_ms: int) -> None:
        """Keep the new exemplars of a page that was scraped at ``at_ms``."""
        found = {int(exposition.hashes[each.row]): each for each in find_exemplars(exposition)}
        new = [each for series, each in found.items() if self._last.get(series) != each.text]
        self._last = {series: each.text for series, each in found.items()}
        if new:
            self._sink.keep(self._read(exposition, new, at_ms))

    def _read(
        self, exposition: Exposition, found: list[FoundExemplar], at_ms: int
    ) -> Iterator[tuple[bytes, Exemplar]]:
        for each in found:
            try:
                series = self._path.stored(exposition.labels(each.row))
                labels, value, time_ms = each.read()
            except QvmonError:
                self._malformed.add()
                continue
            if series is not None:
                timed = time_ms is not None
                moment = at_ms if time_ms is None else time_ms
                yield series.encode(), Exemplar(labels, value, moment, timed)
