"""Shortest decimals of binary floats, written into a buffer.

Source: Raffaello Giulietti, "The Schubfach way to render doubles" (2020). The layout of the text is
that of Prometheus' util/jsonutil: an exponent only below 1e-6 and from 1e21.
"""

from __future__ import annotations

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes

LONGEST_FLOAT_BYTES = 32
"""More than any float takes: a sign, 17 digits, up to 21 places, a point, an exponent."""

_LOWEST, _HIGHEST = -292, 324


def _log2_of_power(exponent: int) -> int:
    return (exponent * 1741647) >> 19


def _power(exponent: int) -> int:
    """Return 10**exponent scaled to 128 significant bits, rounded up."""
    shift = 127 - _log2_of_power(exponent)
    above: int = 10 ** max(exponent, 0) << max(shift, 0)
    below: int = 10 ** max(-exponent, 0) << max(-shift, 0)
    return -(-above // below)


_POWERS = [_power(exponent) for exponent in range(_LOWEST, _HIGHEST + 1)]
_HIGH = np.array([power >> 64 for power in _POWERS], np.uint64)
_LOW = np.array([power & (1 << 64) - 1 for power in _POWERS], np.uint64)

_MASK = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)
_TEN = np.uint64(10)
_HUNDRED = np.uint64(100)
_SIXTEEN_DIGITS, _SEVENTEEN_DIGITS = np.uint64(10**15), np.uint64(10**16)
_PAIRS = np.frombuffer(b"".join(b"%02d" % pair for pair in range(100)), np.uint8).copy()
_FORTY = np.uint64(40)
_HIDDEN = np.uint64(1 << 52)
_FRACTION = np.uint64((1 << 52) - 1)
_ZERO, _MINUS, _POINT, _PLUS, _EXPONENT = 48, 45, 46, 43, 101
_NAN = np.frombuffer(b"NaN", np.uint8).copy()
_INFINITY = np.frombuffer(b"Inf", np.uint8).copy()


@kernel("uint64(uint64, uint64)")
def _upper_half(a: np.uint64, b: np.uint64) -> np.uint64:
    """Return the upper 64 bits of a product."""
    low = (a & _MASK) * (b & _MASK)
    middle = (a >> _HALF) * (b & _MASK) + (low >> _HALF)
    other = (a & _MASK) * (b >> _HALF) + (middle & _MASK)
    return (a >> _HALF) * (b >> _HALF) + (middle >> _HALF) + (other >> _HALF)


@kernel("uint64(int64, uint64)")
def _scaled(power: int, number: np.uint64) -> np.uint64:
    """Return ``number`` times a power of ten, rounded to odd."""
    high, low = _HIGH[power], _LOW[power]
    below = high * number
    total = below + _upper_half(low, number)
    above = _upper_half(high, number)
    if total < below:
        above += _ONE
    return above | (_ONE if total > _ONE else np.uint64(0))


@kernel("int64(uint64)")
def _signed(number: np.uint64) -> int:
    """Return a number as one that may be mixed with signed ones without becoming a float."""
    return int(np.int64(number))


@kernel("Tuple((uint64, int64))(uint64)")
def shortest(bits: np.uint64) -> tuple[np.uint64, int]:
    """Return the digits and the power of ten of a positive finite float, given its bits."""
    fraction, exponent = bits & _FRACTION, _signed(bits >> np.uint64(52))
    c = fraction | _HIDDEN if exponent else fraction
    q = exponent - 1075 if exponent else -1074
    if -52 <= q <= 0 and not c & ((_ONE << np.uint64(-q)) - _ONE):
        return c >> np.uint64(-q), 0
    odd = c & _ONE
    closer = fraction == np.uint64(0) and exponent > 1
    k = (q * 1262611 - (524031 if closer else 0)) >> 22
    shift = np.uint64(q + ((-k * 1741647) >> 19) + 1)
    power = -k - _LOWEST
    left = _FOUR * c - (_ONE if closer else np.uint64(2))
    lower = _scaled(power, left << shift) + odd
    middle = _scaled(power, (_FOUR * c) << shift)
    upper = _scaled(power, (_FOUR * c + np.uint64(2)) << shift) - odd
    s = middle >> np.uint64(2)
    if s >= _TEN:
        tens = s // _TEN
        below, above = lower <= _FORTY * tens, _FORTY * tens + _FORTY <= upper
        if below != above:
            return tens + (_ONE if above else np.uint64(0)), k + 1
    below, above = lower <= _FOUR * s, _FOUR * s + _FOUR <= upper
    if below != above:
        return s + (_ONE if above else np.uint64(0)), k
    half = _FOUR * s + np.uint64(2)
    up = middle > half or (middle == half and (s & _ONE) != np.uint64(0))
    return s + (_ONE if up else np.uint64(0)), k


