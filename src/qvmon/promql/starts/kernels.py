"""Compiled loops over samples that carry start timestamps.

``since`` is int64[samples]: when the counter of each sample started, 0 for unknown. The other
arrays are those of ``windows/kernels.py``. Semantics follow Prometheus' ``promql/functions.go``.
"""

from __future__ import annotations

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import STALE_BITS, Bools, Float64s, Int64s
from qvmon.promql.kernels import FLOATS, INTS, OUT


@kernel("boolean(int64, int64, int64, int64)")
def restarted(since_before: int, before: int, since: int, now: int) -> bool:
    """Return whether a counter started anew between two samples, by their start timestamps.

    A start at the very time of the sample before is a delta's, unless that sample knows no start
    of its own: then it is a cumulative counter whose start was never known.
    """
    if since_before == since or since == 0 or since >= now or since < before:
        return False
    if since > before:
        return True
    return since_before != 0 and since_before < before


@kernel("boolean(int64, int64, int64)")
def restarted_after(instant: int, since: int, now: int) -> bool:
    """Return whether a sample's counter started after ``instant``, and before the sample."""
    return instant < since < now and since != 0


@kernel(
    "Tuple((float64[:, ::1], boolean[:, ::1], int64[::1]))"
    f"({INTS}, {INTS}, {FLOATS}, {INTS}, {INTS}, {INTS}, boolean)"
)
def started_rate(
    offsets: Int64s,
    times: Int64s,
    values: Float64s,
    since: Int64s,
    starts: Int64s,
    ends: Int64s,
    per_second: bool,
) -> tuple[Float64s, Bools, Int64s]:
    """Return rate or increase, extrapolated; a start inside the window stands for a zero there."""
    n, m = len(offsets) - 1, len(starts)
    out = np.zeros((n, m))
    present = np.zeros((n, m), np.bool_)
    overlaps = np.zeros(n, np.int64)
    for i in range(n):
        low = high = offsets[i]
        end = offsets[i + 1]
        for j in range(m):
            while high < end and times[high] <= ends[j]:
                high += 1
            while low < high and times[low] <= starts[j]:
                low += 1
            if low == high:
                continue
            last = high - 1
            change = values[last] - values[low]
            overlap = False
            for row in range(low + 1, high):
                if since[row] != 0 and since[row] < times[row - 1]:
                    overlap |= since[row] != since[row - 1]
                if values[row] < values[row - 1] or restarted(
                    since[row - 1], times[row - 1], since[row], times[row]
                ):
                    change += values[row - 1]
            overlaps[i] += overlap
            to_start = (times[low] - starts[j]) / 1000.0
            to_end = (ends[j] - times[last]) / 1000.0
            sampled = (times[last] - times[low]) / 1000.0
            average = sampled / (last - low) if last > low else 0.0
            if restarted_after(starts[j], since[low], times[low]):
                to_start = 0.0
                sampled = (times[last] - since[low]) / 1000.0
                change += values[low]
            elif last == low:
                continue
            else:
                if to_start >= average * 1.1:
                    to_start = average / 2
                if change > 0 and values[low] >= 0:
                    to_start = min(to_start, sampled * (values[low] / change))
            if to_end >= average * 1.1:
                to_end = average / 2
            factor = (sampled + to_start + to_end) / sampled
            if per_second:
                factor /= (ends[j] - starts[j]) / 1000.0
            out[i, j] = change * factor
            present[i, j] = True
    return out, present, overlaps


@kernel(f"{OUT}({INTS}, {INTS}, {FLOATS}, {INTS}, {INTS}, {INTS}, boolean)")
def started_pairs(
    offsets: Int64s,
    times: Int64s,
    values: Float64s,
    since: Int64s,
    starts: Int64s,
    ends: Int64s,
    count: bool,
) -> tuple[Float64s, Bools]:
    """Return how often a counter started anew (``count``), or its rate between the newest two."""
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
            if high - low < (1 if count else 2):
                continue
            present[i, j] = True
            for row in range(low + 1 if count else high - 1, high):
                before = row - 1
                fell = values[row] < values[before] or restarted(
                    since[before], times[before], since[row], times[row]
                )
                if count:
                    out[i, j] += fell
                else:
                    change = values[row] if fell else values[row] - values[before]
                    out[i, j] = change / ((times[row] - times[before]) / 1000.0)
    return out, present


@kernel(f"{OUT}({INTS}, {INTS}, {FLOATS}, {INTS}, {INTS}, int64)")
def instant_starts(
    offsets: Int64s, times: Int64s, values: Float64s, since: Int64s, at: Int64s, lookback: int
) -> tuple[Float64s, Bools]:
    """Return the start, in seconds, of each series' newest sample at each of ``at``."""
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
            if found < offsets[i] or times[found] <= at[j] - lookback or bits[found] == STALE_BITS:
                continue
            out[i, j] = since[found] / 1000.0
            present[i, j] = True
    return out, present
