"""Compiled loops over windows whose edges lie between samples (``anchored``, ``smoothed``).

Arrays are those of ``windows/kernels.py`` and ``starts/kernels.py``. A window reaches back to its
*horizon*, the look-back before its start. Semantics follow Prometheus' ``promql/functions.go``.
"""

from __future__ import annotations

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bools, Float64s, Int64s
from qvmon.promql.kernels import FLOATS, INTS, OUT, transitions
from qvmon.promql.starts.kernels import restarted, restarted_after

EDGE = "Tuple((float64, int64))"


@kernel("float64(int64, float64, int64, float64, int64, boolean)")
def _between(t1: int, v1: float, t2: int, v2: float, at: int, is_counter: bool) -> float:
    """Return the value at ``at`` on the line between two samples; a reset counter starts at 0."""
    if is_counter and v2 < v1:
        v1 = 0.0
    return v1 + (v2 - v1) * (at - t1) / (t2 - t1)


@kernel(f"UniTuple(int64, 2)({INTS}, int64, int64, boolean)")
def _edges(times: Int64s, start: int, end: int, smooth: bool) -> tuple[int, int]:
    """Return the samples that stand for the start and the end of a window."""
    last = len(times) - 1
    first = 0
    while first < last and times[first] <= start:
        first += 1
    first = max(0, first - 1)
    if smooth:
        found = 0
        while found < last and times[found] < end:
            found += 1
        last = found
    return first, last


@kernel("float64(int64, float64, int64, int64, int64, boolean)")
def _from_zero(time: int, value: float, since: int, horizon: int, edge: int, smooth: bool) -> float:
    """Return a counter's value at an edge before its first sample that is known.

    Without a start between the horizon and the sample it is taken to have been what it is.
    """
    if not restarted_after(horizon, since, time):
        return value
    if smooth and not restarted_after(edge, since, time):
        return _between(since, 0.0, time, value, edge, True)
    return 0.0


@kernel(f"{EDGE}({INTS}, {FLOATS}, {INTS}, int64, int64, int64, boolean, boolean)")
def _left(
    times: Int64s,
    values: Float64s,
    since: Int64s,
    first: int,
    start: int,
    horizon: int,
    smooth: bool,
    is_counter: bool,
) -> tuple[float, int]:
    """Return the value a window starts with, and since when it counts.

    ``first`` is the newest sample at or before the start, or the first one after it.
    """
    time, value, began = times[first], values[first], since[first]
    if time == start:
        return value, began
    known = began if began <= start else 0
    if time > start:
        if is_counter:
            value = _from_zero(time, value, began, horizon, start, smooth)
        return value, known
    time_after, after, began_after = times[first + 1], values[first + 1], since[first + 1]
    if is_counter and restarted_after(start, began_after, time_after):
        time_after, after = began_after, 0.0
    elif is_counter and restarted(began, time, began_after, time_after):
        time, value, known = began_after, 0.0, began_after
    if smooth:
        value = _between(time, value, time_after, after, start, is_counter)
    return value, known


@kernel(f"{EDGE}({INTS}, {FLOATS}, {INTS}, int64, int64, int64, boolean, boolean)")
def _right(
    times: Int64s,
    values: Float64s,
    since: Int64s,
    last: int,
    end: int,
    horizon: int,
    smooth: bool,
    is_counter: bool,
) -> tuple[float, int]:
    """Return the value a window ends with, and since when it counts.

    ``last`` is the newest sample at or before the end, or (``smooth``) the first one after it.
    """
    time, value, began = times[last], values[last], since[last]
    known = began if began <= end else 0
    if time <= end:
        return value, known
    if last == 0:
        if is_counter:
            value = _from_zero(time, value, began, horizon, end, smooth)
        return value, known
    time_before, before, began_before = times[last - 1], values[last - 1], since[last - 1]
    if is_counter and restarted_after(end, began, time):
        time, value, known = began, 0.0, began_before
    elif is_counter and restarted(began_before, time_before, began, time):
        time_before, before = began, 0.0
    return _between(time_before, before, time, value, end, is_counter), known


