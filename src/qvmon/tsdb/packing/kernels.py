"""A few consecutive samples of one series as a string of bits, and back, bit for bit.

A group of n samples follows one that is known, ``(time, delta, bits)``, ``delta`` being how far
that one was from its predecessor (0: it had none). First come the times, which ascend:

=================  ====================================================================
``1``              every time is ``delta`` after the one before
``0``              7 bits: width of the smallest step; 7 bits: width of the rests; the
                   smallest step; n rests: step less the smallest step
=================  ====================================================================

then the values:

===================  ==================================================================
2 bits ``SAME``      every value has the bits of the one before
2 bits ``DECIMAL``   4 bits: decimal places; 7 bits: width of the smallest step; 7 bits:
                     width of the rests; the smallest step in zigzag; n rests. Steps are
                     those of value times power of ten, from the known value, or from 0
                     where that is no such decimal
2 bits ``XOR``       6 bits: trailing zeros; 7 bits: width; n differences of bits from
                     one value to the next
===================  ==================================================================

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


@kernel("uint64(uint64, uint64, int64, int64)")
def taken(word: np.uint64, after: np.uint64, shift: int, width: int) -> np.uint64:
    """Return ``width`` bits from bit ``shift`` of ``word`` on, some perhaps of the word after."""
    if width == 0:
        return _0
    number = (word >> np.uint64(shift)) | ((after << _1) << np.uint64(63 - shift))
    return number & (_ALL >> np.uint64(64 - width))


@kernel("int64(uint64[::1], int64, uint64, int64)")
def _put(words, at, number, width):
    """Write the low ``width`` bits at bit ``at`` of zeroed ``words``; return the bit behind."""
    if width > 0:
        word, shift = at >> 6, np.uint64(at & 63)
        words[word] |= number << shift
        words[word + 1] |= (number >> _1) >> (_63 - shift)
    return at + width


@kernel("int64(uint64[::1], int64, uint64[::1], int64, int64)")
def _put_all(words, at, numbers, n, width):
    """Write n numbers of ``width`` bits; return the bit behind."""
    if width > 0:
        for i in range(n):
            word, shift = at >> 6, np.uint64(at & 63)
            words[word] |= numbers[i] << shift
            words[word + 1] |= (numbers[i] >> _1) >> (_63 - shift)
            at += width
    return at


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


@kernel("int64(float64, float64)")
def _mantissa(value, divisor):
    """Return the mantissa of a value, 0 when it is no decimal of that divisor."""
    return np.int64(np.rint(value * divisor)) if is_decimal(value, divisor) else np.int64(0)


@kernel("int64(int64[::1], int64, int64, int64, uint64, uint64[::1], uint64[::1])")
def _pack_times(times, begin, n, time, delta, words, spare):
    smallest, union, regular = _ALL, _0, True
    for i in range(n):
        spare[i] = np.uint64(times[begin + i]) - np.uint64(time)
        time = times[begin + i]
        smallest = min(smallest, spare[i])
        regular &= spare[i] == delta
    if regular:
        return _put(words, np.int64(0), _1, np.int64(1))
    for i in range(n):
        spare[i] -= smallest
        union |= spare[i]
    few, width = _width(smallest), _width(union)
    at = _put(words, np.int64(0), np.uint64(few << 1 | width << 8), np.int64(15))
    at = _put(words, at, smallest, few)
    return _put_all(words, at, spare, n, width)


@kernel("int64(int64[::1], int64, int64, int64, uint64[::1], int64, uint64[::1])")
def _pack_bits(bits, begin, n, last, words, at, spare):
    trailing, seen = np.int64(0), _0
    for i in range(n):
        spare[i] = np.uint64(bits[begin + i] ^ last)
        last = bits[begin + i]
        seen |= spare[i]
    if seen == _0:
        return _put(words, at, _SAME, np.int64(2))
    while not (seen >> np.uint64(trailing)) & _1:
        trailing += 1
    for i in range(n):
        spare[i] >>= np.uint64(trailing)
    width = _width(seen) - trailing
    at = _put(words, at, _XOR | np.uint64(trailing << 2 | width << 8), np.int64(15))
    return _put_all(words, at, spare, n, width)


@kernel("int64(float64[::1], int64, int64, int64, int64, uint64[::1], int64, uint64[::1])")
def _pack_decimals(values, begin, n, mantissa, digits, words, at, spare):
    divisor = DIVISORS[digits]
    smallest, union = np.int64(2**62), _0
    for i in range(n):
        number = np.int64(np.rint(values[begin + i] * divisor))
        spare[i] = np.uint64(number - mantissa)
        smallest = min(smallest, number - mantissa)
        mantissa = number
    for i in range(n):
        spare[i] -= np.uint64(smallest)
        union |= spare[i]
    zigzag = np.uint64((smallest << 1) ^ (smallest >> 63))
    few, width = _width(zigzag), _width(union)
    fields = _DECIMAL | np.uint64(digits << 2 | few << 6 | width << 13)
    at = _put(words, at, fields, np.int64(20))
    at = _put(words, at, zigzag, few)
    return _put_all(words, at, spare, n, width)


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
    at = _pack_times(times, begin, n, time, delta, words, spare)
    constant = True
    for i in range(n):
        constant &= bits[begin + i] == last
    values = bits.view(np.float64)
    digits = np.int64(-1) if constant else _digits(values, begin, n)
    if digits < 0:
        return _pack_bits(bits, begin, n, last, words, at, spare)
    spare[0] = np.uint64(last)
    mantissa = _mantissa(spare.view(np.float64)[0], DIVISORS[digits])
    return _pack_decimals(values, begin, n, mantissa, digits, words, at, spare)


@kernel(
    "int64(uint64[::1], int64, int64, int64, uint64, int64, int64[::1], int64[::1], int64, int64)"
)
def unpack(
    words: Uint64s,
    first: int,
    count: int,
    time: int,
    delta: np.uint64,
    last: int,
    times: Int64s,
    bits: Int64s,
    row: int,
    wanted: int,
) -> int:
    """Write ``count`` samples, which follow ``(time, delta, last)``, from ``row`` on.

    They were packed as a group of ``first`` and others of ``MOST_GROUP``, end to end. Without
    ``wanted`` values only times are written. Two words more than are packed are looked at.

    Returns:
        The bit behind.
    """
    values = bits.view(np.float64)
    at, n, stop = np.int64(0), first, row + count
    moment, known = np.uint64(time), last
    while row < stop:
        word, shift = at >> 6, at & 63
        fields = np.int64(taken(words[word], words[word + 1], shift, np.int64(15)))
        if fields & 1:
            at += 1
            for i in range(row, row + n):
                moment += delta
                times[i] = np.int64(moment)
        else:
            few, width = fields >> 1 & 127, fields >> 8
            at += 15
            word, shift = at >> 6, at & 63
            smallest = taken(words[word], words[word + 1], shift, few)
            at += few
            for i in range(row, row + n):
                word, shift = at >> 6, at & 63
                delta = smallest + taken(words[word], words[word + 1], shift, width)
                moment += delta
                times[i] = np.int64(moment)
                at += width
        word, shift = at >> 6, at & 63
        fields = np.int64(taken(words[word], words[word + 1], shift, np.int64(20)))
        mode = np.uint64(fields & 3)
        if mode == _SAME:
            at += 2
            if wanted:
                for i in range(row, row + n):
                    bits[i] = known
        elif mode == _XOR:
            trailing, width = np.uint64(fields >> 2 & 63), fields >> 8 & 127
            at += 15
            if wanted:
                for i in range(row, row + n):
                    word, shift = at >> 6, at & 63
                    number = taken(words[word], words[word + 1], shift, width)
                    known ^= np.int64(number << trailing)
                    bits[i] = known
                    at += width
            else:
                at += n * width
        else:
            divisor = DIVISORS[fields >> 2 & 15]
            few, width = fields >> 6 & 127, fields >> 13
            at += 20
            word, shift = at >> 6, at & 63
            zigzag = taken(words[word], words[word + 1], shift, few)
            at += few
            if wanted:
                step = np.int64(zigzag >> _1) ^ -np.int64(zigzag & _1)
                bits[row] = known
                mantissa = _mantissa(values[row], divisor)
                for i in range(row, row + n):
                    word, shift = at >> 6, at & 63
                    number = taken(words[word], words[word + 1], shift, width)
                    mantissa += step + np.int64(number)
                    values[i] = mantissa / divisor
                    at += width
                known = bits[row + n - 1]
            else:
                at += n * width
        row += n
        n = np.int64(MOST_GROUP)
    return at
