"""Loops over the head's samples: append, collect, trim; the same for late samples.

Values travel as their 64 bits (``int64``), so that staleness markers and NaN payloads survive.

The newest samples of a series, 1 to ``ROWS`` of them, are rows of the slabs ``times`` and ``bits``:
slot k owns rows ``k * ROWS : k * ROWS + filled[k]``. When another one comes they are packed behind
the series' last chunk, which takes up to ``CHUNK`` samples. Chunks are cells of eight 64-bit words:

==============  ======================================================================
first cell      ``LINK``, ``BEGIN`` and ``FIRST`` (time and bits of the first sample), ``END``
                and ``LAST`` (of the last one), ``DELTA`` (from the last but one to the last),
                ``FILL`` (bits in the cells behind, samples << 32), ``TAIL`` (the last cell)
other cells     ``LINK``, seven words of bits (``qvmon.tsdb.packing``)
==============  ======================================================================

``LINK`` is the next cell + 1 and, in the first cell, (the next chunk + 1) << 32. A series' chunks
form a list from ``first[series]`` to ``last[series]``. What a chunk has is never changed, only
added to.
"""

# mypy: ignore-errors
# Numba types the bodies; the signatures below are for the callers.
from __future__ import annotations

from typing import Any

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes, Int32s, Int64s
from qvmon.tsdb.packing.kernels import MOST_GROUP, MOST_WORDS, pack, taken, unpack

ROWS = MOST_GROUP
CHUNK = 256
EARLIEST = np.int64(-(2**63))
LATEST = np.int64(2**63 - 1)
READ_INTS = "Array(int64, 1, 'C', readonly=True)"

STORED, REPEATED, LATE = 0, 1, 2
OUT_OF_ORDER, DUPLICATE, TOO_OLD, TOO_NEW, SERIES_LIMIT, NO_MEMORY = 3, 4, 5, 6, 7, 8

FREE_CELLS, FRESH_CELLS, FREE_SLOTS, FRESH_SLOTS, NEWEST, OLDEST = 0, 1, 2, 3, 4, 5
"""Rows of a head's ``state``: how many cells are on the free list and how many were ever used, the
same of slots, the newest and the oldest time."""

LINK, BEGIN, FIRST, END, LAST, DELTA, FILL, TAIL = 0, 1, 2, 3, 4, 5, 6, 7
WORDS = 8

