"""Compiled loops: samples to values at steps, and series to groups.

Samples are ragged: series ``i`` owns rows ``offsets[i]:offsets[i + 1]`` of ``times`` (int64
milliseconds, ascending) and ``values`` (float64). Windows are open on the left as in
Prometheus 3: ``starts[w] < t <= ends[w]``; both arrays ascend. Results are float64[n, windows]
beside bool[n, windows]. Semantics follow Prometheus' ``promql/functions.go``.
"""

from __future__ import annotations

import math

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import STALE_BITS, Bools, Float64s, Int64s

STALE = np.int64(STALE_BITS)

# Arguments that are only read, so that buffers nobody may write to can be passed.
INTS, FLOATS = (f"Array({kind}, 1, 'C', readonly=True)" for kind in ("int64", "float64"))
GRID, MASK = (f"Array({kind}, 2, 'C', readonly=True)" for kind in ("float64", "boolean"))
CHANGED = "float64[::1]"
OUT = "Tuple((float64[:, ::1], boolean[:, ::1]))"

# What ``reduce_windows`` makes of the samples of a window.
OVER_TIME = {
    name: code
    for code, name in enumerate(
        (
            "sum_over_time",
            "avg_over_time",
            "min_over_time",
            "max_over_time",
            "count_over_time",
            "last_over_time",
            "first_over_time",
            "present_over_time",
            "stddev_over_time",
            "stdvar_over_time",
            "quantile_over_time",
            "mad_over_time",
            "changes",
            "resets",
            "irate",
            "idelta",
            "deriv",
            "predict_linear",
            "ts_of_first_over_time",
            "ts_of_last_over_time",
            "ts_of_min_over_time",
            "ts_of_max_over_time",
        )
    )
}

# What ``reduce_groups`` makes of the series of a group.
GROUPED = {
    name: code
    for code, name in enumerate(("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"))
}


@kernel("UniTuple(float64, 2)(float64, float64, float64)")
def add_exactly(increment: float, total: float, error: float) -> tuple[float, float]:
    """Return sum and running error after one addition (Neumaier 1974)."""
    t = total + increment
    if math.isinf(t):
        error = 0.0
    elif abs(total) >= abs(increment):
        error += (total - t) + increment
    else:
        error += (increment - t) + total
    return t, error


@kernel(f"int64({INTS})")
def count_stale(bits: Int64s) -> int:
    """Return how many of the values (seen as int64 bits) are staleness markers."""
    count = 0
    for i in range(len(bits)):
        count += bits[i] == STALE
    return count


@kernel(f"{OUT}({INTS}, {INTS}, {FLOATS}, {INTS}, int64)")
def instant_values(
    offsets: Int64s, times: Int64s, values: Float64s, at: Int64s, lookback: int
) -> tuple[Float64s, Bools]:
    """Return each series' newest value not older than ``lookback`` at each of ``at``."""
    n, m = len(offsets) - 1, len(at)
    out = np.zeros((n, m))
    present = np.zeros((n, m), np.bool_)
    bits = values.view(np.int64)
    for i in range(n):
        row, end = offsets[i], offsets[i + 1]
        for j in range(m):
            while row < end and times[row] <= at[j]:
                row += 1
            found = row - 1
            if found < offsets[i] or times[found] <= at[j] - lookback:
                continue
            if bits[found] != STALE:
                out[i, j] = values[found]
                present[i, j] = True
    return out, present


@kernel(f"{OUT}({INTS}, {INTS}, {FLOATS}, {INTS}, int64)")
def instant_times(
    offsets: Int64s, times: Int64s, values: Float64s, at: Int64s, lookback: int
) -> tuple[Float64s, Bools]:
    """Return the seconds at which the samples of ``instant_values`` were taken."""
    n, m = len(offsets) - 1, len(at)
    out = np.zeros((n, m))
    present = np.zeros((n, m), np.bool_)
    bits = values.view(np.int64)
    for i in range(n):
        row, end = offsets[i], offsets[i + 1]
        for j in range(m):
            while row < end and times[row] <= at[j]:
                row += 1
            found = row - 1
            if found < offsets[i] or times[found] <= at[j] - lookback:
                continue
            if bits[found] != STALE:
                out[i, j] = times[found] / 1000.0
                present[i, j] = True
    return out, present


