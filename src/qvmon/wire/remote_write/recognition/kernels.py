"""Passes over a protobuf ``prometheus.WriteRequest`` that recognise series by the bytes of labels.

A *row* is a label set as a sender writes it, told apart by two 64-bit hashes of its bytes.
"""

# mypy: ignore-errors
# Numba types the bodies; the signatures below are for the callers.
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes, Int64s
from qvmon.wire.protobuf import FINE, read_varint
from qvmon.wire.xxh64 import little_endian

UInt64s = NDArray[np.uint64]

BYTES = "Array(uint8, 1, 'C', True)"
INTS = "Array(int64, 1, 'C', True)"
KEYS = "Array(uint64, 1, 'C', True)"

_SERIES = 1 << 3 | 2
_LABEL, _SAMPLE = 1 << 3 | 2, 2 << 3 | 2
_NUMBER, _TIMESTAMP = 1 << 3 | 1, 2 << 3 | 0
_SHORTEST_LABELS = 8


@kernel(f"int64({BYTES}, int64, int64)")
def _after_labels(body: Bytes, at: int, end: int) -> int:
    """Return where the labels end with which a series begins, -1 where they are cut."""
    while 0 <= at < end and body[at] == _LABEL:
        at += 1
        if at < end and body[at] < 128:
            at += 1 + np.int64(body[at])
        else:
            at, size, mistake = read_varint(body, at, end)
            if mistake != FINE or size < 0 or size > end - at:
                return np.int64(-1)
            at += size
    return at if at <= end else np.int64(-1)


@kernel(f"UniTuple(uint64, 2)({BYTES}, int64, int64, {KEYS})")
def _hashes(body: Bytes, start: int, end: int, secret: UInt64s) -> tuple[np.uint64, np.uint64]:
    """Return two hashes of eight bytes or more: multiply and shift, eight bytes a step."""
    first, second = secret[0] ^ np.uint64(end - start), secret[1]
    last = end - 8
    while start < last:
        word = little_endian(body, start)
        first = (first ^ word) * secret[2]
        second = (second ^ word) * secret[3]
        first ^= first >> np.uint64(32)
        second ^= second >> np.uint64(29)
        start += 8
    word = little_endian(body, last)
    first = (first ^ word) * secret[2]
    second = (second ^ word) * secret[3]
    first ^= first >> np.uint64(29)
    second ^= second >> np.uint64(32)
    return first * secret[3], second * secret[2]


@kernel(f"Tuple((int64, uint64, int64))({BYTES}, int64, int64)")
def _plain_sample(body: Bytes, at: int, end: int) -> tuple[int, np.uint64, int]:
    """Return the position after a sample as senders write it, its bits and its timestamp.

    The position is -1 when something else stands there.
    """
    if at < 0 or end - at < 4 or body[at] != _SAMPLE:
        return np.int64(-1), np.uint64(0), np.int64(0)
    stop = at + 2 + np.int64(body[at + 1])
    at += 2
    bits = np.uint64(0)
    if stop - at >= 11 and stop <= end and body[at] == _NUMBER:  # a value of 0 is left out
        bits = little_endian(body, at + 1)
        at += 9
    if stop > end or stop - at < 2 or body[at] != _TIMESTAMP:
        return np.int64(-1), np.uint64(0), np.int64(0)
    after, timestamp, mistake = read_varint(body, at + 1, stop)
    if mistake != FINE or after != stop:
        return np.int64(-1), np.uint64(0), np.int64(0)
    return stop, bits, timestamp


@kernel(f"int64(uint64, uint64, uint64[:, ::1], int64, {INTS})")
def _find(first: np.uint64, second: np.uint64, hashes: UInt64s, count: int, slots: Int64s) -> int:
    """Return the row of a label set, -1 when there is none."""
    mask = np.uint64(len(slots) - 1)
    slot = first & mask
    while slots[slot] != 0:
        row = slots[slot] - 1
        if 0 <= row < count and hashes[row, 0] == first and hashes[row, 1] == second:
            return row
        slot = (slot + np.uint64(1)) & mask
    return np.int64(-1)


