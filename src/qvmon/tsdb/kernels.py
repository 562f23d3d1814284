"""Loops over samples: append, collect, trim, merge.

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
    f"void({READ_INTS}, int64, int64, int32[::1], int32[::1], int32[::1], int64[::1],"
    " int32[::1], int64[::1])"
)
def count_head(
    ids: Int64s,
    start: int,
    end: int,
    first: Int32s,
    filled: Int32s,
    following: Int32s,
    times: Int64s,
    heads: Int32s,
    counts: Int64s,
) -> None:
    """Write each series' first chunk to ``heads`` and its samples in start..end to ``counts``."""
    for i in range(len(ids)):
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
    f"void({READ_INTS}, {READ_INTS}, int64[::1], int64[::1], int64[::1], int64[::1], int64[::1],"
    " int64[::1])"
)
def copy_rows(
    times: Int64s,
    bits: Int64s,
    starts: Int64s,
    stops: Int64s,
    places: Int64s,
    cursors: Int64s,
    out_times: Int64s,
    out_bits: Int64s,
) -> None:
    """Copy row ranges; range i goes to ``cursors[places[i]]``, which moves past it."""
    for i in range(len(starts)):
        at = cursors[places[i]]
        for row in range(starts[i], stops[i]):
            out_times[at] = times[row]
            out_bits[at] = bits[row]
            at += 1
        cursors[places[i]] = at


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


@kernel(f"int64[::1](int64, {READ_INTS}, int64[::1])")
def first_uses(segment: int, series: Int64s, logged: Int64s) -> Int64s:
    """Return the series not yet written to ``segment``, once each, and note that they are."""
    out = np.empty(len(series), np.int64)
    count = 0
    for s in series:
        if logged[s] != segment:
            logged[s] = segment
            out[count] = s
            count += 1
    return out[:count].copy()


@kernel(f"int64({READ_INTS}, uint8[::1], int64)")
def pack(numbers: Int64s, out: Bytes, at: int) -> int:
    """Write numbers as zigzag LEB128 of their differences from ``at`` on; return the end."""
    last = np.int64(0)
    for number in numbers:
        difference = number - last
        last = number
        rest = (np.uint64(difference) << np.uint64(1)) ^ np.uint64(difference >> 63)
        while rest > np.uint64(0x7F):
            out[at] = np.uint8(rest & np.uint64(0x7F)) | np.uint8(0x80)
            rest >>= np.uint64(7)
            at += 1
        out[at] = np.uint8(rest)
        at += 1
    return at


@kernel("int64(Array(uint8, 1, 'C', readonly=True), int64, int64[::1])")
def unpack(packed: Bytes, at: int, numbers: Int64s) -> int:
    """Fill ``numbers`` from what ``pack`` wrote; return the end, or -1 when it is malformed."""
    last = np.int64(0)
    for i in range(len(numbers)):
        rest = np.uint64(0)
        shift = np.uint64(0)
        while True:
            if at >= len(packed) or shift > np.uint64(63):
                return np.int64(-1)
            byte = np.uint64(packed[at])
            at += 1
            rest |= (byte & np.uint64(0x7F)) << shift
            shift += np.uint64(7)
            if byte < np.uint64(0x80):
                break
        last += np.int64(rest >> np.uint64(1)) ^ -np.int64(rest & np.uint64(1))
        numbers[i] = last
    return at