@kernel(f"{OUT}({INTS}, {INTS}, {FLOATS}, {INTS}, {INTS}, boolean, boolean)")
def extrapolated_rate(
    offsets: Int64s,
    times: Int64s,
    values: Float64s,
    starts: Int64s,
    ends: Int64s,
    is_counter: bool,
    per_second: bool,
) -> tuple[Float64s, Bools]:
    """Return rate, increase or delta, extrapolated to the window's edges.

    A counter's resets are added back, and it is not extrapolated below zero. The newest reset
    is remembered, so that windows without any cost two look-ups.
    """
    n, m = len(offsets) - 1, len(starts)
    out = np.zeros((n, m))
    present = np.zeros((n, m), np.bool_)
    for i in range(n):
        low = high = offsets[i]
        end = offsets[i + 1]
        newest_reset = np.int64(-1)
        for j in range(m):
            while high < end and times[high] <= ends[j]:
                if high > offsets[i] and values[high] < values[high - 1]:
                    newest_reset = high
                high += 1
            while low < high and times[low] <= starts[j]:
                low += 1
            if high - low < 2:
                continue
            last = high - 1
            change = values[last] - values[low]
            if is_counter and newest_reset > low:
                for row in range(low + 1, high):
                    if values[row] < values[row - 1]:
                        change += values[row - 1]
            to_start = (times[low] - starts[j]) / 1000.0
            to_end = (ends[j] - times[last]) / 1000.0
            sampled = (times[last] - times[low]) / 1000.0
            average = sampled / (last - low)
            if to_start >= average * 1.1:
                to_start = average / 2
            if is_counter and change > 0 and values[low] >= 0:
                to_zero = sampled * (values[low] / change)
                if to_zero < to_start:
                    to_start = to_zero
            if to_end >= average * 1.1:
                to_end = average / 2
            factor = (sampled + to_start + to_end) / sampled
            if per_second:
                factor /= (ends[j] - starts[j]) / 1000.0
            out[i, j] = change * factor
            present[i, j] = True
    return out, present


@kernel(f"float64({FLOATS}, float64)")
def quantile_of(values: Float64s, q: float) -> float:
    """Return the ``q`` quantile, interpolated; NaNs sort first, as in Prometheus."""
    n = len(values)
    if n == 0 or math.isnan(q):
        return math.nan
    if q < 0:
        return -math.inf
    if q > 1:
        return math.inf
    ordered = np.sort(values)
    nans = 0
    while nans < n and math.isnan(ordered[n - 1 - nans]):
        nans += 1
    rank = q * (n - 1)
    lower = max(0, math.floor(rank))
    upper = min(n - 1, lower + 1)
    weight = rank - math.floor(rank)
    low = math.nan if lower < nans else ordered[lower - nans]
    high = math.nan if upper < nans else ordered[upper - nans]
    return low * (1 - weight) + high * weight


@kernel(f"float64({FLOATS})")
def _sum(values: Float64s) -> float:
    total, error = 0.0, 0.0
    for value in values:
        total, error = add_exactly(value, total, error)
    return total if math.isinf(total) else total + error


@kernel(f"float64({FLOATS})")
def _average(values: Float64s) -> float:
    total, error, mean = values[0], 0.0, 0.0
    incremental = False
    for i in range(1, len(values)):
        count = i + 1.0
        if not incremental:
            new_total, new_error = add_exactly(values[i], total, error)
            if not math.isinf(new_total):
                total, error = new_total, new_error
                continue
            incremental = True
            mean = total / (count - 1)
            error /= count - 1
        q = (count - 1) / count
        mean, error = add_exactly(values[i] / count, q * mean, q * error)
    if incremental:
        return mean + error
    return float(total / len(values) + error / len(values))


