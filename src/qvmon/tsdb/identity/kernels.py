"""Loops over label bytes: hashing, interning, parsing, postings.

A table of byte strings is an arena (``uint8``), its ``ends`` (``int64``, string i occupies
``ends[i]:ends[i + 1]``) and an open-addressing hash table of two arrays of one power-of-two length:
``hashes`` and ``codes`` (``code + 1``; 0 is a free slot).
"""

# mypy: ignore-errors
# Numba types the bodies; the signatures below are for the callers.
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes, Int32s, Int64s

UInt64s = NDArray[np.uint64]

READ_BYTES = "Array(uint8, 1, 'C', readonly=True)"
READ_INTS = "Array(int64, 1, 'C', readonly=True)"

_SEED = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)
_FINAL = np.uint64(0x94D049BB133111EB)
_S29 = np.uint64(29)
_S32 = np.uint64(32)
_BYTE = np.uint64(8)


@kernel(f"uint64({READ_BYTES}, int64, int64)")
def hash_bytes(text: Bytes, start: int, stop: int) -> int:
    """Return a 64-bit hash of ``text[start:stop]``: multiply and shift, eight bytes a step."""
    state = _SEED ^ np.uint64(stop - start)
    at = start
    while at + 8 <= stop:
        word = np.uint64(0)
        for i in range(8):
            word |= np.uint64(text[at + i]) << np.uint64(8 * i)
        state = (state ^ word) * _MULTIPLIER
        state ^= state >> _S29
        at += 8
    word = np.uint64(0)
    while at < stop:
        word = (word << _BYTE) | np.uint64(text[at])
        at += 1
    state = (state ^ word) * _MULTIPLIER
    state ^= state >> _S32
    state *= _FINAL
    return state ^ (state >> _S29)


@kernel(f"boolean({READ_BYTES}, int64, {READ_BYTES}, int64, int64)")
def same_bytes(left: Bytes, left_at: int, right: Bytes, right_at: int, length: int) -> bool:
    """Return whether two byte strings of one length are equal."""
    different = np.uint8(0)
    for i in range(length):
        different |= left[left_at + i] ^ right[right_at + i]
    return different == 0


@kernel(
    f"int64({READ_BYTES}, int64, int64, uint8[::1], int64[::1], uint64[::1], int64[::1], uint64)"
)
def find(
    text: Bytes,
    start: int,
    stop: int,
    arena: Bytes,
    ends: Int64s,
    hashes: UInt64s,
    codes: Int64s,
    hashed: int,
) -> int:
    """Return the code of ``text[start:stop]``, or ``-1 - slot`` where it would go."""
    mask = len(codes) - 1
    slot = np.int64(hashed & np.uint64(mask))
    length = stop - start
    while codes[slot] != 0:
        if hashes[slot] == hashed:
            code = codes[slot] - 1
            at = ends[code]
            if ends[code + 1] - at == length and same_bytes(text, start, arena, at, length):
                return code
        slot = (slot + 1) & mask
    return -1 - slot


@kernel(
    f"int64({READ_BYTES}, int64, int64, uint8[::1], int64[::1], uint64[::1], int64[::1], int64)"
)
def intern(
    text: Bytes,
    start: int,
    stop: int,
    arena: Bytes,
    ends: Int64s,
    hashes: UInt64s,
    codes: Int64s,
    count: int,
) -> int:
    """Return the code of ``text[start:stop]``, adding it as ``count`` when new; -1 when full."""
    hashed = hash_bytes(text, start, stop)
    code = find(text, start, stop, arena, ends, hashes, codes, hashed)
    if code >= 0:
        return code
    at = ends[count]
    if count + 2 > len(ends) or at + stop - start > len(arena):
        return -1
    for i in range(stop - start):
        arena[at + i] = text[start + i]
    ends[count + 1] = at + stop - start
    hashes[-1 - code] = hashed
    codes[-1 - code] = count + 1
    return count


@kernel("void(uint64[::1], int64[::1], uint64[::1], int64[::1])")
def rehash(hashes: UInt64s, codes: Int64s, new_hashes: UInt64s, new_codes: Int64s) -> None:
    """Move every entry of a hash table to a larger, empty one."""
    mask = len(new_codes) - 1
    for i in range(len(codes)):
        if codes[i] != 0:
            slot = np.int64(hashes[i] & np.uint64(mask))
            while new_codes[slot] != 0:
                slot = (slot + 1) & mask
            new_hashes[slot] = hashes[i]
            new_codes[slot] = codes[i]


