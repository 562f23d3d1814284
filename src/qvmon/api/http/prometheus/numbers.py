"""Whole columns of numbers as the texts that Prometheus' JSON has, without a loop over samples.

Source: Prometheus util/jsonutil/marshal.go. Arrow's cast gives the shortest digits that read back
the same; it differs from Go only from 1e10, below 1e-6 and in its special values.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qvmon.model.floats import format_float
from qvmon.model.series import Bools, Float64s, Int64s

_ARROW_EXPONENT_FROM = 1e10
_ARROW_DIFFERS_BELOW = 1e-6
_EXACT_BELOW = 1e15


def value_texts(values: Float64s) -> pa.Array:
    """Return string[n]: each value as Go prints it."""
    texts = pa.array(values, from_pandas=False).cast(pa.string())
    magnitudes = np.abs(values)
    fine = (magnitudes < _ARROW_EXPONENT_FROM) & ~(magnitudes < _ARROW_DIFFERS_BELOW)
    fine |= values == 0
    if fine.all():
        return texts
    whole = ~fine & (magnitudes < _EXACT_BELOW) & (np.trunc(values) == values)
    texts = _replaced(texts, whole, pa.array(values[whole].astype(np.int64)).cast(pa.string()))
    rest = ~fine & ~whole
    return _replaced(texts, rest, _spelled(values[rest])) if rest.any() else texts


def _spelled(values: Float64s) -> pa.Array:
    """Spell each distinct value once: infinities, NaN, the tiny, the huge, fractions above 1e10."""
    distinct, which = np.unique(values.view(np.int64), return_inverse=True)
    texts = [format_float(float(value)) for value in distinct.view(np.float64)]
    return pa.array(texts, pa.string()).take(pa.array(which.ravel()))


def _replaced(texts: pa.Array, where: Bools, replacements: pa.Array) -> pa.Array:
    return pc.replace_with_mask(texts, pa.array(where), replacements)


def time_texts(milliseconds: Int64s) -> pa.Array:
    """Return string[n]: each time as seconds, with three decimals unless they are zero."""
    magnitudes = np.abs(milliseconds)
    seconds = pa.array(magnitudes // 1000).cast(pa.string())
    rest = magnitudes % 1000
    decimals = pc.utf8_lpad(pa.array(rest).cast(pa.string()), 3, "0")
    texts = pc.if_else(
        pa.array(rest == 0), seconds, pc.binary_join_element_wise(seconds, decimals, ".")
    )
    negative = milliseconds < 0
    if negative.any():
        signed = pc.binary_join_element_wise("-", texts, "")
        texts = pc.if_else(pa.array(negative), signed, texts)
    return texts


def pair_texts(times: pa.Array, values: pa.Array) -> pa.Array:
    """Return string[n]: ``[time,"value"]`` of texts of times and values."""
    return pc.binary_join_element_wise("[", times, ',"', values, '"]', "")