@kernel(f"float64({FLOATS})")
def _variance(values: Float64s) -> float:
    mean, mean_error, spread, spread_error = 0.0, 0.0, 0.0, 0.0
    for i in range(len(values)):
        delta = values[i] - (mean + mean_error)
        mean, mean_error = add_exactly(delta / (i + 1), mean, mean_error)
        spread, spread_error = add_exactly(
            delta * (values[i] - (mean + mean_error)), spread, spread_error
        )
    return (spread + spread_error) / len(values)


@kernel(f"UniTuple(float64, 2)({INTS}, {FLOATS}, int64)")
def _regression(times: Int64s, values: Float64s, origin: int) -> tuple[float, float]:
    """Return slope per second and value at ``origin`` of the least-squares line."""
    sum_x = sum_y = sum_xy = sum_xx = 0.0
    err_x = err_y = err_xy = err_xx = 0.0
    constant = True
    for i in range(len(values)):
        if values[i] != values[0]:
            constant = False
        x = (times[i] - origin) / 1000.0
        sum_x, err_x = add_exactly(x, sum_x, err_x)
        sum_y, err_y = add_exactly(values[i], sum_y, err_y)
        sum_xy, err_xy = add_exactly(x * values[i], sum_xy, err_xy)
        sum_xx, err_xx = add_exactly(x * x, sum_xx, err_xx)
    if constant:
        return (math.nan, math.nan) if math.isinf(values[0]) else (0.0, values[0])
    n = len(values)
    sum_x, sum_y, sum_xy, sum_xx = sum_x + err_x, sum_y + err_y, sum_xy + err_xy, sum_xx + err_xx
    slope = (sum_xy - sum_x * sum_y / n) / (sum_xx - sum_x * sum_x / n)
    return slope, sum_y / n - slope * sum_x / n


@kernel(f"int64({FLOATS}, boolean)")
def _extreme_at(values: Float64s, largest: bool) -> int:
    """Return where the last of the largest (or smallest) values stands; NaN only if all are."""
    best = 0
    for i in range(1, len(values)):
        better = values[i] >= values[best] if largest else values[i] <= values[best]
        if better or math.isnan(values[best]):
            best = i
    return best


@kernel(f"float64({FLOATS}, boolean)")
def _transitions(values: Float64s, only_falls: bool) -> float:
    count = 0
    for i in range(1, len(values)):
        before, now = values[i - 1], values[i]
        if only_falls:
            count += now < before
        else:
            count += now != before and not (math.isnan(now) and math.isnan(before))
    return float(count)


@kernel(f"float64(int64, {INTS}, {FLOATS}, float64, int64)")
def _reduced(operation: int, times: Int64s, values: Float64s, parameter: float, at: int) -> float:
    last = len(values) - 1
    if operation == 0:
        return _sum(values)
    if operation == 1:
        return _average(values)
    if operation in (2, 3):
        return float(values[_extreme_at(values, operation == 3)])
    if operation == 4:
        return float(len(values))
    if operation == 5:
        return float(values[last])
    if operation == 6:
        return float(values[0])
    if operation == 7:
        return 1.0
    if operation == 8:
        return math.sqrt(_variance(values))
    if operation == 9:
        return _variance(values)
    if operation == 10:
        return quantile_of(values, parameter)
    if operation == 11:
        return quantile_of(np.abs(values - quantile_of(values, 0.5)), 0.5)
    if operation in (12, 13):
        return _transitions(values, operation == 13)
    if operation == 14:
        change = values[last] - values[last - 1]
        if values[last] < values[last - 1]:
            change = values[last]
        return float(change / ((times[last] - times[last - 1]) / 1000.0))
    if operation == 15:
        return float(values[last] - values[last - 1])
    if operation == 16:
        return _regression(times, values, times[0])[0]
    if operation == 17:
        slope, intercept = _regression(times, values, at)
        return slope * parameter + intercept
    if operation == 18:
        return float(times[0] / 1000.0)
    if operation == 19:
        return float(times[last] / 1000.0)
    return float(times[_extreme_at(values, operation == 21)] / 1000.0)


