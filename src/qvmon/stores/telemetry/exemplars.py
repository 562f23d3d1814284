"""Exemplars in memory: the newest of all series, up to a number; a restart begins anew.

Source: Prometheus tsdb/exemplar.go, whose rules these are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock

from qvmon.model.exemplars import LONGEST_LABELS, Exemplar, SeriesExemplars
from qvmon.model.labels import Labels, Matcher
from qvmon.model.metrics import Registry, counter, gauge

KEPT = gauge("qvmon_telemetry_exemplars", "Exemplars in memory.")
APPENDED = counter("qvmon_telemetry_exemplars_appended_total", "Exemplars that were remembered.")
REFUSED = counter(
    "qvmon_telemetry_exemplars_refused_total", "Exemplars that were left out.", "reason"
)


@dataclass(slots=True, eq=False)
class _Series:
    labels: Labels
    exemplars: deque[Exemplar] = field(default_factory=deque)


class ExemplarRing:
    """Keeps the newest exemplars; it is its own sink and source, for any thread.

    Args:
        most: How many are kept, of all series together; 0 for none.
        registry: Where they are counted.
    """

    def __init__(self, most: int, registry: Registry) -> None:
        self._most = most
        self._arrivals: deque[bytes] = deque()
        self._series: dict[bytes, _Series] = {}
        self._lock = Lock()
        self._kept = registry.value(KEPT)
        self._appended = registry.value(APPENDED)
        self._refused = registry.family(REFUSED)

    def keep(self, exemplars: Iterable[tuple[bytes, Exemplar]]) -> None:
        """Remember exemplars, each with the canonical label bytes of its series."""
        if not self._most:
            return
        with self._lock:
            for key, exemplar in exemplars:
                self._keep(key, exemplar)
            self._kept.set(len(self._arrivals))

    def _keep(self, key: bytes, exemplar: Exemplar) -> None:
        series = self._series.get(key)
        newest = series.exemplars[-1] if series else None
        reason = refusal(exemplar, newest)
        if reason:
            self._refused.value(reason).add()
            return
        if series is None:
            series = self._series[key] = _Series(Labels.decode(key))
        series.exemplars.append(exemplar)
        self._arrivals.append(key)
        self._appended.add()
        if len(self._arrivals) > self._most:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        key = self._arrivals.popleft()
        series = self._series[key]
        series.exemplars.popleft()
        if not series.exemplars:
            del self._series[key]

    def exemplars(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> list[SeriesExemplars]:
        """Return the exemplars of an interval, of the series that match any set, in label order."""
        with self._lock:
            held = [(each.labels, tuple(each.exemplars)) for each in self._series.values()]
        found = [
            SeriesExemplars(labels, inside)
            for labels, exemplars in held
            if any(_matches(labels, matchers) for matchers in matcher_sets)
            and (inside := [each for each in exemplars if start_ms <= each.time_ms <= end_ms])
        ]
        return sorted(found, key=lambda each: tuple(each.labels.pairs()))


def refusal(exemplar: Exemplar, newest: Exemplar | None) -> str:
    """Return why an exemplar is left out, empty when it is not; ``newest`` is of its series."""
    if sum(len(name) + len(value) for name, value in exemplar.labels.pairs()) > LONGEST_LABELS:
        return "labels_too_long"
    if newest is None:
        return ""
    timed = exemplar.timed or newest.timed
    same_time = not timed or exemplar.time_ms == newest.time_ms
    if same_time and (exemplar.labels, exemplar.value) == (newest.labels, newest.value):
        return "duplicate"
    return "out_of_order" if exemplar.time_ms < newest.time_ms else ""


def _matches(labels: Labels, matchers: Iterable[Matcher]) -> bool:
    return all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers)
