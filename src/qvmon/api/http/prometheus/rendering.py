"""Results of queries as Prometheus' JSON, built column by column as bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qvmon.api.http.prometheus.numbers import pair_texts, time_texts, value_texts
from qvmon.model.series import Float64s, Int64s, LabelFrame, SeriesColumns, SymbolTable
from qvmon.promql import Matrix, Result, Scalar, Text, Vector

_SAMPLES_AT_A_TIME = 1 << 20
_FEW_SAMPLES = 500


def render_result(result: Result, stats: bytes = b"") -> bytes:
    """Return ``{"resultType": ..., "result": ...}``, with ``stats`` (JSON) where there are any."""
    match result:
        case Vector():
            return _typed("vector", _vector(result), stats)
        case Matrix():
            return _typed("matrix", _joined(_matrix(result)), stats)
        case SeriesColumns():
            return _typed("matrix", _joined(_ragged(result)), stats)
        case Scalar():
            return _typed("scalar", _first_pair(result).encode(), stats)
        case Text():
            at = time_texts(np.array([result.time_ms])).to_pylist()[0]
            return _typed("string", f"[{at},{_json(result.value)}]".encode(), stats)


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


def render_series(frame: LabelFrame) -> bytes:
    """Return the label sets of ``frame`` as a JSON list."""
    return _joined(metric_texts(frame))


def metric_texts(frame: LabelFrame) -> list[str]:
    """Return the JSON object of each series' labels; each distinct value is escaped once."""
    columns = [_label_texts(frame, name, column) for column, name in enumerate(frame.names)]
    if not columns:
        return ["{}"] * len(frame)
    return [f"{{{','.join(filter(None, row))}}}" for row in zip(*columns, strict=True)]


def _label_texts(frame: LabelFrame, name: str, column: int) -> list[str]:
    codes, which = np.unique(frame.codes[:, column], return_inverse=True)
    quoted = _json(name)
    symbols = frame.symbols
    texts = [f"{quoted}:{_json(symbols[int(code)])}" if code else "" for code in codes]
    chosen: list[str] = np.array(texts, dtype=object)[which.ravel()].tolist()
    return chosen


def _typed(name: str, result: bytes, stats: bytes) -> bytes:
    after = b',"stats":' + stats if stats else b""
    return b"".join((b'{"resultType":"', name.encode(), b'","result":', result, after, b"}"))


def _joined(texts: Sequence[str] | Iterator[str]) -> bytes:
    return f"[{','.join(texts)}]".encode()


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _vector(vector: Vector) -> bytes:
    times = time_texts(np.array([vector.time_ms])).take(pa.array(np.zeros(len(vector), np.int64)))
    pairs = pair_texts(times, value_texts(vector.values)).to_pylist()
    return _joined(
        f'{{"metric":{metric},"value":{pair}}}'
        for metric, pair in zip(metric_texts(vector.labels), pairs, strict=True)
    )


def _first_pair(scalar: Scalar) -> str:
    pair: str = pair_texts(time_texts(scalar.times[:1]), value_texts(scalar.values[:1]))[0].as_py()
    return pair


def _matrix(matrix: Matrix) -> Iterator[str]:
    steps = time_texts(matrix.times)
    metrics = metric_texts(matrix.labels)
    rows = max(1, _SAMPLES_AT_A_TIME // max(1, len(matrix.times)))
    for first in range(0, len(matrix), rows):
        present = matrix.present[first : first + rows]
        at = np.nonzero(present)[1]
        offsets = np.zeros(len(present) + 1, np.int64)
        np.cumsum(present.sum(axis=1), out=offsets[1:])
        values = matrix.values[first : first + rows][present]
        pairs = pair_texts(steps.take(pa.array(at)), value_texts(values))
        yield from _series(metrics[first : first + rows], offsets, pairs)


def _ragged(columns: SeriesColumns) -> Iterator[str]:
    metrics = metric_texts(columns.labels)
    for first, last in _blocks(columns.offsets):
        start, end = columns.offsets[first], columns.offsets[last]
        pairs = _pairs(columns.timestamps[start:end], columns.values[start:end])
        offsets = columns.offsets[first : last + 1] - start
        yield from _series(metrics[first:last], offsets, pairs)


def _blocks(offsets: Int64s) -> Iterator[tuple[int, int]]:
    """Yield ranges of series with about so many samples each."""
    first, count = 0, len(offsets) - 1
    while first < count:
        beyond = int(np.searchsorted(offsets, offsets[first] + _SAMPLES_AT_A_TIME, "right")) - 1
        last = min(max(first + 1, beyond), count)
        yield first, last
        first = last


def _pairs(times: Int64s, values: Float64s) -> pa.Array:
    return pair_texts(time_texts(times), value_texts(values))


def _series(metrics: Sequence[str], offsets: Int64s, pairs: pa.Array) -> Iterator[str]:
    lists = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pairs)
    for metric, samples in zip(metrics, pc.binary_join(lists, ",").to_pylist(), strict=True):
        yield f'{{"metric":{metric},"values":[{samples}]}}'
