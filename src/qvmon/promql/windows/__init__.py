"""Range vectors: samples with a window for each step, and the functions over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from qvmon.model.errors import invalid
from qvmon.model.series import Bools, Float64s, Int64s, SeriesColumns
from qvmon.promql import starts
from qvmon.promql.edges import kernels as edges
from qvmon.promql.results import Grid
from qvmon.promql.sheet import Sheet, at_every_step, label_order
from qvmon.promql.sliding import kernels as sliding
from qvmon.promql.windows import kernels

SAFE = {
    "anchored": ("changes", "delta", "increase", "rate", "resets"),
    "smoothed": ("delta", "increase", "rate"),
}
"""The functions that may be used with each mode."""

DEFAULTS = {"integral": 2.0}  # trapezoids
RATES = {"rate": (True, True), "increase": (True, False), "delta": (False, False)}
_EXTREMES = {  # largest, when
    "max_over_time": (True, False),
    "min_over_time": (False, False),
    "ts_of_max_over_time": (True, True),
    "ts_of_min_over_time": (False, True),
}
KEEP_NAME = frozenset({"last_over_time", "first_over_time"})
Result = tuple[Float64s, Bools]


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """A range vector at every step.

    Attributes:
        columns: Samples of n series, without staleness markers.
        starts: int64[w]; where each window begins (that instant excluded). Under ``@`` there
            is one window for all steps.
        ends: int64[w]; where each window ends, included.
        at: int64[m]; the steps themselves.
        mode: ``anchored`` or ``smoothed``: how the edges are treated; empty for the usual way.
        lookback_ms: How far beyond a window ``anchored`` and ``smoothed`` look.
        unnamed: bool[n]; which series lose their name at the end of the query.
    """

    columns: SeriesColumns
    starts: Int64s
    ends: Int64s
    at: Int64s
    unnamed: Bools
    mode: str = ""
    lookback_ms: int = 0

    def everywhere(self) -> Windows:
        """Return the same with one window for each step."""
        if len(self.starts) == len(self.at):
            return self
        shape = self.at.shape
        starts, ends = np.broadcast_to(self.starts, shape), np.broadcast_to(self.ends, shape)
        return replace(self, starts=starts.copy(), ends=ends.copy())

    def part(self, columns: SeriesColumns, steps: slice) -> Windows:
        """Return some windows of some series."""
        at = self.at[steps] if len(self.at) == len(self.starts) else self.at
        return replace(
            self, columns=columns, starts=self.starts[steps], ends=self.ends[steps], at=at
        )

    def samples_each(self) -> int:
        """Return about how many samples a window has."""
        count = len(self.columns)
        if not count or not len(self.starts):
            return 1
        times = self.columns.part(count - 1, count).timestamps
        stretch = int(times[-1] - times[0]) or 1 if len(times) else 1
        share = min(1.0, float(self.ends[0] - self.starts[0]) / stretch)
        return max(1, round(share * int(self.columns.sizes.sum()) / count))

    def sheet(self, result: Result) -> Sheet:
        """Return the result of a function over these windows as a sheet."""
        values, present = at_every_step(*result, len(self.at))
        return Sheet(self.columns.labels, values, present, self.unnamed)


def without_stale(columns: SeriesColumns) -> SeriesColumns:
    """Return the samples without staleness markers, which no window sees."""
    bits = columns.values.view(np.int64)
    if kernels.count_stale(bits) == 0:
        return columns
    keep = bits != kernels.STALE
    kept_before = np.concatenate(([0], np.cumsum(keep)))
    return SeriesColumns(
        columns.labels,
        kept_before[columns.offsets].astype(np.int64),
        columns.timestamps[keep],
        columns.values[keep],
        None if columns.starts is None else columns.starts[keep],
    )


def columns_of(sheet: Sheet, times: Int64s) -> SeriesColumns:
    """Return the values of a sheet as samples: what a subquery's windows look at."""
    offsets = np.concatenate(([0], np.cumsum(sheet.present.sum(axis=1)))).astype(np.int64)
    rows, steps = np.nonzero(sheet.present)
    return SeriesColumns(sheet.labels, offsets, times[steps], sheet.values[rows, steps])


def windows(
    columns: SeriesColumns,
    looked: Grid,
    length_ms: int,
    at: Int64s,
    *,
    unnamed: Bools | None = None,
    mode: str = "",
) -> Windows:
    """Return the windows of ``length_ms`` that end at each step of ``looked``."""
    ends = looked.times()
    unnamed = np.zeros(len(columns), np.bool_) if unnamed is None else unnamed
    columns = columns.then(without_stale)
    return Windows(columns, ends - length_ms, ends, at, unnamed, mode, looked.lookback_ms)


