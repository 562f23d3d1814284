"""Loops over the head's samples: append, collect, trim; the same for late samples.

Values travel as their 64 bits (``int64``), so that staleness markers and NaN payloads survive.
A chunk is ``CHUNK`` rows of the slabs ``times`` and ``bits``; chunk c owns rows
``c * CHUNK : c * CHUNK + filled[c]``. A series' chunks form a list through ``following`` and
``preceding`` (-1 ends it), from ``first[series]`` to ``last[series]``.
"""

# mypy: ignore-errors
# Numba types the bodies; the signatures below are for the callers.
from __future__ import annotations

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes, Int32s, Int64s

CHUNK = 32
EARLIEST = np.int64(-(2**63))
READ_INTS = "Array(int64, 1, 'C', readonly=True)"

STORED, REPEATED, LATE = 0, 1, 2
OUT_OF_ORDER, DUPLICATE, TOO_OLD, TOO_NEW, SERIES_LIMIT, NO_MEMORY = 3, 4, 5, 6, 7, 8

FREE, FRESH, NEWEST, OLDEST = 0, 1, 2, 3
"""Rows of a head's ``state``: chunks on the free list, chunks ever used, newest and oldest time."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)


@kernel("int64(int64, int64, int32[::1], int32[::1], int32[::1], int32[::1], int64[::1])")
def find_in_chunks(
    series: int,
    time: int,
    last: Int32s,
    first: Int32s,
    filled: Int32s,
    preceding: Int32s,
    times: Int64s,
) -> int:
    """Return the slab row of the sample of ``series`` at ``time``, or -1."""
    chunk = last[series]
    while chunk >= 0 and times[chunk * CHUNK] > time:
        chunk = np.int32(-1) if chunk == first[series] else preceding[chunk]
    if chunk < 0:
        return np.int64(-1)
    low = np.int64(chunk) * CHUNK
    high = low + filled[chunk]
    while low < high:
        middle = (low + high) // 2
        if times[middle] < time:
            low = middle + 1
        else:
            high = middle
    end = np.int64(chunk) * CHUNK + filled[chunk]
    return low if low < end and times[low] == time else np.int64(-1)


@kernel("int64(int64, int64, int64[::1], int64[::1], int64[::1])")
def find_late(
    series: int, time: int, slots: Int64s, late_series: Int64s, late_times: Int64s
) -> int:
    """Return the row of a late sample, or ``-1 - slot`` where it would go."""
    mask = len(slots) - 1
    mixed = (np.uint64(series) * _MIX) ^ (np.uint64(time) + _MIX)
    mixed *= _MIX
    slot = np.int64((mixed ^ (mixed >> _SHIFT)) & np.uint64(mask))
    while slots[slot] != 0:
        row = slots[slot] - 1
        if late_series[row] == series and late_times[row] == time:
            return row
        slot = (slot + 1) & mask
    return -1 - slot


@kernel("void(int64[::1], int64[::1], int64, int64[::1])")
def fill_late_slots(late_series: Int64s, late_times: Int64s, count: int, slots: Int64s) -> None:
    """Enter the first ``count`` late samples into an empty table."""
    for row in range(count):
        at = find_late(late_series[row], late_times[row], slots, late_series, late_times)
        slots[-1 - at] = row + 1


@kernel(
    f"void({READ_INTS}, {READ_INTS}, {READ_INTS}, int64, int64, int64, int64,"
    " int64[::1], int32[::1], int32[::1], int64[::1],"
    " int64[::1], int64[::1], int32[::1], int32[::1], int32[::1], int32[::1], uint8[::1])"
)
def append(
    series: Int64s,
    new_times: Int64s,
    new_bits: Int64s,
    series_count: int,
    settled_before: int,
    window: int,
    not_after: int,
    newest: Int64s,
    first: Int32s,
    last: Int32s,
    state: Int64s,
    times: Int64s,
    bits: Int64s,
    filled: Int32s,
    following: Int32s,
    preceding: Int32s,
    free: Int32s,
    verdicts: Bytes,
) -> None:
    """Store samples at the end of their series, one verdict each.

    Ids from ``series_count`` on, and negative ones, are refused as SERIES_LIMIT, samples after
    ``not_after`` as TOO_NEW. Samples older than ``settled_before`` (in blocks by now) or not newer
    than their series may be LATE when they are at most ``window`` older than the newest sample of
    all; with a window of 0 none is.
    """
    for i in range(len(series)):
        s, t = series[i], new_times[i]
        if s < 0 or s >= series_count:
            verdicts[i] = SERIES_LIMIT
            continue
        if t > not_after:
            verdicts[i] = TOO_NEW
            continue
        if t <= newest[s] or t < settled_before:
            row = np.int64(-1)
            if t >= settled_before:
                row = find_in_chunks(s, t, last, first, filled, preceding, times)
            if row >= 0:
                verdicts[i] = REPEATED if bits[row] == new_bits[i] else DUPLICATE
            elif window > 0:
                reaches_all = state[NEWEST] < EARLIEST + window
                in_window = reaches_all or t >= state[NEWEST] - window
                verdicts[i] = LATE if in_window else TOO_OLD
            else:
                verdicts[i] = TOO_OLD if t < settled_before else OUT_OF_ORDER
            continue
        chunk = np.int64(last[s])
        if chunk < 0 or filled[chunk] == CHUNK:
            if state[FREE] > 0:
                state[FREE] -= 1
                fresh = np.int64(free[state[FREE]])
            elif state[FRESH] < len(filled):
                fresh = state[FRESH]
                state[FRESH] += 1
            else:
                verdicts[i] = NO_MEMORY
                continue
            filled[fresh] = 0
            following[fresh] = -1
            preceding[fresh] = chunk
            times[fresh * CHUNK] = t
            if chunk < 0:
                first[s] = fresh
            else:
                following[chunk] = fresh
            last[s] = fresh
            chunk = fresh
        row = chunk * CHUNK + filled[chunk]
        times[row] = t
        bits[row] = new_bits[i]
        filled[chunk] += 1
        newest[s] = t
        state[NEWEST] = max(state[NEWEST], t)
        state[OLDEST] = min(state[OLDEST], t)
        verdicts[i] = STORED


@kernel(
    f"int64({READ_INTS}, {READ_INTS}, {READ_INTS}, uint8[::1], int64,"
    " int64[::1], int64[::1], int64[::1], int64[::1], boolean)"
)
def append_late(
    series: Int64s,
    new_times: Int64s,
    new_bits: Int64s,
    verdicts: Bytes,
    count: int,
    late_series: Int64s,
    late_times: Int64s,
    late_bits: Int64s,
    slots: Int64s,
    readonly: bool,
) -> int:
    """Store the samples whose verdict is LATE, unless they are there; return the new count.

    With ``readonly`` nothing is stored: only verdicts of known samples change.
    """
    for i in range(len(series)):
        if verdicts[i] != LATE:
            continue
        at = find_late(series[i], new_times[i], slots, late_series, late_times)
        if at >= 0:
            verdicts[i] = REPEATED if late_bits[at] == new_bits[i] else DUPLICATE
        elif not readonly:
            slots[-1 - at] = count + 1
            late_series[count] = series[i]
            late_times[count] = new_times[i]
            late_bits[count] = new_bits[i]
            count += 1
    return count


@kernel(
    f"void({READ_INTS}, int64, int64, int64, int32[::1], int32[::1], int32[::1], int64[::1],"
    " int32[::1], int64[::1])"
)
def count_head(
    ids: Int64s,
    series_count: int,
    start: int,
    end: int,
    first: Int32s,
    filled: Int32s,
    following: Int32s,
    times: Int64s,
    heads: Int32s,
    counts: Int64s,
) -> None:
    """Write each series' first chunk to ``heads`` and its samples in start..end to ``counts``.

    Series from ``series_count`` on are left as they are: nothing is known of them yet.
    """
    for i in range(len(ids)):
        if ids[i] >= series_count:
            continue
        chunk = np.int64(first[ids[i]])
        heads[i] = chunk
        total = 0
        while chunk >= 0:
            n = filled[chunk]
            low = chunk * CHUNK
            if n > 0 and times[low] > end:
                break
            if n > 0 and times[low + n - 1] >= start:
                if times[low] >= start and times[low + n - 1] <= end:
                    total += n
                else:
                    for row in range(low, low + n):
                        total += start <= times[row] <= end
            chunk = np.int64(following[chunk])
        counts[i] = total


@kernel(
    "void(int64, int32[::1], int64[::1], int32[::1], int64[::1], int64[::1],"
    " int64[::1], int64[::1])"
)
def copy_head(
    start: int,
    heads: Int32s,
    offsets: Int64s,
    following: Int32s,
    times: Int64s,
    bits: Int64s,
    out_times: Int64s,
    out_bits: Int64s,
) -> None:
    """Copy what ``count_head`` counted: series i to rows ``offsets[i]:offsets[i + 1]``."""
    for i in range(len(heads)):
        at, stop = offsets[i], offsets[i + 1]
        chunk = np.int64(heads[i])
        while at < stop:
            low = chunk * CHUNK
            for row in range(low, low + CHUNK):
                if at < stop and times[row] >= start:
                    out_times[at] = times[row]
                    out_bits[at] = bits[row]
                    at += 1
            chunk = np.int64(following[chunk])


@kernel(
    "int64(int64, int64, int32[::1], int32[::1], int32[::1], int32[::1], int64[::1], int64[::1],"
    " int32[::1])"
)
def trim(
    before: int,
    series_count: int,
    first: Int32s,
    last: Int32s,
    filled: Int32s,
    following: Int32s,
    times: Int64s,
    state: Int64s,
    released: Int32s,
) -> int:
    """Unlink the chunks whose samples are all older than ``before``; return how many.

    The chunks are listed in ``released``; ``state[OLDEST]`` becomes the oldest sample kept.
    """
    count = np.int64(0)
    oldest = np.int64(np.iinfo(np.int64).max)
    for s in range(series_count):
        chunk = first[s]
        while chunk >= 0 and times[np.int64(chunk) * CHUNK + filled[chunk] - 1] < before:
            released[count] = chunk
            count += 1
            chunk = following[chunk]
        first[s] = chunk
        if chunk < 0:
            last[s] = -1
            continue
        row = np.int64(chunk) * CHUNK
        while times[row] < before:
            row += 1
        oldest = min(oldest, times[row])
    state[OLDEST] = oldest
    return count


@kernel("void(int64[::1], int64[::1], int64, int64, int64, int32[::1], int64[::1])")
def count_late(
    late_series: Int64s,
    late_times: Int64s,
    count: int,
    start: int,
    end: int,
    places: Int32s,
    counts: Int64s,
) -> None:
    """Count the late samples in start..end; ``places[series]`` is its row in ``counts`` or -1."""
    for row in range(count):
        place = places[late_series[row]]
        if place >= 0 and start <= late_times[row] <= end:
            counts[place] += 1


@kernel(
    "void(int64[::1], int64[::1], int64[::1], int64, int64, int64, int32[::1], int64[::1],"
    " int64[::1], int64[::1])"
)
def copy_late(
    late_series: Int64s,
    late_times: Int64s,
    late_bits: Int64s,
    count: int,
    start: int,
    end: int,
    places: Int32s,
    cursors: Int64s,
    out_times: Int64s,
    out_bits: Int64s,
) -> None:
    """Copy what ``count_late`` counted in order of arrival, series i from ``cursors[i]`` on."""
    for row in range(count):
        place = places[late_series[row]]
        if place >= 0 and start <= late_times[row] <= end:
            out_times[cursors[place]] = late_times[row]
            out_bits[cursors[place]] = late_bits[row]
            cursors[place] += 1


@kernel("int64(int32[::1], int32[::1], int64[::1])")
def take_chunk(free: Int32s, filled: Int32s, state: Int64s) -> int:
    """Return an empty chunk, -1 when there is none left."""
    if state[FREE] > 0:
        state[FREE] -= 1
        return np.int64(free[state[FREE]])
    if state[FRESH] < len(filled):
        state[FRESH] += 1
        return state[FRESH] - 1
    return np.int64(-1)


@kernel(
    f"int64({READ_INTS}, int64, int64, int64, int32[::1], int32[::1], int32[::1], int32[::1],"
    " int32[::1], int64[::1], int64[::1], int32[::1], int64[::1], int64[::1], int32[::1])"
)
def delete_rows(
    ids: Int64s,
    series_count: int,
    start: int,
    end: int,
    first: Int32s,
    last: Int32s,
    filled: Int32s,
    following: Int32s,
    preceding: Int32s,
    times: Int64s,
    bits: Int64s,
    free: Int32s,
    state: Int64s,
    newest: Int64s,
    released: Int32s,
) -> int:
    """Take the samples in start..end out of ``ids``; return how many chunks are ``released``.

    A series that has some gets new chunks with the others, so that readers of the old chunks go
    on. Its ``newest``, where it is in the interval, becomes ``start - 1``. ``-1 - released`` says
    that there was no room for the new chunks of a series: it and those after are as they were.
    """
    count = np.int64(0)
    for s in ids:
        if s >= series_count:
            continue
        doomed = np.int64(0)
        chunk = np.int64(first[s])
        while chunk >= 0:
            for row in range(chunk * CHUNK, chunk * CHUNK + filled[chunk]):
                doomed += start <= times[row] <= end
            chunk = np.int64(following[chunk])
        if doomed > 0:
            head, tail = np.int64(-1), np.int64(-1)
            chunk = np.int64(first[s])
            while chunk >= 0:
                for row in range(chunk * CHUNK, chunk * CHUNK + filled[chunk]):
                    if start <= times[row] <= end:
                        continue
                    if tail < 0 or filled[tail] == CHUNK:
                        fresh = take_chunk(free, filled, state)
                        if fresh < 0:
                            while head >= 0:
                                free[state[FREE]] = head
                                state[FREE] += 1
                                head = np.int64(following[head])
                            return -1 - count
                        filled[fresh] = 0
                        following[fresh] = -1
                        preceding[fresh] = tail
                        if tail >= 0:
                            following[tail] = fresh
                        else:
                            head = fresh
                        tail = fresh
                    times[tail * CHUNK + filled[tail]] = times[row]
                    bits[tail * CHUNK + filled[tail]] = bits[row]
                    filled[tail] += 1
                chunk = np.int64(following[chunk])
            chunk = np.int64(first[s])
            while chunk >= 0:
                released[count] = chunk
                count += 1
                chunk = np.int64(following[chunk])
            first[s], last[s] = head, tail
        if start <= newest[s] <= end:
            newest[s] = start - 1 if start > EARLIEST else EARLIEST
    return count
