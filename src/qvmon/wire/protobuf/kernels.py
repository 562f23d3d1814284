"""Variable-length numbers: seven bits a byte, the lowest first."""

from __future__ import annotations

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes

FINE = 0
TRUNCATED = 1
LONG_VARINT = 2


@kernel("UniTuple(int64, 3)(Array(uint8, 1, 'C', True), int64, int64)")
def read_varint(body: Bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return the position after a varint, its 64 bits (signed), and what is wrong with it."""
    number = shift = 0
    while at < end:
        byte = int(body[at])
        number |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return at, number, FINE
        shift += 7
        if shift > 63:
            return at, number, LONG_VARINT
    return at, number, TRUNCATED


@kernel("int64(uint8[::1], int64, uint64)")
def put_varint(out: Bytes, at: int, number: np.uint64) -> int:
    """Write a varint at ``at``; return the position after it."""
    while number > np.uint64(127):
        out[at] = np.uint8(number & np.uint64(127)) | np.uint8(128)
        number >>= np.uint64(7)
        at += 1
    out[at] = np.uint8(number)
    return at + 1


@kernel("int64(uint64)")
def varint_size(number: np.uint64) -> int:
    """Return how many bytes a varint takes."""
    size = 1
    while number > np.uint64(127):
        number >>= np.uint64(7)
        size += 1
    return size
