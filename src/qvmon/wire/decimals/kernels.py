"""A byte-scanning number parser with the syntax of Go's ``ParseFloat`` before hexadecimals.

Numbers of up to 19 digits are rounded correctly by Clinger's fast path (exact product of two
doubles) or by D. Lemire's algorithm ("Number parsing at a gigabyte per second", Software:
Practice and Experience 51, 2021). Longer ones, subnormals and overflows are left undecided.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qvmon.model.compiled import kernel
from qvmon.model.series import Bytes

OK = 0
UNDECIDED = 1  # a number, and not one the kernel can round: use ``decimal``
BAD = 2

_SMALLEST, _LARGEST = -342, 308
_EXACT_POWERS = np.array([float(10**power) for power in range(23)])
_NAN = np.array([0x7FF8000000000001], np.uint64).view(np.float64)[0]  # Prometheus' ordinary NaN
_MASK32 = np.uint64(0xFFFFFFFF)
_LOW_BITS = np.uint64((1 << 64) - 1 >> 55)


def _powers_of_five() -> NDArray[np.uint64]:
    """Return uint64[651, 2]: the leading 128 bits (high, low) of 5^q, rounded as the paper says."""
    table = np.empty((_LARGEST - _SMALLEST + 1, 2), np.uint64)
    for q in range(_SMALLEST, _LARGEST + 1):
        power = 5 ** abs(q)
        if q >= 0:
            leading = power << 128 >> power.bit_length()
        else:
            length = (power - 1).bit_length()
            leading = 2 ** (length + 127 if q >= -27 else 2 * length + 128) // power + 1
            leading >>= max(0, leading.bit_length() - 128)
        table[q - _SMALLEST] = leading >> 64, leading & (1 << 64) - 1
    return table


_POWERS_OF_FIVE = _powers_of_five()


@kernel("UniTuple(uint64, 2)(uint64, uint64)")
def _product(a: np.uint64, b: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return the high and low words of a 128-bit product."""
    shift = np.uint64(32)
    a_low, a_high, b_low, b_high = a & _MASK32, a >> shift, b & _MASK32, b >> shift
    low = a_low * b_low
    middle = a_high * b_low + (low >> shift)
    other = a_low * b_high + (middle & _MASK32)
    high = a_high * b_high + (middle >> shift) + (other >> shift)
    return high, (other << shift) | (low & _MASK32)


@kernel("int64(uint64)")
def _leading_zeros(number: np.uint64) -> int:
    count = 0
    for shift in (32, 16, 8, 4, 2, 1):
        if number >> np.uint64(64 - shift) == np.uint64(0):
            count += shift
            number <<= np.uint64(shift)
    return count


@kernel("Tuple((float64, int64))(uint64, int64)")
def _rounded(digits: np.uint64, exponent: int) -> tuple[float, int]:
    """Return the double nearest to ``digits * 10**exponent``, and whether that was decided."""
    if digits == np.uint64(0):
        return 0.0, OK
    if digits <= np.uint64(1 << 53) and -22 <= exponent <= 22:
        if exponent < 0:
            return np.float64(digits) / _EXACT_POWERS[-exponent], OK
        return np.float64(digits) * _EXACT_POWERS[exponent], OK
    if exponent < _SMALLEST or exponent > _LARGEST:
        return 0.0, UNDECIDED
    zeros = _leading_zeros(digits)
    digits <<= np.uint64(zeros)
    row = exponent - _SMALLEST
    high, low = _product(digits, _POWERS_OF_FIVE[row, 0])
    if high & _LOW_BITS == _LOW_BITS:
        carry, _ = _product(digits, _POWERS_OF_FIVE[row, 1])
        low += carry
        if carry > low:
            high += np.uint64(1)
    upper = np.int64(high >> np.uint64(63))
    mantissa = high >> np.uint64(upper + 9)
    power = ((217706 * exponent) >> 16) + 63 + upper - zeros + 1023
    if power <= 0:
        return 0.0, UNDECIDED
    halfway = (
        low <= np.uint64(1) and -4 <= exponent <= 23 and mantissa & np.uint64(3) == np.uint64(1)
    )
    if halfway and mantissa << np.uint64(upper + 9) == high:
        mantissa &= ~np.uint64(1)
    mantissa = (mantissa + (mantissa & np.uint64(1))) >> np.uint64(1)
    if mantissa >= np.uint64(1 << 53):
        mantissa = np.uint64(1 << 52)
        power += 1
    if power >= 0x7FF:
        return 0.0, UNDECIDED
    bits = np.uint64((mantissa & np.uint64((1 << 52) - 1)) | np.uint64(power) << np.uint64(52))
    return bits.view(np.float64), OK


