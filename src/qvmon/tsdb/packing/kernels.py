"""A few consecutive samples of one series as a string of bits, and back, bit for bit.

A group of n samples follows one that is known, ``(time, delta, bits)``, ``delta`` being how far
that one was from its predecessor (0: it had none). First come the times, which ascend:

=================  ====================================================================
``1``              every time is ``delta`` after the one before
``0``              7 bits: width of the smallest step, the smallest step;
                   7 bits: width of the rest, n rests: step less the smallest step
=================  ====================================================================

then the values:

=================  ====================================================================
2 bits ``SAME``    every value has the bits of the one before
2 bits ``DECIMAL``  4 bits: decimal places; 7 bits: width of the smallest step, that step in
                   zigzag; 7 bits: width of the rest, n rests. Steps are those of value times
                   power of ten, from the known value, or 0 where that is no such decimal
2 bits ``XOR``     6 bits: trailing zeros; 7 bits: width, n differences of bits from one to the next
=================  ====================================================================

Bits fill 64-bit words from the lowest on. The idea of steps below a smallest one is that of D.
Lemire and L. Boytsov ("Decoding billions of integers per second", 2015), that of differences of
bits T. Pelkonen's ("Gorilla", 2015), that of decimals A. Afroozeh's ("ALP", 2023).
"""

# mypy: ignore-errors
# Numba types the bodies; the signatures below are for the callers.
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qvmon.model.compiled import kernel
from qvmon.model.series import Int64s

Uint64s = NDArray[np.uint64]
MOST_DIGITS = 15
LARGEST_INTEGER = 2.0**53
DIVISORS = np.array([10.0**digits for digits in range(MOST_DIGITS + 1)])

MOST_GROUP = 16
"""How many samples a group may have."""

MOST_WORDS = 40
"""More words than a group ever takes."""

_SAME, _DECIMAL, _XOR = np.uint64(0), np.uint64(1), np.uint64(2)
_0, _1, _63 = np.uint64(0), np.uint64(1), np.uint64(63)
_ALL = np.uint64(2**64 - 1)
_WIDTH = np.int64(7)


@kernel("boolean(float64, float64)")
def is_decimal(value: float, divisor: float) -> bool:
    """Return whether ``value`` is exactly an integer below 2^53 over ``divisor``; -0 is not."""
    integer = np.rint(value * divisor)
    if not abs(integer) < LARGEST_INTEGER or integer / divisor != value:
        return False
    return value != 0.0 or not np.signbit(value)


@kernel("int64(uint64)")
def _width(number: np.uint64) -> int:
    """Return how many bits ``number`` has."""
    width = np.int64(0)
    for shift in (32, 16, 8, 4, 2, 1):
        if number >> np.uint64(shift):
            number >>= np.uint64(shift)
            width += shift
    return width + np.int64(number)


@kernel("int64(uint64[::1], int64, uint64, int64)")
def put(words, at, number, width):
    """Write the low ``width`` bits at bit ``at`` of zeroed ``words``; return the bit behind."""
    word, shift = at >> 6, np.uint64(at & 63)
    if width > 0:
        words[word] |= number << shift
        if (at & 63) + width > 64:
            words[word + 1] |= number >> (np.uint64(64) - shift)
    return at + width


@kernel("uint64(uint64[::1], int64, int64)")
def get(words, at, width):
    """Return ``width`` bits from bit ``at`` on."""
    if width == 0:
        return _0
    word, shift = at >> 6, np.uint64(at & 63)
    number = words[word] >> shift
    if (at & 63) + width > 64:
        number |= words[word + 1] << (np.uint64(64) - shift)
    return number & (_ALL >> np.uint64(64 - width))


@kernel("uint64(int64)")
def _zigzag(number: int) -> np.uint64:
    return np.uint64((number << 1) ^ (number >> 63))


@kernel("int64(uint64)")
def _unzigzag(number: np.uint64) -> int:
    return np.int64(number >> _1) ^ -np.int64(number & _1)


@kernel("int64(uint64[::1], int64, uint64[::1], int64)")
def _put_all(words, at, numbers, n):
    """Write n numbers with the width of the widest, that width first; return the bit behind."""
    union = _0
    for i in range(n):
        union |= numbers[i]
    width = _width(union)
    at = put(words, at, np.uint64(width), _WIDTH)
    for i in range(n):
        at = put(words, at, numbers[i], width)
    return at


@kernel("int64(int64[::1], int64, int64, int64, uint64, uint64[::1], int64, uint64[::1])")
def _pack_times(times, begin, n, time, delta, words, at, spare):
    smallest, regular = _ALL, True
    for i in range(n):
        spare[i] = np.uint64(times[begin + i]) - np.uint64(time)
        time = times[begin + i]
        smallest = min(smallest, spare[i])
        regular &= spare[i] == delta
    at = put(words, at, _1 if regular else _0, np.int64(1))
    if regular:
        return at
    for i in range(n):
        spare[i] -= smallest
    width = _width(smallest)
    at = put(words, at, np.uint64(width), _WIDTH)
    at = put(words, at, smallest, width)
    return _put_all(words, at, spare, n)


@kernel("int64(float64[::1], int64, int64)")
def _digits(values, begin, n):
    """Return the decimal places with which every value is a decimal, -1 when there is none."""
    digits, largest = np.int64(0), 0.0
    for i in range(n):
        largest = max(largest, abs(values[begin + i]))
        while not is_decimal(values[begin + i], DIVISORS[digits]):
            digits += 1
            if digits > MOST_DIGITS:
                return np.int64(-1)
    return digits if largest * DIVISORS[digits] < LARGEST_INTEGER else np.int64(-1)


