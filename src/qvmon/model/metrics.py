"""What qvmon says about itself: a small registry, rendered by ``wire.exposition``.

A service declares its metrics once, in its ``metrics.py``, as a frozen ``Metric`` each, and gets
live instruments from the process's ``Registry``. Updates are plain float additions under the
interpreter's lock: no allocation on the hot path once a label combination exists.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from qvmon.model.labels import Labels


class MetricType(StrEnum):
    """The types of the exposition format."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """The declaration of one metric: name with unit, type, labels and help."""

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def counter(name: str, text: str, *labels: str) -> Metric:
    """Declare a counter; the name ends in ``_total``."""
    return Metric(name, MetricType.COUNTER, text, labels)


def gauge(name: str, text: str, *labels: str) -> Metric:
    """Declare a gauge."""
    return Metric(name, MetricType.GAUGE, text, labels)


def histogram(name: str, text: str, buckets: Sequence[float], *labels: str) -> Metric:
    """Declare a histogram with upper bounds ``buckets`` (``+Inf`` is implied)."""
    return Metric(name, MetricType.HISTOGRAM, text, labels, tuple(buckets))


class Value:
    """A counter or gauge of one label combination."""

    __slots__ = ("current",)

    def __init__(self) -> None:
        self.current = 0.0

    def add(self, amount: float = 1.0) -> None:
        """Raise (or, for a gauge, with a negative amount lower) the value."""
        self.current += amount

    def set(self, value: float) -> None:
        """Set a gauge."""
        self.current = float(value)


class Distribution:
    """A histogram of one label combination."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One sample of a family as it is exposed; ``suffix`` is ``_bucket``, ``_sum`` or empty."""

    suffix: str
    labels: Labels
    value: float


class Family:
    """All label combinations of one metric."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self._children: dict[tuple[str, ...], Value | Distribution] = {}
        if not metric.labels:
            self._child(())

    def value(self, *labels: str) -> Value:
        """Return the counter or gauge of one label combination, in declared order."""
        child = self._child(labels)
        assert isinstance(child, Value), f"{self.metric.name} is a histogram"  # noqa: S101
        return child

    def distribution(self, *labels: str) -> Distribution:
        """Return the histogram of one label combination, in declared order."""
        child = self._child(labels)
        assert isinstance(child, Distribution), f"{self.metric.name} is no histogram"  # noqa: S101
        return child

    def forget(self, *labels: str) -> None:
        """Stop exposing one label combination (its subject is gone)."""
        self._children.pop(labels, None)

    def points(self) -> Iterator[MetricPoint]:
        """Yield every sample of the family, histograms as cumulative buckets, sum and count."""
        for key, child in list(self._children.items()):
            labels = Labels(zip(self.metric.labels, key, strict=True))
            if isinstance(child, Value):
                yield MetricPoint("", labels, child.current)
            else:
                yield from self._histogram_points(labels, child)

    def _histogram_points(self, labels: Labels, child: Distribution) -> Iterator[MetricPoint]:
        cumulative = 0
        for bound, count in zip((*self.metric.buckets, float("inf")), child.counts, strict=True):
            cumulative += count
            le = "+Inf" if bound == float("inf") else repr(float(bound))
            yield MetricPoint("_bucket", labels.merged({"le": le}), float(cumulative))
        yield MetricPoint("_sum", labels, child.total)
        yield MetricPoint("_count", labels, float(cumulative))

    def _child(self, labels: tuple[str, ...]) -> Value | Distribution:
        child = self._children.get(labels)
        if child is None:
            if len(labels) != len(self.metric.labels):
                raise ValueError(f"{self.metric.name} takes labels {self.metric.labels}")
            is_histogram = self.metric.type is MetricType.HISTOGRAM
            child = Distribution(self.metric.buckets) if is_histogram else Value()
            self._children[labels] = child
        return child


class Registry:
    """Every metric one process exposes."""

    def __init__(self) -> None:
        self._families: dict[str, Family] = {}
        self._collectors: list[Callable[[], None]] = []
        self._lock = Lock()

    def family(self, metric: Metric) -> Family:
        """Return the live family of ``metric``, the same one at every call."""
        found = self._families.get(metric.name)
        if found is None:
            with self._lock:
                found = self._families.setdefault(metric.name, Family(metric))
        if found.metric is not metric and found.metric != metric:
            raise ValueError(f"{metric.name} is declared twice, differently")
        return found

    def value(self, metric: Metric, *labels: str) -> Value:
        """Return one counter or gauge."""
        return self.family(metric).value(*labels)

    def distribution(self, metric: Metric, *labels: str) -> Distribution:
        """Return one histogram."""
        return self.family(metric).distribution(*labels)

    def before_collect(self, refresh: Callable[[], None]) -> None:
        """Have ``refresh`` called before each collection, to set gauges that are only read."""
        self._collectors.append(refresh)

    def collect(self) -> list[Family]:
        """Return every family, sorted by name."""
        for refresh in self._collectors:
            refresh()
        return [self._families[name] for name in sorted(self._families)]