@kernel(
    f"int64({READ_BYTES}, {READ_INTS}, uint8[::1], int64[::1], uint64[::1], int64[::1], int64[::1])"
)
def find_all(
    keys: Bytes,
    offsets: Int64s,
    arena: Bytes,
    ends: Int64s,
    hashes: UInt64s,
    codes: Int64s,
    found: Int64s,
) -> int:
    """Write the code of each key, -1 for one that is unknown, to ``found``; return how many are."""
    missing = 0
    for row in range(len(offsets) - 1):
        start, stop = offsets[row], offsets[row + 1]
        hashed = hash_bytes(keys, start, stop)
        code = find(keys, start, stop, arena, ends, hashes, codes, hashed)
        found[row] = max(code, -1)
        missing += code < 0
    return missing


@kernel(f"UniTuple(int64, 2)({READ_BYTES}, int64, int64)")
def read_length(keys: Bytes, at: int, stop: int) -> tuple[int, int]:
    """Return (number, position after it) of an unsigned LEB128; (-1, at) when it is malformed."""
    number = np.int64(0)
    shift = 0
    while at < stop and shift < 35:
        byte = np.int64(keys[at])
        number |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return number, at
    return np.int64(-1), np.int64(at)


@kernel(f"boolean({READ_BYTES}, int64, int64)")
def is_canonical(keys: Bytes, start: int, stop: int) -> bool:
    """Return whether ``keys[start:stop]`` are label bytes: names ascending, no value empty."""
    at = start
    last_at, last_length = start, np.int64(-1)
    while at < stop:
        length, at = read_length(keys, at, stop)
        if length < 0 or at + length > stop:
            return False
        order = 1 if last_length < 0 else 0
        for i in range(min(length, last_length)):
            if order == 0 and keys[at + i] != keys[last_at + i]:
                order = 1 if keys[at + i] > keys[last_at + i] else -1
        if order < 0 or (order == 0 and length <= last_length):
            return False
        last_at, last_length = at, length
        length, at = read_length(keys, at + length, stop)
        if length <= 0 or at + length > stop:
            return False
        at += length
    return True


@kernel(f"int64({READ_BYTES}, {READ_INTS}, {READ_INTS})")
def first_malformed(keys: Bytes, offsets: Int64s, rows: Int64s) -> int:
    """Return the first of ``rows`` whose key is not canonical label bytes, or -1."""
    for row in rows:
        if not is_canonical(keys, offsets[row], offsets[row + 1]):
            return row
    return np.int64(-1)


@kernel(f"int64({READ_BYTES}, {READ_INTS}, {READ_INTS})")
def count_strings(keys: Bytes, offsets: Int64s, rows: Int64s) -> int:
    """Return how many strings (names and values) the keys in ``rows`` hold."""
    strings = 0
    for row in rows:
        at, stop = offsets[row], offsets[row + 1]
        while at < stop:
            length, at = read_length(keys, at, stop)
            at += length
            strings += 1
    return strings


@kernel(f"int64({READ_BYTES}, int64, int64)")
def count_labels(keys: Bytes, start: int, stop: int) -> int:
    """Return how many labels the key ``keys[start:stop]`` has."""
    at, strings = start, 0
    while at < stop:
        length, at = read_length(keys, at, stop)
        at += length
        strings += 1
    return strings // 2


@kernel(
    f"int64({READ_BYTES}, int64, int64,"
    " uint8[::1], int64[::1], uint64[::1], int64[::1], int64, int32[::1])"
)
def intern_labels(
    keys: Bytes,
    start: int,
    stop: int,
    arena: Bytes,
    ends: Int64s,
    hashes: UInt64s,
    codes: Int64s,
    count: int,
    label_codes: Int32s,
) -> int:
    """Intern the names and values of one key, for which there is room; return the symbols by then.

    ``label_codes`` receives the codes in order: name, value, name, value, ...
    """
    at, n = start, 0
    while at < stop:
        length, at = read_length(keys, at, stop)
        code = intern(keys, at, at + length, arena, ends, hashes, codes, count)
        count = max(count, code + 1)
        label_codes[n] = code
        n += 1
        at += length
    return count


