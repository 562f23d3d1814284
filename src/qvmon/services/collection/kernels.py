"""Looking up the series of a scrape in a target's table; telling senders apart."""

from __future__ import annotations

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes, Int32s, Int64s
from qvmon.services.collection.arrays import UInt64s

_SCOPE = (b"instance", b"job", b"service", b"workflow")
_SCOPE_LETTERS = np.frombuffer(b"".join(_SCOPE), np.uint8).copy()
_SCOPE_ENDS = np.cumsum([len(each) for each in _SCOPE])


@kernel("void(int32[::1], uint64[::1], int64)")
def fill(slots: Int32s, known: UInt64s, first: int) -> None:
    """Enter rows ``first`` and later of ``known`` into an open-addressing table.

    Args:
        slots: int32[2**k]; row + 1, or 0 for a free slot; at least half are free.
        known: uint64[n]; the hash of each row, no two alike.
        first: The first row to enter.
    """
    mask = len(slots) - 1
    for row in range(first, len(known)):
        at = known[row] & mask
        while slots[at] != 0:
            at = (at + 1) & mask
        slots[at] = row + 1


@kernel("void(int32[::1], uint64[::1], int64[::1], uint64[::1], int64, int64[::1], int64[::1])")
def look_up(
    slots: Int32s,
    known: UInt64s,
    seen: Int64s,
    wanted: UInt64s,
    iteration: int,
    rows: Int64s,
    previous: Int64s,
) -> None:
    """Find the row of each wanted hash and mark it as seen.

    Args:
        slots: The table.
        known: uint64[n]; the hash of each row.
        seen: int64[n]; when each row was last seen; set to ``iteration`` for those found.
        wanted: uint64[m]; what to look up.
        iteration: The number of this scrape.
        rows: int64[m], written: the row, or -1 for a hash that is not in the table.
        previous: int64[m], written: the row's ``seen`` before, or -1.
    """
    mask = len(slots) - 1
    for i in range(len(wanted)):
        rows[i] = -1
        previous[i] = -1
        at = wanted[i] & mask
        while slots[at] != 0:
            row = slots[at] - 1
            if known[row] == wanted[i]:
                rows[i] = row
                previous[i] = seen[row]
                seen[row] = iteration
                break
            at = (at + 1) & mask


@kernel("UniTuple(int64, 2)(Array(uint8, 1, 'C', True), int64)")
def _string(arena: Bytes, at: int) -> tuple[int, int]:
    """Return where the string whose length stands at ``at`` begins and ends."""
    length, shift = 0, 0
    while True:
        byte = int(arena[at])
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return at, at + length


@kernel("boolean(Array(uint8, 1, 'C', True), int64, int64)")
def _is_scope(arena: Bytes, start: int, end: int) -> bool:
    """Return whether a label name is one that says who a sender is."""
    begin = 0
    for stop in _SCOPE_ENDS:
        if stop - begin == end - start:
            same = 0
            while same < end - start and arena[start + same] == _SCOPE_LETTERS[begin + same]:
                same += 1
            if same == end - start:
                return True
        begin = stop
    return False


@kernel("void(Array(uint8, 1, 'C', True), int64[::1], int64[::1], uint8[::1], int64[::1])")
def scope_keys(arena: Bytes, offsets: Int64s, rows: Int64s, out: Bytes, ends: Int64s) -> None:
    """Copy the labels ``instance``, ``job``, ``service`` and ``workflow`` of canonical keys.

    Args:
        arena: uint8[n]; canonical label bytes, end to end.
        offsets: int64[k + 1]; where each key is.
        rows: int64[m]; the keys to look at.
        out: uint8[n], written: the canonical bytes of what is left of each.
        ends: int64[m + 1], written: where each is in ``out``; the first stays 0.
    """
    filled = 0
    for row in range(len(rows)):
        at, end = offsets[rows[row]], offsets[rows[row] + 1]
        while at < end:
            start = at
            name, at = _string(arena, at)
            name_end = at
            _, at = _string(arena, at)
            if _is_scope(arena, name, name_end):
                for each in range(start, at):
                    out[filled] = arena[each]
                    filled += 1
        ends[row + 1] = filled


@kernel(
    "int64(int32[::1], int64[::1], int64, int64, int64[::1], int64[::1], int64[::1], int64[::1],"
    " int64[::1])"
)
def hear(
    groups: Int32s,
    timestamps: Int64s,
    now: int,
    idle: int,
    heard: Int64s,
    newest: Int64s,
    first: Int64s,
    returned: Int64s,
    since: Int64s,
) -> int:
    """Note a batch for the groups that sent it; return how many of them had been idle.

    Args:
        groups: int32[n]; the group of each sample, negative for none.
        timestamps: int64[n]; milliseconds.
        now: When it came.
        idle: How long a group may be silent.
        heard: int64[groups]; when each was heard last (negative: never), set to ``now``.
        newest: int64[groups]; each one's newest sample so far, raised.
        first: int64[groups], written: the earliest sample of this batch.
        returned: int64[groups], written: those that had been idle.
        since: int64[groups], written: the newest sample of each before this batch.
    """
    count = 0
    for i in range(len(groups)):
        group, time = groups[i], timestamps[i]
        if group < 0:
            continue
        if heard[group] != now:
            if heard[group] >= 0 and now - heard[group] > idle:
                returned[count] = group
                since[count] = newest[group]
                count += 1
            heard[group] = now
            first[group] = time
        first[group] = min(first[group], time)
        newest[group] = max(newest[group], time)
    return count