@kernel(f"{OUT}(int64, {INTS}, {INTS}, {FLOATS}, {INTS}, {INTS}, {FLOATS}, {INTS})")
def reduce_windows(
    operation: int,
    offsets: Int64s,
    times: Int64s,
    values: Float64s,
    starts: Int64s,
    ends: Int64s,
    parameters: Float64s,
    at: Int64s,
) -> tuple[Float64s, Bools]:
    """Return one number for the samples of each window.

    Args:
        operation: A code of ``OVER_TIME``.
        offsets: int64[n + 1]; where the samples of each series begin.
        times: int64[samples]; milliseconds.
        values: float64[samples].
        starts: int64[windows]; not included themselves.
        ends: int64[windows]; included.
        parameters: float64[windows]; the function's scalar argument.
        at: int64[windows]; when the step itself is evaluated.
    """
    n, m = len(offsets) - 1, len(starts)
    out = np.zeros((n, m))
    present = np.zeros((n, m), np.bool_)
    least = 2 if 14 <= operation <= 17 else 1
    for i in range(n):
        low = high = offsets[i]
        end = offsets[i + 1]
        for j in range(m):
            while high < end and times[high] <= ends[j]:
                high += 1
            while low < high and times[low] <= starts[j]:
                low += 1
            if high - low >= least:
                out[i, j] = _reduced(
                    operation, times[low:high], values[low:high], parameters[j], at[j]
                )
                present[i, j] = True
    return out, present


@kernel(f"{OUT}({INTS}, {INTS}, {FLOATS}, {INTS}, {INTS}, {FLOATS}, {FLOATS})")
def smoothed_windows(
    offsets: Int64s,
    times: Int64s,
    values: Float64s,
    starts: Int64s,
    ends: Int64s,
    smoothing: Float64s,
    trend: Float64s,
) -> tuple[Float64s, Bools]:
    """Return double exponential smoothing (Holt) with factors float64[windows]."""
    n, m = len(offsets) - 1, len(starts)
    out = np.zeros((n, m))
    present = np.zeros((n, m), np.bool_)
    for i in range(n):
        low = high = offsets[i]
        end = offsets[i + 1]
        for j in range(m):
            while high < end and times[high] <= ends[j]:
                high += 1
            while low < high and times[low] <= starts[j]:
                low += 1
            if high - low < 2:
                continue
            before, level = 0.0, values[low]
            slope = values[low + 1] - values[low]
            for row in range(low + 1, high):
                if row > low + 1:
                    slope = trend[j] * (level - before) + (1 - trend[j]) * slope
                smooth = smoothing[j] * values[row] + (1 - smoothing[j]) * (level + slope)
                before, level = level, smooth
            out[i, j] = level
            present[i, j] = True
    return out, present