@kernel(f"int64({READ_BYTES}, int64, int64, uint8[::1], int64[::1], uint64[::1], int64[::1])")
def metric_of(
    keys: Bytes,
    start: int,
    stop: int,
    arena: Bytes,
    ends: Int64s,
    hashes: UInt64s,
    codes: Int64s,
) -> int:
    """Return the code of the name of a key's metric: 0 without one, -1 when it has none yet.

    String 1 must be ``__name__``.
    """
    at = start
    while at < stop:
        length, at = read_length(keys, at, stop)
        named = np.int64(length) == ends[2] - ends[1]
        named = named and same_bytes(keys, at, arena, ends[1], length)
        at += length
        length, at = read_length(keys, at, stop)
        if named:
            hashed = hash_bytes(keys, at, at + length)
            return max(find(keys, at, at + length, arena, ends, hashes, codes, hashed), -1)
        at += length
    return np.int64(0)


@kernel("void(int64[::1], int64, uint8[::1], int32[::1], int64[::1], int64[::1])")
def forget_series(
    ids: Int64s,
    count: int,
    gone: Bytes,
    metrics: Int32s,
    metric_series: Int64s,
    counts: Int64s,
) -> None:
    """Mark the series ``ids`` as gone and count them out."""
    for series in ids:
        if series < count and gone[series] == 0:
            gone[series] = 1
            metric_series[metrics[series]] -= 1
            counts[3] += 1


@kernel("void(uint64[::1], int64[::1], uint8[::1], uint64[::1], int64[::1])")
def rehash_kept(
    hashes: UInt64s, codes: Int64s, gone: Bytes, new_hashes: UInt64s, new_codes: Int64s
) -> None:
    """Move the entries of a hash table whose string is not ``gone`` to an empty one."""
    mask = len(new_codes) - 1
    for i in range(len(codes)):
        if codes[i] != 0 and gone[codes[i] - 1] == 0:
            slot = np.int64(hashes[i] & np.uint64(mask))
            while new_codes[slot] != 0:
                slot = (slot + 1) & mask
            new_hashes[slot] = hashes[i]
            new_codes[slot] = codes[i]


@kernel("int64(int64, int64[::1], int64[::1])")
def find_pair(pair: int, slots: Int64s, pairs: Int64s) -> int:
    """Return the number of ``pair`` (name code << 32 | value code), or ``-1 - slot``."""
    mask = len(slots) - 1
    mixed = np.uint64(pair) * _SEED
    slot = np.int64((mixed ^ (mixed >> _S32)) & np.uint64(mask))
    while slots[slot] != 0:
        if pairs[slots[slot] - 1] == pair:
            return slots[slot] - 1
        slot = (slot + 1) & mask
    return -1 - slot


@kernel("void(int64[::1], int64, int64[::1])")
def rehash_pairs(pairs: Int64s, count: int, slots: Int64s) -> None:
    """Fill an empty table of ``slots`` with the first ``count`` pairs."""
    for number in range(count):
        slots[-1 - find_pair(pairs[number], slots, pairs)] = number + 1


@kernel("int64(int32[::1], int64, int64[::1], int64[::1], int64, int32[::1], int64)")
def add_pairs(
    label_codes: Int32s,
    n: int,
    slots: Int64s,
    pairs: Int64s,
    pair_count: int,
    members: Int32s,
    at: int,
) -> int:
    """Write the pair numbers of one series' ``n`` labels to ``members[at:]``; return the count."""
    for i in range(n):
        pair = (np.int64(label_codes[2 * i]) << 32) | np.int64(label_codes[2 * i + 1])
        number = find_pair(pair, slots, pairs)
        if number < 0:
            slots[-1 - number] = pair_count + 1
            pairs[pair_count] = pair
            number = pair_count
            pair_count += 1
        members[at + i] = number
    return pair_count