TABLES = (
    "Tuple((int64[::1], int32[::1], int32[::1], int32[::1], int64[::1], int64[::1], uint8[::1],"
    " int32[::1], int64[::1], int32[::1], int64[::1]))"
)
"""newest, slots, first and last by series; times, bits, filled and free slots; cells, free cells;
state."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)
_LOW = np.int64(0xFFFFFFFF)
_CELL_BITS = np.int64(64 * (WORDS - 1))
_MOST_CELLS = np.int64(8)
"""More cells than sealing once ever takes."""

_GATHERED = np.int64(CHUNK // ROWS * MOST_WORDS + WORDS)


@kernel("int64(int64[::1], int32[::1], int64[::1])")
def take_cell(cells, free_cells, state):
    """Return a zeroed cell; there must be one."""
    if state[FREE_CELLS] > 0:
        state[FREE_CELLS] -= 1
        cell = np.int64(free_cells[state[FREE_CELLS]])
    else:
        cell = state[FRESH_CELLS]
        state[FRESH_CELLS] += 1
    for word in range(cell * WORDS, (cell + 1) * WORDS):
        cells[word] = 0
    return cell


@kernel("int64(int64[::1], int64[::1])")
def cells_left(cells, state):
    """Return how many cells can be taken."""
    return state[FREE_CELLS] + len(cells) // WORDS - state[FRESH_CELLS]


@kernel("void(uint64[::1], int64, int64, int64[::1], int32[::1], int64[::1])")
def extend(words, length, chunk, cells, free_cells, state):
    """Add the first ``length`` bits of ``words`` to a chunk; ``FILL`` keeps its samples."""
    head = chunk * WORDS
    used = cells[head + FILL] & _LOW
    tail = cells[head + TAIL]
    at = np.int64(0)
    while at < length:
        inside = used % _CELL_BITS
        if inside == 0:
            fresh = take_cell(cells, free_cells, state)
            cells[tail * WORDS + LINK] |= fresh + 1
            tail = fresh
        width = min(length - at, 64 - (inside & 63))
        word = tail * WORDS + 1 + (inside >> 6)
        part = taken(words[at >> 6], words[(at >> 6) + 1], at & 63, width)
        cells[word] |= np.int64(part << np.uint64(inside & 63))
        at += width
        used += width
    cells[head + FILL] = (cells[head + FILL] >> 32 << 32) | used
    cells[head + TAIL] = tail


@kernel(
    "boolean(int64, int64, int64, uint64[::1], uint64[::1], int32[::1], int32[::1], int64[::1],"
    " int64[::1], int64[::1], int32[::1], int64[::1])"
)
def seal(series, row, n, words, spare, first, last, times, bits, cells, free_cells, state):
    """Pack n rows behind the series' chunks; False, and nothing done, when there is no room."""
    if cells_left(cells, state) < _MOST_CELLS:
        return False
    chunk = np.int64(last[series])
    if chunk < 0 or cells[chunk * WORDS + FILL] >> 32 >= CHUNK:
        fresh = take_cell(cells, free_cells, state)
        head = fresh * WORDS
        cells[head + BEGIN] = cells[head + END] = times[row]
        cells[head + FIRST] = cells[head + LAST] = bits[row]
        cells[head + TAIL] = fresh
        cells[head + FILL] = np.int64(1) << 32
        if chunk < 0:
            first[series] = fresh
        else:
            cells[chunk * WORDS + LINK] |= (fresh + 1) << 32
        last[series] = chunk = fresh
        row, n = row + 1, n - 1
    if n > 0:
        head = chunk * WORDS
        delta = np.uint64(cells[head + DELTA])
        end = cells[head + END]
        length = pack(times, bits, row, n, end, delta, cells[head + LAST], words, spare)
        extend(words, length, chunk, cells, free_cells, state)
        before = times[row + n - 2] if n > 1 else end
        cells[head + DELTA] = times[row + n - 1] - before
        cells[head + END] = times[row + n - 1]
        cells[head + LAST] = bits[row + n - 1]
        cells[head + FILL] += n << 32
    return True


@kernel("int64(int64, int32[::1], uint8[::1], int32[::1], int64[::1])")
def take_slot(series, slots, filled, free_slots, state):
    """Give a series an empty slot; return it."""
    if state[FREE_SLOTS] > 0:
        state[FREE_SLOTS] -= 1
        slot = np.int64(free_slots[state[FREE_SLOTS]])
    else:
        slot = state[FRESH_SLOTS]
        state[FRESH_SLOTS] += 1
    slots[series] = slot
    filled[slot] = 0
    return slot


@kernel("void(int64[::1], int64, int64, uint64[::1])")
def gather(cells, chunk, used, words):
    """Copy the first ``used`` bits of a chunk to ``words``."""
    cell = cells[chunk * WORDS + LINK] & _LOW
    word, count = np.int64(0), (used + 63) >> 6
    while word < count:
        at = (cell - 1) * WORDS
        for i in range(1, WORDS):
            words[word] = np.uint64(cells[at + i])
            word += 1
        cell = cells[at + LINK] & _LOW


@kernel("void(int64[::1], int64, int64, uint64[::1], int64[::1], int64[::1], int64, int64)")
def unpack_chunk(cells, chunk, fill, words, times, bits, row, wanted):
    """Write the samples of a chunk that had ``fill`` from ``row`` on, values if ``wanted``."""
    gather(cells, chunk, fill & _LOW, words)
    head = chunk * WORDS
    time, last = cells[head + BEGIN], cells[head + FIRST]
    times[row] = time
    if wanted:
        bits[row] = last
    count = (fill >> 32) - 1
    unpack(words, ROWS - 1, count, time, np.uint64(0), last, times, bits, row + 1, wanted)


