"""XOR chunks, and the checksum of the frames they travel in.

Sources: Prometheus tsdb/chunkenc/xor.go and docs (after Facebook's Gorilla, VLDB 2015); CRC-32C,
RFC 3720 appendix B.4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes, Int64s

HEADER_BYTES = 2
LONGEST_SAMPLE_BYTES = 20

_NO_WINDOW = 255
_MOST_LEADING = 31  # five bits tell how many zeros lead

_CASTAGNOLI = 0x82F63B78
_TABLE = np.zeros(256, np.uint32)
for _byte in range(256):
    _rest = _byte
    for _ in range(8):
        _rest = (_rest >> 1) ^ (_CASTAGNOLI if _rest & 1 else 0)
    _TABLE[_byte] = _rest


@kernel("int64(Array(uint8, 1, 'C', True))")
def crc32c(data: Bytes) -> int:
    """Return the Castagnoli checksum of ``data``."""
    rest = np.uint32(0xFFFFFFFF)
    for step in range(len(data)):
        rest = _TABLE[(rest ^ data[step]) & np.uint32(255)] ^ (rest >> np.uint32(8))
    return int(rest ^ np.uint32(0xFFFFFFFF))


@kernel("int64(uint8[::1], int64, uint64, int64)")
def _put(out: Bytes, at: int, bits: np.uint64, count: int) -> int:
    """Write the lowest ``count`` bits, the highest first, from bit ``at`` on; ``out`` is zero."""
    while count > 0:
        room = 8 - (at & 7)
        taken = min(room, count)
        part = (bits >> np.uint64(count - taken)) & np.uint64((1 << taken) - 1)
        out[at >> 3] |= np.uint8(part << np.uint64(room - taken))
        at += taken
        count -= taken
    return at


@kernel("int64(uint8[::1], int64, uint64)")
def _put_varint(out: Bytes, at: int, number: np.uint64) -> int:
    """Write a varint from bit ``at`` on."""
    while number > np.uint64(127):
        at = _put(out, at, (number & np.uint64(127)) | np.uint64(128), 8)
        number >>= np.uint64(7)
    return _put(out, at, number, 8)


@kernel("boolean(int64, int64)")
def _fits(number: int, bits: int) -> bool:
    return -((1 << (bits - 1)) - 1) <= number <= 1 << (bits - 1)


@kernel("int64(uint8[::1], int64, int64)")
def _put_change(out: Bytes, at: int, change: int) -> int:
    """Write by how much the distance of timestamps has changed."""
    bits = np.uint64(change)
    if change == 0:
        return _put(out, at, np.uint64(0), 1)
    if _fits(change, 14):
        return _put(out, _put(out, at, np.uint64(0b10), 2), bits, 14)
    if _fits(change, 17):
        return _put(out, _put(out, at, np.uint64(0b110), 3), bits, 17)
    if _fits(change, 20):
        return _put(out, _put(out, at, np.uint64(0b1110), 4), bits, 20)
    return _put(out, _put(out, at, np.uint64(0b1111), 4), bits, 64)


@kernel("int64(uint64)")
def _leading_zeros(number: np.uint64) -> int:
    count = 0
    while count < 64 and not number >> np.uint64(63 - count):
        count += 1
    return count


@kernel("int64(uint64)")
def _trailing_zeros(number: np.uint64) -> int:
    count = 0
    while count < 64 and not (number >> np.uint64(count)) & np.uint64(1):
        count += 1
    return count


@kernel("UniTuple(int64, 3)(uint8[::1], int64, uint64, int64, int64)")
def _put_value(
    out: Bytes, at: int, difference: np.uint64, leading: int, trailing: int
) -> tuple[int, int, int]:
    """Write the XOR of two values; return the position, and the window of bits that is sent."""
    if difference == np.uint64(0):
        return _put(out, at, np.uint64(0), 1), leading, trailing
    at = _put(out, at, np.uint64(1), 1)
    before = min(_leading_zeros(difference), _MOST_LEADING)
    after = _trailing_zeros(difference)
    if leading != _NO_WINDOW and before >= leading and after >= trailing:
        at = _put(out, at, np.uint64(0), 1)
        width = 64 - leading - trailing
        return _put(out, at, difference >> np.uint64(trailing), width), leading, trailing
    at = _put(out, at, np.uint64(1), 1)
    at = _put(out, at, np.uint64(before), 5)
    width = 64 - before - after
    at = _put(out, at, np.uint64(width & 63), 6)
    return _put(out, at, difference >> np.uint64(after), width), before, after


@kernel(
    "int64(Array(int64, 1, 'C', True), Array(uint64, 1, 'C', True), Array(int64, 1, 'C', True),"
    " uint8[::1], int64[::1])"
)
def write_chunks(
    timestamps: Int64s, values: NDArray[np.uint64], firsts: Int64s, out: Bytes, offsets: Int64s
) -> int:
    """Encode runs of samples as XOR chunks, end to end.

    Args:
        timestamps: int64[n]; milliseconds.
        values: uint64[n]; bits of the values.
        firsts: int64[m + 1]; chunk i has samples ``firsts[i]:firsts[i + 1]``, at most 65,535.
        out: uint8[at least ``LONGEST_SAMPLE_BYTES`` (n + m)] out, zeros.
        offsets: int64[m + 1] out; chunk i is ``out[offsets[i]:offsets[i + 1]]``.

    Returns:
        How many bytes were written.
    """
    byte = 0
    offsets[0] = 0
    for chunk in range(len(firsts) - 1):
        first, last = firsts[chunk], firsts[chunk + 1]
        out[byte], out[byte + 1] = np.uint8((last - first) >> 8), np.uint8((last - first) & 255)
        at, distance, leading, trailing = 8 * (byte + HEADER_BYTES), 0, _NO_WINDOW, 0
        for sample in range(first, last):
            if sample == first:
                time = timestamps[sample]
                at = _put_varint(out, at, np.uint64((time << 1) ^ (time >> 63)))
                at = _put(out, at, values[sample], 64)
                continue
            ahead = timestamps[sample] - timestamps[sample - 1]
            if sample == first + 1:
                at = _put_varint(out, at, np.uint64(ahead))
            else:
                at = _put_change(out, at, ahead - distance)
            distance = ahead
            difference = values[sample] ^ values[sample - 1]
            at, leading, trailing = _put_value(out, at, difference, leading, trailing)
        byte = (at + 7) >> 3
        offsets[chunk + 1] = byte
    return byte