@kernel(
    f"int64({READ_BYTES}, {READ_INTS}, {READ_INTS},"
    " uint8[::1], int64[::1], uint64[::1], int64[::1],"
    " uint8[::1], int64[::1], uint64[::1], int64[::1],"
    " int64[::1], int64[::1], int64[::1], int32[::1], int64[::1],"
    " int32[::1], int64[::1], int64[::1], int64[::1], int64[::1], boolean, int64[::1])"
)
def add_series(
    keys: Bytes,
    offsets: Int64s,
    rows: Int64s,
    key_arena: Bytes,
    key_ends: Int64s,
    key_hashes: UInt64s,
    key_codes: Int64s,
    text_arena: Bytes,
    text_ends: Int64s,
    text_hashes: UInt64s,
    text_codes: Int64s,
    slots: Int64s,
    pairs: Int64s,
    member_ends: Int64s,
    members: Int32s,
    counts: Int64s,
    metrics: Int32s,
    metric_series: Int64s,
    metric_limits: Int64s,
    metric_refused: Int64s,
    limits: Int64s,
    unlimited: bool,
    found: Int64s,
) -> int:
    """Add the keys in ``rows`` as series and write their ids to ``found``; return how many are new.

    ``counts`` holds the numbers of series, symbols, pairs and forgotten series and is kept up to
    date. ``limits`` are those of all series and of the series of one metric, which
    ``metric_limits[metric]``, one more than the limit, overrides where it is not 0; a metric is the
    code of its name. A key over a limit, or for which an arena has no room, is left at -1 and
    counted in ``metric_refused``; with ``unlimited`` only lack of room counts.
    ``metrics[series]`` becomes the metric of each series.
    """
    label_codes = np.empty(2 * 1024, np.int32)
    added = np.int64(0)
    for row in rows:
        start, stop = offsets[row], offsets[row + 1]
        series = counts[0]
        hashed = hash_bytes(keys, start, stop)
        known = find(keys, start, stop, key_arena, key_ends, key_hashes, key_codes, hashed)
        if known >= 0:
            found[row] = known
            continue
        metric = metric_of(keys, start, stop, text_arena, text_ends, text_hashes, text_codes)
        refused = not unlimited and series - counts[3] >= limits[0]
        if metric > 0 and not unlimited:
            most = metric_limits[metric] - 1 if metric_limits[metric] > 0 else limits[1]
            refused |= metric_series[metric] >= most
        n = count_labels(keys, start, stop)
        at = member_ends[series]
        if (
            refused
            or series + 2 > len(key_ends)
            or key_ends[series] + stop - start > len(key_arena)
            or counts[1] + 2 * n + 1 > len(text_ends)
            or text_ends[counts[1]] + stop - start > len(text_arena)
            or counts[2] + n > len(pairs)
            or at + n > len(members)
            or 2 * n > len(label_codes)
        ):
            metric_refused[max(metric, 0)] += 1
            continue
        counts[1] = intern_labels(
            keys,
            start,
            stop,
            text_arena,
            text_ends,
            text_hashes,
            text_codes,
            counts[1],
            label_codes,
        )
        counts[2] = add_pairs(label_codes, n, slots, pairs, counts[2], members, at)
        member_ends[series + 1] = at + n
        intern(keys, start, stop, key_arena, key_ends, key_hashes, key_codes, series)
        if metric < 0:
            metric = metric_of(keys, start, stop, text_arena, text_ends, text_hashes, text_codes)
        metrics[series] = np.int32(metric)
        metric_series[metric] += 1
        counts[0] = series + 1
        found[row] = series
        added += 1
    return added


@kernel("int64(int64[::1], int32[::1], uint8[::1], int64, int64, int64[::1], int64[::1])")
def fill_postings(
    ends: Int64s,
    members: Int32s,
    gone: Bytes,
    first: int,
    stop: int,
    starts: Int64s,
    ids: Int64s,
) -> int:
    """Counting-sort the pairs of series ``first:stop`` into ``ids``, ascending within a pair.

    ``starts`` (zeros, one more than there are pairs) becomes each pair's start in ``ids``. Series
    that are ``gone`` are left out. Returns how many rows of ``ids`` are filled.
    """
    for series in range(first, stop):
        if gone[series] == 0:
            for at in range(ends[series], ends[series + 1]):
                starts[members[at] + 1] += 1
    for pair in range(1, len(starts)):
        starts[pair] += starts[pair - 1]
    fill = starts.copy()
    for series in range(first, stop):
        if gone[series] == 0:
            for at in range(ends[series], ends[series + 1]):
                ids[fill[members[at]]] = series
                fill[members[at]] += 1
    return starts[len(starts) - 1]


@kernel("void(int64[::1], int64[::1], int32[::1], int64[::1])")
def count_pairs(ids: Int64s, ends: Int64s, members: Int32s, counts: Int64s) -> None:
    """Add to ``counts[pair]`` how many of the series ``ids`` have that pair."""
    for series in ids:
        for at in range(ends[series], ends[series + 1]):
            if members[at] < len(counts):
                counts[members[at]] += 1