@kernel("int64(int64[::1], int64)")
def following(cells, chunk):
    """Return the next chunk of a series, -1 after the last."""
    return (cells[chunk * WORDS + LINK] >> 32) - 1


@kernel("UniTuple(int64, 2)(int64[::1], int64, int64)")
def search(times, count, time):
    """Return where ``time`` would stand before and behind equal ones among ascending times."""
    low, high = np.int64(0), count
    while low < high:
        middle = (low + high) // 2
        if times[middle] < time:
            low = middle + 1
        else:
            high = middle
    behind = low
    while behind < count and times[behind] == time:
        behind += 1
    return low, behind


@kernel(f"UniTuple(int64, 2)(int64, int64, {TABLES})")
def find(
    series,
    time,
    tables,
):
    """Return 1 and the bits of the sample of ``series`` at ``time``, or 0 and 0."""
    _, slots, first, _, times, bits, filled, _, cells, _, _ = tables
    slot = np.int64(slots[series])
    if slot < 0:
        return np.int64(0), np.int64(0)
    for row in range(slot * ROWS, slot * ROWS + filled[slot]):
        if times[row] == time:
            return np.int64(1), bits[row]
    chunk = np.int64(first[series])
    while chunk >= 0 and cells[chunk * WORDS + END] < time:
        chunk = following(cells, chunk)
    if chunk >= 0 and cells[chunk * WORDS + BEGIN] <= time:
        words = np.empty(_GATHERED, np.uint64)
        chunk_times, chunk_bits = np.empty(CHUNK, np.int64), np.empty(CHUNK, np.int64)
        fill = cells[chunk * WORDS + FILL]
        unpack_chunk(cells, chunk, fill, words, chunk_times, chunk_bits, 0, 1)
        low, behind = search(chunk_times, fill >> 32, time)
        if low < behind:
            return np.int64(1), chunk_bits[low]
    return np.int64(0), np.int64(0)


@kernel(
    f"void({READ_INTS}, {READ_INTS}, {READ_INTS}, int64, int64, int64, int64, uint8[::1], {TABLES})"
)
def append(
    series: Int64s,
    new_times: Int64s,
    new_bits: Int64s,
    series_count: int,
    settled_before: int,
    window: int,
    not_after: int,
    verdicts: Bytes,
    tables: tuple[Any, ...],
) -> None:
    """Store samples at the end of their series, one verdict each.

    Ids from ``series_count`` on, and negative ones, are refused as SERIES_LIMIT, samples after
    ``not_after`` as TOO_NEW. Samples older than ``settled_before`` (in blocks by now) or not newer
    than their series may be LATE when they are at most ``window`` older than the newest sample of
    all; with a window of 0 none is.
    """
    newest, slots, first, last, times, bits, filled, free_slots, cells, free_cells, state = tables
    words, spare = np.empty(MOST_WORDS, np.uint64), np.empty(ROWS, np.uint64)
    for i in range(len(series)):
        s, t = series[i], new_times[i]
        if s < 0 or s >= series_count:
            verdicts[i] = SERIES_LIMIT
            continue
        if t > not_after:
            verdicts[i] = TOO_NEW
            continue
        if t <= newest[s] or t < settled_before:
            found, stored = np.int64(0), np.int64(0)
            if t >= settled_before:
                found, stored = find(
                    s,
                    t,
                    tables,
                )
            if found:
                verdicts[i] = REPEATED if stored == new_bits[i] else DUPLICATE
            elif window > 0:
                reaches_all = state[NEWEST] < EARLIEST + window
                in_window = reaches_all or t >= state[NEWEST] - window
                verdicts[i] = LATE if in_window else TOO_OLD
            else:
                verdicts[i] = TOO_OLD if t < settled_before else OUT_OF_ORDER
            continue
        slot = np.int64(slots[s])
        if slot < 0:
            slot = take_slot(s, slots, filled, free_slots, state)
        elif filled[slot] == ROWS and seal(
            s,
            slot * ROWS,
            ROWS,
            words,
            spare,
            first,
            last,
            times,
            bits,
            cells,
            free_cells,
            state,
        ):
            filled[slot] = 0
        if filled[slot] == ROWS:
            verdicts[i] = NO_MEMORY
            continue
        row = slot * ROWS + filled[slot]
        times[row], bits[row] = t, new_bits[i]
        filled[slot] += 1
        newest[s] = t
        state[NEWEST] = max(state[NEWEST], t)
        state[OLDEST] = min(state[OLDEST], t)
        verdicts[i] = STORED