@kernel("int64(int64[::1], int64, int64, int64, uint64[::1], int64, uint64[::1])")
def _pack_bits(bits, begin, n, last, words, at, spare):
    trailing, seen = np.int64(0), _0
    for i in range(n):
        spare[i] = np.uint64(bits[begin + i] ^ last)
        last = bits[begin + i]
        seen |= spare[i]
    if seen == _0:
        return put(words, at, _SAME, np.int64(2))
    while not (seen >> np.uint64(trailing)) & _1:
        trailing += 1
    for i in range(n):
        spare[i] >>= np.uint64(trailing)
    at = put(words, at, _XOR, np.int64(2))
    at = put(words, at, np.uint64(trailing), np.int64(6))
    return _put_all(words, at, spare, n)


@kernel("int64(int64, float64, uint64[::1])")
def _mantissa(bits, divisor, spare):
    """Return the mantissa of a value, 0 when it is no decimal of that divisor."""
    spare[0] = np.uint64(bits)
    value = spare.view(np.float64)[0]
    return np.int64(np.rint(value * divisor)) if is_decimal(value, divisor) else np.int64(0)


@kernel("int64(float64[::1], int64, int64, int64, int64, uint64[::1], int64, uint64[::1])")
def _pack_decimals(values, begin, n, last, digits, words, at, spare):
    divisor = DIVISORS[digits]
    mantissa = _mantissa(last, divisor, spare)
    smallest = np.int64(2**62)
    before = mantissa
    for i in range(n):
        number = np.int64(np.rint(values[begin + i] * divisor))
        smallest = min(smallest, number - before)
        before = number
    before = mantissa
    for i in range(n):
        number = np.int64(np.rint(values[begin + i] * divisor))
        spare[i] = np.uint64(number - before - smallest)
        before = number
    zigzag = _zigzag(smallest)
    width = _width(zigzag)
    at = put(words, at, _DECIMAL, np.int64(2))
    at = put(words, at, np.uint64(digits), np.int64(4))
    at = put(words, at, np.uint64(width), _WIDTH)
    at = put(words, at, zigzag, width)
    return _put_all(words, at, spare, n)


@kernel(
    "int64(int64[::1], int64[::1], int64, int64, int64, uint64, int64, uint64[::1], uint64[::1])"
)
def pack(
    times: Int64s,
    bits: Int64s,
    begin: int,
    n: int,
    time: int,
    delta: np.uint64,
    last: int,
    words: Uint64s,
    spare: Uint64s,
) -> int:
    """Write rows ``begin:begin + n``, which follow ``(time, delta, last)``; return how many bits.

    ``words`` has ``MOST_WORDS`` and is overwritten, as is ``spare``, which has ``MOST_GROUP``.
    """
    for word in range(len(words)):
        words[word] = 0
    at = _pack_times(times, begin, n, time, delta, words, np.int64(0), spare)
    constant = True
    for i in range(n):
        constant &= bits[begin + i] == last
    values = bits.view(np.float64)
    digits = np.int64(-1) if constant else _digits(values, begin, n)
    if digits < 0:
        return _pack_bits(bits, begin, n, last, words, at, spare)
    return _pack_decimals(values, begin, n, last, digits, words, at, spare)


@kernel("UniTuple(int64, 3)(uint64[::1], int64, int64, int64, uint64, int64[::1], int64)")
def unpack_times(words, at, n, time, delta, times, row):
    """Write n times from ``row`` on; return the bit behind, the last time and its delta."""
    if get(words, at, np.int64(1)):
        step = np.int64(delta)
        for i in range(n):
            time += step
            times[row + i] = time
        return at + 1, time, step
    width = np.int64(get(words, at + 1, _WIDTH))
    smallest = get(words, at + 8, width)
    at += 8 + width
    width = np.int64(get(words, at, _WIDTH))
    at += 7
    step = smallest
    for i in range(n):
        step = smallest + get(words, at, width)
        at += width
        time += np.int64(step)
        times[row + i] = time
    return at, time, np.int64(step)


@kernel("int64(uint64[::1], int64, int64, int64[::1], int64, int64)")
def unpack_bits(words, at, n, bits, row, last):
    """Write the bits of n values from ``row`` on, which follow ``last``; return the bit behind."""
    mode = get(words, at, np.int64(2))
    at += 2
    if mode == _SAME:
        for i in range(n):
            bits[row + i] = last
        return at
    if mode == _XOR:
        trailing = get(words, at, np.int64(6))
        width = np.int64(get(words, at + 6, _WIDTH))
        at += 13
        for i in range(n):
            last ^= np.int64(get(words, at, width) << trailing)
            bits[row + i] = last
            at += width
        return at
    values = bits.view(np.float64)
    divisor = DIVISORS[get(words, at, np.int64(4))]
    width = np.int64(get(words, at + 4, _WIDTH))
    smallest = _unzigzag(get(words, at + 11, width))
    at += 11 + width
    width = np.int64(get(words, at, _WIDTH))
    at += 7
    bits[row] = last
    known = values[row]
    mantissa = np.int64(np.rint(known * divisor)) if is_decimal(known, divisor) else np.int64(0)
    for i in range(n):
        mantissa += smallest + np.int64(get(words, at, width))
        values[row + i] = mantissa / divisor
        at += width
    return at


@kernel("int64(uint64[::1], int64, int64)")
def skip_bits(words, at, n):
    """Return the bit behind the values of n samples."""
    mode = get(words, at, np.int64(2))
    at += 2
    if mode == _SAME:
        return at
    if mode == _XOR:
        at += 6
    else:
        at += 11 + np.int64(get(words, at + 4, _WIDTH))
    return at + 7 + n * np.int64(get(words, at, _WIDTH))