@kernel(f"{OUT}(int64, {GRID}, {MASK}, {INTS}, int64)")
def reduce_groups(
    operation: int, values: Float64s, present: Bools, groups: Int64s, count: int
) -> tuple[Float64s, Bools]:
    """Return float64[groups, steps]: one number for the series of each group at each step.

    Args:
        operation: A code of ``GROUPED``.
        values: float64[n, steps].
        present: bool[n, steps]; where there is a value.
        groups: int64[n]; the group of each series.
        count: How many groups there are.
    """
    n, m = values.shape
    out = np.zeros((count, m))
    error = np.zeros((count, m))
    mean = np.zeros((count, m))
    seen = np.zeros((count, m), np.int64)
    for i in range(n):
        g = groups[i]
        for j in range(m):
            if not present[i, j]:
                continue
            value = values[i, j]
            seen[g, j] += 1
            k = seen[g, j]
            if operation == 0:
                out[g, j], error[g, j] = add_exactly(value, out[g, j], error[g, j])
            elif operation == 1:
                if mean[g, j] == 0.0:
                    total, rest = add_exactly(value, out[g, j], error[g, j])
                    if k == 1 or not math.isinf(total):
                        out[g, j], error[g, j] = total, rest
                        continue
                    out[g, j] /= k - 1
                    error[g, j] /= k - 1
                    mean[g, j] = 1.0
                q = (k - 1) / k
                out[g, j], error[g, j] = add_exactly(value / k, q * out[g, j], q * error[g, j])
            elif operation == 2:
                if k == 1 or value < out[g, j] or math.isnan(out[g, j]):
                    out[g, j] = value
            elif operation == 3:
                if k == 1 or value > out[g, j] or math.isnan(out[g, j]):
                    out[g, j] = value
            elif operation >= 6:
                if k == 1:
                    mean[g, j] = value
                    out[g, j] = 0.0 if math.isfinite(value) else math.nan
                else:
                    delta = value - mean[g, j]
                    mean[g, j] += delta / k
                    out[g, j] += delta * (value - mean[g, j])
    for g in range(count):
        for j in range(m):
            k = seen[g, j]
            if k == 0:
                continue
            if operation == 0:
                out[g, j] += error[g, j]
            elif operation == 1:
                divisor = 1.0 if mean[g, j] == 1.0 else float(k)
                out[g, j] = out[g, j] / divisor + error[g, j] / divisor
            elif operation == 4:
                out[g, j] = k
            elif operation == 5:
                out[g, j] = 1.0
            elif operation == 6:
                out[g, j] = math.sqrt(out[g, j] / k)
            elif operation == 7:
                out[g, j] /= k
    return out, seen > 0


@kernel(f"{OUT}({GRID}, {MASK}, {INTS}, int64, {FLOATS})")
def group_quantiles(
    values: Float64s, present: Bools, groups: Int64s, count: int, quantiles: Float64s
) -> tuple[Float64s, Bools]:
    """Return float64[groups, steps]: the quantile of each group's values at each step."""
    n, m = values.shape
    out = np.zeros((count, m))
    there = np.zeros((count, m), np.bool_)
    members = np.argsort(groups, kind="mergesort")
    column = np.empty(n)
    for j in range(m):
        at = 0
        while at < n:
            g, size = groups[members[at]], 0
            while at < n and groups[members[at]] == g:
                if present[members[at], j]:
                    column[size] = values[members[at], j]
                    size += 1
                at += 1
            if size:
                out[g, j] = quantile_of(column[:size], quantiles[j])
                there[g, j] = True
    return out, there


@kernel(f"boolean[:, ::1]({GRID}, {MASK}, {INTS}, int64, {INTS}, boolean)")
def top_rows(
    values: Float64s, present: Bools, groups: Int64s, count: int, limits: Int64s, largest: bool
) -> Bools:
    """Return bool[n, steps]: whether a value is among the first ``limits[step]`` of its group.

    NaNs come last; of equal values the earlier row wins.
    """
    n, m = values.shape
    keep = np.zeros((n, m), np.bool_)
    keys = np.empty(n)
    rows = np.empty(n, np.int64)
    for j in range(m):
        taken = np.zeros(count, np.int64)
        size = 0
        for i in range(n):
            if present[i, j] and not math.isnan(values[i, j]):
                keys[size] = -values[i, j] if largest else values[i, j]
                rows[size] = i
                size += 1
        order = np.argsort(keys[:size], kind="mergesort")
        for k in range(size):
            i = rows[order[k]]
            if taken[groups[i]] < limits[j]:
                taken[groups[i]] += 1
                keep[i, j] = True
        for i in range(n):
            nan = present[i, j] and math.isnan(values[i, j])
            if nan and taken[groups[i]] < limits[j]:
                taken[groups[i]] += 1
                keep[i, j] = True
    return keep