@kernel(
    f"void({READ_INTS}, int64, int64, int64, int64[:, ::1], int64[:, ::1], int64[:, ::1], {TABLES})"
)
def snapshot(
    ids: Int64s,
    series_count: int,
    start: int,
    end: int,
    extents: Int64s,
    tail_times: Int64s,
    tail_bits: Int64s,
    tables: tuple[Any, ...],
) -> None:
    """Note what there is of ``ids`` in start..end, for reading it beside further appends.

    Row i of ``extents`` becomes the first chunk concerned (-1: none), the last one, what that
    has (``FILL``), and how many samples of the slot were copied to row i of the tails.
    Series from ``series_count`` on have nothing: nothing is known of them yet.
    """
    _, slots, first, last, times, bits, filled, _, cells, _, _ = tables
    for i in range(len(ids)):
        extents[i, 0], extents[i, 3] = -1, 0
        if start > end or ids[i] >= series_count or slots[ids[i]] < 0:
            continue
        chunk = np.int64(first[ids[i]])
        while chunk >= 0 and cells[chunk * WORDS + END] < start:
            chunk = following(cells, chunk)
        if chunk >= 0 and cells[chunk * WORDS + BEGIN] <= end:
            extents[i, 0], extents[i, 1] = chunk, last[ids[i]]
            extents[i, 2] = cells[extents[i, 1] * WORDS + FILL]
        slot = np.int64(slots[ids[i]])
        count = 0
        for row in range(slot * ROWS, slot * ROWS + filled[slot]):
            if start <= times[row] <= end:
                tail_times[i, count], tail_bits[i, count] = times[row], bits[row]
                count += 1
        extents[i, 3] = count


@kernel("void(int64[:, ::1], int64, int64, int64, int64, int64[::1], int64[::1])")
def count_chunks(
    extents: Int64s, begin: int, stop: int, start: int, end: int, cells: Int64s, counts: Int64s
) -> None:
    """Write how many samples of rows ``begin:stop`` of a snapshot are in start..end."""
    words = np.empty(_GATHERED, np.uint64)
    times = np.empty(CHUNK, np.int64)
    for i in range(begin, stop):
        counts[i] = extents[i, 3]
        chunk = extents[i, 0]
        while chunk >= 0 and cells[chunk * WORDS + BEGIN] <= end:
            is_last = chunk == extents[i, 1]
            fill = extents[i, 2] if is_last else cells[chunk * WORDS + FILL]
            count = fill >> 32
            if cells[chunk * WORDS + BEGIN] < start or cells[chunk * WORDS + END] > end:
                unpack_chunk(cells, chunk, fill, words, times, times, 0, 0)
                count = search(times, count, end)[1] - search(times, count, start)[0]
            counts[i] += count
            chunk = np.int64(-1) if is_last else following(cells, chunk)


