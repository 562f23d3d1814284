"""From the body of a remote-write request to columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qvmon.model.errors import invalid
from qvmon.model.exemplars import Exemplar
from qvmon.model.series import (
    Bytes,
    Float64s,
    Int64s,
    MetricMetadata,
    SampleBatch,
    SeriesKeys,
)
from qvmon.wire.compression import decompress
from qvmon.wire.protobuf import FINE, LONG_VARINT, TRUNCATED
from qvmon.wire.remote_write import kernels
from qvmon.wire.remote_write.exemplars import read_exemplars

_MISTAKES = {
    TRUNCATED: "the message ends inside a field",
    LONG_VARINT: "a number is longer than ten bytes",
    kernels.BAD_WIRE_TYPE: "a field has the wrong wire type",
    kernels.BAD_FIELD: "a field has an impossible number",
}
_REASONS = {
    kernels.NO_METRIC_NAME: "no_metric_name",
    kernels.EMPTY_LABEL_NAME: "empty_label_name",
    kernels.DUPLICATE_LABEL: "duplicate_label",
    kernels.INVALID_UTF8: "invalid_utf8",
}
NO_SAMPLES = SampleBatch(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))
METRIC_TYPES = (
    "unknown",
    "counter",
    "gauge",
    "histogram",
    "gaugehistogram",
    "summary",
    "info",
    "stateset",
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A series whose labels name nothing.

    Attributes:
        series: Its number in the request, from 0.
        offset: Where it begins in the decompressed request.
        reason: ``no_metric_name``, ``empty_label_name``, ``duplicate_label`` or ``invalid_utf8``.
        samples: How many samples went with it.
    """

    series: int
    offset: int
    reason: str
    samples: int


@dataclass(frozen=True, slots=True, eq=False)
class WriteRequest:
    """What a sender wants stored.

    Attributes:
        keys: n series; a sender may repeat one.
        rows: int64[m]; the series of each sample, an index into ``keys``.
        timestamps: int64[m]; milliseconds.
        values: float64[m]; staleness markers bit for bit.
        metadata: What the sender says about its metrics.
        refused: Series left out, and why.
        dropped: How many damaged ``exemplars`` and native ``histograms`` were left out, unstored.
        exemplars: Each with the canonical bytes of its series.
        known: Samples of series that a store knows already, under its ids; nothing of them is in
            the other columns.
        source: The part of the decompressed request that all but ``known`` was read from.
    """

    keys: SeriesKeys
    rows: Int64s
    timestamps: Int64s
    values: Float64s
    metadata: list[MetricMetadata]
    refused: list[Refusal]
    dropped: Mapping[str, int]
    exemplars: Sequence[tuple[bytes, Exemplar]] = ()
    known: SampleBatch = NO_SAMPLES
    source: bytes = b""

    def refused_samples(self) -> Counter[str]:
        """Return how many samples were refused for each reason."""
        total: Counter[str] = Counter()
        for each in self.refused:
            total[each.reason] += each.samples
        return total


def decode(body: bytes, content_encoding: str, *, max_bytes: int = 64 << 20) -> WriteRequest:
    """Return the series, samples and metadata of a remote-write 1.0 request.

    Args:
        body: The body as it was received.
        content_encoding: Its ``Content-Encoding``; empty means snappy, which the protocol demands.
        max_bytes: The most bytes the request may have when decompressed.

    Raises:
        QvmonError: INVALID with ``offset`` when the bytes are damaged, EXHAUSTED when they are more
            than ``max_bytes``, UNSUPPORTED for another encoding.
    """
    return read_message(decompress(body, content_encoding or "snappy", max_bytes))


def read_message(message: bytes, known: SampleBatch = NO_SAMPLES) -> WriteRequest:
    """Return what a decompressed request says, beside what is ``known`` of it already.

    Raises:
        QvmonError: INVALID with ``offset`` when the bytes are damaged.
    """
    source = np.frombuffer(message, np.uint8)
    series, samples, attached, entries, most_labels, mistake, at = kernels.check(source)
    if mistake != FINE:
        raise invalid(
            f"remote-write request, byte {at} of {len(message)}: {_MISTAKES[mistake]}", offset=at
        )
    labels = np.empty((most_labels, 4), np.int64)
    arena, offsets = np.empty(len(source), np.uint8), np.empty(series + 1, np.int64)
    rows, timestamps = np.empty(samples, np.int64), np.empty(samples, np.int64)
    bits = np.empty(samples, np.uint64)
    refused, metadata = np.empty((series, 4), np.int64), np.empty((entries, 7), np.int64)
    exemplars = np.empty((attached, 3), np.int64)
    kept, stored, refusals, attached, histograms = kernels.read(
        source, labels, arena, offsets, rows, timestamps, bits, refused, metadata, exemplars
    )
    keys = _keys(arena, offsets, kept)
    found, malformed = read_exemplars(message, keys, exemplars[:attached])
    return WriteRequest(
        keys=keys,
        rows=rows[:stored],
        timestamps=timestamps[:stored],
        values=bits[:stored].view(np.float64),
        metadata=_metadata(message, metadata),
        refused=_refusals(refused[:refusals]),
        dropped={"exemplars": malformed, "histograms": histograms},
        exemplars=found,
        known=known,
        source=message,
    )


def all_samples(request: WriteRequest, ids: Int64s) -> SampleBatch:
    """Return the samples of a request, those of known series first.

    Where a series is among both, all are put in order of time, as senders have to send them.

    Args:
        request: Where they are.
        ids: int64[n]; what its ``keys`` are in the store that knows the others.
    """
    known, series = request.known, ids[request.rows]
    if not len(known):
        return SampleBatch(series, request.timestamps, request.values)
    if not len(series):
        return known
    batch = SampleBatch(
        np.concatenate([known.series, series]),
        np.concatenate([known.timestamps, request.timestamps]),
        np.concatenate([known.values, request.values]),
    )
    if not np.any(np.isin(series, known.series)):
        return batch
    order = np.argsort(batch.timestamps, kind="stable")
    return SampleBatch(batch.series[order], batch.timestamps[order], batch.values[order])


def _keys(arena: Bytes, offsets: Int64s, kept: int) -> SeriesKeys:
    return SeriesKeys(arena[: offsets[kept]].copy(), offsets[: kept + 1])


def _refusals(rows: Int64s) -> list[Refusal]:
    return [
        Refusal(series, offset, _REASONS[reason], samples)
        for series, offset, reason, samples in rows.tolist()
    ]


def _metadata(message: bytes, rows: Int64s) -> list[MetricMetadata]:
    return [
        MetricMetadata(
            name=message[name:name_end].decode("utf-8", "replace"),
            type=METRIC_TYPES[kind] if kind < len(METRIC_TYPES) else "unknown",
            help=message[text:text_end].decode("utf-8", "replace"),
            unit=message[unit:unit_end].decode("utf-8", "replace"),
        )
        for kind, name, name_end, text, text_end, unit, unit_end in rows.tolist()
    ]
