"""What other kernels are built from: array types of signatures, exact sums, quantiles, merging.

Numba's cache of a module that uses these does not notice a change here: after one, touch the
``kernels.py`` files below this folder.
"""

from __future__ import annotations

import math

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bools, Float64s, Int64s

# Arguments that are only read, so that buffers nobody may write to can be passed.
INTS, FLOATS = (f"Array({kind}, 1, 'C', readonly=True)" for kind in ("int64", "float64"))
GRID, MASK = (f"Array({kind}, 2, 'C', readonly=True)" for kind in ("float64", "boolean"))
BYTES = "Array(uint8, 1, 'C', readonly=True)"
CHANGED = "float64[::1]"
OUT = "Tuple((float64[:, ::1], boolean[:, ::1]))"


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


@kernel(f"float64[::1]({FLOATS})")
def _sorted(values: Float64s) -> Float64s:
    """Return a sorted copy, NaNs last; a few values are sorted by insertion, which is faster."""
    if len(values) > 40:
        return np.sort(values)
    out = values.copy()
    for i in range(1, len(out)):
        value, at = out[i], i
        while at > 0 and (out[at - 1] > value or math.isnan(out[at - 1])):
            out[at] = out[at - 1]
            at -= 1
        out[at] = value
    return out


@kernel(f"float64({FLOATS}, int64, int64, float64)")
def quantile_of_sorted(ordered: Float64s, size: int, nans: int, q: float) -> float:
    """Return the ``q`` quantile of the first ``size`` values, in order, and some NaNs."""
    n = size + nans
    if n == 0 or math.isnan(q):
        return math.nan
    if q < 0:
        return -math.inf
    if q > 1:
        return math.inf
    rank = q * (n - 1)
    lower = max(0, math.floor(rank))
    upper = min(n - 1, lower + 1)
    weight = rank - math.floor(rank)
    low = math.nan if lower < nans else ordered[lower - nans]
    if weight == 0:
        return float(low)
    high = math.nan if upper < nans else ordered[upper - nans]
    return low * (1 - weight) + high * weight


@kernel(f"float64({FLOATS}, float64)")
def quantile_of(values: Float64s, q: float) -> float:
    """Return the ``q`` quantile, interpolated; NaNs sort first, as in Prometheus."""
    ordered, nans = _sorted(values), 0
    while nans < len(values) and math.isnan(ordered[len(values) - 1 - nans]):
        nans += 1
    return quantile_of_sorted(ordered, len(values) - nans, nans, q)


@kernel(f"float64({FLOATS}, boolean)")
def transitions(values: Float64s, only_falls: bool) -> float:
    """Return how often consecutive values differ, or fall."""
    count = 0
    for i in range(1, len(values)):
        before, now = values[i - 1], values[i]
        if only_falls:
            count += now < before
        else:
            count += now != before and not (math.isnan(now) and math.isnan(before))
    return float(count)


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


@kernel(f"int64({MASK}, {INTS}, int64)")
def first_collision(present: Bools, groups: Int64s, count: int) -> int:
    """Return the first step at which two rows of one group are present, -1 when there is none."""
    n, m = present.shape
    seen = np.full(count, -1, np.int64)
    for j in range(m):
        for i in range(n):
            if present[i, j]:
                if seen[groups[i]] == j:
                    return j
                seen[groups[i]] = j
    return -1