def rate(of: Windows, function: str) -> Result:
    """Return ``rate``, ``increase`` or ``delta``."""
    columns = of.columns
    if of.mode:
        return edges.edged_rate(
            columns.offsets,
            columns.timestamps,
            columns.values,
            starts.known_starts(columns),
            of.starts,
            of.ends,
            of.lookback_ms,
            of.mode == "smoothed",
            *RATES[function],
        )
    return kernels.extrapolated_rate(
        columns.offsets, columns.timestamps, columns.values, of.starts, of.ends, *RATES[function]
    )


def over_time(of: Windows, function: str, parameter: Float64s | None = None) -> Result:
    """Return a function of ``kernels.OVER_TIME``; ``parameter`` (float64[m]) is its scalar."""
    of = of.everywhere() if parameter is not None else of
    columns = of.columns
    if of.mode == "anchored":
        return edges.anchored_transitions(
            columns.offsets,
            columns.timestamps,
            columns.values,
            starts.known_starts(columns),
            of.starts,
            of.ends,
            of.lookback_ms,
            function == "resets",
        )
    if columns.starts is not None and function in starts.USING:
        return starts.pairs(columns, of.starts, of.ends, function)
    if function in _EXTREMES:
        return sliding.sliding_extremes(
            columns.offsets,
            columns.timestamps,
            columns.values,
            of.starts,
            of.ends,
            *_EXTREMES[function],
        )
    if function == "quantile_over_time" and parameter is not None:
        return sliding.sliding_quantiles(
            columns.offsets, columns.timestamps, columns.values, of.starts, of.ends, parameter
        )
    if parameter is None:
        parameter = np.full(len(of.starts), DEFAULTS.get(function, 0.0))
    return kernels.reduce_windows(
        kernels.OVER_TIME[function],
        columns.offsets,
        columns.timestamps,
        columns.values,
        of.starts,
        of.ends,
        parameter,
        of.at if len(of.at) == len(of.starts) else of.ends,
    )


def smoothed(of: Windows, smoothing: Float64s, trend: Float64s) -> Result:
    """Return double exponential smoothing.

    Raises:
        QvmonError: INVALID, for a factor that is not between 0 and 1.
    """
    of, columns = of.everywhere(), of.columns
    for name, letter, factors in (("smoothing", "sf", smoothing), ("trend", "tf", trend)):
        bad = ~((factors > 0) & (factors < 1))
        if bad.any():
            bad &= np.any(over_time(of, "present_over_time")[1], axis=0)
        for factor in factors[bad][:1]:
            raise invalid(f"invalid {name} factor. Expected: 0 < {letter} < 1, got: {factor:f}")
    return kernels.smoothed_windows(
        columns.offsets, columns.timestamps, columns.values, of.starts, of.ends, smoothing, trend
    )


def function_over(name: str) -> Callable[..., Result]:
    """Return what computes the function ``name`` of a range vector and its scalars."""
    if name in RATES:
        return lambda of: rate(of, name)
    if name == "double_exponential_smoothing":
        return smoothed
    return lambda of, parameter=None: over_time(of, name, parameter)


def samples(of: Windows) -> SeriesColumns:
    """Return the samples inside the single window of each series; series without any left out.

    An ``anchored`` or ``smoothed`` window has samples at both its edges.

    Raises:
        QvmonError: INVALID, for more than one window: a range query has no place for them.
    """
    if len(of.starts) != 1:
        raise invalid(
            'invalid expression type "range vector" for range query, '
            "must be Scalar or instant Vector"
        )
    columns = of.columns
    offsets, times, values = edges.window_samples(
        columns.offsets,
        columns.timestamps,
        columns.values,
        of.starts[0],
        of.ends[0],
        of.lookback_ms if of.mode else 0,
        of.mode == "smoothed",
    )
    some = np.diff(offsets) > 0
    kept = np.concatenate((offsets[:1], offsets[1:][some]))
    return SeriesColumns(columns.labels.take(some), kept, times, values)


def in_label_order(of: SeriesColumns) -> SeriesColumns:
    """Return the same series in the order of their labels."""
    order = label_order(of.labels)
    lengths = np.diff(of.offsets)[order]
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    rows = np.arange(offsets[-1]) + np.repeat(of.offsets[:-1][order] - offsets[:-1], lengths)
    starts = None if of.starts is None else of.starts[rows]
    labels = of.labels.take(order)
    return SeriesColumns(labels, offsets, of.timestamps[rows], of.values[rows], starts)
