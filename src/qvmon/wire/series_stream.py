"""How one qvmon process hands series to another: Arrow IPC, bit for bit, no copy of a sample.

An answer to *select* is one Arrow IPC stream a selection, one after the other. A row is a series:
a dictionary column for each label (``label:<name>``; an absent label is the empty string), and two
list columns, ``timestamps`` (int64 milliseconds) and ``values`` (float64, NaN bits kept). An answer
to *series* is one stream of label columns only. Any Arrow implementation reads both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.series import (
    Int32s,
    LabelFrame,
    MetricMetadata,
    Selection,
    SeriesColumns,
    SymbolTable,
)
from qvmon.model.unknown import UnknownInterval

Request = TypeVar("Request")

CONTENT_TYPE = "application/vnd.apache.arrow.stream"
_UNREADABLE = (pa.ArrowException, OSError, KeyError, IndexError, AttributeError)
_END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"
_LABEL = "label:"
_TIMESTAMPS, _VALUES, _SERIES = "timestamps", "values", "series"


class MatcherText(msgspec.Struct, frozen=True):
    """A matcher as it travels."""

    name: str
    op: MatchOp
    value: str


class SelectionText(msgspec.Struct, frozen=True):
    """A selection as it travels; times in milliseconds."""

    matchers: tuple[MatcherText, ...]
    start_ms: int
    end_ms: int


class UnknownText(msgspec.Struct, frozen=True):
    """An unknown interval as it travels."""

    scope: dict[str, str]
    start_ms: int
    end_ms: int | None
    reason: str


class SelectRequest(msgspec.Struct, frozen=True):
    """Asks for the samples of selections."""

    selections: tuple[SelectionText, ...]


class SeriesRequest(msgspec.Struct, frozen=True):
    """Asks for the series that match any of the sets."""

    matcher_sets: tuple[tuple[MatcherText, ...], ...]
    start_ms: int
    end_ms: int


def encode_select_request(selections: Sequence[Selection]) -> bytes:
    """Return the JSON that asks for ``selections``."""
    texts = tuple(
        SelectionText(_matcher_texts(each.matchers), each.start_ms, each.end_ms)
        for each in selections
    )
    return msgspec.json.encode(SelectRequest(texts))


def decode_select_request(body: bytes) -> list[Selection]:
    """Return the selections that ``body`` asks for.

    Raises:
        QvmonError: INVALID.
    """
    request = _decoded(body, SelectRequest)
    return [
        Selection(_matchers(each.matchers), each.start_ms, each.end_ms)
        for each in request.selections
    ]


def encode_series_request(
    matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
) -> bytes:
    """Return the JSON that asks for the series matching any of ``matcher_sets``."""
    sets = tuple(_matcher_texts(matchers) for matchers in matcher_sets)
    return msgspec.json.encode(SeriesRequest(sets, start_ms, end_ms))


def decode_series_request(body: bytes) -> tuple[list[tuple[Matcher, ...]], int, int]:
    """Return matcher sets, start and end that ``body`` asks for.

    Raises:
        QvmonError: INVALID.
    """
    request = _decoded(body, SeriesRequest)
    return [_matchers(each) for each in request.matcher_sets], request.start_ms, request.end_ms


def encode_metadata(entries: Iterable[MetricMetadata]) -> bytes:
    """Return metadata as JSON."""
    return msgspec.json.encode(list(entries))


def decode_metadata(body: bytes) -> list[MetricMetadata]:
    """Return the metadata in ``body``.

    Raises:
        QvmonError: CORRUPT.
    """
    try:
        return msgspec.json.decode(body, type=list[MetricMetadata])
    except msgspec.MsgspecError as error:
        raise _damaged(error) from None


def encode_unknown(intervals: Iterable[UnknownInterval]) -> bytes:
    """Return unknown intervals as JSON."""
    return msgspec.json.encode(
        [UnknownText(dict(e.scope), e.start_ms, e.end_ms, e.reason) for e in intervals]
    )


def decode_unknown(body: bytes) -> list[UnknownInterval]:
    """Return the unknown intervals in ``body``.

    Raises:
        QvmonError: CORRUPT.
    """
    try:
        texts = msgspec.json.decode(body, type=list[UnknownText])
    except msgspec.MsgspecError as error:
        raise _damaged(error) from None
    return [UnknownInterval(Labels(e.scope), e.start_ms, e.end_ms, e.reason) for e in texts]


def encode_columns(answers: Iterable[SeriesColumns]) -> bytes:
    """Return the streams of ``answers``, end to end."""
    sink = pa.BufferOutputStream()
    for columns in answers:
        _write(sink, {**_label_arrays(columns.labels), **_sample_arrays(columns)})
    return bytes(sink.getvalue())


def decode_columns(body: bytes, count: int) -> list[SeriesColumns]:
    """Return the ``count`` answers in ``body``.

    Raises:
        QvmonError: CORRUPT when that is not what ``body`` holds.
    """
    source = pa.BufferReader(body)
    try:
        answers = [_columns(_read(source, body)) for _ in range(count)]
    except _UNREADABLE as error:
        raise _damaged(error) from None
    if source.tell() != source.size():
        raise _damaged("more answers than were asked for")
    return answers


def encode_frame(frame: LabelFrame) -> bytes:
    """Return the stream of the labels in ``frame``."""
    sink = pa.BufferOutputStream()
    rows = pa.array(np.arange(len(frame), dtype=np.int64))
    _write(sink, {**_label_arrays(frame), _SERIES: rows})
    return bytes(sink.getvalue())


def decode_frame(body: bytes) -> LabelFrame:
    """Return the labels in ``body``.

    Raises:
        QvmonError: CORRUPT.
    """
    try:
        return _frame(_read(pa.BufferReader(body), body))
    except _UNREADABLE as error:
        raise _damaged(error) from None


def _read(source: pa.BufferReader, body: bytes) -> pa.Table:
    """Return the next stream as a table; Arrow itself takes one that was cut off as complete."""
    table = pa.ipc.open_stream(source).read_all()
    end = source.tell()
    if body[end - len(_END_OF_STREAM) : end] != _END_OF_STREAM:
        raise _damaged("it ends too soon")
    return table


def _write(sink: pa.NativeFile, arrays: dict[str, pa.Array]) -> None:
    batch = pa.RecordBatch.from_pydict(arrays)
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)


def _label_arrays(frame: LabelFrame) -> dict[str, pa.Array]:
    return {
        f"{_LABEL}{name}": _dictionary(frame, column) for column, name in enumerate(frame.names)
    }


def _dictionary(frame: LabelFrame, column: int) -> pa.Array:
    codes, which = np.unique(frame.codes[:, column], return_inverse=True)
    strings = [frame.symbols[int(code)] for code in codes]
    indices = pa.array(which.ravel().astype(np.int32))
    return pa.DictionaryArray.from_arrays(indices, pa.array(strings, pa.string()))


def _sample_arrays(columns: SeriesColumns) -> dict[str, pa.Array]:
    offsets = pa.array(columns.offsets)
    timestamps = pa.array(columns.timestamps[: columns.offsets[-1]])
    values = pa.array(columns.values[: columns.offsets[-1]], from_pandas=False)
    return {
        _TIMESTAMPS: pa.LargeListArray.from_arrays(offsets, timestamps),
        _VALUES: pa.LargeListArray.from_arrays(offsets, values),
    }


def _columns(table: pa.Table) -> SeriesColumns:
    timestamps = table.column(_TIMESTAMPS).combine_chunks()
    values = table.column(_VALUES).combine_chunks()
    offsets = timestamps.offsets.to_numpy()
    return SeriesColumns(
        _frame(table),
        offsets - offsets[0],
        timestamps.flatten().to_numpy(),
        values.flatten().to_numpy(),
    )


def _frame(table: pa.Table) -> LabelFrame:
    names = [name for name in table.column_names if name.startswith(_LABEL)]
    symbols = SymbolTable()
    codes = np.zeros((table.num_rows, len(names)), np.int32)
    for at, name in enumerate(names):
        codes[:, at] = _codes(table.column(name).combine_chunks(), symbols)
    return LabelFrame(tuple(name.removeprefix(_LABEL) for name in names), codes, symbols)


def _codes(column: pa.DictionaryArray, symbols: SymbolTable) -> Int32s:
    codes = np.array([symbols.intern(each) for each in column.dictionary.to_pylist()], np.int32)
    chosen: Int32s = codes[column.indices.to_numpy(zero_copy_only=False)]
    return chosen


def _matcher_texts(matchers: Iterable[Matcher]) -> tuple[MatcherText, ...]:
    return tuple(MatcherText(each.name, each.op, each.value) for each in matchers)


def _matchers(texts: Iterable[MatcherText]) -> tuple[Matcher, ...]:
    return tuple(Matcher(each.name, each.op, each.value) for each in texts)


def _decoded(body: bytes, kind: type[Request]) -> Request:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise invalid(f"not a request for series: {error}") from None


def _damaged(reason: object) -> QvmonError:
    return QvmonError(ErrorKind.CORRUPT, f"a peer's answer cannot be read: {reason}")
