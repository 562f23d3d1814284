"""Looking up the series of a scrape in a target's table; telling senders apart."""

from __future__ import annotations

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bools, Bytes, Int32s, Int64s
from qvmon.services.collection.arrays import PairTable, UInt64s

MOST_LABELS = 64
NAME_ROW, LE_ROW, QUANTILE_ROW, FIRST_OWN_ROW = 0, 1, 2, 3

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

    A sample that is no newer than those before the batch is no news of its group.

    Args:
        groups: int32[n]; the group of each sample, negative for none.
        timestamps: int64[n]; milliseconds.
        now: When it came.
        idle: How long a group may be silent.
        heard: int64[groups]; when each was heard last (negative: never), set to ``now``.
        newest: int64[groups]; each one's newest sample so far, raised.
        first: int64[groups], written: the earliest news of this batch.
        returned: int64[groups], written: those that had been idle.
        since: int64[groups], written: the newest sample of each before this batch.
    """
    count = 0
    for i in range(len(groups)):
        group, time = groups[i], timestamps[i]
        if group < 0 or time <= newest[group]:
            continue
        if heard[group] != now:
            if heard[group] >= 0 and now - heard[group] > idle:
                returned[count] = group
                since[count] = newest[group]
                count += 1
            heard[group] = now
            first[group] = time
        first[group] = min(first[group], time)
    for i in range(len(groups)):
        if groups[i] >= 0:
            newest[groups[i]] = max(newest[groups[i]], timestamps[i])
    return count


@kernel("int64(Array(uint8, 1, 'C', True), int64, int64, int64, int64)")
def _order(source: Bytes, a: int, a_end: int, b: int, b_end: int) -> int:
    """Return -1, 0 or 1 as the first of two texts comes before, is, or comes after the second."""
    if a < 0 or b < 0:  # never; it tells the compiler that no index counts from the end
        return 0
    while a < a_end and b < b_end:
        if source[a] != source[b]:
            return -1 if source[a] < source[b] else 1
        a += 1
        b += 1
    return (1 if a < a_end else 0) - (1 if b < b_end else 0)


@kernel("int64(Array(uint8, 1, 'C', True), int64[:, ::1], int64, int64, int64, int64, int64)")
def _insert(
    source: Bytes,
    pairs: PairTable,
    count: int,
    name: int,
    name_end: int,
    value: int,
    value_end: int,
) -> int:
    """Put a label among ``count`` sorted ones; return how many there are, -1 for a name twice."""
    if count < 0 or count >= len(pairs):
        return -1
    at = count
    while at > 0:
        order = _order(source, name, name_end, pairs[at - 1, 0], pairs[at - 1, 1])
        if order == 0:
            return -1
        if order > 0:
            break
        for column in range(4):
            pairs[at, column] = pairs[at - 1, column]
        at -= 1
    pairs[at, 0], pairs[at, 1], pairs[at, 2], pairs[at, 3] = name, name_end, value, value_end
    return count + 1


@kernel("boolean(Array(uint8, 1, 'C', True), int64, int64)")
def _is_plain_number(source: Bytes, at: int, end: int) -> bool:
    """Return whether a number surely stands as OpenMetrics writes it: ``0.25``, ``+Inf``."""
    if end - at == 4 and source[at] == ord("+"):
        inf = source[at + 1] == ord("I") and source[at + 2] == ord("n")
        return bool(inf and source[at + 3] == ord("f"))
    point = at
    while point < end and ord("0") <= source[point] <= ord("9"):
        point += 1
    digits, places = point - at, end - point - 1
    if not 1 <= digits <= 6 or not 1 <= places <= 9 or source[point] != ord("."):
        return False
    for each in range(point + 1, end):
        if not ord("0") <= source[each] <= ord("9"):
            return False
    if source[end - 1] == ord("0") and places > 1:
        return False
    if source[at] != ord("0"):
        return True
    small = places > 3 and source[point + 1] == 48 and source[point + 2] == 48
    return bool(digits == 1 and not (small and source[point + 3] == 48))


@kernel("boolean(uint8)")
def _separates(byte: int) -> bool:
    """Return whether a byte stands between labels."""
    return byte in (32, 9, 44, 123)


@kernel("int64(Array(uint8, 1, 'C', True), int64, int64, int64, int64[:, ::1], int64[:, ::1])")
def _exposed(
    source: Bytes,
    at: int,
    end: int,
    bound: int,
    fixed: PairTable,
    pairs: PairTable,
) -> int:
    """Find the labels of one series text, sorted among the target's; -1 when it is not plain."""
    name = at
    while at < end and source[at] != ord("{") and source[at] != 32 and source[at] != 9:
        at += 1
    if at == name:
        return -1
    count = _insert(source, pairs, 0, fixed[NAME_ROW, 0], fixed[NAME_ROW, 1], name, at)
    for row in range(FIRST_OWN_ROW, len(fixed)):
        count = _insert(
            source, pairs, count, fixed[row, 0], fixed[row, 1], fixed[row, 2], fixed[row, 3]
        )
    while count >= 0:
        while at < end and _separates(source[at]):
            at += 1
        if at >= end or source[at] == ord("}"):
            return count
        name = at
        while at < end and source[at] != ord("=") and source[at] != 32 and source[at] != 9:
            if source[at] == ord('"'):
                return -1
            at += 1
        name_end = at
        while at < end and source[at] != ord('"'):
            at += 1
        value = at + 1
        at = value
        while at < end and source[at] != ord('"'):
            if source[at] == ord("\\") or source[at] >= 128:
                return -1
            at += 1
        if at == value:
            return -1
        if bound >= 0 and not _is_plain_number(source, value, at):
            same = _order(source, name, name_end, fixed[bound, 0], fixed[bound, 1])
            if same == 0:
                return -1
        count = _insert(source, pairs, count, name, name_end, value, at)
        at += 1
    return -1


