"""Compiled loops over the cumulative buckets of classic histograms.

Semantics follow Prometheus' ``promql/quantile.go``.
"""

from __future__ import annotations

import math

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bools, Float64s, Int64s
from qvmon.promql.kernels import CHANGED, FLOATS, GRID, INTS, MASK, OUT

_LEAST_NORMAL, _GREATEST = 2.2250738585072014e-308, 1.7976931348623157e308


@kernel(f"int64({CHANGED}, {CHANGED}, int64)")
def _one_bucket_a_bound(bounds: Float64s, counts: Float64s, size: int) -> int:
    """Add up the counts of equal bounds in place; return how many bounds remain."""
    kept = 0
    for i in range(1, size):
        if bounds[i] == bounds[kept]:
            counts[kept] += counts[i]
        else:
            kept += 1
            bounds[kept] = bounds[i]
            counts[kept] = counts[i]
    return kept + 1


@kernel(f"void({CHANGED}, {CHANGED}, int64)")
def _by_bound(bounds: Float64s, counts: Float64s, size: int) -> None:
    """Sort buckets in place."""
    for i in range(1, size):
        bound, count, j = bounds[i], counts[i], i
        while j > 0 and bounds[j - 1] > bound:
            bounds[j], counts[j] = bounds[j - 1], counts[j - 1]
            j -= 1
        bounds[j], counts[j] = bound, count


