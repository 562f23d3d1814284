"""Operators and functions that work value by value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qvmon.model.errors import invalid
from qvmon.model.series import Bools, Float64s

SCHEMA_CHANGING = frozenset({"+", "-", "*", "/", "%", "^", "atan2"})
"""Operators whose result is no longer the metric it was computed from."""

_ARITHMETIC = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
_COMPARISON = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
UNARY = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "deg": np.degrees,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "rad": np.radians,
    "sgn": np.sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}


def apply(operator: str, left: Float64s, right: Float64s) -> tuple[Float64s, Bools]:
    """Return the values of ``left operator right`` and where a filter keeps them.

    Comparisons yield the left value; the histogram trims ``</`` and ``>/`` keep no float.
    """
    if operator in _COMPARISON:
        kept = _COMPARISON[operator](left, right)
        return np.broadcast_to(left, kept.shape), kept
    shape = np.broadcast_shapes(left.shape, right.shape)
    if operator not in _ARITHMETIC:
        return np.zeros(shape), np.zeros(shape, np.bool_)
    with np.errstate(all="ignore"):
        return _ARITHMETIC[operator](left, right), np.ones(shape, np.bool_)


def elementwise(function: str, values: Float64s) -> Float64s:
    """Return a function of ``UNARY`` at every value."""
    with np.errstate(all="ignore"):
        result: Float64s = UNARY[function](values)
    return result


def clamp(values: Float64s, low: Float64s, high: Float64s) -> Float64s:
    """Return values held between the bounds; a bound that is NaN makes NaN."""
    return np.minimum(np.maximum(values, low), high)


def round_to(values: Float64s, nearest: Float64s) -> Float64s:
    """Return values rounded to multiples of ``nearest``, halves upwards."""
    with np.errstate(all="ignore"):
        inverse = 1.0 / nearest
        result: Float64s = np.floor(values * inverse + 0.5) / inverse
    return result


_DAY = 86400


def _days(values: Float64s) -> NDArray[np.datetime64]:
    return np.floor(values / _DAY).astype(np.int64).astype("datetime64[D]")


def date_part(function: str, values: Float64s) -> Float64s:
    """Return a part of the UTC date of each value, seconds since the epoch; NaN stays NaN."""
    finite = np.isfinite(values) & (np.abs(values) < 1e11 * _DAY)
    seconds = np.trunc(np.where(finite, values, 0.0))
    day = _days(seconds)
    month = day.astype("datetime64[M]")
    match function:
        case "hour":
            part = np.floor(seconds / 3600) % 24
        case "minute":
            part = np.floor(seconds / 60) % 60
        case "day_of_week":
            part = (day.astype(np.int64) + 4) % 7
        case "day_of_month":
            part = (day - month.astype("datetime64[D]")).astype(np.int64) + 1
        case "day_of_year":
            part = (day - day.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64) + 1
        case "days_in_month":
            part = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(
                np.int64
            )
        case "month":
            part = month.astype(np.int64) % 12 + 1
        case "year":
            part = day.astype("datetime64[Y]").astype(np.int64) + 1970
        case _:
            raise invalid(f"{function} is no part of a date")
    return np.where(finite, part.astype(np.float64), np.nan)
