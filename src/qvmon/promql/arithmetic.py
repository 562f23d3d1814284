"""Operators and functions that work value by value."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

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
    "min_of": np.minimum,
    "max_of": np.maximum,
}
_COMPARISON = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def _sign(values: Float64s) -> Float64s:
    """Return -1 or 1 for numbers that have a sign, and zeros and NaN as they are."""
    return np.where(values == 0, values, np.sign(values))


UNARY: dict[str, Callable[[Float64s], Float64s]] = {
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
    "sgn": _sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}


def calculated(operator: str, left: float, right: float) -> float:
    """Return ``left operator right`` of two numbers; infinite or NaN where there is no other."""
    with np.errstate(all="ignore"):
        return float(_ARITHMETIC[operator](np.float64(left), np.float64(right)))


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
    """Return values held between the bounds, as ``greatest`` and ``least`` do it."""
    return greatest(low, least(high, values))


def greatest(left: Float64s, right: Float64s) -> Float64s:
    """Return the greater of each pair: infinity if either is, else NaN if either is (as in Go)."""
    result: Float64s = np.maximum(left, right)
    return np.where((left == np.inf) | (right == np.inf), np.inf, result)


def least(left: Float64s, right: Float64s) -> Float64s:
    """Return the lesser of each pair: minus infinity if either is, else NaN if either is."""
    return -greatest(-left, -right)


def round_to(values: Float64s, nearest: Float64s) -> Float64s:
    """Return values rounded to multiples of ``nearest``, halves upwards."""
    with np.errstate(all="ignore"):
        inverse = 1.0 / nearest
        result: Float64s = np.floor(values * inverse + 0.5) / inverse
    return result