@kernel(
    f"UniTuple(int64, 2)({BYTES}, {KEYS}, uint64[:, ::1], {INTS}, int64[::1], {INTS}, int64,"
    " int64[::1], int64[::1], uint64[::1], int64[:, ::1])"
)
def recognise(
    body: Bytes,
    secret: UInt64s,
    hashes: UInt64s,
    ids: Int64s,
    followers: Int64s,
    slots: Int64s,
    count: int,
    series: Int64s,
    timestamps: Int64s,
    values: UInt64s,
    rest: Int64s,
) -> tuple[int, int]:
    """Read the samples of known series, and find what is left to be read otherwise.

    Args:
        body: uint8[n]; the decompressed request.
        secret: uint64[4]; what the hashes depend on.
        hashes: uint64[rows, 2]; of the labels of each row.
        ids: int64[rows]; the series that each stands for.
        followers: int64[rows + 1], changed; the row that came after ``row - 1``; 0 begins requests.
        slots: int64[power of two]; the table of rows, see ``remember``.
        count: How many rows there are.
        series: int64[m] out; the id of each sample.
        timestamps: int64[m] out; milliseconds.
        values: uint64[m] out; bits of the values.
        rest: int64[r, 2] out; where stretches begin and end that were not recognised.

    Returns:
        How many samples were read, and how many stretches are left.
    """
    samples = stretches = 0
    at, end, last = np.int64(0), len(body), np.int64(-1)
    while at < end:
        begin, row = at, np.int64(-1)
        start, at = _series(body, at, end)
        labels = _after_labels(body, start, at)
        if labels - start >= _SHORTEST_LABELS:
            first, second = _hashes(body, start, labels, secret)
            row = followers[last + 1]
            if row < 0 or row >= count or hashes[row, 0] != first or hashes[row, 1] != second:
                row = _find(first, second, hashes, count, slots)
        before, inner = samples, labels
        while row >= 0 and inner < at:
            inner, bits, timestamp = _plain_sample(body, inner, at)
            if inner < 0 or samples == len(series):
                row, samples = np.int64(-1), before
            else:
                series[samples] = ids[row]
                timestamps[samples] = timestamp
                values[samples] = bits
                samples += 1
        if row >= 0:
            followers[last + 1] = row
            last = row
        elif stretches > 0 and rest[stretches - 1, 1] == begin:
            rest[stretches - 1, 1] = at
        else:
            rest[stretches, 0], rest[stretches, 1] = begin, at
            stretches += 1
    return samples, stretches


@kernel(f"UniTuple(int64, 2)({BYTES}, int64, int64)")
def _series(body: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return where the series that a field holds begins and ends.

    Both are the field's end when it holds something else, and the message's where it is damaged.
    """
    start, tag, mistake = read_varint(body, at, end)
    if mistake != FINE or tag & 7 != 2:
        return end, end
    start, size, mistake = read_varint(body, start, end)
    if mistake != FINE or size < 0 or size > end - start:
        return end, end
    stop = start + size
    return (start, stop) if tag == _SERIES else (stop, stop)


@kernel(f"int64({BYTES}, {INTS}, {KEYS}, uint64[:, ::1], int64[::1], int64[::1], int64)")
def remember(
    body: Bytes,
    became: Int64s,
    secret: UInt64s,
    hashes: UInt64s,
    ids: Int64s,
    slots: Int64s,
    count: int,
) -> int:
    """Note what the series of a request became, so that they are recognised when they come again.

    Args:
        body: uint8[n]; a request that was read in full.
        became: int64[series]; the id of each, negative for what is not to be noted.
        secret: uint64[4]; what the hashes depend on.
        hashes: uint64[rows, 2], changed; there is room for all.
        ids: int64[rows], changed; likewise.
        slots: int64[power of two], changed; an open-addressing table of row + 1, not half full.
        count: How many rows there are.

    Returns:
        How many rows there are then.
    """
    number, at, end = 0, np.int64(0), len(body)
    while at < end and number < len(became):
        start, at = _series(body, at, end)
        if start == at:
            continue
        labels = _after_labels(body, start, at)
        if became[number] >= 0 and labels - start >= _SHORTEST_LABELS:
            first, second = _hashes(body, start, labels, secret)
            row = _find(first, second, hashes, count, slots)
            if row < 0:
                hashes[count, 0], hashes[count, 1] = first, second
                ids[count] = became[number]
                _put(first, count, slots)
                count += 1
            else:
                ids[row] = became[number]
        number += 1
    return count


@kernel("void(uint64, int64, int64[::1])")
def _put(first: np.uint64, row: int, slots: Int64s) -> None:
    mask = np.uint64(len(slots) - 1)
    slot = first & mask
    while slots[slot] != 0:
        slot = (slot + np.uint64(1)) & mask
    slots[slot] = row + 1


@kernel("void(uint64[:, ::1], int64, int64[::1])")
def fill(hashes: UInt64s, count: int, slots: Int64s) -> None:
    """Put all rows into an empty table."""
    for row in range(count):
        _put(hashes[row, 0], row, slots)
