"""Compiled loops over windows that slide: each sample enters once and leaves once.

Arrays and results are those of ``windows/kernels.py``, and so are the values, bit for bit.
"""

from __future__ import annotations

import math

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bools, Float64s, Int64s
from qvmon.promql.kernels import CHANGED, FLOATS, INTS, OUT, quantile_of_sorted


@kernel(f"{OUT}({INTS}, {INTS}, {FLOATS}, {INTS}, {INTS}, boolean, boolean)")
def sliding_extremes(
    offsets: Int64s,
    times: Int64s,
    values: Float64s,
    starts: Int64s,
    ends: Int64s,
    largest: bool,
    when: bool,
) -> tuple[Float64s, Bools]:
    """Return the largest (or smallest) value of each window, or the second it was taken.

    Of equal values the last counts; NaN only where there is nothing else. Candidates are the
    samples that no later one surpasses, kept in order (a monotonic queue).
    """
    n, m = len(offsets) - 1, len(starts)
    out = np.zeros((n, m))
    present = np.zeros((n, m), np.bool_)
    queue = np.empty(len(times), np.int64)
    for i in range(n):
        low = high = offsets[i]
        end = offsets[i + 1]
        front = back = 0
        for j in range(m):
            while high < end and times[high] <= ends[j]:
                value = values[high]
                if not math.isnan(value):
                    while back > front and (
                        values[queue[back - 1]] <= value
                        if largest
                        else values[queue[back - 1]] >= value
                    ):
                        back -= 1
                    queue[back] = high
                    back += 1
                high += 1
            while low < high and times[low] <= starts[j]:
                low += 1
            while front < back and queue[front] < low:
                front += 1
            if low == high:
                continue
            found = queue[front] if front < back else high - 1
            out[i, j] = times[found] / 1000.0 if when else values[found]
            present[i, j] = True
    return out, present


@kernel(f"int64({CHANGED}, int64, float64)")
def _place(ordered: Float64s, size: int, value: float) -> int:
    """Return how many of the first ``size`` values are less than ``value``."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@kernel(f"{OUT}({INTS}, {INTS}, {FLOATS}, {INTS}, {INTS}, {FLOATS})")
def sliding_quantiles(
    offsets: Int64s,
    times: Int64s,
    values: Float64s,
    starts: Int64s,
    ends: Int64s,
    quantiles: Float64s,
) -> tuple[Float64s, Bools]:
    """Return a quantile of each window, float64[windows] of them; NaNs sort first.

    The window is kept in order while samples enter and leave, or sorted anew where most do.
    """
    n, m = len(offsets) - 1, len(starts)
    out = np.zeros((n, m))
    present = np.zeros((n, m), np.bool_)
    longest = np.int64(0)
    for i in range(n):
        longest = max(longest, offsets[i + 1] - offsets[i])
    ordered = np.empty(longest)
    for i in range(n):
        low = high = offsets[i]
        end = offsets[i + 1]
        size = nans = 0
        for j in range(m):
            first, last = low, high
            while last < end and times[last] <= ends[j]:
                last += 1
            while first < last and times[first] <= starts[j]:
                first += 1
            moved = (last - high) + (first - low)
            if moved * 8 > last - first:
                size = nans = 0
                for row in range(first, last):
                    if math.isnan(values[row]):
                        nans += 1
                    else:
                        ordered[size] = values[row]
                        size += 1
                ordered[:size].sort()
            else:
                for row in range(low, first):
                    if math.isnan(values[row]):
                        nans -= 1
                        continue
                    size -= 1
                    for k in range(_place(ordered, size + 1, values[row]), size):
                        ordered[k] = ordered[k + 1]
                for row in range(high, last):
                    if math.isnan(values[row]):
                        nans += 1
                        continue
                    at = _place(ordered, size, values[row])
                    for k in range(size, at, -1):
                        ordered[k] = ordered[k - 1]
                    ordered[at] = values[row]
                    size += 1
            low, high = first, last
            if last > first:
                out[i, j] = quantile_of_sorted(ordered, size, nans, quantiles[j])
                present[i, j] = True
    return out, present
