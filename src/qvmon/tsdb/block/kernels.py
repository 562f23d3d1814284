"""Loops over the values of a block: which are short decimals, and back.

A value that is exactly ``integer / divisor``, the divisor a power of ten, is kept as that integer
less its series' base. The base is chosen so that a series' mantissas go on where those of the one
before ended: then the differences that Parquet packs are small everywhere. All other values (NaNs,
infinities, minus zero, long fractions) are *exact*: stored as they are.
"""

# mypy: ignore-errors
# Numba types the bodies; the signatures below are for the callers.
from __future__ import annotations

import numpy as np

from qvmon.model.compiled import kernel
from qvmon.model.series import Bools, Float64s, Int64s
from qvmon.tsdb.packing.kernels import DIVISORS, LARGEST_INTEGER, MOST_DIGITS, is_decimal

_FAR = 2**60
_READ_INTS = "Array(int64, 1, 'C', readonly=True)"
_READ_FLOATS = "Array(float64, 1, 'C', readonly=True)"
_READ_BOOLS = "Array(boolean, 1, 'C', readonly=True)"


@kernel(f"int64({_READ_FLOATS}, int64, int64)")
def _digits(values: Float64s, begin: int, end: int) -> int:
    """Return the decimal places that the values of ``begin..end`` need, as far as they can have."""
    largest = 0.0
    for row in range(begin, end):
        if abs(values[row]) < LARGEST_INTEGER:
            largest = max(largest, abs(values[row]))
    most = np.int64(0)
    while most < MOST_DIGITS and largest * DIVISORS[most + 1] < LARGEST_INTEGER:
        most += 1
    digits = np.int64(0)
    for row in range(begin, end):
        if not is_decimal(values[row], DIVISORS[digits]):
            wanted = digits + 1
            while wanted <= most and not is_decimal(values[row], DIVISORS[wanted]):
                wanted += 1
            if wanted <= most:
                digits = wanted
    return digits


@kernel(f"void({_READ_INTS}, {_READ_FLOATS}, int64[::1], float64[::1], int64[::1], boolean[::1])")
def to_decimals(
    offsets: Int64s,
    values: Float64s,
    bases: Int64s,
    divisors: Float64s,
    mantissas: Int64s,
    exact: Bools,
) -> None:
    """Split each series' values into ``(base + mantissa) / divisor`` and the exact rest.

    A series of which less than half are decimals is exact throughout.
    """
    last = np.int64(0)
    for series in range(len(offsets) - 1):
        begin, end = offsets[series], offsets[series + 1]
        divisor = DIVISORS[_digits(values, begin, end)]
        divisors[series] = divisor
        bases[series] = 0
        decimals = np.int64(0)
        for row in range(begin, end):
            exact[row] = not is_decimal(values[row], divisor)
            decimals += not exact[row]
        plain = 2 * decimals < end - begin
        fresh = True
        for row in range(begin, end):
            exact[row] |= plain
            if not exact[row]:
                integer = np.int64(np.rint(values[row] * divisor))
                if fresh:
                    last = last if abs(last) < _FAR else np.int64(0)
                    bases[series] = integer - last
                    fresh = False
                last = integer - bases[series]
            mantissas[row] = last


@kernel(f"void({_READ_INTS}, int64, {_READ_INTS}, {_READ_INTS}, {_READ_FLOATS}, float64[::1])")
def from_decimals(
    mantissas: Int64s,
    first_row: int,
    starts: Int64s,
    bases: Int64s,
    divisors: Float64s,
    values: Float64s,
) -> None:
    """Put values together again; series i of the block owns its rows from ``starts[i]`` on.

    ``mantissas`` are the block's rows from ``first_row`` on.
    """
    series = np.searchsorted(starts, first_row, side="right") - 1
    row, stop = first_row, first_row + len(mantissas)
    while row < stop:
        end = min(stop, starts[series + 1])
        base, divisor = bases[series], divisors[series]
        if divisor == 1.0:
            for at in range(row - first_row, end - first_row):
                values[at] = base + mantissas[at]
        else:
            for at in range(row - first_row, end - first_row):
                values[at] = (base + mantissas[at]) / divisor
        row = end
        series += 1


@kernel(f"void({_READ_FLOATS}, {_READ_BOOLS}, float64[::1])")
def put_exact(exact: Float64s, chosen: Bools, values: Float64s) -> None:
    """Overwrite the ``chosen`` values bit for bit."""
    source, target = exact.view(np.int64), values.view(np.int64)
    for row in range(len(chosen)):
        if chosen[row]:
            target[row] = source[row]