@kernel("int64(int64[::1], int64[::1], int32[::1], int64[::1], int64[::1])")
def distinct_names(ids: Int64s, ends: Int64s, members: Int32s, pairs: Int64s, names: Int64s) -> int:
    """Write the code of each label name of the series ``ids`` to ``names``; return how many.

    A series has its labels in the order of the one before, mostly: the search begins behind the
    name found last.
    """
    count = np.int64(0)
    for series in ids:
        place = np.int64(0)
        for at in range(ends[series], ends[series + 1]):
            code = pairs[members[at]] >> 32
            found = False
            for _ in range(count):
                place = place if place < count else np.int64(0)
                found = names[place] == code
                place += 1
                if found:
                    break
            if not found:
                names[count] = code
                count += 1
                place = count
    return count


@kernel("void(int64[::1], int64[::1], int32[::1], int64[::1], int64[::1], int32[:, ::1])")
def fill_codes(
    ids: Int64s, ends: Int64s, members: Int32s, pairs: Int64s, names: Int64s, out: Int32s
) -> None:
    """Write the value code of each label of series ``ids[i]`` to the column of its name."""
    for row in range(len(ids)):
        series = ids[row]
        place = np.int64(0)
        for at in range(ends[series], ends[series + 1]):
            pair = pairs[members[at]]
            place = place if place < len(names) else np.int64(0)
            while names[place] != pair >> 32:
                place = place + 1 if place + 1 < len(names) else np.int64(0)
            out[row, place] = np.int32(pair & 0x7FFFFFFF)
            place += 1


@kernel(f"int64({READ_INTS}, int64[::1])")
def count_postings(pairs: Int64s, starts: Int64s) -> int:
    """Return how many series the ``pairs`` have together."""
    total = np.int64(0)
    for pair in pairs:
        if pair + 1 < len(starts):
            total += starts[pair + 1] - starts[pair]
    return total


@kernel(f"int64({READ_INTS}, int64[::1], {READ_INTS}, int64[::1], int64)")
def copy_postings(pairs: Int64s, starts: Int64s, ids: Int64s, out: Int64s, at: int) -> int:
    """Copy the series of each of ``pairs`` to ``out[at:]``; return where that ends."""
    for pair in pairs:
        if pair + 1 < len(starts):
            for row in range(starts[pair], starts[pair + 1]):
                out[at] = ids[row]
                at += 1
    return at


@kernel("void(uint8[::1], int64[::1], int64[::1], int64[::1], uint8[::1])")
def copy_strings(arena: Bytes, ends: Int64s, codes: Int64s, offsets: Int64s, out: Bytes) -> None:
    """Copy the strings ``codes`` to ``out``, string i to ``offsets[i]``."""
    for row in range(len(codes)):
        at, start = offsets[row], ends[codes[row]]
        for i in range(ends[codes[row] + 1] - start):
            out[at + i] = arena[start + i]


@kernel(f"void({READ_BYTES}, {READ_INTS}, {READ_INTS}, int64[::1])")
def measure_labels(keys: Bytes, offsets: Int64s, rows: Int64s, sizes: Int64s) -> None:
    """Add to ``sizes`` the labels of the keys in ``rows``, and the bytes of names and of values."""
    for row in rows:
        at, stop = offsets[row], offsets[row + 1]
        place = 1
        while at < stop:
            length, at = read_length(keys, at, stop)
            sizes[place] += length
            sizes[0] += place - 1
            place = 3 - place
            at += length


@kernel(
    f"void({READ_BYTES}, {READ_INTS}, {READ_INTS},"
    " int32[::1], int32[::1], uint8[::1], int32[::1], uint8[::1])"
)
def split_labels(
    keys: Bytes,
    offsets: Int64s,
    rows: Int64s,
    ends: Int32s,
    name_ends: Int32s,
    names: Bytes,
    value_ends: Int32s,
    values: Bytes,
) -> None:
    """Copy names and values of the keys in ``rows`` to arenas as long as they were measured."""
    pair = 0
    name_at, value_at = np.int64(0), np.int64(0)
    for i in range(len(rows)):
        at, stop = offsets[rows[i]], offsets[rows[i] + 1]
        while at < stop:
            length, at = read_length(keys, at, stop)
            names[name_at : name_at + length] = keys[at : at + length]
            name_at += length
            at += length
            length, at = read_length(keys, at, stop)
            values[value_at : value_at + length] = keys[at : at + length]
            value_at += length
            at += length
            pair += 1
            name_ends[pair] = np.int32(name_at)
            value_ends[pair] = np.int32(value_at)
        ends[i + 1] = np.int32(pair)