@kernel("boolean(float64, float64)")
def _as_good_as(a: float, b: float) -> bool:
    """Return whether two counts differ by rounding only (relatively, by less than 1e-12)."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return True
    total, difference = abs(a) + abs(b), abs(a - b)
    if a == 0 or b == 0 or total < _LEAST_NORMAL:
        return difference < 1e-12 * _LEAST_NORMAL
    return difference / min(total, _GREATEST) < 1e-12


@kernel(f"void({CHANGED}, {CHANGED}, int64, int64, {CHANGED})")
def _never_falling(
    bounds: Float64s, counts: Float64s, size: int, time: int, repairs: Float64s
) -> None:
    """Let no count lie below the one before it, nor insignificantly above (relative 1e-12).

    ``repairs`` keeps count, lowest and highest bound, greatest fall, first and last time.
    """
    before = counts[0]
    fell = False
    for i in range(1, size):
        if not _as_good_as(before, counts[i]):
            if not counts[i] < before:
                before = counts[i]
                continue
            fell = True
            repairs[1], repairs[2] = min(repairs[1], bounds[i]), max(repairs[2], bounds[i])
            repairs[3] = max(repairs[3], before - counts[i])
        counts[i] = before
    if fell:
        repairs[0] += 1
        repairs[4], repairs[5] = min(repairs[4], time), max(repairs[5], time)


@kernel(f"float64(float64, {CHANGED}, {CHANGED}, int64, int64, {CHANGED})")
def _bucket_quantile(
    q: float, bounds: Float64s, counts: Float64s, size: int, time: int, repairs: Float64s
) -> float:
    if math.isnan(q):
        return math.nan
    if q < 0:
        return -math.inf
    if q > 1:
        return math.inf
    if bounds[size - 1] != math.inf:
        return math.nan
    size = _one_bucket_a_bound(bounds, counts, size)
    _never_falling(bounds, counts, size, time, repairs)
    if size < 2 or counts[size - 1] == 0:
        return math.nan
    rank = q * counts[size - 1]
    b, end = 0, size - 1
    while b < end:  # bisection shows in the result where counts are NaN
        middle = (b + end) // 2
        if counts[middle] >= rank:
            end = middle
        else:
            b = middle + 1
    if b == size - 1:
        return float(bounds[size - 2])
    if b == 0 and bounds[0] <= 0:
        return float(bounds[0])
    low, below = 0.0, 0.0
    if b > 0:
        low, below = bounds[b - 1], counts[b - 1]
    return float(low + (bounds[b] - low) * ((rank - below) / (counts[b] - below)))


@kernel(f"float64(float64, {FLOATS}, {FLOATS}, int64)")
def _rank_at(value: float, bounds: Float64s, counts: Float64s, size: int) -> float:
    """Return how many observations lie below ``value``; buckets without width are not split."""
    below = 0.0
    low = 0.0 if bounds[0] > 0 else -math.inf
    for b in range(size):
        if low >= value:
            return below
        if bounds[b] > value:
            if low == -math.inf:
                return float(counts[b])
            return float(below + (counts[b] - below) * (value - low) / (bounds[b] - low))
        below = counts[b]
        low = bounds[b]
    return float(counts[size - 1])


@kernel(f"float64(float64, float64, {CHANGED}, {CHANGED}, int64)")
def _bucket_fraction(
    low: float, high: float, bounds: Float64s, counts: Float64s, size: int
) -> float:
    if bounds[size - 1] != math.inf:
        return math.nan
    size = _one_bucket_a_bound(bounds, counts, size)
    total = counts[size - 1]
    if total == 0 or math.isnan(low) or math.isnan(high):
        return math.nan
    if low >= high:
        return 0.0
    to_high = _rank_at(high, bounds, counts, size)
    to_low = _rank_at(low, bounds, counts, size)
    if to_high > total:
        to_high = total
    if to_low > total:
        to_low = total
    return float((to_high - to_low) / total)


@kernel(f"int64({GRID}, {MASK}, {FLOATS}, int64, int64, int64, {CHANGED}, {CHANGED})")
def _buckets_at(
    values: Float64s,
    present: Bools,
    bounds: Float64s,
    start: int,
    end: int,
    step: int,
    bounds_out: Float64s,
    counts_out: Float64s,
) -> int:
    size = 0
    for i in range(start, end):
        if present[i, step]:
            bounds_out[size] = bounds[i]
            counts_out[size] = values[i, step]
            size += 1
    return size


@kernel(f"{OUT}({GRID}, {MASK}, {INTS}, int64, {FLOATS}, {GRID}, {INTS}, float64[:, ::1])")
def bucket_quantiles(
    values: Float64s,
    present: Bools,
    groups: Int64s,
    count: int,
    bounds: Float64s,
    quantiles: Float64s,
    times: Int64s,
    repairs: Float64s,
) -> tuple[Float64s, Bools]:
    """Return float64[quantiles * groups, steps], and bool[groups, steps]: where there are any.

    Rows of a histogram lie together, by bound; ``quantiles`` is float64[k, steps]. Each of several
    quantiles finds the buckets as the one before it has mended them: those of equal bounds that
    were added up count again, as they do in Prometheus.
    ``repairs`` is float64[groups, 6]; see ``_never_falling``.
    """
    n, m = values.shape
    out = np.zeros((len(quantiles) * count, m))
    there = np.zeros((count, m), np.bool_)
    upper, counts = np.empty(n), np.empty(n)
    start = 0
    while start < n:
        end = start
        while end < n and groups[end] == groups[start]:
            end += 1
        for j in range(m):
            size = _buckets_at(values, present, bounds, start, end, j, upper, counts)
            for k in range(len(quantiles) if size else 0):
                _by_bound(upper, counts, size)
                out[k * count + groups[start], j] = _bucket_quantile(
                    quantiles[k, j], upper, counts, size, times[j], repairs[groups[start]]
                )
                there[groups[start], j] = True
        start = end
    return out, there


@kernel(f"{OUT}({GRID}, {MASK}, {INTS}, int64, {FLOATS}, {FLOATS}, {FLOATS})")
def bucket_fractions(
    values: Float64s,
    present: Bools,
    groups: Int64s,
    count: int,
    bounds: Float64s,
    lows: Float64s,
    highs: Float64s,
) -> tuple[Float64s, Bools]:
    """Return float64[groups, steps]: the part of each histogram between two values."""
    n, m = values.shape
    out = np.zeros((count, m))
    there = np.zeros((count, m), np.bool_)
    upper, counts = np.empty(n), np.empty(n)
    start = 0
    while start < n:
        end = start
        while end < n and groups[end] == groups[start]:
            end += 1
        for j in range(m):
            size = _buckets_at(values, present, bounds, start, end, j, upper, counts)
            if size:
                out[groups[start], j] = _bucket_fraction(lows[j], highs[j], upper, counts, size)
                there[groups[start], j] = True
        start = end
    return out, there
