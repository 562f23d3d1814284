"""XXH64 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md), seed 0."""

from __future__ import annotations

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes

_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_P3 = np.uint64(0x165667B19E3779F9)
_P4 = np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)


@kernel("uint64(Array(uint8, 1, 'C', True), int64)")
def little_endian(source: Bytes, at: int) -> np.uint64:
    """Return eight bytes as a little-endian number (LLVM folds this into one load)."""
    if at < 0:  # never; see xxh64
        return np.uint64(0)
    return (
        np.uint64(source[at])
        | np.uint64(source[at + 1]) << np.uint64(8)
        | np.uint64(source[at + 2]) << np.uint64(16)
        | np.uint64(source[at + 3]) << np.uint64(24)
        | np.uint64(source[at + 4]) << np.uint64(32)
        | np.uint64(source[at + 5]) << np.uint64(40)
        | np.uint64(source[at + 6]) << np.uint64(48)
        | np.uint64(source[at + 7]) << np.uint64(56)
    )


@kernel("uint64(uint64, uint64)")
def _rotated(number: np.uint64, bits: np.uint64) -> np.uint64:
    return (number << bits) | (number >> (np.uint64(64) - bits))


@kernel("uint64(uint64, uint64)")
def _round(lane: np.uint64, word: np.uint64) -> np.uint64:
    return _rotated(lane + word * _P2, np.uint64(31)) * _P1


@kernel("uint64(uint64, uint64)")
def _merged(total: np.uint64, lane: np.uint64) -> np.uint64:
    return (total ^ _round(np.uint64(0), lane)) * _P1 + _P4


@kernel("uint64(Array(uint8, 1, 'C', True), int64, int64)")
def xxh64(source: Bytes, start: int, end: int) -> np.uint64:
    """Return the 64-bit hash of ``source[start:end]``."""
    if start < 0:  # never; it tells the compiler that no index counts from the end
        return np.uint64(0)
    at = start
    if end - start >= 32:
        a, b = _P1 + _P2, _P2
        c, d = np.uint64(0), np.uint64(0) - _P1
        while at + 32 <= end:
            a = _round(a, little_endian(source, at))
            b = _round(b, little_endian(source, at + 8))
            c = _round(c, little_endian(source, at + 16))
            d = _round(d, little_endian(source, at + 24))
            at += 32
        total = (
            _rotated(a, np.uint64(1))
            + _rotated(b, np.uint64(7))
            + _rotated(c, np.uint64(12))
            + _rotated(d, np.uint64(18))
        )
        total = _merged(_merged(_merged(_merged(total, a), b), c), d)
    else:
        total = _P5
    total += np.uint64(end - start)
    while at + 8 <= end:
        total ^= _round(np.uint64(0), little_endian(source, at))
        total = _rotated(total, np.uint64(27)) * _P1 + _P4
        at += 8
    if at + 4 <= end:
        half = (
            np.uint64(source[at])
            | np.uint64(source[at + 1]) << np.uint64(8)
            | np.uint64(source[at + 2]) << np.uint64(16)
            | np.uint64(source[at + 3]) << np.uint64(24)
        )
        total = _rotated(total ^ half * _P1, np.uint64(23)) * _P2 + _P3
        at += 4
    while at < end:
        total = _rotated(total ^ np.uint64(source[at]) * _P5, np.uint64(11)) * _P1
        at += 1
    total = (total ^ total >> np.uint64(33)) * _P2
    total = (total ^ total >> np.uint64(29)) * _P3
    return total ^ total >> np.uint64(32)
