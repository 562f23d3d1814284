"""Samples for a remote reader: all at once, or as a stream of compressed chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qvmon.model.labels import Labels
from qvmon.model.series import Bytes, Float64s, Int64s, SeriesColumns, SeriesKeys
from qvmon.wire.compression import compress_snappy
from qvmon.wire.protobuf.writing import bytes_field, number_field, varint
from qvmon.wire.remote_read import kernels
from qvmon.wire.remote_write.encoding import timeseries

SAMPLES_TYPE = "application/x-protobuf"
CHUNKS_TYPE = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"

_SAMPLES_A_CHUNK = 120
_FRAME_BYTES = 1 << 20
_XOR = 1
_SAMPLES_AT_A_TIME = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class ReadSeries:
    """The answer to one query, series in label order.

    Attributes:
        labels: External labels included.
        rows: int64[n]; where each series stands in ``columns``.
        columns: Its samples.
    """

    labels: Sequence[Labels]
    rows: Int64s
    columns: SeriesColumns

    @classmethod
    def of(cls, columns: SeriesColumns, external: Mapping[str, str]) -> ReadSeries:
        """Return ``columns`` in label order; a series' own labels outrank external ones."""
        labels = [Labels({**external, **each}) for each in columns.labels.all_labels()]
        order = sorted(range(len(labels)), key=lambda row: tuple(labels[row].pairs()))
        return cls([labels[row] for row in order], np.array(order, np.int64), columns)

    def samples(self, first: int, last: int) -> tuple[Int64s, Int64s, Float64s]:
        """Return offsets, timestamps and values of some series, in their order."""
        rows, offsets = self.rows[first:last], self.columns.offsets
        lengths = offsets[rows + 1] - offsets[rows]
        ends = np.cumsum(lengths)
        at = np.repeat(offsets[rows] - (ends - lengths), lengths) + np.arange(lengths.sum())
        starts = np.concatenate((np.zeros(1, np.int64), ends))
        return starts, self.columns.timestamps[at], self.columns.values[at]


def encode_samples(answers: Sequence[ReadSeries]) -> bytes:
    """Return a snappy-compressed ``prometheus.ReadResponse``."""
    return compress_snappy(b"".join(bytes_field(1, _query_result(each)) for each in answers))


def _query_result(answer: ReadSeries) -> bytes:
    offsets, timestamps, values = answer.samples(0, len(answer.labels))
    return timeseries(SeriesKeys.from_labels(answer.labels), offsets, timestamps, values)


def chunk_frames(answers: Sequence[ReadSeries]) -> Iterator[bytes]:
    """Yield frames of ``prometheus.ChunkedReadResponse``: size, CRC-32C, message."""
    for index, answer in enumerate(answers):
        for first, last in _groups(answer):
            for message in _messages(answer, first, last):
                framed = message + number_field(2, index)
                checksum = int(kernels.crc32c(np.frombuffer(framed, np.uint8)))
                yield varint(len(framed)) + checksum.to_bytes(4, "big") + framed


def _groups(answer: ReadSeries) -> Iterator[tuple[int, int]]:
    """Yield ranges of series with about as many samples as are encoded at a time."""
    offsets = answer.columns.offsets
    ends = np.cumsum(offsets[answer.rows + 1] - offsets[answer.rows])
    first = 0
    while first < len(ends):
        before = ends[first - 1] if first else 0
        last = int(np.searchsorted(ends, before + _SAMPLES_AT_A_TIME, "right"))
        last = max(last, first + 1)
        yield first, last
        first = last


def _messages(answer: ReadSeries, first: int, last: int) -> Iterator[bytes]:
    """Yield the field ``chunked_series`` of messages: one series each, large ones in parts."""
    offsets, timestamps, values = answer.samples(first, last)
    firsts, owners = _cut(offsets)
    chunks = _Chunks.of(timestamps, values, firsts)
    for series in range(last - first):
        labels = _labels(answer.labels[first + series])
        own = range(int(owners[series]), int(owners[series + 1]))
        yield from _parts(labels, (chunks.message(chunk) for chunk in own))


@dataclass(frozen=True, slots=True, eq=False)
class _Chunks:
    """Encoded runs of samples.

    Attributes:
        timestamps: int64[n]; of all samples.
        firsts: int64[m + 1]; chunk i has samples ``firsts[i]:firsts[i + 1]``.
        encoded: uint8[total]; the chunks end to end.
        offsets: int64[m + 1]; chunk i is ``encoded[offsets[i]:offsets[i + 1]]``.
    """

    timestamps: Int64s
    firsts: Int64s
    encoded: Bytes
    offsets: Int64s

    @classmethod
    def of(cls, timestamps: Int64s, values: Float64s, firsts: Int64s) -> _Chunks:
        room = kernels.LONGEST_SAMPLE_BYTES * (len(values) + len(firsts))
        out, offsets = np.zeros(room, np.uint8), np.empty(len(firsts), np.int64)
        kernels.write_chunks(timestamps, values.view(np.uint64), firsts, out, offsets)
        return cls(timestamps, firsts, out, offsets)

    def message(self, chunk: int) -> bytes:
        """Return the field ``chunks`` of a series."""
        start = int(self.timestamps[self.firsts[chunk]])
        stop = int(self.timestamps[self.firsts[chunk + 1] - 1])
        content = self.encoded[self.offsets[chunk] : self.offsets[chunk + 1]].tobytes()
        times = number_field(1, start) + number_field(2, stop)
        return bytes_field(2, times + number_field(3, _XOR) + bytes_field(4, content))


def _cut(offsets: Int64s) -> tuple[Int64s, Int64s]:
    """Return where chunks begin, and the first chunk of each series, both with their end."""
    lengths = np.diff(offsets)
    counts = -(-lengths // _SAMPLES_A_CHUNK)
    owners = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    within = np.arange(owners[-1]) - np.repeat(owners[:-1], counts)
    begins = np.repeat(offsets[:-1], counts) + within * _SAMPLES_A_CHUNK
    return np.concatenate((begins, offsets[-1:])), owners


def _parts(labels: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    parts, size = [labels], len(labels)
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size >= _FRAME_BYTES:
            yield bytes_field(1, b"".join(parts))
            parts, size = [labels], len(labels)
    if len(parts) > 1:
        yield bytes_field(1, b"".join(parts))


def _labels(labels: Labels) -> bytes:
    return b"".join(
        bytes_field(1, bytes_field(1, name.encode()) + bytes_field(2, value.encode()))
        for name, value in labels.pairs()
    )