@kernel("boolean(Array(uint8, 1, 'C', True), int64, int64, uint8, uint8, uint8)")
def _spells(source: Bytes, at: int, end: int, a: int, b: int, c: int) -> bool:
    """Return whether three letters stand at ``at``, in either case."""
    if at + 3 > end:
        return False
    same = source[at] | 32 == a and source[at + 1] | 32 == b and source[at + 2] | 32 == c
    return bool(same)


@kernel(
    "Tuple((int64, float64, int64))(Array(uint8, 1, 'C', True), int64, int64, boolean, boolean)"
)
def _read_word(
    source: Bytes, at: int, end: int, signed: bool, negative: bool
) -> tuple[int, float, int]:
    """Read ``inf``, ``infinity`` or an unsigned ``nan``."""
    if _spells(source, at, end, ord("i"), ord("n"), ord("f")):
        value = -np.inf if negative else np.inf
        whole = _spells(source, at + 3, end, ord("i"), ord("n"), ord("i"))
        if (
            whole
            and at + 8 <= end
            and source[at + 6] | 32 == ord("t")
            and source[at + 7] | 32 == ord("y")
        ):
            return at + 8, value, OK
        return at + 3, value, OK
    if not signed and _spells(source, at, end, ord("n"), ord("a"), ord("n")):
        return at + 3, _NAN, OK
    return at, 0.0, BAD


@kernel("Tuple((int64, float64, int64))(Array(uint8, 1, 'C', True), int64, int64)")
def read_decimal(source: Bytes, at: int, end: int) -> tuple[int, float, int]:
    """Read the number that begins at ``at``.

    Args:
        source: uint8[n]; the text.
        at: Where the number begins.
        end: Where the text ends, at most n.

    Returns:
        Where the number ends, its value, and ``OK``, ``UNDECIDED`` or ``BAD``.
    """
    if at < 0:  # never; it tells the compiler that no index counts from the end
        return at, 0.0, BAD
    signed = at < end and (source[at] == ord("-") or source[at] == ord("+"))
    negative = signed and source[at] == ord("-")
    if signed:
        at += 1
    if at < end and source[at] > ord("9"):
        return _read_word(source, at, end, signed, negative)
    digits, exponent, significant, seen = np.uint64(0), 0, 0, 0
    fraction = False
    while at < end:
        byte = source[at]
        if ord("0") <= byte <= ord("9"):
            seen += 1
            if significant < 19:
                digits = digits * np.uint64(10) + np.uint64(byte - 48)
                if digits != np.uint64(0):
                    significant += 1
                if fraction:
                    exponent -= 1
            else:
                significant += 1
                if not fraction:
                    exponent += 1
        elif byte == ord(".") and not fraction:
            fraction = True
        else:
            break
        at += 1
    if seen == 0:
        return at, 0.0, BAD
    if at < end and source[at] | 32 == ord("e"):
        at += 1
        down = at < end and source[at] == ord("-")
        if down or (at < end and source[at] == ord("+")):
            at += 1
        written, places = 0, 0
        while at < end and ord("0") <= source[at] <= ord("9"):
            written = min(written * 10 + int(source[at]) - 48, 100_000)
            places += 1
            at += 1
        if places == 0:
            return at, 0.0, BAD
        exponent += -written if down else written
    if significant > 19:
        return at, 0.0, UNDECIDED
    value, status = _rounded(digits, exponent)
    return at, -value if negative else value, status
