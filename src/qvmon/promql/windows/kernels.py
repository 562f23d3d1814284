"""Compiled loops from samples to values at steps.

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
from qvmon.promql.kernels import FLOATS, INTS, OUT, add_exactly, quantile_of, transitions

STALE = np.int64(STALE_BITS)

# What ``reduce_windows`` makes of the samples of a window.
SUM, AVERAGE, COUNT, LAST, FIRST, PRESENT, DEVIATION, VARIANCE = range(8)
MEDIAN_DEVIATION, CHANGES, RESETS, INTEGRAL, TIME_OF_FIRST, TIME_OF_LAST = range(8, 14)
NEWEST_RATE, NEWEST_CHANGE, SLOPE, PREDICTION = range(14, 18)  # these need two samples

OVER_TIME = {
    "sum_over_time": SUM,
    "avg_over_time": AVERAGE,
    "count_over_time": COUNT,
    "last_over_time": LAST,
    "first_over_time": FIRST,
    "present_over_time": PRESENT,
    "stddev_over_time": DEVIATION,
    "stdvar_over_time": VARIANCE,
    "mad_over_time": MEDIAN_DEVIATION,
    "changes": CHANGES,
    "resets": RESETS,
    "integral": INTEGRAL,
    "ts_of_first_over_time": TIME_OF_FIRST,
    "ts_of_last_over_time": TIME_OF_LAST,
    "irate": NEWEST_RATE,
    "idelta": NEWEST_CHANGE,
    "deriv": SLOPE,
    "predict_linear": PREDICTION,
}


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


@kernel(f"int64({INTS}, int64, int64, int64, int64)")
def _after(times: Int64s, row: int, end: int, moment: int, stride: int) -> int:
    """Return the first row from ``row`` on that is later than ``moment``, ``end`` without any.

    It is looked for ``stride`` (at least 1) rows on first: there it is when samples are regular.
    """
    guess = row + stride
    if guess <= end and times[guess - 1] <= moment and (guess == end or times[guess] > moment):
        return guess
    while row < end and times[row] <= moment:
        row += 1
    return row


@kernel(f"int64({FLOATS}, int64, int64)")
def _falls(values: Float64s, begin: int, end: int) -> int:
    """Return how often a value of rows ``begin:end`` is below the one before it."""
    count = 0
    for row in range(begin + 1, end):
        count += values[row] < values[row - 1]
    return count


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
    is remembered, so that windows without any cost two look-ups. How far a window is extrapolated
    is computed anew only where its samples lie otherwise in it than in the window before.
    """
    n, m = len(offsets) - 1, len(starts)
    out = np.zeros((n, m))
    present = np.zeros((n, m), np.bool_)
    gap = rest = span = count = -1
    to_start = to_end = sampled = per = factor = 0.0
    for i in range(n):
        low = high = offsets[i]
        end = offsets[i + 1]
        newest_reset, resets = -1, is_counter and _falls(values, low, end) > 0
        low_stride = high_stride = 1
        for j in range(m):
            before = high
            high = _after(times, high, end, ends[j], high_stride)
            high_stride = max(1, high - before)
            if resets:
                for row in range(max(before, offsets[i] + 1), high):
                    if values[row] < values[row - 1]:
                        newest_reset = row
            before = low
            low = _after(times, low, high, starts[j], low_stride)
            low_stride = max(1, low - before)
            if high - low < 2:
                continue
            last = high - 1
            change = values[last] - values[low]
            if newest_reset > low:
                for row in range(low + 1, high):
                    if values[row] < values[row - 1]:
                        change += values[row - 1]
            if (
                times[low] - starts[j] != gap
                or times[last] - times[low] != span
                or ends[j] - times[last] != rest
                or high - low != count
            ):
                gap, rest = times[low] - starts[j], ends[j] - times[last]
                span, count = times[last] - times[low], high - low
                to_start, to_end, sampled = gap / 1000.0, rest / 1000.0, span / 1000.0
                average = sampled / (count - 1)
                if to_start >= average * 1.1:
                    to_start = average / 2
                if to_end >= average * 1.1:
                    to_end = average / 2
                per = (ends[j] - starts[j]) / 1000.0
                factor = (sampled + to_start + to_end) / sampled
                if per_second:
                    factor /= per
            whole = factor
            if is_counter and change > 0 and 0 <= values[low] < 2 * change:
                to_zero = sampled * (values[low] / change)
                if to_zero < to_start:
                    whole = (sampled + to_zero + to_end) / sampled
                    if per_second:
                        whole /= per
            out[i, j] = change * whole
            present[i, j] = True
    return out, present


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


