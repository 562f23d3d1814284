"""Results of queries as Prometheus' JSON: labels once a series, numbers by kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import msgspec
import numpy as np

from qvmon.api.http.prometheus import kernels
from qvmon.model.series import Bytes, Int64s, LabelFrame, SeriesColumns, SymbolTable
from qvmon.promql import Matrix, Result, Scalar, Text, Vector

_FEW_SAMPLES = 2000

_SAMPLES_AT_ONCE = 1 << 15
"""A piece of about a megabyte."""

Piece = bytes | memoryview | Callable[[], memoryview]
"""JSON, or what renders it when it is its turn to be sent; for any thread."""

Json = Sequence[Piece]
"""JSON in pieces: those of large results are rendered side by side and sent one by one."""


def render_result(result: Result, stats: bytes = b"") -> Json:
    """Return ``{"resultType": ..., "result": ...}``, with ``stats`` (JSON) where there are any."""
    match result:
        case Vector():
            return _typed("vector", _vector(result), stats=stats)
        case Matrix():
            return _typed("matrix", *_matrix(result), stats=stats)
        case SeriesColumns():
            return _typed("matrix", _ragged(result), stats=stats)
        case Scalar():
            return _typed("scalar", _first_pair(result), stats=stats)
        case Text():
            text = [seconds_text(result.time_ms), msgspec.json.encode(result.value)]
            return _typed("string", b"[" + b",".join(text) + b"]", stats=stats)


def is_small(result: Result) -> bool:
    """Return whether rendering takes less time than handing the work to a thread."""
    match result:
        case Vector():
            return len(result) <= _FEW_SAMPLES
        case Matrix():
            return result.values.size <= _FEW_SAMPLES
        case SeriesColumns():
            return len(result.values) <= _FEW_SAMPLES
        case _:
            return True


def over_time(result: Result) -> Result:
    """Return the result of a range query, a number at each step as one series without labels."""
    if not isinstance(result, Scalar):
        return result
    nameless = LabelFrame((), np.zeros((1, 0), np.int32), SymbolTable())
    values = result.values[np.newaxis, :]
    present = np.ones(values.shape, np.bool_)
    return Matrix(nameless, result.times, values, present, result.notes)


def render_series(frame: LabelFrame) -> Json:
    """Return the label sets of ``frame`` as a JSON list."""
    texts, ends = metric_texts(frame)
    objects = texts.tobytes()
    listed = (objects[first:end] for first, end in pairwise(ends.tolist()))
    return b"[", b",".join(listed), b"]"


def seconds_text(milliseconds: int) -> bytes:
    """Return a time as seconds, with three decimals unless they are zero."""
    out = np.empty(kernels.PAIR_BYTES, np.uint8)
    return out[: kernels.put_time(out, 0, milliseconds)].tobytes()


def metric_texts(frame: LabelFrame) -> tuple[Bytes, Int64s]:
    """Return the JSON objects of all series' labels; each distinct value is escaped once.

    Returns:
        uint8[total], end to end, and int64[n + 1]: series i has ``texts[ends[i]:ends[i + 1]]``.
    """
    if len(frame) == 1:
        return _arena([_only_text(frame)])
    distinct, chosen = [b""], np.zeros((len(frame), len(frame.names)), np.int64)
    for column, name in enumerate(frame.names):
        codes, which = np.unique(frame.codes[:, column], return_inverse=True)
        chosen[:, column] = which.ravel() + len(distinct)
        quoted, symbols = _json(name) + b":", frame.symbols
        distinct += [quoted + _json(symbols[code]) if code else b"" for code in codes.tolist()]
    texts, text_ends = _arena(distinct)
    size = int(np.diff(text_ends)[chosen].sum()) + len(frame) * (len(frame.names) + 2)
    out, ends = np.empty(size, np.uint8), np.empty(len(frame) + 1, np.int64)
    kernels.write_labels(texts, text_ends, chosen, out, ends)
    return out[: ends[-1]], ends


def _only_text(frame: LabelFrame) -> bytes:
    codes = zip(frame.names, frame.codes[0].tolist(), strict=True)
    pairs = (_json(name) + b":" + _json(frame.symbols[code]) for name, code in codes if code)
    return b"{" + b",".join(pairs) + b"}"


def _typed(name: str, *result: Piece, stats: bytes) -> Json:
    before = f'{{"resultType":"{name}","result":'.encode()
    after = b',"stats":' + stats if stats else b""
    return before, *result, after, b"}"


def _json(text: str) -> bytes:
    return msgspec.json.encode(text)


def _arena(texts: Sequence[bytes]) -> tuple[Bytes, Int64s]:
    """Return texts end to end, and where each begins, with the end of the last."""
    ends = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=ends[1:])
    return np.frombuffer(b"".join(texts), np.uint8), ends


def _room(metrics: Bytes, rows: int, pairs: int) -> Bytes:
    """Return a buffer that holds any answer; pages of it that nobody writes to are never there."""
    brackets = 2
    needed = len(metrics) + rows * kernels.ROW_BYTES + pairs * kernels.PAIR_BYTES + brackets
    return np.empty(needed, np.uint8)


def _list(out: Bytes, size: int) -> memoryview:
    """Return the first ``size`` bytes of ``out[1:]`` in brackets."""
    out[0], out[size + 1] = ord("["), ord("]")
    return out[: size + 2].data


def _vector(vector: Vector) -> memoryview:
    metrics, ends = metric_texts(vector.labels)
    out = _room(metrics, len(vector), len(vector))
    values = np.ascontiguousarray(vector.values).view(np.uint64)
    return _list(out, kernels.write_vector(metrics, ends, vector.time_ms, values, out[1:]))


def _first_pair(scalar: Scalar) -> bytes:
    out = np.empty(kernels.PAIR_BYTES, np.uint8)
    bits = scalar.values[:1].view(np.uint64)[0]
    return out[: kernels.put_pair(out, 0, int(scalar.times[0]), bits)].tobytes()


def _matrix(matrix: Matrix) -> list[Piece]:
    times = _times(matrix.times)
    if matrix.values.size <= _SAMPLES_AT_ONCE:
        return [_series_of(matrix, times, 0, len(matrix))]
    stride = max(1, _SAMPLES_AT_ONCE // len(matrix.times))
    firsts = range(0, len(matrix), stride)
    return [partial(_series_of, matrix, times, first, first + stride) for first in firsts]


def _times(milliseconds: Int64s) -> tuple[Bytes, Int64s]:
    """Return the texts of times end to end, and where each begins, with the end of the last."""
    out = np.empty(len(milliseconds) * kernels.PAIR_BYTES, np.uint8)
    ends = np.empty(len(milliseconds) + 1, np.int64)
    kernels.put_times(np.ascontiguousarray(milliseconds), out, ends)
    return out, ends


def _series_of(matrix: Matrix, times: tuple[Bytes, Int64s], first: int, last: int) -> memoryview:
    """Return series ``first`` to ``last`` and what of the list's brackets and commas goes there."""
    metrics, ends = metric_texts(matrix.labels.part(first, last))
    values = np.ascontiguousarray(matrix.values[first:last]).view(np.uint64)
    present = np.ascontiguousarray(matrix.present[first:last])
    out = _room(metrics, len(values), int(np.count_nonzero(present)))
    out[0] = ord("," if first else "[")
    end = 1 + kernels.write_matrix(metrics, ends, *times, values, present, out[1:])
    if last >= len(matrix):
        out[end] = ord("]")
        end += 1
    return out[:end].data


def _ragged(columns: SeriesColumns) -> memoryview:
    metrics, ends = metric_texts(columns.labels)
    first, last = columns.offsets[0], columns.offsets[-1]
    out = _room(metrics, len(columns), int(last - first))
    values = np.ascontiguousarray(columns.values).view(np.uint64)
    times = np.ascontiguousarray(columns.timestamps)
    offsets = np.ascontiguousarray(columns.offsets)
    return _list(out, kernels.write_ragged(metrics, ends, offsets, times, values, out[1:]))
