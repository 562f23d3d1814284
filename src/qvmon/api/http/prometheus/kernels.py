"""Rows of answers as JSON, written into one buffer: no string a sample.

Source: Prometheus util/jsonutil/marshal.go, for how times and values look.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qvmon.model.compiled import kernel
from qvmon.model.series import Bools, Bytes, Int64s
from qvmon.wire.shortest import put_float, put_integer

PAIR_BYTES = 64
"""More than a time and a value take."""

ROW_BYTES = 32
"""More than stands around the labels and the values of a series."""

_METRIC = np.frombuffer(b'{"metric":', np.uint8).copy()
_VALUES = np.frombuffer(b',"values":[', np.uint8).copy()
_VALUE = np.frombuffer(b',"value":', np.uint8).copy()
_OPEN, _CLOSE, _OPEN_BRACE, _BRACE, _COMMA = 91, 93, 123, 125, 44
_QUOTE, _POINT, _MINUS, _ZERO = 34, 46, 45, 48


@kernel("int64(uint8[::1], int64, Array(uint8, 1, 'C', True), int64, int64)")
def _put(out: Bytes, at: int, source: Bytes, start: int, end: int) -> int:
    for step in range(end - start):
        out[at + step] = source[start + step]
    return at + end - start


@kernel(
    "void(Array(uint8, 1, 'C', True), Array(int64, 1, 'C', True), Array(int64, 2, 'C', True),"
    " uint8[::1], int64[::1])"
)
def write_labels(texts: Bytes, text_ends: Int64s, chosen: Int64s, out: Bytes, ends: Int64s) -> None:
    """Write objects, each of some texts with commas between them; empty texts are left out.

    Args:
        texts: uint8[total]; texts end to end.
        text_ends: int64[t + 1]; text i is ``texts[text_ends[i]:text_ends[i + 1]]``.
        chosen: int64[n, k]; the texts of each object, in order.
        out: uint8[at least the texts chosen, and k + 2 for each object] out; end to end.
        ends: int64[n + 1] out; object i is ``out[ends[i]:ends[i + 1]]``.
    """
    at = ends[0] = 0
    for row in range(len(chosen)):
        out[at] = _OPEN_BRACE
        at += 1
        first = True
        for column in range(chosen.shape[1]):
            text = chosen[row, column]
            if text_ends[text] == text_ends[text + 1]:
                continue
            if not first:
                out[at] = _COMMA
                at += 1
            first = False
            at = _put(out, at, texts, text_ends[text], text_ends[text + 1])
        out[at] = _BRACE
        at += 1
        ends[row + 1] = at


@kernel("int64(uint8[::1], int64, int64)")
def put_time(out: Bytes, at: int, milliseconds: int) -> int:
    """Write a time as seconds, with three decimals unless they are zero."""
    if milliseconds < 0:
        out[at] = _MINUS
        at, milliseconds = at + 1, -milliseconds
    at = put_integer(out, at, milliseconds // 1000)
    rest = milliseconds % 1000
    if rest:
        out[at] = _POINT
        out[at + 1] = _ZERO + rest // 100
        out[at + 2] = _ZERO + rest // 10 % 10
        out[at + 3] = _ZERO + rest % 10
        at += 4
    return at


@kernel("void(Array(int64, 1, 'C', True), uint8[::1], int64[::1])")
def put_times(milliseconds: Int64s, out: Bytes, ends: Int64s) -> None:
    """Write n times end to end; time i gets ``out[ends[i]:ends[i + 1]]``.

    ``out`` has ``PAIR_BYTES`` for each, ``ends`` is int64[n + 1].
    """
    ends[0] = 0
    for i in range(len(milliseconds)):
        ends[i + 1] = put_time(out, ends[i], milliseconds[i])


@kernel("int64(uint8[::1], int64, uint64)")
def _put_after_time(out: Bytes, at: int, value: np.uint64) -> int:
    out[at], out[at + 1] = _COMMA, _QUOTE
    at = put_float(out, at + 2, value)
    out[at], out[at + 1] = _QUOTE, _CLOSE
    return at + 2


@kernel("int64(uint8[::1], int64, int64, uint64)")
def put_pair(out: Bytes, at: int, milliseconds: int, value: np.uint64) -> int:
    """Write ``[time,"value"]``."""
    out[at] = _OPEN
    return _put_after_time(out, put_time(out, at + 1, milliseconds), value)


@kernel(
    "int64(Array(uint8, 1, 'C', True), Array(int64, 1, 'C', True), int64,"
    " Array(uint64, 1, 'C', True), uint8[::1])"
)
def write_vector(
    metrics: Bytes, ends: Int64s, time_ms: int, values: NDArray[np.uint64], out: Bytes
) -> int:
    """Write the elements of an instant vector, commas between them.

    Args:
        metrics: uint8[total]; label objects end to end.
        ends: int64[n + 1]; series i has ``metrics[ends[i]:ends[i + 1]]``.
        time_ms: The time of all.
        values: uint64[n]; bits of the values.
        out: uint8[at least total + n (``ROW_BYTES`` + ``PAIR_BYTES``)] out.

    Returns:
        How many bytes were written.
    """
    at = 0
    for row in range(len(values)):
        if row:
            out[at] = _COMMA
            at += 1
        at = _put(out, at, _METRIC, 0, len(_METRIC))
        at = _put(out, at, metrics, ends[row], ends[row + 1])
        at = _put(out, at, _VALUE, 0, len(_VALUE))
        at = put_pair(out, at, time_ms, values[row])
        out[at] = _BRACE
        at += 1
    return at


@kernel(
    "int64(Array(uint8, 1, 'C', True), Array(int64, 1, 'C', True), Array(uint8, 1, 'C', True),"
    " Array(int64, 1, 'C', True), Array(uint64, 2, 'C', True), Array(boolean, 2, 'C', True),"
    " uint8[::1])"
)
def write_matrix(
    metrics: Bytes,
    ends: Int64s,
    times: Bytes,
    time_ends: Int64s,
    values: NDArray[np.uint64],
    present: Bools,
    out: Bytes,
) -> int:
    """Write the series of a range query, commas between them.

    Args:
        metrics: uint8[total]; label objects end to end.
        ends: int64[n + 1]; series i has ``metrics[ends[i]:ends[i + 1]]``.
        times: uint8[total]; texts of the m steps end to end.
        time_ends: int64[m + 1]; likewise.
        values: uint64[n, m]; bits of the values.
        present: bool[n, m]; which are there.
        out: uint8[at least total + n ``ROW_BYTES`` + values there ``PAIR_BYTES``] out.

    Returns:
        How many bytes were written.
    """
    at = 0
    for row in range(values.shape[0]):
        if row:
            out[at] = _COMMA
            at += 1
        at = _put(out, at, _METRIC, 0, len(_METRIC))
        at = _put(out, at, metrics, ends[row], ends[row + 1])
        at = _put(out, at, _VALUES, 0, len(_VALUES))
        first = True
        for step in range(values.shape[1]):
            if not present[row, step]:
                continue
            if not first:
                out[at] = _COMMA
                at += 1
            first = False
            out[at] = _OPEN
            at = _put(out, at + 1, times, time_ends[step], time_ends[step + 1])
            at = _put_after_time(out, at, values[row, step])
        out[at], out[at + 1] = _CLOSE, _BRACE
        at += 2
    return at


@kernel(
    "int64(Array(uint8, 1, 'C', True), Array(int64, 1, 'C', True), Array(int64, 1, 'C', True),"
    " Array(int64, 1, 'C', True), Array(uint64, 1, 'C', True), uint8[::1])"
)
def write_ragged(
    metrics: Bytes,
    ends: Int64s,
    offsets: Int64s,
    times: Int64s,
    values: NDArray[np.uint64],
    out: Bytes,
) -> int:
    """Write series with samples of their own times, commas between them.

    Args:
        metrics: uint8[total]; label objects end to end.
        ends: int64[n + 1]; series i has ``metrics[ends[i]:ends[i + 1]]``.
        offsets: int64[n + 1]; series i has samples ``offsets[i]:offsets[i + 1]``.
        times: int64[m]; milliseconds.
        values: uint64[m]; bits of the values.
        out: uint8[at least total + n ``ROW_BYTES`` + m ``PAIR_BYTES``] out.

    Returns:
        How many bytes were written.
    """
    at = 0
    for row in range(len(offsets) - 1):
        if row:
            out[at] = _COMMA
            at += 1
        at = _put(out, at, _METRIC, 0, len(_METRIC))
        at = _put(out, at, metrics, ends[row], ends[row + 1])
        at = _put(out, at, _VALUES, 0, len(_VALUES))
        for sample in range(offsets[row], offsets[row + 1]):
            if sample > offsets[row]:
                out[at] = _COMMA
                at += 1
            at = put_pair(out, at, times[sample], values[sample])
        out[at], out[at + 1] = _CLOSE, _BRACE
        at += 2
    return at