@kernel(f"boolean[:, ::1]({MASK}, {INTS}, int64, {INTS})")
def first_rows(present: Bools, groups: Int64s, count: int, limits: Int64s) -> Bools:
    """Return bool[n, steps]: whether a row is among the first ``limits[step]`` of its group."""
    n, m = present.shape
    keep = np.zeros((n, m), np.bool_)
    taken = np.zeros((count, m), np.int64)
    for i in range(n):
        for j in range(m):
            if present[i, j] and taken[groups[i], j] < limits[j]:
                taken[groups[i], j] += 1
                keep[i, j] = True
    return keep


@kernel(f"boolean[:, ::1]({MASK}, {INTS}, int64)")
def any_in_group(present: Bools, groups: Int64s, count: int) -> Bools:
    """Return bool[groups, steps]: whether any series of the group has a value."""
    n, m = present.shape
    out = np.zeros((count, m), np.bool_)
    for i in range(n):
        for j in range(m):
            if present[i, j]:
                out[groups[i], j] = True
    return out


@kernel(f"Tuple((float64[:, ::1], boolean[:, ::1], int64[::1]))({GRID}, {MASK}, {INTS}, int64)")
def merge_rows(
    values: Float64s, present: Bools, groups: Int64s, count: int
) -> tuple[Float64s, Bools, Int64s]:
    """Return the rows of each group laid over one another, and where two of them collided.

    Returns:
        float64[groups, steps], bool[groups, steps], and int64[3]: the group, step and second row
        of a collision, -1 when there is none.
    """
    n, m = values.shape
    out = np.zeros((count, m))
    there = np.zeros((count, m), np.bool_)
    collision = np.full(3, -1, np.int64)
    for i in range(n):
        g = groups[i]
        for j in range(m):
            if not present[i, j]:
                continue
            if there[g, j] and collision[0] < 0:
                collision[0], collision[1], collision[2] = g, j, i
            out[g, j] = values[i, j]
            there[g, j] = True
    return out, there, collision


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


@kernel(f"void({CHANGED}, int64)")
def _never_falling(counts: Float64s, size: int) -> None:
    """Let no count lie below the one before it, nor insignificantly above (relative 1e-12)."""
    before = counts[0]
    for i in range(1, size):
        total = abs(before) + abs(counts[i])
        close = total > 0 and abs(counts[i] - before) / total < 1e-12
        if close or counts[i] < before:
            counts[i] = before
        else:
            before = counts[i]


@kernel(f"float64(float64, {CHANGED}, {CHANGED}, int64)")
def _bucket_quantile(q: float, bounds: Float64s, counts: Float64s, size: int) -> float:
    if math.isnan(q):
        return math.nan
    if q < 0:
        return -math.inf
    if q > 1:
        return math.inf
    if bounds[size - 1] != math.inf:
        return math.nan
    size = _one_bucket_a_bound(bounds, counts, size)
    _never_falling(counts, size)
    if size < 2 or counts[size - 1] == 0:
        return math.nan
    rank = q * counts[size - 1]
    b = 0
    while b < size - 1 and not counts[b] >= rank:
        b += 1
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
    inside = _rank_at(high, bounds, counts, size) - _rank_at(low, bounds, counts, size)
    return float(inside / total)


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


@kernel(f"{OUT}({GRID}, {MASK}, {INTS}, int64, {FLOATS}, {FLOATS})")
def bucket_quantiles(
    values: Float64s,
    present: Bools,
    groups: Int64s,
    count: int,
    bounds: Float64s,
    quantiles: Float64s,
) -> tuple[Float64s, Bools]:
    """Return float64[groups, steps]: quantiles of histograms whose rows lie together, by bound."""
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
                out[groups[start], j] = _bucket_quantile(quantiles[j], upper, counts, size)
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
