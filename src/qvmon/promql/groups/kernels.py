"""Compiled loops from the series of a group to one, or to the chosen ones among them.

Values are float64[n, steps] beside bool[n, steps] ``present``; ``groups`` (int64[n], below
``count``) says which group each series belongs to. Semantics follow Prometheus'
``promql/engine.go``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from qvmon.model.compiled import kernel
from qvmon.model.series import Bools, Bytes, Float64s, Int64s
from qvmon.promql.kernels import BYTES, FLOATS, GRID, INTS, MASK, OUT, add_exactly, quantile_of

Uint64s = NDArray[np.uint64]

# What ``reduce_groups`` makes of the series of a group.
SUM, AVERAGE, LEAST, GREATEST, COUNT, ONE, DEVIATION, VARIANCE = range(8)

GROUPED = {
    "sum": SUM,
    "avg": AVERAGE,
    "min": LEAST,
    "max": GREATEST,
    "count": COUNT,
    "group": ONE,
    "stddev": DEVIATION,
    "stdvar": VARIANCE,
}


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
            if operation == SUM:
                out[g, j], error[g, j] = add_exactly(value, out[g, j], error[g, j])
            elif operation == AVERAGE:
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
            elif operation == LEAST:
                if k == 1 or value < out[g, j] or math.isnan(out[g, j]):
                    out[g, j] = value
            elif operation == GREATEST:
                if k == 1 or value > out[g, j] or math.isnan(out[g, j]):
                    out[g, j] = value
            elif operation >= DEVIATION:
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
            if operation == SUM:
                out[g, j] += error[g, j]
            elif operation == AVERAGE:
                divisor = 1.0 if mean[g, j] == 1.0 else float(k)
                out[g, j] = out[g, j] / divisor + error[g, j] / divisor
            elif operation == COUNT:
                out[g, j] = k
            elif operation == ONE:
                out[g, j] = 1.0
            elif operation == DEVIATION:
                out[g, j] = math.sqrt(out[g, j] / k)
            elif operation == VARIANCE:
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
def few_top_rows(
    values: Float64s, present: Bools, groups: Int64s, count: int, limits: Int64s, largest: bool
) -> Bools:
    """Return what ``top_rows`` returns, fast where few are kept: the best so far stay in order."""
    n, m = values.shape
    keep = np.zeros((n, m), np.bool_)
    most = max(np.int64(1), limits.max())
    best = np.empty((count, m, most))
    rows = np.empty((count, m, most), np.int64)
    taken = np.zeros((count, m), np.int64)
    nans = False
    for i in range(n):
        g = groups[i]
        for j in range(m):
            if not present[i, j] or limits[j] <= 0:
                continue
            key = -values[i, j] if largest else values[i, j]
            if math.isnan(key):
                nans = True
                continue
            at = taken[g, j]
            if at == limits[j]:
                at -= 1
                if key >= best[g, j, at]:
                    continue
            else:
                taken[g, j] += 1
            while at > 0 and best[g, j, at - 1] > key:
                best[g, j, at] = best[g, j, at - 1]
                rows[g, j, at] = rows[g, j, at - 1]
                at -= 1
            best[g, j, at] = key
            rows[g, j, at] = i
    for g in range(count):
        for j in range(m):
            for k in range(taken[g, j]):
                keep[rows[g, j, k], j] = True
    for i in range(n if nans else 0):
        g = groups[i]
        for j in range(m):
            if present[i, j] and math.isnan(values[i, j]) and taken[g, j] < limits[j]:
                taken[g, j] += 1
                keep[i, j] = True
    return keep


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


_P1, _P2, _P3 = (np.uint64(p) for p in (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))
_P4, _P5 = np.uint64(0x85EBCA77C2B2AE63), np.uint64(0x27D4EB2F165667C5)


@kernel("uint64(uint64, uint64)")
def _turned(value: np.uint64, bits: np.uint64) -> np.uint64:
    return (value << bits) | (value >> (np.uint64(64) - bits))


@kernel(f"uint64({BYTES}, int64, int64)")
def _word(data: Bytes, at: int, size: int) -> np.uint64:
    out = np.uint64(0)
    for i in range(size):
        out |= np.uint64(data[at + i]) << np.uint64(8 * i)
    return out


@kernel("uint64(uint64, uint64)")
def _mixed(lane: np.uint64, word: np.uint64) -> np.uint64:
    return _turned(lane + word * _P2, np.uint64(31)) * _P1


@kernel(f"uint64[::1]({BYTES}, {INTS})")
def hash_keys(arena: Bytes, offsets: Int64s) -> Uint64s:
    """Return uint64[n]: the XXH64 of each key, which is how Prometheus hashes labels.

    Source: https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md, seed 0.
    """
    n = len(offsets) - 1
    out = np.zeros(n, np.uint64)
    lanes = np.zeros(4, np.uint64)
    for i in range(n):
        at, end = offsets[i], offsets[i + 1]
        size = end - at
        digest = _P5
        if size >= 32:
            lanes[0], lanes[1] = _P1 + _P2, _P2
            lanes[2], lanes[3] = np.uint64(0), np.uint64(0) - _P1
            while at + 32 <= end:
                for k in range(4):
                    lanes[k] = _mixed(lanes[k], _word(arena, at + 8 * k, 8))
                at += 32
            digest = _turned(lanes[0], np.uint64(1)) + _turned(lanes[1], np.uint64(7))
            digest += _turned(lanes[2], np.uint64(12)) + _turned(lanes[3], np.uint64(18))
            for k in range(4):
                digest = (digest ^ _mixed(np.uint64(0), lanes[k])) * _P1 + _P4
        digest += np.uint64(size)
        while at + 8 <= end:
            digest ^= _mixed(np.uint64(0), _word(arena, at, 8))
            digest = _turned(digest, np.uint64(27)) * _P1 + _P4
            at += 8
        if at + 4 <= end:
            digest ^= _word(arena, at, 4) * _P1
            digest = _turned(digest, np.uint64(23)) * _P2 + _P3
            at += 4
        while at < end:
            digest ^= np.uint64(arena[at]) * _P5
            digest = _turned(digest, np.uint64(11)) * _P1
            at += 1
        digest = (digest ^ (digest >> np.uint64(33))) * _P2
        digest = (digest ^ (digest >> np.uint64(29))) * _P3
        out[i] = digest ^ (digest >> np.uint64(32))
    return out