@kernel("int64(uint64)")
def _length(number: np.uint64) -> int:
    """Return how many digits a number has."""
    if number >= _SIXTEEN_DIGITS:
        return 17 if number >= _SEVENTEEN_DIGITS else 16
    count = 1
    while number >= _TEN:
        number //= _TEN
        count += 1
    return count


@kernel("int64(uint8[::1], int64, uint64, int64)")
def _put_digits(out: Bytes, at: int, number: np.uint64, count: int) -> int:
    """Write ``count`` digits; return the position after them."""
    step = at + count
    while step - at >= 2:
        rest = number // _HUNDRED
        pair = 2 * _signed(number - rest * _HUNDRED)
        step -= 2
        out[step], out[step + 1] = _PAIRS[pair], _PAIRS[pair + 1]
        number = rest
    if step > at:
        out[at] = np.uint8(_ZERO + _signed(number))
    return at + count


@kernel("int64(uint8[::1], int64, int64)")
def put_integer(out: Bytes, at: int, number: int) -> int:
    """Write an integer; return the position after it."""
    if number < 0:
        out[at] = _MINUS
        at, number = at + 1, -number
    return _put_digits(out, at, np.uint64(number), _length(np.uint64(number)))


@kernel("int64(uint8[::1], int64, uint64, int64)")
def _put_exponent_form(out: Bytes, at: int, digits: np.uint64, exponent: int) -> int:
    count = _length(digits)
    at = _put_digits(out, at + 1, digits, count)
    out[at - count - 1] = out[at - count]
    if count == 1:
        at -= 1
    else:
        out[at - count] = _POINT
    tens = exponent + count - 1
    out[at] = _EXPONENT
    out[at + 1] = _MINUS if tens < 0 else _PLUS
    size = np.uint64(abs(tens))
    return _put_digits(out, at + 2, size, max(2, _length(size)))


@kernel("int64(uint8[::1], int64, uint64, int64)")
def _put_decimal(out: Bytes, at: int, digits: np.uint64, exponent: int) -> int:
    """Write digits times a power of ten; return the position after them."""
    while digits % _TEN == np.uint64(0):
        digits //= _TEN
        exponent += 1
    count = _length(digits)
    point = count + exponent
    if point < -5 or point > 21:
        return _put_exponent_form(out, at, digits, exponent)
    if exponent >= 0:
        at = _put_digits(out, at, digits, count)
        for step in range(exponent):
            out[at + step] = _ZERO
        return at + exponent
    if point > 0:
        end = _put_digits(out, at + 1, digits, count)
        for step in range(point):
            out[at + step] = out[at + step + 1]
        out[at + point] = _POINT
        return end
    out[at], out[at + 1] = _ZERO, _POINT
    for step in range(-point):
        out[at + 2 + step] = _ZERO
    return _put_digits(out, at + 2 - point, digits, count)


@kernel("int64(uint8[::1], int64, uint64)")
def put_float(out: Bytes, at: int, bits: np.uint64) -> int:
    """Write a float, given its bits; return the position after it.

    At least ``LONGEST_FLOAT_BYTES`` of ``out`` are free from ``at`` on.
    """
    positive = bits & np.uint64(0x7FFFFFFFFFFFFFFF)
    if positive > np.uint64(0x7FF0000000000000):
        for step in range(3):
            out[at + step] = _NAN[step]
        return at + 3
    negative = positive != bits
    if positive == np.uint64(0x7FF0000000000000):
        out[at] = _MINUS if negative else _PLUS
        for step in range(3):
            out[at + 1 + step] = _INFINITY[step]
        return at + 4
    if negative:
        out[at] = _MINUS
        at += 1
    if positive == np.uint64(0):
        out[at] = _ZERO
        return at + 1
    digits, exponent = shortest(positive)
    return _put_decimal(out, at, digits, exponent)