@kernel(
    f"{OUT}({INTS}, {INTS}, {FLOATS}, {INTS}, {INTS}, {INTS}, int64, boolean, boolean, boolean)"
)
def edged_rate(
    offsets: Int64s,
    times: Int64s,
    values: Float64s,
    since: Int64s,
    starts: Int64s,
    ends: Int64s,
    lookback: int,
    smooth: bool,
    is_counter: bool,
    per_second: bool,
) -> tuple[Float64s, Bools]:
    """Return rate, increase or delta between the values at both edges of each window.

    An edge takes its value from the sample at or before it (*anchored*) or lies on the line
    between its neighbours (``smooth``), as far as ``lookback`` milliseconds away.
    """
    n, m = len(offsets) - 1, len(starts)
    out = np.zeros((n, m))
    present = np.zeros((n, m), np.bool_)
    for i in range(n):
        low = high = offsets[i]
        stop = offsets[i + 1]
        for j in range(m):
            start, end, horizon = starts[j], ends[j], starts[j] - lookback
            while high < stop and times[high] <= end + (lookback if smooth else 0):
                high += 1
            while low < high and times[low] <= horizon:
                low += 1
            if low == high:
                continue
            t, v, s = times[low:high], values[low:high], since[low:high]
            first, last = _edges(t, start, end, smooth)
            if t[last] <= start:
                continue
            if smooth and t[first] > end:
                began_between = restarted_after(horizon, s[first], t[first]) and s[first] <= end
                if not (is_counter and began_between):
                    continue
            left, before_since = _left(t, v, s, first, start, horizon, smooth, is_counter)
            right, right_since = _right(t, v, s, last, end, horizon, smooth, is_counter)
            lost = 0.0
            if is_counter:
                before, before_time = left, start
                for row in range(first, last + 1):
                    if t[row] <= start or t[row] >= end:
                        continue
                    if v[row] < before or restarted(before_since, before_time, s[row], t[row]):
                        lost += before
                    before, before_time, before_since = v[row], t[row], s[row]
                if right < before or restarted(before_since, before_time, right_since, end):
                    lost += before
            change = right - left + lost
            out[i, j] = change / ((end - start) / 1000.0) if per_second else change
            present[i, j] = True
    return out, present


@kernel(f"{OUT}({INTS}, {INTS}, {FLOATS}, {INTS}, {INTS}, {INTS}, int64, boolean)")
def anchored_transitions(
    offsets: Int64s,
    times: Int64s,
    values: Float64s,
    since: Int64s,
    starts: Int64s,
    ends: Int64s,
    lookback: int,
    resets: bool,
) -> tuple[Float64s, Bools]:
    """Return changes or resets, counting from the sample at or before each window's start."""
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
            if low == high:
                continue
            anchor = low - 1
            if anchor < offsets[i] or times[anchor] <= starts[j] - lookback:
                anchor = low
            out[i, j] = transitions(values[anchor:high], resets)
            for row in range(anchor + 1, high if resets else 0):
                if not values[row] < values[row - 1]:
                    out[i, j] += restarted(since[row - 1], times[row - 1], since[row], times[row])
            present[i, j] = True
    return out, present


@kernel(f"{OUT}({INTS}, {INTS}, {FLOATS}, {INTS}, int64)")
def smoothed_values(
    offsets: Int64s, times: Int64s, values: Float64s, at: Int64s, lookback: int
) -> tuple[Float64s, Bools]:
    """Return each series' value at each of ``at``, on the line between the samples around it.

    Without a later sample the earlier one stands; samples further than ``lookback`` do not count.
    """
    n, m = len(offsets) - 1, len(at)
    out = np.zeros((n, m))
    present = np.zeros((n, m), np.bool_)
    for i in range(n):
        row, end = offsets[i], offsets[i + 1]
        for j in range(m):
            while row < end and times[row] < at[j]:
                row += 1
            before = row - 1
            known = before >= offsets[i] and times[before] > at[j] - lookback
            follows = row < end and times[row] <= at[j] + lookback
            if follows and times[row] == at[j]:
                out[i, j] = values[row]
            elif known and follows:
                out[i, j] = _between(
                    times[before], values[before], times[row], values[row], at[j], False
                )
            elif known:
                out[i, j] = values[before]
            present[i, j] = known or (follows and times[row] == at[j])
    return out, present


@kernel(
    f"Tuple((int64[::1], int64[::1], float64[::1]))"
    f"({INTS}, {INTS}, {FLOATS}, int64, int64, int64, boolean)"
)
def window_samples(
    offsets: Int64s,
    times: Int64s,
    values: Float64s,
    start: int,
    end: int,
    lookback: int,
    smooth: bool,
) -> tuple[Int64s, Int64s, Float64s]:
    """Return the samples of one window, as offsets, times and values.

    With a ``lookback`` each series that has a sample after the start gets one at both edges.
    """
    n = len(offsets) - 1
    out = np.zeros(n + 1, np.int64)
    out_times = np.empty(len(times) + 2 * n, np.int64)
    out_values = np.empty(len(times) + 2 * n)
    size = 0
    for i in range(n):
        low = high = offsets[i]
        while low < offsets[i + 1] and times[low] <= start - lookback:
            low += 1
        high = low
        while high < offsets[i + 1] and times[high] <= end + (lookback if smooth else 0):
            high += 1
        t, v = times[low:high], values[low:high]
        edges = False
        left = right = 0.0
        if lookback > 0 and low < high:
            first, last = _edges(t, start, end, smooth)
            edges = t[last] > start
            unknown = np.zeros(len(t), np.int64)
            left, _ = _left(t, v, unknown, first, start, start - lookback, smooth, False)
            right, _ = _right(t, v, unknown, last, end, start - lookback, smooth, False)
        if edges:
            out_times[size], out_values[size] = start, left
            size += 1
        for row in range(len(t)):
            if t[row] > start and (t[row] < end if edges else t[row] <= end):
                out_times[size], out_values[size] = t[row], v[row]
                size += 1
        if edges:
            out_times[size], out_values[size] = end, right
            size += 1
        out[i + 1] = size
    return out, out_times[:size].copy(), out_values[:size].copy()