@kernel(f"float64({INTS}, {FLOATS}, float64)")
def _integral(times: Int64s, values: Float64s, rule: float) -> float:
    """Return the area in value-seconds: 0 from the left values, 1 from the right, else between."""
    total, error = 0.0, 0.0
    for i in range(1, len(values)):
        left = 0.0 if math.isnan(values[i - 1]) else values[i - 1]
        right = 0.0 if math.isnan(values[i]) else values[i]
        height, rest = left, 0.0
        if rule == 1:
            height = right
        elif rule != 0:
            height, rest = add_exactly(right, left, 0.0)
            if math.isinf(height) and math.isfinite(left) and math.isfinite(right):
                height, rest = add_exactly(right / 2, left / 2, 0.0)
            else:
                height, rest = height / 2, rest / 2
        if height != 0 or rest != 0:
            seconds = (times[i] - times[i - 1]) / 1000.0
            total, error = add_exactly(height * seconds, total, error + rest * seconds)
    return total if math.isinf(total) else total + error


@kernel(f"float64({FLOATS})")
def _median_deviation(values: Float64s) -> float:
    """Return the median distance from the median; one NaN makes it NaN."""
    if np.isnan(values).any():
        return math.nan
    return quantile_of(np.abs(values - quantile_of(values, 0.5)), 0.5)


@kernel(f"float64({INTS}, {FLOATS}, boolean)")
def _newest_change(times: Int64s, values: Float64s, is_rate: bool) -> float:
    """Return what the last two samples differ by: as they are, or of a counter per second."""
    before, now = values[len(values) - 2], values[len(values) - 1]
    if not is_rate:
        return float(now - before)
    change = now if now < before else now - before
    return float(change / ((times[len(times) - 1] - times[len(times) - 2]) / 1000.0))


@kernel(f"float64(int64, {INTS}, {FLOATS}, float64, int64)")
def _reduced(operation: int, times: Int64s, values: Float64s, parameter: float, at: int) -> float:
    last = len(values) - 1
    if operation == SUM:
        return _sum(values)
    if operation == AVERAGE:
        return _average(values)
    if operation == COUNT:
        return float(len(values))
    if operation == LAST:
        return float(values[last])
    if operation == FIRST:
        return float(values[0])
    if operation == PRESENT:
        return 1.0
    if operation == DEVIATION:
        return math.sqrt(_variance(values))
    if operation == VARIANCE:
        return _variance(values)
    if operation == MEDIAN_DEVIATION:
        return _median_deviation(values)
    if operation in (CHANGES, RESETS):
        return transitions(values, operation == RESETS)
    if operation == INTEGRAL:
        return _integral(times, values, parameter)
    if operation in (TIME_OF_FIRST, TIME_OF_LAST):
        return float(times[0 if operation == TIME_OF_FIRST else last] / 1000.0)
    if operation in (NEWEST_RATE, NEWEST_CHANGE):
        return _newest_change(times, values, operation == NEWEST_RATE)
    slope, intercept = _regression(times, values, times[0] if operation == SLOPE else at)
    return slope if operation == SLOPE else slope * parameter + intercept


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
    least = 2 if operation >= NEWEST_RATE else 1
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