@kernel(
    "void(int64[:, ::1], int64[:, ::1], int64[:, ::1], int64, int64, int64, int64, int64[::1],"
    " int64[::1], int64[::1], int64[::1])"
)
def copy_chunks(
    extents: Int64s,
    tail_times: Int64s,
    tail_bits: Int64s,
    begin: int,
    stop: int,
    start: int,
    end: int,
    cells: Int64s,
    starts: Int64s,
    times: Int64s,
    bits: Int64s,
) -> None:
    """Write what ``count_chunks`` counted: series i to the rows from ``starts[i]`` on."""
    words = np.empty(_GATHERED, np.uint64)
    chunk_times, chunk_bits = np.empty(CHUNK, np.int64), np.empty(CHUNK, np.int64)
    for i in range(begin, stop):
        at = starts[i]
        chunk = extents[i, 0]
        while chunk >= 0 and cells[chunk * WORDS + BEGIN] <= end:
            is_last = chunk == extents[i, 1]
            fill = extents[i, 2] if is_last else cells[chunk * WORDS + FILL]
            count = fill >> 32
            if cells[chunk * WORDS + BEGIN] < start or cells[chunk * WORDS + END] > end:
                unpack_chunk(cells, chunk, fill, words, chunk_times, chunk_bits, 0, 1)
                low, high = search(chunk_times, count, start)[0], search(chunk_times, count, end)[1]
                times[at : at + high - low] = chunk_times[low:high]
                bits[at : at + high - low] = chunk_bits[low:high]
                at += high - low
            else:
                unpack_chunk(cells, chunk, fill, words, times, bits, at, 1)
                at += count
            chunk = np.int64(-1) if is_last else following(cells, chunk)
        for row in range(extents[i, 3]):
            times[at], bits[at] = tail_times[i, row], tail_bits[i, row]
            at += 1


@kernel(f"void({READ_INTS}, int64, int64, int64, int64[::1], {TABLES})")
def estimate(
    ids: Int64s, series_count: int, start: int, end: int, counts: Int64s, tables: tuple[Any, ...]
) -> None:
    """Write about how many samples of ``ids`` are in start..end: none only where there is none."""
    _, slots, first, _, times, _, filled, _, cells, _, _ = tables
    for i in range(len(ids)):
        counts[i] = 0
        if ids[i] >= series_count or slots[ids[i]] < 0:
            continue
        slot = np.int64(slots[ids[i]])
        for row in range(slot * ROWS, slot * ROWS + filled[slot]):
            counts[i] += start <= times[row] <= end
        chunk = np.int64(first[ids[i]])
        while chunk >= 0:
            head = chunk * WORDS
            low, high = max(start, cells[head + BEGIN]), min(end, cells[head + END])
            if low <= high:
                length = float(cells[head + END]) - float(cells[head + BEGIN]) + 1.0
                part = (float(high) - float(low) + 1.0) / length
                counts[i] += np.int64(np.ceil(part * (cells[head + FILL] >> 32)))
            chunk = following(cells, chunk)


@kernel(f"int64(int64, {TABLES})")
def count_lists(series_count: int, tables: tuple[Any, ...]) -> int:
    """Return how many chunks there are."""
    first, cells = tables[2], tables[8]
    count = np.int64(0)
    for s in range(series_count):
        chunk = np.int64(first[s])
        while chunk >= 0:
            count += 1
            chunk = following(cells, chunk)
    return count


@kernel("int64(int64[::1], int64, int32[::1], int64)")
def release(cells, chunk, released, count):
    """List the cells of a chunk in ``released`` from ``count`` on; return how many are listed."""
    cell = chunk + 1
    while cell > 0:
        released[count] = cell - 1
        count += 1
        cell = cells[(cell - 1) * WORDS + LINK] & _LOW
    return count


@kernel(f"int64(int64, int64, int32[::1], {TABLES})")
def trim(before: int, series_count: int, released: Int32s, tables: tuple[Any, ...]) -> int:
    """Unlink the chunks whose samples are all older than ``before``; return how many cells.

    The cells are listed in ``released``; ``state[OLDEST]`` becomes the oldest sample kept.
    """
    _, slots, first, last, times, _, filled, free_slots, cells, _, state = tables
    count = np.int64(0)
    oldest = LATEST
    words = np.empty(_GATHERED, np.uint64)
    chunk_times = np.empty(CHUNK, np.int64)
    for s in range(series_count):
        slot = np.int64(slots[s])
        if slot < 0:
            continue
        chunk = np.int64(first[s])
        while chunk >= 0 and cells[chunk * WORDS + END] < before:
            count = release(cells, chunk, released, count)
            chunk = following(cells, chunk)
        first[s] = chunk
        if chunk >= 0:
            time = cells[chunk * WORDS + BEGIN]
            if time < before and oldest > before:
                fill = cells[chunk * WORDS + FILL]
                unpack_chunk(cells, chunk, fill, words, chunk_times, chunk_times, 0, 0)
                time = chunk_times[search(chunk_times, fill >> 32, before)[0]]
            if time >= before:
                oldest = min(oldest, time)
            continue
        last[s] = -1
        row, stop = slot * ROWS, slot * ROWS + filled[slot]
        while row < stop and times[row] < before:
            row += 1
        if row < stop:
            oldest = min(oldest, times[row])
        else:
            slots[s] = -1
            free_slots[state[FREE_SLOTS]] = slot
            state[FREE_SLOTS] += 1
    state[OLDEST] = oldest
    return count


