"""What the author of a query should know beside its result, in Prometheus' words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from qvmon.model.floats import format_float
from qvmon.model.series import Float64s
from qvmon.promql.position import Span, line_and_column
from qvmon.promql.quoting import quote
from qvmon.promql.results import Notes

_COUNTER_ENDINGS = ("_total", "_sum", "_count", "_bucket")
_MONOTONICITY = (
    "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io"
    "/docs/prometheus/latest/querying/functions/#histogram_quantile)"
)


_LEAST_EXPONENT = 6  # a million is 1e+06


class NoteBook:
    """Collects notes while a query is evaluated; of equal ones at several places, the last.

    Args:
        text: The query, for positions.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._warnings: dict[str, Span] = {}
        self._infos: dict[str, Span] = {}
        self._repairs: dict[str, tuple[Span, Float64s]] = {}

    def notes(self) -> Notes:
        """Return what was collected."""
        repairs = {_of_repairs(name, each): at for name, (at, each) in self._repairs.items()}
        infos = {**self._infos, **repairs}
        return Notes(self._placed("warning", self._warnings), self._placed("info", infos))

    def warn(self, span: Span, message: str) -> None:
        """Note something that is probably wrong."""
        self._warnings[message] = span

    def inform(self, span: Span, message: str) -> None:
        """Note something that may surprise."""
        self._infos[message] = span

    def _placed(self, kind: str, notes: Mapping[str, Span]) -> tuple[str, ...]:
        places = ((text, *line_and_column(self._text, span.start)) for text, span in notes.items())
        return tuple(f"PromQL {kind}: {text} ({line}:{column})" for text, line, column in places)

    def check_counters(self, span: Span, names: Iterable[str]) -> None:
        """Note metrics under ``rate`` or ``increase`` whose names are not a counter's."""
        for name in names:
            if name and not name.endswith(_COUNTER_ENDINGS):
                what = "metric might not be a counter, name does not end in"
                self.inform(span, f"{what} _total/_sum/_count/_bucket: {quote(name)}")

    def overlapping_starts(self, span: Span, counts: Mapping[str, int]) -> None:
        """Note metrics whose samples claim to have started before the sample they follow."""
        what = "sample has start time that overlaps with previous sample timestamp for metric"
        for name, count in counts.items():
            often = f" ({count} occurrences)" if count > 1 else ""
            self.warn(span, f"{what} {quote(name)}{often}")

    def check_quantiles(self, span: Span, quantiles: Float64s) -> None:
        """Note quantiles that are not between 0 and 1."""
        for q in np.unique(quantiles[~((quantiles >= 0) & (quantiles <= 1))]):
            self._quantile(span, float(q))

    def check_extreme_quantiles(self, span: Span, quantiles: Float64s) -> None:
        """Note the least and the greatest of quantiles that are not between 0 and 1, or NaN."""
        least, greatest = float(quantiles.min(initial=0)), float(quantiles.max(initial=0))
        if math.isnan(least):
            self._quantile(span, least)
        for q in (greatest, least):
            if not 0 <= q <= 1 and not math.isnan(q):
                self._quantile(span, q)

    def _quantile(self, span: Span, q: float) -> None:
        self.warn(span, f"quantile value should be between 0 and 1, got {short(q)}")

    def check_ratios(self, span: Span, ratios: Float64s) -> None:
        """Note ratios that are not between -1 and 1."""
        for ratio in (ratios.min(initial=0), ratios.max(initial=0)):
            if abs(ratio) > 1:
                got = f"got {short(float(ratio))}, capping to {1 if ratio > 0 else -1}"
                self.warn(span, f"ratio value should be between -1 and 1, {got}")

    def bad_bucket(self, span: Span, bound: str, metric: str) -> None:
        """Note a histogram bucket without a readable upper bound."""
        text = f'bucket label "le" is missing or has a malformed value of {quote(bound)}'
        self.warn(span, text + (f" for metric name {quote(metric)}" if metric else ""))

    def repaired(self, span: Span, repairs: Float64s, metric: str) -> None:
        """Note histograms whose counts fell from one bucket to the next.

        Args:
            span: Where the histograms come from; of several places the first is told.
            repairs: float64[6]; how many, lowest and highest bound, greatest fall, first and
                last time in milliseconds.
            metric: Their metric name; empty when it is not to be told.
        """
        if known := self._repairs.get(metric):
            span, repairs = known[0], repairs_together(np.stack((known[1], repairs)))
        self._repairs[metric] = span, repairs


def repairs_together(repairs: Float64s) -> Float64s:
    """Return float64[6]: the repairs that are the rows of float64[n, 6] as one."""
    least, most = repairs.min(axis=0), repairs.max(axis=0)
    return np.array([repairs[:, 0].sum(), least[1], most[2], most[3], least[4], most[5]])


def _of_repairs(metric: str, repairs: Float64s) -> str:
    count, low, high, fall, first, last = (float(each) for each in repairs)
    whose = f" for metric name {quote(metric)}" if metric else ""
    buckets = f"from buckets {short(low)} to {short(high)}"
    greatest = short(fall) if math.isinf(fall) else f"{fall:.2g}"
    samples = f"over {count:.0f} samples from {_utc(first)} to {_utc(last)}"
    return f"{_MONOTONICITY}{whose}, {buckets}, with a max diff of {greatest}, {samples}"


def short(value: float) -> str:
    """Return a value as Go's ``%g`` prints it."""
    if value == 0 or not math.isfinite(value):
        return format_float(value)
    exact = Decimal(repr(value)).normalize()
    if -4 <= exact.adjusted() < _LEAST_EXPONENT:
        return format_float(value)
    return f"{value:.{len(exact.as_tuple().digits) - 1}e}"


def _utc(milliseconds: float) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
