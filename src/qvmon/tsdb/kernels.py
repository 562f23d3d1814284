"""Loops over ragged rows: clip, copy, sort, settle.

Values travel as their 64 bits (``int64``), so that staleness markers and NaN payloads survive.
"""

# mypy: ignore-errors
# Numba types the bodies; the signatures below are for the callers.
from __future__ import annotations

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Int64s

READ_INTS = "Array(int64, 1, 'C', readonly=True)"


@kernel(f"void({READ_INTS}, int64[::1], int64[::1], int64[::1], int64, int64)")
def clip_rows(
    times: Int64s, starts: Int64s, stops: Int64s, counts: Int64s, start: int, end: int
) -> None:
    """Narrow row ranges of ascending ``times`` to start..end and write their lengths."""
    for i in range(len(starts)):
        low, high = starts[i], stops[i]
        while low < high:
            middle = (low + high) // 2
            if times[middle] < start:
                low = middle + 1
            else:
                high = middle
        begin, high = low, stops[i]
        while low < high:
            middle = (low + high) // 2
            if times[middle] <= end:
                low = middle + 1
            else:
                high = middle
        starts[i], stops[i], counts[i] = begin, low, low - begin


@kernel(
    f"void({READ_INTS}, {READ_INTS}, int64[::1], int64[::1], int64[::1], int64[::1], int64[::1])"
)
def copy_rows(
    times: Int64s,
    bits: Int64s,
    starts: Int64s,
    stops: Int64s,
    targets: Int64s,
    out_times: Int64s,
    out_bits: Int64s,
) -> None:
    """Copy row ranges; range i goes to the rows from ``targets[i]`` on."""
    for i in range(len(starts)):
        shift = targets[i] - starts[i]
        for row in range(starts[i], stops[i]):
            out_times[row + shift] = times[row]
        for row in range(starts[i], stops[i]):
            out_bits[row + shift] = bits[row]


@kernel(f"boolean(int64[::1], {READ_INTS}, int64[::1], int64[::1])")
def follows(starts: Int64s, counts: Int64s, times: Int64s, newest: Int64s) -> bool:
    """Return whether the rows from ``starts`` on are newer than ``newest``, which they become."""
    ascending = True
    for i in range(len(starts)):
        if counts[i] > 0:
            ascending &= times[starts[i]] > newest[i]
            newest[i] = times[starts[i] + counts[i] - 1]
    return ascending


@kernel("void(int64[::1], int64[::1], int64, int64, int64[::1], int64[::1])")
def sort_rows(
    times: Int64s, bits: Int64s, start: int, stop: int, spare_times: Int64s, spare_bits: Int64s
) -> None:
    """Sort rows by time, stably: merge sort over the ascending runs that are there."""
    while True:
        at, runs, out = start, 0, 0
        while at < stop:
            middle = at + 1
            while middle < stop and times[middle - 1] <= times[middle]:
                middle += 1
            end = middle
            if middle < stop:
                end = middle + 1
                while end < stop and times[end - 1] <= times[end]:
                    end += 1
            left, right = at, middle
            while left < middle or right < end:
                if right >= end or (left < middle and times[left] <= times[right]):
                    spare_times[out], spare_bits[out] = times[left], bits[left]
                    left += 1
                else:
                    spare_times[out], spare_bits[out] = times[right], bits[right]
                    right += 1
                out += 1
            at = end
            runs += 1
        for i in range(stop - start):
            times[start + i], bits[start + i] = spare_times[i], spare_bits[i]
        if runs <= 1:
            return


@kernel("int64(int64[::1], int64[::1], int64[::1])")
def settle(offsets: Int64s, times: Int64s, bits: Int64s) -> int:
    """Put each series in time order, the first of equal times winning; return the rows left.

    ``offsets`` and rows are compacted in place.
    """
    spare_times = np.empty(0, np.int64)
    spare_bits = np.empty(0, np.int64)
    out = np.int64(0)
    start = offsets[0]
    for i in range(len(offsets) - 1):
        stop = offsets[i + 1]
        unordered = np.int64(0)
        for row in range(start + 1, stop):
            unordered += times[row] <= times[row - 1]
        if unordered == 0 and out == start:
            out = start = stop
            continue
        for row in range(start + 1, stop):
            if times[row] < times[row - 1]:
                if len(spare_times) < stop - start:
                    spare_times = np.empty(stop - start, np.int64)
                    spare_bits = np.empty(stop - start, np.int64)
                sort_rows(times, bits, start, stop, spare_times, spare_bits)
                break
        begin = out
        for row in range(start, stop):
            if out == begin or times[row] != times[out - 1]:
                times[out], bits[out] = times[row], bits[row]
                out += 1
        offsets[i] = begin
        start = stop
    offsets[len(offsets) - 1] = out
    return out


@kernel("int64(int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1])")
def cut_rows(
    offsets: Int64s,
    times: Int64s,
    bits: Int64s,
    places: Int64s,
    cut_offsets: Int64s,
    cut_starts: Int64s,
    cut_ends: Int64s,
) -> int:
    """Take out the rows whose time lies in a stretch cut out; return the rows left.

    Series i lacks the stretches of row ``places[i]`` of the cuts, nothing when that is negative.
    ``offsets`` and rows are compacted in place.
    """
    out = np.int64(0)
    start = offsets[0]
    for i in range(len(offsets) - 1):
        stop = offsets[i + 1]
        begin = out
        place = places[i]
        cut = cut_offsets[place] if place >= 0 else np.int64(0)
        last = cut_offsets[place + 1] if place >= 0 else np.int64(0)
        reach = np.int64(-(2**63))
        hidden = False
        for row in range(start, stop):
            time = times[row]
            while cut < last and cut_starts[cut] <= time:
                reach = max(reach, cut_ends[cut])
                hidden = True
                cut += 1
            if not hidden or time > reach:
                times[out], bits[out] = time, bits[row]
                out += 1
        offsets[i] = begin
        start = stop
    offsets[len(offsets) - 1] = out
    return out


@kernel("int64(int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1])")
def drop_known(
    offsets: Int64s,
    times: Int64s,
    bits: Int64s,
    known_offsets: Int64s,
    known_times: Int64s,
    known_bits: Int64s,
    different: Int64s,
) -> int:
    """Take out the rows at whose time the same series of ``known`` has one; return the rows left.

    ``different[0]`` counts those that had another value there. Times ascend within a series;
    ``offsets`` and rows are compacted in place.
    """
    out = np.int64(0)
    start = offsets[0]
    for i in range(len(offsets) - 1):
        stop = offsets[i + 1]
        begin = out
        at, last = known_offsets[i], known_offsets[i + 1]
        for row in range(start, stop):
            while at < last and known_times[at] < times[row]:
                at += 1
            if at < last and known_times[at] == times[row]:
                different[0] += known_bits[at] != bits[row]
                continue
            times[out], bits[out] = times[row], bits[row]
            out += 1
        offsets[i] = begin
        start = stop
    offsets[len(offsets) - 1] = out
    return out