@kernel("int64(uint8[::1], int64, int64)")
def _write_length(out: Bytes, at: int, length: int) -> int:
    """Write a length as unsigned LEB128; return where to go on."""
    while length > 0x7F:
        out[at] = length & 0x7F | 0x80
        length >>= 7
        at += 1
    out[at] = length
    return at + 1


@kernel(
    "void(Array(uint8, 1, 'C', True), int64[::1], int64[::1], int64[::1], int64[:, ::1],"
    " uint8[::1], int64[::1], boolean[::1])"
)
def stored_keys(
    source: Bytes,
    starts: Int64s,
    ends: Int64s,
    bounds: Int64s,
    fixed: PairTable,
    out: Bytes,
    offsets: Int64s,
    plain: Bools,
) -> None:
    """Write the canonical label bytes of series as they are stored, the target's labels added.

    Only of plain ones: no quoted name, no escape, no byte beyond ASCII, no empty value, no label
    that the target has too, no bound that would be written otherwise. The rest go the long way.

    Args:
        source: uint8[n]; what ``fixed`` points to, then the page.
        starts: int64[m]; where each series text begins.
        ends: int64[m]; where it ends.
        bounds: int64[m]; the row of ``fixed`` that names the label whose values are numbers, or -1.
        fixed: int64[t, 4]; name start and end, value start and end of fixed texts: ``NAME_ROW``,
            ``le``, ``quantile``, and from ``FIRST_OWN_ROW`` on the target's labels.
        out: uint8[k], written: the keys, end to end.
        offsets: int64[m + 1], written: where each is; the first stays 0; empty where not plain.
        plain: bool[m], written: whether each was written.
    """
    pairs = np.empty((MOST_LABELS, 4), np.int64)
    filled = 0
    for row in range(len(starts)):
        count = _exposed(source, starts[row], ends[row], bounds[row], fixed, pairs)
        for each in range(max(count, 0)):
            for text in range(2):
                start, end = pairs[each, 2 * text], pairs[each, 2 * text + 1]
                filled = _write_length(out, filled, end - start)
                for at in range(start, end):
                    out[filled] = source[at]
                    filled += 1
        plain[row] = count > 0
        offsets[row + 1] = filled