@kernel(f"int64({READ_INTS}, int64, int64, int64, int32[::1], {TABLES})")
def remove(
    ids: Int64s, series_count: int, start: int, end: int, released: Int32s, tables: tuple[Any, ...]
) -> int:
    """Take the samples in start..end out of ``ids``; return how many cells are ``released``.

    A series that has some gets new chunks with the others, so that readers of the old chunks go
    on. Its ``newest``, where it is in the interval, becomes ``start - 1``. ``-1 - released`` says
    that there was no room for the new chunks of a series: it and those after are as they were.
    """
    newest, slots, first, last, times, bits, filled, free_slots, cells, free_cells, state = tables
    count = np.int64(0)
    words, packed = np.empty(_GATHERED, np.uint64), np.empty(MOST_WORDS, np.uint64)
    spare = np.empty(ROWS, np.uint64)
    kept_times, kept_bits = np.empty(0, np.int64), np.empty(0, np.int64)
    for s in ids:
        if s >= series_count:
            continue
        slot = np.int64(slots[s])
        if slot >= 0:
            total = np.int64(filled[slot])
            chunk = np.int64(first[s])
            while chunk >= 0:
                total += cells[chunk * WORDS + FILL] >> 32
                chunk = following(cells, chunk)
            if len(kept_times) < total:
                kept_times, kept_bits = np.empty(total, np.int64), np.empty(total, np.int64)
            row = np.int64(0)
            chunk = np.int64(first[s])
            while chunk >= 0:
                fill = cells[chunk * WORDS + FILL]
                unpack_chunk(cells, chunk, fill, words, kept_times, kept_bits, row, 1)
                row += fill >> 32
                chunk = following(cells, chunk)
            for at in range(slot * ROWS, slot * ROWS + filled[slot]):
                kept_times[row], kept_bits[row] = times[at], bits[at]
                row += 1
            left = np.int64(0)
            for at in range(total):
                if not start <= kept_times[at] <= end:
                    kept_times[left], kept_bits[left] = kept_times[at], kept_bits[at]
                    left += 1
            if left < total:
                if cells_left(cells, state) < (left // ROWS + 1) * _MOST_CELLS:
                    return -1 - count
                chunk = np.int64(first[s])
                while chunk >= 0:
                    count = release(cells, chunk, released, count)
                    chunk = following(cells, chunk)
                first[s] = last[s] = slots[s] = -1
                free_slots[state[FREE_SLOTS]] = slot
                state[FREE_SLOTS] += 1
                if left > 0:
                    tail = (left - 1) % ROWS + 1
                    for at in range(0, left - tail, ROWS):
                        seal(
                            s,
                            at,
                            ROWS,
                            packed,
                            spare,
                            first,
                            last,
                            kept_times,
                            kept_bits,
                            cells,
                            free_cells,
                            state,
                        )
                    slot = take_slot(s, slots, filled, free_slots, state)
                    for at in range(left - tail, left):
                        row = slot * ROWS + filled[slot]
                        times[row], bits[row] = kept_times[at], kept_bits[at]
                        filled[slot] += 1
        if start <= newest[s] <= end:
            newest[s] = start - 1 if start > EARLIEST else EARLIEST
    return count


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
