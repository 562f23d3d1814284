"""Loops over records: whose labels to log, numbers as few bytes."""

# mypy: ignore-errors
# Numba types the bodies; the signatures below are for the callers.
from __future__ import annotations

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes, Int64s

READ_INTS = "Array(int64, 1, 'C', readonly=True)"


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
